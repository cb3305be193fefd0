"""What a message loses as text is told before it does."""

from __future__ import annotations

from email.message import Message
from pathlib import Path

import pytest

from qtool.qfile import decode, dropped_by_text_form, encode, look, message_bytes_of

PLACE = Path(__file__).resolve().parents[1] / "fixtures" / "qfiles"


@pytest.mark.parametrize(
    ("name", "dropped"),
    [
        ("mailman3-notification.pck", ("recipients",)),
        ("mailman3-object.pck", ()),
        ("mailman3-text.pck", ()),
    ],
)
def test_what_mailman_keeps_on_its_objects_is_named(
    name: str, dropped: tuple[str, ...]
) -> None:
    assert dropped_by_text_form(look(PLACE / name)) == dropped


def test_what_parts_keep_and_the_line_before_the_headers_are_named_too() -> None:
    whole, part = Message(), Message()
    whole["Content-Type"] = 'multipart/mixed; boundary="b"'
    part.set_payload("text\n")
    part.of_a_part = 1  # type: ignore[attr-defined]
    whole.of_the_whole = 2  # type: ignore[attr-defined]
    whole.attach(part)
    whole.set_unixfrom("From anne@example.com")
    held = decode(encode(whole, {}, text_form=False), strict=True)
    assert dropped_by_text_form(held) == ("_unixfrom", "of_a_part", "of_the_whole")

    text = decode(encode(whole, {}, text_form=True), strict=True)
    assert dropped_by_text_form(text) == ()
    assert message_bytes_of(text.message) == message_bytes_of(held.message)
