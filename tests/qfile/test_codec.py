"""What is read is what the file holds, in every form, and nothing else."""

from __future__ import annotations

import pickle
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone
from email.header import Header
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from qtool.errors import CorruptQFile, ForeignQFile, QFileError, UnsafeQFile
from qtool.qfile import Opaque, QFile, decode, message_bytes_of
from tests.qfile.assemble import (
    MESSAGE,
    METADATA,
    STATE,
    Raw,
    as_text,
    called,
    message,
    named,
    named_in_text,
    new,
    old_instance,
    old_value,
    pickled,
    qfile,
    text,
    value,
    with_metadata,
)
from tests.qfile.hostile_shape import OLD_METADATA, OLD_STATE, SOUND


def strictly(content: bytes, **kws: Any) -> QFile:
    return decode(content, strict=True, **kws)


def leniently(content: bytes) -> QFile:
    return decode(content, strict=False)


def metadata(**extra: Any) -> dict[str, Any]:
    kept = strictly(with_metadata(**extra)).msgdata
    return {key: item for key, item in kept.items() if key not in METADATA}


# --- Forms ------------------------------------------------------------------


def test_the_object_form_of_mailman_3_is_read() -> None:
    kind = named("mailman.email.message", "Message")
    read = strictly(qfile(new(kind, {**STATE, "original_size": 7})))
    assert read.form == "Mailman 3, object form"
    assert read.message["subject"] == "a message"
    assert read.message.get_payload() == "Hello\n"
    assert read.message.original_size == 7  # type: ignore[attr-defined]
    assert read.msgdata == METADATA


def test_the_text_form_of_mailman_3_is_read() -> None:
    read = strictly(as_text("Subject: caf\udce9\n\nna\udcefve\n"))
    assert read.form == "Mailman 3, text form"
    assert message_bytes_of(read.message) == b"Subject: caf\xe9\n\nna\xefve\n"


def test_the_object_form_of_mailman_2_is_read() -> None:
    read = strictly(SOUND["old"])
    assert read.form == "Mailman 2, object form"
    assert message_bytes_of(read.message) == (
        b"From: anne@example.com\nSubject: caf\xe9\n\nHello\n"
    )
    assert read.msgdata == {"listname": "test", "version": 3, "_parsemsg": False}


def test_the_text_form_of_mailman_2_is_read() -> None:
    read = strictly(SOUND["old-text"])
    assert read.form == "Mailman 2, text form"
    assert message_bytes_of(read.message) == b"Subject: caf\xe9\n\nHello\n"
    assert read.msgdata == {"_parsemsg": 1}


@pytest.mark.parametrize(
    ("headers", "charsets"),
    [("email.header", "email.charset"), ("email.Header", "email.Charset")],
)
def test_both_spellings_of_the_old_email_package_are_read(
    headers: str, charsets: str
) -> None:
    charset = old_instance(charsets, "Charset", {
        b"input_charset": b"iso-8859-1", b"output_charset": b"iso-8859-1",
        b"input_codec": b"iso-8859-1", b"output_codec": b"iso-8859-1",
        b"header_encoding": 1, b"body_encoding": 1,
    })  # fmt: skip
    header = old_instance(headers, "Header", {
        b"_chunks": [(b"caf\xe9", charset)], b"_charset": charset,
        b"_continuation_ws": b" ", b"_maxlinelen": 76, b"_firstlinelen": 67,
    })  # fmt: skip
    state = {**OLD_STATE, b"_headers": [(b"Subject", header)]}
    first = old_instance("Mailman.Message", "UserNotification", state)
    read = strictly(pickled(first, 1) + pickled(old_value(OLD_METADATA), 1))
    subject = read.message["subject"]
    assert isinstance(subject, Header)
    assert str(subject) == "café"
    assert b"=?iso-8859-1?q?caf=E9?=" in message_bytes_of(read.message)


def test_chunks_whose_character_set_cannot_read_them_keep_their_bytes() -> None:
    header = old_instance(
        "email.header", "Header", {b"_chunks": [(b"caf\xe9", b"us-ascii")]}
    )
    state = {**OLD_STATE, b"_headers": [(b"Subject", header)]}
    first = pickled(old_instance("Mailman.Message", "Message", state), 1)
    read = strictly(first + pickled(old_value(OLD_METADATA), 1))
    assert str(read.message["subject"]) == "caf\ufffd"


def test_byte_strings_of_python_2_are_text_and_unicode_stays() -> None:
    plain = {b"listname": b"caf\xe9", "u": "grüße 😀", b"_parsemsg": False}
    first = pickled(old_instance("Mailman.Message", "Message", OLD_STATE), 1)
    read = strictly(first + pickled(old_value(plain), 1))
    assert read.msgdata == {"listname": "café", "u": "grüße 😀", "_parsemsg": False}


def test_instances_named_in_text_are_read() -> None:
    state = b"(dS'_headers'\n(lp0\nsS'_payload'\nS'x'\nsb"
    first = b"(iMailman.Message\nMessage\n" + state + b"."
    read = strictly(first + pickled(old_value(OLD_METADATA), 1))
    assert read.message.get_payload() == "x"


def test_metadata_that_a_recovery_wrote_again_is_read() -> None:
    kept = {**METADATA, "_bak_count": 1, "b": b"\xff\0", "s": {"a"}, "f": 1.5}
    for protocol in (0, 1, 2):
        read = strictly(pickled(message()) + pickle.dumps(kept, protocol))
        assert read.msgdata == kept


def test_the_raw_halves_are_kept() -> None:
    for whole in SOUND.values():
        read = strictly(whole)
        assert read.message_bytes + read.msgdata_bytes == whole


def test_what_is_behind_the_second_pickle_is_not_read() -> None:
    trailer = pickled(called(named("os", "mkdir"), "marker"))
    read = strictly(qfile() + trailer)
    assert read.message_bytes + read.msgdata_bytes == qfile()


# --- Messages ---------------------------------------------------------------


def test_a_message_is_rebuilt_in_the_class_that_is_asked_for() -> None:
    class Own(Message):
        def __init__(self) -> None:
            super().__init__()
            self.invariant = True

    parts = message(
        _headers=[("Content-Type", "multipart/mixed")],
        _payload=[message(), message(_payload="two")],
    )
    read = strictly(qfile(parts), message_class=Own).message
    assert [type(part) for part in read.walk()] == [Own, Own, Own]
    assert isinstance(read, Own)
    assert read.invariant


def test_the_message_is_made_once() -> None:
    read = leniently(qfile())
    assert read.message is read.message


def test_defects_come_back_as_defects() -> None:
    defects = [
        called(named("email.errors", "MissingHeaderBodySeparatorDefect"), "line"),
        called(named("email.errors", "NoSuchDefect")),
        called(named("email.errors", "NonPrintableDefect"), 5),
    ]
    read = strictly(qfile(message(defects=defects))).message
    names = [type(defect).__name__ for defect in read.defects]
    assert names[:2] == ["MissingHeaderBodySeparatorDefect", "MessageDefect"]
    assert len(names) == 3


def test_a_field_cannot_hide_a_method() -> None:
    read = strictly(qfile(message(as_string="x", items=1, recipients=["a"])))
    assert read.message.as_string()
    assert read.message.recipients == ["a"]  # type: ignore[attr-defined]


def test_a_subject_that_holds_surrogates_can_be_asked_for() -> None:
    for nasty in ("a\udc80b", "\ud800", "é\udc80"):
        read = strictly(qfile(message(_headers=[("Subject", nasty)])))
        assert str(read.message["subject"])


@pytest.mark.parametrize(
    ("field", "odd", "said"),
    [
        ("_headers", "abc", "no list"),
        ("_headers", [("a", "b", "c")], "no pair"),
        ("_headers", [("a", 5)], "value is no text"),
        ("_headers", [(5, "a")], "name is no text"),
        ("_payload", 5, "payload is no text"),
        ("_payload", ["a"], "not a message"),
        ("_unixfrom", [1], "From line is no text"),
        ("policy", {"a": 1}, "strange policy"),
        ("defects", [5], "strange defect"),
        ("__odd__", 5, "strange field"),
    ],
)
def test_a_malformed_message_is_refused_for_processing_and_shown_to_people(
    field: str, odd: Any, said: str
) -> None:
    content = qfile(message(**{field: odd}))
    with pytest.raises(CorruptQFile, match=said):
        strictly(content)
    assert message_bytes_of(leniently(content).message) is not None


def test_parts_nested_too_deep_are_refused() -> None:
    part = message()
    for _ in range(100):
        part = message(_payload=[part])
    for strict in (True, False):
        with pytest.raises(UnsafeQFile, match="too deep"):
            decode(qfile(part), strict=strict)


# --- Metadata ---------------------------------------------------------------

ZONE = timezone(timedelta(hours=2), "here")
PLAIN = {
    "moment": datetime(2024, 2, 29, 12, 30, 1, 5),  # noqa: DTZ001  # Mailman's have none
    "fold": datetime(2024, 2, 29, fold=1),  # noqa: DTZ001
    "aware": datetime(2024, 2, 29, tzinfo=UTC),
    "named": datetime(2024, 2, 29, tzinfo=ZONE),
    "last": datetime.max,  # noqa: DTZ901
    "day": date(2024, 2, 29),
    "time": time(12, 30, tzinfo=ZONE, fold=1),
    "delta": timedelta(-1, 5, 7),
    "zone": ZONE,
    "set": {"a", "b"},
    "frozen": frozenset({"a", 1}),
    "tuple": ("a", (1, 2.5), [None, True]),
    "nested": {"a": {"b": [b"c", {"d"}]}, 1: 2, ("x", 1): "y"},
    "wide": 1 << 100,
    "complex": 1 + 2j,
}


@pytest.mark.parametrize("protocol", [0, 1, 2, 4, 5])
def test_plain_values_come_back_equal(protocol: int) -> None:
    kept = {**METADATA, **PLAIN}
    read = strictly(pickled(message()) + pickle.dumps(kept, protocol)).msgdata
    assert read == kept
    assert {k: type(v) for k, v in read.items()} == {
        k: type(v) for k, v in kept.items()
    }
    assert read["named"].tzname() == "here"
    # Older protocols lose it.
    assert read["fold"].fold == (1 if protocol >= 4 else 0)


def test_byte_arrays_come_back_from_the_protocol_that_we_write() -> None:
    assert metadata(x=called(named("builtins", "bytearray"), b"a\xff")) == {
        "x": bytearray(b"a\xff")
    }


def test_a_header_in_metadata_is_one_again() -> None:
    """Mailman keeps the subject without its prefix in this way."""
    kept = {**METADATA, "stripped_subject": Header("grüße", "utf-8")}
    read = strictly(pickled(message()) + pickle.dumps(kept, 5)).msgdata
    assert isinstance(read["stripped_subject"], Header)
    assert str(read["stripped_subject"]) == "grüße"


def test_an_enumeration_of_mailman_is_kept_and_not_made_real() -> None:
    kind = named("mailman.interfaces.action", "Action")
    kept = metadata(action=called(kind, 4))["action"]
    assert kept == Opaque("mailman.interfaces.action.Action", (4,))


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("datetime", (b"\xff" * 10,)),
        ("datetime", (b"short",)),
        ("datetime", (b"\x07\xe8\x01\x01\0\0\0\0\0\0", "no zone")),
        ("datetime", (2024, 1, 1)),
        ("date", (b"\0\0\0\0",)),
        ("time", (b"\xff" * 6,)),
        ("timedelta", (1 << 62,)),
        ("timedelta", (1, 2, 3, 4)),
        ("timedelta", (1e300,)),
        ("timezone", (5,)),
    ],
)
def test_arguments_of_moments_are_checked(name: str, args: tuple[Any, ...]) -> None:
    with pytest.raises(CorruptQFile, match=f"malformed {name}"):
        metadata(x=called(named("datetime", name), *args))


def test_a_codec_is_not_chosen_by_the_file() -> None:
    for args in (("a", "punycode"), ("é", "latin1", "x"), ("a", "latin1", "strict")):
        with pytest.raises(CorruptQFile, match="malformed byte string"):
            metadata(x=called(named("_codecs", "encode"), *args))
    with pytest.raises(CorruptQFile, match="malformed byte string"):
        metadata(x=called(named("_codecs", "encode"), "\u0100", "latin1"))


def test_values_that_are_shared_stay_shared() -> None:
    shared = ["a"]
    kept = {**METADATA, "x": shared, "y": shared}
    read = strictly(pickled(message()) + pickle.dumps(kept, 4)).msgdata
    assert read["x"] is read["y"]


def test_a_list_within_itself_is_kept() -> None:
    loop: list[Any] = []
    loop.append(loop)
    read = strictly(pickled(message()) + pickle.dumps({**METADATA, "x": loop}, 4))
    assert read.msgdata["x"][0] is read.msgdata["x"]


# --- Classes that are not known ---------------------------------------------


def test_an_unknown_class_is_refused_for_processing() -> None:
    with pytest.raises(UnsafeQFile, match=r"it names odd\.Plugin"):
        metadata(x=called(named("odd", "Plugin"), 1))


def test_an_unknown_class_is_opaque_to_people() -> None:
    content = with_metadata(
        x=new(named("odd", "Plugin"), {"a": [1]}), y=called(named("os", "system"), "x")
    )
    read = leniently(content)
    assert read.opaque == ("odd.Plugin", "os.system")
    assert read.msgdata["x"] == Opaque("odd.Plugin", (), {"a": [1]})
    assert str(read.msgdata["y"]) == "os.system('x')"


def test_a_class_that_the_configuration_allows_is_kept_opaque() -> None:
    content = with_metadata(x=called(named("odd", "Plugin"), 1))
    read = strictly(content, allowed=frozenset(["odd.Plugin"]))
    assert read.msgdata["x"] == Opaque("odd.Plugin", (1,))
    assert read.opaque == ()


def test_a_message_class_that_the_configuration_allows_is_a_message() -> None:
    content = qfile(new(named("site", "Message"), STATE))
    with pytest.raises(UnsafeQFile):
        strictly(content)
    read = strictly(content, allowed=frozenset(["site.Message"]))
    assert read.message["subject"] == "a message"


def test_what_is_no_message_is_shown_in_the_place_of_one() -> None:
    content = qfile(called(named("os", "system"), "rm -r"))
    read = leniently(content)
    assert read.message.get_payload() == "os.system('rm -r')"
    assert read.opaque == ("os.system",)


def test_a_name_below_an_allowed_class_is_not_allowed() -> None:
    for module, name in [
        ("email.message", "Message.as_string"),
        ("datetime", "datetime.now"),
        ("builtins", "set.__class__"),
        ("email.errors", "MessageDefect.__init__"),
    ]:
        with pytest.raises(UnsafeQFile):
            metadata(x=called(named(module, name)))
        with pytest.raises(UnsafeQFile):
            strictly(qfile(second=Raw(named_in_text(module, name) + b")R")))


def test_a_class_itself_is_no_value() -> None:
    with pytest.raises(UnsafeQFile, match="holds the class"):
        metadata(x=MESSAGE)
    assert str(leniently(with_metadata(x=MESSAGE)).msgdata["x"]) == (
        "class email.message.Message()"
    )


def test_many_unknown_classes_are_refused_even_to_people() -> None:
    many = [called(named("odd", f"Class{number}")) for number in range(100)]
    with pytest.raises(UnsafeQFile, match="unknown classes"):
        leniently(with_metadata(x=many))


# --- Errors -----------------------------------------------------------------


def test_an_error_names_the_file_and_the_reason() -> None:
    with pytest.raises(CorruptQFile) as error:
        decode(b"", strict=True, path=Path("a.pck"))
    assert str(error.value) == "a.pck: it is empty"


def test_what_does_not_begin_as_a_qfile_is_foreign() -> None:
    with pytest.raises(ForeignQFile):
        leniently(b"From anne Mon\nSubject: a\n\nb\n")


@pytest.mark.parametrize("strict", [True, False])
def test_halves_must_agree(strict: bool) -> None:
    for content in (
        pickled(text("A: b\n\nc")) + pickled(value(METADATA)),
        qfile(metadata={**METADATA, "_parsemsg": True}),
        qfile(second=value([1])),
        qfile(metadata={**METADATA, 1: 1}),
    ):
        with pytest.raises(CorruptQFile):
            decode(content, strict=strict)


def test_reading_never_raises_anything_else() -> None:
    for first in (message(), value({}), value("x"), value((1,))):
        for second in (value(METADATA), value(None), value([[]]), message()):
            for strict in (True, False):
                with suppress(QFileError):
                    decode(pickled(first) + pickled(second), strict=strict)
