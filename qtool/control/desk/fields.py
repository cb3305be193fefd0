"""What a list shows of an entry: a few fields of a lenient reading, all bounded.

Nothing that a file says is believed to be of any type or length.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from qtool.control.models import Entry
from qtool.errors import QFileError, QToolError, UnreadableQFile
from qtool.qfile.heads import one_line
from qtool.untrusted import visible

if TYPE_CHECKING:
    from qtool.control.desk.cache import CacheRow
    from qtool.qfile import QFile
    from qtool.queues.switchboard import Switchboard

LARGEST = 1 << 26
"""A larger file, in bytes, is not opened for a list."""
SHOWN_RECIPIENTS = 100
"""How many recipients an ``Entry`` holds; filters are asked about all of them."""

_TEXT, _ADDRESS = 1000, 320
_MOST_RECIPIENTS = 100_000
_MOST_ATTEMPTS = 10**9
_HEADS = frozenset(("from", "subject", "message-id"))


class Row:
    """An entry while it is looked for: what is not known yet is None, or empty.

    It has the attributes of an ``Entry``, which it gives its own, and is a quarter as
    dear to make.
    """

    size: int | None = None
    list_id: str = ""
    sender: str = ""
    recipients: tuple[str, ...] = ()
    subject: str = ""
    message_id: str = ""
    attempts: int | None = None
    why: str = ""
    origin: str = ""
    error: str = ""

    def __init__(
        self,
        queue: str,
        filebase: str,
        suffix: str,
        when: float,
        part: int,
        due: bool,
    ) -> None:
        self.queue, self.filebase, self.suffix = queue, filebase, suffix
        self.when, self.slice, self.due = when, part, due

    @property
    def recipient_count(self) -> int:
        """How many recipients it has."""
        return len(self.recipients)

    def fill(self, known: CacheRow) -> None:
        """Take what is known of its file."""
        (
            _, _, _, _, self.list_id, self.sender, recipients, self.subject,
            self.message_id, self.attempts, self.why, self.origin, self.error,
        ) = known  # fmt: skip
        if recipients:
            self.recipients = tuple(recipients.split("\n"))

    def entry(self) -> Entry:
        """Return what travels."""
        entry = Entry.__new__(Entry)
        facts = vars(entry)
        facts.update(vars(self))
        if self.recipients:
            facts["recipient_count"] = len(self.recipients)
            facts["recipients"] = self.recipients[:SHOWN_RECIPIENTS]
        return entry


def values_of(
    queue: Switchboard, filebase: str, size: int
) -> tuple[tuple[Any, ...], bool]:
    """Return what a file says of its entry, and whether that stays true while it does.

    It is what a row of the cache has behind the size.
    """
    if size > LARGEST:
        return _nothing("it is too large to be opened for a list"), False
    try:
        return _values(queue.peek(filebase)), True
    except UnreadableQFile as error:
        return _nothing(error.reason), False
    except QFileError as error:
        return _nothing(error.reason), True
    except (QToolError, OSError) as error:
        return _nothing(str(error)), False


def _nothing(error: str) -> tuple[Any, ...]:
    return ("", "", "", "", "", None, "", "", visible(error))


def _values(held: QFile) -> tuple[Any, ...]:
    msgdata, heads = held.msgdata, held.heads(_HEADS, _TEXT)
    sender = heads.get("from") or _first_text(
        msgdata, "original_sender", "sender", "envsender"
    )
    return (
        _first_text(msgdata, "listid", "listname"),
        sender,
        "\n".join(_recipients(msgdata)),
        heads.get("subject", ""),
        heads.get("message-id", ""),
        _attempts(msgdata.get("_bak_count")),
        _first_text(msgdata, "shunt_error"),
        _first_text(msgdata, "whichq"),
        "",
    )


def _first_text(msgdata: dict[str, Any], *keys: str) -> str:
    for key in keys:
        value = msgdata.get(key)
        if value and type(value) is str:
            return one_line(value, _TEXT)
    return ""


def _recipients(msgdata: dict[str, Any]) -> list[str]:
    value = msgdata.get("recipients") or msgdata.get("recips")
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list | tuple | set | frozenset):
        return []
    texts = [
        one_line(each, _ADDRESS)
        for each in islice(value, _MOST_RECIPIENTS)
        if type(each) is str and each
    ]
    return sorted(texts) if isinstance(value, set | frozenset) else texts


def _attempts(value: object) -> int | None:
    if type(value) is not int or not 0 <= value <= _MOST_ATTEMPTS:
        return None
    return value
