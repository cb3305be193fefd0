"""A queue that is drained now and then, by a timer say, is not without a runner."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from qtool.control.control import Control
from qtool.control.models import QueueRow, Severity, Verdict, VerdictKind
from qtool.control.verdicts.drained import Drained, Drains
from qtool.installation import Configuration
from qtool.settings import parse
from tests.clock import Clock
from tests.control.site import HERE, configuration, put

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = configuration(**{"in": f"class: {HERE}.Taking", "out": ""})
MINUTE = 60.0


def drained(*ended: float) -> Drained:
    return Drained(runner="in", began=ended[-1] - 1, ended=ended)


@pytest.mark.parametrize(
    ("ended", "usual", "until"),
    [
        ((0.0,), None, 900.0),
        ((-300.0, 0.0), None, 900.0),
        ((-600.0, -300.0, 0.0), 300.0, 600.0),
        # By hand in between, and late once
        ((-1500.0, -1200.0, -900.0, -890.0, -300.0, 0.0), 300.0, 600.0),
        ((-20.0, -10.0, 0.0), 10.0, 60.0),
        ((-172800.0, -86400.0, 0.0), 86400.0, 172800.0),
        ((-400 * 86400.0, -200 * 86400.0, 0.0), None, 900.0),
        ((100.0, 50.0, 0.0), None, 900.0),  # the clock was set back
    ],
)
def test_a_drain_counts_until_twice_the_usual_time_is_over(
    ended: tuple[float, ...], usual: float | None, until: float
) -> None:
    one = drained(*ended)
    assert one.usual_seconds == usual
    assert [one.is_overdue(at) for at in (-61.0, 0.0, until, until + 1)] == [
        True, False, False, True,
    ]  # fmt: skip


def test_the_last_few_drains_of_each_queue_are_on_record(tmp_path: Path) -> None:
    drains = Drains(tmp_path / ".qtool")
    assert drains.of("in") is None
    for number in range(9):
        drains.note(["in", "out"] if number < 2 else ["in"], number, number + 0.5)
    found, other = Drains(tmp_path / ".qtool").of("in"), drains.of("out")
    assert found == Drained(runner="in", began=8.0,
                            ended=(3.5, 4.5, 5.5, 6.5, 7.5, 8.5))  # fmt: skip
    assert other is not None
    assert other.ended == (0.5, 1.5)


def test_a_drain_in_the_future_tells_of_the_clock() -> None:
    assert drained(3720.0).told(0.0) == "last drained in 1h (clock?) by run --once"
    assert drained(30.0).told(0.0) == "last drained 0s ago by run --once"


# --- A site


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.now = time.time()  # as the names of what is put into a queue
    return clock


@pytest.fixture
def control(tmp_path: Path, clock: Clock) -> Iterator[Control]:
    settings = parse(TEXT, source=str(tmp_path / "qtool.cfg"), base=tmp_path)
    control = Control(Configuration(settings), clock=clock)
    yield control
    control.close()


def row_of(control: Control, name: str = "in") -> tuple[QueueRow, Verdict]:
    row = control.scan().row(name)
    assert row is not None
    assert row.verdict is not None
    return row, row.verdict


def test_who_looks_writes_nothing(control: Control, tmp_path: Path) -> None:
    row_of(control)
    assert list(tmp_path.iterdir()) == []


def test_between_two_drains_a_queue_waits_and_is_not_without_a_runner(
    control: Control, clock: Clock
) -> None:
    clock.now -= 18 * MINUTE
    for _ in range(3):
        clock.now += 5 * MINUTE
        control.drain()
    clock.now += 3 * MINUTE
    put(control, "in")
    row, verdict = row_of(control)
    assert row.drained == "last drained 3m ago by run --once, usually each 5m"
    assert row.note == row.drained
    assert (verdict.kind, verdict.severity) == (VerdictKind.WAITING, Severity.OK)
    assert verdict.words == "drained now and then"
    assert verdict.evidence.endswith(f"; {row.drained}")
    clock.now += 8 * MINUTE
    row, verdict = row_of(control)
    assert (row.drained, verdict.kind) == ("", VerdictKind.NO_RUNNER)
    assert "no runner is at work there" in verdict.evidence
    assert verdict.evidence.endswith(
        "; last drained 11m ago by run --once, usually each 5m"
    )


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999", '{"$float": "nan"}'])
def test_a_time_that_is_none_stops_nobody_who_looks(
    control: Control, number: str
) -> None:
    put(control, "in")
    path = control.configuration.state_directory / "drains.json"
    path.parent.mkdir()
    facts = f'[{{"runner": "in", "began": 1.0, "ended": [{number}]}}]'
    path.write_text(f'{{"layout": 1, "facts": {facts}}}')
    assert row_of(control)[1].kind is VerdictKind.NO_RUNNER


def test_what_a_drain_has_left_is_told(control: Control, clock: Clock) -> None:
    put(control, "in")
    clock.now += 30.5 * MINUTE
    Drains(control.configuration.state_directory).note(["in"], clock.now, clock.now)
    _, verdict = row_of(control)
    assert (verdict.kind, verdict.words) == (VerdictKind.WAITS_LONG, "waits for 30m")
    assert verdict.severity is Severity.WARNING
    assert verdict.evidence.endswith("that has left it, or it was put there since")


def test_only_what_was_drained_to_the_end_counts(
    control: Control, tmp_path: Path
) -> None:
    text = TEXT.replace(f"{HERE}.Taking", f"{HERE}.Taking\ninstances: 2")
    text += f"[runner.bust]\nclass: {HERE}.NoSuch\n"
    settings = parse(text, source="x", base=tmp_path)
    one = Control(Configuration(settings))
    assert one.drain(("in:0:2",)).drained == ()
    assert one.drain().drained == ("in",)
    one.close()
    drains = Drains(control.configuration.state_directory)
    assert [name for name in settings.runners if drains.of(name)] == ["in"]


def test_where_it_cannot_be_noted_the_log_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / ".qtool").write_text("no folder")
    Drains(tmp_path / ".qtool").note(["in"], 0.0, 1.0)
    assert "nobody will know of this drain" in caplog.text
