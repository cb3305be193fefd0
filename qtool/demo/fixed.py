"""A spool that is the same every time, for pictures and for comparing screens."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from qtool.demo import content
from qtool.demo.placing import damage, digest_in, digest_of_all, place
from qtool.queues.filebase import PRESERVED, TAKEN, WAITING
from qtool.queues.slices import equal
from qtool.settings import parse

if TYPE_CHECKING:
    from pathlib import Path

    from qtool.settings import Settings

NOW = 1_764_000_000.0
"""The moment at which a fixed site stands: 2025-11-24, 16:00 UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What there is to see of one queue."""

    name: str
    instances: int = 1
    depth: int = 0
    in_flight: int = 0
    oldest_seconds: float = 30.0
    sleep_time: str = "1s"
    klass: str = "qtool.demo.still.Still"
    """Of its runner; empty where there is none."""
    starts: bool = True
    rate: tuple[float, float] = (0.0, 0.0)
    """Arrivals and departures a second."""


QUEUES = (
    Figures(name="in", instances=4, depth=9, in_flight=3, rate=(2.4, 2.4)),
    Figures(name="pipeline", instances=4, depth=14, in_flight=4, rate=(2.4, 2.3)),
    Figures(name="out", instances=8, depth=17, in_flight=7, rate=(5.1, 4.2)),
    Figures(name="retry", depth=23, oldest_seconds=11_000, sleep_time="15m",
            rate=(0.1, 0.1)),
    Figures(name="bounces", instances=2, depth=6, oldest_seconds=95, sleep_time="2m",
            rate=(0.3, 0.3)),
    Figures(name="command", depth=1, in_flight=1, rate=(0.2, 0.2)),
    Figures(name="virgin", depth=2, in_flight=1, rate=(0.5, 0.5)),
    Figures(name="owner", rate=(0.0, 0.0)),
    Figures(name="archive", instances=2, depth=31, oldest_seconds=48, in_flight=2,
            rate=(2.3, 2.2)),
    Figures(name="digest", depth=12, oldest_seconds=5_400, sleep_time="1m",
            rate=(0.6, 0.6)),
    Figures(name="nntp", depth=18, oldest_seconds=7_300, starts=False),
    Figures(name="notify", depth=4, oldest_seconds=260,
            klass="qtool.demo.still.Broken"),
    Figures(name="shunt", depth=5, oldest_seconds=93_000, klass=""),
    Figures(name="bad", klass=""),
)  # fmt: skip
"""Fourteen, as many as a stock Mailman has or more."""

SICK_QUEUE, _SICK_DEPTH, _SICK_SECONDS = "out", 412, 13_800.0


def fixed_settings(directory: Path, slices: int | None = None) -> Settings:
    """Return the settings of a fixed site.

    Args:
        directory: The folder of its queues.
        slices: Into how many every queue is divided; None is a usual mixture.
    """
    sections = [f"[qtool]\nroot: {directory}\n"]
    for queue in QUEUES:
        if not queue.klass:
            continue
        sections.append(
            f"[runner.{queue.name}]\nclass: {queue.klass}\n"
            f"instances: {slices or queue.instances}\n"
            f"sleep_time: {queue.sleep_time}\n"
            f"start: {'yes' if queue.starts else 'no'}\n"
            "max_restarts: 0\n"
        )
    sections += [f"[list.{address}]\n" for address in content.LISTS]
    return parse("\n".join(sections), source="qtool.cfg", base=directory)


def fixed_site(directory: Path, slices: int | None = None) -> Settings:
    """Write a site whose names, times and contents are always the same.

    Args:
        directory: An empty folder, for the queues.
        slices: Into how many every queue is divided; None is a usual mixture.

    Returns:
        Its settings; ``NOW`` is the time to look at it.
    """
    random = Random(7)  # noqa: S311 - pretended mail
    for queue in QUEUES:
        (directory / queue.name).mkdir(parents=True)
        for number in range(queue.depth + queue.in_flight):
            age = queue.oldest_seconds
            if number > 0:
                age = random.uniform(0.2, age)
            place(
                directory / queue.name,
                content.post(random, NOW - age),
                when=NOW - age,
                digest=digest_of_all(random),
                suffix=TAKEN if number >= queue.depth else WAITING,
                more=_more(queue, random),
            )
    _make_sick(directory / SICK_QUEUE, slices, random)
    for age in (801_000.0, 202_000.0, 4_100.0):
        digest = digest_of_all(random)
        damage(directory / "bad", when=NOW - age, digest=digest, suffix=PRESERVED)
    return fixed_settings(directory, slices)


def _make_sick(folder: Path, slices: int | None, random: Random) -> None:
    """Let much wait in one slice."""
    count = slices or next(q.instances for q in QUEUES if q.name == SICK_QUEUE)
    part = equal(count)[count * 5 // 8]
    for number in range(_SICK_DEPTH):
        age = _SICK_SECONDS * (1 - number / _SICK_DEPTH) + random.uniform(0, 20)
        place(
            folder,
            content.post(random, NOW - age),
            when=NOW - age,
            digest=digest_in(part, random),
            more={"recipients": content.recipients(random)},
        )


def depths_before(queue: Figures) -> list[int]:
    """Return the depths of the last two minutes, for the trend; 60 of them."""
    random = Random(queue.name)  # noqa: S311 - a pretended past
    if queue.name == SICK_QUEUE:
        now = queue.depth + _SICK_DEPTH
        return [int(now * (0.35 + 0.65 * n / 59)) + random.randint(-4, 4)
                for n in range(60)]  # fmt: skip
    if queue.rate == (0.0, 0.0):
        return [queue.depth] * 60
    wave = max(2, queue.depth // 2)
    return [max(0, queue.depth + random.randint(-wave, wave)) for _ in range(60)]


def _more(queue: Figures, random: Random) -> dict[str, object]:
    if queue.name == "shunt":
        return {
            "whichq": "command",
            "shunt_error": f"ValueError: {content.NO_SUCH_COMMAND}",
            "shunt_runner": "command",
        }
    if queue.name in ("out", "retry"):
        return {"recipients": content.recipients(random)}
    return {}
