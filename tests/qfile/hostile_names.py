"""Files whose names or kinds no repository can hold."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING

from tests.qfile.hostile import Exhibit
from tests.qfile.hostile_shape import SOUND

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DIGEST = "0123456789abcdef" * 2 + "01234567"

_NAMES = (
    b"foo.pck",
    b".hidden.pck",
    b"1700.5.pck",
    b"+.pck",
    b"nan+%s.pck",
    b"inf+%s.pck",
    b"1e400+%s.pck",
    b"1_700.5+%s.pck",
    b"-1.0+%s.pck",
    "١٧٠٠+%s.pck".encode(),
    b"1700.5+0x12.pck",
    b"1700.5+-12.pck",
    b"1700.5+%s+%s.pck",
    b"1700.5+%s.PCK",
    b"1700.5+%s.pck.tmp",
    b"1700.5+%s.edit",
    b"1700.5+%s.pck",
    b"1700.5+%s.bak",
    b"1700.5+%s.psv",
    b"\x1b[31mred\x1b[0m.pck",
    b"\x1b]0;OWNED\x07.pck",
    b"new\nline.pck",
    b"carriage\rreturn.pck",
    b"\xe2\x80\xaebidi.pck",
    b"zero\xe2\x80\x8bwidth.pck",
    b"not-utf-8-\xff\xfe.pck",
    b"[bold]markup[\\nope].pck",
    b"--help",
    b" .pck",
    b"a" * 251 + b".pck",
    "é".encode() * 100 + b".pck",
)


def make_names(folder: Path) -> Iterator[Exhibit]:
    """Make a file of each odd name and kind in ``folder``."""
    place = folder / "names"
    place.mkdir()
    for number, pattern in enumerate(_NAMES):
        name = os.fsdecode(pattern.replace(b"%s", _DIGEST.encode()))
        (place / name).write_bytes(SOUND["object"])
        yield _exhibit(f"odd-{number}", name, "survive")
    for name, expect in _make_kinds(place):
        yield _exhibit(name, name, expect)


def _exhibit(identity: str, name: str, expect: str) -> Exhibit:
    return Exhibit(id=f"names/{identity}", file=f"names/{name}", expect=expect)


def _make_kinds(place: Path) -> Iterator[tuple[str, str]]:
    whole = place / "whole"
    whole.write_bytes(SOUND["object"])
    targets: dict[str, Path | str] = {
        "link-to-file": whole,
        "link-to-passwords": "/etc/passwd",
        "link-to-nothing": "nothing",
        "link-to-itself": "link-to-itself",
        "link-to-folder": "/",
        "link-to-zeros": "/dev/zero",
    }
    for name, target in targets.items():
        (place / name).symlink_to(target)
        yield name, "reject"
    (place / "folder.pck").mkdir()
    yield "folder.pck", "reject"
    os.mkfifo(place / "pipe")
    yield "pipe", "reject"
    with contextlib.chdir(place), socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")  # its path must be short
    yield "socket", "reject"
    (place / "hard-link").hardlink_to(whole)
    yield "hard-link", "ok"
    closed = place / "closed"
    closed.write_bytes(SOUND["object"])
    closed.chmod(0)
    yield "closed", "survive"
    sparse = place / "sparse"
    sparse.touch()
    os.truncate(sparse, 1 << 40)
    yield "sparse", "reject"
