"""``[audit]``: what is on record besides acts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.errors import SettingsError
from qtool.untrusted import visible

if TYPE_CHECKING:
    from qtool.settings.ini import Section


def audited_reads(section: Section | None) -> bool:
    """Return whether it is recorded, too, who looks at which message."""
    if section is None:
        return False
    for key in section:
        if key != "reads":
            raise SettingsError(
                f"{section.source}: [{section.name}] {visible(key, 80)}:"
                " expected one of reads"
            )
    return section.boolean("reads", default=False)
