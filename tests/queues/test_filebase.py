"""Names of entries."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qtool.queues import filebase
from qtool.queues.slices import equal

DIGEST = "0123456789abcdef0123456789abcdef01234567"

times = st.floats(min_value=0.001, max_value=1e14, allow_nan=False)
digests = st.text("0123456789abcdef", min_size=40, max_size=40)
suffixes = st.sampled_from([".pck", ".bak", ".psv", ".edit", ".psv-edit", ".pck.tmp"])


@given(when=times, digest=digests, suffix=suffixes)
def test_what_repr_writes_parses_to_its_parts(
    when: float, digest: str, suffix: str
) -> None:
    name = filebase.parse(f"{when!r}+{digest}{suffix}")

    assert name is not None
    assert name.filebase == f"{when!r}+{digest}"
    assert (name.when, name.digest, name.suffix) == (when, digest, suffix)


def test_a_time_may_end_in_zeros() -> None:
    name = filebase.parse(f"1700000000.154620+{DIGEST}.pck")

    assert name is not None
    assert name.when == 1700000000.15462
    assert name.filebase == f"1700000000.154620+{DIGEST}"


@given(text=st.text())
@example("foo.pck")
@example(f"nan+{DIGEST}.pck")
@example(f"inf+{DIGEST}.pck")
@example(f"1e400+{DIGEST}.pck")
@example(f"1_700.5+{DIGEST}.pck")
@example(f"\u0661.5+{DIGEST}.pck")
@example(f"+1.5+{DIGEST}.pck")
@example(f"-1.5+{DIGEST}.pck")
@example(f" 1.5+{DIGEST}.pck")
@example(f"1.5+{DIGEST}.pck\n")
@example(f"1.5+{DIGEST[:-1]}.pck")
@example(f"1.5+{DIGEST}0.pck")
@example(f"1.5+0x{DIGEST[2:]}.pck")
@example(f"1.5+{DIGEST.upper()}.pck")
@example(f"1.5++{DIGEST[1:]}.pck")
@example(f"01.5+{DIGEST}.pck")
@example(f"15+{DIGEST}.pck")
@example(f".1.5+{DIGEST}.pck")
@example(f"1.5+{DIGEST}.pck.tmp.tmp")
@example(f"1.5+{DIGEST}.PCK")
@example(f"1.5+{DIGEST}.db")
@example(f"1.5+{DIGEST}")
@example(f"1.5+{DIGEST}.pck\udcff")
@example("")
def test_any_other_name_is_foreign(text: str) -> None:
    assert filebase.parse(text) is None


@pytest.mark.parametrize("text", ["../x", "", ".", "a/b", f"1.5+{DIGEST}.pck"])
def test_nothing_but_a_filebase_is_one(text: str) -> None:
    assert not filebase.is_filebase(text)
    assert filebase.is_filebase(f"1.5+{DIGEST}")


@given(when=times, content=st.binary(max_size=64))
def test_what_is_made_parses_and_no_two_are_equal(when: float, content: bytes) -> None:
    made = {filebase.make(when, content) for _ in range(3)}

    assert len(made) == 3
    for name in made:
        assert filebase.is_filebase(name)
        assert filebase.when_of(name) == when


@given(content=st.binary(max_size=64), number=st.integers(0, 6))
def test_what_is_made_for_a_slice_lies_in_it(content: bytes, number: int) -> None:
    part = equal(7)[number]
    made = {filebase.make(1.5, content, (part.lower, part.upper)) for _ in range(3)}

    assert len(made) == 3
    assert all(filebase.digest_of(name) in part for name in made)


@pytest.mark.parametrize(
    "when", [float("nan"), float("inf"), -1.0, 1e-9, 1e300, -float("inf")]
)
def test_a_time_that_no_name_can_hold_is_refused(when: float) -> None:
    with pytest.raises(ValueError, match="no time for a name"):
        filebase.make(when, b"")
    with pytest.raises(ValueError, match="no time for a name"):
        filebase.at(f"1.5+{DIGEST}", when)


@given(when=times, other=times, digest=digests)
def test_an_entry_keeps_its_digest_at_another_time(
    when: float, other: float, digest: str
) -> None:
    assert filebase.at(f"{when!r}+{digest}", other) == f"{other!r}+{digest}"


def test_a_whole_number_of_seconds_makes_a_name_that_parses() -> None:
    assert filebase.make(1_700_000_000, b"").startswith("1700000000.0+")


@given(st.lists(st.tuples(times, digests), max_size=30))
def test_order_is_by_time_then_digest(entries: list[tuple[float, str]]) -> None:
    names = [f"{when!r}+{digest}" for when, digest in entries]

    ordered = filebase.in_order(names)

    expected = [f"{when!r}+{digest}" for when, digest in sorted(entries)]
    assert expected == ordered


def test_a_long_list_is_ordered_as_a_short_one() -> None:
    chance = random.Random(4)
    names = [
        f"{1_700_000_000 + chance.random() * 1e5!r}+{chance.randbytes(20).hex()}"
        for _ in range(60_000)
    ]

    assert sorted(names) == filebase.in_order(names)
