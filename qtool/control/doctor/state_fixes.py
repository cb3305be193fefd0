"""Fixes of what qtool itself remembers about a site."""

from __future__ import annotations

from qtool.control.doctor.fixing import Fix, Other
from qtool.control.doctor.site import named_pause, stale_pauses
from qtool.engine.pauses import Pauses
from qtool.queues import claimants, notes


class EndPauses(Fix):
    """Ends pauses of what the configuration does not have."""

    words = "ended"
    of_queue = False

    def names(self) -> list[str]:
        return [named_pause(*each) for each in stale_pauses(self.configuration)]

    def mend(self, name: str) -> None:
        for runner, number in stale_pauses(self.configuration):
            if named_pause(runner, number) == name:
                Pauses(self.folder).remove(runner, number, 0)
                return
        raise Other("there is no such pause any more")


class ForgetClaims(Fix):
    """Removes notes on claims that nobody holds."""

    words = "removed"
    of_queue = False

    def names(self) -> list[str]:
        return claimants.stale_notes(self.folder)

    def mend(self, name: str) -> None:
        if not claimants.forget(self.folder, name):
            raise Other("it is gone, or somebody holds that claim now")


class ForgetHalves(Fix):
    """Removes notes that were half written when their writers were killed."""

    words = "removed"
    of_queue = False

    def names(self) -> list[str]:
        return notes.half_written(self.folder)

    def mend(self, name: str) -> None:
        if not notes.forget_half(self.folder, name):
            raise Other("it is gone, or somebody writes there now")
