"""The engine: draining a queue, and how soon an arrival is disposed of."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.bench import files
from tests.bench.report import Figure, medians, milliseconds, percentile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.bench.ground import Ground
    from tests.bench.serving import Side


def drain(ground: Ground) -> Iterator[Figure]:
    """Drain by a no-op runner, of files in either state."""
    what = f"drain of {ground.number(10_000):,}, no-op runner"
    for settled, state in ((True, ""), (False, ", fresh files")):
        rate = _drained(ground, settled=settled)
        yield _beside(rate, what + state, "runner", "Mailman's Runner", 15)
        yield _beside(
            rate, what + state, "loop", "bare loop, Mailman's Switchboard", 0.5
        )
        yield _beside(rate, what + state, "durable", "system calls, same promise")
        yield _beside(rate, what + state, "raw", "bare system calls")


def _drained(ground: Ground, *, settled: bool) -> dict[str, float]:
    """Messages per second of each contender."""
    count = ground.number(10_000)

    def filled(measure: Callable[[str], float]) -> float:
        with ground.queue("bench", filled=count, settled=settled) as queue:
            return measure(str(queue))

    took = medians(
        ground.rounds(3),
        {
            "ours": lambda: filled(lambda q: ground.ours.ask("drain", directory=q)),
            "runner": lambda: filled(lambda q: ground.theirs.ask("drain", directory=q)),
            "loop": lambda: filled(lambda q: ground.theirs.ask("dequeue", directory=q)),
            "raw": lambda: filled(
                lambda q: ground.ours.ask("raw_dequeue", directory=q)
            ),
            "durable": lambda: filled(
                lambda q: ground.ours.ask("raw_dequeue", directory=q, durable=True)
            ),
        },
    )
    return {name: count / seconds for name, seconds in took.items()}


def slices(ground: Ground) -> Iterator[Figure]:
    """The same drain by several slices, each a thread, or each a process."""
    count, dealt = ground.number(10_000), (1, 2, 4)

    def drained(slices: int, *, apart: bool) -> float:
        with ground.queue("bench", filled=count) as queue:
            seconds: float = ground.ours.ask(
                "drain_sliced", directory=str(queue), slices=slices, apart=apart
            )
            return seconds

    took = medians(
        ground.rounds(5),
        {
            f"{number}{apart}": partial(drained, number, apart=apart)
            for number in dealt
            for apart in (False, True)
        },
    )
    rate = {name: f"{count / seconds:,.0f}/s" for name, seconds in took.items()}
    for number in dealt:
        yield Figure(
            what=f"drain of {count:,} by {number} slices in threads",
            ours=rate[f"{number}False"],
            beside=f"one slice {rate['1False']}",
            measured=took["1False"] / took[f"{number}False"],
        )
    for number in dealt:
        yield Figure(
            what=f"drain of {count:,} by {number} slices in processes",
            ours=rate[f"{number}True"],
            beside=f"in threads {rate[f'{number}False']}",
            measured=took[f"{number}False"] / took[f"{number}True"],
        )


def _beside(
    rate: dict[str, float], what: str, name: str, beside: str,
    at_least: float | None = None,
) -> Figure:  # fmt: skip
    """How many times as fast as that contender qtool drains."""
    return Figure(
        what=what,
        ours=f"{rate['ours']:,.0f}/s",
        beside=f"{beside} {rate[name]:,.0f}/s",
        measured=rate["ours"] / rate[name],
        at_least=at_least,
    )


def _delays(side: Side, queue: Path, number: int, pause: float) -> list[float | None]:
    """Seconds from each arrival to its dispose; None for one that never came."""
    ready = queue.with_name("ready")
    ready.unlink(missing_ok=True)
    side.begin("latency", directory=str(queue), expected=number)
    while not ready.exists():
        time.sleep(0.05)
    time.sleep(1)  # let it come to rest: the first pass is not what is asked
    came = list(files.arrivals(queue, number, pause))
    disposed: dict[str, Any] = side.result()
    return [
        disposed[str(n)] - when if str(n) in disposed else None
        for n, when in enumerate(came)
    ]


def latency(ground: Ground) -> Iterator[Figure]:
    """From the rename that makes an arrival to its dispose."""
    number = ground.number(400)
    with ground.queue("bench") as queue:
        delays = _delays(ground.ours, queue, number, pause=0.03)
    seen = [delay for delay in delays if delay is not None]
    peer = [1.0]
    beside = ""
    if not ground.quick:  # a poll a second: only many of them say anything
        with ground.queue("bench") as queue:
            peer = [d for d in _delays(ground.theirs, queue, 60, 0.7) if d is not None]
    for percent, at_most in ((50, 5), (99, 20)):
        if not ground.quick:
            beside = f"Mailman {milliseconds(percentile(peer, percent))}"
        yield Figure(
            what=f"arrival to dispose, p{percent} of {number}",
            ours=milliseconds(percentile(seen, percent)),
            beside=beside,
            measured=1000 * percentile(seen, percent),
            unit="ms",
            at_most=at_most,
        )
    yield _missed(delays, f"missed of {number} single arrivals")


def burst(ground: Ground) -> Iterator[Figure]:
    """Arrivals as fast as they go: more than the kernel keeps events for."""
    number = ground.number(20_000)
    with ground.queue("bench") as queue:
        delays = _delays(ground.ours, queue, number, pause=0)
    yield _missed(delays, f"missed in a burst of {number:,}")


def _missed(delays: list[float | None], what: str) -> Figure:
    seen = [delay for delay in delays if delay is not None]
    return Figure(
        what=what,
        ours=f"the last after {milliseconds(max(seen))}",
        measured=len(delays) - len(seen),
        unit="",
        at_most=0,
    )
