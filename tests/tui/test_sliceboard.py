"""The board as a widget, given boards made by hand."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from qtool.control.models import RECONNECTING, State
from qtool.tui.widgets.sliceboard import SliceBoard
from qtool.tui.widgets.words import state_spans
from tests.tui.boards import AT, SITE, Stage, board, healthy, large, lines_of, row, sick
from tests.tui.site import until

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.pilot import Pilot
    from textual.strip import Strip

    from qtool.control.models import Board


class BoardStage(Stage):
    """One board, nothing else."""

    def __init__(self, first: Board) -> None:
        super().__init__()
        self._first = first

    def compose(self) -> ComposeResult:
        yield SliceBoard()

    @property
    def slices(self) -> SliceBoard:
        return self.query_one(SliceBoard)

    def on_mount(self) -> None:
        self.slices.focus()
        self.call_after_refresh(lambda: self.slices.show(self._first))


async def ready(pilot: Pilot[None]) -> None:
    """Wait for the board to be drawn."""
    await until(pilot, lambda: lines_of(pilot.app)[0].strip().startswith("queue"))


def chosen(app: BoardStage) -> tuple[int | None, int | None]:
    return app.slices.at_slice, app.slices.owner


async def test_its_first_drawing_holds_a_board_that_came_before_its_size() -> None:
    drawn: list[str] = []

    class Watched(SliceBoard):
        def render_line(self, y: int) -> Strip:
            strip = super().render_line(y)
            drawn.append(strip.text)
            return strip

    class Early(BoardStage):
        def compose(self) -> ComposeResult:
            yield Watched()

        def on_mount(self) -> None:
            self.slices.show(self._first)

    app = Early(healthy())
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
    assert drawn[0].split()[:2] == ["queue", "depth"]
    assert drawn[1].strip()


async def test_it_scrolls_and_keeps_its_heading_and_says_where_it_is() -> None:
    app = BoardStage(large())
    async with app.run_test(size=(80, 20)) as pilot:
        await ready(pilot)
        lines = lines_of(app)
        assert lines[0].split()[:2] == ["queue", "depth"]
        assert lines[-1].strip() == "rows 1-9 of 14"
        await pilot.press("end")
        lines = lines_of(app)
        assert lines[0].split()[:2] == ["queue", "depth"]
        assert lines[-1].strip() == "rows 6-14 of 14"
        assert app.slices.selected is not None
        assert app.slices.selected.name == "virgin"


async def test_the_cursor_stays_on_its_name_whatever_comes_and_goes() -> None:
    shuffled = random.Random(5)
    names = [f"queue{number:02}" for number in range(20)]
    app = BoardStage(board(*(row(name) for name in names)))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        await pilot.press(*["down"] * 7, "right", "right")
        for _ in range(60):
            others = [name for name in names if name != "queue07"]
            there = sorted([*shuffled.sample(others, 12), "queue07"])
            app.slices.show(
                board(*(row(n, [shuffled.randrange(9)] * 16) for n in there))
            )
            assert app.slices.selected is not None
            assert app.slices.selected.name == "queue07"
            assert app.slices.at_slice == 1


async def test_only_lines_that_changed_are_drawn_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = healthy()
    app = BoardStage(first)
    async with app.run_test(size=(120, 24)) as pilot:
        await ready(pilot)
        drawn: list[int] = []
        refresh = app.slices.refresh

        def noted(*regions: object, **options: bool) -> SliceBoard:
            drawn.extend(region.y for region in regions)  # type: ignore[attr-defined] # regions
            return refresh(*regions, **options)  # type: ignore[arg-type] # as given

        monkeypatch.setattr(app.slices, "refresh", noted)
        app.slices.show(replace(first))
        assert drawn == []
        deeper = tuple(
            replace(one, depth=77) if one.name == "in" else one for one in first.rows
        )
        app.slices.show(replace(first, rows=deeper))
        assert drawn == [3]


async def test_left_and_right_select_a_slice_and_its_owner() -> None:
    app = BoardStage(board(row("out", [1] * 16, owners=4)))
    async with app.run_test(size=(100, 24)) as pilot:
        await ready(pilot)
        assert chosen(app) == (None, None)
        await pilot.press(*["right"] * 6)
        assert chosen(app) == (5, 1)
        await pilot.press("escape")
        assert chosen(app) == (None, None)
        await pilot.press("left")
        assert chosen(app) == (15, 3)
        await pilot.press("home")
        assert app.slices.at_slice is None


async def test_escape_leaves_the_slice_and_keeps_the_row() -> None:
    app = BoardStage(board(row("in", [1] * 16), row("out", [1] * 16)))
    async with app.run_test(size=(100, 24)) as pilot:
        await ready(pilot)
        await pilot.press("down", "right", "escape", "escape")
        assert app.slices.selected is not None
        assert app.slices.selected.name == "out"
        assert chosen(app) == (None, None)


async def test_a_click_selects_the_slice_under_the_pointer() -> None:
    app = BoardStage(sick())
    async with app.run_test(size=(120, 24)) as pilot:
        await ready(pilot)
        line = lines_of(app)[2]
        await pilot.click(offset=(line.index("410"), 2))
        assert app.slices.selected is not None
        assert app.slices.selected.name == "out"
        assert app.slices.owner == 2


async def test_depth_is_shade_and_number() -> None:
    app = BoardStage(board(row("in", [0, 1, 20, 99] * 4)))
    async with app.run_test(size=(120, 24)) as pilot:
        await ready(pilot)
        strip = app.slices.render_line(1)
        shades = {
            segment.style.bgcolor
            for segment in strip
            if segment.style and segment.text.strip() in {"·", "1", "20", "99"}
        }
        assert len(shades) == 4
        assert "  ·  1 20 99  ·" in strip.text


async def test_without_colour_glyphs_carry_the_shape(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = BoardStage(board(row("in", [0, 1, 50, 5_000] * 4)))
    async with app.run_test(size=(70, 24)) as pilot:
        await ready(pilot)
        text = app.slices.render_line(1).text
        assert len({text.count(shade) for shade in "░▒▓"} - {0}) >= 1
        assert all(shade in text for shade in ("░", "▒", "█"))


async def test_without_colour_the_shade_goes_before_the_figure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = BoardStage(board(row("in", [0, 7, 420, 7] * 4, owners=8)))
    async with app.run_test(size=(120, 24)) as pilot:
        await ready(pilot)
        assert "▓▓▓░ 7" in app.slices.render_line(1).text


async def test_marks_stand_below_each_other_and_no_dot_beside_them() -> None:
    stopped = {1: State.STOPPED}
    one = row("in", [0, 1] * 8, owners=4, states=stopped, state=State.STOPPED)
    app = BoardStage(board(one))
    async with app.run_test(size=(120, 24)) as pilot:
        await ready(pilot)
        assert "·  1 ■  ■ 1■  ■ 1 " in app.slices.render_line(1).text


async def test_a_board_that_was_seen_before_shows_its_depths_and_no_more() -> None:
    one = row("in", [5] * 16, in_flight=3, rate_in=12.0, state=State.STOPPING)
    app = BoardStage(board(one))
    async with app.run_test(size=(120, 24)) as pilot:
        await ready(pilot)
        assert "stopping" in app.slices.render_line(1).text
        gone = replace(SITE, attached=RECONNECTING)
        app.slices.show(board(one, site=gone))
        assert app.slices.has_class("-stale")
        assert app.slices.render_line(1).text.split()[-5:] == ["…"] * 5
        assert app.slices.render_line(1).text.split()[1] == "80"
        app.slices.show(board(one))
        assert not app.slices.has_class("-stale")
        assert "stopping" in app.slices.render_line(1).text


async def test_a_failed_slice_is_marked_in_its_cells() -> None:
    app = BoardStage(sick())
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        pipeline = next(line for line in lines_of(app) if "pipeline" in line)
        assert pipeline.count("✗") == 5
        assert "failed" in pipeline


async def test_a_runner_that_failed_as_a_whole_is_marked_in_its_name_alone() -> None:
    app = BoardStage(board(row("in", [1] * 16, state=State.FAILED)))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        strip = app.slices.render_line(1)
        assert strip.text.count("✗") == 1
        inks = {segment.text.strip(): segment.style for segment in strip}
        name, state = inks["in"], inks["✗ failed"]
        assert name is not None
        assert state is not None
        assert name.color == state.color


async def test_figures_that_touch_are_told_apart() -> None:
    app = BoardStage(board(row("out", [197, 217] * 8, owners=8)))
    async with app.run_test(size=(120, 24)) as pilot:
        await ready(pilot)
        strip = app.slices.render_line(1)
        assert "197217" in strip.text
        bold = {
            segment.text: segment.style.bold
            for segment in strip
            if segment.style and segment.text in {"197", "217"}
        }
        assert bold == {"197": None, "217": True}


async def test_a_runner_without_a_queue_has_no_cells() -> None:
    app = BoardStage(healthy())
    async with app.run_test(size=(120, 24)) as pilot:
        await ready(pilot)
        lmtp = next(line for line in lines_of(app) if "lmtp" in line)
        assert "·" not in lmtp
        assert lmtp.split()[1] == "-"


async def test_every_width_is_drawn_without_error_and_without_overflow() -> None:
    app = BoardStage(sick())
    async with app.run_test(size=(120, 24)) as pilot:
        await ready(pilot)
        for width in (20, 33, 47, 61, 79, 80, 99, 140, 220):
            await pilot.resize_terminal(width, 12)
            await pilot.pause()
            assert {len(line) for line in lines_of(app)} == {width}


async def test_states_read_as_words_that_fit_their_column() -> None:
    states = list(State)
    app = BoardStage(board(*(row(f"q{n:02}", state=s) for n, s in enumerate(states))))
    short = {State.MAILMAN_STOPPED: "stopped", State.IMPORT_ERROR: "no import",
             State.UNREADABLE: "no access", State.RESTARTING: "restarts"}  # fmt: skip
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot)
        for number, state in enumerate(states):
            line = next(ln for ln in lines_of(app) if f"q{number:02}" in ln)
            assert short.get(state, str(state)) in line
            assert len(line) == 80
            assert (
                sum(len(text) for _, text in state_spans(row("x", state=state), AT))
                <= 11
            )
