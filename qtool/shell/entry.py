"""One entry at the prompt: its values, and the acts on it alone."""

from __future__ import annotations

import time
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec

from qtool import render
from qtool.errors import NoSuchEntry, Refused
from qtool.shell.handles import stepper
from qtool.shell.mending import check_place, done
from qtool.shell.output import say
from qtool.shell.peek import shown
from qtool.shell.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from qtool.control.control import Control
    from qtool.control.models import ActionResult, Entry, EntryView
    from qtool.shell.handles import Report
    from qtool.shell.mending import Done
    from qtool.shell.peek import Peek

P = ParamSpec("P")


class EntryHandle(Shown):
    """One entry: the fields of a list's line, what it holds, and its acts.

    An act is done at once, is on record, and can be undone. What an entry holds is
    as untrusted as the message that it is from.
    """

    def __init__(self, control: Control, entry: Entry) -> None:
        self._control = control
        self._entry = entry
        self._seen, self._drops = "", tuple[str, ...]()
        # In its own dictionary, where completion looks.
        vars(self).update(
            {each.name: getattr(entry, each.name) for each in fields(entry)}
        )

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    # --- What it holds

    def show(self) -> Peek:
        """Return all of it, without taking it."""
        return shown(self._look())

    @property
    def msgdata(self) -> dict[str, Any]:
        """Its metadata, now."""
        return dict(self._readable().msgdata)

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Names and values of its headers in their order, now."""
        return self._readable().headers

    # --- Acts

    def hold(self, why: str = "") -> Done:
        """Put it where no runner takes it."""
        return self._done(self._control.hold, *self._place, why)

    def release(self, why: str = "") -> Done:
        """Put it back from where it is held."""
        check_place("release", self._entry.queue)
        return self._done(self._control.release, *self._place, why)

    def move(self, to: str, why: str = "") -> Done:
        """Move it to another queue."""
        return self._done(self._control.move, *self._place, to, why)

    def requeue(self, why: str = "") -> Done:
        """Give it the time of now."""
        return self._done(self._control.requeue, *self._place, why)

    def discard(self, why: str = "") -> Done:
        """Put it into the trash."""
        return self._done(self._control.discard, *self._place, why)

    def unshunt(self, to: str = "", why: str = "") -> Done:
        """Put it back to where it came from, or to a queue."""
        entry = self._entry
        call = self._control.unshunt
        return self._done(call, entry.filebase, to, why, entry.queue)

    def restore(self, to: str = "", why: str = "") -> Done:
        """Let what was preserved wait again: where it came from, or in a queue."""
        entry = self._entry
        call = self._control.restore
        return self._done(call, entry.filebase, to, why, entry.queue)

    def edit(
        self,
        msgdata: Mapping[str, Any] | None = None,
        headers: Sequence[tuple[str, str]] | None = None,
        why: str = "",
    ) -> Done:
        """Change it, if it is still what was looked at last; undo brings it back.

        Args:
            msgdata: All of its metadata from now on; None leaves it as it is.
            headers: All of its headers from now on; None leaves them.
            why: For people and for the audit.
        """
        if not self._seen:
            self._readable()
        new = None if headers is None else tuple((str(n), str(v)) for n, v in headers)
        if new is not None and self._drops:
            say(f"it becomes text, which has no place for: {', '.join(self._drops)}")
        seen = self._seen
        result = self._done(self._control.edit, *self._place, msgdata, new, seen, why)
        if result.done:
            self._seen = ""
        return result

    def set(self, **values: Any) -> Done:
        """Change some of its metadata; the rest stays."""
        return self.edit({**self.msgdata, **values})

    def unset(self, *keys: str) -> Done:
        """Take some of its metadata away."""
        msgdata = self.msgdata
        for key in keys:
            if key not in msgdata:
                raise Refused(f"there is no such metadata: {key}")
            del msgdata[key]
        return self.edit(msgdata)

    def step(self, **options: Any) -> Report:
        """Have its queue's runner process it; see ``step``."""
        return stepper(self._control)(*self._place, **options)

    # --- Its text

    def lines(self) -> Iterator[str]:
        """Return what a list shows of it."""
        entry = self._entry
        seconds = time.time() - entry.when
        age = render.due(seconds) if entry.due else f"{render.age(seconds)} old"
        said = f"{entry.subject or 'no subject'!r} from {entry.sender or 'nobody'}"
        told = entry.error or (f"{said}: {entry.why}" if entry.why else said)
        yield f"<{entry.queue} {entry.filebase}: {age}, {told}>"

    # --- Behind the scenes

    @property
    def _place(self) -> tuple[str, str]:
        return self._entry.queue, self._entry.filebase

    def _done(
        self, call: Callable[P, ActionResult], *args: P.args, **kwargs: P.kwargs
    ) -> Done:
        """Do an act so that Ctrl-C comes before or after it."""
        return done(self._control, partial(call, *args, **kwargs))

    def _look(self) -> EntryView:
        view = self._control.entry(*self._place)
        self._seen, self._drops = view.seen, view.drops
        return view

    def _readable(self) -> EntryView:
        view = self._look()
        if view.error:
            raise Refused(f"{view.path}: {view.error}")
        return view


def named(control: Control, queue: str, name: str) -> EntryHandle:
    """Return the only entry of a queue whose name begins so.

    Raises:
        NoSuchEntry: There is none, or there are several.
    """
    from qtool.control.paging import the_one

    filebase = the_one(control, queue, name)
    for entry in control.described(queue, (filebase,)):
        return EntryHandle(control, entry)
    raise NoSuchEntry(f"{queue}: {filebase} has gone")
