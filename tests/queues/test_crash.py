"""Killed before any system call that changes something: nothing is lost."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from qtool.qfile import message_from_string
from qtool.queues.spool import Spool
from tests.queues.tracing import run

if TYPE_CHECKING:
    from pathlib import Path

CHANGES = ("fchmod", "fsync", "syncfs", "linkat", "renameat2", "unlink")
"""Every call by which the store changes something, but for the write of a file that
is not visible yet."""

FORWARD = """
import os, sys
from qtool.qfile import message_from_string
from qtool.queues.spool import Spool
root = sys.argv[1]
here, there = Spool("in", root + "/in"), Spool("out", root + "/out")
message = message_from_string("Subject: x\\n\\nbody\\n")
def accepted(*numbers):
    for number in numbers:
        os.write(1, f"{number}\\n".encode())
here.enqueue(message, number=1)
accepted(1)
here.enqueue_many([(message, {"number": n}) for n in (2, 3)])
accepted(2, 3)
with here.claim("crash"):
    for name in here.files:
        msg, msgdata = here.dequeue(name)
        there.enqueue(msg, msgdata)
        here.finish(name)
    here.sync()
"""

RECOVER = """
import sys
from qtool.queues.spool import Spool
Spool("in", sys.argv[1] + "/in").recover_backup_files()
"""

pytestmark = pytest.mark.usefixtures("needs_strace")


def _killed(script: str, root: Path, call: str, number: int) -> tuple[bool, list[int]]:
    """Kill a script at a call; return whether it came so far, and what it printed."""
    inject = f"inject={call}:signal=SIGKILL:when={number}"
    options = ["-o", "/dev/null", "-e", f"trace={call}", "-e", inject]
    done = run(script, root, options=options, check=False)
    assert done.returncode in {0, -9, 137}, done.stderr
    return done.returncode != 0, [int(line) for line in done.stdout.split()]


def _numbers(switchboard: Spool, suffix: str = ".pck") -> Counter[int]:
    return Counter(
        int(switchboard.peek(name).msgdata["number"])
        for name in switchboard.get_files(suffix)
    )


def _check_forward(root: Path, call: str, number: int) -> bool:
    for name in ("in", "out"):
        (root / name).mkdir(parents=True)
    was_killed, accepted = _killed(FORWARD, root, call, number)
    here = Spool("in", root / "in", recover=True)
    there = Spool("out", root / "out")
    waiting, forwarded = _numbers(here), _numbers(there)

    assert set(accepted) <= set(waiting) | set(forwarded), (call, number)
    repeated = waiting + forwarded
    assert sum(repeated.values()) - len(repeated) <= 1, (call, number)
    assert here.get_files(".bak") == []
    if not was_killed:
        assert (waiting, forwarded) == (Counter(), Counter((1, 2, 3)))
    return was_killed


def _check_recovery(root: Path, call: str, number: int) -> bool:
    here, bad = Spool("in", root / "in"), Spool("bad", root / "bad")
    message = message_from_string("Subject: x\n\nbody\n")
    names = [here.enqueue(message, number=n) for n in (1, 2, 3)]
    for _ in range(2):
        here.dequeue(names[0])
        here.recover_backup_files()
    for name in names:
        here.dequeue(name)
    was_killed, _ = _killed(RECOVER, root, call, number)
    here.recover_backup_files()

    assert _numbers(here) == Counter((2, 3)), (call, number)
    assert _numbers(bad, ".psv") == Counter((1,)), (call, number)
    for name in names[1:]:  # what was cut off is not counted twice
        assert here.peek(name).msgdata["_bak_count"] == 1, (call, number)
    return was_killed


@pytest.mark.parametrize(
    ("call", "number"), [("renameat2", 1), ("renameat2", 3), ("linkat", 3)]
)
def test_a_kill_where_a_name_changes_loses_nothing(
    tmp_path: Path, call: str, number: int
) -> None:
    assert _check_forward(tmp_path, call, number)


@pytest.mark.long
@pytest.mark.parametrize("call", CHANGES)
def test_a_kill_at_any_call_of_forwarding_loses_nothing(
    tmp_path: Path, call: str
) -> None:
    """And repeats one message at most."""
    number = 1
    while _check_forward(tmp_path / str(number), call, number):
        number += 1
    assert number > 1


@pytest.mark.long
@pytest.mark.parametrize("call", ["fchmod", "fsync", "renameat2", "unlink"])
def test_a_kill_at_any_call_of_a_recovery_loses_nothing(
    tmp_path: Path, call: str
) -> None:
    number = 1
    while _check_recovery(tmp_path / str(number), call, number):
        number += 1
    assert number > 1
