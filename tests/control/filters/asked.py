"""Entries to be asked, and filters of which the answer is known beforehand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = 1_700_000_000.0
DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An entry; one that nobody has opened has nothing but its name."""

    filebase: str = f"{NOW - DAY:.6f}+{'0a' * 20}"
    when: float = NOW - DAY
    due: bool = False
    suffix: str = ".pck"
    slice: int | None = None
    size: int | None = None
    list_id: str | None = None
    sender: str | None = None
    recipients: tuple[str, ...] = ()
    subject: str | None = None
    message_id: str | None = None
    attempts: int | None = None
    why: str | None = None
    origin: str | None = None


def name_of(entry: Asked) -> Asked:
    """Return what is known of an entry before it is opened."""
    name = ("filebase", "when", "due", "suffix", "slice")
    return replace(Asked(), **{field: getattr(entry, field) for field in name})


WORDS = ("ant", "Ant-users", "bob@example.com", "or", "Ärger", "a b", 'say "x"', "-x")
word = st.sampled_from(WORDS)
maybe = st.none() | st.just("") | st.lists(word, max_size=3).map(" ".join)
moment = st.sampled_from((-9 * DAY, -3 * DAY, -60.0, 0.0, 60.0, 9 * DAY))

entries = st.builds(
    Asked,
    when=moment.map(lambda offset: NOW + offset),
    due=st.booleans(),
    suffix=st.sampled_from((".pck", ".bak", ".psv", ".edit", ".psv-edit")),
    slice=st.none() | st.integers(0, 5),
    size=st.none() | st.sampled_from((0, 1000, 30 * 1024, 1 << 22)),
    list_id=maybe,
    sender=maybe,
    recipients=st.lists(word, max_size=3).map(tuple),
    subject=maybe,
    message_id=maybe,
    attempts=st.none() | st.integers(0, 5),
    why=maybe,
    origin=maybe,
)


@dataclass(frozen=True, slots=True)
class Meant:
    """A filter as text, with what it is to answer."""

    text: str
    answer: Callable[[Asked], bool]
    joint: str = ""
    """What holds its parts together, if it has any."""


def quoted(text: str, mark: str = '"') -> str:
    """Return a text as it stands in a filter."""
    return f"{mark}{text.replace(mark, mark * 2)}{mark}"


def _of_text(key: str, field: str, sign: str, wanted: str, mark: str) -> Meant:
    def answer(entry: Asked) -> bool:
        found = getattr(entry, field)
        values = found if isinstance(found, tuple) else (found or "",)
        low = wanted.lower()
        if sign == "=":
            return low in [value.lower() for value in values]
        return any(low in value.lower() for value in values)

    return Meant(f"{key}{sign}{quoted(wanted, mark)}", answer)


FIELDS = {
    "from": "sender", "to": "recipients", "subject": "subject", "id": "message_id",
    "why": "why", "origin": "origin",
}  # fmt: skip
of_text = st.builds(
    lambda key, *rest: _of_text(key, FIELDS[key], *rest),
    st.sampled_from(sorted(FIELDS)),
    st.sampled_from(":="),
    word,
    st.sampled_from("\"'"),
)
SIGNS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
NUMBERS: dict[str, Callable[[Asked], float | None]] = {
    "age": lambda entry: NOW - entry.when if entry.when <= NOW else None,
    "due": lambda entry: entry.when - NOW if entry.due else None,
    "size": lambda entry: entry.size,
    "attempts": lambda entry: entry.attempts,
    "slice": lambda entry: entry.slice,
}
AMOUNTS = {
    "age": {"3d": 3 * DAY, "1m": 60.0, "0": 0.0},
    "due": {"1h": 3600.0, "60": 60.0, "9d": 9 * DAY},
    "size": {"1000": 1000.0, "30k": 30720.0, "4M": float(1 << 22)},
    "attempts": {"0": 0.0, "3": 3.0},
    "slice": {"0": 0.0, "4": 4.0},
}


def _of_number(key: str, sign: str, number: int) -> Meant:
    amount, value = list(AMOUNTS[key].items())[number % len(AMOUNTS[key])]

    def answer(entry: Asked) -> bool:
        found = NUMBERS[key](entry)
        return found is not None and SIGNS[sign](found, value)

    return Meant(f"{key}{sign}{amount}", answer)


of_number = st.builds(
    _of_number,
    st.sampled_from(sorted(NUMBERS)),
    st.sampled_from(sorted(SIGNS)),
    st.integers(0, 2),
)


def _not(part: Meant, sign: str) -> Meant:
    inner = f"({part.text})" if part.joint else part.text
    return Meant(f"{sign}{inner}", lambda entry: not part.answer(entry))


def _all(parts: list[Meant], joint: str) -> Meant:
    texts = [f"({p.text})" if p.joint == "or" else p.text for p in parts]
    return Meant(
        joint.join(texts), lambda entry: all(p.answer(entry) for p in parts), "and"
    )


def _one(parts: list[Meant]) -> Meant:
    return Meant(
        " or ".join(p.text for p in parts),
        lambda entry: any(p.answer(entry) for p in parts),
        "or",
    )


def _combined(part: st.SearchStrategy[Meant]) -> st.SearchStrategy[Meant]:
    several = st.lists(part, min_size=2, max_size=3)
    return st.one_of(
        st.builds(_not, part, st.sampled_from(("-", "not ", "- NOT -"))),
        st.builds(_all, several, st.sampled_from((" ", " and ", "  "))),
        st.builds(_one, several),
    )


filters = st.recursive(of_text | of_number, _combined, max_leaves=8)
