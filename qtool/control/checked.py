"""A configuration file, with what only Control can tell to be wrong in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.errors import FilterError, SettingsError
from qtool.installation import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from qtool.settings import Settings


def checked_settings(file: Path) -> Settings:
    """Return what a configuration file says.

    Raises:
        SettingsError: The file is wrong, or a filter in it.
    """
    settings = load_settings(file)
    if settings.filters:
        from qtool.control.filters import parse  # most files have none

        for name, text in settings.filters.items():
            try:
                parse(text, 0.0, settings.filters)
            except FilterError as error:
                place = f"{settings.source}: [filter.{name}] where"
                raise SettingsError(f"{place}: {error}") from error
    return settings
