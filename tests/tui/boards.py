"""Boards made by hand: what the widgets are given."""

from __future__ import annotations

from typing import Any

from textual.app import App

from qtool.control.models import Board, Cell, QueueRow, Site, State
from qtool.tui.theme import NIGHT
from qtool.tui.widgets.ink import InkScreen

AT = 1_700_000_000.0

SITE = Site(
    spool="/var/spool/qtool",
    source="/etc/qtool.cfg",
    kind="own",
    read_only="",
    watching="events",
)


def row(
    name: str,
    depths: list[int] | None = None,
    *,
    owners: int = 1,
    states: dict[int, State] | None = None,
    **facts: Any,
) -> QueueRow:
    """A queue of these depths, divided among so many runner slices."""
    depths = [0] * 16 if depths is None else depths
    state = facts.pop("state", State.RUNNING)
    of_owner = states or {}
    cells = tuple(
        Cell(
            depth=depth,
            in_flight=0,
            oldest=AT - 3 * depth if depth else None,
            owner=(owner := number * owners // len(depths)),
            state=of_owner.get(owner, State.RUNNING if states else state),
        )
        for number, depth in enumerate(depths)
    )
    whole: dict[str, Any] = {
        "name": name,
        "has_queue": True,
        "runner": name,
        "runner_slices": owners,
        "cells": cells,
        "depth": sum(depths),
        "in_flight": 0,
        "oldest": min((c.oldest for c in cells if c.oldest is not None), default=None),
        "rate_in": 0.0,
        "rate_out": 0.0,
        "trend": (0,) * 24,
        "state": state,
        "snooze_seconds": 1.0,
    }
    return QueueRow(**{**whole, **facts})


def board(*rows: QueueRow, at: float = AT, site: Site = SITE) -> Board:
    """A board of these rows."""
    return Board(at=at, rows=rows, site=site)


def healthy() -> Board:
    """Everything drains."""
    quiet = [0, 1, 0, 0, 2, 0, 0, 1] * 2
    return board(
        row("archive", quiet, rate_in=3.0, rate_out=3.0, trend=(4, 6, 8, 7) * 6),
        row("bad", runner=None, runner_slices=0, state=State.NO_RUNNER,
            snooze_seconds=None),
        row("in", quiet, owners=2, rate_in=12.4, rate_out=12.4, trend=(9, 3, 6) * 8),
        row("lmtp", [], has_queue=False, depth=None, in_flight=None, trend=()),
        row("out", quiet, owners=4, rate_in=12.0, rate_out=12.1, in_flight=4),
        row("shunt", runner=None, runner_slices=0, state=State.NO_RUNNER,
            snooze_seconds=None),
    )  # fmt: skip


def sick() -> Board:
    """One slice of ``out`` is stuck, one of ``pipeline`` has failed."""
    stuck = [1, 0, 2, 0, 0, 3, 0, 1, 340, 410, 280, 390, 0, 2, 0, 1]
    return board(
        row("in", [2, 0, 1, 4] * 4, owners=2, rate_in=12.4, rate_out=12.4),
        row("out", stuck, owners=4, rate_in=12.0, rate_out=None, in_flight=4,
            trend=tuple(range(0, 1440, 60))),
        row("pipeline", [3, 1, 0, 2] * 4, owners=4, states={2: State.FAILED},
            state=State.FAILED, note="slice 2:4: ValueError: no such list",
            traceback="Traceback (most recent call last):\nValueError: no such list"),
        row("retry", [3] + [0] * 15, state=State.PAUSED, snooze_seconds=900.0),
        row("shunt", [1, 0, 0, 2] * 4, runner=None, runner_slices=0,
            state=State.NO_RUNNER, snooze_seconds=None),
        row("virgin", [0, 2] * 8, state=State.STOPPED),
    )  # fmt: skip


def large() -> Board:
    """Fourteen queues of 64 slices."""
    names = ("archive", "bad", "bounces", "command", "digest", "in", "nntp", "out",
             "pipeline", "rest", "retry", "shunt", "task", "virgin")  # fmt: skip
    return board(
        *(
            row(name, [(k * 37 + n * 11) % 97 * (k % 3) for k in range(64)], owners=64)
            for n, name in enumerate(names)
        )
    )


class Stage(App[None]):
    """An app in which single widgets stand, in the colours of the real one."""

    CSS_PATH = "../../qtool/tui/app.tcss"

    def __init__(self) -> None:
        super().__init__()
        self.register_theme(NIGHT)
        self.theme = NIGHT.name
        self.animation_level = "none"

    def get_default_screen(self) -> InkScreen:
        return InkScreen()


def lines_of(app: App[Any]) -> list[str]:
    """The screen as text, as it would reach the terminal."""
    # Textual has no public way to the finished lines.
    return [strip.text for strip in app.screen._compositor.render_strips()]
