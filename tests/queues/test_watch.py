"""Hints about queues, by events and by polling."""

from __future__ import annotations

import errno
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from watchdog.observers import inotify_c

from qtool.queues import watch
from qtool.queues.switchboard import Hint
from qtool.queues.watch import Watcher
from tests.queues.names import filebase_of, touch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EVENT_LIMIT = Path("/proc/sys/fs/inotify/max_queued_events")
PATIENCE = 60.0
"""Seconds after which a test gives up waiting for what must come."""


class Hints:
    """Collects hints and lets a test wait for what they add up to."""

    def __init__(self) -> None:
        self.all: list[Hint] = []
        self.times: list[float] = []
        self._changed = threading.Condition()

    def __call__(self, hint: Hint) -> None:
        with self._changed:
            self.all.append(hint)
            self.times.append(time.monotonic())
            self._changed.notify_all()

    @property
    def arrived(self) -> int:
        return sum(hint.arrived for hint in self.all)

    @property
    def departed(self) -> int:
        return sum(hint.departed for hint in self.all)

    def wait(self, wanted: Callable[[Hints], bool]) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: wanted(self), PATIENCE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "in"
    made.mkdir()
    return made


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    made = Watcher()
    yield made
    made.close()


@pytest.fixture
def without_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that has no inotify instance left."""

    def refuse() -> None:
        raise OSError(errno.EMFILE, "inotify instance limit reached")

    monkeypatch.setattr(watch, "InotifyFD", refuse)


def _has_arrived(number: int, hints: Hints) -> bool:
    return hints.arrived == number


def _has_more_than(number: int, hints: Hints) -> bool:
    return len(hints.all) > number


def _open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _enqueue(folder: Path, number: int) -> None:
    temporary = folder / f"{filebase_of(number)}.pck.tmp"
    temporary.touch()
    temporary.rename(folder / f"{filebase_of(number)}.pck")


def _take(folder: Path, number: int) -> Path:
    name = filebase_of(number)
    return (folder / f"{name}.pck").rename(folder / f"{name}.bak")


def test_arrivals_and_departures_are_counted(watcher: Watcher, folder: Path) -> None:
    hints = Hints()
    watcher.watch(folder, hints)
    for number in range(20):
        _enqueue(folder, number)
    for number in range(7):
        _take(folder, number).unlink()

    assert hints.wait(lambda h: h.arrived == 20 and h.departed == 7)
    assert all(hint.counted for hint in hints.all)
    assert not watcher.polled


def test_the_first_hint_comes_at_once(watcher: Watcher, folder: Path) -> None:
    """The temporary file, which comes before it, starts no quiet time."""
    hints = Hints()
    slow = Watcher(quiet_seconds=3600.0)
    slow.watch(folder, hints)
    _enqueue(folder, 1)

    assert hints.wait(lambda h: h.arrived == 1)
    slow.close()


def test_a_burst_makes_few_hints_and_misses_nothing(
    watcher: Watcher, folder: Path
) -> None:
    hints = Hints()
    watcher.watch(folder, hints)
    for number in range(1_000):
        _enqueue(folder, number)

    assert hints.wait(lambda h: h.arrived == 1_000)
    assert len(hints.all) < 100
    for before, after in zip(hints.times, hints.times[1:], strict=False):
        assert after - before > 0.04


def test_an_urgent_listener_need_not_wait_for_the_quiet_time(folder: Path) -> None:
    urgent, other = Hints(), Hints()
    watcher = Watcher(quiet_seconds=3600.0)
    watcher.watch(folder, urgent, urgent=True)
    watcher.watch(folder, other)
    for number in range(3):
        _enqueue(folder, number)
        assert urgent.wait(partial(_has_arrived, number + 1))

    assert other.arrived == 1
    watcher.close()


def test_a_listener_that_raises_silences_nobody(
    watcher: Watcher, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hints = Hints()

    def broken(_: Hint) -> None:
        raise RuntimeError("broken listener")

    watcher.watch(folder, broken)
    watcher.watch(folder, hints)
    _enqueue(folder, 1)
    assert hints.wait(lambda h: h.arrived == 1)
    _enqueue(folder, 2)
    assert hints.wait(lambda h: h.arrived == 2)
    assert "broken listener" in caplog.text


def test_one_observer_serves_all_folders(watcher: Watcher, tmp_path: Path) -> None:
    before = threading.active_count()
    all_hints = []
    for number in range(20):
        made = tmp_path / str(number)
        made.mkdir()
        all_hints.append(Hints())
        watcher.watch(made, all_hints[-1])
    assert threading.active_count() == before + 2

    for number, hints in enumerate(all_hints):
        _enqueue(tmp_path / str(number), 1)
        assert hints.wait(lambda h: h.arrived == 1)


def test_after_stopping_no_hint_comes(watcher: Watcher, folder: Path) -> None:
    stopped, other = Hints(), Hints()
    stop = watcher.watch(folder, stopped)
    watcher.watch(folder, other)
    stop()
    stop()
    _enqueue(folder, 1)

    assert other.wait(lambda h: h.arrived == 1)
    assert stopped.all == []


def test_the_last_to_stop_ends_the_kernel_s_watch(
    watcher: Watcher, folder: Path
) -> None:
    hints = Hints()
    watcher.watch(folder, Hints())()
    watcher.watch(folder, hints)
    _enqueue(folder, 1)

    assert hints.wait(lambda h: h.arrived == 1)


def test_closing_leaves_no_thread_and_no_descriptor(folder: Path) -> None:
    threads, descriptors = threading.active_count(), _open_descriptors()
    for _ in range(5):
        watcher = Watcher()
        hints = Hints()
        watcher.watch(folder, hints)
        watcher.close()
        watcher.close()
    unused = Watcher()
    unused.close()

    assert threading.active_count() == threads
    assert _open_descriptors() == descriptors


def test_a_listener_may_stop_itself_and_watch_again(
    watcher: Watcher, folder: Path
) -> None:
    hints = Hints()
    stops: list[Callable[[], None]] = []

    def once(_: Hint) -> None:
        stops.pop()()
        watcher.watch(folder, hints)

    stops.append(watcher.watch(folder, once))
    _enqueue(folder, 1)
    for number in range(2, 200):
        _enqueue(folder, number)
        if hints.all:
            break
    assert hints.wait(lambda h: bool(h.all))


def test_a_folder_that_is_missing_is_watched_once_it_appears(tmp_path: Path) -> None:
    watcher, hints = Watcher(poll_seconds=0.1), Hints()
    watcher.watch(tmp_path / "later", hints)
    assert not watcher.polled
    (tmp_path / "later").mkdir()

    assert hints.wait(lambda h: any(not hint.counted for hint in h.all))
    _enqueue(tmp_path / "later", 1)
    assert hints.wait(lambda h: h.arrived == 1)
    watcher.close()


@pytest.mark.parametrize("how", ["removed", "renamed"])
def test_a_folder_made_anew_is_watched_again(
    tmp_path: Path, folder: Path, how: str
) -> None:
    watcher, hints = Watcher(poll_seconds=0.1), Hints()
    watcher.watch(folder, hints)
    if how == "removed":
        folder.rmdir()
    else:
        folder.rename(tmp_path / "away")
    assert hints.wait(lambda h: any(not hint.counted for hint in h.all))
    seen = len(hints.all)
    folder.mkdir()
    assert hints.wait(lambda h: len(h.all) > seen)
    _enqueue(folder, 1)

    assert hints.wait(lambda h: h.arrived == 1)
    assert not watcher.polled
    watcher.close()


def test_a_folder_renamed_away_is_not_listened_to_any_more(
    tmp_path: Path, folder: Path
) -> None:
    watcher, hints = Watcher(poll_seconds=0.1), Hints()
    watcher.watch(folder, hints)
    folder.rename(tmp_path / "away")
    assert hints.wait(lambda h: any(not hint.counted for hint in h.all))
    seen = len(hints.all)
    folder.mkdir()
    assert hints.wait(lambda h: len(h.all) > seen)
    _enqueue(tmp_path / "away", 1)
    _enqueue(folder, 2)

    assert hints.wait(lambda h: h.arrived >= 1)
    assert hints.arrived == 1
    watcher.close()


def test_lost_events_are_said_to_be_uncounted(watcher: Watcher, folder: Path) -> None:
    """The kernel's queue overflows while the reader is held up."""
    limit = int(EVENT_LIMIT.read_text())
    hints, held, go = Hints(), threading.Event(), threading.Event()

    def hold_up(_: Hint) -> None:
        held.set()
        assert go.wait(60)

    stop = watcher.watch(folder, hold_up)
    watcher.watch(folder, hints)
    touch(folder, ["first"])
    assert held.wait(PATIENCE)
    here, there = folder / "first", folder / "x.bak"
    for _ in range(limit // 4 + 10):  # two events each way
        here.rename(there)
        there.rename(here)
    stop()
    go.set()

    assert hints.wait(lambda h: any(not hint.counted for hint in h.all))


def test_killing_the_observer_brings_hints_within_a_poll_and_another_observer(
    watcher: Watcher, folder: Path
) -> None:
    hints = Hints()
    watcher.watch(folder, hints)
    killed = watcher._observer
    assert killed is not None
    killed.stop()
    killed.join(PATIENCE)
    begin = time.monotonic()
    _enqueue(folder, 1)

    assert hints.wait(lambda h: bool(h.all))
    assert time.monotonic() - begin < 5  # a poll is 2 s
    assert hints.wait(lambda _: not watcher.polled)
    _enqueue(folder, 2)
    assert hints.wait(lambda h: h.arrived >= 1)


def test_a_reader_that_dies_is_replaced(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thread ends by itself, without a word."""
    watcher, hints = Watcher(poll_seconds=0.2), Hints()
    watcher.watch(folder, hints)
    dead = watcher._observer
    assert dead is not None
    dead.stopped_event.set()
    touch(folder, ["wakes the reader, which then sees that it shall end"])
    dead.join(PATIENCE)

    assert hints.wait(lambda h: any(not hint.counted for hint in h.all))
    assert watcher._observer is not dead
    _enqueue(folder, 1)
    assert hints.wait(lambda h: h.arrived == 1)
    watcher.close()


def test_without_events_changes_are_found_by_polling(
    folder: Path, without_events: None
) -> None:
    watcher, hints = Watcher(poll_seconds=0.2), Hints()
    watcher.watch(folder, hints)
    assert watcher.polled == {str(folder)}
    for number in range(3):
        seen = len(hints.all)
        _enqueue(folder, number)
        assert hints.wait(partial(_has_more_than, seen))

    assert not any(hint.counted for hint in hints.all)
    assert hints.arrived == 0
    watcher.close()


def test_events_come_back_when_they_can_be_had_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher, hints = Watcher(poll_seconds=0.1), Hints()

    def refuse() -> None:
        raise OSError(errno.EMFILE, "inotify instance limit reached")

    with monkeypatch.context() as patch:
        patch.setattr(watch, "InotifyFD", refuse)
        watcher.watch(folder, hints)
        assert watcher.polled == {str(folder)}
    assert hints.wait(lambda _: not watcher.polled)
    _enqueue(folder, 1)

    assert hints.wait(lambda h: h.arrived == 1)
    watcher.close()


def test_a_folder_that_the_kernel_will_not_watch_is_polled(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "inotify watch limit reached")

    monkeypatch.setattr(inotify_c.InotifyFD, "add_callback", refuse)
    watcher, hints = Watcher(poll_seconds=0.2), Hints()
    watcher.watch(folder, hints)
    assert watcher.polled == {str(folder)}
    _enqueue(folder, 1)

    assert hints.wait(lambda h: bool(h.all))
    watcher.close()


def test_changes_that_make_no_event_are_found_by_the_folder_s_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a network file system, where another machine enqueues."""
    monkeypatch.setattr(watch._Folder, "on_event", lambda *_: None)
    watcher, hints = Watcher(poll_seconds=0.2), Hints()
    watcher.watch(folder, hints)
    _enqueue(folder, 1)

    assert hints.wait(lambda h: any(not hint.counted for hint in h.all))
    assert not watcher.polled
    watcher.close()
