"""Units that keep queues free of what is old: a timer, once a day.

What they discard goes to the trash, and leaves that when its time there is over; both
are on record. The trash comes first: one that is full would have nothing discarded, and
never be emptied.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qtool.commands.unit_files import TIMER, program, service_text
from qtool.errors import Refused
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtool.settings import Settings

_RULE = re.compile(r"([^\s:]+):([0-9]+[smhdw])", re.ASCII)


def cull_units(settings: Settings, rules: Sequence[str], user: str) -> dict[str, str]:
    """Return the text of each unit file by its name.

    Args:
        settings: The site; its source is a configuration file.
        rules: ``QUEUE:AGE`` each.
        user: Whom they run as; empty for whoever systemd runs them as.

    Raises:
        Refused: A rule is none, or names no queue.
    """
    rest = [_command(settings, rule) for rule in rules]
    commands = ["trash --empty expired --yes", *rest]
    others = "\n".join(f"ExecStart={program(settings, each)}" for each in commands[1:])
    text = service_text(settings, user, "oneshot", commands[0], others)
    about = "Put what is old in mail queues into the trash, once a day"
    return {
        "qtool-cull.service": text,
        "qtool-cull.timer": TIMER.format(about=about, when="daily"),
    }


def _command(settings: Settings, rule: str) -> str:
    match = _RULE.fullmatch(rule)
    if match is None:
        raise Refused(
            f"--cull {visible(rule, 80)}: expected QUEUE:AGE, such as bad:30d"
        )
    queue, age = match.groups()
    runner = settings.runners.get(queue)
    if runner is None or runner.queue_directory is None:
        raise Refused(f"--cull: there is no queue {visible(queue, 80)!r}")
    return f"cull --older {age} {queue} --unattended"
