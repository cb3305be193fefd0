"""Spools for the actors to work on, and what must be true of them in the end."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import TYPE_CHECKING

from qtool.errors import QFileError
from qtool.queues.spool import Spool
from tests.crash import actors

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.injecting import Ended, Place

GARBAGE = "1700000000.5+" + "0" * 40
SUBJECTS = ("done", "kept", "shunted", "done")


def prepare(actor: str, place: Place) -> None:
    """Put in what an actor is to work on."""
    place.root.mkdir(parents=True)
    place.other.mkdir(parents=True, exist_ok=True)
    if actor == "producer":
        return
    folder = {"master": "first", "unshunter": "shunt"}.get(actor, "in")
    queue = Spool(folder, place.root / folder)
    msgdata = {"whichq": "in"} if actor == "unshunter" else {}
    queue.enqueue_many(
        (actors.mail(what), {**msgdata, "number": n})
        for n, what in enumerate(SUBJECTS, 1)
    )
    if actor == "runner":
        (queue.queue_directory / f"{GARBAGE}.pck").write_bytes(b"garbage")


def start_again(actor: str, place: Place) -> None:
    """Let the next process of its kind come, which is not killed."""
    if actor in {"runner", "master"}:
        actors.ACTORS[actor](place.root, place.other)
        return
    if actor in {"mender", "unshunter"}:
        actors.mended(place.root)
    for folder in (place.root / "in", place.root / "shunt", place.other / "out"):
        Spool(folder.name, folder).recover_backup_files()


def check(actor: str, place: Place, ended: Ended | None = None) -> None:
    """Fail where a message is lost, or repeated that was not in flight."""
    names = [path for top in _tops(place) for path in top.glob("[!.]*/*")]
    suffixes = Counter("".join(path.suffixes[1:]) for path in names)
    assert set(suffixes) <= {".pck", ".psv"}, names

    there = _numbers(place)
    expected = {1, 2, 3, 4}
    if actor == "producer" and ended is not None:
        expected = set(ended.accepted)
    assert expected <= set(there), there
    repeated = sum(there.values()) - len(there)
    is_one_disk = place.root == place.other
    if actor in {"producer", "rewriter", "mender", "unshunter"} or (
        actor == "operator" and is_one_disk
    ):
        assert repeated == 0, there
    else:
        assert repeated <= 1, there
    if actor == "runner":
        kept = place.root / "bad" / f"{GARBAGE}.psv"
        assert kept.read_bytes() == b"garbage"
        assert suffixes[".psv"] == 1
    if actor == "rewriter" and ended is not None:
        _check_rewritten(place, ended)


def _check_rewritten(place: Place, ended: Ended) -> None:
    spool = Spool("in", place.root / "in")
    for name in spool.files:
        msgdata = spool.peek(name).msgdata
        assert msgdata.get("edited") or msgdata["number"] not in ended.accepted
    if not ended.was_killed and not ended.failed:
        assert ended.accepted == (1, 2, 3, 4)


def _tops(place: Place) -> set[Path]:
    return {place.root, place.other}


def _numbers(place: Place) -> Counter[int]:
    """Count the messages by their numbers, wherever they wait."""
    numbers: Counter[int] = Counter()
    for top in _tops(place):
        for folder in top.iterdir():
            queue = Spool(folder.name, folder)
            for name in [*queue.files, *queue.get_files(".psv")]:
                with contextlib.suppress(QFileError):  # the garbage
                    numbers[int(queue.peek(name).msgdata["number"])] += 1
    return numbers
