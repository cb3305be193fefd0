"""Metadata is shown in the documented form, and JSON is a round trip."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from email.charset import Charset
from email.header import Header
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qtool.msgdata import (
    Opaque,
    dump_msgdata,
    format_msgdata,
    from_json,
    show_value,
    to_json,
    volatile,
)
from qtool.msgdata.shown import VALUE_CHARACTERS, VALUE_ITEMS

zones = st.none() | st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(
    lambda delta: timezone(timedelta(seconds=delta.seconds % 80_000))
)
atoms = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(1 << 9000), 1 << 9000)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.binary().map(bytearray)
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.complex_numbers(allow_nan=False)
    | st.builds(datetime.replace, st.datetimes(), tzinfo=zones, fold=st.integers(0, 1))
)
keys = st.text() | st.integers() | st.binary() | st.tuples(st.text(), st.integers())
values = st.recursive(
    atoms,
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.just("$date"), inner)
        | st.dictionaries(keys, inner)
        | st.sets(keys)
        | st.frozensets(keys)
        | st.lists(inner).map(tuple)
        | st.builds(Opaque, st.text(), st.tuples(inner), inner)
    ),
    max_leaves=20,
)


def doubled(levels: int) -> Any:
    """A few lists that look like two to the power of ``levels``."""
    value: Any = ["leaf"]
    for _ in range(levels):
        value = [value, value]
    return value


# --- For people ------------------------------------------------------------


def test_metadata_is_dumped_in_the_documented_form(
    capsys: pytest.CaptureFixture[str],
) -> None:
    dump_msgdata(
        {
            "version": 3,
            "listid": "test.example.com",
            "_parsemsg": False,
            "foo": "yes",
            "bar": "no",
            "lang": "en",
            "received_time": datetime(2024, 1, 1),  # noqa: DTZ001  # as Mailman keeps it
        }
    )
    assert capsys.readouterr().out == (
        "_parsemsg: False\n"
        "bar      : no\n"
        "foo      : yes\n"
        "lang     : en\n"
        "listid   : test.example.com\n"
        "version  : 3\n"
    )


def test_keys_can_be_skipped(capsys: pytest.CaptureFixture[str]) -> None:
    dump_msgdata({"a": 1, "longer": 2, "b": 3}, "longer")
    assert capsys.readouterr().out == "a: 1\nb: 3\n"


@pytest.mark.parametrize("msgdata", [{}, {"received_time": 1}])
def test_nothing_to_dump_is_said(
    msgdata: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    dump_msgdata(msgdata)
    assert capsys.readouterr().out == "*Empty*\n"


def test_every_key_is_formatted() -> None:
    lines = format_msgdata({"received_time": 1.5, "a": None})
    assert lines == ["a            : None", "received_time: 1.5"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("text", "text"),
        ("", ""),
        (True, "True"),
        (1.5, "1.5"),
        (None, "None"),
        (b"ab\xff", r"b'ab\xff'"),
        (["a", 1], "['a', 1]"),
        (("a",), "('a',)"),
        ((), "()"),
        ({"b", "a"}, "{'a', 'b'}"),
        ({1, "a"}, "{1, 'a'}"),
        (set(), "set()"),
        (frozenset(), "frozenset()"),
        ({"k": {"x": []}}, "{'k': {'x': []}}"),
        (datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), "2024-01-02 03:04:05+00:00"),
        ([date(2024, 1, 2)], "[2024-01-02]"),
        (Header("a subject"), "a subject"),
        (Opaque("a.B", (1,)), "a.B(1)"),
        (Opaque("a.B", (), {"x": 1}), "a.B(){'x': 1}"),
    ],
)
def test_a_value_is_shown_in_a_line(value: Any, shown: str) -> None:
    assert show_value(value) == shown


def test_control_characters_are_shown_and_not_sent() -> None:
    nasty = "a\x1b[31m\nb\u202e"
    for value in (nasty, [nasty], {nasty: {nasty}}, Opaque(nasty, (nasty,))):
        assert show_value(value).isprintable()
    for line in format_msgdata({nasty: nasty}):
        assert line.isprintable()


@settings(max_examples=40)
@given(values)
def test_any_value_is_shown_within_limits(value: Any) -> None:
    shown = show_value(value)
    assert shown.isprintable() or not shown.isascii()
    assert len(shown) <= 10 * VALUE_CHARACTERS


def test_what_never_ends_is_shown_to_an_end() -> None:
    loop: list[Any] = []
    loop.append(loop)
    many = list(range(1_000_000))
    for value in (doubled(100), loop, many, Opaque("a", (doubled(100),)), "x" * 10**7):
        shown = show_value(value)
        assert "…" in shown
        assert len(shown) < 10 * VALUE_CHARACTERS


def test_no_more_items_are_shown_than_a_person_reads() -> None:
    assert show_value(list(range(10_000))).count(",") <= VALUE_ITEMS


def test_a_huge_integer_is_told_by_its_size() -> None:
    assert show_value(1 << 100_000) == "an integer of 100001 bits"


def test_a_long_key_does_not_push_values_away() -> None:
    lines = format_msgdata({"k" * 10_000: 1, "a": 2})
    assert max(map(len, lines)) < 200


def test_volatile_keys_begin_with_an_underscore() -> None:
    assert volatile("_parsemsg")
    assert not volatile("listid")


# --- Opaque values -----------------------------------------------------------


def test_opaque_values_are_equal_when_all_of_them_is() -> None:
    assert Opaque("a", (1,), {"x": 1}) == Opaque("a", (1,), {"x": 1})
    assert Opaque("a", (1,)) != Opaque("a", (2,))
    assert Opaque("a") != "a"
    assert hash(Opaque("a", ([],))) == hash(Opaque("a", ([],)))


def test_the_repr_of_an_opaque_value_ends() -> None:
    assert len(repr(Opaque("a" * 10**6, (doubled(80),)))) < 10 * VALUE_CHARACTERS


# --- For programs -----------------------------------------------------------


@settings(max_examples=40)
@given(st.dictionaries(st.text(), values, max_size=4))
def test_json_is_a_round_trip(msgdata: dict[str, Any]) -> None:
    written = json.dumps(to_json(msgdata))
    read = from_json(json.loads(written))
    assert read == msgdata
    assert to_json(read) == to_json(msgdata)


def test_the_tags_are_as_documented() -> None:
    assert to_json(
        {
            "when": datetime(2024, 1, 2, 3, 4, 5),  # noqa: DTZ001  # as Mailman keeps it
            "raw": b"\xff",
            "pair": ("a", 1),
            "set": {"b", "a"},
            "plain": ["text", 1, 1.5, True, None],
        }
    ) == {
        "when": {"$datetime": "2024-01-02T03:04:05"},
        "raw": {"$bytes": "\xff"},
        "pair": {"$tuple": ["a", 1]},
        "set": {"$set": ["a", "b"]},
        "plain": ["text", 1, 1.5, True, None],
    }


def test_a_zone_keeps_its_name() -> None:
    zone = timezone(timedelta(hours=2), "here")
    for moment in (datetime(2024, 1, 1, tzinfo=zone), time(12, tzinfo=zone, fold=1)):
        read = from_json(json.loads(json.dumps(to_json({"x": moment}))))["x"]
        assert read == moment
        assert (read.tzname(), read.fold) == ("here", moment.fold)


def test_a_header_that_its_character_set_cannot_hold_is_shown() -> None:
    header = Header()
    header._chunks = [("é", Charset("unknown-8bit"))]  # type: ignore[attr-defined]
    assert show_value([header]) == "[é]"


def test_a_key_of_escapes_makes_no_other_line_long() -> None:
    lines = format_msgdata({"\U000e0001" * 100: 1, "key": 2})
    assert lines[0] == f"{'key':100}: 2"
    assert lines[1] == "\\U000e0001" * 100 + ": 1"


def test_a_header_makes_the_round_trip() -> None:
    header = Header("grüße", "iso-8859-1")
    read = from_json(json.loads(json.dumps(to_json({"x": header}))))["x"]
    assert isinstance(read, Header)
    assert read.encode() == header.encode()


def test_what_is_not_a_number_is_no_json_number() -> None:
    tagged = to_json({"x": [float("nan"), float("inf"), -float("inf")]})
    json.dumps(tagged, allow_nan=False)
    assert repr(from_json(tagged)) == "{'x': [nan, inf, -inf]}"


def test_what_never_ends_is_cut_and_cannot_be_read_back() -> None:
    loop: list[Any] = []
    loop.append(loop)
    for value in (doubled(100), loop, object()):
        tagged = to_json({"x": value})
        assert "$cut" in json.dumps(tagged)
        with pytest.raises(ValueError, match=r"\$cut"):
            from_json(tagged)


@pytest.mark.parametrize(
    "tagged",
    [
        None, [], "x", 5, {"$tuple": []}, {"x": {"$no": 1}}, {"x": {"$set": [[]]}},
        {"x": {"$datetime": 5}}, {"x": {"$datetime": "x"}}, {"x": {"$bytes": "\u0100"}},
        {"x": {"$dict": [1]}}, {"x": {"$opaque": [1, [], None]}}, {"x": {"$int": "z"}},
        {"x": {"$header": [["a"]]}}, {"x": {"$header": [["a", "é"]]}},
        {"x": {"$timedelta": [1e300]}}, {"x": {"$date": "9999-99-99"}},
        {"x": {"$time": "12:00", "zone": "x"}}, {"$dict": [[1, 2]]},
    ],
)  # fmt: skip
def test_what_is_no_metadata_is_refused(tagged: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(tagged)


def test_json_that_is_nested_too_deep_is_refused() -> None:
    tagged: Any = []
    for _ in range(900):
        tagged = [tagged]
    with pytest.raises(ValueError, match="too deep"):
        from_json({"x": tagged})
