"""The codec of qfiles, and the only door to pickle.

Nothing in a qfile can run code. The usual one is read by its grammar; of any other
a guard looks at every opcode before the unpickler does, and the unpickler gets no
class but inert stand-ins. ``read`` is strict and for processing; ``look`` is lenient
and for people.
"""

from __future__ import annotations

from qtool.msgdata import Opaque

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from typing import Any

    from qtool.qfile.body import body_text, headers_of
    from qtool.qfile.codec import QFile, decode, look, read
    from qtool.qfile.dropping import dropped_by_text_form
    from qtool.qfile.parse import message_from_bytes, message_from_string
    from qtool.qfile.wire import message_bytes_of
    from qtool.qfile.writing import encode, encode_message, encode_msgdata

__all__ = [
    "Opaque", "QFile", "body_text", "decode", "dropped_by_text_form", "encode",
    "encode_message", "encode_msgdata", "headers_of", "look", "message_bytes_of",
    "message_from_bytes", "message_from_string", "read",
]  # fmt: skip

_LATER = {
    "QFile": "codec",
    "body_text": "body",
    "decode": "codec",
    "dropped_by_text_form": "dropping",
    "encode": "writing",
    "encode_message": "writing",
    "encode_msgdata": "writing",
    "headers_of": "body",
    "look": "codec",
    "message_bytes_of": "wire",
    "message_from_bytes": "parse",
    "message_from_string": "parse",
    "read": "codec",
}


def __getattr__(name: str) -> Any:
    """Import a name's module when it is first asked for: to list a queue needs none."""
    module = _LATER.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = found
    return found
