"""``runners`` and ``step``: the acts of an operator, as words of the prompt."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from qtool import render
from qtool.control.models import Severity
from qtool.control.paging import the_file
from qtool.errors import NoSuchRunner, ReadOnly, Refused
from qtool.shell.output import say, say_lines
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.control.control import Control
    from qtool.control.models import QueueRow, StepReport
    from qtool.installation import Configuration

_LOOKING = frozenset({
    "files", "for_slice", "get_files", "holder", "name", "peek", "preserved_because",
    "queue_directory", "scan", "slice",
})  # fmt: skip
"""What of a switchboard changes nothing."""


_GOES_ON = (
    "Mailman's program goes on with that file: what was begun is not cut short. If"
    " it leaves the file, the next qtool of this site puts it back."
)


class Report:
    """A step's report: its values are the report's, its text is one line."""

    def __init__(self, report: StepReport) -> None:
        self._report = report

    def __getattr__(self, name: str) -> Any:
        return getattr(self._report, name)

    def __dir__(self) -> list[str]:
        return dir(self._report)

    def __repr__(self) -> str:
        report = self._report
        return f"<StepReport {report.outcome.value} {visible(report.filebase or '-')}>"


def stepper(control: Control) -> Callable[..., Report]:
    """Return the ``step`` of a site."""

    def step(
        runner: str,
        filebase: str | None = None,
        *,
        slice: int | None = None,  # noqa: A002 - the field's word
        yes: bool = False,
    ) -> Report:
        """Process one file; print what it did, and return the report.

        Args:
            runner: The runner's name.
            filebase: The file, by the beginning of its name; the next one without it.
            slice: Of which slice of the runner, from 0.
            yes: Do not ask, where the step is one of Mailman's runners.
        """
        if filebase is not None:
            filebase = the_file(control, runner, filebase)
        question = control.step_question(runner, filebase)
        if question is not None and not yes:
            ask(question, "not stepped")
        try:
            report = control.step(runner, filebase, slice)
        except KeyboardInterrupt:
            if question is not None:
                say(_GOES_ON, sys.stderr)
            raise
        say_lines(text for _, text in render.step_report_lines(report))
        return Report(report)

    return step


def ask(question: str, otherwise: str) -> None:
    """Ask the person at the terminal.

    Args:
        question: What is to be answered with yes.
        otherwise: What is told where it is not.

    Raises:
        Refused: The answer was another one, or nobody is there to give it.
    """
    if not sys.stdin.isatty():
        raise Refused(f"{visible(question, 1000)} Nobody can answer here: say yes=True")
    say(visible(question, 1000))
    sys.stdout.write("Do it? [y/N] ")
    sys.stdout.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Refused(otherwise)


class Handle:
    """One runner of the site, by name."""

    def __init__(self, control: Control, name: str) -> None:
        self._control = control
        self.name = name
        """The runner's name."""

    @property
    def row(self) -> QueueRow | None:
        """Its row of the board, now."""
        board = self._control.scan()
        return next((row for row in board.rows if row.runner == self.name), None)

    def start(self, slice: int | None = None) -> None:  # noqa: A002
        """Start it, or one of its slices, numbered from 0."""
        say(visible(self._control.start(self.name, slice)))

    def stop(self, slice: int | None = None) -> None:  # noqa: A002
        """Stop it after the message in hand."""
        say(visible(self._control.stop(self.name, slice)))

    def restart(self, slice: int | None = None) -> None:  # noqa: A002
        """Stop it after the message in hand, and start it again."""
        say(visible(self._control.restart(self.name, slice)))

    def pause(
        self,
        slice: int | None = None,  # noqa: A002
        reason: str = "",
        until: float | None = None,
    ) -> None:
        """Pause it after the message in hand, until a moment or until ``resume``."""
        say(visible(self._control.pause(self.name, slice, reason, until)))

    def resume(self, slice: int | None = None) -> None:  # noqa: A002
        """Let it go on."""
        say(visible(self._control.resume(self.name, slice)))

    def snooze(self, seconds: float) -> None:
        """Set its sleep time."""
        say(visible(self._control.snooze(self.name, seconds)))

    def step(self, filebase: str | None = None, **options: Any) -> Report:
        """Process one file; see ``step``."""
        return stepper(self._control)(self.name, filebase, **options)

    def __repr__(self) -> str:
        row = self.row
        return f"<runner {visible(self.name)}: {_facts(row) if row else 'unknown'}>"


def _facts(row: QueueRow) -> str:
    note = f" ({visible(row.note)})" if row.note else ""
    waiting = f", {render.depth(row)} waiting" if row.has_queue else ""
    verdict, said = row.verdict, ""
    if verdict is not None and verdict.severity is not Severity.OK:
        said = f": {visible(verdict.words)}"
    return f"{render.state_word(row.state)}{note}{waiting}{said}"


class Runners(Mapping[str, Handle]):
    """The runners of the site, by name; its text is a table."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def __getitem__(self, name: str) -> Handle:
        if name not in self._control.configuration.settings.runners:
            raise NoSuchRunner(f"there is no runner {visible(name, 80)!r}")
        return Handle(self._control, name)

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._control.configuration.settings.runners))

    def __len__(self) -> int:
        return len(self._control.configuration.settings.runners)

    def __repr__(self) -> str:
        rows = [row for row in self._control.scan().rows if row.runner is not None]
        width = max((len(visible(row.name)) for row in rows), default=0)
        lines = [f"{visible(row.name):{width}}  {_facts(row)}" for row in rows]
        return "\n".join(lines) or "no runners"


class Lookable:
    """A switchboard of a site that is read-only: what would change it refuses."""

    def __init__(self, switchboard: object, reason: str) -> None:
        self._switchboard = switchboard
        self._reason = reason

    def __getattr__(self, name: str) -> Any:
        if name not in _LOOKING:
            raise ReadOnly(self._reason)
        found = getattr(self._switchboard, name)
        if name == "for_slice":
            return lambda part: Lookable(found(part), self._reason)
        return found

    def __repr__(self) -> str:
        return f"<read-only {self._switchboard!r}>"


class ReadOnlySwitchboards(Mapping[str, Lookable]):
    """The switchboards of a site that is read-only."""

    def __init__(self, switchboards: Mapping[str, Any], reason: str) -> None:
        self._switchboards = switchboards
        self._reason = reason

    def __getitem__(self, name: str) -> Lookable:
        return Lookable(self._switchboards[name], self._reason)

    def __iter__(self) -> Iterator[str]:
        return iter(self._switchboards)

    def __len__(self) -> int:
        return len(self._switchboards)

    def __repr__(self) -> str:
        return f"<read-only {self._switchboards!r}>"


class ReadOnlyConfiguration:
    """The configuration of a site that is read-only: its queues are only looked at."""

    def __init__(self, configuration: Configuration, reason: str) -> None:
        self._configuration = configuration
        self._reason = reason

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._configuration, name)
        if name == "switchboards":
            return ReadOnlySwitchboards(found, self._reason)
        if name in {"shunt", "bad"}:
            return Lookable(found, self._reason)
        return found

    def __repr__(self) -> str:
        return f"<read-only {self._configuration!r}>"
