"""Operators' acts, killed at any call, against a model: no entry lost or doubled."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
)

from qtool import qfile
from qtool.errors import EntryExists, NoSuchEntry
from qtool.queues import filebase
from qtool.queues.spool import Spool
from tests.queues.dying import dying

BEGIN = 1_700_000_000.0

queues = st.sampled_from(["in", "out"])
suffixes = st.sampled_from([".pck", ".psv"])
lives = st.one_of(st.just(1000), st.integers(0, 25))
"""How many calls a process makes before it is killed."""


@dataclass(frozen=True)
class Fact:
    """Where a message is, under which name, and which of its editions."""

    queue: str
    name: str
    suffix: str
    edition: int


class Acts(RuleBasedStateMachine):
    """Two queues with a trash, and what each message is meant to be."""

    messages = Bundle("messages")

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="qtool-acts-"))
        self.spools = {name: Spool(name, self.root / name) for name in ("in", "out")}
        self.trash = Spool("trash", self.root / "trash")
        self.facts: list[Fact] = []
        """By number of the message."""
        self.kept: dict[str, int] = {}
        """Editions in the trash, by name."""
        self.editions = 0

    def teardown(self) -> None:
        shutil.rmtree(self.root)

    def msgdata(self, number: int) -> dict[str, int]:
        self.editions += 1
        return {"number": number, "edition": self.editions}

    def lives_for(self, calls: int, act: Callable[[], object]) -> bool:
        """Act; return whether it came to its end, and sweep where it did not."""
        with dying(calls) as process:
            act()
        if process.came_so_far:
            for spool in (*self.spools.values(), self.trash):
                spool.sweep()
        return not process.came_so_far

    def there(self) -> dict[int, list[Fact]]:
        """Return what there is of each message."""
        found: dict[int, list[Fact]] = {n: [] for n in range(len(self.facts))}
        for queue in self.spools:
            for path in self.root.glob(f"{queue}/*"):
                held = qfile.look(path).msgdata
                fact = Fact(queue, path.stem, path.suffix, held["edition"])
                found[held["number"]].append(fact)
        return found

    def becomes(
        self, number: int, fact: Fact, calls: int, act: Callable[[], object]
    ) -> None:
        """Act on a message, and see that it is as it was, or as it should be."""
        ended = self.lives_for(calls, act)
        found = self.there()[number]
        before = self.facts[number]
        changed = replace(before, edition=fact.edition)  # and not yet moved
        allowed = [fact] if ended else [before, changed, fact]
        assert len(found) == 1, found
        assert found[0] in allowed
        self.facts[number] = found[0]

    @rule(target=messages, queue=queues)
    def enqueue(self, queue: str) -> int:
        number = len(self.facts)
        message = qfile.message_from_string("Subject: model\n\nbody\n")
        name = self.spools[queue].enqueue(message, self.msgdata(number))
        self.facts.append(Fact(queue, name, ".pck", self.editions))
        return number

    @rule(
        number=messages,
        queue=queues,
        suffix=suffixes,
        when=st.one_of(st.none(), st.integers(0, 3)),
        changed=st.booleans(),
        calls=lives,
    )
    def transfer(
        self,
        number: int,
        queue: str,
        suffix: str,
        when: int | None,
        changed: bool,
        calls: int,
    ) -> None:
        before = self.facts[number]
        name = before.name if when is None else filebase.at(before.name, BEGIN + when)
        msgdata = self.msgdata(number) if changed else None
        edition = self.editions if changed else before.edition
        fact = Fact(queue, name, suffix, edition)
        stays = replace(before, edition=edition) == fact and not changed

        def act() -> None:
            try:
                self.spools[before.queue].transfer(
                    before.name,
                    self.spools[queue],
                    suffix=before.suffix,
                    new_suffix=suffix,
                    new_filebase=name,
                    msgdata=msgdata,
                )
            except EntryExists:
                assert stays

        self.becomes(number, fact, calls, act)

    @rule(number=messages, calls=lives)
    def keep(self, number: int, calls: int) -> None:
        fact = self.facts[number]
        if (
            fact.suffix == ".psv"
            or self.kept.get(fact.name, fact.edition) != fact.edition
        ):
            return
        spool = self.spools[fact.queue]
        self.becomes(number, fact, calls, lambda: spool.keep(fact.name, self.trash))
        if fact.name in self.trash.files:
            self.kept[fact.name] = fact.edition

    @rule(number=messages, calls=lives)
    def rewrite(self, number: int, calls: int) -> None:
        before = self.facts[number]
        msgdata = self.msgdata(number)
        fact = replace(before, edition=self.editions)
        if before.suffix == ".pck":
            spool = self.spools[fact.queue]
            self.becomes(number, fact, calls, lambda: spool.rewrite(fact.name, msgdata))

    @rule(number=messages, calls=lives)
    def swap(self, number: int, calls: int) -> None:
        before = self.facts[number]
        if before.suffix == ".psv" or before.name not in self.kept:
            return
        editions = before.edition, self.kept[before.name]
        fact = replace(before, edition=editions[1])
        spool = self.spools[fact.queue]
        self.becomes(number, fact, calls, lambda: spool.swap(fact.name, self.trash))
        kept = self.trash.peek(fact.name).msgdata["edition"]
        assert {self.facts[number].edition, kept} == set(editions)
        self.kept[fact.name] = kept

    @rule(number=messages, queue=queues)
    def act_while_it_is_in_flight(self, number: int, queue: str) -> None:
        fact = self.facts[number]
        if fact.suffix == ".psv":
            return
        spool = self.spools[fact.queue]
        spool.dequeue(fact.name)
        acts: list[Callable[[], None]] = [
            lambda: spool.transfer(fact.name, self.spools[queue]),
            lambda: spool.transfer(fact.name, spool, msgdata={}),
            lambda: spool.rewrite(fact.name, {}),
            lambda: spool.keep(fact.name, self.trash),
            lambda: spool.swap(fact.name, self.trash),
        ]
        for act in acts:
            with pytest.raises(NoSuchEntry):
                act()
        spool.release(fact.name)

    @invariant()
    def every_message_is_where_it_should_be_and_once(self) -> None:
        assert self.there() == {n: [fact] for n, fact in enumerate(self.facts)}
        kept = {path.name for path in self.root.glob("trash/*")}
        assert kept == {f"{name}.pck" for name in self.kept}


TestActs = Acts.TestCase
TestActs.settings = settings(max_examples=20, stateful_step_count=25)
