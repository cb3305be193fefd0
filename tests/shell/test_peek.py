"""``peek`` shows what an entry holds, takes nothing and harms nobody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qtool.errors import ForeignQFile, QToolError, Refused
from qtool.qfile import encode, message_from_bytes
from qtool.untrusted import visible_block
from tests.commands.program import entries

if TYPE_CHECKING:
    from qtool.control import Control

EVIL = b"Subject: \x1b]0;title\x07 [red]x[/]\n\nbody \x9b31m \xe2\x80\xae\n"


@pytest.fixture
def filebase(control: Control) -> str:
    return control.inject("in", EVIL, {"foo": "yes", "evil\x1b": "\x1b[2J"}).filebase


def test_an_entry_is_shown_and_not_taken(
    names: dict[str, Any], filebase: str, tmp_path: Path
) -> None:
    before = entries(tmp_path / "spool" / "in")
    found = names["peek"]("in", filebase)
    assert found.msgdata["foo"] == "yes"
    assert found.headers[0][0] == "Subject"
    assert found.error == ""
    assert "foo      : yes" in repr(found)
    assert entries(tmp_path / "spool" / "in") == before


def test_a_queue_alone_is_refused_with_an_example(names: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=r"in is a queue: .*peek\('in', "):
        names["peek"]("in")


def test_a_file_is_shown_like_its_entry(
    names: dict[str, Any], filebase: str, tmp_path: Path
) -> None:
    path = tmp_path / "spool" / "in" / f"{filebase}.pck"
    assert repr(names["peek"](path)) == repr(names["peek"]("in", filebase))
    assert names["peek"](str(path)).path == str(path)


def test_its_text_controls_no_terminal(names: dict[str, Any], filebase: str) -> None:
    text = repr(names["peek"]("in", filebase))
    assert text == visible_block(text)
    assert "\\x1b]0;title\\x07 [red]x[/]" in text
    assert "evil\\x1b" in text


def test_a_long_body_is_shown_to_its_limit(tmp_path: Path) -> None:
    from qtool.shell.peek import Peek

    text = repr(Peek(path="x", form="f", body="line\n" * 5000))
    assert len(text) < 5000
    assert "\n[...]\n" in text


def test_what_cannot_be_read_is_said(
    names: dict[str, Any], control: Control, tmp_path: Path
) -> None:
    path = tmp_path / "spool" / "in" / f"1700000000.5+{'0' * 40}.pck"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"nonsense")
    found = names["peek"]("in", path.stem)
    assert "cannot be read" in repr(found)
    assert found.msgdata == {}
    with pytest.raises(QToolError, match=path.name.replace("+", r"\+")):
        names["peek"](path)
    with pytest.raises(ForeignQFile):
        names["peek"](tmp_path)


def test_an_entry_that_is_gone_is_said(names: dict[str, Any]) -> None:
    assert "cannot be read" in repr(names["peek"]("in", f"1700000000.5+{'0' * 40}"))


def test_a_multipart_message_has_a_body(tmp_path: Path, names: dict[str, Any]) -> None:
    data = (
        b"Subject: parts\nContent-Type: multipart/mixed; boundary=b\n\n"
        b"--b\n\none\n--b\nContent-Type: image/png\n\nx\n--b--\n"
    )
    path = tmp_path / "x.pck"
    path.write_bytes(encode(message_from_bytes(data), {}, text_form=True))
    assert "one" in repr(names["peek"](path))
