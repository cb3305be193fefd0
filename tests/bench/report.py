"""One figure after the other, and the table they make."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median, quantiles
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured line of the table."""

    what: str
    ours: str
    """What qtool took or did, with its unit."""
    beside: str = ""
    """What it was measured beside, in the same run."""
    measured: float
    """The number that the target is about."""
    unit: str = "x"
    """``x`` for a ratio, else the unit of ``measured``."""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def target(self) -> str:
        """The target in words; empty where there is none."""
        if self.at_least is not None:
            return f">= {self.at_least:g}{_glued(self.unit)}"
        if self.at_most is not None:
            return f"<= {self.at_most:g}{_glued(self.unit)}"
        return ""

    @property
    def verdict(self) -> str:
        """Whether the target is met; empty where there is none."""
        if self.at_least is not None:
            return "met" if self.measured >= self.at_least else "MISSED"
        if self.at_most is not None:
            return "met" if self.measured <= self.at_most else "MISSED"
        return ""


def _glued(unit: str) -> str:
    return unit if unit in {"x", "%"} else f" {unit}"


HEADINGS = ("what", "qtool", "beside", "measured", "target", "")


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table, padded so that it reads as text too."""
    rows = [HEADINGS] + [
        (
            figure.what,
            figure.ours,
            figure.beside,
            f"{figure.measured:.3g}{_glued(figure.unit)}",
            figure.target,
            figure.verdict,
        )
        for figure in figures
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def interleaved(
    rounds: int, contenders: Mapping[str, Callable[[], float]]
) -> dict[str, list[float]]:
    """Let all contenders run once a round, each round beginning with another one.

    A machine that slows down for a while slows all of them, and the file
    system's state that one leaves behind is met by each of the others.
    """
    names = list(contenders)
    measured: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            measured[name].append(contenders[name]())
    return measured


def medians(
    rounds: int, contenders: Mapping[str, Callable[[], float]]
) -> dict[str, float]:
    """The median of each contender's interleaved rounds."""
    measured = interleaved(rounds, contenders)
    return {name: median(values) for name, values in measured.items()}


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that ``percent`` of ``values`` do not exceed."""
    if len(values) < 2:
        return values[0]
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def milliseconds(seconds: float) -> str:
    """A duration as people compare it."""
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} us"
    if seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds:.3g} s"
