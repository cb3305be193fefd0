"""What the journal writes of an act is what it reads, whole or in short."""

from __future__ import annotations

import io
import json
from dataclasses import asdict, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qtool.control.acts.records import (
    Moved,
    Record,
    Summary,
    begin_lines,
    end_lines,
    parsed,
    summary,
)
from qtool.control.places import trash

names = st.text(st.characters(codec="utf-8"), max_size=12)
suffixes = st.sampled_from([".pck", ".psv"])
msgdata = st.none() | st.dictionaries(names, st.none() | names | st.integers())


@st.composite
def records(draw: st.DrawFn) -> Record:
    bases = draw(st.lists(names, unique=True, max_size=6))
    moves = tuple(
        Moved(
            source=draw(names),
            filebase=base,
            suffix=draw(suffixes),
            target=draw(names.filter(lambda name: name != "trash")),
            new_filebase=draw(st.just(base) | names.filter(bool)),
            new_suffix=draw(suffixes),
            msgdata=draw(msgdata),
            swapped=draw(st.booleans()),
            original=draw(names),
        )
        for base in bases
    )
    return Record(
        number=7, verb=draw(names), queue=draw(names), to=draw(names),
        at=draw(st.floats(0, 2e9)), uid=draw(st.integers(0, 1 << 31)),
        who=draw(names), why=draw(names), undoes=draw(st.integers(0, 9)),
        count=len(moves), moves=moves,
    )  # fmt: skip


def short(record: Record) -> Summary:
    facts = {name: getattr(record, name) for name in Summary.__dataclass_fields__}
    return Summary(**facts)


@settings(max_examples=150)
@given(records(), st.data())
def test_an_act_is_read_as_it_was_written_whole_and_in_short(
    record: Record, data: st.DataObject
) -> None:
    bases = [m.filebase for m in record.moves]
    some = st.lists(st.sampled_from(bases), unique=True) if bases else st.just([])
    made = data.draw(some)
    unsure = data.draw(some.map(lambda each: [n for n in each if n not in made]))
    left = data.draw(st.integers(0, 9))
    begun, ended = begin_lines(record), end_lines(made, left, record.count, unsure)
    told = replace(record, done=len(made), left=left)
    read = parsed(7, begun + ended)
    assert [m.filebase for m in read.carried_out] == [
        m.filebase for m in record.moves if m.filebase in (*made, *unsure)
    ]
    assert replace(read, made=None) == told
    assert summary(7, io.BytesIO(begun + ended)) == short(told)
    # Killed while it wrote that: it is cut off, and every move may have been made.
    kept = data.draw(st.integers(0, len(ended) - 1))
    assert parsed(7, begun + ended[:kept]) == record
    assert summary(7, io.BytesIO(begun + ended[:kept])) == short(record)


@pytest.mark.parametrize("end", [b"", b'{"done": ["17', b'{"done": ["1.5+aa"]}\n'])
def test_what_a_former_qtool_has_written_is_read(end: bytes) -> None:
    moves = [
        Moved(
            source="in", filebase=base, suffix=".pck", target="trash",
            new_filebase=base, new_suffix=".pck",
        )
        for base in ("1.5+aa", "1.6+bb")
    ]  # fmt: skip
    told = {
        "version": 1, "verb": "discard", "queue": "in", "to": "", "at": 5.5, "uid": 3,
        "who": "anne", "why": "spam", "undoes": 0, "moves": list(map(asdict, moves)),
    }  # fmt: skip
    data = json.dumps(told).encode() + b"\n" + end
    read = parsed(7, data)
    assert summary(7, io.BytesIO(data)) == read
    done = 1 if end.endswith(b"\n") else None
    assert (read.verb, read.who, read.count, read.done) == ("discard", "anne", 2, done)
    assert [m.filebase for m in read.carried_out] == ["1.5+aa", "1.6+bb"][: done or 2]
    assert {m.target for m in read.moves} == {trash(7)}
