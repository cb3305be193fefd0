"""The configuration that holds where there is none."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from qtool.settings.ini import Section
from qtool.settings.own import own_settings

if TYPE_CHECKING:
    from pathlib import Path

    from qtool.settings.values import Settings

FORWARD = "qtool.runners.forward.ForwardRunner"


def default(root: Path) -> Settings:
    """Return the built-in default: ``in`` forwards to ``out``, where mail waits."""
    source = "built-in default"
    forward = Section(source, "runner.in", {"class": FORWARD, "to": "out"})
    settings = own_settings(
        {
            "qtool": Section(source, "qtool", {"root": str(root)}),
            "runner.in": forward,
            "runner.out": Section(source, "runner.out", {}),
        },
        source=source,
        base=root,
    )
    runners = dict(settings.runners)
    runners["out"] = replace(runners["out"], served=False)
    return replace(settings, runners=MappingProxyType(runners))
