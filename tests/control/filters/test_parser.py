"""What filters mean, and what is said of those that mean nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import qtool
from qtool.control.filters import parse
from qtool.control.filters.parser import DEEPEST, LONGEST, MOST_TERMS
from qtool.errors import FilterError
from tests.control.filters.asked import (
    DAY,
    NOW,
    WORDS,
    Asked,
    Meant,
    entries,
    filters,
    name_of,
    quoted,
)

ENTRY = Asked(
    slice=3,
    size=2000,
    list_id="ant.example.com",
    sender="Bob <bob@example.com>",
    recipients=("anne@example.org", "Zoë@example.net"),
    subject="Re: [Ant] Lunch at 12",
    message_id="<1@x>",
    attempts=2,
    why="SMTPServerDisconnected: Connection lost",
    origin="out",
)


def matches(text: str, entry: Asked = ENTRY) -> bool:
    return parse(text, NOW).matches(entry)


@pytest.mark.parametrize(
    "text",
    [
        'list:ant age>3h size<30k subject~"l.nch" -from:anne why:smtpserver slice:3',
        "",
        "  ",
        "list:ANT@example.com",
        "list=ant.example.com",
        "to:zoë",
        "TO=anne@example.org",
        "id:<1@x>",
        "attempts>=2 attempts:2 attempts=2",
        "origin=out",
        "lunch bob anne ant.example",
        "subject~^re.*[0-9]{2}$",
        "nobody or bob",
        "nobody bob or bob",
        "-(nobody or nothing)",
        "not(nobody)and(bob)",
        "bob AND -nobody",
        "subject:'lunch at'",
        'subject:"]"',
        "state:waiting state:wait state=waiting",
        "name:1699913600.",
        "name~0a0a$",
        "age>=1d age<=1d",
        "size>1.5k",
    ],
)
def test_matches(text: str) -> None:
    assert matches(text)


@pytest.mark.parametrize(
    "text",
    [
        "list=ant",
        "subject~^lunch",
        "-bob",
        "due<1h",
        "due>1h",
        "bob (nobody or nothing)",
        "nobody or nothing bob",
        "state:preserved",
        "name:699",
        "age>1d",
        "-subject~.",
    ],
)
def test_does_not_match(text: str) -> None:
    assert not matches(text)


def test_what_is_unknown_is_matched_by_negations_only() -> None:
    unknown = Asked()
    for text in ("from:a", "to~.", "size<9G", "attempts<9", "slice>=0", "why=x", "a"):
        assert not matches(text, unknown)
        assert matches(f"-{text}", unknown)


def test_an_overdue_entry_is_due_within_any_time() -> None:
    overdue = Asked(due=True, when=NOW - DAY)
    assert matches("due<1h due<0 -due>1h age>1h", overdue)


def test_a_due_time_ahead_has_no_age() -> None:
    waiting = Asked(due=True, when=NOW + 1800)
    assert matches("due<1h due>15m -age<1h -age>=0", waiting)


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".bak", 'state:"in flight"'),
        (".bak", "state=in-flight"),
        (".psv", "state:preserved"),
        (".edit", "state:edited"),
        (".psv-edit", "state:edited"),
    ],
)
def test_a_state_goes_by_its_word(suffix: str, text: str) -> None:
    assert matches(text, Asked(suffix=suffix))
    assert not matches(text)


@given(filters, entries)
@settings(max_examples=200)
def test_a_filter_decides_as_its_parts_do(meant: Meant, entry: Asked) -> None:
    assert parse(meant.text, NOW).matches(entry) is meant.answer(entry)


@given(filters, entries)
@settings(max_examples=200)
def test_a_name_never_rules_out_what_matches(meant: Meant, entry: Asked) -> None:
    found = parse(meant.text, NOW)
    may_match = found.may_match(name_of(entry))
    assert may_match or not found.matches(entry)
    if not found.needs_content:
        assert may_match is found.matches(entry) is found.matches(name_of(entry))


@pytest.mark.parametrize(
    ("text", "may_match"),
    [
        ("age>3d subject~x", False),
        ("age<3d subject~x", True),
        ("age>3d or subject~x", True),
        ("-(age<3d or subject~x)", False),
        ("(age>3d or slice:9) from:bob", False),
        ("-(age>3d from:bob)", True),
    ],
)
def test_a_name_rules_out_what_it_can(text: str, may_match: bool) -> None:
    assert parse(text, NOW).may_match(name_of(ENTRY)) is may_match


def test_names_answer_age_due_slice_state_and_name() -> None:
    assert not parse("age>1 due<1 slice:1 -state:edited (name:1)", NOW).needs_content
    assert not parse("", NOW).needs_content
    for text in ("size<1", "from:a", "a", "age>1 or why:x"):
        assert parse(text, NOW).needs_content


@given(st.sampled_from(WORDS), st.sampled_from("\"'"))
@settings(max_examples=30)
def test_quotes_hold_anything(word: str, mark: str) -> None:
    assert matches(quoted(word, mark), Asked(subject=f"<{word}>"))
    assert matches(f"subject={quoted(word, mark)}", Asked(subject=word))


def test_the_examples_of_the_readme_can_be_read() -> None:
    readme = Path(qtool.__file__).parent.parent / "README.md"
    section = readme.read_text("utf-8").partition("### Filters")[2]
    examples = section.split("```")[1].split("\n")
    assert [parse(text, NOW).needs_content for text in examples if text] == [True, True]


# --- Saved filters


SAVED = {"old": "age>3d", "mine": "from:bob or to:bob", "both": "@mine -@old"}


def test_a_saved_filter_is_one_term_of_another() -> None:
    for text in ("@mine -@old", "@both", "nobody or @both", "(@mine)"):
        assert parse(text, NOW, SAVED).matches(ENTRY)
    assert not parse("@mine nobody", NOW, SAVED).matches(ENTRY)
    assert not parse("@old", NOW, SAVED).needs_content


@pytest.mark.parametrize("names", [("a",), ("a", "b"), ("a", "b", "c")])
def test_saved_filters_in_a_circle_are_refused(names: tuple[str, ...]) -> None:
    circle = {
        a: f"x or @{b}" for a, b in zip(names, names[1:] + names[:1], strict=True)
    }
    with pytest.raises(FilterError, match=r"do not name each other \(@a -> ") as caught:
        parse("bob @a", NOW, circle)
    assert caught.value.position == 4


def test_what_is_wrong_in_a_saved_filter_is_said_of_it() -> None:
    with pytest.raises(FilterError) as caught:
        parse("x @bad", NOW, {"bad": "age>3d sise<3"})
    assert str(caught.value) == (
        "filter, in @bad, at character 8:"
        " expected a key, not 'sise': did you mean size?"
    )
    assert caught.value.position == 2


def test_saved_filters_do_not_multiply_without_end() -> None:
    many = {f"n{i}": f"@n{i + 1} @n{i + 1}" for i in range(20)} | {"n20": "x"}
    with pytest.raises(FilterError, match="at most 500 terms"):
        parse("@n0", NOW, many)


# --- What is wrong


@pytest.mark.parametrize(
    ("text", "character", "expected"),
    [
        ("subjct:x", 1, "a key, not 'subjct': did you mean subject?"),
        ("a http://x", 3, "one of list, from, to, "),
        ("age:3d", 4, "age with one of < > <= >="),
        ("size~3", 5, "size with one of"),
        ("age>3x", 5, "a duration such as 15m, 1h30m or 3d, not '3x'"),
        ("size<1T", 6, "a size such as 500, 30k or 2M, not '1T'"),
        ("slice:-1", 7, "a whole number, not '-1'"),
        ("slice:٣", 7, "a whole number"),
        ("state:sent", 7, "one of waiting, in flight, preserved, edited, not 'sent'"),
        ("subject:", 9, "a value"),
        ("subject: x", 9, "a value"),
        ('subject:""', 9, "a value that is not empty"),
        ('a "b', 3, "an end of this quotation"),
        ("subject~^(Re|Fwd)", 10, "a space here"),
        ('a"b"', 2, "a space here"),
        ("subject~(a|b)", 9, "a value, in quotes where it holds"),
        ("a (b", 3, "a ) for this ("),
        ("a) b", 2, "a ( before this )"),
        ("()", 2, "something to look for"),
        ("a or", 5, "something to look for"),
        ("or a", 1, "something to look for"),
        ("a and and b", 7, "something to look for"),
        ("a -", 4, "something to look for"),
        ("@nosuch", 1, "quotes around a word with @"),
        ("subject~a**", 11, "something to repeat before this"),
        ('a subject~"say ""(x"', 18, "a ) for this ("),
        ("x " * 6000, LONGEST + 1, f"at most {LONGEST} characters"),
        ("x " * (MOST_TERMS + 1), 2 * MOST_TERMS + 1, "at most 500 terms"),
        ("(" * 40 + "x" + ")" * 40, DEEPEST + 1, "at most 30 parentheses"),
    ],
)
def test_an_error_points_at_the_character(
    text: str, character: int, expected: str
) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text, NOW)
    assert str(caught.value).startswith(
        f"filter, at character {character}: expected {expected}"
    )
    assert caught.value.position == character - 1
    assert caught.value.text == text


PIECES = (
    "age>", "subject~", "list:", "@a", "@b", "(", ")", "-", "or", "not", "and", " ",
    '"', "'", "[", "]", "*", "{2}", "\\", "x", "3d", "\x1b[2J", "\ud800", "😀", "\n",
)  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), entries)
@example("subject~", ENTRY)
@settings(max_examples=300)
def test_any_text_is_a_filter_or_one_line_with_a_place(text: str, entry: Asked) -> None:
    wrong = None
    try:
        found = parse(text, NOW, {"a": "x or @b", "b": "age>3d"})
    except FilterError as error:
        wrong = error
    if wrong is None:
        assert found.may_match(entry) or not found.matches(entry)
    else:
        assert 0 <= wrong.position <= len(text)
        assert str(wrong).isprintable()
