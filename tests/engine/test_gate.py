"""What is asked of a runner reaches its thread, and only there."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from qtool.engine.gate import Gate
from qtool.errors import RunnerError
from tests.engine.conftest import TIMEOUT, ended, in_thread

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    made.open()
    yield made
    made.stop()


def changes_of(gate: Gate) -> threading.Semaphore:
    changed = threading.Semaphore(0)
    gate.on_change = changed.release
    return changed


def test_nothing_asked_needs_no_attention(gate: Gate) -> None:
    assert not gate.attention
    assert gate.next_request() is None


def test_a_stop_is_seen_and_does_not_wait(gate: Gate) -> None:
    gate.stop()
    assert gate.attention
    assert gate.next_request() is None
    assert gate.stopping
    assert gate.attention


def wait_until_paused(gate: Gate, changed: threading.Semaphore) -> None:
    while not gate.waiting:
        assert changed.acquire(timeout=TIMEOUT)


def test_a_paused_thread_waits_until_it_is_resumed(gate: Gate) -> None:
    changed = changes_of(gate)
    gate.pause()
    thread = in_thread(gate.next_request)
    wait_until_paused(gate, changed)
    gate.resume()
    ended(thread)
    assert not gate.waiting
    assert not gate.attention


def test_a_stop_ends_a_pause(gate: Gate) -> None:
    changed = changes_of(gate)
    gate.pause()
    thread = in_thread(gate.next_request)
    wait_until_paused(gate, changed)
    gate.stop()
    ended(thread)
    assert gate.stopping


def test_a_request_is_done_in_the_runners_thread_and_answered(gate: Gate) -> None:
    answer = gate.request(threading.get_ident)

    def serve() -> None:
        request = gate.next_request()
        assert request is not None
        request.perform()

    thread = in_thread(serve)
    assert answer.result(TIMEOUT) == thread.ident
    ended(thread)


def test_an_error_goes_to_whoever_asked(gate: Gate) -> None:
    answer = gate.request(lambda: 1 // 0)
    request = gate.next_request()
    assert request is not None
    request.perform()
    assert isinstance(answer.exception(TIMEOUT), ZeroDivisionError)


def test_a_request_that_pauses_leaves_the_gate_paused(gate: Gate) -> None:
    gate.request(lambda: None, pause=True)
    request = gate.next_request()
    assert request is not None
    assert gate.pausing
    assert gate.attention


def test_a_request_that_does_not_pause_leaves_nothing_to_attend_to(gate: Gate) -> None:
    gate.request(lambda: None)
    assert gate.next_request() is not None
    assert not gate.attention


def test_who_waits_when_the_runner_ends_is_told(gate: Gate) -> None:
    answer = gate.request(lambda: None)
    gate.close()
    assert isinstance(answer.exception(TIMEOUT), RunnerError)


def test_a_closed_gate_accepts_nothing(gate: Gate) -> None:
    gate.close()
    with pytest.raises(RunnerError):
        gate.request(lambda: None)


def test_what_was_asked_of_a_run_shows_to_its_end_and_not_in_the_next(
    gate: Gate,
) -> None:
    gate.pause()
    gate.stop()
    gate.close()
    assert gate.stopping
    assert not gate.attention
    gate.open()
    assert not gate.stopping
    assert not gate.pausing


def test_a_stop_between_two_runs_is_not_lost(gate: Gate) -> None:
    gate.stop()
    gate.close()
    gate.stop()
    gate.open()
    assert gate.stopping


def test_a_stop_asked_before_the_runner_runs_is_not_lost() -> None:
    gate = Gate()
    gate.stop()
    gate.open()
    assert gate.stopping


@pytest.mark.parametrize("ask", ["wake", "stop", "pause"])
def test_a_snooze_ends_when_something_is_asked(gate: Gate, ask: str) -> None:
    thread = in_thread(lambda: gate.snooze(None))
    getattr(gate, ask)()
    ended(thread)


def test_a_wake_up_before_the_snooze_is_not_lost(gate: Gate) -> None:
    gate.wake()
    ended(in_thread(lambda: gate.snooze(None)))


def test_a_wake_up_ends_one_snooze_only(gate: Gate) -> None:
    gate.wake()
    gate.snooze(None)
    thread = in_thread(lambda: gate.snooze(None))
    thread.join(0.05)
    assert thread.is_alive()
    gate.wake()
    ended(thread)
