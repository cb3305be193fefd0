"""Where entries can be besides their queues: held, or in the trash.

Both are folders below the one in which qtool keeps what it remembers about a spool,
made like queues: no runner knows them, and whatever is there goes back by a rename.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qtool.errors import NoSuchQueue
from qtool.queues.spool import Spool
from qtool.untrusted import visible

if TYPE_CHECKING:
    from pathlib import Path

    from qtool.installation import Configuration
    from qtool.queues.switchboard import Switchboard

HELD, TRASH = "held:", "trash:"
"""What the names of these places begin with."""
_NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


def held(queue: str) -> str:
    """Return the name of the place where a queue's held entries are."""
    return f"{HELD}{queue}"


def trash(number: int) -> str:
    """Return the name of the place where an act put what it discarded."""
    return f"{TRASH}{number}"


def act_of(name: str) -> int:
    """Return the number of the act whose trash a place is; 0 for any other."""
    number = name.removeprefix(TRASH)
    is_one = name.startswith(TRASH) and _NUMBER.fullmatch(number)
    return int(number) if is_one else 0


def place(configuration: Configuration, name: str) -> Switchboard:
    """Return a queue, ``held:QUEUE``, or ``trash:NUMBER``.

    Raises:
        NoSuchQueue: There is none of that name.
    """
    queues = configuration.switchboards
    if name in queues:
        return queues[name]
    if name.startswith(HELD) and name.removeprefix(HELD) in queues:
        return _kept(configuration, name, "held", name.removeprefix(HELD))
    if act_of(name):
        return _kept(configuration, name, "trash", name.removeprefix(TRASH))
    for aside in (configuration.shunt, configuration.bad):
        if aside.name == name:
            return aside
    raise NoSuchQueue(f"there is no queue {visible(name, 80)!r}")


def trash_folder(configuration: Configuration) -> Path:
    """Return the folder in which each act has one for what it discarded."""
    return configuration.state_directory / "trash"


def _kept(configuration: Configuration, name: str, kind: str, part: str) -> Spool:
    state = configuration.state_directory
    return Spool(
        name,
        state / kind / part,
        state_directory=state,
        bad=configuration.bad.queue_directory,
        text_form=configuration.settings.text_form,
        allowed=configuration.settings.allowed_classes,
        group_commit=configuration.settings.group_commit,
    )
