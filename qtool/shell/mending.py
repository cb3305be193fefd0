"""What the prompt's acts on entries give back: previews, and results in words."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from qtool import render
from qtool.control.models import ActionResult, Preview
from qtool.control.models.mending import NO_WAY
from qtool.errors import Refused
from qtool.shell.attending import attended
from qtool.shell.output import say
from qtool.shell.shown import GO_ON, Result, entry_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qtool.control.control import Control

VERBS = ("hold", "release", "move", "requeue", "discard", "unshunt", "restore")
_HELD = "held:"
_BACK = "undo({})"


class Done(Result[ActionResult]):
    """What an act did: its values are the result's, its text is in words."""

    def lines(self) -> Iterator[str]:
        """Tell to how many it was done, and name every one that was left."""
        from qtool.render.acts import missed_lines, result_line

        result = self._model
        yield result_line(result, _BACK) if result.done else "nothing was done"
        if result.note:
            yield result.note
        yield from missed_lines(result)


def done(control: Control, call: Callable[[], ActionResult]) -> Done:
    """Do an act, and show at a terminal how far it is.

    Raises:
        KeyboardInterrupt: It was interrupted; what it had done was told.
    """
    result = attended(control, call, lambda cut: say(repr(Done(cut))))
    return Done(result)


class Previewed(Result[Preview]):
    """What an act would do to many. Nothing is done before ``confirm``."""

    def __init__(self, control: Control, preview: Preview, why: str) -> None:
        super().__init__(preview)
        self._control = control
        self._why = why

    def confirm(self, why: str = "") -> Done:
        """Do it, to exactly these.

        Args:
            why: For people and for the audit; else what was given before.
        """
        model = self._model
        if not model.count:
            raise Refused(f"no entry of {model.queue} is like that")
        if model.refusal == NO_WAY:
            raise Refused(NO_WAY)
        said = (model.verb, model.queue, model.to)  # for the audit, too
        call = partial(self._control.confirm, model.token, why or self._why, *said)
        return done(self._control, call)

    def lines(self) -> Iterator[str]:
        """Show the oldest of them, how many there are, and how to go on."""
        preview = self._model
        if not preview.count:
            yield f"no entry of {preview.queue} is like that"
            return
        from qtool.render.acts import warning_lines

        now = time.time()
        yield from entry_table(preview.first, now)
        more = preview.count - len(preview.first)
        if more > 0:
            yield f"and {more:,} more"
        yield from warning_lines(preview)
        what = f"{preview.verb} {preview.count:,} of {preview.queue}"
        if preview.to:
            what += f" to {preview.to}"
        if preview.oldest is not None:
            what += f", the oldest is of {render.moment(preview.oldest)}"
        yield what
        refusal = f"this cannot be confirmed: {preview.refusal}"
        yield refusal if preview.refusal else GO_ON


def check_place(verb: str, queue: str) -> None:
    """Find out whether a verb acts on what is in that place.

    Raises:
        Refused: It acts on another one.
    """
    if verb == "release" and not queue.startswith(_HELD):
        raise Refused(f"what is held is elsewhere: queues['{_HELD}{queue}']")
