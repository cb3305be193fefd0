"""Which changes of verdicts are worth telling: those that hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from qtool.control.models import Severity, Verdict, VerdictKind

if TYPE_CHECKING:
    from collections.abc import Mapping

_Key: TypeAlias = "tuple[VerdictKind, Severity] | None"

WELL = Verdict(kind=VerdictKind.HEALTHY, words="healthy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A verdict that is another now, and has been for long enough."""

    queue: str
    before: Verdict
    after: Verdict


class Vigil:
    """Notices changes that last.

    To begin with everything counts as well. Ways of being well are not told apart.

    Args:
        after_seconds: For how long a change has to hold.
    """

    def __init__(self, after_seconds: float) -> None:
        self._after = after_seconds
        self._watched: dict[str, _Watched] = {}

    def see(self, verdicts: Mapping[str, Verdict], now: float) -> list[Change]:
        """Take the verdicts on all queues; return what is to be told.

        Args:
            verdicts: By queue.
            now: On a clock that never goes back.
        """
        for queue in self._watched.keys() - verdicts.keys():
            del self._watched[queue]
        found = []
        for queue, verdict in verdicts.items():
            watched = self._watched.setdefault(queue, _Watched())
            before = watched.told
            if watched.is_to_be_told(verdict, now, self._after):
                found.append(Change(queue=queue, before=before, after=verdict))
        return found


class _Watched:
    __slots__ = ("_candidate", "_since", "told")

    def __init__(self) -> None:
        self.told = WELL
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
        if now - self._since < after:
            return False
        self.told, self._since = verdict, None
        return True


def _key(verdict: Verdict) -> _Key:
    if verdict.severity is Severity.OK:
        return None
    return verdict.kind, verdict.severity
