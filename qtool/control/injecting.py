"""A message from outside, put into a queue as its first receipt."""

from __future__ import annotations

import base64
import hashlib
import os
from email.utils import formatdate, make_msgid
from typing import TYPE_CHECKING, Any

from qtool import qfile
from qtool.control.desk.entries import path_of
from qtool.control.models import Injected
from qtool.errors import Refused
from qtool.msgdata import volatile
from qtool.queues.filebase import WAITING
from qtool.settings import SiteKind
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message

    from qtool.queues.switchboard import Switchboard

_KEPT_BY_THE_STORE = frozenset({"version", "_parsemsg"})


def inject(
    queue: Switchboard,
    data: bytes,
    msgdata: Mapping[str, Any],
    *,
    kind: SiteKind,
    served: bool,
) -> Injected:
    """Put the bytes of a message into a queue, unchanged.

    Args:
        queue: Where to.
        data: The message as mail is written; 8-bit bytes are kept.
        msgdata: Its metadata.
        kind: Whose queue it is: in Mailman 3's the message gets what Mailman's own
            ``inject`` adds and its archivers rely on.
        served: Whether somebody runs the queue.

    Raises:
        Refused: There is no message, a key would be lost, or the queue is Mailman 2's.
        NoSuchQueue: The queue has no folder and none may be made.
    """
    _check(data, msgdata, kind)
    message = qfile.message_from_bytes(data)
    kept = dict(msgdata)
    if kind is SiteKind.MAILMAN3:
        kept.setdefault("original_size", len(data))
        _add_what_mailman_needs(message)
    filebase = queue.enqueue(message, kept)
    return Injected(
        queue=queue.name,
        filebase=filebase,
        path=path_of(queue, filebase, WAITING),
        served=served,
    )


def _check(data: bytes, msgdata: Mapping[str, Any], kind: SiteKind) -> None:
    if kind is SiteKind.MAILMAN2:
        raise Refused("Mailman 2 could not read what qtool writes")
    if not data.strip():
        raise Refused("there is no message: the input is empty")
    lost = [key for key in msgdata if volatile(key) or key in _KEPT_BY_THE_STORE]
    if lost:
        raise Refused(f"the key {visible(lost[0], 80)!r} is kept by the queue itself")


def _add_what_mailman_needs(message: Message) -> None:
    if "message-id" not in message:
        message["Message-ID"] = make_msgid(domain=os.uname().nodename)
    if "date" not in message:
        message["Date"] = formatdate(localtime=True)
    name = str(message["message-id"]).strip()
    bare = name[1:-1] if name.startswith("<") and name.endswith(">") else name
    digest = hashlib.sha1(bare.encode("utf-8", "surrogateescape"))  # noqa: S324 - the header is defined so
    hashed = base64.b32encode(digest.digest()).decode("ascii")
    for header in ("Message-ID-Hash", "X-Message-ID-Hash"):
        del message[header]
        message[header] = hashed
