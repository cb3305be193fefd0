"""What is in a queue, entry by entry. Looking takes nothing and changes nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from qtool.control.models import EntryView, QueueEntry
from qtool.errors import NoSuchEntry, QFileError, QToolError
from qtool.queues import filebase as filebases
from qtool.untrusted import visible

if TYPE_CHECKING:
    from qtool.queues.switchboard import Switchboard


def listed(queue: Switchboard, number: int | None) -> list[QueueEntry]:
    """Return a queue's entries, oldest first; ``number`` of them at most."""
    # Few names are read without holding all that there are.
    names = queue.names() if number is None else queue.page("", number).names[:number]
    parsed = map(filebases.parse, names)
    return [
        QueueEntry(filebase=name.filebase, when=name.when, suffix=name.suffix)
        for name in parsed
        if name is not None
    ]


def path_of(queue: Switchboard, filebase: str, suffix: str) -> str:
    """Return where an entry is, to be shown."""
    return os.path.join(queue.queue_directory, f"{filebase}{suffix}")  # noqa: PTH118 - shown only


def viewed(queue: Switchboard, filebase: str) -> EntryView:
    """Return what an entry holds, in whatever state it is.

    Whatever is wrong with it is in the answer, as words.
    """
    # The email package takes 40 ms to import, and a board needs none of it.
    from qtool.qfile.body import BODY_LIMIT, body_text, headers_of
    from qtool.qfile.dropping import dropped_by_text_form

    base = _without_suffix(filebase)
    if not filebases.is_filebase(base):
        return _unseen(queue, base, "", 0, "that is no name of an entry")
    suffix, size = _found(queue, base)
    seen = stamp_of(queue, base, suffix)
    try:
        held = queue.peek(base)
        headers, (body, whole) = headers_of(held.message), body_text(held.message)
    except QFileError as error:
        return _unseen(queue, base, suffix, size, error.reason)
    except (QToolError, OSError) as error:
        return _unseen(queue, base, suffix, size, str(error))
    return EntryView(
        queue=queue.name,
        filebase=base,
        suffix=suffix,
        path=path_of(queue, base, suffix),
        size=size,
        headers=tuple(headers),
        body=body,
        body_bytes=whole,
        body_cut=whole > BODY_LIMIT,
        msgdata=held.msgdata,
        form=held.form,
        opaque=held.opaque,
        reason=_reason(queue, base, suffix),
        seen=seen,
        drops=() if held.is_own_object else dropped_by_text_form(held),
    )


def stamp_of(queue: Switchboard, base: str, suffix: str = filebases.WAITING) -> str:
    """Return what stands for an entry's file as it is; empty where there is none."""
    try:
        info = os.lstat(path_of(queue, base, suffix))
    except OSError:
        return ""
    return f"{info.st_ino:x}-{info.st_mtime_ns:x}-{info.st_size:x}"


def _without_suffix(name: str) -> str:
    parsed = filebases.parse(name)
    return name if parsed is None else parsed.filebase


def _found(queue: Switchboard, base: str) -> tuple[str, int]:
    """Return in which state an entry is, and its size in bytes."""
    for suffix in filebases.ENTRY_SUFFIXES:
        try:
            info = os.lstat(path_of(queue, base, suffix))
        except OSError:
            continue
        return suffix, info.st_size
    return "", 0


def _unseen(
    queue: Switchboard, base: str, suffix: str, size: int, error: str
) -> EntryView:
    return EntryView(
        queue=queue.name,
        filebase=base,
        suffix=suffix,
        path=path_of(queue, base, suffix),
        size=size,
        error=visible(error),
        reason=_reason(queue, base, suffix),
    )


def _reason(queue: Switchboard, base: str, suffix: str) -> str:
    return reason_of(queue, base) if suffix == filebases.PRESERVED else ""


def reason_of(queue: Switchboard, base: str) -> str:
    """Return why an entry was preserved; empty where that is not known."""
    try:
        return queue.preserved_because(base)
    except (NoSuchEntry, OSError):
        return ""
