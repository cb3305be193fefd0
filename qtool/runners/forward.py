"""The runner that forwards: messages go on to another queue, or are done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtool.engine.runner import Runner
from qtool.errors import SettingsError
from qtool.untrusted import visible

if TYPE_CHECKING:
    from email.message import Message

    from qtool.installation import Configuration
    from qtool.lists import MailingList


class ForwardRunner(Runner):
    """Puts each message with its metadata into the queue that ``to`` names.

    Without ``to`` the message is done: it is removed.
    """

    def __init__(
        self,
        name: str,
        slice: int | None = None,  # noqa: A002 - the field's word
        *,
        config: Configuration | None = None,
    ) -> None:
        super().__init__(name, slice, config=config)
        self.to = self.settings.options.get("to", "").strip()
        """Name of the next queue; empty when there is none."""
        if self.to and self.to not in self.config.switchboards:
            raise SettingsError(self._expected("the name of a queue"))
        if self.to == name:
            raise SettingsError(self._expected("another queue than its own"))

    def _dispose(
        self,
        mlist: MailingList | None,  # noqa: ARG002 - the hook's signature
        msg: Message,
        msgdata: dict[str, Any],
    ) -> bool:
        if self.to:
            self.config.switchboards[self.to].enqueue(msg, msgdata)
        return False

    def _expected(self, what: str) -> str:
        """Return a line: file, section, key, what was expected."""
        queues = ", ".join(sorted(self.config.switchboards))
        return (
            f"{self.config.settings.source}: [runner.{self.name}] to:"
            f" {visible(self.to, 80)}: expected {what} ({queues})"
        )
