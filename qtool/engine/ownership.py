"""Which queue and which slice of it a runner works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.errors import RunnerError
from qtool.queues.slices import whole

if TYPE_CHECKING:
    from qtool.installation import Configuration
    from qtool.queues.slices import Slice
    from qtool.queues.spool import Spool
    from qtool.queues.switchboard import Switchboard


def own_queue(
    config: Configuration, name: str, switchboard_class: type[Spool] | None
) -> Switchboard:
    """Return the whole queue of a runner, of the class that it asks for."""
    configured = config.switchboards[name]
    if switchboard_class is None:
        return configured
    return switchboard_class(
        name,
        configured.queue_directory,
        bad=config.bad.queue_directory,
        state_directory=config.state_directory,
        text_form=config.settings.text_form,
        allowed=config.settings.allowed_classes,
        group_commit=config.settings.group_commit,
    )


def own_slice(config: Configuration, name: str, number: int | None) -> Slice:
    """Return one slice of a runner's queue; the whole of it for None.

    Raises:
        RunnerError: The queue is not divided into so many.
    """
    if number is None:
        return whole()
    slices = config.slices(name)
    if not 0 <= number < len(slices):
        raise RunnerError(f"{name} has {len(slices)} slices: there is no {number}")
    return slices[number]
