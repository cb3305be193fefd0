"""The whole app over a real spool, driven by keys."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from contextlib import asynccontextmanager
from itertools import groupby
from typing import TYPE_CHECKING

import pytest

from qtool import render
from qtool.control.models import State
from qtool.errors import Refused
from qtool.tui import refuse_terminal
from qtool.tui.app import QToolApp, run
from qtool.tui.screens.board import BoardScreen
from qtool.tui.screens.document import DocumentScreen
from qtool.tui.screens.documents import (
    HelpScreen,
    LogScreen,
    ReportScreen,
    WhyScreen,
)
from qtool.tui.screens.questions import Leaving, Question, SnoozePrompt
from qtool.tui.widgets.entrylist import EntryList
from qtool.tui.widgets.keybar import is_ours
from qtool.tui.widgets.sliceboard import SliceBoard
from tests.tui.site import PLAIN, cursor_on, inject, line_of, make_site, shown, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from textual.pilot import Pilot

    from qtool.control import Control
    from qtool.control.models import Board


@asynccontextmanager
async def opened(
    control: Control, size: tuple[int, int] = (120, 36)
) -> AsyncIterator[tuple[QToolApp, Pilot[int]]]:
    """The app, with its board on the screen; everything is closed afterwards."""
    app = QToolApp(control)
    app.animation_level = "none"
    try:
        async with app.run_test(size=size, notifications=True) as pilot:
            await until(pilot, lambda: line_of(app, "in"))
            yield app, pilot
    finally:
        control.close(unclaim=True)


def tree(root: Path) -> list[tuple[str, int, int]]:
    """Everything under ``root`` with times, recursively."""
    return sorted(
        (str(path), path.stat().st_mtime_ns, path.stat().st_ctime_ns)
        for path in [root, *root.rglob("*")]
    )


# --- Looking


async def test_an_empty_first_start_says_what_to_do(root: Path) -> None:
    async with opened(make_site(root)) as (app, pilot):
        await until(pilot, lambda: "Nothing is waiting here." in shown(app))
        assert f"{root}/queues" in shown(app)
        assert f"qtool inject in --config {root}/qtool.cfg" in shown(app)


async def test_an_arrival_is_seen_and_nothing_starts_by_itself(root: Path) -> None:
    control = make_site(root)
    async with opened(control) as (app, pilot):
        inject(control, "in")
        await until(pilot, lambda: line_of(app, "in").split()[1] == "1")
        assert "stopped s" in line_of(app, "in")
        assert "Nothing is waiting" not in shown(app)


async def test_looking_writes_nothing(root: Path) -> None:
    control = make_site(root)
    inject(control, "in")
    before = tree(root)
    async with opened(control) as (app, pilot):
        await cursor_on(pilot, "in")
        await pilot.press("enter")
        await until(pilot, lambda: "1-1 of 1" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Subject: hello" in shown(app))
        await pilot.press("escape", "escape", "question_mark", "escape")
    assert tree(root) == before


async def test_every_screen_says_which_spool_this_is(root: Path) -> None:
    control = make_site(root)
    inject(control, "in")
    async with opened(control) as (app, pilot):
        await cursor_on(pilot, "in")
        for keys in ([], ["enter"], ["enter"], ["question_mark"]):
            await pilot.press(*keys)
            await until(pilot, lambda: f"{root}/queues" in shown(app).split("\n")[0])
            assert f"{root}/qtool.cfg" in shown(app).split("\n")[0]


async def test_hostile_text_is_shown_and_never_obeyed(root: Path) -> None:
    control = make_site(root)
    hostile = (
        b"From: [@click=app.quit]x[/]\n"
        b"Subject: [/red] \x1b]0;title\x07 \xe2\x80\xae[bold]\n"
        b"X-\x1b[31m: y\n\n\x9b31m [/] \x1b[2J\x07 [red]\n"
    )
    inject(control, "in", hostile, {"lis\x1b[5mt": "[/nope]\x00"})
    async with opened(control) as (app, pilot):
        await cursor_on(pilot, "in")
        await pilot.press("enter")
        await until(pilot, lambda: "1-1 of 1" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Subject: [/red]" in shown(app))
        text = shown(app)
        assert "[@click=app.quit]x[/]" in text
        assert r"\x1b[2J\x07 [red]" in text
        assert not [c for c in text if (ord(c) < 32 and c != "\n") or ord(c) == 0x9B]
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, ReportScreen))
        assert not [c for c in shown(app) if ord(c) < 32 and c != "\n"]


async def test_read_only_is_said_with_its_reason_and_refuses(root: Path) -> None:
    inject(first := make_site(root), "in")
    first.close()
    control = make_site(root, read_only=True)
    async with opened(control) as (app, pilot):
        await until(pilot, lambda: "read-only:" in shown(app).split("\n")[1])
        await cursor_on(pilot, "in")
        await pilot.press("s")
        await until(pilot, lambda: app._notifications)
        assert app.board is not None
        assert {str(row.state) for row in app.board.rows} <= {
            "stopped",
            "no runner",
            "no class",
        }


# --- Acting


async def test_start_processes_and_stop_ends_it(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = make_site(root)
    inject(control, "in")
    states: list[State] = []
    show = SliceBoard.show

    def noting(board: SliceBoard, news: Board) -> None:
        states.extend(row.state for row in news.rows if row.name == "in")
        show(board, news)

    monkeypatch.setattr(SliceBoard, "show", noting)
    async with opened(control) as (app, pilot):
        await cursor_on(pilot, "in")
        await pilot.press("s")
        await until(pilot, lambda: line_of(app, "out").split()[1] == "1")
        await until(pilot, lambda: "running" in line_of(app, "in"))
        await pilot.press("p")
        await until(pilot, lambda: "paused" in line_of(app, "in"))
        await pilot.press("p")
        await until(pilot, lambda: "running" in line_of(app, "in"))
        await pilot.press("x")
        await until(pilot, lambda: "stopped" in line_of(app, "in"))
    passing = State.STOPPING  # before a pause and the stop, if it is seen at all
    assert [state for state, _ in groupby(s for s in states if s is not passing)] == [
        State.STOPPED, State.RUNNING, State.PAUSED, State.RUNNING, State.STOPPED,
    ]  # fmt: skip


async def test_acts_on_a_selected_slice_leave_the_others_alone(root: Path) -> None:
    async with opened(make_site(root)) as (app, pilot):
        await cursor_on(pilot, "mark")
        await pilot.press(*["right"] * 6, "s")

        def states() -> list[str]:
            row = app.board.row("mark") if app.board else None
            return [str(cell.state) for cell in row.cells[::4]] if row else []

        await until(pilot, lambda: "running" in states())
        assert states() == ["stopped", "running", "stopped", "stopped"]


async def test_a_step_shows_what_it_did(root: Path) -> None:
    control = make_site(root)
    inject(control, "in")
    async with opened(control) as (app, pilot):
        await cursor_on(pilot, "in")
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, ReportScreen))
        text = shown(app)
        assert "done: " in text
        assert "enqueued" in text
        assert "msgdata" in text
        await pilot.press("escape")
        assert isinstance(app.screen, BoardScreen)
        await until(pilot, lambda: line_of(app, "out").split()[1] == "1")


async def test_a_step_through_nothing_is_said_in_a_line(root: Path) -> None:
    async with opened(make_site(root)) as (app, pilot):
        await cursor_on(pilot, "in")
        await pilot.press("t")
        await until(pilot, lambda: "step of in: nothing waits" in shown(app))
        assert isinstance(app.screen, BoardScreen)


async def test_a_step_that_raises_shows_the_traceback(root: Path) -> None:
    control = make_site(root)
    inject(control, "mark", PLAIN.replace(b"hello", b"boom"))
    async with opened(control) as (app, pilot):
        await cursor_on(pilot, "mark")
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, ReportScreen))
        assert "shunted: " in shown(app)
        assert "ValueError: boom in the subject" in shown(app)


async def test_the_operator_chooses_which_file_is_stepped(root: Path) -> None:
    control = make_site(root)
    filebases = sorted(inject(control, "mark") for _ in range(3))
    async with opened(control) as (app, pilot):
        await cursor_on(pilot, "mark")
        await pilot.press("T")
        await until(pilot, lambda: "1-3 of 3" in shown(app))
        assert "choose the file" in shown(app)
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, ReportScreen))
        assert f"done: {filebases[1]}" in shown(app)
        assert "+ seen" in shown(app)
    left = [name.rpartition(".")[0] for name in control.names("mark")]
    assert left == [filebases[0], filebases[2]]


async def test_snooze_goes_shorter_and_longer_and_is_typed(root: Path) -> None:
    async with opened(make_site(root)) as (app, pilot):
        await cursor_on(pilot, "in")
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: line_of(app, "in").split()[-1] == "0.5s")
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: line_of(app, "in").split()[-1] == "1s")
        await pilot.press("equals_sign")
        await until(pilot, lambda: isinstance(app.screen, SnoozePrompt))
        await pilot.press("q", "enter")
        assert isinstance(app.screen, SnoozePrompt)
        assert "not a time: q" in shown(app)
        await pilot.press("backspace", *"15m", "enter")
        await until(pilot, lambda: line_of(app, "in").split()[-1] == "15m")


async def test_a_failed_runner_shows_its_traceback_and_starts_again(
    root: Path,
) -> None:
    control = make_site(root, "[runner.dies]\nclass: sample_runners.Dying\n")
    inject(control, "dies")
    async with opened(control) as (app, pilot):
        await cursor_on(pilot, "dies")
        await pilot.press("s")
        await until(pilot, lambda: "failed" in line_of(app, "dies"))
        await until(pilot, lambda: "e traceback" in shown(app))
        await pilot.press("e")
        assert isinstance(app.screen, WhyScreen)
        assert "SystemExit: this runner is broken" in shown(app)
        await pilot.press("escape", "s")
        await until(pilot, lambda: "running" in line_of(app, "dies"))


async def test_a_runner_that_is_held_back_waits_and_says_for_what(root: Path) -> None:
    config = (
        "[runner.calm]\nclass: sample_runners.Marking\nwhen: idle\n"
        "idle_when: empty: out\n"
    )
    control = make_site(root, config)
    inject(control, "out")
    inject(control, "calm")
    async with opened(control) as (app, pilot):
        await cursor_on(pilot, "calm")
        await pilot.press("s")
        await until(pilot, lambda: "◷ waits" in line_of(app, "calm"))
        assert "◷ waits  not idle: empty: out" in shown(app)


async def test_keys_that_another_process_would_refuse_are_grey(root: Path) -> None:
    other = make_site(root)
    other.start("mark", 0)
    try:
        async with opened(make_site(root)) as (app, pilot):
            await cursor_on(pilot, "mark")
            await until(pilot, lambda: "claimed" in line_of(app, "mark"))
            board = app.screen
            assert isinstance(board, BoardScreen)
            assert "claimed by" in board.refusal("stop")
            assert not board.refusal("start")
            await pilot.press("right")
            assert "claimed by" in board.refusal("start")
            assert not board.refusal("open")
            # A pause is on record, and whoever holds the slice keeps to it.
            await pilot.press("p")
            await until(pilot, lambda: _is_paused(other, "mark"))
    finally:
        other.close()


async def test_one_slice_that_waits_for_another_process_is_stopped_by_key(
    root: Path,
) -> None:
    other = make_site(root)
    other.start("mark", 1)
    try:
        async with opened(make_site(root)) as (app, pilot):
            await cursor_on(pilot, "mark")
            await pilot.press("S")
            await until(pilot, lambda: "3 running: waits for pid" in shown(app))
            board = app.screen
            assert isinstance(board, BoardScreen)
            while board.slices.owner != 1:
                await pilot.press("right")
            assert not board.refusal("stop")
            await pilot.press("x")
            await until(pilot, lambda: "mark, slice 1:4, stopped" in shown(app))
            await until(pilot, lambda: "3 running: claimed by pid" in shown(app))
            assert "claimed by" in board.refusal("stop")
    finally:
        other.close()


def _is_paused(control: Control, runner: str) -> bool:
    row = control.scan().row(runner)
    return row is not None and row.cells[0].state is State.PAUSED


async def test_shorter_never_makes_a_snooze_longer(root: Path) -> None:
    config = "[runner.fast]\nclass: sample_runners.Marking\nsleep_time: 0.05\n"
    async with opened(make_site(root, config)) as (app, pilot):
        await cursor_on(pilot, "fast")
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: app._notifications)
        assert line_of(app, "fast").split()[-1] == "50ms"


async def test_a_queue_without_a_runner_says_so(root: Path) -> None:
    async with opened(make_site(root)) as (app, pilot):
        await cursor_on(pilot, "shunt")
        for key in ("s", "x", "p", "t", "equals_sign"):
            app.clear_notifications()
            await pilot.press(key)
            await until(pilot, lambda: app._notifications)
        assert isinstance(app.screen, BoardScreen)


# --- A runner that is stuck


async def test_a_report_does_not_open_under_busy_fingers(root: Path) -> None:
    control = make_site(root, "[runner.stuck]\nclass: sample_runners.Stuck\n")
    inject(control, "stuck")
    async with opened(control) as (app, pilot):
        await cursor_on(pilot, "stuck")
        await pilot.press("t")
        await until(pilot, lambda: (root / "python" / "busy").exists())
        await pilot.press("up")
        (root / "python" / "free").touch()
        await until(pilot, lambda: "r on the board shows the report" in shown(app))
        assert isinstance(app.screen, BoardScreen)
        await pilot.press("r")
        assert isinstance(app.screen, ReportScreen)
        assert "step of stuck" in shown(app)


async def test_a_blocked_runner_freezes_no_key(root: Path) -> None:
    control = make_site(root, "[runner.stuck]\nclass: sample_runners.Stuck\n")
    inject(control, "stuck")
    async with opened(control) as (_, pilot):
        await cursor_on(pilot, "stuck")
        await pilot.press("s")
        await until(pilot, lambda: (root / "python" / "busy").exists())
        for key in ("p", "x", "t"):
            await pilot.press(key)
        for key in (
            "down",
            "up",
            "left",
            "escape",
            "l",
            "l",
            "question_mark",
            "escape",
        ):
            begun = time.perf_counter()
            await pilot.press(key)
            # One that waited for the runner would wait for ever; seconds are load.
            assert time.perf_counter() - begun < 10.0
        (root / "python" / "free").touch()


async def test_leaving_says_what_is_finished_and_again_does_not_wait(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qtool.tui.departure._PATIENCE_SECONDS", 0.02)
    control = make_site(root, "[runner.stuck]\nclass: sample_runners.Stuck\n")
    filebase = inject(control, "stuck")
    async with opened(control) as (app, pilot):
        await cursor_on(pilot, "stuck")
        await pilot.press("s")
        await until(pilot, lambda: (root / "python" / "busy").exists())
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, Leaving))
        await until(pilot, lambda: filebase in shown(app))
        await pilot.press("q")
        await until(pilot, lambda: not app.is_running)
        assert app.return_code == 0
    assert control.names("stuck") == [f"{filebase}.pck"]
    (root / "python" / "free").touch()


async def test_leaving_waits_for_the_message_in_hand(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qtool.tui.departure._PATIENCE_SECONDS", 0.02)
    control = make_site(root, "[runner.stuck]\nclass: sample_runners.Stuck\n")
    inject(control, "stuck")
    async with opened(control) as (app, pilot):
        await cursor_on(pilot, "stuck")
        await pilot.press("s")
        await until(pilot, lambda: (root / "python" / "busy").exists())
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, Leaving))
        (root / "python" / "free").touch()
        await until(pilot, lambda: not app.is_running)
    assert control.names("stuck") == []


# --- Help, palette, log


async def test_help_lists_every_key_of_the_screen(root: Path) -> None:
    async with opened(make_site(root), (120, 60)) as (app, pilot):
        bindings = [active.binding for active in app.screen.active_bindings.values()]
        told = [one.tooltip for one in bindings if one.tooltip and is_ours(one)]
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        assert len(told) > 12
        for words in told:
            assert words in shown(app)


async def test_the_palette_acts_on_any_queue(root: Path) -> None:
    async with opened(make_site(root)) as (app, pilot):
        await pilot.press("ctrl+p")
        await until(pilot, lambda: "Step it through" in shown(app))
        assert "First row" not in shown(app)
        await pilot.press(*"start mark")
        await until(pilot, lambda: "Start its runner" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: "running" in line_of(app, "mark"))


async def test_the_log_is_shown_and_hidden(root: Path) -> None:
    control = make_site(root)
    async with opened(control, (80, 24)) as (app, pilot):
        assert "in " in shown(app)
        await pilot.press("l")
        await until(pilot, lambda: "Nothing logged yet." in shown(app))
        inject(control, "mark", PLAIN.replace(b"hello", b"boom"))
        await cursor_on(pilot, "mark")
        await pilot.press("s")
        await until(pilot, lambda: "boom in the subject" in shown(app))
        await pilot.press("l")
        assert "boom in the subject" not in shown(app)


async def test_the_whole_log_has_the_tracebacks(root: Path) -> None:
    control = make_site(root)
    inject(control, "mark", PLAIN.replace(b"hello", b"boom"))
    async with opened(control) as (app, pilot):
        await cursor_on(pilot, "mark")
        await pilot.press("s")
        await until(pilot, lambda: "(L: traceback)" in shown(app))
        await pilot.press("tab", "up")
        selected = app.screen.query_one(SliceBoard).selected
        assert selected is not None
        assert selected.name == "in"
        await pilot.press("L")
        assert isinstance(app.screen, LogScreen)
        assert "Traceback (most recent call last):" in app.screen.pager.text
        assert "ValueError: boom in the subject" in shown(app)
        inject(control, "mark", PLAIN.replace(b"hello", b"boom"))
        await until(pilot, lambda: shown(app).count("Traceback (most recent") == 2)


async def test_the_log_is_taken_in_by_the_event_loop_alone(root: Path) -> None:
    """A screen may be going through it at any moment."""
    control = make_site(root)
    async with opened(control) as (app, pilot):
        await until(pilot, lambda: app.board)
        assert app.board is not None
        logging.getLogger("qtool.test").error("news")
        there = len(app.log_lines)
        news = threading.Thread(target=app._watched, args=(app.board,))
        news.start()
        news.join()
        assert len(app.log_lines) == there
        await until(pilot, lambda: any(one.text == "news" for one in app.log_lines))


async def test_a_toast_is_short_and_goes_with_its_screen(root: Path) -> None:
    async with opened(make_site(root)) as (app, pilot):
        app.complain("x" * 1_000)
        await until(pilot, lambda: app._notifications)
        assert max(len(one.message) for one in app._notifications) < 300
        await pilot.press("question_mark")
        assert not app._notifications


async def test_a_narrow_screen_keeps_the_keys_for_help_and_leaving(root: Path) -> None:
    async with opened(make_site(root), (44, 20)) as (app, _):
        last = shown(app).split("\n")[-1]
        assert last.strip().startswith("s Start")
        assert last.rstrip().endswith("? Help  q Quit")


async def test_an_entry_tells_its_time_in_full(root: Path) -> None:
    control = make_site(root)
    filebase = inject(control, "out")
    async with opened(control) as (app, pilot):
        await cursor_on(pilot, "out")
        row = app.board.row("out") if app.board else None
        assert row is not None
        app.open_entry(row, filebase)
        since = render.moment(float(filebase.partition("+")[0]))
        await until(pilot, lambda: f"waiting, since {since}" in shown(app))


async def test_an_entry_that_waits_for_its_time_tells_when_it_is_due(
    root: Path,
) -> None:
    control = make_site(root, "[runner.later]\nhonours_due: yes\n")
    filebase = inject(control, "later", msgdata={"deliver_after": 4_000_000_000.0})
    async with opened(control) as (app, pilot):
        await until(pilot, lambda: app.board)
        row = app.board.row("later") if app.board else None
        assert row is not None
        app.open_entry(row, filebase)
        due = render.moment(4_000_000_000.0)
        await until(pilot, lambda: f"waiting, due {due}" in shown(app))


async def test_a_screen_is_given_its_board_once_when_it_opens(root: Path) -> None:
    given: list[Board] = []

    class Noting(DocumentScreen):
        def board_arrived(self, board: Board) -> None:
            super().board_arrived(board)
            given.append(board)

    control = make_site(root)
    async with opened(control) as (app, pilot):
        control.close()
        await pilot.pause()
        await app.push_screen(Noting("a title"))
        await pilot.pause()
        assert len(given) == 1


async def test_a_question_has_its_safe_answer_focused(root: Path) -> None:
    done: list[bool] = []
    async with opened(make_site(root)) as (app, pilot):
        app.ask("Step [/red] through this?", "Step", lambda: done.append(True))
        await until(pilot, lambda: isinstance(app.screen, Question))
        assert "Step [/red] through this?" in shown(app)
        await pilot.press("enter")
        assert done == []
        app.ask("And now?", "Step", lambda: done.append(True))
        await until(pilot, lambda: isinstance(app.screen, Question))
        await pilot.press("right", "enter")
        assert done == [True]


# --- News while keys are pressed


async def test_the_cursor_stays_while_a_thousand_files_come_and_go(
    root: Path,
) -> None:
    control = make_site(root)
    filebases = sorted(inject(control, "out") for _ in range(40))
    folder = root / "queues" / "out"
    async with opened(control) as (app, pilot):
        await cursor_on(pilot, "out")
        await pilot.press("enter")
        await until(pilot, lambda: "of 40" in shown(app))
        await pilot.press(*["down"] * 20)

        def churn() -> None:
            when = float(filebases[-1].partition("+")[0])
            for number in range(500):
                new = folder / f"{when + 1 + number}+{number:040x}.pck"
                new.write_bytes(b"")
                if number % 2:
                    new.unlink()
                if number < 15:
                    (folder / f"{filebases[number]}.pck").unlink()

        churning = asyncio.create_task(asyncio.to_thread(churn))
        while not churning.done():
            await pilot.press("down", "up")
        await churning
        await until(pilot, lambda: f"of {25 + 250}" in shown(app))
        entries = app.screen.query_one(EntryList)
        assert entries.selected == f"{filebases[20]}.pck"
        await pilot.press("escape")
        board = app.screen.query_one(SliceBoard)
        assert board.selected is not None
        assert board.selected.name == "out"


async def test_an_entry_that_is_gone_says_so(root: Path) -> None:
    control = make_site(root)
    filebase = inject(control, "out")
    async with opened(control) as (app, pilot):
        await until(pilot, lambda: app.board)
        (root / "queues" / "out" / f"{filebase}.pck").unlink()
        row = app.board.row("out") if app.board else None
        assert row is not None
        app.open_entry(row, filebase)
        await until(pilot, lambda: "is not there any more" in shown(app))
        await pilot.press("escape")
        assert isinstance(app.screen, BoardScreen)


# --- The edges


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_dumb_terminal_is_refused(
    term: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", term)
    with pytest.raises(Refused, match="TERM=dumb"):
        refuse_terminal()
    control = make_site(root)
    with pytest.raises(Refused):
        run(control)
    control.close()


async def test_a_crash_prints_no_locals(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        body = "a secret body"
        raise RuntimeError(body)

    control = make_site(root)
    app = QToolApp(control)
    with pytest.raises(RuntimeError):  # noqa: PT012 - the app raises as it ends
        async with app.run_test() as pilot:
            app.call_next(broken)
            await until(pilot, lambda: not app.is_running)
    assert app.return_code == 1
    app._print_error_renderables()
    assert "secret" not in "".join(capsys.readouterr())
    control.close()
