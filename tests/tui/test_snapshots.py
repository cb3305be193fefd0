"""Whole screens as pictures, at the two sizes that people have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qtool.control.models import (
    RECONNECTING,
    Enqueued,
    LogLine,
    Outcome,
    Site,
    State,
    StepReport,
)
from qtool.tui.app import QToolApp
from qtool.tui.messages import BoardArrived
from qtool.tui.screens.documents import ReportScreen, WhyScreen
from qtool.tui.screens.questions import Question, SnoozePrompt
from tests.tui.boards import AT, SITE, board, healthy, large, row, sick
from tests.tui.site import make_site, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.pilot import Pilot
    from textual.screen import Screen

    from qtool.control import Control
    from qtool.control.models import Board

    Compare = Callable[..., bool]

SMALL, LARGE = (80, 24), (120, 36)


def empty() -> Board:
    """The built-in default on its first day."""
    site = Site(spool="/home/anne/.local/state/qtool/queues", source="built-in default",
                kind="own", read_only="", watching="events")  # fmt: skip
    nobody: dict[str, Any] = {
        "runner": None, "runner_slices": 0, "state": State.NO_RUNNER,
        "snooze_seconds": None,
    }  # fmt: skip
    return board(
        row("in", state=State.STOPPED), row("out", **nobody), row("shunt", **nobody),
        row("bad", **nobody), site=site,
    )  # fmt: skip


def foreign() -> Board:
    """Another user's Mailman, looked at."""
    site = Site(
        spool="/var/lib/mailman3/queue", source="/etc/mailman3/mailman.cfg",
        kind="mailman3", read_only="run: sudo -u list qtool", watching="polling",
        mailman="Mailman (pid 812)",
    )  # fmt: skip
    master: dict[str, Any] = {
        "state": State.MAILMAN,
        "snooze_fixed": True,
        "note": "Mailman (pid 812)",
    }
    return board(
        row("archive", **master), row("in", [3, 0, 1, 0] * 4, **master),
        row("lmtp", [], has_queue=False, depth=None, in_flight=None, **master),
        row("out", [0, 0, 14, 9] * 4, owners=4, **master, trend=(7, 5, 9) * 8),
        row("virgin", [0] * 16, state=State.UNREADABLE, note="Permission denied"),
        site=site,
    )  # fmt: skip


def gone() -> Board:
    """What a daemon said before it went."""
    return replace(sick(), site=replace(SITE, attached=RECONNECTING))


HAND = f"{AT}+{'a94a8fe5' * 5}"
FRAME = '  File "/opt/qtool/engine/{}.py", line {}, in {}\n    {}\n'
STACK = (
    "Stack, the latest call last:\n"
    + FRAME.format("runner", 120, "run", "one_pass(self, None)")
    + FRAME.format("processing", 122, "_dispose", "runner._dispose(mlist, msg)")
    + '  File "/srv/runners/site.py", line 41, in _dispose\n'
    "    answer = self._lookup(msg)\n"
    '  File "/srv/runners/site.py", line 57, in _lookup\n'
    "    with urlopen(self._address) as page:\n"
)


def held_up() -> Board:
    """Nothing is broken, and nothing moves."""
    cause = "ConnectionRefusedError: news.example.org: connection refused"
    return board(
        row("archive", [1, 3] * 8, note="not idle: load < 1.5: it is 2.31"),
        row("in", [0, 1, 4, 0] * 4, owners=4, states={2: State.HUNG}, state=State.HUNG,
            in_flight=4, traceback=STACK,
            note=f"slice 2:4 hung, 3 running: waits for the network in _lookup; in hand"
            f" {HAND}; hung for 412 s: `with urlopen(self._address) as page:`"),
        row("nntp", [3] * 16, state=State.RESTARTING, traceback="Traceback",
            note=f"{cause}; restarts in 6 s (5 of 10)"),
        row("out", [0, 9, 1, 0] * 4, owners=8, state=State.PAUSED,
            note="paused: the disk of the archive is full, the new one comes on Monday;"
            " by root since 14:20, until 2026-11-22 14:20"),
        row("retry", [0, 2] * 8, honours_due=True, oldest=AT + 3600),
        row("virgin", [0, 1] * 8, owners=2, states={1: State.CLAIMED},
            state=State.CLAIMED, note="slice 1:2 claimed, 1 running: claimed by pid 7"),
    )  # fmt: skip


REPORT = StepReport(
    runner="in",
    queue="in",
    filebase=f"{AT}+{'a94a8fe5' * 5}",
    outcome=Outcome.SHUNTED,
    before={"listid": "ant.example.com", "version": 3, "original_size": 2100},
    after={"listid": "ant.example.com", "version": 3, "seen": True},
    enqueued=(Enqueued(queue="shunt", filebase=f"{AT + 1}+{'b1946ac9' * 5}"),),
    log=(LogLine(number=1, when=AT, level="ERROR", source="in",
                 text="shunted <1@example.com>: [/red] \x1b[2J"),),
    traceback="Traceback (most recent call last):\n"
    '  File "handlers.py", line 3, in process\n    raise ValueError(name)\n'
    "ValueError: ant@example.com is no list here",
    seconds=0.0124,
)  # fmt: skip


@pytest.fixture
def control(root: Path) -> Iterator[Control]:
    """A real one, whose own boards stand back for those of the pictures."""
    control = make_site(root)
    yield control
    control.close()


def compared(
    snap_compare: Compare,
    control: Control,
    shown: Board,
    size: tuple[int, int],
    keys: tuple[str, ...] = (),
    screen: Screen[Any] | None = None,
) -> bool:
    """Whether the screen is as it was, with that board and after those keys."""

    async def prepare(pilot: Pilot[int]) -> None:
        app = pilot.app
        assert isinstance(app, QToolApp)
        app.animation_level = "none"
        await until(pilot, lambda: app.board)
        control.close()
        await pilot.pause()
        app.log_lines.clear()
        app.post_message(BoardArrived(shown))
        if screen is not None:
            await app.push_screen(screen)
        await pilot.pause()
        await pilot.press(*keys)

    return snap_compare(QToolApp(control), terminal_size=size, run_before=prepare)


@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x36"])
@pytest.mark.parametrize("make", [healthy, sick, empty, large, foreign, gone, held_up])
def test_the_board(
    snap_compare: Compare,
    control: Control,
    make: Callable[[], Board],
    size: tuple[int, int],
) -> None:
    assert compared(snap_compare, control, make(), size)


def test_the_end_of_a_long_board(snap_compare: Compare, control: Control) -> None:
    assert compared(snap_compare, control, large(), SMALL, ("end",))


def test_a_selected_slice(snap_compare: Compare, control: Control) -> None:
    keys = ("down", *["right"] * 10)
    assert compared(snap_compare, control, sick(), LARGE, keys)


def test_a_narrow_board(snap_compare: Compare, control: Control) -> None:
    assert compared(snap_compare, control, sick(), (50, 20))


def test_a_step_report(snap_compare: Compare, control: Control) -> None:
    assert compared(snap_compare, control, sick(), SMALL, (), ReportScreen(REPORT))


def test_a_traceback(snap_compare: Compare, control: Control) -> None:
    failed = sick().row("pipeline")
    assert failed is not None
    assert compared(snap_compare, control, sick(), SMALL, (), WhyScreen(failed, AT))


def test_a_stack(snap_compare: Compare, control: Control) -> None:
    assert compared(snap_compare, control, held_up(), SMALL, ("e",))


def test_why_a_runner_is_paused(snap_compare: Compare, control: Control) -> None:
    assert compared(snap_compare, control, held_up(), SMALL, ("down", "down"))


def test_a_question(snap_compare: Compare, control: Control) -> None:
    asked = "Step Mailman's runner out?\n\nsubject     [/red] hello\nrecipients  412"
    assert compared(snap_compare, control, sick(), SMALL, (), Question(asked, "Step"))


def test_a_time_that_is_none(snap_compare: Compare, control: Control) -> None:
    prompt = SnoozePrompt("in", "1s")
    assert compared(snap_compare, control, sick(), SMALL, ("q", "enter"), prompt)


def test_help(snap_compare: Compare, control: Control) -> None:
    assert compared(snap_compare, control, sick(), LARGE, ("question_mark",))


def test_the_palette(snap_compare: Compare, control: Control) -> None:
    keys = ("ctrl+p", *"step out")
    assert compared(snap_compare, control, sick(), SMALL, keys)


def test_every_picture_is_a_test_s(request: pytest.FixtureRequest) -> None:
    module = request.node.getparent(pytest.Module)
    tests = {item.name for item in module.collect()}
    pictures = Path(__file__).parent / "__snapshots__" / Path(__file__).stem
    assert [path.name for path in pictures.iterdir() if path.stem not in tests] == []
