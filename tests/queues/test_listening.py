"""Putting hints together, whoever is quicker."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from qtool.queues.listening import Listened, Listener
from qtool.queues.switchboard import Hint

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3600.0


class Heard:
    """A listener, what it was told, and when it wants to be called."""

    def __init__(self, quiet: float, urgent: float) -> None:
        self.hints: list[Hint] = []
        self.due: list[float] = []
        self.listener = Listener(
            self.hints.append, quiet, urgent, lambda _, due: self.due.append(due)
        )


def _hint(arrived: int = 0, departed: int = 0, *, counted: bool = True) -> Hint:
    return Hint(arrived=arrived, departed=departed, counted=counted)


def test_the_first_acts_at_once_and_the_next_wait_together() -> None:
    heard = Heard(HOUR, HOUR)
    for _ in range(5):
        heard.listener.note(1, 0)
    heard.listener.note(0, 1)

    assert heard.hints == [_hint(arrived=1)]
    assert len(heard.due) == 1


def test_without_a_quiet_time_each_acts_at_once() -> None:
    heard = Heard(0.0, 0.0)
    heard.listener.note(1, 0)
    heard.listener.note_lost()
    heard.listener.note(0, 1)

    assert heard.hints == [
        _hint(arrived=1), _hint(counted=False), _hint(departed=1)
    ]  # fmt: skip


def test_an_arrival_brings_forward_what_waits() -> None:
    heard = Heard(HOUR, 0.0)
    heard.listener.note(0, 1)
    heard.listener.note(0, 1)
    heard.listener.note(1, 0)

    assert heard.hints == [_hint(departed=1), _hint(arrived=1, departed=1)]


def test_a_call_that_comes_too_early_loses_nothing() -> None:
    """It was meant for a hint that has gone out since; the next still waits."""
    heard = Heard(HOUR, HOUR)
    heard.listener.note(1, 0)
    heard.listener.note(1, 0)
    heard.listener.deliver()

    assert heard.hints == [_hint(arrived=1)]
    assert heard.due == [heard.due[0]] * 2


def test_a_call_that_comes_too_late_says_nothing() -> None:
    heard = Heard(0.0, 0.0)
    heard.listener.note(1, 0)
    heard.listener.deliver()

    assert heard.hints == [_hint(arrived=1)]


def test_who_has_ended_hears_nothing() -> None:
    heard = Heard(0.0, 0.0)
    heard.listener.end()
    heard.listener.note(1, 0)

    assert heard.hints == []


@pytest.mark.parametrize("has_events", [True, False])
def test_a_look_sees_a_folder_come_change_and_go(
    tmp_path: Path, has_events: bool
) -> None:
    """What has events is given until the next look to be told by one."""
    path = tmp_path / "in"
    listened = Listened(str(path))
    assert listened.look(has_events=has_events) == (False, False)
    path.mkdir()
    assert listened.look(has_events=has_events) == (True, False)
    os.utime(path, (1, 1))
    assert listened.look(has_events=has_events) == (False, not has_events)
    assert listened.look(has_events=has_events) == (False, True)
    assert listened.look(has_events=has_events) == (False, False)
    path.rmdir()
    assert listened.look(has_events=has_events) == (True, False)


def test_a_change_that_an_event_told_of_is_not_missed(tmp_path: Path) -> None:
    listened = Listened(str(tmp_path))
    listened.look(has_events=True)
    os.utime(tmp_path, (1, 1))
    listened.saw_event = True
    assert listened.look(has_events=True) == (False, False)
    os.utime(tmp_path, (2, 2))
    assert listened.look(has_events=True) == (False, False)
    listened.saw_event = True  # it was on its way

    assert listened.look(has_events=True) == (False, False)
