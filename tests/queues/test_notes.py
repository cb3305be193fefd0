"""Notes: for the next process, and worth less than what they are about."""

from __future__ import annotations

import json
import stat
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from qtool.queues import durable
from qtool.queues.notes import Note

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    name: str
    count: int = 0


def note(folder: Path, layout: int = 1) -> Note[Fact]:
    return Note(folder / ".qtool" / "facts.json", Fact, layout)


def test_looking_writes_nothing(tmp_path: Path) -> None:
    assert note(tmp_path).read() == []
    assert list(tmp_path.iterdir()) == []


def test_the_next_one_finds_what_was_noted_and_nothing_else_stays(
    tmp_path: Path,
) -> None:
    with note(tmp_path).changing() as facts:
        facts.append(Fact(name="a\udcff", count=3))
    (tmp_path / ".qtool" / "facts.tmp").write_text("of one who was killed")
    with note(tmp_path).changing() as facts:
        facts.append(Fact(name="b"))
    assert note(tmp_path).read() == [Fact(name="a\udcff", count=3), Fact(name="b")]
    names = {path.name for path in (tmp_path / ".qtool").iterdir()}
    assert names == {"layout", "facts.json"}
    mode = (tmp_path / ".qtool" / "facts.json").stat().st_mode
    assert stat.S_IMODE(mode) == 0o660
    (tmp_path / ".qtool" / "facts.tmp").write_text("of one who was killed")
    with note(tmp_path).changing() as facts:
        facts.clear()
    assert [path.name for path in (tmp_path / ".qtool").iterdir()] == ["layout"]


def test_a_change_that_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    with note(tmp_path).changing() as facts:
        facts.append(Fact(name="a"))
    before = (tmp_path / ".qtool" / "facts.json").stat()
    with note(tmp_path).changing():
        pass
    after = (tmp_path / ".qtool" / "facts.json").stat()
    assert (after.st_ino, after.st_ctime_ns) == (before.st_ino, before.st_ctime_ns)


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "null", "\xff", "[" * 100_000, '{"layout": 1}',
        '{"layout": 1, "facts": 3}', '{"layout": 1, "facts": [{"name": 3}]}',
        '{"layout": 2, "facts": []}', '{"layout": 1, "facts": [{}]}',
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_dropped_with_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    (tmp_path / ".qtool").mkdir()
    (tmp_path / ".qtool" / "facts.json").write_text(text, "latin-1")
    one = note(tmp_path)
    assert one.read() == one.read() == []
    with one.changing() as facts:
        facts.append(Fact(name="a"))
    assert one.read() == [Fact(name="a")]
    assert len(caplog.records) == 1
    assert "facts.json is dropped: " in caplog.text


def test_a_folder_in_its_place_is_told_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / ".qtool" / "facts.json").mkdir(parents=True)
    one = note(tmp_path)
    for _ in range(2):
        with pytest.raises(IsADirectoryError), one.changing() as facts:
            facts.append(Fact(name="a"))
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "Is a directory"
    ]
    assert not (tmp_path / ".qtool" / "facts.tmp").exists()


def test_what_a_later_qtool_says_besides_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".qtool").mkdir()
    fact = {"name": "a", "count": 1, "colour": "red"}
    text = json.dumps({"layout": 1, "facts": [fact]})
    (tmp_path / ".qtool" / "facts.json").write_text(text)
    assert note(tmp_path).read() == [Fact(name="a", count=1)]


def test_of_several_who_write_none_is_lost(tmp_path: Path) -> None:
    def add(name: str) -> None:
        with note(tmp_path).changing() as facts:
            facts.append(Fact(name=name))

    threads = [threading.Thread(target=add, args=(str(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {fact.name for fact in note(tmp_path).read()} == set("01234567")


def test_who_reads_beside_another_finds_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with note(tmp_path).changing() as facts:
        facts.append(Fact(name="a"))
    one, read_small = note(tmp_path), durable.read_small
    found = []

    def reading(path: str, limit: int) -> bytes:
        with monkeypatch.context() as alone:
            alone.setattr(durable, "read_small", read_small)
            found.append(one.read())  # in the midst of it
        return read_small(path, limit)

    monkeypatch.setattr(durable, "read_small", reading)
    found.append(one.read())
    assert found == [[Fact(name="a")]] * 2


def test_a_spool_that_is_gone_is_not_made_for_a_note(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    with pytest.raises(FileNotFoundError), note(gone).changing():
        pass
    assert not gone.exists()


def test_where_it_cannot_be_written_that_goes_up(tmp_path: Path) -> None:
    (tmp_path / ".qtool").write_text("no folder")
    assert note(tmp_path).read() == []
    with pytest.raises(OSError, match=r"\.qtool"), note(tmp_path).changing():
        pass
