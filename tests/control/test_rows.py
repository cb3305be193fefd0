"""A row of the board between readings: what was counted, and for how long it holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qtool.control.models import QueueRow, Severity, State, VerdictKind
from qtool.control.rows import Row
from qtool.control.standing import Standing
from qtool.control.verdicts.drained import Drained
from qtool.queues.filebase import when_of
from qtool.queues.switchboard import Hint
from tests.control.site import HERE, configuration, open_site, put

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNNING = Standing(
    state=State.RUNNING, slices=(State.RUNNING,) * 2, runner="in", snooze_seconds=1.0
)


class Watch:
    """One row under a clock of the test's own."""

    def __init__(self, row: Row, oldest: float) -> None:
        self.row, self.oldest = row, oldest

    def look(self, now: float, *, arrived: int = 0, departed: int = 0) -> QueueRow:
        """What the row says after a look, ``now`` seconds after the oldest came."""
        self.row.note(Hint(arrived=arrived, departed=departed, counted=True))
        self.row.read()
        self.row.measure(RUNNING, now, blind=False)
        return self.shown(now)

    def shown(self, now: float) -> QueueRow:
        return self.row.shown(RUNNING, now, self.oldest + now)


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    text = configuration(**{"in": f"class: {HERE}.Taking\ninstances: 2"})
    control = open_site(tmp_path, text)
    base = put(control, "in")
    queue = control.configuration.switchboards["in"]
    yield Watch(Row(control.configuration.runner("in"), queue, 16), when_of(base))
    control.close()


def kinds(row: QueueRow) -> list[VerdictKind]:
    return [verdict.kind for verdict in row.verdicts]


def test_rates_are_those_of_three_windows(watch: Watch) -> None:
    watch.look(0.0)
    for second in range(1, 301):
        row = watch.look(float(second), arrived=2 if second > 295 else 1)
    assert row.rate_in_5s == 2.0 + 1 / 5  # the bin at its beginning counts, too
    assert row.rate_in == pytest.approx(36 / 30)
    assert row.rate_in_5m == pytest.approx(305 / 300)
    assert (row.rate_out, row.rate_out_5m) == (0.0, 0.0)


def test_what_nobody_watched_is_unknown(watch: Watch) -> None:
    watch.look(0.0)
    assert watch.look(10.0, arrived=5).rate_in == 0.5
    assert watch.shown(20.0).rate_in is not None
    late = watch.shown(40.0)
    assert (late.rate_in, late.rate_in_5m, late.rate_out_5s) == (None, None, None)
    again = watch.look(40.0, arrived=1)
    assert again.rate_in is None
    assert watch.look(42.0).rate_in == 0.5


def test_a_slice_from_which_nothing_leaves_is_stalled_once_it_was_watched(
    watch: Watch,
) -> None:
    for second in range(0, 63, 3):
        row = watch.look(float(second))
    assert kinds(row) == [VerdictKind.HEALTHY]
    row = watch.look(63.0)
    assert kinds(row) == [VerdictKind.STALLED]
    assert row.verdict is not None
    assert row.verdict.words.endswith(":2 stalled for 1m")
    assert sorted(verdict.kind for verdict in row.slice_verdicts) == [
        VerdictKind.HEALTHY,
        VerdictKind.STALLED,
    ]
    assert kinds(watch.shown(90.0)) == [VerdictKind.HEALTHY]  # nobody has looked since


def test_one_look_says_when_half_of_what_waits_came(watch: Watch) -> None:
    watch.row.read()
    row = watch.shown(5.0)
    assert (row.when_p50, row.when_p95) == (watch.oldest, watch.oldest)
    assert kinds(row) == [VerdictKind.HEALTHY]
    assert kinds(watch.shown(5000.0)) == [VerdictKind.STALLED]  # nothing came or left


@pytest.mark.parametrize(
    ("state", "waits"),
    [(State.STOPPED, True), (State.FAILED, False), (State.IMPORT_ERROR, False)],
)
def test_a_drain_does_not_stand_for_a_runner_that_cannot_work(
    watch: Watch, state: State, waits: bool
) -> None:
    drained = Drained(runner="in", began=watch.oldest, ended=(watch.oldest + 1,))
    standing = replace(RUNNING, state=state, slices=(state,) * 2, drained=drained)
    watch.row.read()
    row = watch.row.shown(standing, 2.0, watch.oldest + 2.0)
    assert bool(row.drained) is waits
    assert ("no runner is at work there" in row.note) is not waits


def test_a_folder_that_is_gone_is_told_until_it_is_back(watch: Watch) -> None:
    folder = Path(watch.row.folder)
    watch.look(0.0)
    folder.rename(folder.with_name("away"))
    gone = watch.look(1.0)
    assert (gone.state, gone.depth) == (State.UNREADABLE, None)
    assert gone.verdict is not None
    assert gone.verdict.severity is Severity.CRITICAL
    assert gone.verdict.evidence == f"its folder is gone: {folder}"
    folder.with_name("away").rename(folder)
    back = watch.look(2.0)
    assert (back.state, back.depth) == (State.RUNNING, 1)


def test_a_folder_that_the_first_message_will_make_is_an_empty_queue(
    watch: Watch,
) -> None:
    folder = Path(watch.row.folder)
    folder.rename(folder.with_name("away"))
    assert watch.look(0.0).depth == watch.look(1.0).depth == 0
    folder.parent.rename(folder.parent.with_name("gone"))
    assert watch.look(2.0).state is State.UNREADABLE
    folder.parent.mkdir()
    assert watch.look(3.0).depth == 0
