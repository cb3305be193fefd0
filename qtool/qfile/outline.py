"""The outline of a message: what a pickled one says, in checked fields.

Making it needs nothing of the ``email`` package, so that a file can be looked
at, and be found in order, before anybody asks for its message.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from typing import Any


MAX_HEADERS = 50_000
"""A message with more headers, or header lines, is refused."""


class CharsetOutline:
    """A character set as a message names it."""

    __slots__ = ("encodings", "names")

    def __init__(self, names: dict[str, str | None], encodings: dict[str, int | None]):
        self.names = names
        self.encodings = encodings


class HeaderOutline:
    """A header's value in chunks, each in its character set."""

    __slots__ = ("charset", "chunks", "cost", "settings")

    def __init__(
        self,
        chunks: list[tuple[str | bytes, CharsetOutline]],
        charset: CharsetOutline,
        settings: dict[str, Any],
    ) -> None:
        self.chunks = chunks
        self.charset = charset
        self.settings = settings
        self.cost = 0
        """What outlining it has cost, and costs again where it is shared."""


class Outline:
    """A message, or a part of one."""

    __slots__ = (
        "charset",
        "cost",
        "default_type",
        "defects",
        "epilogue",
        "extras",
        "headers",
        "payload",
        "preamble",
        "unixfrom",
    )

    def __init__(self) -> None:
        self.headers: list[tuple[str, str | HeaderOutline]] = []
        self.payload: str | list[Outline] | None = None
        self.unixfrom: str | None = None
        self.charset: CharsetOutline | str | None = None
        self.preamble: str | None = None
        self.epilogue: str | None = None
        self.default_type = "text/plain"
        self.defects: list[tuple[str, str]] = []
        self.extras: dict[str, Any] = {}
        """Attributes that Mailman keeps on its messages, by name."""
        self.cost = 0
        """What outlining it has cost, and costs again where it is shared."""
