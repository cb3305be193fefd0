"""Sections of an ini text, and their values as types.

The dialect is Mailman's: ``key: value`` or ``key = value``, whole-line
comments, continuation by indent, durations such as ``15m``. Every wrong value
is one line that names the file, the section, the key and what was expected.
"""

from __future__ import annotations

import configparser
import re
import textwrap
from typing import TYPE_CHECKING

from qtool.errors import SettingsError
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BOOLEANS = {
    "yes": True, "true": True, "on": True, "1": True, "enabled": True,
    "no": False, "false": False, "off": False, "0": False, "disabled": False,
}  # fmt: skip
_UNIT_SECONDS = {
    "y": 31557600.0, "w": 604800.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0,
}  # fmt: skip
_DURATION_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([ywdhms])", re.ASCII)
_PLAIN_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", re.ASCII)
_VARIABLE = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})", re.ASCII)
_DEEPEST = 20


def duration_seconds(text: str) -> float | None:
    """Return the seconds in ``5d``, ``1h30m``, ``0.5``; None if it is none."""
    packed = "".join(text.lower().split())
    if _PLAIN_SECONDS.fullmatch(packed):
        return float(packed)
    parts = list(_DURATION_PART.finditer(packed))
    if not parts or "".join(part[0] for part in parts) != packed:
        return None
    return sum(float(part[1]) * _UNIT_SECONDS[part[2]] for part in parts)


class Section:
    """One section; it knows how to name itself in an error."""

    def __init__(self, source: str, name: str, values: Mapping[str, str]) -> None:
        self.source = source
        """The file, for errors."""
        self.name = name
        self.values = dict(values)
        """Keys in lower case; values stripped."""

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def wrong(self, key: str, expected: str) -> SettingsError:
        """Return the error for a value that is not what was expected."""
        value = visible(self.values.get(key, ""), 80)
        return SettingsError(
            f"{self.source}: [{self.name}] {key}: expected {expected}, not '{value}'"
        )

    def text(self, key: str, default: str = "") -> str:
        """Return the value as it stands, or ``default`` where there is none."""
        return self.values.get(key, default)

    def boolean(self, key: str, default: bool) -> bool:
        """Return a yes or no."""
        if key not in self.values:
            return default
        known = _BOOLEANS.get(self.values[key].lower())
        if known is None:
            raise self.wrong(key, "yes or no")
        return known

    def whole(self, key: str, default: int, *, lowest: int, highest: int) -> int:
        """Return a whole number within both bounds."""
        if key not in self.values:
            return default
        value = self.values[key]
        number = int(value) if re.fullmatch(r"-?[0-9]{1,9}", value, re.ASCII) else None
        if number is None or not lowest <= number <= highest:
            raise self.wrong(key, f"a whole number from {lowest} to {highest}")
        return number

    def seconds(self, key: str, default: float) -> float:
        """Return a duration in seconds."""
        if key not in self.values:
            return default
        seconds = duration_seconds(self.values[key])
        if seconds is None:
            raise self.wrong(key, "a duration such as 15m, 1h30m or 0.5")
        return seconds


def read_sections(text: str, source: str, *, strict: bool) -> dict[str, Section]:
    """Return the sections of an ini text by name, in their order.

    Args:
        text: The ini text.
        source: The name of its file, for errors.
        strict: Refuse what is there twice; Mailman takes the later one.
    """
    parser = configparser.RawConfigParser(
        interpolation=None,
        default_section="\0",
        empty_lines_in_values=False,
        strict=strict,
    )
    try:
        parser.read_string(textwrap.dedent(text), source)
    except configparser.MissingSectionHeaderError as error:
        raise SettingsError(
            f"{source}: line {error.lineno}: expected a [section] before anything else"
        ) from error
    except configparser.DuplicateSectionError as error:
        raise SettingsError(
            f"{source}: line {error.lineno}: [{visible(error.section, 80)}] is there"
            " already"
        ) from error
    except configparser.DuplicateOptionError as error:
        raise SettingsError(
            f"{source}: line {error.lineno}: [{visible(error.section, 80)}]"
            f" {visible(error.option, 80)}: is there already"
        ) from error
    except configparser.ParsingError as error:
        line = error.errors[0][0] if error.errors else 0
        raise SettingsError(f"{source}: line {line}: expected key: value") from error
    return {
        name: Section(source, name, dict(parser.items(name)))
        for name in parser.sections()
    }


def expand(
    section: Section, key: str, variables: Mapping[str, str], default: str = ""
) -> str:
    """Return a value with ``$name`` and ``${name}`` replaced, again and again.

    Args:
        section: Where the value stands, for the error.
        key: Its key.
        variables: What names stand for, in lower case; values may name others.
        default: The value, where the section has none.
    """
    value = section.text(key, default)
    for _ in range(_DEEPEST):
        unknown: list[str] = []

        def replacement(match: re.Match[str], unknown: list[str] = unknown) -> str:
            name = (match[1] or match[2] or "").lower()
            if not name:
                return match[0]
            if name not in variables:
                unknown.append(name)
            return variables.get(name, "")

        replaced = _VARIABLE.sub(replacement, value)
        if unknown:
            raise section.wrong(key, f"a value for ${unknown[0]}")
        if replaced == value:
            return value.replace("$$", "$")
        value = replaced
    raise section.wrong(key, "variables that do not name each other in a circle")
