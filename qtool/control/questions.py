"""What an operator is asked before an act of Mailman's own runners."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.errors import QToolError
from qtool.untrusted import visible

if TYPE_CHECKING:
    from qtool.qfile import QFile
    from qtool.queues.switchboard import Switchboard
    from qtool.settings import RunnerSettings


def step_question(runner: RunnerSettings, queue: Switchboard, filebase: str) -> str:
    """Return the question before one of Mailman's runners takes a file."""
    try:
        what = _described(queue.peek(filebase))
    except QToolError as error:
        what = f"{visible(filebase)}, which cannot be read ({visible(error)})"
    sends = "outgoing" in (runner.class_path or "")
    return (
        f"Step Mailman's own runner through one file of the queue {runner.name}?"
        f" It really processes {what}{', and sends it' if sends else ''}."
    )


def _described(held: QFile) -> str:
    """Return subject and number of recipients of a message, in words."""
    subject = visible(held.message.get("subject") or "", 80)
    recipients = held.msgdata.get("recipients")
    if isinstance(recipients, list | tuple | set | frozenset):
        count = len(recipients)
        to = f"for {count} recipient{'' if count == 1 else 's'}"
    else:
        to = "whose recipients are not known yet"
    return f"“{subject}”, {to}" if subject else f"a message without a subject, {to}"
