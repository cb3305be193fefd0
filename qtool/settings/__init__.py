"""ini text to typed, frozen settings; no files are searched, no environment read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.settings.ini import read_sections
from qtool.settings.mailman import is_mailman, mailman_settings
from qtool.settings.own import default, overlaid, own_settings
from qtool.settings.root import from_root
from qtool.settings.values import RunnerSettings, Settings, SiteKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "RunnerSettings", "Settings", "SiteKind", "default", "from_root", "overlaid",
    "parse",
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
    sections = read_sections(text, source)
    build = mailman_settings if is_mailman(sections, source) else own_settings
    return overlaid(build(sections, source=source, base=base), overlays or {})
