"""Messages of the ``email`` package, made from outlines and from text."""

from __future__ import annotations

import email.errors
from email.charset import Charset
from email.header import Header
from email.message import Message
from typing import TYPE_CHECKING, Any

from qtool.qfile.charsets import carriable, decoded
from qtool.qfile.outline import CharsetOutline, HeaderOutline, Outline
from qtool.qfile.parse import message_from_string

if TYPE_CHECKING:
    from qtool.qfile.codec import Content
    from qtool.qfile.usual_message import Fields


def construct(content: Content, message_class: type[Message] | None) -> Message:
    """Return the message that a file holds, in that class or the standard one."""
    made_as = message_class or Message
    if isinstance(content, dict):
        return _of_usual(content, made_as)
    if isinstance(content, str):
        return message_from_string(content, made_as)
    return _of_outline(content, made_as)


def _of_usual(fields: Fields, message_class: type[Message]) -> Message:
    message = message_class()
    if hasattr(message_class, "original_size"):  # as below; the others are its own
        fields = {**fields}
        fields.pop("original_size", None)
    message.__dict__.update(fields)
    payload = fields["_payload"]
    if isinstance(payload, list):
        message.__dict__["_payload"] = [
            _of_usual(part, message_class) for part in payload
        ]
    return message


def _of_outline(outline: Outline, message_class: type[Message]) -> Message:
    message = message_class()
    fields: dict[str, Any] = message.__dict__
    # A field that hides a method would break whoever calls that.
    fields.update(
        {
            name: value
            for name, value in outline.extras.items()
            if not hasattr(message_class, name)
        }
    )
    fields["_headers"] = [
        (
            carriable(name),
            carriable(value) if isinstance(value, str) else construct_header(value),
        )
        for name, value in outline.headers
    ]
    if isinstance(outline.payload, list):
        fields["_payload"] = [
            _of_outline(part, message_class) for part in outline.payload
        ]
    else:
        fields["_payload"] = outline.payload
    fields["_unixfrom"] = outline.unixfrom
    fields["preamble"] = outline.preamble
    fields["epilogue"] = outline.epilogue
    fields["_default_type"] = outline.default_type
    fields["defects"] = [_defect(name, text) for name, text in outline.defects]
    charset = outline.charset
    fields["_charset"] = (
        _charset(charset) if isinstance(charset, CharsetOutline) else charset
    )
    return message


def _defect(name: str, text: str) -> email.errors.MessageDefect:
    kind = vars(email.errors).get(name)
    if isinstance(kind, type) and issubclass(kind, email.errors.MessageDefect):
        try:
            return kind(text)
        except TypeError:  # some defects ask for more than a text
            pass
    return email.errors.MessageDefect(text or name)


def _charset(outline: CharsetOutline) -> Charset:
    charset = Charset("us-ascii")
    for name, value in {**outline.names, **outline.encodings}.items():
        setattr(charset, name, value)
    if not charset.output_charset:
        charset.output_charset = charset.input_charset
    return charset


def construct_header(outline: HeaderOutline) -> Header:
    """Return a new header's value with what the outline tells."""
    header = Header()
    header.__dict__.update(outline.settings)
    header.__dict__["_charset"] = _charset(outline.charset)
    header.__dict__["_chunks"] = [
        _chunk(text, charset) for text, charset in outline.chunks
    ]
    return header


def _chunk(text: str | bytes, outline: CharsetOutline) -> tuple[str, Charset]:
    charset = _charset(outline)
    if isinstance(text, str):
        return text, charset
    # Python 2 kept chunks in the bytes of their character set.
    whole = decoded(text, charset.output_codec or charset.input_charset)
    if whole is None:
        return text.decode("ascii", "surrogateescape"), Charset("unknown-8bit")
    return whole, charset
