"""Lists of any length."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from qtool.tui.widgets.entrylist import EntryList, filebase_of, moment_of
from tests.tui.boards import AT, Stage, lines_of

if TYPE_CHECKING:
    from textual.app import ComposeResult


class ListStage(Stage):
    """One list, nothing else."""

    def compose(self) -> ComposeResult:
        yield EntryList()

    @property
    def entries(self) -> EntryList:
        return self.query_one(EntryList)

    def on_mount(self) -> None:
        self.entries.focus()


def selected(app: ListStage) -> str | None:
    return app.entries.selected


def names(count: int) -> list[str]:
    return [f"{AT + number}+{number:040x}.pck" for number in range(count)]


async def test_a_million_names_answer_keys_at_once() -> None:
    app, many = ListStage(), names(1_000_000)
    async with app.run_test(size=(80, 24)) as pilot:
        begun = time.thread_time()
        app.entries.show(many)
        await pilot.press("end")
        await pilot.press("pageup")
        assert time.thread_time() - begun < 2.0
        assert app.entries.selected == many[1_000_000 - 24]
        assert f"{999_999:040x}" in lines_of(app)[-1]


async def test_the_cursor_stays_on_its_name_through_a_thousand_changes() -> None:
    chance = random.Random(3)
    app, many = ListStage(), names(120)
    async with app.run_test(size=(80, 24)) as pilot:
        there = set(many[20:90])
        app.entries.show(sorted(there))
        await pilot.press(*["down"] * 9)
        chosen = app.entries.selected
        for number in range(1_000):
            name = chance.choice(many)
            if name != chosen:
                there.symmetric_difference_update({name})
            app.entries.show(sorted(there))
            if not number % 100:
                await pilot.press("down", "up")
            assert app.entries.selected == chosen


async def test_new_names_before_the_screen_do_not_move_what_is_on_it() -> None:
    app, many = ListStage(), names(500)
    async with app.run_test(size=(80, 24)) as pilot:
        app.entries.show(many[200:])
        await pilot.press("pagedown", "pagedown", "up", "up")
        await pilot.pause()
        before = lines_of(app)
        app.entries.show(many)
        await pilot.pause()
        assert lines_of(app) == before


async def test_a_name_that_is_gone_leaves_the_cursor_in_its_place() -> None:
    app, many = ListStage(), names(10)
    async with app.run_test(size=(80, 24)) as pilot:
        app.entries.show(many)
        await pilot.press("down", "down")
        app.entries.show([*many[:2], *many[3:]])
        assert selected(app) == many[3]
        app.entries.show([])
        assert selected(app) is None
        await pilot.press("down", "up", "end")


async def test_times_of_any_length_keep_their_order() -> None:
    app, digest = ListStage(), "0" * 40
    there = [f"{when}+{digest}.pck" for when in ("7.5", "999.5", "1000.5", "20000.5")]
    async with app.run_test(size=(80, 24)) as pilot:
        app.entries.show(there)
        await pilot.press("down", "down")
        app.entries.show(there[1:])
        assert selected(app) == there[2]


async def test_names_are_shown_harmless() -> None:
    app = ListStage()
    async with app.run_test(size=(80, 24)) as pilot:
        app.entries.show(["\x1b]0;boo\x07.pck", "[red]x[/red]", "nan+ab.pck"])
        await pilot.pause()
        text = "".join(lines_of(app))
        assert "\x1b" not in text
        assert "[red]x[/red]" in text


def test_a_name_tells_its_time_and_its_filebase() -> None:
    assert moment_of("1700000000.5+ab.pck") == 1_700_000_000.5
    assert moment_of("inf+ab.pck") is None
    assert moment_of("foo.pck") is None
    assert filebase_of("1.5+ab.pck") == "1.5+ab"
    assert filebase_of("1.5+ab.txt") == "1.5+ab.txt"
