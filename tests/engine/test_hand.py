"""Of two who could decide about a message, one does."""

from __future__ import annotations

import threading

import pytest

from qtool.engine.hand import GivenBack, Hand
from tests.engine.conftest import TIMEOUT, in_thread


def test_what_is_taken_is_shown_until_it_is_dropped() -> None:
    hand = Hand()
    hand.take("one", 3.0)
    assert hand.holding == ("one", 3.0)
    hand.drop()
    assert hand.holding is None


def test_while_open_the_message_can_be_given_back_once() -> None:
    hand = Hand()
    released: list[str] = []
    hand.take("one", 0.0)
    hand.open()
    assert hand.give_up(released.append, TIMEOUT) == "one"
    assert hand.give_up(released.append, TIMEOUT) is None
    assert released == ["one"]


def test_a_runner_that_was_given_up_may_not_settle_its_message() -> None:
    hand = Hand()
    hand.take("one", 0.0)
    hand.open()
    hand.give_up(lambda _: None, TIMEOUT)
    with pytest.raises(GivenBack):
        hand.close()
    hand.drop()
    assert hand.holding is None


def test_a_runner_that_was_given_up_may_not_take_another() -> None:
    hand = Hand()
    assert hand.give_up(lambda _: None, TIMEOUT) is None
    with pytest.raises(GivenBack):
        hand.take("one", 0.0)
    hand.drop()


def test_who_gives_up_waits_while_the_message_is_settled() -> None:
    hand = Hand()
    released: list[str] = []
    answers: list[str | None] = []
    hand.take("one", 0.0)
    asking = threading.Event()

    def give_up() -> None:
        asking.set()
        answers.append(hand.give_up(released.append, TIMEOUT))

    thread = in_thread(give_up)
    assert asking.wait(TIMEOUT)
    hand.drop()
    thread.join(TIMEOUT)
    assert answers == [None]
    assert released == []


def test_who_gives_up_does_not_wait_for_ever() -> None:
    hand = Hand()
    released: list[str] = []
    hand.take("one", 0.0)
    assert hand.give_up(released.append, 0.01) is None
    assert hand.given_up
    assert released == []
    hand.drop()
