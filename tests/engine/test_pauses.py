"""A pause is on record: for every process, across restarts, until it ends."""

from __future__ import annotations

import stat
import subprocess
import sys
import textwrap
import threading
from typing import TYPE_CHECKING, Any

import pytest

from qtool.engine.pauses import Pause, Pauses
from qtool.engine.step import Outcome
from qtool.errors import RunnerError
from tests.clock import NOW, Clock
from tests.engine.conftest import TIMEOUT, Noting, Site

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pauses(tmp_path: Path, clock: Clock) -> Pauses:
    return Pauses(tmp_path / ".qtool", clock)


def pause(runner: str = "in", number: int | None = None, **facts: Any) -> Pause:
    return Pause(runner=runner, slice=number, who="anne", since=NOW, **facts)


# --- The record


def test_looking_writes_nothing(pauses: Pauses, tmp_path: Path) -> None:
    assert pauses.all() == ()
    assert not pauses.remove("in", None, 1)
    assert list(tmp_path.iterdir()) == []


def test_a_pause_is_seen_by_whoever_looks(pauses: Pauses, tmp_path: Path) -> None:
    other = Pauses(tmp_path / ".qtool", pauses.now)
    assert other.of("in", 0) is None
    pauses.put(pause(reason="disk swap", until=NOW + 60))
    assert other.of("in", 0) == pause(reason="disk swap", until=NOW + 60)
    assert other.of("out", 0) is None
    assert pauses.remove("in", None, 1)
    assert other.of("in", 0) is None


def test_the_file_is_for_the_group_and_nothing_else_stays(
    pauses: Pauses, tmp_path: Path
) -> None:
    pauses.put(pause())
    pauses.put(pause("out"))
    state = tmp_path / ".qtool"
    assert {path.name for path in state.iterdir()} == {"layout", "pauses.json"}
    file = state / "pauses.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o660
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o2770
    pauses.remove("in", None, 1)
    pauses.remove("out", None, 1)
    assert [path.name for path in state.iterdir()] == ["layout"]


def test_a_pause_ends_by_itself(pauses: Pauses, clock: Clock) -> None:
    pauses.put(pause(until=NOW + 60))
    clock.now = NOW + 59
    assert pauses.of("in", 0) is not None
    clock.now = NOW + 60
    assert pauses.of("in", 0) is None
    assert pauses.all() == ()


def test_a_second_pause_replaces_the_first(pauses: Pauses) -> None:
    pauses.put(pause(number=1))
    pauses.put(pause(number=1, reason="again"))
    assert pauses.all() == (pause(number=1, reason="again"),)
    pauses.put(pause(reason="all"))
    assert pauses.all() == (pause(reason="all"),)


def test_one_slice_is_resumed_out_of_all(pauses: Pauses) -> None:
    pauses.put(pause(reason="all"))
    assert pauses.remove("in", 1, 3)
    assert [pauses.of("in", n) is not None for n in range(3)] == [True, False, True]
    assert not pauses.remove("in", 1, 3)


def test_a_temporary_file_that_was_left_behind_does_no_harm(
    pauses: Pauses, tmp_path: Path
) -> None:
    (tmp_path / ".qtool").mkdir()
    (tmp_path / ".qtool" / "pauses.tmp").write_text("{")
    pauses.put(pause())
    assert pauses.of("in", 0) == pause()


_ONE = (
    '{"version": 1, "pauses": [{"runner": "in", "who": "anne", "reason": "",'
    ' "slice": %s, "since": %s, "until": %s}]}'
)


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", '{"version": 2, "pauses": []}', '{"version": 1, "pauses": [{}]}',
        _ONE % ("1e999", "1", "null"), _ONE % ("null", "1", "9" * 400),
        _ONE % ("null", "9" * 400, "null"),
    ],
)  # fmt: skip
def test_a_record_that_says_nothing_we_know_pauses_everything_and_is_left_alone(
    pauses: Pauses, tmp_path: Path, text: str
) -> None:
    (tmp_path / ".qtool").mkdir()
    file = tmp_path / ".qtool" / "pauses.json"
    file.write_text(text)
    held = pauses.of("in", 0)
    assert held is not None
    assert f"{file} cannot be read" in held.reason
    with pytest.raises(RunnerError, match="cannot be read"):
        pauses.put(pause())
    assert file.read_text() == text
    file.unlink()
    assert pauses.of("in", 0) is None


def test_what_cannot_be_written_is_one_line_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    with pytest.raises(RunnerError, match=r"state/pauses.json: "):
        Pauses(tmp_path / "state").put(pause())


def test_of_two_processes_that_write_at_once_none_loses_a_pause(tmp_path: Path) -> None:
    code = textwrap.dedent("""
        import pathlib, sys
        from qtool.engine.pauses import Pause, Pauses
        pauses = Pauses(pathlib.Path(sys.argv[1]))
        for number in range(20):
            pauses.put(Pause(runner=sys.argv[2], slice=number, who="x", since=0.0))
    """)
    writers = [
        subprocess.Popen([sys.executable, "-c", code, tmp_path / "state", name])
        for name in ("in", "out")
    ]
    assert [writer.wait(TIMEOUT) for writer in writers] == [0, 0]
    assert len(Pauses(tmp_path / "state").all()) == 40


def test_it_says_who_since_when_until_when_and_why(pauses: Pauses) -> None:
    text = pause(reason="disk \x1b swap", until=NOW + 86400 * 3).describe(NOW)
    assert text.startswith("paused: disk \\x1b swap; by anne since ")
    assert ", until 20" in text
    assert pause().describe(NOW).startswith("paused by anne since ")


# --- Runners


def of_site(site: Site) -> Pauses:
    """Return the record as another process has it."""
    return Pauses(site.config.state_directory)


def test_a_paused_runner_takes_nothing_and_a_step_does(site: Site) -> None:
    site.runner("in", Noting)
    first, _ = site.put("in", "one"), site.put("in", "two")
    runner = Noting("in", config=site.config)
    of_site(site).put(pause())
    assert runner.one_pass() == 0
    assert runner.noted == []
    assert runner.step().filebase == first
    assert runner.step().outcome is Outcome.DONE
    assert runner.noted == ["one", "two"]


def test_a_pause_comes_between_two_messages(site: Site) -> None:
    class Pausing(Noting):
        def then(self) -> None:
            of_site(site).put(pause())

    site.runner("in", Pausing)
    for subject in ("one", "two", "three"):
        site.put("in", subject)
    runner = Pausing("in", config=site.config)
    assert runner.one_pass() == 1
    assert site.subjects("in") == ["two", "three"]


def test_a_running_runner_goes_on_when_somebody_else_ends_its_pause(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qtool.engine.holding.LOOK_AGAIN_SECONDS", 0.05)
    took = threading.Semaphore(0)

    class Telling(Noting):
        def then(self) -> None:
            took.release()

    site.runner("in", Telling, sleep_time="1h")
    site.put("in", "one")
    of_site(site).put(pause())
    master = site.master()
    master.start("in")
    assert not took.acquire(timeout=0.1)
    of_site(site).remove("in", None, 1)
    assert took.acquire(timeout=TIMEOUT)


def test_a_pause_is_for_its_slice_alone(site: Site) -> None:
    site.runner("in", Noting, instances=2)
    for number in range(12):
        site.put("in", str(number))
    parts = site.config.slices("in")
    depths = [s.depth for s in site.queue("in").scan(parts).slices]
    of_site(site).put(pause(number=0))
    runners = [Noting("in", number, config=site.config) for number in (0, 1)]
    assert [runner.one_pass() for runner in runners] == [0, depths[1]]


def test_a_drain_leaves_the_queue_of_a_paused_runner(site: Site) -> None:
    site.runner("in", Noting)
    site.put("in")
    of_site(site).put(pause())
    drained = site.master().drain()
    assert (drained.counts.done, drained.left) == (0, 1)
    [other] = drained.others
    assert other.startswith("left alone: in is paused by anne since ")
