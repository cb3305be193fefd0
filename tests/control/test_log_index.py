"""A log is read once, however often and under whatever name it is looked into."""

from __future__ import annotations

import gzip
import os
import time
from typing import TYPE_CHECKING

import pytest

from qtool.control.shunts import log_index
from qtool.control.shunts.log_files import Budget
from qtool.control.shunts.log_index import LogIndex
from tests.control.mailman_logs import chatter, shunting, traceback, write

if TYPE_CHECKING:
    from pathlib import Path

NOW = time.mktime((2026, 11, 21, 12, 0, 0, 0, 0, -1))
DAY = 86400.0
ALWAYS = float("-inf"), float("inf")
ERROR = traceback("KeyError: 'volume'")
BASES = [f"{NOW + n!r}+{n:040x}" for n in range(9)]
KB = 1 << 10


@pytest.fixture(autouse=True)
def short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_index, "_BLOCK", 64 * KB)


def told(number: int, *, last: bool = False) -> str:
    """What a runner logs of one message, and 200 kB besides."""
    text = shunting(NOW + number, 5, BASES[number], ERROR)
    return text if last else text + chatter(NOW + number, NOW + number + 4000)


def look(
    index: LogIndex, path: Path, start: float = ALWAYS[0], end: float = ALWAYS[1]
) -> tuple[list[int], int]:
    """Return which of the messages a log names, and how many bytes were read."""
    budget = Budget(1 << 30)
    with index.opened(path) as log:
        log.cover(start, end, budget)
        ends = [log.aside(base) for base in BASES]
        for base, at in zip(BASES, ends, strict=True):
            if at is not None:
                assert log.read(at - len(base), len(base)) == base.encode()
    found = [number for number, at in enumerate(ends) if at is not None]
    return found, (1 << 30) - budget.left


@pytest.mark.parametrize("name", ["mailman.log", "mailman.log.1.gz"])
def test_the_same_is_not_read_again(tmp_path: Path, name: str) -> None:
    text = told(0) + told(1) + told(2, last=True)
    log, index = write(tmp_path / name, text, until=NOW), LogIndex()
    assert look(index, log) == ([0, 1, 2], len(text))
    assert look(index, log) == ([0, 1, 2], 0)
    moved = log.rename(log.with_name(f"old{log.suffix}"))
    assert look(index, moved) == ([0, 1, 2], 0)


def test_what_was_added_is_all_that_is_read(tmp_path: Path) -> None:
    first = told(0) + told(1, last=True)
    log, index = write(tmp_path / "log", first[:-20], until=NOW), LogIndex()
    assert look(index, log)[0] == [0]
    with log.open("a") as stream:
        stream.write(first[-20:] + told(2, last=True))
    found, read = look(index, log)
    assert found == [0, 1, 2]
    assert read <= 64 * KB + len(told(2, last=True))


def test_what_was_cut_and_written_anew_is_another_log(tmp_path: Path) -> None:
    log, index = write(tmp_path / "log", told(0), until=NOW), LogIndex()
    assert look(index, log)[0] == [0]
    write(log, told(1) + told(2), until=NOW)
    assert look(index, log)[0] == [1, 2]
    write(log, told(3)[: log.stat().st_size], until=NOW + 1)
    assert look(index, log)[0] == [3]


def test_a_window_costs_what_is_in_it(tmp_path: Path) -> None:
    text = "".join(
        chatter(NOW + n * DAY, NOW + n * DAY + 9000)
        + shunting(NOW + n * DAY + 9000, 5, BASES[n], ERROR)
        for n in range(9)
    )
    log, index = write(tmp_path / "log", text, until=NOW + 9 * DAY), LogIndex()
    found, read = look(index, log, NOW + 4 * DAY + 8900, NOW + 4 * DAY + 9100)
    assert found == [4]
    assert read < len(text) / 5
    assert look(index, log) == (list(range(9)), len(text) - read)


def test_names_at_the_end_of_a_block_are_seen_whole(tmp_path: Path) -> None:
    line = f"SHUNTING: {BASES[0]}"
    longer = f"SHUNTING: {BASES[1]} and more\n"
    for shift in range(-len(longer), len(longer)):
        filling = "x" * (64 * KB - len(line) + shift - 1) + "\n"
        text = filling + line + "\n" + "y" * (64 * KB - len(line) - len(longer)) + "\n"
        log = write(tmp_path / "log", text + longer, until=NOW + shift)
        assert look(LogIndex(), log)[0] == [0]


def test_a_bomb_is_decompressed_up_to_a_limit_and_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_index, "_MOST_UNZIPPED", 640 * KB)
    log, index = tmp_path / "mailman.log.1.gz", LogIndex()
    log.write_bytes(gzip.compress(told(0).encode() + bytes(20_000 * KB)))
    assert look(index, log) == ([0], 640 * KB)
    assert look(index, log) == ([0], 0)
    with index.opened(log) as bomb:
        assert bomb.limit == "no more than 0 MB were decompressed"


def test_no_more_is_remembered_than_there_is_room_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_index, "_MOST_BYTES", 300 * KB)
    index = LogIndex()
    many = "".join(f"SHUNTING: {NOW!r}+{n:040x}\n" for n in range(20_000))
    log = write(tmp_path / "log", many, until=NOW)
    _, read = look(index, log)
    assert read < len(many) / 2
    with index.opened(log) as full:
        assert full.limit == "it names more messages than are remembered"
        assert full.memory < 600 * KB
    # Another log has room all the same: the one that was used longer ago goes.
    other = write(tmp_path / "other", told(0), until=NOW)
    assert look(index, other)[0] == [0]
    assert look(index, other) == ([0], 0)


def test_what_is_no_file_is_no_log(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError, match="no file"), LogIndex().opened(tmp_path / "fifo"):
        pass
