"""The configuration of the demo, and the mail that waits when it begins."""

from __future__ import annotations

import time
from random import Random
from typing import TYPE_CHECKING

from qtool.demo import content
from qtool.demo.placing import damage, digest_in, digest_of_all, place
from qtool.queues.slices import equal
from qtool.settings import parse

if TYPE_CHECKING:
    from pathlib import Path

    from qtool.settings import Settings

_SLICES = 8
"""Of ``out``."""
_SICK = 5
"""Number of the slice of ``out`` that is too slow."""
_BACKLOG = 46
"""How much waits in it at the beginning."""
_WAITING = (
    ("in", 5, 3), ("pipeline", 7, 4), ("archive", 3, 2), ("retry", 4, 25),
    ("bounces", 6, 15), ("digest", 14, 40),
)  # fmt: skip
"""How much waits in other queues, and for how many seconds at most."""

_CONFIGURATION = f"""
[runner.in]
class: qtool.demo.runners.Incoming
instances: 4
seconds: 1.1

[runner.pipeline]
class: qtool.demo.runners.Pipeline
instances: 4
seconds: 1.2

[runner.out]
class: qtool.demo.runners.Outgoing
instances: {_SLICES}
seconds: 1.0
slow_slice: {_SICK}
slow_seconds: 3.0
slow_until: 220

[runner.retry]
class: qtool.demo.runners.Retry
sleep_time: 30s

[runner.bounces]
class: qtool.demo.runners.Bounces
instances: 2
sleep_time: 20s

[runner.command]
class: qtool.demo.runners.Command
seconds: 0.6

[runner.virgin]
class: qtool.demo.runners.Virgin
seconds: 0.6

[runner.archive]
class: qtool.demo.runners.Keeper
instances: 2
seconds: 0.7

[runner.digest]
class: qtool.demo.runners.Digest
sleep_time: 45s

[runner.nntp]
class: qtool.demo.runners.Keeper
seconds: 1.5

[runner.lmtp]
class: qtool.demo.runners.Arrivals
path:
sleep_time: 0.25s
rate: 2.2
"""


def demo_settings(spool: Path) -> Settings:
    """Return the settings of a demo whose queues are in ``spool``."""
    lists = "".join(f"\n[list.{address}]\n" for address in content.LISTS)
    text = f"[qtool]\nroot: {spool}\n{_CONFIGURATION}{lists}"
    return parse(text, source="qtool demo", base=spool)


def fill(spool: Path, seed: int = 1) -> None:
    """Write the mail that waits when a demo begins.

    A backlog in the sick slice, a little in the others, some messages that were
    shunted earlier, and a damaged file that a runner will soon find.

    Args:
        spool: The folder of the queues.
        seed: The same one gives the same mail.
    """
    random, now = Random(seed), time.time()  # noqa: S311 - pretended mail
    for name in demo_settings(spool).runners.keys() - {"lmtp"}:
        (spool / name).mkdir()
    _fill_out(spool / "out", now, random)
    for queue, count, oldest in _WAITING:
        for _ in range(count):
            age = random.uniform(0, oldest)
            place(
                spool / queue,
                content.post(random, now - age),
                when=now - age,
                digest=digest_of_all(random),
                more={"recipients": content.recipients(random)},
            )
    for age in (5400, 4100, 760):
        place(
            spool / "shunt",
            content.command(random, now - age, wrong=True),
            when=now - age,
            digest=digest_of_all(random),
            more={
                "whichq": "command",
                "shunt_error": f"ValueError: {content.NO_SUCH_COMMAND}",
                "shunt_runner": "command",
                "shunt_time": now - age,
            },
        )
    damage(spool / "in", when=now - 1, digest=digest_of_all(random))


def _fill_out(folder: Path, now: float, random: Random) -> None:
    for part in equal(_SLICES):
        count = _BACKLOG if part.number == _SICK else random.randint(0, 3)
        for _ in range(count):
            age = random.uniform(1, 540 if part.number == _SICK else 6)
            place(
                folder,
                content.post(random, now - age - 2),
                when=now - age,
                digest=digest_in(part, random),
                more={"recipients": content.recipients(random)},
            )
