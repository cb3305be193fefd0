from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from qtool.control.models import State
from qtool.control.rows import Row
from tests.control.site import (
    HERE,
    MAIL,
    PATIENCE,
    Boards,
    configuration,
    open_site,
    put,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qtool.control.control import Control
    from qtool.control.models import Board

TEXT = configuration(**{"in": f"class: {HERE}.Taking", "out": ""})


@pytest.fixture(autouse=True)
def quick_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look after all queues ten times a second, and not once; know rates as soon."""
    monkeypatch.setattr("qtool.control.observer.TICK_SECONDS", 0.1)
    monkeypatch.setattr("qtool.control.rates.SHORTEST_SECONDS", 0.1)


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    control = open_site(tmp_path, TEXT)
    yield control
    control.close()


def depth(board: Board, name: str) -> int | None:
    row = board.row(name)
    assert row is not None
    return row.depth


def watched(control: Control) -> Boards:
    """Boards of a site whose folders are watched by now."""
    boards = Boards(control)
    boards.wait(lambda board: board.site.watching == "events")
    return boards


def test_the_first_board_has_read_everything(control: Control) -> None:
    put(control, "out")
    assert depth(Boards(control).wait(lambda _: True), "out") == 1


def test_no_runner_s_class_holds_up_the_first_board(tmp_path: Path) -> None:
    (tmp_path / "takes_long.py").write_text("raise ImportError('at last')\n")
    text = (
        f"[paths]\npython: .\n{configuration(out='', **{'in': 'class: takes_long.A'})}"
    )
    control = open_site(tmp_path, text)
    boards = Boards(control)
    later = boards.wait(lambda board: _states(board) != _states(boards.seen[0]))
    control.close()

    assert _states(boards.seen[0])[:2] == [State.NO_CLASS, State.STOPPED]
    assert _states(later)[:2] == [State.NO_CLASS, State.IMPORT_ERROR]


def test_the_first_board_knows_who_holds_a_slice_and_which_runner_has_no_class(
    tmp_path: Path, control: Control
) -> None:
    control.start("in")
    other = open_site(tmp_path, TEXT)
    first = Boards(other).wait(lambda _: True)
    other.close()

    held, classless = first.row("in"), first.row("out")
    assert held is not None
    assert classless is not None
    assert (held.state, held.refusal) == (State.CLAIMED, held.note)
    assert f"claimed by pid {os.getpid()}" in held.note
    assert (classless.state, classless.refusal) == (State.NO_CLASS, classless.note)
    assert "has no class: set class in [runner.out]" in classless.note


def _states(board: Board) -> list[State]:
    return [row.state for row in board.rows]


def test_what_another_process_puts_there_is_seen_at_once(control: Control) -> None:
    boards = watched(control)
    folder = control.configuration.switchboards["out"].queue_directory
    seconds = []
    for number in range(6):
        temporary = folder / "temporary.pck.tmp"
        temporary.write_bytes(b"x")
        began = time.monotonic()
        temporary.rename(folder / f"17000000{number}.5+{'0' * 39}{number}.pck")
        boards.wait(lambda board, n=number + 1: depth(board, "out") == n)  # type: ignore[misc]
        seconds.append(time.monotonic() - began)
    # The promise is 50 ms; a poll would be 2 s, and load is in between.
    assert sorted(seconds)[len(seconds) // 2] < 1.0


def test_boards_come_though_nothing_happens(control: Control) -> None:
    boards = watched(control)
    count = len(boards.seen)
    boards.wait(lambda board: board.at > boards.seen[count - 1].at, since=count)


def test_a_change_without_an_event_is_seen_all_the_same(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = control.configuration.switchboards["out"]
    monkeypatch.setattr(type(queue), "watch", lambda self, callback: lambda: None)
    boards = Boards(control)
    boards.wait(lambda board: depth(board, "out") == 0)
    put(control, "out")
    boards.wait(lambda board: depth(board, "out") == 1)


def test_a_runner_that_starts_is_news(control: Control) -> None:
    boards = watched(control)
    control.start("in")
    boards.wait(lambda board: board.rows[0].state is State.RUNNING)
    control.stop("in")
    boards.wait(lambda b: b.rows[0].state is State.STOPPED, since=len(boards.seen))


def test_rates_are_counted_and_the_trend_follows(control: Control) -> None:
    boards = watched(control)
    control.start("in")
    for _ in range(6):
        put(control, "in")
    board = boards.wait(
        lambda board: depth(board, "in") == 0 and board.rows[0].rate_out,
        since=len(boards.seen),
    )
    row = board.rows[0]
    assert row.rate_in is not None
    assert row.rate_in > 0
    assert row.trend


def test_rates_are_unknown_while_folders_are_polled(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    boards = watched(control)
    board = boards.wait(lambda board: board.rows[1].rate_in == 0.0)
    folders = {
        str(queue.queue_directory)
        for queue in control.configuration.switchboards.values()
    }
    monkeypatch.setattr("qtool.queues.watch.Watcher.polled", folders)
    board = boards.wait(
        lambda board: board.site.watching == "polling", since=len(boards.seen)
    )
    assert (board.rows[1].rate_in, board.rows[1].rate_out) == (None, None)


@pytest.mark.parametrize(
    ("polled", "told"),
    [
        (["out"], "polling out"),
        (["in", "bad"], "polling in, bad"),
        (["in", "out", "bad"], "polling in, out and 1 more"),
    ],
)
def test_a_folder_that_is_polled_is_named_and_blinds_no_other(
    control: Control, monkeypatch: pytest.MonkeyPatch, polled: list[str], told: str
) -> None:
    boards = watched(control)
    queues = control.configuration.switchboards
    folders = {str(queues[name].queue_directory) for name in polled}
    monkeypatch.setattr("qtool.queues.watch.Watcher.polled", folders)
    boards.wait(lambda board: board.site.watching == told)
    board = boards.wait(
        lambda board: board.rows[2].rate_in == 0.0, since=len(boards.seen)
    )
    assert board.rows[2].name == "shunt"
    assert all(row.rate_in is None for row in board.rows if row.name in polled)


def test_several_may_watch(control: Control) -> None:
    first, second = Boards(control), Boards(control)
    put(control, "out")
    first.wait(lambda board: depth(board, "out") == 1)
    second.wait(lambda board: depth(board, "out") == 1)
    assert control.board == second.seen[-1]


def test_a_callback_that_raises_does_not_end_the_boards(control: Control) -> None:
    def broken(_board: Board) -> None:
        raise RuntimeError("the screen is gone")

    control.watch(broken)
    boards = Boards(control)
    boards.wait(lambda board: board.site.watching)
    boards.wait(lambda _: len(boards.seen) > 2)


def test_no_board_comes_after_the_end(tmp_path: Path) -> None:
    control = open_site(tmp_path, TEXT)
    boards = Boards(control)
    boards.wait(lambda _: True)
    control.close()
    count = len(boards.seen)
    assert not [t for t in threading.enumerate() if t.name == "qtool-observer"]
    assert len(boards.seen) == count


def test_a_queue_that_is_slow_to_read_holds_up_no_other(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    boards = watched(control)
    queue = control.configuration.switchboards["in"]
    scan, go_on = type(queue).scan, threading.Event()

    def slow_scan(self: object, slices: object) -> object:
        if self is queue:
            go_on.wait(PATIENCE)
        return scan(self, slices)  # type: ignore[arg-type]

    monkeypatch.setattr(type(queue), "scan", slow_scan)
    control._survey.rows()[0].seconds = 1.0
    os.utime(queue.queue_directory)
    put(control, "in", MAIL)
    put(control, "out", MAIL)
    board = boards.wait(lambda board: depth(board, "out") == 1)
    assert depth(board, "in") == 0
    go_on.set()
    boards.wait(lambda board: depth(board, "in") == 1)


def test_a_kept_answer_does_not_make_a_slow_queue_quick(control: Control) -> None:
    """The next change is read apart all the same, and holds up no other queue."""
    put(control, "out")
    queue = control.configuration.switchboards["out"]
    os.utime(queue.queue_directory, (1.5, 1.5))
    row = Row(control.configuration.runner("out"), queue, view_slices=16)
    row.read()
    row.seconds = 9.0
    row.read()
    assert row.seconds == 9.0
    put(control, "out")
    row.read()
    assert row.seconds < 9.0


def test_a_spool_that_is_gone_is_told_until_it_is_back(
    control: Control, tmp_path: Path
) -> None:
    put(control, "out")
    boards = watched(control)
    (tmp_path / "queues").rename(tmp_path / "away")
    gone = boards.wait(lambda board: board.site.verdict and depth(board, "out") is None)
    assert gone.site.verdict is not None
    assert gone.site.verdict.words == "the spool is gone"
    (tmp_path / "away").rename(tmp_path / "queues")
    boards.wait(
        lambda board: board.site.verdict is None and depth(board, "out") == 1,
        since=len(boards.seen),
    )


def test_the_first_message_that_is_ever_shunted_is_told(
    control: Control, tmp_path: Path
) -> None:
    (tmp_path / "queues" / "shunt").rmdir()
    boards = watched(control)
    boards.wait(lambda board: len(boards.seen) > 2)
    control.start("in")
    put(control, "in", MAIL.replace(b"hello", b"boom"))
    boards.wait(lambda board: _words(board, "shunt") == "1 shunted in 5 min")


def _words(board: Board, name: str) -> str:
    row = board.row(name)
    assert row is not None
    return row.verdict.words if row.verdict else ""
