"""Runners take turns at computing by their priority, and none starves."""

from __future__ import annotations

import threading
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtool.engine.turns import AHEAD_SECONDS, WEIGHTS, Shares, Token, Turn
from qtool.errors import SettingsError
from tests.engine.conftest import TIMEOUT, Noting, Site, ended, in_thread

PRIORITIES = st.lists(st.sampled_from(sorted(WEIGHTS)), min_size=2, max_size=6)
LONGEST = 0.05
SECONDS = st.floats(0.0001, LONGEST)
NORMAL = WEIGHTS["normal"]


class Scheduler:
    """Gives the token as threads would take it, with a clock of its own.

    Args:
        turns: Who there is.
    """

    def __init__(self, turns: list[Turn]) -> None:
        self.turns = turns
        self.shares = Shares()
        self.now = 0.0
        self.used = dict.fromkeys(turns, 0.0)
        self.waits: dict[Turn, float] = {}
        """Since when."""
        self.longest_wait = dict.fromkeys(turns, 0.0)
        self.holder: Turn | None = None

    @property
    def is_free(self) -> bool:
        """Whether nobody has the token."""
        return self.holder is None

    def want(self, turn: Turn) -> None:
        if self.is_free and self.shares.may_go(turn):
            self.holder = turn
        else:
            self.shares.wait(turn)
            self.waits[turn] = self.now

    def hold(self, seconds: float, *, again: bool) -> None:
        """Let the holder have it for so long; it may want it again at once."""
        holder, self.holder = self.holder, None
        assert holder is not None
        self.now += seconds
        self.used[holder] += seconds
        self.shares.spend(holder, seconds)
        if again:
            self.want(holder)
        if self.is_free and (called := self.shares.next()) is not None:
            self.shares.leave(called)
            waited = self.now - self.waits.pop(called)
            self.longest_wait[called] = max(self.longest_wait[called], waited)
            self.holder = called


@given(PRIORITIES, st.data())
def test_who_wants_it_all_the_time_gets_its_share(
    priorities: list[str], data: st.DataObject
) -> None:
    scheduler = Scheduler([Turn(priority) for priority in priorities])
    durations = data.draw(st.lists(SECONDS, min_size=1, max_size=9))
    for turn in scheduler.turns:
        scheduler.want(turn)
    for number in range(300):
        scheduler.hold(durations[number % len(durations)], again=True)
    levels = [scheduler.used[turn] / turn.weight for turn in scheduler.turns]
    one_turn = LONGEST / min(turn.weight for turn in scheduler.turns)
    assert max(levels) - min(levels) <= one_turn + 2 * AHEAD_SECONDS


def test_shares_are_as_documented() -> None:
    high, normal, low = turns = [Turn("high"), Turn("normal"), Turn("low")]
    scheduler = Scheduler(turns)
    for turn in turns:
        scheduler.want(turn)
    for _ in range(13_000):
        scheduler.hold(0.001, again=True)
    assert scheduler.used[high] == pytest.approx(9.0, abs=0.05)
    assert scheduler.used[normal] == pytest.approx(3.0, abs=0.05)
    assert scheduler.used[low] == pytest.approx(1.0, abs=0.05)


@given(PRIORITIES, st.data())
def test_nobody_waits_for_ever_whoever_comes_and_goes(
    priorities: list[str], data: st.DataObject
) -> None:
    scheduler = Scheduler([Turn(priority) for priority in priorities])
    acts = st.tuples(st.sampled_from(scheduler.turns), SECONDS, st.booleans())
    for turn, seconds, again in data.draw(st.lists(acts, max_size=60)):
        if turn is not scheduler.holder and turn not in scheduler.waits:
            scheduler.want(turn)
        if scheduler.holder is not None:
            scheduler.hold(seconds, again=again)
    # Until all others are ahead of it: as far as it was ahead itself, and one turn.
    for turn in scheduler.turns:
        ahead = 2 * AHEAD_SECONDS + LONGEST / turn.weight
        others = sum(t.weight * ahead + LONGEST for t in scheduler.turns) + LONGEST
        assert scheduler.longest_wait[turn] <= others


def test_who_wanted_nothing_for_long_gets_no_more_for_it() -> None:
    busy, back = Turn(), Turn()
    scheduler = Scheduler([busy, back])
    scheduler.want(busy)
    for _ in range(1000):
        scheduler.hold(0.01, again=True)
    scheduler.want(back)
    for _ in range(20):
        scheduler.hold(0.01, again=True)
    assert scheduler.used[back] <= 0.12


# --- Threads


def test_one_has_the_token_at_a_time_and_the_low_one_gets_on() -> None:
    ticks = count()
    token = Token(clock=lambda: next(ticks) * 0.01)
    over = threading.Event()
    inside: list[str] = []
    trouble: list[str] = []

    def work(priority: str, times: int | None) -> None:
        turn = Turn(priority)
        turn.token = token
        for _ in range(times) if times is not None else count():
            if over.is_set():
                return
            turn.take()
            turn.take()  # held already
            inside.append(priority)
            trouble.extend(inside[1:])
            inside.pop()
            turn.give()
            turn.give()

    greedy = [in_thread(lambda: work("high", None)) for _ in range(3)]
    low = in_thread(lambda: work("low", 50))
    ended(low)
    over.set()
    for thread in greedy:
        ended(thread)
    assert trouble == []


def test_who_waits_gets_the_token_when_it_is_given() -> None:
    token = Token()
    first, second = Turn("high"), Turn("low")
    first.token = second.token = token
    first.take()
    got = threading.Event()

    def wait() -> None:
        second.take()
        got.set()
        second.give()

    thread = in_thread(wait)
    assert not got.is_set()
    first.give()
    assert got.wait(TIMEOUT)
    ended(thread)


def test_without_a_token_every_call_is_free() -> None:
    turn = Turn()
    turn.take()
    turn.give()


def test_a_priority_is_high_normal_or_low(site: Site) -> None:
    site.runner("in", priority="urgent")
    with pytest.raises(SettingsError, match=r"\[runner.in\] priority: expected high"):
        _ = site.config


def test_the_configuration_gives_a_runner_its_weight(site: Site) -> None:
    site.runner("in", Noting, priority="high")
    assert Noting("in", config=site.config).turn.weight == WEIGHTS["high"] / NORMAL
