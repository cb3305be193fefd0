"""``[filter.NAME]``: filters that have a name, to be used as ``@NAME``."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from qtool.errors import SettingsError
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qtool.settings.ini import Section

PREFIX = "filter."
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,60}", re.ASCII)


def saved_filters(sections: Mapping[str, Section]) -> Mapping[str, str]:
    """Return the filters among the sections by name; what they mean is not read."""
    return MappingProxyType(
        {
            name.removeprefix(PREFIX): _where(section)
            for name, section in sections.items()
            if name.startswith(PREFIX)
        }
    )


def _where(section: Section) -> str:
    if not _NAME.fullmatch(section.name.removeprefix(PREFIX)):
        raise SettingsError(
            f"{section.source}: [{visible(section.name, 80)}]:"
            " expected a name of letters, digits, _ . and -"
        )
    for key in section:
        if key != "where":
            raise SettingsError(
                f"{section.source}: [{section.name}] {visible(key, 80)}:"
                " expected one of where"
            )
    if not section.text("where"):
        raise section.wrong("where", "a filter such as age>3d from:bob")
    return section.text("where")
