"""Some entries of a queue at the prompt: found lazily, and acted on by token."""

from __future__ import annotations

import time
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, overload

from qtool.control.paging import PAGE, pages, previewed
from qtool.errors import NoSuchEntry, Refused
from qtool.shell.attending import attended
from qtool.shell.entry import EntryHandle
from qtool.shell.mending import Previewed, check_place
from qtool.shell.shown import Shown, entry_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qtool.control.control import Control
    from qtool.control.models import Entry, Found

ALL = "all"

_FIRST = 25
_COUNTING_SECONDS = 1.0
_PAGE_SECONDS = 0.1


class Selection(Shown):
    """Those entries of a place that a filter selects, or all; the oldest first.

    Its verbs change nothing: each returns a preview, and ``confirm`` of that acts on
    exactly what it shows. Nothing is read before it is asked for, and everything is
    read anew each time.
    """

    def __init__(self, control: Control, queue: str, where: str) -> None:
        self._control = control
        self.queue = queue
        """Where they are."""
        self.filter = where
        """Which they are: a filter, or ``all``."""

    # --- Looking

    def where(self, text: str) -> Selection:
        """Return those of them that a filter selects, too."""
        checked = _checked(self._control, text)
        is_all = self.filter == ALL
        both = checked if is_all else f"({self.filter}) ({checked})"
        return Selection(self._control, self.queue, both)

    def count(self) -> int:
        """Return how many there are; reads as much as it must."""
        if self.filter == ALL:
            return self._control.find(self.queue, number=1, names_only=True).total
        return sum(len(page.entries) for page in self._pages(names_only=True))

    __len__ = count

    def __bool__(self) -> bool:
        return any(page.entries for page in self._pages(names_only=True))

    def __iter__(self) -> Iterator[EntryHandle]:
        for page in self._pages():
            for entry in page.entries:
                yield EntryHandle(self._control, entry)

    @overload
    def __getitem__(self, at: int) -> EntryHandle: ...

    @overload
    def __getitem__(self, at: slice) -> list[EntryHandle]: ...

    def __getitem__(self, at: int | slice) -> EntryHandle | list[EntryHandle]:
        if isinstance(at, slice):
            if min(at.start or 0, at.stop or 0) < 0:
                raise Refused("entries are counted from the oldest, which is 0")
            return list(islice(self, at.start, at.stop, at.step))
        if at < 0:
            raise Refused("entries are counted from the oldest, which is 0")
        for entry in islice(self, at, None):
            return entry
        raise NoSuchEntry(f"{self.queue}: there is no entry {at}, counted from 0")

    # --- Acts, each shown before it is done

    def hold(self, why: str = "") -> Previewed:
        """Put them where no runner takes them."""
        return self._previewed("hold", why)

    def release(self, why: str = "") -> Previewed:
        """Put them back from where they are held."""
        check_place("release", self.queue)
        return self._previewed("release", why)

    def move(self, to: str, why: str = "") -> Previewed:
        """Move them to another queue."""
        return self._previewed("move", why, to)

    def requeue(self, why: str = "") -> Previewed:
        """Give them the time of now, in their order."""
        return self._previewed("requeue", why)

    def discard(self, why: str = "") -> Previewed:
        """Put them into the trash."""
        return self._previewed("discard", why)

    def unshunt(self, to: str = "", why: str = "") -> Previewed:
        """Put them back to where they came from, or to a queue."""
        return self._previewed("unshunt", why, to)

    def restore(self, to: str = "", why: str = "") -> Previewed:
        """Let what was preserved wait again: where it came from, or in a queue."""
        return self._previewed("restore", why, to)

    def empty(self, why: str = "") -> Previewed:
        """Remove them from the trash, for good."""
        return self._previewed("empty", why)

    # --- Its text

    def lines(self) -> Iterator[str]:
        """Show the oldest, and how many more there are as far as a second tells."""
        entries, more, page = self._first()
        if not entries:
            yield f"no entry of {self.queue} is like that"
            return
        yield from entry_table(entries, time.time())
        is_all = page.complete or self.filter == ALL
        if more:
            yield f"and {'' if is_all else 'at least '}{more:,} more"
        if not is_all:
            yield f".count() looks through all {page.total:,} of {self.queue}"

    def _first(self) -> tuple[list[Entry], int, Found]:
        """Return the oldest, how many more were counted, and the last page read."""
        deadline = time.monotonic() + _COUNTING_SECONDS
        page = self._page("", _FIRST)
        entries, more = [*page.entries], 0
        is_over = False
        while not (page.complete or is_over) and len(entries) < _FIRST:
            page = self._page(page.after, _FIRST - len(entries))
            entries += page.entries
            is_over = bool(entries) and time.monotonic() > deadline
        if self.filter == ALL:
            return entries, max(0, page.total - len(entries)), page
        while not (page.complete or is_over):
            page = self._page(page.after, PAGE, names_only=True)
            more += len(page.entries)
            is_over = time.monotonic() > deadline
        return entries, more, page

    # --- Behind the scenes

    @property
    def _wanted(self) -> str:
        return "" if self.filter == ALL else self.filter

    def _page(self, after: str, number: int, *, names_only: bool = False) -> Found:
        return self._control.find(
            self.queue, self._wanted, after, number, _PAGE_SECONDS, names_only
        )

    def _pages(self, *, names_only: bool = False) -> Iterator[Found]:
        return pages(self._control, self.queue, self._wanted, names_only=names_only)

    def _previewed(self, verb: str, why: str, to: str = "") -> Previewed:
        wanted = (self._control, verb, self.queue, self.filter)
        call = partial(previewed, *wanted, to=to)
        preview = attended(self._control, call, lambda _: None)
        return Previewed(self._control, preview, why)


def selected(control: Control, queue: str, text: str) -> Selection:
    """Return those entries of a place that a filter selects."""
    return Selection(control, queue, _checked(control, text))


def _checked(control: Control, text: str) -> str:
    """Return a filter that is one.

    Raises:
        FilterError: It is none; it says what was expected, and where.
        Refused: It would be every entry, which has to be said.
    """
    from qtool.control.filters import parse  # needs what few prompts do

    if text.strip() in ("", ALL):
        raise Refused("every entry is .all()")
    parse(text, time.time(), control.configuration.settings.filters)
    return text
