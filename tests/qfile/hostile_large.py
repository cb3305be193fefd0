"""Hostile files of eight megabytes, which make the most of them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tests.qfile.assemble import (
    MEMOIZE,
    MESSAGE,
    Raw,
    as_text,
    message,
    named,
    qfile,
    text,
    with_metadata,
)
from tests.qfile.hostile import Hostile

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE = 8 << 20


def large_bombs() -> Iterator[Hostile]:
    """Yield files of eight megabytes that make the most of them."""
    many = {
        "none": b"]" + MEMOIZE + b"(" + b"N" * SIZE + b"e",
        "lists": b"](" + b"]" * SIZE + b"e",
        "dicts": b"](" + b"}" * SIZE + b"e",
        "sets": b"](" + b"\x8f" * SIZE + b"e",
        "full-dicts": b"](" + b"}NNs" * (SIZE // 4) + b"e",
        "tuples": b"](" + b")\x85" * (SIZE // 2) + b"e",
        "marks": b"(" * SIZE + b"t" * SIZE,
        "integers": b"](" + b"M\xe8\x03" * (SIZE // 3) + b"e",
        "floats": b"](" + (b"G" + bytes(8)) * (SIZE // 9) + b"e",
        "texts": b"](" + text("ab") * (SIZE // 5) + b"e",
        "text-without-memo": b"](" + b"\x8c\x02ab" * (SIZE // 4) + b"e",
        "memo": b"](" + b"]\x94" * (SIZE // 2) + b"e",
        "gets": b"](" + text("ab") + b"h\x00" * (SIZE // 2) + b"e",
        "instances": b"](" + MESSAGE + b"h\x02)\x81" * (SIZE // 4) + b"e",
        "calls": b"](" + named("builtins", "set") + b"h\x02)R" * (SIZE // 4) + b"e",
        "wide-text": b"X" + struct.pack("<I", SIZE) + b"a" * (SIZE - 4) + "😀".encode(),
        "strings-of-python-2": b"](" + b"U\x02ab" * (SIZE // 4) + b"e",
    }
    for name, opcodes in many.items():
        yield Hostile(
            id=f"large/metadata-{name}",
            expect="survive",
            content=with_metadata(x=Raw(opcodes)),
        )
    for name, whole in _texts().items():
        yield Hostile(id=f"large/text-{name}", expect="survive", content=as_text(whole))
    headers = [("A", "b")] * 200_000
    yield Hostile(
        id="large/headers", expect="survive", content=qfile(message(_headers=headers))
    )
    parts = [message(_payload="x") for _ in range(20_000)]
    yield Hostile(
        id="large/parts", expect="survive", content=qfile(message(_payload=parts))
    )


def _texts() -> dict[str, str]:
    mixed = "Content-Type: multipart/mixed"
    inner = "--b\nContent-Type: multipart/mixed; boundary=b2\n\n--b2\n"
    boundaries = (
        f"--b\n{mixed}; boundary=b{number}\n\n" for number in range(SIZE // 60)
    )
    return {
        "empty-lines": "A: b\n\n" + "\n" * SIZE,
        "empty-lines-in-part": f"{mixed}; boundary=b\n\n--b\n\n" + "\n" * SIZE,
        "short-headers": "A: b\n" * (SIZE // 5),
        "long-header": "A: " + "b" * SIZE + "\n\n",
        "folded-header": "A: b\n" + " c\n" * (SIZE // 3) + "\n",
        "continuation-first": " a\n" * (SIZE // 3),
        "no-headers": "a\n" * (SIZE // 2),
        "carriage-returns": "A: b\r\r" + "\r" * SIZE,
        "escapes": "A: b\n\n" + "\x1b" * SIZE,
        "tabs": "A: b\n\n" + "\t" * SIZE,
        "eight-bit": "A: b\n\n" + "\udcff" * (SIZE // 3),
        "many-parts": f"{mixed}; boundary=b\n\n" + inner * (SIZE // 60),
        "many-boundaries": f"{mixed}; boundary=b\n\n" + "".join(boundaries),
        "parameters": mixed + ";" * SIZE + "\n\n--b\n",
        "quotes": f"{mixed};" + '";' * (SIZE // 2) + "\n\n--b\n",
        "long-boundary": f"{mixed}; boundary=" + "b" * SIZE + "\n\n",
        "parts-with-parameters": f"{mixed}; boundary=b\n\n"
        + f"--b\n{mixed}{';a' * 200}\n\n" * (SIZE // 440),
        "delivery-status": "Content-Type: message/delivery-status\n\n"
        + "A: b\n\n" * (SIZE // 6),
        "attachment": f"{mixed}; boundary=b\n\n--b\n"
        "Content-Transfer-Encoding: base64\n\n"
        + ("QUJD" * 19 + "\n") * (SIZE // 77)
        + "--b--\n",
        "base64": "Content-Type: text/plain; charset=utf-16\n"
        "Content-Transfer-Encoding: base64\n\n" + "QUJD\n" * (SIZE // 5),
        "quoted-printable": "Content-Transfer-Encoding: quoted-printable\n\n"
        + "=\n" * (SIZE // 2),
        "encoded-words": "Subject: " + "=?utf-8?q?a?= " * (SIZE // 14) + "\n\n",
        "addresses": "To: " + "(" * SIZE + "\n\n",
    }
