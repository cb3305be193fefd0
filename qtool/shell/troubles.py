"""``shunts`` and ``failures``: why messages were put aside."""

from __future__ import annotations

import time
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.control.models import Failure, FailureGroup
from qtool.errors import Refused
from qtool.shell.shown import Listed, Result, table, terminal_width
from qtool.untrusted import visible_block

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qtool.control.control import Control
    from qtool.shell.entry import EntryHandle
    from qtool.shell.selection import Selection

_MOST = 100
_LONGEST_TRACEBACK = 20_000


class Shunted(Result[Failure]):
    """Why one message was put aside: its text is all that is known of it."""

    def __init__(self, control: Control, failure: Failure) -> None:
        super().__init__(failure)
        self._control = control

    @property
    def entry(self) -> EntryHandle:
        """The entry, to be looked at or acted on."""
        from qtool.shell.entry import named

        return named(self._control, self._model.queue, self._model.filebase)

    def lines(self) -> Iterator[str]:
        """Tell why, what speaks against sending it on, and the traceback."""
        from qtool.render import shunts

        failure = self._model
        place = failure.queue, failure.filebase
        yield from shunts.lines(failure, self._control.rerun_warnings(*place))
        if failure.traceback:
            yield ""
            shown = visible_block(failure.traceback, _LONGEST_TRACEBACK)
            yield from shown.rstrip("\n").split("\n")


class Alike(Result[FailureGroup]):
    """Messages that were put aside for the same."""

    def __init__(self, control: Control, queue: str, group: FailureGroup) -> None:
        super().__init__(group)
        self._control = control
        self._queue = queue

    @property
    def entries(self) -> Selection:
        """The entries, to be looked at or acted on."""
        from qtool.shell.selection import selected

        if not self._model.where:
            raise Refused("no filter says which they are: .filebases are their names")
        return selected(self._control, self._queue, self._model.where)

    def lines(self) -> Iterator[str]:
        """Show it as a list of one."""
        yield from _group_lines([self])


class Troubles:
    """The words of the prompt about messages that were put aside at a site."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def shunts(
        self, where: str = "", *, queue: str = "shunt", log: str = "",
        number: int = _MOST,
    ) -> Listed[Shunted]:  # fmt: skip
        """Return why messages were put aside, the oldest first; ``[0]`` is one in full.

        Args:
            where: A filter; without one all are meant.
            queue: The place: ``shunt``, ``bad``, or any other.
            log: Path of Mailman's log; else the site's own.
            number: So many at most.
        """
        from qtool.control.paging import failure_pages

        pages = failure_pages(self._control, queue, where, _absolute(log))
        found = islice(chain.from_iterable(pages), number)
        return Listed([Shunted(self._control, each) for each in found], _lines)

    def failures(
        self, where: str = "", *, queue: str = "shunt", log: str = ""
    ) -> Listed[Alike]:
        """Return what messages were put aside for, those of a kind together.

        ``failures()[0].entries`` are those of the first kind.

        Args:
            where: A filter; without one all are meant.
            queue: The place: ``shunt``, ``bad``, or any other.
            log: Path of Mailman's log; else the site's own.
        """
        groups = self._control.failures(queue, where, _absolute(log))
        return Listed([Alike(self._control, queue, g) for g in groups], _group_lines)


def _absolute(log: str) -> str:
    return str(Path(log).absolute()) if log else ""


def _lines(found: Sequence[Shunted]) -> list[str]:
    from qtool.render.shunts import columns, row

    if not found:
        return ["nothing is like that"]
    now, width = time.time(), terminal_width()
    rows = [row(each.model, now, short=width is not None) for each in found]
    return table(columns(width), rows, width)


def _group_lines(found: Sequence[Alike]) -> Iterator[str]:
    from qtool.render.shunts import group_columns, group_row, lines_below

    if not found:
        yield "nothing is like that"
        return
    now, width = time.time(), terminal_width()
    rows = [group_row(each.model, now) for each in found]
    heading, *lines = table(group_columns(width), rows, width)
    yield heading
    for each, line in zip(found, lines, strict=True):
        yield line
        yield from lines_below(each.model)
