"""``qtool show --format qfile`` prints what ``mailman qfile`` prints."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.interop.site import LIST_ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.interop.site import Site

pytestmark = pytest.mark.interop

HEAD = b"From: anne@example.com\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n"
POSTS = {
    "parts": HEAD + b"Content-Type: multipart/mixed; boundary=b\n\nbefore\n--b\n"
    b"Content-Type: text/plain\n\nFrom one\n--b\n"
    b"Content-Type: text/html; charset=utf-8\n\n<b>\xc3\xbc</b>\n--b--\nbehind\n",
    "latin": HEAD + b"Content-Type: text/plain; charset=iso-8859-1\n\nGr\xfc\xdfe\n",
    "unknown": HEAD + b"Content-Type: text/plain; charset=bogus\n\nGr\xfc\xdfe\n",
}
MAKE = """\
import datetime, sys
from email import message_from_bytes
from mailman.core.switchboard import Switchboard
from mailman.email.message import Message
message = message_from_bytes(sys.stdin.buffer.read(), Message)
received = datetime.datetime(2023, 11, 14, 22, 13, 20)
Switchboard("in", sys.argv[1]).enqueue(
    message, listid=sys.argv[2], received_time=received, rule_hits=["x" * 60, "y"],
    nested={"a": [1, b"\\xff", None]}, _plaintext=sys.argv[3] == "text",
)
"""


@pytest.mark.parametrize(
    ("post", "form"), [*((post, "object") for post in POSTS), ("parts", "text")]
)
def test_both_print_the_same(
    make_site: Callable[[str], Site], post: str, form: str
) -> None:
    site = make_site("")
    folder = site.queue("in")
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [str(site.programs / "python"), "-c", MAKE, str(folder), LIST_ID, form],
        input=POSTS[post], timeout=60, check=True,
    )  # fmt: skip
    [name] = site.waiting("in")
    words = ["-C", str(site.configuration), "show", "in", name, "--format", "qfile"]
    ours = subprocess.run(
        [sys.executable, "-m", "qtool", *words], capture_output=True, timeout=60,
        check=True,
    )  # fmt: skip
    theirs = site.mailman("qfile", str(next(folder.iterdir())))
    assert ours.stdout.decode() == theirs
