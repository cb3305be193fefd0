"""ini text to typed, frozen settings; no files are searched, no environment read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.settings.builtin import default
from qtool.settings.ini import read_sections
from qtool.settings.mailman import is_mailman, mailman_settings, with_private_queue
from qtool.settings.own import (
    MOST_INSTANCES,
    WITHOUT_RUNNER,
    overlaid,
    own_settings,
)
from qtool.settings.root import from_root
from qtool.settings.values import RunnerSettings, Settings, SiteKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "MOST_INSTANCES", "WITHOUT_RUNNER", "RunnerSettings", "Settings", "SiteKind",
    "default", "from_root", "overlaid", "parse", "with_private_queue",
]  # fmt: skip


def parse(
    text: str,
    *,
    source: str,
    base: Path,
    overlays: Mapping[str, str] | None = None,
) -> Settings:
    """Return what a configuration says, in qtool's dialect or a ``mailman.cfg``.

    Args:
        text: The configuration.
        source: The name of its file, for errors and to be shown.
        base: The absolute folder that relative paths start from.
        overlays: Further texts, laid over in order, by the name errors show.

    Raises:
        SettingsError: A value is wrong: one line with file, section and key.
    """
    sections = read_sections(text, source, strict=False)
    if is_mailman(sections, source):
        settings = mailman_settings(sections, source=source, base=base)
    else:
        sections = read_sections(text, source, strict=True)
        settings = own_settings(sections, source=source, base=base)
    return overlaid(settings, overlays or {})
