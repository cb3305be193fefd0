"""The switchboard against a model of it: any order of acts, nothing lost."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from qtool.errors import NoSuchEntry
from qtool.qfile import message_from_string
from qtool.queues import slices
from qtool.queues.recovery import COUNT_KEY, MAX_RECOVERIES
from qtool.queues.spool import Spool

BEGIN = 1_700_000_000.0


class Queues(RuleBasedStateMachine):
    """Two queues and ``bad``, and where each message is meant to be."""

    entries = Bundle("entries")

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="qtool-model-"))
        self.ticks = 0
        self.spools = {
            name: Spool(name, self.root / name, clock=self.clock)
            for name in ("in", "out")
        }
        self.bad = Spool("bad", self.root / "bad")
        self.place: dict[str, tuple[str, str]] = {}
        """Queue and suffix of every entry that is somewhere."""
        self.count: dict[str, int] = {}
        """Recoveries of every entry."""

    def teardown(self) -> None:
        self.look()
        shutil.rmtree(self.root)

    def clock(self) -> float:
        self.ticks += 1
        return BEGIN + self.ticks / 4

    def is_at(self, entry: str, queue: str, suffix: str) -> bool:
        return self.place.get(entry) == (queue, suffix)

    def does(self, possible: bool, act: object, *arguments: object) -> bool:
        """Act; return whether it was possible, which the model has to know."""
        assert callable(act)
        try:
            act(*arguments)
        except NoSuchEntry:
            assert not possible
        else:
            assert possible
        return possible

    @rule(target=entries, queue=st.sampled_from(["in", "out"]), number=st.integers())
    def enqueue(self, queue: str, number: int) -> str:
        message = message_from_string("Subject: model\n\nbody\n")
        entry = self.spools[queue].enqueue(message, number=number)
        assert entry not in self.place
        self.place[entry], self.count[entry] = (queue, ".pck"), 0
        return entry

    @rule(entry=entries, queue=st.sampled_from(["in", "out"]))
    def dequeue(self, entry: str, queue: str) -> None:
        spool = self.spools[queue]
        if self.does(self.is_at(entry, queue, ".pck"), spool.dequeue, entry):
            self.place[entry] = (queue, ".bak")

    @rule(entry=entries, queue=st.sampled_from(["in", "out"]))
    def finish(self, entry: str, queue: str) -> None:
        spool = self.spools[queue]
        if self.does(self.is_at(entry, queue, ".bak"), spool.finish, entry):
            del self.place[entry]

    @rule(entry=entries, queue=st.sampled_from(["in", "out"]))
    def preserve(self, entry: str, queue: str) -> None:
        spool = self.spools[queue]
        if self.does(self.is_at(entry, queue, ".bak"), spool.finish, entry, True):
            self.place[entry] = ("bad", ".psv")

    @rule(entry=entries, queue=st.sampled_from(["in", "out"]))
    def release(self, entry: str, queue: str) -> None:
        spool = self.spools[queue]
        if self.does(self.is_at(entry, queue, ".bak"), spool.release, entry):
            self.place[entry] = (queue, ".pck")

    @rule(entry=entries, way=st.sampled_from([("in", "out"), ("out", "in")]))
    def move(self, entry: str, way: tuple[str, str]) -> None:
        here, there = (self.spools[queue] for queue in way)
        if self.does(self.is_at(entry, way[0], ".pck"), here.move, entry, there):
            self.place[entry] = (way[1], ".pck")

    @rule(queue=st.sampled_from(["in", "out"]))
    def recover(self, queue: str) -> None:
        self.spools[queue].recover_backup_files()
        for entry, place in self.place.items():
            if place == (queue, ".bak"):
                self.count[entry] += 1
                spent = self.count[entry] >= MAX_RECOVERIES
                self.place[entry] = ("bad", ".psv") if spent else (queue, ".pck")

    @rule()
    def look(self) -> None:
        for queue, spool in {**self.spools, "bad": self.bad}.items():
            for suffix in (".pck", ".bak", ".psv"):
                expected = sorted(
                    entry for entry in self.place if self.is_at(entry, queue, suffix)
                )
                assert expected == spool.get_files(suffix)
            scan = spool.scan(slices.equal(3))
            assert scan.depth == len(spool.files)
            assert scan.foreign == 0

    @invariant()
    def every_entry_is_where_it_should_be(self) -> None:
        files = {
            (file.stem, queue, file.suffix)
            for queue in (*self.spools, "bad")
            for file in self.root.glob(f"{queue}/*")
        }
        assert files == {(entry, *place) for entry, place in self.place.items()}

    @invariant()
    def every_entry_can_be_read_and_knows_its_count(self) -> None:
        for entry, (queue, suffix) in self.place.items():
            if suffix != ".psv":
                msgdata = self.spools[queue].peek(entry).msgdata
                assert msgdata.get(COUNT_KEY, 0) == self.count[entry]


TestQueues = Queues.TestCase
TestQueues.settings = settings(max_examples=15, stateful_step_count=25)
