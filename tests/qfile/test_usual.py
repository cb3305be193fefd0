"""What is read by its grammar is what the guard and the unpickler make of it."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qtool.errors import CorruptQFile, UnsafeQFile
from qtool.qfile import decode, encode
from qtool.qfile.construct import construct
from qtool.qfile.guard import scan
from qtool.qfile.outliner import Outliner
from qtool.qfile.unpickle import load
from qtool.qfile.usual_message import usual_message
from qtool.qfile.usual_msgdata import usual_msgdata
from qtool.qfile.values import Values

if TYPE_CHECKING:
    from collections.abc import Iterator

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "qfiles"


def loaded(content: bytes) -> tuple[Any, Values]:
    """Return what the unpickler makes of a pickle."""
    part = content[: scan(content, 0).end]
    held = load(part, strict=True, allowed=frozenset(), unknown=[])
    return held, Values(len(part), byte_strings=False, strict=True)


def message_by_unpickler(content: bytes) -> Message:
    held, values = loaded(content)
    return construct(Outliner(values, strict=True).outline(held), None)


def msgdata_by_unpickler(content: bytes) -> Any:
    held, values = loaded(content)
    return values.plain(held)


def shown(value: Any) -> str:
    """Return a value with its types, whatever the order of its sets."""
    if isinstance(value, Message):
        assert value.policy is compat32
        return shown({key: value.__dict__[key] for key in sorted(value.__dict__)})
    if isinstance(value, dict):
        return str([(key, shown(item)) for key, item in value.items()])
    if isinstance(value, list):
        return str([shown(item) for item in value])
    return str(sorted(value)) + "set" if isinstance(value, set) else repr(value)


def check_message(content: bytes) -> bool:
    """Return whether a first half is read by its grammar, which has to be right."""
    read = usual_message(content)
    if read is None:
        return False
    assert read.part.end == scan(content, 0).end
    expected = message_by_unpickler(content)
    assert shown(expected) == shown(construct(read.fields, None))
    return True


def check_msgdata(content: bytes) -> bool:
    """Return whether a second half is, the same way."""
    read = usual_msgdata(content, 0)
    if read is None:
        return False
    assert read[0].end == scan(content, 0).end
    assert shown(msgdata_by_unpickler(content)) == shown(read[1])
    return True


def made(
    headers: list[tuple[str, str]], payload: str | None, size: int | None
) -> Message:
    message = Message()
    message._headers = headers  # type: ignore[attr-defined]
    message._payload = payload  # type: ignore[attr-defined]
    if size is not None:
        message.original_size = size  # type: ignore[attr-defined]
    return message


ascii_text = st.text(st.characters(max_codepoint=127), max_size=12)
texts = ascii_text | st.text(max_size=12) | ascii_text.map(lambda part: part * 40)
shared = st.sampled_from(["anne@example.com", "x" * 300, ""])
headers = st.lists(st.tuples(texts, texts | shared), max_size=8)
sizes = st.none() | st.integers(-(1 << 33), 1 << 33)
protocols = st.sampled_from([4, 5])


@given(headers=headers, payload=texts | st.none(), size=sizes, protocol=protocols)
@example([("A", "x" * 300), ("B", "y")], "gr\udcfc \ud83d", 1 << 31, 4)
@example([(str(number), "v") for number in range(1200)], "", -1, 5)
def test_a_message_is_what_the_unpickler_makes_of_it(
    headers: list[tuple[str, str]], payload: str | None, size: int | None, protocol: int
) -> None:
    check_message(pickle.dumps(made(headers, payload, size), protocol))


lines = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=300)
fields = st.tuples(st.from_regex("[A-Z][a-z]{1,20}", fullmatch=True), lines)
heads = st.lists(fields, max_size=4).map(
    lambda pairs: "".join(f"{name}: {line}\n" for name, line in pairs).encode()
)
bodies = st.binary(max_size=300).map(lambda body: body.replace(b"-", b""))
KINDS = (b"multipart/mixed", b"multipart/alternative", b"multipart/digest")


def enclosed(parts: list[bytes], kind: bytes) -> bytes:
    """Return parts in one, under a boundary that is not in them."""
    depth = b"%d" % max(part.count(b"boundary=") for part in parts)
    head = b"Content-Type: %s; boundary=b%s\n" % (kind, depth)
    whole = b"\n".join(b"--b%s\n%s" % (depth, part) for part in parts)
    return b"%s\npreamble\n%s\n--b%s--\n" % (head, whole, depth)


letters = st.recursive(
    st.tuples(heads, bodies).map(b"\n".join),
    lambda parts: st.builds(
        enclosed, st.lists(parts, min_size=1, max_size=3), st.sampled_from(KINDS)
    ),
    max_leaves=5,
)


@given(head=heads, letter=letters, protocol=protocols)
def test_whatever_came_over_the_wire_with_ascii_headers_is_read_so(
    head: bytes, letter: bytes, protocol: int
) -> None:
    message = message_from_bytes(head + letter)
    usual = check_message(pickle.dumps(message, protocol))
    assert usual or any(part.defects for part in message.walk())


values = (
    st.none() | st.booleans() | st.integers(-(1 << 40), 1 << 40) | st.floats()
    | st.datetimes() | st.datetimes(timezones=st.just(UTC)) | st.binary(max_size=3)
    | texts | shared | st.lists(texts | shared, max_size=4)
    | st.sets(texts | shared, max_size=4) | st.lists(st.integers(), max_size=2)
    | st.dictionaries(texts, texts, max_size=2)
)  # fmt: skip


@given(msgdata=st.dictionaries(texts, values, max_size=6), protocol=protocols)
@example(
    {
        "a": "datetime",
        "datetime": "datetime",
        "b": datetime.fromisoformat("2023-11-14"),
    },
    4,
)
@example({"a": [], "b": ["x"], "c": ["x", "y"], "d": set(), "e": {"x"}}, 4)
def test_metadata_is_what_the_unpickler_makes_of_it(
    msgdata: dict[str, Any], protocol: int
) -> None:
    check_msgdata(pickle.dumps(msgdata, protocol))


def posted() -> tuple[Message, dict[str, Any]]:
    """Return a post as Mailman keeps it, whose parts are shared as there."""
    sender, address = "anne@example.com", "ant@example.com"
    headers = [("From", sender), ("Subject", "s" * 300), ("X-From", sender), ("To", "")]
    message = made(headers, "Hello\n", 612)
    message.set_unixfrom(sender)
    msgdata = {
        "listid": address,
        "received_time": datetime.fromisoformat("2023-11-14 22:13:20.123456"),
        "to_list": True,
        "version": 3,
        "envsender": sender,
        "rule_hits": [],
        "rule_misses": ["loop", "emergency", sender],
        "moderation_reasons": [address],
        "recipients": {address, sender, "bart@example.com"},
        "ratio": 0.5,
        "nothing": None,
        "_parsemsg": False,
    }
    return message, msgdata


def in_parts() -> Message:
    """Return a post in two parts, one of which has parts of its own."""
    inner = enclosed([b"\none", b"Content-Type: text/html\n\n<p>one</p>"], KINDS[1])
    return message_from_bytes(
        b"From: anne\n" + enclosed([inner, b"A: b\n\n"], KINDS[0])
    )


def halves() -> Iterator[tuple[bytes, bytes]]:
    message, msgdata = posted()
    for protocol in (4, 5):
        yield pickle.dumps(message, protocol), pickle.dumps(msgdata, protocol)
    yield pickle.dumps(in_parts(), 4), pickle.dumps({"a": 1, "b": 2}, 4)


def test_usual_files_are_read_so() -> None:
    for first, second in halves():
        assert check_message(first)
        assert check_msgdata(second)
    for name in ("mailman3-object.pck", "mailman3-notification.pck"):
        content = (FIXTURES / name).read_bytes()
        assert usual_msgdata(content, scan(content, 0).end)
    message, msgdata = posted()
    written = encode(message, msgdata, text_form=False)
    assert usual_message(written)
    assert usual_msgdata(written, scan(written, 0).end)
    held = decode(written, strict=True)
    assert held.form == "qtool, object form"
    assert vars(held.message) == vars(message)
    assert held.msgdata == msgdata


def changed(content: bytes) -> Iterator[bytes]:
    """Yield a pickle with each of its bytes changed, left out or doubled."""
    for index, byte in enumerate(content):
        before, after = content[:index], content[index + 1 :]
        for other in {byte ^ 1, byte ^ 128, *b"\x94h(a]N"}:
            yield before + bytes([other]) + after
        yield before + after
        yield before + bytes([byte]) + content[index:]
        yield before


def test_a_changed_file_is_not_read_otherwise_than_by_the_unpickler() -> None:
    accepted = tried = 0
    for first, second in halves():
        for content in changed(first):
            tried += 1
            accepted += check_message(content)
        for content in changed(second):
            tried += 1
            accepted += check_msgdata(content)
    assert 0 < accepted < tried / 2


@pytest.mark.parametrize("as_text", [True, 1, "yes"])
def test_a_message_whose_metadata_calls_it_text_is_refused(as_text: object) -> None:
    message, _ = posted()
    content = pickle.dumps(message, 4) + pickle.dumps({"_parsemsg": as_text}, 4)
    with pytest.raises(CorruptQFile, match="should be text"):
        decode(content, strict=True)


def whole(parts: list[Message]) -> bytes:
    """Return the pickle of a message in these parts; what they share is in it once."""
    message = made([], None, None)
    message._payload = parts  # type: ignore[attr-defined]
    return pickle.dumps(message, 4)


BODY = "x" * 20_000
VALUE = "x" * 900


@pytest.mark.parametrize(
    "content",
    [
        whole([made([], BODY, None) for _ in range(20)]),
        whole([made([], "", None) for _ in range(400)]),
        pickle.dumps(made([(f"A{n}", VALUE) for n in range(200)], "", None), 4),
    ],
    ids=["one-body", "many-parts", "one-value"],
)
def test_what_is_more_than_a_file_can_have_written_is_refused(content: bytes) -> None:
    with pytest.raises(UnsafeQFile, match="more values than it can have written"):
        message_by_unpickler(content)
    assert usual_message(content) is None


def test_a_part_whose_default_type_is_empty_has_the_usual_one() -> None:
    message = made([], "", None)
    message.set_default_type("")
    assert check_message(pickle.dumps(message, 4))


def test_a_header_that_is_the_body_of_a_part_is_not_usual() -> None:
    body = "\ud83d \udcfc"
    content = whole([made([], body, None), made([("A", body)], "", None)])
    assert not check_message(content)


class Sized(Message):
    """A message whose size is not told by a file."""

    def original_size(self) -> int:
        """Return its size."""
        return len(str(self))


def test_a_field_does_not_hide_a_method_of_the_message() -> None:
    content = pickle.dumps(made([], "", 612), 4)
    read = usual_message(content)
    assert read
    message = construct(read.fields, Sized)
    assert isinstance(message, Sized)
    assert message.original_size() == 1
