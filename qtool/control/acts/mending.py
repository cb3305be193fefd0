"""The part of ``Control`` that acts on entries: on one at once, on many by token.

Every act is on record before it is done, and can be taken back while its entries are
where it put them. Many entries are acted on only as a list that somebody has seen:
``preview`` freezes it, ``confirm`` acts on exactly that.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from qtool.control.desk.desk import Desk
from qtool.control.gate import act
from qtool.control.shunts.shunts import Shunts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qtool.control.acts.mender import Mender
    from qtool.control.acts.tokens import Plan
    from qtool.control.models import (
        Act,
        ActionResult,
        Preview,
        Trashed,
        UnderWay,
    )


class Mending(Desk, Shunts):
    """Acts on entries. ``why`` is for people and for the audit."""

    # --- One entry

    @act
    def hold(self, queue: str, filebase: str, why: str = "") -> ActionResult:
        """Put an entry where no runner takes it, until it is released."""
        return self._one("hold", queue, filebase, why)

    @act
    def release(self, queue: str, filebase: str, why: str = "") -> ActionResult:
        """Put a held entry back into its queue."""
        return self._one("release", queue, filebase, why)

    @act
    def move(self, queue: str, filebase: str, to: str, why: str = "") -> ActionResult:
        """Move an entry to another queue, under the same name."""
        return self._one("move", queue, filebase, why, to)

    @act
    def requeue(self, queue: str, filebase: str, why: str = "") -> ActionResult:
        """Give an entry the time of now: it is due at once, or last in its line."""
        return self._one("requeue", queue, filebase, why)

    @act
    def discard(self, queue: str, filebase: str, why: str = "") -> ActionResult:
        """Put an entry into the trash."""
        return self._one("discard", queue, filebase, why)

    @act
    def unshunt(
        self, filebase: str, to: str = "", why: str = "", queue: str = "shunt"
    ) -> ActionResult:
        """Put a shunted entry back to where it came from, or ``to`` a queue."""
        return self._one("unshunt", queue, filebase, why, to)

    @act
    def restore(
        self, filebase: str, to: str = "", why: str = "", queue: str = "bad"
    ) -> ActionResult:
        """Let a preserved entry wait again: where it came from, or in ``to``."""
        return self._one("restore", queue, filebase, why, to)

    @act
    def edit(
        self,
        queue: str,
        filebase: str,
        msgdata: Mapping[str, Any] | None = None,
        headers: tuple[tuple[str, str], ...] | None = None,
        seen: str = "",
        why: str = "",
    ) -> ActionResult:
        """Change a waiting entry; its original goes to the trash.

        Args:
            queue: Where it is.
            filebase: The entry.
            msgdata: All of its metadata from now on; each value keeps its type. None
                leaves it as it is.
            headers: All of its headers from now on, as ``entry`` shows them. None
                leaves them as they are.
            seen: That of the view which was edited: another file is refused then.
            why: For people.
        """
        from qtool.control.acts.editing import Edit

        edit = Edit(msgdata=msgdata, headers=headers)
        return self._mender.edit(queue, filebase, edit, seen, why)

    def edit_refusal(self, queue: str, filebase: str) -> str:
        """Return why an entry cannot be edited, whatever it becomes; else nothing.

        Raises:
            NoSuchEntry: It does not wait there.
        """
        return self.read_only_reason() or self._mender.edit_refusal(queue, filebase)

    # --- Many

    @act
    def preview(
        self,
        verb: str,
        queue: str,
        where: str = "",
        filebases: tuple[str, ...] = (),
        to: str = "",
    ) -> Preview:
        """Return what an act would do to which entries, with a token for it.

        Args:
            verb: ``hold``, ``release``, ``move``, ``requeue``, ``discard``,
                ``unshunt`` or ``restore``.
            queue: Where the entries are.
            where: A filter, or ``all``.
            filebases: The entries themselves, instead of a filter.
            to: The queue they go to.
        """
        plan = _plan(verb, queue, to, filebases)
        return self._warned(self._mender.previewed(plan, where))

    def rehearse(
        self,
        verb: str,
        queue: str,
        where: str = "",
        filebases: tuple[str, ...] = (),
        to: str = "",
    ) -> Preview:
        """Return what `preview` would, without a token: nothing is written for it.

        That is for who may not act.
        """
        plan = _plan(verb, queue, to, filebases)
        return self._warned(self._mender.previewed(plan, where, is_kept=False))

    @act
    def confirm(
        self, token: str, why: str = "", verb: str = "", queue: str = "", to: str = ""
    ) -> ActionResult:
        """Do what was previewed, to exactly the entries that were.

        Args:
            token: Of the preview.
            why: For people.
            verb: Also refuse what is not this act; any is done without it.
            queue: Also refuse what is not about this place.
            to: Also refuse what does not go to this queue.
        """
        return self._mender.confirmed(token, why, verb, queue, to)

    def under_way(self) -> tuple[UnderWay, ...]:
        """Return how far the acts are that are done here now."""
        return self._ongoing.seen()

    @act
    def interrupt(self, id: int) -> None:  # noqa: A002 - the field's word
        """Have an act that is under way end before its next entry.

        What was done stays, and is told by the act's result.

        Args:
            id: Of one of ``under_way``.

        Raises:
            Refused: It is over, or another user's.
        """
        self._ongoing.stop(id)

    # --- Back again

    @act
    def undo(
        self, number: int | None = None, others: bool = False, why: str = ""
    ) -> ActionResult:
        """Take an act back: your own last one, or that of a number.

        Args:
            number: Of the act.
            others: Also if it is another user's.
            why: For people.
        """
        return self._mender.undo(number, why, others=others)

    def rehearse_undo(self, number: int | None = None) -> Preview:
        """Return what `undo` would do: nothing is written for it, and anybody may ask.

        Args:
            number: Of the act; else it is your own last one.
        """
        return self._mender.rehearsed_undo(number)

    def undo_question(self, number: int) -> str | None:
        """Return what to ask before an act is undone; None for nothing."""
        return self._mender.undo_question(number)

    def acts(self, number: int = 20, before: int | None = None) -> list[Act]:
        """Return the acts on record, the newest first; those below ``before``."""
        return self._mender.acts(number, before)

    def trash(self) -> list[Trashed]:
        """Return what each act put into the trash that is still there."""
        from qtool.control.acts.trash import trashed

        return trashed(self.configuration)

    # --- Behind the scenes

    def _warned(self, preview: Preview) -> Preview:
        if preview.verb != "unshunt":
            return preview
        from qtool.control.shunts.rerun import UNREADABLE  # few acts ask for it

        shown = [entry.filebase for entry in preview.first]
        told = chain(*self._reruns(preview.queue, shown).values())
        # That one cannot be read is among what stands in its way.
        found = Counter(line for line in told if not line.startswith(UNREADABLE))
        of = f"of the {len(shown)} shown: "
        reruns = [f"{n} {of}{line}" if shown[1:] else line for line, n in found.items()]
        return replace(preview, warnings=(*preview.warnings, *reruns))

    @property
    def _mender(self) -> Mender:
        from qtool.control.acts.mender import Mender  # a board mends nothing

        return Mender(self, self.clock, self._ongoing)

    def _one(
        self, verb: str, queue: str, filebase: str, why: str, to: str = ""
    ) -> ActionResult:
        return self._mender.at_once(_plan(verb, queue, to, (filebase,)), why)


def _plan(verb: str, queue: str, to: str, filebases: tuple[str, ...]) -> Plan:
    from qtool.control.acts.tokens import Plan

    each_once = tuple(dict.fromkeys(filebases))
    return Plan(verb=verb, queue=queue, to=to, filebases=each_once)
