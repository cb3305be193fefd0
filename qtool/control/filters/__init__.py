"""The filter language, which the screen, the prompt and the commands share."""

from __future__ import annotations

from qtool.control.filters.completion import complete
from qtool.control.filters.parser import parse
from qtool.control.filters.tree import Filter

__all__ = ["Filter", "complete", "parse"]
