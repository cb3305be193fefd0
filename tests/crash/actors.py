"""Who is killed: a process of each kind that changes a spool.

``python -m tests.crash.actors NAME FOLDER OTHER`` runs one. It prints the number of
each message once the store has taken it, and ``failed: ...`` where that failed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtool.control.opening import opened
from qtool.engine.master import Master
from qtool.engine.runner import Runner
from qtool.errors import QToolError
from qtool.installation import Configuration
from qtool.qfile import message_from_string
from qtool.queues import filebase
from qtool.queues.spool import Spool
from qtool.settings import parse

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message

SETTINGS = """
[qtool]
root: {root}
[runner.in]
class: tests.crash.actors.Sorter
[runner.out]
[runner.first]
class: qtool.runners.forward.ForwardRunner
to: second
instances: 2
[runner.second]
class: qtool.runners.forward.ForwardRunner
to: third
[runner.third]
"""


class Sorter(Runner):
    """Does with a message what its subject says."""

    def _dispose(self, mlist: object, msg: Message, msgdata: dict[str, Any]) -> bool:
        if msg["subject"] == "shunted":
            raise ValueError("as asked")
        if msg["subject"] == "deadly":
            os.kill(os.getpid(), signal.SIGKILL)
        if msg["subject"] == "done":
            self.config.switchboards["out"].enqueue(msg, msgdata)
        return bool(msg["subject"] == "kept")


def configuration(root: Path) -> Configuration:
    """Return the configuration of all actors over a folder."""
    return Configuration(parse(SETTINGS.format(root=root), source="crash", base=root))


def mail(subject: str) -> Message:
    """Return a message with that subject."""
    return message_from_string(f"Subject: {subject}\n\nbody\n")


def _accepted(*numbers: int) -> None:
    for number in numbers:
        os.write(1, f"{number}\n".encode())


def producer(root: Path, other: Path) -> None:
    """Put one message into a queue without a folder, then two at once, then again."""
    spool = Spool("in", root / "in")
    spool.enqueue(mail("one"), number=1)
    _accepted(1)
    spool.enqueue_many([(mail("two"), {"number": n}) for n in (2, 3)])
    _accepted(2, 3)
    each = Spool("in", root / "in", group_commit=False)
    each.enqueue_many([(mail("two"), {"number": n}) for n in (4, 5)])
    _accepted(4, 5)


def runner(root: Path, other: Path) -> None:
    """Take every message of a queue once, and make the same calls each time."""
    runner = Sorter("in", config=configuration(root))
    # What is finished is made durable now and then: not as this machine is busy.
    runner.clock = count(0.0, 0.03).__next__
    runner.one_pass(retake=False)


def mover(root: Path, other: Path) -> None:
    """Move all messages to another queue."""
    here, there = Spool("in", root / "in"), Spool("out", other / "out")
    for name in here.files:
        here.move(name, there)


def rewriter(root: Path, other: Path) -> None:
    """Give all messages other metadata."""
    spool = Spool("in", root / "in")
    for name in spool.files:
        msgdata = spool.peek(name).msgdata
        spool.rewrite(name, {"number": msgdata["number"], "edited": True})
        _accepted(msgdata["number"])


def operator(root: Path, other: Path) -> None:
    """Move, edit, undo and requeue messages."""
    here, there = Spool("in", root / "in"), Spool("out", other / "out")
    trash = Spool("trash", root / ".qtool" / "trash")
    moved, edited, requeued, shelved = here.files
    here.transfer(moved, there, msgdata={**here.peek(moved).msgdata, "moved": True})
    here.keep(edited, trash)
    msgdata = here.peek(edited).msgdata
    here.rewrite(edited, msgdata, message=b"Subject: edited\n\nother body\n")
    here.swap(edited, trash)
    here.transfer(requeued, here, new_filebase=filebase.at(requeued, 1_700_000_000.0))
    here.transfer(shelved, there, new_suffix=".psv")
    msgdata = there.peek(shelved).msgdata
    there.transfer(shelved, here, suffix=".psv", msgdata=msgdata, sync=False)
    there.sync()
    here.sync()


def mender(root: Path, other: Path) -> None:
    """Act on messages through the facade, so that all of it is on record."""
    with contextlib.closing(opened(configuration(root).settings)) as control:
        moved, edited, held, discarded = control.configuration.switchboards["in"].files
        both = control.preview("move", "in", filebases=(moved, held), to="out")
        control.confirm(both.token)
        msgdata = dict(control.entry("in", edited).msgdata)
        control.edit("in", edited, {**msgdata, "edited": True})
        number = control.discard("in", discarded).number
        control.undo(1)
        control.hold("in", held)
        control.release("in", held)
        control.undo(number)


def unshunter(root: Path, other: Path) -> None:
    """Unshunt messages, all by one group commit."""
    with contextlib.closing(opened(configuration(root).settings)) as control:
        control.confirm(control.preview("unshunt", "shunt", "all").token)


def mended(root: Path) -> None:
    """Take back all acts that were not, the newest first."""
    with contextlib.closing(opened(configuration(root).settings)) as control:
        for act in control.acts():
            assert not act.is_under_way
            assert not act.damage
            if act.verb != "undo" and not act.undone_by:
                control.undo(act.number)
        assert control.entries("held:in") == []


def master(root: Path, other: Path) -> None:
    """Forward all messages from queue to queue."""
    master = Master(configuration(root))
    drained = master.drain()
    master.close()
    assert not drained.failures, drained.failures


ACTORS: dict[str, Callable[[Path, Path], None]] = {
    act.__name__: act
    for act in (
        *(producer, runner, mover, rewriter, operator, mender),
        *(unshunter, master),
    )
}

if __name__ == "__main__":
    try:
        ACTORS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
    except (OSError, QToolError) as error:
        os.write(1, f"failed: {error}\n".encode())
