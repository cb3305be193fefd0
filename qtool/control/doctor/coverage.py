"""Whether the runners of a queue cover it: what falls between them waits for nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.control.doctor.found import finding, verbatim
from qtool.control.models import Severity
from qtool.errors import QToolError
from qtool.queues import claimants
from qtool.queues.slices import SPACE, bound_text, equal
from qtool.settings import MOST_INSTANCES
from qtool.untrusted import visible

if TYPE_CHECKING:
    from qtool.control.models import Finding
    from qtool.installation import Configuration
    from qtool.queues.switchboard import Switchboard


def uncovered(configuration: Configuration, queue: Switchboard) -> list[Finding]:
    """Return what waits in slices that no runner holds, where others are held."""
    name = queue.name
    runner = configuration.settings.runners.get(name)
    if runner is None or not runner.served:
        return []
    try:
        held = claimants.held(
            name, queue.queue_directory, configuration.state_directory
        )
    except (QToolError, OSError):
        return []
    held = [part for part in held if part.holder.what.startswith("runner ")]
    if not held:
        return []
    free = claimants.gaps(held)
    share = sum(upper - lower for lower, upper in free) / SPACE
    who = ", ".join(sorted({f"pid {part.holder.pid}" for part in held})[:4])
    return finding(
        "uncovered", Severity.CRITICAL, _named(name, held, free),
        f"{{n}} part{{s}} of the hash space, {share:.0%} of it, that no runner has,"
        f" while {verbatim(visible(who))} works the rest: what falls into {{them}}"
        " waits",
        "start runners for what is named: qtool run -r NAME:slice:range",
        queue=name,
    )  # fmt: skip


def _named(
    queue: str, held: list[claimants.Held], free: list[tuple[int, int]]
) -> list[str]:
    """Return what nobody holds as slices of the division of who holds the rest.

    As digests where there is no such division.
    """
    narrowest = min(part.upper - part.lower for part in held)
    parts = equal(min(MOST_INSTANCES, round(SPACE / narrowest)))
    bounds = [claimants.bounds_of(part) for part in parts]
    firsts = {lower for lower, _ in bounds}
    if not all(lower in firsts for lower in (p.lower for p in held)) or not all(
        lower in firsts for lower, _ in free
    ):
        ends = {SPACE: "the end"}
        return [
            f"{bound_text(low)[:8]} to {ends.get(up) or bound_text(up)[:8]}"
            for low, up in free
        ]
    return [
        f"{queue}:{part.number}:{part.count}"
        for part, (lower, _) in zip(parts, bounds, strict=True)
        if any(low <= lower < up for low, up in free)
    ]
