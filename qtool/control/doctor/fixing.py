"""What every fix is like, and how one is carried out."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from contextlib import ExitStack
from typing import TYPE_CHECKING, ClassVar

from qtool.control.acts.tokens import Plan
from qtool.control.models import Fixed, FixPreview
from qtool.control.models.mending import NOT_TRIED
from qtool.errors import NoSuchEntry, QFileError, QToolError
from qtool.queues import filebase
from qtool.settings import SiteKind
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from qtool.control.acts.ongoing import Ongoing
    from qtool.control.acts.tokens import Tokens
    from qtool.control.models import QueueRow
    from qtool.installation import Configuration
    from qtool.queues.switchboard import Switchboard

_MOST_SHOWN = 25
_SETTLE_SECONDS = 0.1
"""How long what was done may stay undurable."""


class Other(QToolError):
    """It is not any more as it was."""


class Fix(ABC):
    """One way to put things right, at a site or in one of its queues.

    Args:
        configuration: The site.
        queue: The queue; None for what is of the whole site.
        row: How the queue's runner stands.
        now: The time, in epoch seconds.
    """

    words: ClassVar[str]
    """What it does to what it names."""
    of_queue: ClassVar[bool] = True
    """Whether it is for one queue; else for the site."""

    def __init__(
        self,
        configuration: Configuration,
        queue: Switchboard | None,
        row: QueueRow | None,
        now: float,
    ) -> None:
        self.configuration = configuration
        self._queue = queue
        self.row = row
        self.now = now
        self.stack = ExitStack()
        self.looked_at: Callable[[int, int], None] = lambda _count, _total: None
        """Is told how many entries were looked at of how many, to find the names."""

    @property
    def queue(self) -> Switchboard:
        """The queue."""
        assert self._queue is not None
        return self._queue

    @property
    def own(self) -> bool:
        """Whether only qtool writes there."""
        return self.configuration.settings.kind is SiteKind.OWN

    @property
    def folder(self) -> Path:
        """The folder that it is about."""
        if self._queue is None:
            return self.configuration.state_directory
        return self._queue.queue_directory

    @abstractmethod
    def names(self) -> list[str]:
        """Return what it would be done to."""

    @abstractmethod
    def mend(self, name: str) -> None:
        """Do it to one of them.

        Raises:
            Other, NoSuchEntry: It is not as it was, and nothing was done.
            QToolError, OSError: It cannot be done.
        """

    def settle(self) -> None:  # noqa: B027 - most do so by themselves
        """Make durable what was done."""

    def begin(self) -> None:  # noqa: B027 - most need nothing
        """Get ready to mend several; what is held ends with ``stack``."""


def verb_of(kind: str) -> str:
    """Return what a fix is called in the plan of a token."""
    return f"fix {kind}"


def previewed(
    fix: Fix, kind: str, queue: str, tokens: Tokens | None = None, uid: int = -1
) -> FixPreview:
    """Return what a fix would do, with a token for exactly that.

    Args:
        fix: The fix.
        kind: What it is called.
        queue: Where it would be done.
        tokens: Where the token is kept; None: there is to be none.
        uid: Who asks for it.
    """
    names = fix.names()
    plan = Plan(verb=verb_of(kind), queue=queue, to="", filebases=tuple(names))
    parsed = [filebase.parse(name) for name in names]
    bases = [base for base in names if filebase.is_filebase(base)]
    times = [one.when for one in parsed if one] + [*map(filebase.when_of, bases)]
    return FixPreview(
        kind=kind,
        queue=queue,
        words=fix.words,
        count=len(names),
        oldest=min(times, default=None),
        first=tuple(visible(name, 200) for name in names[:_MOST_SHOWN]),
        token=tokens.issue(plan, uid) if names and tokens is not None else "",
    )


def carried_out(
    fix: Fix, kind: str, queue: str, names: Sequence[str], ongoing: Ongoing
) -> Fixed:
    """Do a fix to each of these names, and tell what became of each."""
    done, skipped, failed = list[str](), list[str](), list[str]()
    with fix.stack:
        fix.begin()
        ongoing.begins(len(names))
        settled = time.monotonic()
        for number, name in enumerate(names):
            if stopped := ongoing.came_to(number):
                rest = (visible(left, 200) for left in names[number:])
                skipped += [f"{left}: {NOT_TRIED}{stopped}" for left in rest]
                break
            shown = visible(name, 200)
            try:
                fix.mend(name)
                done.append(shown)
            except (Other, NoSuchEntry) as error:
                skipped.append(f"{shown}: {error}")
            except QFileError as error:
                failed.append(f"{shown}: {error.reason}")
            except (QToolError, OSError) as error:
                failed.append(f"{shown}: {error}")
            if time.monotonic() - settled > _SETTLE_SECONDS:
                failed += _settled(fix)
                settled = time.monotonic()
        failed += _settled(fix)
    return Fixed(
        kind=kind,
        queue=queue,
        done=tuple(done),
        skipped=tuple(skipped),
        failed=tuple(failed),
    )


def _settled(fix: Fix) -> list[str]:
    """Make durable what was done; return what is wrong, mostly nothing."""
    try:
        fix.settle()
    except OSError as error:
        return [f"{fix.folder}: what was done may not outlast a loss of power: {error}"]
    return []
