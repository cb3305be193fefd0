"""Metadata of a message: which keys endure, and how people and programs see it."""

from __future__ import annotations

from qtool.msgdata.opaque import Opaque
from qtool.msgdata.shown import (
    dump_msgdata,
    format_msgdata,
    header_text,
    show_value,
)
from qtool.msgdata.tagged import from_json, to_json

__all__ = [
    "VERSION", "Opaque", "dump_msgdata", "format_msgdata", "from_json", "header_text",
    "show_value", "to_json", "volatile",
]  # fmt: skip

VERSION = 3
"""Schema version of what is in a queue; GNU Mailman 2.1 and 3 write the same."""


def volatile(key: str) -> bool:
    """Tell whether a key vanishes when its message is put into a queue."""
    return key.startswith("_")
