"""A site as metrics, in the text format that Prometheus reads.

What is not known has no sample: a depth that could not be read, and what became of
messages that runners of another process took. Rates are for Prometheus to make.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING

from qtool.control.models import Severity, State
from qtool.control.standing import ACTIVE
from qtool.engine.status import Counts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from qtool.control.models import Board, Cell, QueueRow
    from qtool.engine.status import RunnerStatus

_SEVERITIES = (Severity.OK, Severity.WARNING, Severity.CRITICAL)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    name: str
    value: float
    labels: tuple[tuple[str, object], ...]

    def __str__(self) -> str:
        labels = ",".join(f'{name}="{_escaped(text)}"' for name, text in self.labels)
        number = int(self.value) if self.value == int(self.value) else self.value
        return f"{self.name}{{{labels}}} {number!r}"


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


def exposition(board: Board, statuses: Iterable[RunnerStatus] = ()) -> str:
    """Return a board and what its runners did as lines of the text format.

    Args:
        board: The site.
        statuses: The runners of this process.
    """
    samples: dict[str, list[_Sample]] = {name: [] for name in _ABOUT}
    for row in board.rows:
        for sample in (*_of_queue(row, board.at), *_of_runner(row)):
            samples[sample.name].append(sample)
    for status in statuses:
        for sample in _of_status(status):
            samples[sample.name].append(sample)
    lines = []
    for name, (kind, about) in _ABOUT.items():
        if samples[name]:
            lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
            lines += map(str, samples[name])
    return "".join(f"{line}\n" for line in lines)


def _of_queue(row: QueueRow, at: float) -> Iterator[_Sample]:
    if row.verdict is not None:
        yield _Sample(
            name="qtool_queue_verdict",
            value=_SEVERITIES.index(row.verdict.severity),
            labels=(("queue", row.name), ("verdict", row.verdict.kind)),
        )
    if not row.has_queue or row.depth is None:
        return
    for number, cells in _by_owner(row):
        labels = (("queue", row.name), ("slice", number))
        depth = sum(cell.depth for cell in cells)
        in_flight = sum(cell.in_flight for cell in cells)
        oldest = [cell.oldest for cell in cells if cell.oldest is not None]
        yield _Sample(name="qtool_queue_depth", value=depth, labels=labels)
        yield _Sample(name="qtool_queue_in_flight", value=in_flight, labels=labels)
        if oldest:
            age = max(0.0, round(at - min(oldest), 3))
            yield _Sample(
                name="qtool_queue_oldest_age_seconds", value=age, labels=labels
            )
    own = (("queue", row.name),)
    yield _Sample(name="qtool_queue_preserved", value=row.preserved, labels=own)
    yield _Sample(name="qtool_queue_foreign", value=row.foreign, labels=own)


def _of_runner(row: QueueRow) -> Iterator[_Sample]:
    if row.runner is None:
        return
    states = [(number, cells[0].state) for number, cells in _by_owner(row)]
    for number, state in states or [(0, row.state)]:
        labels = (("runner", row.runner), ("slice", number), ("state", state))
        yield _Sample(name="qtool_runner_state", value=1, labels=labels)


def _of_status(status: RunnerStatus) -> Iterator[_Sample]:
    if not any(astuple(status.counts)) and State(status.state) not in ACTIVE:
        return  # it may be another process that counts
    own = (("runner", status.runner), ("slice", status.slice))
    names = (field.name for field in fields(Counts))
    for name, count in zip(names, astuple(status.counts), strict=True):
        labels = (*own, ("outcome", name))
        yield _Sample(name="qtool_messages_total", value=count, labels=labels)


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
