"""What most messages are: headers and one body, with ASCII text in every header.

Nothing in such a message stands for something else, so that it can be written as it
stands: whoever reads it will find nothing to refuse.
"""

from __future__ import annotations

from itertools import chain
from operator import itemgetter

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from typing import Any

_FIELDS = frozenset(
    (
        "policy", "_headers", "_unixfrom", "_payload", "_charset", "preamble",
        "epilogue", "defects", "_default_type",
    )
)  # fmt: skip
_FIELDS_OF_MAILMAN = _FIELDS | {"original_size"}

_TEXT_OR_NONE = {str, type(None)}
_TUPLE, _TWO, _TEXT = {tuple}, {2}, {str}
_BESIDE = itemgetter("_unixfrom", "preamble", "epilogue", "_default_type")
_MANY, _MUCH, _LITTLE = 1000, 32_000, 500
# How many headers, characters of them and of what is beside may be one that is shared
# again and again: a reader grants a file of any size as much.


def is_plain(fields: dict[str, Any]) -> bool:
    """Return whether a message of these fields is plain; its policy aside."""
    return (
        fields.keys() >= _FIELDS
        and fields.keys() <= _FIELDS_OF_MAILMAN
        and type(fields["_headers"]) is list
        and {
            type(fields["_payload"]),
            type(fields["_unixfrom"]),
            type(fields["preamble"]),
            type(fields["epilogue"]),
        } <= _TEXT_OR_NONE
        and type(fields["_default_type"]) is str
        and fields["_charset"] is None
        and type(fields["defects"]) is list
        and not fields["defects"]
        and type(fields.get("original_size", 0)) is int
        and sum(map(len, filter(None, _BESIDE(fields)))) <= _LITTLE
        and _are_pairs_of_ascii(fields["_headers"])
    )  # fmt: skip


def _are_pairs_of_ascii(headers: list[Any]) -> bool:
    if (
        len(headers) > _MANY
        or not set(map(type, headers)) <= _TUPLE
        or not set(map(len, headers)) <= _TWO
    ):
        return False
    texts = [*chain.from_iterable(headers)]
    return (
        set(map(type, texts)) <= _TEXT
        and sum(map(len, texts)) <= _MUCH
        and "".join(texts).isascii()
    )
