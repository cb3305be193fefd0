"""What each verb does to an entry: from where it goes to where, and what it loses."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from qtool.control.acts.records import OWN_TRASH, Moved
from qtool.control.acts.trash import EMPTY
from qtool.control.models.mending import NAME_ONE, Missed
from qtool.control.places import HELD, act_of, held, place
from qtool.errors import NoSuchEntry, QFileError, QToolError, Refused
from qtool.msgdata import to_json
from qtool.queues import filebase as filebases
from qtool.queues.filebase import PRESERVED, WAITING
from qtool.settings import SiteKind
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.control.acts.ongoing import Ongoing
    from qtool.control.acts.tokens import Plan
    from qtool.installation import Configuration
    from qtool.qfile import QFile
    from qtool.queues.switchboard import Switchboard

VERBS = ("hold", "release", "move", "requeue", "discard", "unshunt", "restore")
"""What can be done to one entry, to some, or to all that are waiting."""

_COUNT_KEY = "_bak_count"
_STEP_SECONDS = 1e-6
"""Between the new times of entries that are requeued together: their order stays."""


@dataclass(slots=True)
class Ways:
    """The ways of some entries, and those that have none."""

    moves: list[Moved] = field(default_factory=list)
    skipped: list[Missed] = field(default_factory=list)
    failed: list[Missed] = field(default_factory=list)


def checked(configuration: Configuration, plan: Plan) -> None:
    """Find out whether a plan makes sense, before any entry is looked at.

    Raises:
        Refused: It does not.
        NoSuchQueue: A place in it does not exist.
    """
    if plan.verb == EMPTY:
        if not act_of(plan.queue):
            named = visible(plan.queue, 80)
            raise Refused(f"{named} is no trash of an act, such as trash:17")
        return
    if plan.verb not in VERBS:
        raise Refused(f"there is no act {plan.verb!r}: {', '.join(VERBS)}")
    place(configuration, source_of(plan))
    if act_of(plan.queue) and plan.verb in ("hold", "discard", "requeue"):
        raise Refused(f"what is in {plan.queue} can be moved to a queue, or undone")
    if plan.verb == "hold" and plan.queue.startswith(HELD):
        raise Refused(f"what is in {plan.queue} is held already")
    if plan.verb == "move" and not plan.to:
        raise Refused("move needs the queue to move to")
    if plan.to and plan.verb not in ("move", "unshunt", "restore"):
        raise Refused(f"{plan.verb} goes nowhere else: it takes no queue to go to")
    if plan.to:
        if plan.to not in configuration.switchboards:
            place(configuration, plan.to)
            raise Refused(f"{plan.to} is no queue: hold and discard put entries there")
        if plan.to == plan.queue:
            raise Refused(f"they are in {plan.to} already")


def ways_of(
    configuration: Configuration, plan: Plan, now: float, ongoing: Ongoing
) -> Ways:
    """Return the way of each entry of a plan; reads those that it must.

    Args:
        configuration: The site.
        plan: What is to be done.
        now: Epoch seconds.
        ongoing: Is told how far it is.

    Raises:
        Refused: It was interrupted.
    """
    ongoing.begins(len(plan.filebases))
    way, found = _WAYS[plan.verb], Ways()
    source = place(configuration, source_of(plan))
    for number, filebase in enumerate(plan.filebases):
        ongoing.looked_at(number)
        try:
            look = _Look(configuration, plan, source, filebase, now, number)
            found.moves.append(way(look))
        except NoSuchEntry as error:
            found.skipped.append(Missed(filebase=filebase, reason=str(error)))
        except (QToolError, OSError) as error:
            reason = error.reason if isinstance(error, QFileError) else str(error)
            found.failed.append(Missed(filebase=filebase, reason=reason))
    return found


def kept_aside(plan: Plan, held: QFile) -> Moved:
    """Return the way of the original of an entry that is edited."""
    (filebase,) = plan.filebases
    return Moved(
        source=plan.queue,
        filebase=filebase,
        suffix=WAITING,
        target=OWN_TRASH,
        new_filebase=filebase,
        new_suffix=WAITING,
        swapped=True,
        original=mark_of(held),
    )


def mark_of(held: QFile) -> str:
    """Return what tells the content of an entry from any other."""
    return hashlib.sha256(held.message_bytes + held.msgdata_bytes).hexdigest()


def source_of(plan: Plan) -> str:
    """Return the place where the entries of a plan are."""
    if plan.verb == "release" and not plan.queue.startswith(HELD):
        return held(plan.queue)
    return plan.queue


@dataclass(slots=True)
class _Look:
    """One entry of a plan."""

    configuration: Configuration
    plan: Plan
    source: Switchboard
    filebase: str
    now: float
    number: int

    def msgdata(self) -> dict[str, Any]:
        return self.source.peek(self.filebase).msgdata

    def state(self) -> str:
        """Return whether it waits or was preserved, by its suffix."""
        return self.source.suffix_of(self.filebase)

    def moved(
        self,
        target: str,
        *,
        new_filebase: str = "",
        new_suffix: str = WAITING,
        suffix: str = WAITING,
        lost: dict[str, Any] | None = None,
    ) -> Moved:
        return Moved(
            source=self.source.name,
            filebase=self.filebase,
            suffix=suffix,
            target=target,
            new_filebase=new_filebase or self.filebase,
            new_suffix=new_suffix,
            msgdata=None if lost is None else to_json(lost),
        )


def _hold(look: _Look) -> Moved:
    return look.moved(held(look.source.name))


def _release(look: _Look) -> Moved:
    return look.moved(look.source.name.removeprefix(HELD))


def _requeue(look: _Look) -> Moved:
    when = look.now + look.number * _STEP_SECONDS
    new = filebases.at(look.filebase, when)
    return look.moved(look.source.name, new_filebase=new)


def _discard(look: _Look) -> Moved:
    suffix = look.state()
    return look.moved(OWN_TRASH, suffix=suffix, new_suffix=suffix)


def _move(look: _Look) -> Moved:
    if look.state() == PRESERVED:
        return _restored(look, look.plan.to)
    return look.moved(look.plan.to)


def _restore(look: _Look) -> Moved:
    if look.state() != PRESERVED:
        raise Refused("it was not preserved: it waits, and can be moved")
    if look.plan.to:
        return _restored(look, look.plan.to)
    try:
        msgdata = look.msgdata()
    except QFileError as error:
        unsaid = f"{error.reason}, so nothing says which queue it was in"
        raise Refused(f"{unsaid}: {NAME_ONE}") from error
    return _restored(look, _origin(look, msgdata))


def _restored(look: _Look, target: str) -> Moved:
    """What an operator puts back starts at zero; what cannot be read goes as it is."""
    try:
        counted = _COUNT_KEY in look.msgdata()
    except QFileError:
        counted = False
    # Mailman 2 could not read what qtool writes: its count stays.
    lost: dict[str, Any] | None = {} if counted and not _is_mailman2(look) else None
    return look.moved(target, suffix=PRESERVED, lost=lost)


def _unshunt(look: _Look) -> Moved:
    from qtool.control.shunts.msgdata import UNSHUNT_DROPS

    msgdata = look.msgdata()
    target = look.plan.to or _origin(look, msgdata)
    lost = {key: msgdata[key] for key in UNSHUNT_DROPS if key in msgdata}
    # Mailman 2 keeps ``whichq``, too, and could not read what qtool writes.
    is_same = not lost and _COUNT_KEY not in msgdata
    return look.moved(target, lost=None if is_same or _is_mailman2(look) else lost)


def _is_mailman2(look: _Look) -> bool:
    return look.configuration.settings.kind is SiteKind.MAILMAN2


def _origin(look: _Look, msgdata: dict[str, Any]) -> str:
    """Return the queue that an entry came from, which nobody has to name then."""
    from qtool.control.shunts.msgdata import target_of, without_origin

    target = target_of(msgdata, look.configuration)
    if not target:
        raise Refused(f"{without_origin(msgdata)}: {NAME_ONE}")
    if target == look.source.name:
        raise Refused(f"it came from {target}, where it is: {NAME_ONE}")
    return target


_WAYS: dict[str, Callable[[_Look], Moved]] = {
    "hold": _hold,
    "release": _release,
    "move": _move,
    "requeue": _requeue,
    "discard": _discard,
    "unshunt": _unshunt,
    "restore": _restore,
}
