"""The part of ``Control`` that measures a site, for Prometheus and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.control.part import Part

if TYPE_CHECKING:
    from qtool.control.models import Board, Sample
    from qtool.control.standing import Runners


class Measuring(Part):
    """Depths, ages, states and counts as numbers."""

    if TYPE_CHECKING:
        _runners: Runners

        def scan(self) -> Board:
            """Read everything afresh; see ``Control``."""

    def metrics(self) -> str:
        """Read everything afresh and return it as Prometheus reads it."""
        from qtool.control.serving.metrics import exposition  # few ask

        return exposition(self.samples())

    def samples(self) -> list[Sample]:
        """Read everything afresh and return the values that `metrics` has."""
        from qtool.control.serving.metrics import samples_of

        return samples_of(self.scan(), self._runners.statuses())
