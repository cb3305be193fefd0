"""Acts on entries, from the plan to the result."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from qtool.control.acting import acting_name, acting_uid
from qtool.control.acts.carrying import carry_out
from qtool.control.acts.editing import check, with_headers
from qtool.control.acts.journal import Journal
from qtool.control.acts.keeping import forget_old
from qtool.control.acts.plans import Ways, checked, kept_aside, source_of, ways_of
from qtool.control.acts.records import Record
from qtool.control.acts.rehearsing import rehearsed_undo
from qtool.control.acts.tokens import Plan, Tokens
from qtool.control.acts.trash import EMPTY, check_room, emptied, full
from qtool.control.acts.undoing import UNDO, to_undo, undone, ways_back
from qtool.control.audit.audit import noted
from qtool.control.desk.entries import stamp_of
from qtool.control.models import Act, ActionResult, Missed, Preview
from qtool.control.models.mending import FIRST, NO_WAY
from qtool.control.places import place
from qtool.errors import NoSuchEntry, Refused
from qtool.queues.filebase import PRESERVED, WAITING, when_of
from qtool.settings import SiteKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qtool.control.acts.editing import Edit
    from qtool.control.acts.ongoing import Ongoing, OngoingActs
    from qtool.control.acts.records import Moved, Summary
    from qtool.control.acts.swapping import Change
    from qtool.control.desk.desk import Desk
    from qtool.queues.switchboard import Switchboard

_PAGE = 10_000
_PAGE_SECONDS = 0.5
"""How long a filter is asked before it is told how far that is."""
EVERYTHING = "all"
"""What is typed for every entry of a queue, and nothing shorter."""
_NAMED = 10
"""Acts that are named in a note."""

_FREE = (WAITING, PRESERVED)
"""States in which nobody has an entry in hand."""


class Mender:
    """Acts on the entries of one site.

    Args:
        desk: Where entries are found and looked at.
        clock: Seconds since the epoch.
        acts: Those that are under way.
    """

    def __init__(
        self, desk: Desk, clock: Callable[[], float], acts: OngoingActs
    ) -> None:
        self._desk = desk
        self._ongoing = acts
        self._configuration = desk.configuration
        self._clock = clock
        self._journal = Journal(desk.configuration.state_directory)
        self._tokens = Tokens(desk.configuration.state_directory, clock)

    def at_once(self, plan: Plan, why: str) -> ActionResult:
        """Do something to entries that were named one by one."""
        self._check(plan)
        return self._acted(plan, why)

    def _check(self, plan: Plan) -> None:
        checked(self._configuration, plan)
        if plan.verb == "discard":
            check_room(self._configuration)

    def _acted(self, plan: Plan, why: str) -> ActionResult:
        with self._ongoing.begun(plan.verb, plan.queue, plan.to) as ongoing:
            if plan.verb == EMPTY:
                return emptied(self._configuration, plan, ongoing)
            ways = ways_of(self._configuration, plan, self._clock(), ongoing)
            return self._on_record(plan, ways, why, ongoing)

    def confirmed(
        self, token: str, why: str, verb: str, queue: str, to: str
    ) -> ActionResult:
        """Do what was previewed; see ``Control.confirm``."""
        meant = (verb, queue, to)
        plan = self._tokens.redeem(token, acting_uid(), *meant, check=self._check)
        return self._acted(plan, why)

    def undo(self, number: int | None, why: str, *, others: bool) -> ActionResult:
        """Take an act back."""
        record, note = to_undo(self._journal, number, others=others)
        noted(undoes=record.number)
        plan = Plan(verb=UNDO, queue=record.queue, to=record.to, filebases=())
        ways = ways_back(record)
        with self._ongoing.begun(UNDO, plan.queue, plan.to) as ongoing:
            result = self._on_record(plan, ways, why, ongoing, undoes=record.number)
        return replace(result, note="; ".join(filter(None, (result.note, note))))

    def rehearsed_undo(self, number: int | None) -> Preview:
        """Return what taking an act back would do; see ``Control.rehearse_undo``."""
        record, note = to_undo(self._journal, number, others=number is not None)
        return rehearsed_undo(self._configuration, self._desk, record, note)

    def edit(
        self, queue: str, filebase: str, edit: Edit, seen: str, why: str
    ) -> ActionResult:
        """Change what a waiting entry holds."""
        source = place(self._configuration, queue)
        plan = Plan(verb="edit", queue=queue, to="", filebases=(filebase,))
        try:
            refusal = self.edit_refusal(queue, filebase)
            if refusal:
                raise Refused(refusal)
            if seen and stamp_of(source, filebase) != seen:
                raise Refused(f"{filebase} is another file since it was looked at")
            held = source.peek(filebase)
        except NoSuchEntry as error:
            missed = Missed(filebase=filebase, reason=str(error))
            return ActionResult(verb="edit", queue=queue, skipped=(missed,))
        check(edit, held, self._configuration.switchboards)
        check_room(self._configuration)
        msgdata = held.msgdata if edit.msgdata is None else edit.msgdata
        message = edit.headers and with_headers(held.message, edit.headers)

        def change(waiting: Switchboard, name: str) -> None:
            waiting.rewrite(
                name, msgdata, message=message or None, was=held, sync=False
            )

        ways = Ways(moves=[kept_aside(plan, held)])
        with self._ongoing.begun("edit", queue, "") as ongoing:
            return self._on_record(plan, ways, why, ongoing, change=change)

    def edit_refusal(self, queue: str, filebase: str) -> str:
        """Return why an entry cannot be edited, whatever it becomes; else nothing."""
        if self._configuration.settings.kind is SiteKind.MAILMAN2:
            return "Mailman 2 could not read what qtool writes"
        if place(self._configuration, queue).suffix_of(filebase) != WAITING:
            return f"{filebase} was preserved: restore it first"
        return ""

    def undo_question(self, number: int) -> str | None:
        """Return what to ask before an act is undone; None for nothing."""
        record = self._journal.summary(number)
        if (record.uid, record.who) == (acting_uid(), acting_name()):
            return None
        what = f"{record.who}'s {record.verb} of {record.reach:,} in {record.queue}"
        return f"Undo {what}?"

    def previewed(self, plan: Plan, where: str, *, is_kept: bool = True) -> Preview:
        """Freeze what a plan is about.

        Args:
            plan: With the filebases, or without any.
            where: A filter, or ``all``; only where there are no filebases.
            is_kept: Whether it can be confirmed: else there is no token for it.
        """
        where = where.strip()  # blanks would match everything, and say nothing
        if bool(where) == bool(plan.filebases):
            raise Refused("say which: some names, a filter, or all")
        checked(self._configuration, plan)
        ways = Ways()
        with self._ongoing.begun(plan.verb, plan.queue, plan.to) as ongoing:
            if where:
                matching = self._matching(plan, where, ongoing)
                plan = replace(plan, filebases=matching)
            if plan.verb != EMPTY:
                ways = ways_of(self._configuration, plan, self._clock(), ongoing)
        found, queue = plan.filebases, source_of(plan)
        is_idle = not found or (plan.verb != EMPTY and not ways.moves)
        is_kept = is_kept and not is_idle
        warnings = [*_back_to("would go", plan, ways.moves), *_warnings(ways)]
        if plan.verb == "discard" and (fullness := full(self._configuration)):
            warnings.append(fullness)
        return Preview(
            verb=plan.verb,
            queue=plan.queue,
            to=plan.to,
            count=len(found),
            oldest=min(map(when_of, found), default=None),
            first=tuple(self._desk.described(queue, found[:FIRST])),
            token=self._tokens.issue(plan, acting_uid()) if is_kept else "",
            warnings=tuple(warnings),
            refusal=NO_WAY if found and is_idle else "",
        )

    def acts(self, number: int, before: int | None) -> list[Act]:
        """Return the acts on record, the newest first; those below ``before``."""
        found = (
            _act(record, by)
            for record, by in undone(self._journal.summaries())
            if before is None or record.number < before
        )
        return list(islice(found, number))

    # --- Behind the scenes

    def _on_record(
        self,
        plan: Plan,
        ways: Ways,
        why: str,
        ongoing: Ongoing,
        *,
        undoes: int = 0,
        change: Change | None = None,
    ) -> ActionResult:
        uid, now, forgotten = acting_uid(), self._clock(), list[int]()
        if ways.moves:
            forgotten = forget_old(self._configuration, self._journal, now, undoes)
        record = Record(
            number=0,
            verb=plan.verb,
            queue=plan.queue,
            to=plan.to,
            at=now,
            uid=uid,
            who=acting_name(),
            why=why,
            moves=(),
            undoes=undoes,
        )
        result = carry_out(
            self._configuration, self._journal, record, ways, ongoing, change
        )
        done = set(result.done)
        moved = [each for each in ways.moves if each.filebase in done]
        went = _back_to("went", plan, moved)
        notes = filter(None, (*went, result.note, _forgotten(forgotten)))
        return replace(result, note="; ".join(notes))

    def _matching(self, plan: Plan, where: str, ongoing: Ongoing) -> tuple[str, ...]:
        """Return the filebases that a filter selects, oldest first."""
        queue, after, found, read = source_of(plan), "", list[str](), 0
        where = "" if where == EVERYTHING else where
        complete = False
        while not complete:
            page = self._desk.find(
                queue, where, after, _PAGE, _PAGE_SECONDS, names_only=True
            )
            found += (e.filebase for e in page.entries if e.suffix in _FREE)
            after, complete = page.after, page.complete
            read += page.read
            ongoing.looked_at(read, page.total)
        return tuple(found)


def _back_to(how: str, plan: Plan, moves: Sequence[Moved]) -> list[str]:
    """Tell how many go to each queue, where each goes to the one it came from."""
    if plan.to or plan.verb not in ("unshunt", "restore"):
        return []
    counts = Counter(each.target for each in moves)
    return [f"{count:,} {how} to {queue}" for queue, count in sorted(counts.items())]


def _warnings(ways: Ways) -> list[str]:
    """Return what stands in the way of some, each reason once."""
    reasons: dict[str, int] = {}
    for missed in (*ways.skipped, *ways.failed):
        reasons[missed.reason] = reasons.get(missed.reason, 0) + 1
    return [f"{count} will be left: {reason}" for reason, count in reasons.items()]


def _forgotten(numbers: Sequence[int]) -> str:
    """Tell of acts that were cut off, and are not on record any more; mostly ""."""
    if not numbers:
        return ""
    named = ", ".join(map(str, numbers[:_NAMED]))
    more = f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else ""
    acts = "act" if len(numbers) == 1 else "acts"
    return (
        f"not on record any more: {acts} {named}{more}, which had been cut off long ago"
        " and left no message half-way"
    )


def _act(record: Summary, undone_by: int) -> Act:
    return Act(
        number=record.number,
        verb=record.verb,
        queue=record.queue,
        to=record.to,
        at=record.at,
        who=record.who,
        why=record.why,
        count=record.count,
        done=record.done,
        undoes=record.undoes,
        undone_by=undone_by,
        is_under_way=record.is_under_way,
        damage=record.damage,
    )
