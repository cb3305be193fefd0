"""Which changes of verdicts are worth telling: those that hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from qtool.control.models import Severity, Verdict, VerdictKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_Key: TypeAlias = "tuple[VerdictKind, Severity] | None"

_AT_ONCE = frozenset({VerdictKind.SHUNTED})
"""It has happened, and may be past before it has held for long."""

WELL = Verdict(kind=VerdictKind.HEALTHY, words="healthy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A verdict that is another now, and has been for long enough."""

    queue: str
    before: Verdict
    after: Verdict


class Vigil:
    """Notices changes that last, and things that happen.

    Ways of being well are not told apart.

    Args:
        after_seconds: For how long a change has to hold.
        told: What was told before, by queue; all else counts as well to begin with.
    """

    def __init__(
        self, after_seconds: float, told: Mapping[str, Verdict] | None = None
    ) -> None:
        self._after = after_seconds
        self._watched = {queue: _Watched(one) for queue, one in (told or {}).items()}

    def told(self, queue: str) -> Verdict:
        """Return the last verdict that was told of a queue."""
        return self._watched[queue].told if queue in self._watched else WELL

    def see(
        self,
        verdicts: Mapping[str, Verdict],
        now: float,
        unsure: Collection[str] = (),
    ) -> list[Change]:
        """Take the verdicts on all queues; return what is to be told.

        Args:
            verdicts: By queue.
            now: On a clock that never goes back.
            unsure: Queues of which it takes longer to know: nothing is told of them.
        """
        for queue in self._watched.keys() - verdicts.keys():
            del self._watched[queue]
        found = []
        for queue, verdict in verdicts.items():
            watched = self._watched.setdefault(queue, _Watched())
            before = watched.told
            after = float("inf") if queue in unsure else self._after
            if watched.is_to_be_told(verdict, now, after):
                found.append(Change(queue=queue, before=before, after=verdict))
        return found


class _Watched:
    __slots__ = ("_candidate", "_since", "told")

    def __init__(self, told: Verdict = WELL) -> None:
        self.told = told
        self._candidate: _Key = None
        self._since: float | None = None
        """Since when it has not been as it was told."""

    def is_to_be_told(self, verdict: Verdict, now: float, after: float) -> bool:
        key, told = _key(verdict), _key(self.told)
        if key == told:
            self._since = None
            return False
        # Sick of one thing and then of another is sick all the time.
        goes_on = self._since is not None and (told is None or key == self._candidate)
        if self._since is None or not goes_on:
            self._since = now
        self._candidate = key
        is_due = verdict.kind in _AT_ONCE or now - self._since >= after
        if not is_due:
            return False
        self.told, self._since = verdict, None
        return True


def _key(verdict: Verdict) -> _Key:
    if verdict.severity is Severity.OK:
        return None
    return verdict.kind, verdict.severity
