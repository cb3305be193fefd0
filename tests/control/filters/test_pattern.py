"""Patterns find what they should, in a time that nobody can stretch."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from qtool.control.filters.pattern import DEEPEST, LONGEST_PATTERN
from qtool.control.filters.searching import LONGEST_TEXT, Search
from qtool.control.filters.values import WrongValue

SIZE = 1_000_000
TEXTS = (
    "aaa aaa aaa aaa aaa aaa aaa !",
    "a" * 28 + "!",
    "a" * SIZE,
    "x" * SIZE,
    "ab" * SIZE,
    "aab " * SIZE,
    " " * SIZE + "!",
    "".join(chr(0x4E00 + number) for number in range(20_000)),
    "".join("ab "[number * number % 7 % 3] for number in range(20_000)),
)
EVIL = (
    r"(\w+\s?)*$", r"(a+)+$", r"(a|a)*$", r"(a|aa)+$", r"(.*)*!$", r"(x+x+)+y",
    r"^(([a-z])+.)+[A-Z]([a-z])+$", r"a*a*a*a*a*a*b", r"\s+$", r".*.*=.*",
    r"(.*a){20}", r"(.*a){100}", r"(.*a){120}", r"(.*a|.*b){60}c", r"a.{199}c",
    r"(?:a?){60}a{60}$", r"[^x]{190}1", r"(\w{1,150}\s)+$", r"(\w.{1,60}){3}\d",
    r"(a|.){100}(b|.){3}c", r"(\b.|\B.){40}x", r"(()*)*a{3}!", r"((a*)*)*b",
    "(" * DEEPEST + "a*" + ")*" * DEEPEST + "b", r"(\b|\B|^|$)*b!",
    "|".join("abcdefgh" * 15), "".join(map(chr, range(0x3000, 0x3100))),
    f"({'|'.join(map(chr, range(0x3000, 0x3090)))})*!",
)  # fmt: skip


@pytest.mark.parametrize("pattern", EVIL)
def test_an_evil_pattern_is_quick_on_hostile_texts(pattern: str) -> None:
    search = Search(pattern)
    for text in TEXTS:
        began = time.thread_time()
        search.found_in(text)
        assert time.thread_time() - began < 1


@pytest.mark.parametrize(
    "pattern",
    [
        "a{201}",
        "(a{100}){100}",
        "((((){200}){200}){200}){200}",
        "(((a{0,200}){0,200}){0,200})*",
        ".{3,1}",
        "a{99999999}",
        "x" * (LONGEST_PATTERN + 1),
        "(" * 100_000,
        "(" * (DEEPEST + 1) + ")" * (DEEPEST + 1),
    ],
)
def test_a_pattern_that_grows_is_refused_at_once(pattern: str) -> None:
    began = time.thread_time()
    with pytest.raises(WrongValue):
        Search(pattern)
    assert time.thread_time() - began < 1


@pytest.mark.parametrize(
    ("pattern", "position"),
    [
        ("ab(", 2), ("ab)", 2), ("a[b", 1), ("a[]", 1), ("*a", 0), ("a|*", 2),
        ("a**", 2), ("a++", 2), ("(?=a)", 0), ("(?P<n>a)", 0), (r"(a)\1", 3),
        ("a\\", 1), ("[z-a]", 0), ("[a--b]", 3), (r"a\q", 1), (r"[\q]", 1), ("{2}", 0),
    ],
)  # fmt: skip
def test_a_wrong_pattern_is_refused_where_it_is_wrong(
    pattern: str, position: int
) -> None:
    with pytest.raises(WrongValue) as caught:
        Search(pattern)
    assert caught.value.position == position


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (r"\bants?\b", "the ANT.", True),
        (r"\bants?\b", "the antler", False),
        (r"^re: ", "RE: x", True),
        (r"^$", "", True),
        (r"a.b", "a\nb", True),
        (r"[^]x]", "]x", False),
        (r"[][&&||~~-]", "~", True),
        (r"[\d.]+$", "v1.2", True),
        (r"a{,2}b", "b", True),
        (r"a{x}", "a{x}", True),
        (r"{}", "{}", True),
        (r"^a{,}$", "aaa", True),
        (r"{", "{", True),
        (r"straße|ÄRGER", "ärger", True),
        (r"\(\$\)", "($)", True),
        (r"[\]\\]", "\\", True),
    ],
)
def test_finds(pattern: str, text: str, found: bool) -> None:
    assert Search(pattern).found_in(text) is found


atoms = st.sampled_from(
    ["a", "b", "B", " ", ".", "[ab]", "[^a]", r"\w", r"\s", r"\b", r"\B", "^", r"\Z"]
)


def _patterns(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    repeats = st.sampled_from(
        ["*", "+", "?", "{2}", "{1,2}", "{,2}", "{1,}", "*?", "{,}"]
    )
    return st.one_of(
        st.lists(part, max_size=3).map("".join),
        st.lists(part, min_size=1, max_size=3).map(lambda p: f"(?:{'|'.join(p)})"),
        st.tuples(part, repeats).map(lambda pair: f"({pair[0]}){pair[1]}"),
    )


@given(
    st.recursive(atoms, _patterns, max_leaves=6), st.text("abB -\n", max_size=6)
)  # fmt: skip
@settings(max_examples=300)
def test_finds_what_the_standard_library_finds(pattern: str, text: str) -> None:
    assume(text or r"\B" not in pattern)  # versions of Python differ there
    expected = re.search(pattern, text, re.IGNORECASE | re.DOTALL) is not None
    assert Search(pattern).found_in(text) is expected


def test_the_same_answer_comes_after_others_and_after_forgetting() -> None:
    search = Search(r"(\w.{1,60}){3}\d!$")
    for text in TEXTS * 2:
        search.found_in(text)
        assert search.found_in("abcabcabc7!")
        assert not search.found_in("abcabcabc7")


def test_the_beginning_of_a_long_text_is_searched() -> None:
    search = Search("a$")
    assert search.found_in("x" * (LONGEST_TEXT - 1) + "a")
    assert not search.found_in("x" * (LONGEST_TEXT - 1) + "ab")
    assert not search.found_in("x" * LONGEST_TEXT + "a")
