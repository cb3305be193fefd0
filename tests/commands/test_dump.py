"""``qtool dump``: every key, in the documented form, and nothing that does harm."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
from email.message import Message
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from qtool.msgdata import from_json
from qtool.qfile import message_from_bytes
from qtool.untrusted import visible
from tests.commands.program import MESSAGE, QTOOL, program
from tests.rights import open_folder, powerless

if TYPE_CHECKING:
    from tests.commands.conftest import Call

DAMAGED = b"\x80\x04this is no pickle"


def pickled(message: Message, msgdata: dict[str, Any]) -> bytes:
    """A qfile as Mailman writes it, with these keys and no others."""
    return pickle.dumps(message, 4) + pickle.dumps(msgdata, 4)


def qfile(folder: Path, name: str = "x.pck", **msgdata: Any) -> Path:
    path = folder / name
    path.write_bytes(pickled(message_from_bytes(MESSAGE), msgdata))
    return path


def test_every_key_is_printed_sorted_and_aligned(call: Call, tmp_path: Path) -> None:
    path = qfile(
        tmp_path, listid="test.example.com", received_time=1.5, foo="yes", bar=True
    )
    assert call("dump", path).out.splitlines() == [
        "bar          : True",
        "foo          : yes",
        "listid       : test.example.com",
        "received_time: 1.5",
    ]


def test_no_metadata_is_said(call: Call, tmp_path: Path) -> None:
    ended = call("dump", qfile(tmp_path))
    assert (ended.status, ended.out, ended.err) == (0, "*Empty*\n", "")


def test_the_message_comes_first_when_asked_for(call: Call, tmp_path: Path) -> None:
    assert call("dump", "-m", qfile(tmp_path, foo=1)).out == (
        MESSAGE.decode() + "\nfoo: 1\n"
    )


def test_bytes_that_are_no_utf_8_are_shown_and_kept(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "x.pck"
    data = b"Subject: gr\xc3\xbc\xc3\x9fe\n\ngr\xfc\xdfe\n"
    path.write_bytes(pickled(message_from_bytes(data), {}))
    assert "gr\\xfc\\xdfe" in call("dump", "-m", path).out
    message = json.loads(call("dump", "-m", "--json", path).out)["message"]
    assert message.encode("utf-8", "surrogateescape") == data


def test_several_files_have_a_heading_each(call: Call, tmp_path: Path) -> None:
    one, two = qfile(tmp_path, "one.pck", a=1), qfile(tmp_path, "two.pck", b=2)
    assert call("dump", one, two).out == (
        f"==> {one} <==\na: 1\n\n==> {two} <==\nb: 2\n"
    )


def test_a_dash_reads_standard_input(call: Call, tmp_path: Path) -> None:
    data = qfile(tmp_path, foo=1).read_bytes()
    assert call("dump", "-", stdin=data).out == "foo: 1\n"


def test_json_is_one_object_a_line_and_gives_the_values_back(
    call: Call, tmp_path: Path
) -> None:
    msgdata = {"a": b"\xff", "b": {1, 2}, "c": ("x", None), "d": "\x1b[31m"}
    one, two = qfile(tmp_path, "one.pck", **msgdata), qfile(tmp_path, "two.pck")
    lines = call("dump", "--json", "-m", one, two).out.splitlines()
    objects = [json.loads(line) for line in lines]
    assert [found["file"] for found in objects] == [str(one), str(two)]
    assert from_json(objects[0]["msgdata"]) == msgdata
    assert objects[1]["msgdata"] == {}
    assert objects[0]["message"] == MESSAGE.decode()
    assert all(line.isascii() and line.isprintable() for line in lines)


def test_what_cannot_be_read_is_one_line_each_and_the_rest_is_printed(
    call: Call, tmp_path: Path
) -> None:
    good = qfile(tmp_path, "good.pck", foo=1)
    damaged = tmp_path / "damaged.pck"
    damaged.write_bytes(DAMAGED)
    truncated = tmp_path / "truncated.pck"
    truncated.write_bytes(good.read_bytes()[:-9])
    folder = tmp_path / "folder.pck"
    folder.mkdir()
    link = tmp_path / "link.pck"
    link.symlink_to(good)
    pipe = tmp_path / "pipe.pck"
    os.mkfifo(pipe)
    bad = [tmp_path / "missing.pck", damaged, truncated, folder, link, pipe]
    ended = call("dump", *bad, good)
    assert ended.status == 1
    assert ended.out == f"==> {good} <==\nfoo: 1\n"
    assert len(ended.told) == len(bad)
    for path, line in zip(bad, ended.told, strict=True):
        assert line.startswith(f"qtool: {path}: ")


def test_a_file_of_mode_000_is_told(call: Call) -> None:
    with open_folder() as folder:
        path = qfile(folder, foo=1)
        assert call("dump", path).status == 0
        path.chmod(0)
        with powerless():
            ended = call("dump", path)
    assert (ended.status, ended.out) == (1, "")
    assert ended.told == [f"qtool: {path}: permission denied"]


def test_names_of_files_do_not_reach_the_terminal_as_they_are(
    call: Call, tmp_path: Path
) -> None:
    evil = tmp_path / "\x1b[31m\u202e\nx.pck"
    ended = call("dump", evil, qfile(tmp_path, "\x1b]0;x\x07.pck"))
    assert len(ended.told) == 1
    assert "\x1b" not in ended.out + ended.err
    assert "\\x1b[31m\\u202e\\x0ax.pck" in ended.err
    assert "\\x1b]0;x\\x07.pck <==" in ended.out


TEXT = st.text(st.characters(exclude_categories=()), max_size=30)


@settings(max_examples=40)
@given(
    st.dictionaries(TEXT, TEXT | st.binary(max_size=20) | st.floats(), max_size=4),
    TEXT,
)
def test_nothing_printed_controls_a_terminal(
    call: Call, tmp_path: Path, msgdata: dict[str, Any], subject: str
) -> None:
    message = Message()
    message["Subject"] = "x"
    message._headers[0] = ("Subject", subject)  # type: ignore[attr-defined]  # as files may hold it
    message.set_payload("body")
    path = tmp_path / "x.pck"
    path.write_bytes(pickled(message, msgdata))
    for words in ((), ("-m",), ("--json", "-m")):
        ended = call("dump", *words, path)
        lines = (ended.out + ended.err).split("\n")
        assert [visible(line, len(line)) for line in lines] == lines


def test_an_encoding_that_lacks_characters_gets_escapes(tmp_path: Path) -> None:
    path = qfile(tmp_path, a="grüße \u20ac \U0001f600")
    for encoding in ("latin-1", "ascii"):
        ended = program("dump", path, env={"PYTHONIOENCODING": encoding})
        assert (ended.status, ended.err) == (0, "")
        assert "\\u20ac \\U0001f600" in ended.out


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    paths = [str(qfile(tmp_path, f"{n}.pck", a="x" * 1000)) for n in range(200)]
    with subprocess.Popen(
        [QTOOL, "dump", *paths], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        process.wait(timeout=60)


def test_nothing_but_a_file_is_a_usage_error(call: Call) -> None:
    ended = call("dump")
    assert ended.status == 2
    assert len(ended.told) == 1


def test_dump_needs_no_configuration(call: Call, tmp_path: Path) -> None:
    path = qfile(tmp_path, foo=1)
    assert call("--config", tmp_path / "missing.cfg", "dump", path).status == 0
