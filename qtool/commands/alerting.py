"""The ``[alert]`` command, which ``qtool run`` has told of changes."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from qtool.control.control import Control
    from qtool.installation.specs import Chosen

Hush: TypeAlias = "Callable[[], None]"


@contextmanager
def alerted(control: Control, chosen: Sequence[Chosen]) -> Iterator[Hush]:
    """Tell the command meanwhile, where the configuration names one.

    What it yields is called when the end begins: from then on nothing new is told.

    Args:
        control: The site.
        chosen: The runners that run here, and whose queues are meant; empty for all:
            of several processes that share a site each tells of its own.
    """
    if not control.configuration.settings.alert.command:
        yield lambda: None
        return
    from qtool.control.verdicts.alerts import Alerts  # seldom

    alerts = Alerts(control, os.environ, {each.name for each in chosen})
    try:
        yield alerts.hush
    finally:
        alerts.close()
