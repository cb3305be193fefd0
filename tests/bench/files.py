"""Messages to measure with, and queues full of them."""

from __future__ import annotations

import hashlib
import os
import random
import time
from email import message_from_bytes
from itertools import count
from typing import TYPE_CHECKING

from qtool import qfile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIST_ID = "ant.example.com"
SIZE = 2048
"""Bytes of a message."""

_numbers = count()


def message_bytes(size: int = SIZE) -> bytes:
    """A post of ``size`` bytes, with the headers that a real one brings."""
    head = (
        b"Received: from mail.example.com (mail.example.com [192.0.2.7])\n"
        b"\tby lists.example.com (Postfix) with ESMTP id 4F2C81A9\n"
        b"\tfor <ant@example.com>; Tue, 14 Nov 2023 22:13:20 +0000 (UTC)\n"
        b"Message-ID: <20231114221320.4F2C81A9@example.com>\n"
        b"Date: Tue, 14 Nov 2023 22:13:20 +0000\n"
        b"From: Anne Person <anne@example.com>\nTo: ant@example.com\n"
        b"Subject: Which slice owns this one?\nMIME-Version: 1.0\n"
        b"Content-Type: text/plain; charset=us-ascii\n\n"
    )
    line = b"It processes all the files in its slice, sleeps a while, wakes up.\n"
    body = line * (size // len(line) + 1)
    return (head + body)[: size - 1] + b"\n"


def bytes_in_parts() -> bytes:
    """The same post with a second form of its text, as most programs send it."""
    head, _, body = message_bytes().partition(b"\n\n")
    head, _, kind = head.rpartition(b"\n")
    parts = [kind, kind.replace(b"plain", b"html")]
    half = body[: len(body) // 2]
    bodies = b"".join(b"--b\n%s\n\n%s\n" % (part, half) for part in parts)
    return b"%s\nContent-Type: multipart/alternative; boundary=b\n\n%s--b--\n" % (
        head,
        bodies,
    )


def eight_bit_bytes() -> bytes:
    """The same post with a subject as no program should send it."""
    return message_bytes().replace(b"Which slice", "Größe: which slice".encode())


def filebase() -> str:
    """A name that no other message has, in order of making."""
    number = next(_numbers)
    digest = hashlib.sha1(f"{os.getpid()} {number}".encode()).hexdigest()
    return f"{time.time()!r}+{digest}"


def fill(queue: Path, sample: bytes, number: int, suffix: str = ".pck") -> None:
    """Put ``number`` copies of one qfile into an empty queue, quickly."""
    queue.mkdir(parents=True, exist_ok=True)
    start = time.time() - number
    folder = os.open(queue, os.O_RDONLY)
    try:
        for index in range(number):
            digest = hashlib.sha1(f"{queue} {index}".encode()).hexdigest()
            name = f"{start + index!r}+{digest}{suffix}"
            file = os.open(name, os.O_WRONLY | os.O_CREAT, 0o660, dir_fd=folder)
            os.write(file, sample)
            os.close(file)
    finally:
        os.close(folder)


def empty(queue: Path) -> None:
    """Remove everything from a queue."""
    with os.scandir(queue) as entries:
        for entry in entries:
            os.unlink(entry.path)  # noqa: PTH108 # a million of them
    os.sync()  # or whoever is measured next would write that down


def numbered(number: int) -> bytes:
    """A qfile in the text form, which both sides read, that knows its number."""
    message = message_from_bytes(message_bytes())
    msgdata = {"listid": LIST_ID, "number": number, "version": 3, "_parsemsg": True}
    return qfile.encode(message, msgdata, text_form=True)


def arrivals(queue: Path, number: int, pause: float) -> Iterator[float]:
    """Rename numbered messages into a queue at random times; yield when each came.

    Args:
        queue: The folder.
        number: How many; they are numbered from 0.
        pause: Seconds between two, on average; 0 is as fast as it goes.
    """
    chance = random.Random(7)
    contents = [numbered(n) for n in range(number)]
    for content in contents:
        if pause:
            time.sleep(chance.uniform(0.2, 1.8) * pause)
        name = filebase()
        temporary, final = f"{queue}/{name}.pck.tmp", f"{queue}/{name}.pck"
        with open(temporary, "xb") as file:  # noqa: PTH123 # speed is the point
            file.write(content)
        came = time.monotonic()
        os.rename(temporary, final)  # noqa: PTH104
        yield came
