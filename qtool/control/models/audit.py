"""What is on record of who did what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """One act, or one look at a message, and who did it.

    Arguments and names of files are as untrusted as the messages that they are of.
    """

    id: str
    at: float
    """When it began, in epoch seconds."""
    ended: float | None
    """When it ended; None where no end is on record."""
    user: str
    """Whose rights it was done with."""
    uid: int
    login: str
    """Who had logged in, or called the program; empty where that is unknown."""
    sudo: str
    """Who called ``sudo``; empty for nobody."""
    where: str
    """``tui``, ``shell``, ``command`` or ``socket``; empty where that is unknown."""
    pid: int
    terminal: str
    remote: str
    """The host that the session came from; empty where that is unknown."""
    host: str
    """The host that it was done on."""
    act: str
    """Name of the call."""
    is_read: bool
    """Whether it only showed mail."""
    arguments: Mapping[str, Any]
    files: tuple[str, ...]
    """Filebases, the first of them where there are many."""
    count: int
    """Of how many files."""
    number: int
    """Number of the act in the journal; 0 for none."""
    why: str
    result: str
    """``done``, ``failed``, or empty where no end is on record."""
    error: str
    """Why it failed."""
    said: str
    """What the act said, in a line."""
    counts: Mapping[str, Any]
    """Numbers in what the act returned."""

    @property
    def who(self) -> str:
        """Who it was, and whose rights he had, in words."""
        person = self.sudo or self.login
        if person in ("", self.user):
            return self.user
        return f"{person} as {self.user}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """A part of what is on record, the newest first."""

    records: tuple[AuditRecord, ...]
    broken: int
    """Lines that were passed over: cut by a crash, or nobody's."""
    after: str
    """For the next page; empty where this is the last."""
