"""Reading the file of a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.errors import SettingsError
from qtool.settings import parse

if TYPE_CHECKING:
    from pathlib import Path

    from qtool.settings import Settings

_LARGEST = 1 << 20
"""Bytes of a configuration."""


def load_settings(path: Path) -> Settings:
    """Return the settings in a file.

    Raises:
        SettingsError: It cannot be read, or a value in it is wrong.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise SettingsError(f"{path}: too large for a configuration")
        text = data.decode("utf-8")
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: expected text in UTF-8") from error
    return parse(text, source=str(path), base=path.resolve().parent)
