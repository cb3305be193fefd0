"""What ``mailman qfile`` prints, also of messages that are made to take long."""

from __future__ import annotations

import time

import pytest

from qtool.qfile import encode, read
from qtool.qfile.parse import message_from_bytes
from qtool.qfile.printing import printed


@pytest.mark.parametrize("word", [b"a ", b"a\t", "é".encode(), b"\xe9 "])
def test_a_huge_header_is_printed_at_once(
    tmp_path_factory: pytest.TempPathFactory, word: bytes
) -> None:
    path = tmp_path_factory.mktemp("in") / "1.pck"
    message = message_from_bytes(b"Subject: %s\n\nx\n" % (word * 100_000))
    path.write_bytes(encode(message, {}, text_form=False))
    start = time.process_time()
    shown = printed(read(path))
    assert time.process_time() - start < 5  # folded it would take minutes
    assert b"\nSubject: " in shown


def test_a_long_header_is_folded_as_ever(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("in") / "1.pck"
    people = ", ".join(f"person{n}@example.com" for n in range(1000))
    message = message_from_bytes(b"To: %s\n\nx\n" % people.encode())
    path.write_bytes(encode(message, {}, text_form=False))
    assert message.as_string().encode() in printed(read(path))
