"""``[alert]``: what is run when the verdict on a queue changes."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtool.errors import SettingsError
from qtool.untrusted import visible

if TYPE_CHECKING:
    from qtool.settings.ini import Section


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """Who is told of a change, and when."""

    command: tuple[str, ...] = ()
    """The program and its arguments; empty for nobody."""
    after_seconds: float = 60.0
    """For how long a verdict has to hold before it is told."""


def alert_settings(section: Section | None) -> AlertSettings:
    """Return what a section says, or what holds without one."""
    usual = AlertSettings()
    if section is None:
        return usual
    for key in section:
        if key not in {"command", "after"}:
            raise SettingsError(
                f"{section.source}: [{section.name}] {visible(key, 80)}:"
                " expected one of after, command"
            )
    try:
        command = tuple(shlex.split(section.text("command")))
    except ValueError:
        raise section.wrong("command", "a command line whose quotes close") from None
    return AlertSettings(
        command=command, after_seconds=section.seconds("after", usual.after_seconds)
    )
