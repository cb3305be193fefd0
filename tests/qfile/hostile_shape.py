"""Hostile files of a wrong shape, cut off, or made to harm a terminal."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tests.qfile.assemble import (
    MESSAGE,
    METADATA,
    STATE,
    Raw,
    as_text,
    message,
    named,
    new,
    old_instance,
    old_value,
    pickled,
    qfile,
    text,
    value,
    with_metadata,
)
from tests.qfile.hostile import Hostile

if TYPE_CHECKING:
    from collections.abc import Iterator

# --- What real files look like -----------------------------------------------

MULTIPART = message(
    _headers=[("Content-Type", "multipart/mixed; boundary=b")],
    _payload=[message(_payload="one\n"), message(_payload="two\n" * 100)],
)
OLD_STATE = {
    b"_headers": [(b"From", b"anne@example.com"), (b"Subject", b"caf\xe9")],
    b"_payload": b"Hello\n",
    b"_unixfrom": None,
    b"_charset": None,
    b"preamble": None,
    b"epilogue": None,
    b"_default_type": b"text/plain",
    b"__version__": (4, 0, 3),
}
OLD_METADATA = {b"listname": b"test", b"version": 3, b"_parsemsg": False}

SOUND = {
    "object": qfile(),
    "parts": qfile(MULTIPART),
    "text": as_text("Subject: a\n\nHello\n"),
    "old": pickled(old_instance("Mailman.Message", "Message", OLD_STATE), 1)
    + pickled(old_value(OLD_METADATA), 1),
    "old-text": b"S'Subject: caf\\xe9\\n\\nHello\\n'\np1\n."
    b"(dp1\nS'_parsemsg'\np2\nI01\ns.",
}
"""Files of each form that are in order."""


def sound() -> Iterator[Hostile]:
    """Yield what the others are made from."""
    for name, content in SOUND.items():
        yield Hostile(id=f"sound/{name}", expect="ok", content=content)


def truncated() -> Iterator[Hostile]:
    """Yield files that are cut off."""
    for name, whole in SOUND.items():
        for size in sorted({*range(12), *range(13, len(whole), 5), len(whole) - 1}):
            yield Hostile(
                id=f"truncated/{name}-{size}", expect="reject", content=whole[:size]
            )


def flipped(count: int) -> Iterator[Hostile]:
    """Yield files with one bit changed, spread over all forms."""
    chance = random.Random(count)
    for number in range(count):
        name, whole = list(SOUND.items())[number % len(SOUND)]
        changed = bytearray(whole)
        bit = chance.randrange(8 * len(whole))
        changed[bit // 8] ^= 1 << bit % 8
        yield Hostile(
            id=f"flipped/{name}-{bit}-{number}",
            expect="survive",
            content=bytes(changed),
        )


# --- Shape ------------------------------------------------------------------

_PLAIN = {
    "none": None,
    "number": 5,
    "text": "text",
    "bytes": b"bytes",
    "list": [1, 2],
    "tuple": (1, 2),
    "set": {"a"},
    "dict": {"a": 1},
    "pairs": [("a", 1)],
}


def structure() -> Iterator[Hostile]:
    """Yield files whose parts are not what they should be."""
    yield _shape("empty", "reject", b"")
    yield _shape("mbox", "reject", b"From anne Mon Jan  1\nSubject: a\n\nb\n")
    yield _shape("second-missing", "reject", pickled(message()))
    yield _shape("garbage-behind", "survive", qfile() + b"garbage")
    yield _shape(
        "line-ends-changed", "survive", SOUND["old-text"].replace(b"\n", b"\r\n")
    )
    for name, plain in _PLAIN.items():
        yield _shape(f"message-{name}", "reject", qfile(value(plain)))
        if name not in ("text", "dict"):
            first, second = pickled(value(plain)), {**METADATA, "_parsemsg": True}
            yield _shape(f"text-{name}", "reject", first + pickled(value(second)))
        if name != "dict":
            yield _shape(f"metadata-{name}", "reject", qfile(second=value(plain)))
        for field in STATE:
            yield _shape(f"{field}-{name}", "survive", qfile(message(**{field: plain})))
    yield _shape(
        "text-denied", "reject", pickled(text("A: b\n\nc")) + pickled(value(METADATA))
    )
    yield _shape(
        "text-claimed", "reject", qfile(metadata={**METADATA, "_parsemsg": True})
    )
    yield from _fields()
    yield from _keys()
    yield from _malformed()


def _shape(name: str, expect: str, content: bytes) -> Hostile:
    return Hostile(id=f"structure/{name}", expect=expect, content=content)


def _fields() -> Iterator[Hostile]:
    for field in STATE:
        fields = {key: item for key, item in STATE.items() if key != field}
        yield _shape(f"without-{field}", "survive", qfile(new(MESSAGE, fields)))
    for name in ("as_string", "__class__", "__dict__", "items", "é", "a b", ""):
        fields = {**STATE, name: "x"}
        yield _shape(f"field-{name}", "survive", qfile(new(MESSAGE, fields)))
    yield _shape("field-number", "survive", qfile(new(MESSAGE, {**STATE, 5: "x"})))
    odd_headers = {
        "triple": [("a", "b", "c")],
        "number": [("a", 5)],
        "none": [("a", None)],
        "nested": [(("a", "b"), ["c"])],
        "list": [["a", "b"]],
    }
    for name, headers in odd_headers.items():
        yield _shape(f"header-{name}", "survive", qfile(message(_headers=headers)))
    header = named("email.header", "Header")
    for name, chunks in _PLAIN.items():
        odd = new(header, {"_chunks": chunks})
        yield _shape(
            f"chunks-{name}", "survive", qfile(message(_headers=[("Subject", odd)]))
        )


def _keys() -> Iterator[Hostile]:
    no_text: dict[str, object] = {"number": 1, "bytes": b"listid", "nan": float("nan")}
    for name, key in no_text.items():
        yield _shape(f"key-{name}", "reject", qfile(metadata={**METADATA, key: 1}))
    for number, odd_key in enumerate(("_msg", "self", "", "listid\0", "a" * 100_000)):
        yield _shape(f"key-text-{number}", "survive", with_metadata(**{odd_key: 1}))
    values = (-5, float("nan"), None, True, 1 << 70, "in/../../x", b"in", ["in"])
    for known in (
        "_bak_count",
        "version",
        "whichq",
        "listid",
        "recipients",
        "pipeline",
    ):
        for number, odd in enumerate(values):
            yield _shape(f"{known}-{number}", "survive", with_metadata(**{known: odd}))


def _malformed() -> Iterator[Hostile]:
    streams = {
        "stop-empty": b"",
        "tuple3-short": b"NN\x87",
        "mark-missing": b"Nt",
        "items-odd": b"}(Nu",
        "get-missing": b"h\x09",
        "call-without-tuple": b"NNR",
        "build-nothing": b"b",
        "append-to-none": b"NNa",
        "unknown-opcode": b"\xff",
        "float-bad": b"Fx\n",
        "integer-bad": b"Ix\n",
        "quote-missing": b"S'a\n",
        "quotes-missing": b"Sa\n",
        "escape-bad": b"S'\\x'\n",
        "utf-8-bad": b"\x8c\x01\xff",
        "unhashable-key": b"}]Ns",
        "memoize-nothing": b"\x94",
        "put-nothing": b"q\x00",
        "pop": b"N0",
        "frame-short": b"\x95\x01\0\0\0\0\0\0\0",
        "protocol-again": b"\x80\x04N",
    }
    for name, stream in streams.items():
        for protocol in (0, 2, 4):
            content = pickled(stream, protocol) + pickled(value(METADATA))
            yield _shape(f"{name}-{protocol}", "reject", content)
    yield _shape("two-values", "survive", qfile(Raw(b"N" + message())))
    for protocol in (1, 3, 6, 255):
        expect = "reject" if protocol > 5 else "survive"
        head = b"\x80" + bytes([protocol]) + value(METADATA) + b"."
        yield _shape(f"protocol-{protocol}", expect, pickled(message()) + head)


# --- Terminals --------------------------------------------------------------

NASTY = {
    "colour": "\x1b[31;5mRED\x1b[0m",
    "title": "\x1b]0;OWNED\x07",
    "clipboard": "\x1b]52;c;ZXZpbA==\x1b\\",
    "answer": "\x1b[6n\x1b[c\x1bP+q544e\x1b\\",
    "clear": "\x1b[2J\x1b[H\x1bc",
    "control": "".join(map(chr, range(32))) + "\x7f",
    "control-8-bit": "".join(map(chr, range(0x80, 0xA0))),
    "bidi": "invoice\u202efdp.exe\u2066\u2067\u2068\u202a\u200e\u200f\u061c",
    "zero-width": "pay\u200bpal\u200c\u200d\ufeff\u00ad",
    "combining": "z" + "\u0335\u0489" * 300,
    "wide": "日本語" * 50,
    "emoji": "👨\u200d👩\u200d👧\ufe0f" * 20,
    "tags": "".join(chr(0xE0000 + ord(letter)) for letter in "hidden"),
    "separators": "a\u2028b\u2029c\x85d\x0be\x0cf",
    "noncharacters": "\uffff\ufffe\U0010ffff\ue000",
    "surrogates": "a\udc80b\ud800c\udfff",
    "markup": "[bold red]x[/bold red][/][@click=app.quit]y[/]",
    "unbalanced": "[/nope] [[ ]",
    "link": "[link=http://127.0.0.1]x[/link]",
    "formats": "%s%n%d%(x)s{0.__class__.__mro__}{x!r}{",
    "shell": "$(id)`id`;id|id&&id",
    "injection": "x\r\nBcc: evil@example.com\n\nbody",
    "log": "x\nNov 21 00:00:00 2026 (1) fake log line",
    "path": "../../../../etc/passwd",
    "option": "--help",
    "json": '","x":"',
    "long": "w" * 20_000,
    "lines": "line\n" * 3000,
    "nul": "a\0b",
    "empty": "",
}


def terminal() -> Iterator[Hostile]:
    """Yield files whose text would harm who shows it."""
    for name, nasty in NASTY.items():
        headers = [("Subject", nasty), ("X-A", "b")]
        places = {
            "header": qfile(message(_headers=headers)),
            "name": qfile(message(_headers=[(nasty, "x")])),
            "body": qfile(message(_payload=nasty)),
            "from": qfile(message(_unixfrom=nasty, preamble=nasty, epilogue=nasty)),
            "value": with_metadata(x=nasty, y=[nasty], z={nasty: {nasty}}),
            "key": with_metadata(**{nasty or " ": "x"}),
            "text-header": as_text(f"Subject: {nasty}\n\nbody\n"),
            "text-body": as_text(f"Subject: a\n\n{nasty}\n"),
            "type": as_text(
                f"Content-Type: text/plain; charset={nasty}\n"
                f"Content-Transfer-Encoding: {nasty}\n\nbody\n"
            ),
        }
        for place, content in places.items():
            yield Hostile(id=f"terminal/{name}-{place}", expect="ok", content=content)
        yield Hostile(
            id=f"terminal/{name}-class",
            expect="reject",
            content=with_metadata(x=new(named("odd", nasty or "x"))),
        )
