"""What every part of ``Control`` may use of the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qtool.installation import Configuration


class Part:
    """A part of the facade: calls that belong together."""

    configuration: Configuration
    """The site."""

    def read_only_reason(self) -> str:
        """Return why nothing may be changed here; empty when acts are allowed."""
        raise NotImplementedError
