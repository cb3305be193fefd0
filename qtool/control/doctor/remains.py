"""What of qtool's is in a spool: the folder beside the queues, thing by thing.

Nothing is followed: whatever is a link is a thing to be removed, never a way.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from shlex import quote
from typing import TYPE_CHECKING

from qtool.control.acts.journal import Journal
from qtool.control.models import Remaining
from qtool.queues import claimants
from qtool.queues.filebase import ENTRY_SUFFIXES, IN_HAND, parse
from qtool.queues.notes import is_half
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qtool.installation import Configuration

_WORDS = {
    "layout": "",
    "alerts.json": "",
    "audit.jsonl": "the audit log",
    "cache.sqlite3": "what was read of entries, to list them sooner",
    "cache.sqlite3-shm": "",
    "cache.sqlite3-wal": "",
    "claims": "",
    "drains.json": "",
    "held": "",
    "journal": "acts on record, which can be undone",
    "lists.json": "mailing lists made by programs",
    "mailman-lock": "",
    "pauses.json": "pauses, which end with it",
    "preserved": "reasons why entries are in bad",
    "tokens": "lists that were seen and not confirmed",
    "trash": "",
}
"""What a file or folder there is for; empty where it goes without saying."""
_KEPT = {
    "audit.jsonl": "to keep it: cp {path} ELSEWHERE",
    "preserved": "to keep them: cp -r {path} ELSEWHERE",
}


@dataclass(slots=True)
class _Thing:
    """What one name in the folder holds."""

    files: int = 0
    mail: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """How many entries are in it, by the folder in it."""


@dataclass(slots=True)
class Remains:
    """What is in a folder, as it was read."""

    things: dict[str, _Thing]
    files: int
    mark: str
    """Another one where anything there is different; empty where there is none."""
    refusal: str = ""
    """Why it cannot be removed, whatever is in it."""

    @property
    def entries(self) -> int:
        """How many entries are in it, in all."""
        return sum(sum(thing.mail.values()) for thing in self.things.values())


def read(folder: Path) -> Remains:
    """Return what is there; nothing where there is no such folder."""
    things: dict[str, _Thing] = defaultdict(_Thing)
    mark, files, refusal = hashlib.sha256(), 0, ""
    try:
        top = folder.lstat()
    except FileNotFoundError:
        return Remains(things={}, files=0, mark="")
    if not stat.S_ISDIR(top.st_mode):
        refusal = f"{folder} is no folder: look what it is, and remove it yourself"
        return Remains(things={}, files=1, mark="", refusal=refusal)
    for path, info in _walked(folder):
        parts = path.relative_to(folder).parts
        if not parts[0].startswith("cache."):  # it changes whenever somebody looks
            mark.update(os.fsencode(f"{path}\0{info.st_ino} {info.st_ctime_ns}\0"))
        if info.st_dev != top.st_dev:
            refusal = f"another file system is mounted at {path}"
        if stat.S_ISDIR(info.st_mode):
            continue
        files += 1
        thing = things[parts[0]]
        thing.files += 1
        if _is_mail(path.name):
            thing.mail[parts[1] if len(parts) > 2 else ""] += 1
    return Remains(things=things, files=files, mark=mark.hexdigest(), refusal=refusal)


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it, but never mail; follows no link.

    Raises:
        OSError: It cannot be removed, or mail has come into it and is there still.
    """
    for _, folders, files, descriptor in os.fwalk(folder, topdown=False):
        for name in files:
            if not _is_mail(name):
                with suppress(FileNotFoundError):  # a cache that somebody closed
                    os.unlink(name, dir_fd=descriptor)
        for name in folders:
            try:
                os.rmdir(name, dir_fd=descriptor)
            except NotADirectoryError:  # a link to one
                os.unlink(name, dir_fd=descriptor)
    folder.rmdir()


def _is_mail(name: str) -> bool:
    named = parse(name)
    return named is not None and named.suffix in ENTRY_SUFFIXES


def _walked(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield everything below a folder with its facts, in order; follows nothing.

    Raises:
        OSError: A folder cannot be read.
    """
    waiting = [folder]
    while waiting:
        for path in sorted(waiting.pop().iterdir()):
            try:
                info = path.lstat()
            except FileNotFoundError:
                continue
            yield path, info
            if stat.S_ISDIR(info.st_mode):
                waiting.append(path)


def told(configuration: Configuration, remains: Remains) -> list[Remaining]:
    """Return all that is there in words, what hinders first."""
    folder = configuration.state_directory
    found = [*_in_queues(configuration), *_holders(configuration)]
    found += _acts(configuration)
    if remains.refusal:
        found.append(Remaining(words=remains.refusal, hinders=True))
    kept = []
    for name, thing in sorted(remains.things.items()):
        if thing.mail:
            found += _mail(name, thing)
        elif name.startswith("step-"):
            found.append(_step(name))
        elif words := _words(name):
            fix = _KEPT.get(name, "").format(path=quote(str(folder / name)))
            count = f", {thing.files:,} files" if thing.files > 1 else ""
            kept.append(Remaining(words=f"{words}{count}", fix=fix))
    return found + kept


def _words(name: str) -> str:
    shown = visible(name, 80)
    if is_half(name):
        return f"half written by somebody who was killed: {shown}"
    return _WORDS.get(name, f"something else: {shown}")


def stranded(folder: Path, remains: Remains) -> Remaining:
    """Return in words what a removal that was cut off has left in a folder."""
    words = f"what was not removed the last time, in {folder}"
    if not remains.entries:
        return Remaining(words=words, hinders=bool(remains.refusal))
    return Remaining(
        words=f"{words}: {_entries(remains.entries)} of mail",
        hinders=True,
        fix="move them into a queue yourself",
    )


def _entries(count: int) -> str:
    return f"{count:,} entr{'y' if count == 1 else 'ies'}"


def _mail(name: str, thing: _Thing) -> Iterator[Remaining]:
    for part, count in sorted(thing.mail.items()):
        entries = _entries(count)
        shown = visible(part, 80)
        if name == "held":
            words = f"held of {shown}: {entries}"
            fix = f"qtool release {quote(shown)} all"
        elif name == "trash":
            words = f"in the trash, of act {shown}: {entries}"
            fix = f"qtool undo {shown}, or qtool trash --empty {shown}"
        elif name.startswith("step-"):
            words, fix = f"in a step that was cut off: {entries}", "qtool status"
        else:
            words = f"in {visible(name, 80)}: {entries}"
            fix = "move them into a queue yourself"
        yield Remaining(words=words, hinders=True, fix=fix)


def _step(name: str) -> Remaining:
    return Remaining(
        words=f"a step of Mailman's runner ({visible(name, 80)})",
        hinders=True,
        fix="wait for its end; one that was cut off is put back by qtool status",
    )


def _in_queues(configuration: Configuration) -> Iterator[Remaining]:
    for queue in configuration.switchboards.values():
        try:
            count = sum(len(queue.get_files(held)) for held in IN_HAND.values())
        except OSError:
            continue
        if count:
            yield Remaining(
                words=f"in the hand of an act in {queue.name}: {count:,} (.edit)",
                hinders=True,
                fix=f"qtool doctor {quote(queue.name)} --fix edit",
            )


def _acts(configuration: Configuration) -> Iterator[Remaining]:
    for act in Journal(configuration.state_directory).under_way():
        to = f" to {act.to}" if act.to else ""
        words = f"{act.verb} {act.count:,} of {act.queue}{to}, by {act.who}"
        yield Remaining(
            words=f"act {act.number} is under way: {visible(words, 200)}",
            hinders=True,
            fix="wait for its end: qtool undo --list",
        )


def _holders(configuration: Configuration) -> Iterator[Remaining]:
    for name in dict.fromkeys(claimants.locked(configuration.state_directory)):
        yield Remaining(
            words=f"somebody works there: {visible(name, 200)}",
            hinders=True,
            fix="qtool stop, or end the console that runs it",
        )
