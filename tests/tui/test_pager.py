"""Text to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from qtool.tui.widgets.pager import PAIR, Pager, wrapped
from tests.tui.boards import Stage, lines_of

if TYPE_CHECKING:
    from textual.app import ComposeResult


class PagerStage(Stage):
    """One document, nothing else."""

    def compose(self) -> ComposeResult:
        yield Pager()

    @property
    def pager(self) -> Pager:
        return self.query_one(Pager)

    def on_mount(self) -> None:
        self.pager.focus()


@given(st.lists(st.text("ab ç漢x", max_size=120), max_size=5), st.integers(8, 60))
def test_wrapped_lines_fit_and_lose_nothing(lines: list[str], width: int) -> None:
    pieces = wrapped([("", line) for line in lines], width)
    assert all(cell_len(text) <= width for _, text in pieces)
    whole = "".join(text.replace(" ", "") for _, text in pieces)
    assert whole == "".join(line.replace(" ", "") for line in lines)


async def test_pages_scroll_and_say_where_they_are() -> None:
    app = PagerStage()
    async with app.run_test(size=(40, 10)) as pilot:
        app.pager.show([("", f"line {number}") for number in range(1, 101)])
        assert app.pager.position == "lines 1-10 of 100"
        await pilot.press("end")
        assert app.pager.position == "lines 91-100 of 100"
        await pilot.press("pageup")
        assert app.pager.position == "lines 82-91 of 100"


async def test_it_follows_the_end_unless_scrolled_away() -> None:
    app = PagerStage()
    lines = [("", f"line {number}") for number in range(200)]
    async with app.run_test(size=(40, 10)) as pilot:
        app.pager.show(lines[:50], stay_at_end=True)
        await pilot.press("end")
        app.pager.show(lines[:60], stay_at_end=True)
        assert app.pager.position == "lines 51-60 of 60"
        await pilot.press("up")
        app.pager.show(lines[:70], stay_at_end=True)
        assert app.pager.position == "lines 50-59 of 70"


async def test_a_name_stands_out_from_its_value() -> None:
    app = PagerStage()
    async with app.run_test(size=(40, 4)) as pilot:
        app.pager.show([(PAIR, "Subject: [red]re: a:b[/red]")])
        await pilot.pause()
        assert "Subject: [red]re: a:b[/red]" in lines_of(app)[0]


async def test_a_megabyte_in_one_line_is_cut_and_drawn() -> None:
    app = PagerStage()
    async with app.run_test(size=(80, 24)) as pilot:
        app.pager.show([("", "x" * 1_000_000)])
        await pilot.press("end")
        assert lines_of(app)[-1].rstrip().endswith("…")
