"""Entries of a queue that honours due times wait for the time in their names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtool.errors import QueueError
from qtool.queues import filebase
from qtool.queues.due import with_due_time
from qtool.queues.spool import Spool
from tests.clock import NOW, Clock

if TYPE_CHECKING:
    from email.message import Message
    from pathlib import Path


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def retry(tmp_path: Path, clock: Clock) -> Spool:
    return Spool("retry", tmp_path / "retry", honours_due=True, clock=clock)


@pytest.mark.parametrize(
    "asked",
    [
        NOW + 3600,
        int(NOW + 3600),
        datetime.fromtimestamp(NOW + 3600, UTC),
        datetime.fromtimestamp(NOW + 3600),  # noqa: DTZ006 - as Mailman writes it
    ],
)
def test_deliver_after_becomes_the_time_of_the_name(
    retry: Spool, message: Message, asked: object
) -> None:
    name = retry.enqueue(message, deliver_after=asked)
    assert filebase.when_of(name) == NOW + 3600
    assert retry.peek(name).msgdata["deliver_after"] == asked


def test_a_time_that_has_passed_is_kept_and_comes_first(
    retry: Spool, message: Message
) -> None:
    later = retry.enqueue(message)
    overdue = retry.enqueue(message, deliver_after=NOW - 60)
    assert retry.ready(9) == [overdue, later]


def test_the_first_receipt_is_kept(retry: Spool, message: Message) -> None:
    first = retry.enqueue(message, deliver_after=NOW + 1)
    assert retry.peek(first).msgdata["received_time"] == NOW
    again = retry.enqueue(message, deliver_after=NOW + 2, received_time=NOW - 99)
    assert retry.peek(again).msgdata["received_time"] == NOW - 99
    at_once = retry.enqueue(message)
    assert "received_time" not in retry.peek(at_once).msgdata


def test_an_entry_is_ready_at_its_time_and_not_before(
    retry: Spool, message: Message, clock: Clock
) -> None:
    soon = retry.enqueue(message, deliver_after=NOW + 10)
    late = retry.enqueue(message, deliver_after=NOW + 20)
    assert retry.files == [soon, late]
    assert (retry.ready(9), retry.due_in()) == ([], 10.0)
    clock.now = NOW + 10
    assert (retry.ready(9), retry.due_in()) == ([soon], 0.0)
    clock.now = NOW + 20
    assert retry.ready(9) == [soon, late]
    assert retry.ready(1) == [soon]


def test_an_empty_queue_has_nothing_due(retry: Spool) -> None:
    assert retry.due_in() is None


def test_a_queue_that_does_not_honour_them_takes_the_time_of_arrival(
    tmp_path: Path, message: Message, clock: Clock
) -> None:
    plain = Spool("in", tmp_path / "in", clock=clock)
    name = plain.enqueue(message, deliver_after=NOW + 3600)
    assert filebase.when_of(name) == NOW
    clock.now = NOW - 3600  # set back: the name lies ahead, and is taken
    assert plain.ready(9) == [name]
    assert plain.due_in() is None
    assert "received_time" not in plain.peek(name).msgdata


@pytest.mark.parametrize(
    "asked",
    ["tomorrow", True, -1.0, 1e12, float("nan"), float("inf"), [1]],
)
def test_what_is_no_time_is_refused_in_one_line_and_nothing_is_written(
    retry: Spool, message: Message, asked: object
) -> None:
    with pytest.raises(QueueError, match=r"^retry: deliver_after: expected") as caught:
        retry.enqueue_many([(message, {}), (message, {"deliver_after": asked})])
    assert "\n" not in str(caught.value)
    assert retry.files == []


@given(st.floats(0, 2e11) | st.integers(0, 2 * 10**11))
def test_every_time_that_is_accepted_has_a_name(asked: Any) -> None:
    when, _ = with_due_time("retry", {"deliver_after": asked}, NOW)
    name = filebase.make(when, b"")
    assert filebase.when_of(name) == (asked if asked >= 1 else 0)
