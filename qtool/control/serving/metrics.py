"""A site as metrics, in the text format that Prometheus reads.

What is not known has no sample: a depth that could not be read, and what became of
messages that runners of another process took. Rates are for Prometheus to make.
"""

from __future__ import annotations

from dataclasses import astuple, fields
from typing import TYPE_CHECKING

from qtool.control.models import Sample, Severity, State
from qtool.control.standing import ACTIVE
from qtool.engine.status import Counts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from qtool.control.models import Board, Cell, QueueRow
    from qtool.engine.status import RunnerStatus

_SEVERITIES = (Severity.OK, Severity.WARNING, Severity.CRITICAL)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


_ABOUT = {
    "qtool_queue_depth": ("gauge", "Messages that wait in a slice of a queue."),
    "qtool_queue_in_flight": ("gauge", "Messages that a runner has taken."),
    "qtool_queue_oldest_age_seconds": (
        "gauge", "Age of the oldest message that waits, or for how long it is overdue.",
    ),
    "qtool_queue_preserved": ("gauge", "Files set aside for a person."),
    "qtool_queue_foreign": ("gauge", "Names in the folder that are no entry's."),
    "qtool_queue_verdict": (
        "gauge", "How bad the verdict is: 0 ok, 1 a warning, 2 critical.",
    ),
    "qtool_runner_state": ("gauge", "1 for the state that a runner is in."),
    "qtool_messages_total": (
        "counter", "What became of messages since the process began, by outcome.",
    ),
}  # fmt: skip
"""Type and meaning of each metric, in their order."""


def samples_of(board: Board, statuses: Iterable[RunnerStatus] = ()) -> list[Sample]:
    """Return a board and what its runners did as numbers, those of a metric together.

    Args:
        board: The site.
        statuses: The runners of this process.
    """
    found = [
        sample
        for row in board.rows
        for sample in (*_of_queue(row, board.at), *_of_runner(row))
    ]
    found += (sample for status in statuses for sample in _of_status(status))
    order = [*_ABOUT]
    return sorted(found, key=lambda sample: order.index(sample.name))


def exposition(samples: Iterable[Sample]) -> str:
    """Return samples as lines of the text format, those of a metric together."""
    lines, last = [], ""
    for sample in samples:
        name, (kind, about) = sample.name, _ABOUT[sample.name]
        if name != last:
            lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
            last = name
        labels = ",".join(f'{n}="{_escaped(t)}"' for n, t in sample.labels.items())
        lines.append(f"{name}{{{labels}}} {sample.value!r}")
    return "".join(f"{line}\n" for line in lines)


def _sample(name: str, value: float, **labels: object) -> Sample:
    return Sample(
        name=name,
        type=_ABOUT[name][0],
        labels={label: str(text) for label, text in labels.items()},
        value=int(value) if value == int(value) else value,
    )


def _of_queue(row: QueueRow, at: float) -> Iterator[Sample]:
    queue = row.name
    if row.verdict is not None:
        badness = _SEVERITIES.index(row.verdict.severity)
        kind = row.verdict.kind
        yield _sample("qtool_queue_verdict", badness, queue=queue, verdict=kind)
    if not row.has_queue or row.depth is None:
        return
    for number, cells in _by_owner(row):
        own: dict[str, object] = {"queue": queue, "slice": number}
        in_flight = sum(cell.in_flight for cell in cells)
        oldest = [cell.oldest for cell in cells if cell.oldest is not None]
        yield _sample("qtool_queue_depth", sum(cell.depth for cell in cells), **own)
        yield _sample("qtool_queue_in_flight", in_flight, **own)
        if oldest:
            age = max(0.0, round(at - min(oldest), 3))
            yield _sample("qtool_queue_oldest_age_seconds", age, **own)
    yield _sample("qtool_queue_preserved", row.preserved, queue=queue)
    yield _sample("qtool_queue_foreign", row.foreign, queue=queue)


def _of_runner(row: QueueRow) -> Iterator[Sample]:
    if row.runner is None:
        return
    states = [(number, cells[0].state) for number, cells in _by_owner(row)]
    for number, state in states or [(0, row.state)]:
        own = {"runner": row.runner, "slice": number, "state": state}
        yield _sample("qtool_runner_state", 1, **own)


def _of_status(status: RunnerStatus) -> Iterator[Sample]:
    if not any(astuple(status.counts)) and State(status.state) not in ACTIVE:
        return  # it may be another process that counts
    own: dict[str, object] = {"runner": status.runner, "slice": status.slice}
    names = (field.name for field in fields(Counts))
    for name, count in zip(names, astuple(status.counts), strict=True):
        yield _sample("qtool_messages_total", count, **own, outcome=name)


def _by_owner(row: QueueRow) -> list[tuple[int, Sequence[Cell]]]:
    """Return the cells of each slice that a runner owns: a view has more of them."""
    owned: dict[int, list[Cell]] = {}
    for cell in row.cells:
        owned.setdefault(cell.owner, []).append(cell)
    return sorted(owned.items())


def _escaped(text: object) -> str:
    """Return a label's value as the format wants it, always valid UTF-8."""
    plain = str(text).encode("utf-8", "backslashreplace").decode()
    return plain.translate(_ESCAPES)
