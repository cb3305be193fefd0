"""The store: enqueue, dequeue, listing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench import files
from tests.bench.report import Figure, medians, milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.bench.ground import Ground

BATCH = 64


def enqueue(ground: Ground) -> Iterator[Figure]:
    """Enqueue against the raw limit of the same promise, and Mailman's."""
    count = ground.number(128)
    batches = max(1, count // BATCH)
    with ground.queue("enqueue") as queue:
        message = {"directory": str(queue), "message": str(ground.message)}
        content = {"directory": str(queue), "content": str(ground.qfile)}
        many = {"size": BATCH, "batches": batches}

        def each(seconds: float, number: int = count) -> float:
            files.empty(queue)
            return seconds / number

        def together(*, group_commit: bool) -> float:
            seconds = ground.ours.ask(
                "enqueue_many", **message, **many, group_commit=group_commit
            )
            return each(seconds, batches * BATCH)

        ask, theirs = ground.ours.ask, ground.theirs.ask
        # Many short turns: what waits for a disk is at the mercy of the moment.
        took = medians(
            ground.rounds(31),
            {
                "raw": lambda: each(ask("raw_enqueue", **content, count=count)),
                "ours": lambda: each(ask("enqueue", **message, count=count)),
                "theirs": lambda: each(theirs("enqueue", **message, count=count)),
                "syncfs": lambda: together(group_commit=True),
                "fsyncs": lambda: together(group_commit=False),
                "raw batch": lambda: each(
                    ask("raw_enqueue_many", **content, **many), batches * BATCH
                ),
            },
        )
    yield _against(took, "enqueue", "ours", "raw", "raw, same promise", 0.9)
    yield _against(took, "enqueue, directory fsync too", "ours", "theirs", "Mailman")
    what = f"enqueue_many of {BATCH}, by "
    yield _against(took, what + "syncfs", "syncfs", "theirs", "Mailman", 2)
    yield _against(took, what + "fsync of each", "fsyncs", "theirs", "Mailman")
    yield _against(took, what + "syncfs", "syncfs", "raw batch", "raw, same batch")


def _against(
    took: dict[str, float], what: str, ours: str, theirs: str, beside: str,
    at_least: float | None = None,
) -> Figure:  # fmt: skip
    """How many times as fast as ``theirs`` is ``ours``, per message."""
    return Figure(
        what=what,
        ours=milliseconds(took[ours]),
        beside=f"{beside} {milliseconds(took[theirs])}",
        measured=took[theirs] / took[ours],
        at_least=at_least,
    )


def dequeue(ground: Ground) -> Iterator[Figure]:
    """Dequeue and finish files that Mailman wrote, with every check and without any.

    The usual ones are read by their grammar, the 8-bit ones by the unpickler behind
    the guard. An enqueue leaves files settled on the disk. Of files that are not
    written back yet the removal is cheap, and the rest of the work shows.
    """
    for settled, state in ((True, ""), (False, ", fresh files")):
        what = f"dequeue + finish{state}"
        took = _dequeued(ground, ground.qfile, settled=settled)
        yield _against(took, what, "ours", "theirs", "Mailman", 0.6)
        yield _guard_share(took)
        unguarded = f"{what}, without guard"
        yield _against(took, unguarded, "unguarded", "theirs", "Mailman", 1.1)
        yield _against(took, what, "ours", "raw", "bare system calls")
        others = ((ground.in_parts, "in parts"), (ground.eight_bit, "8-bit"))
        for sample, kind in others:
            took = _dequeued(ground, sample, settled=settled)
            yield _against(took, f"{what}, {kind}", "ours", "theirs", "Mailman")
            yield _guard_share(took)


def _dequeued(ground: Ground, sample: Path, *, settled: bool) -> dict[str, float]:
    """Seconds per message of each contender."""
    count = ground.number(1000)

    def filled(measure: Callable[[str], float]) -> float:
        with ground.queue(
            "dequeue", filled=count, settled=settled, sample=sample
        ) as queue:
            return measure(str(queue)) / count

    def ours(*, guard: bool) -> float:
        return filled(lambda q: ground.ours.ask("dequeue", directory=q, guard=guard))

    return medians(
        ground.rounds(11),
        {
            "ours": lambda: ours(guard=True),
            "unguarded": lambda: ours(guard=False),
            "theirs": lambda: filled(
                lambda q: ground.theirs.ask("dequeue", directory=q)
            ),
            "raw": lambda: filled(
                lambda q: ground.ours.ask("raw_dequeue", directory=q)
            ),
        },
    )


def _guard_share(took: dict[str, float]) -> Figure:
    guard = took["ours"] - took["unguarded"]
    return Figure(
        what="the guard's share of it",
        ours=milliseconds(guard),
        measured=100 * guard / took["ours"],
        unit="%",
    )


def listing(ground: Ground) -> Iterator[Figure]:
    """List one and all of 16 slices of a large queue."""
    count = ground.number(100_000)
    with ground.queue("listing") as queue:
        files.fill(queue, b"", count)
        one = {"directory": str(queue), "slices": [5], "numslices": 16}
        every = {**one, "slices": list(range(16))}
        ours, theirs = ground.ours.ask, ground.theirs.ask
        took = medians(
            ground.rounds(5),
            {
                "one": lambda: ours("listing", **one),
                "their one": lambda: theirs("listing", **one),
                "all": lambda: ours("listing", **every),
                "their all": lambda: theirs("listing", **every),
                "raw": lambda: ours("raw_listing", directory=str(queue)),
            },
        )
    what = f"of 16 slices of {count:,} files"
    yield _against(took, f"list one {what}", "one", "their one", "Mailman", 2)
    yield _against(took, f"list all {what}", "all", "their all", "Mailman", 15)
    yield _against(took, f"list all {what}", "all", "raw", "bare listdir")
