"""What is wrong at a site besides its queues: its folders, its disk, its state."""

from __future__ import annotations

import os
import stat
from shlex import quote
from typing import TYPE_CHECKING

from qtool.control.doctor.found import Names, finding, verbatim
from qtool.control.doctor.rights import may_change, mended_folder
from qtool.control.models import Severity, State
from qtool.control.unattended import unattended, unattended_line
from qtool.control.verdicts.disk import disk_of, judge_disk
from qtool.engine.pauses import Pauses
from qtool.installation.rights import is_missing, is_shared, user_name
from qtool.queues import checkup, claimants
from qtool.queues.notes import half_written
from qtool.queues.state import layout_refusal
from qtool.settings import SiteKind
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from qtool.control.models import Board, Finding, QueueRow
    from qtool.installation import Configuration


def site_findings(configuration: Configuration, board: Board) -> list[Finding]:
    """Return what is wrong at a site as a whole."""
    checks: Sequence[Callable[[Configuration], list[Finding]]] = (
        _folders, _owners, _disk, _network, _state, _pauses, _notes,
    )  # fmt: skip
    found = [each for check in checks for each in check(configuration)]
    return found + _strays(configuration, board)


def unserved(row: QueueRow) -> list[Finding]:
    """Return what waits in a queue where no runner is at work."""
    line = "" if row.paused or row.drained else unattended_line(row.cells)
    if row.state is State.NO_CLASS:
        severity, fix = Severity.NOTE, verbatim(visible(row.refusal))
    else:
        severity = Severity.CRITICAL
        fix = "start its runner: s on the board, or qtool run"
        if row.state is State.MAILMAN_STOPPED:
            fix = "mailman start (after mailman stop, where it runs)"
    waiting = Names()
    waiting.count = sum(unattended(row.cells).values()) if line else 0
    failed = row.state in (State.FAILED, State.IMPORT_ERROR)
    why = f": {verbatim(visible(row.note))}" if row.note and failed else ""
    return finding(
        "unserved", severity, waiting, f"{line}{why}", fix, queue=row.name,
    )  # fmt: skip


def stale_pauses(configuration: Configuration) -> list[tuple[str, int | None]]:
    """Return pauses of runners, or of slices, that the configuration does not have."""
    runners = configuration.settings.runners
    return [
        (pause.runner, pause.slice)
        for pause in Pauses(configuration.state_directory).all()
        if pause.runner not in runners
        or (pause.slice or 0) >= max(1, runners[pause.runner].instances)
    ]


def named_pause(runner: str, number: int | None) -> str:
    """Return a pause as one word."""
    return runner if number is None else f"{runner}:{number}"


# --- Check by check


def _folders(configuration: Configuration) -> list[Finding]:
    settings = configuration.settings
    missing = []
    for queue in configuration.switchboards.values():
        folder = queue.queue_directory
        # qtool makes a folder of its own with the first message, if it can.
        made = settings.kind is SiteKind.OWN and (
            folder.is_relative_to(settings.queue_root) or folder.parent.is_dir()
        )
        if not made and is_missing(folder):
            missing.append(f"{queue.name}: {folder}")
    return finding(
        "missing-folder", Severity.WARNING, missing,
        f"{{n}} queue{{s}} of {verbatim(visible(settings.source))} whose folder is not"
        " there",
        "start Mailman once, or correct the path"
        if settings.kind is SiteKind.MAILMAN3 else "make the folder, or correct `path`",
    )  # fmt: skip


def _owners(configuration: Configuration) -> list[Finding]:
    root, odd = _facts(configuration.settings.queue_root), []
    for queue in configuration.switchboards.values():
        facts = _facts(queue.queue_directory)
        if root and facts and not is_shared(facts, root):
            owner = user_name(facts.st_uid)
            odd.append(f"{queue.queue_directory} belongs to {owner}")
    owner = verbatim(user_name(root.st_uid)) if root else ""
    return finding(
        "folder-owner", Severity.CRITICAL, odd,
        f"{{n}} queue{{s}} that {{is}} not for {owner}, to whom"
        f" {verbatim(configuration.settings.queue_root)} belongs",
        "as root: give all to one user (chown -R)",
    )  # fmt: skip


def _disk(configuration: Configuration) -> list[Finding]:
    found, seen = [], set[int]()
    folders = [configuration.settings.queue_root]
    folders += [q.queue_directory for q in configuration.switchboards.values()]
    for folder in folders:
        facts = _facts(folder)
        if facts is None or facts.st_dev in seen:
            continue
        seen.add(facts.st_dev)
        verdict = judge_disk(disk_of(folder))
        if verdict is not None:
            found += finding(
                "disk", verdict.severity, [str(folder)],
                f"{verdict.words}, {verdict.evidence}: without room no mail comes in",
                "make room there",
            )  # fmt: skip
    return found


def _network(configuration: Configuration) -> list[Finding]:
    root = configuration.settings.queue_root
    kind = checkup.network(root)
    return finding(
        "network", Severity.WARNING, [str(root)] if kind else [],
        f"the spool is on a network file system ({kind}): what another machine does"
        " there makes no events, and a lock is only as good as the server's",
        "let one machine work there, on a disk of its own",
    )  # fmt: skip


def _state(configuration: Configuration) -> list[Finding]:
    state = configuration.state_directory
    try:
        facts = state.lstat()
    except OSError:
        return []
    if not stat.S_ISDIR(facts.st_mode):
        return finding(
            "state-folder", Severity.CRITICAL, [str(state)],
            "this is no folder: qtool keeps what it remembers there",
            "look what it is, and remove it",
        )  # fmt: skip
    reason, there = layout_refusal(str(state)), quote(str(state))
    parent = quote(str(state.parent))
    root = _facts(configuration.settings.queue_root)
    found = finding(
        "layout", Severity.CRITICAL, [str(state)] if reason else [], verbatim(reason),
        "update qtool, or use the one that wrote it",
    )  # fmt: skip
    mode, after = stat.S_IMODE(facts.st_mode), mended_folder(facts)
    found += finding(
        "folder-mode", Severity.WARNING, [str(state)] if mode != after else [],
        f"the folder has the mode {mode:04o}, and others may change what is in it",
        verbatim(f"chmod {after:04o} {there}"), fixable=may_change(facts),
    )  # fmt: skip
    return found + finding(
        "folder-owner", Severity.CRITICAL,
        [str(state)] if root and not is_shared(facts, root) else [],
        f"the folder belongs to {verbatim(user_name(facts.st_uid))}: who owns the spool"
        " cannot act", verbatim(f"as root: chown -R --reference={parent} {there}"),
    )  # fmt: skip


def _pauses(configuration: Configuration) -> list[Finding]:
    stale = [named_pause(*each) for each in stale_pauses(configuration)]
    damage = Pauses(configuration.state_directory).of("", None)
    return finding(
        "pauses", Severity.NOTE, stale,
        "{n} pause{s} of runners or slices that the configuration does not have",
        "end {them}", fixable=True,
    ) + finding(
        "pauses-file", Severity.CRITICAL,
        [str(configuration.state_directory / "pauses.json")] if damage else [],
        f"{verbatim(damage.reason if damage else '')}: so every runner is paused",
        "look what was paused, then remove the file",
    )  # fmt: skip


def _notes(configuration: Configuration) -> list[Finding]:
    return finding(
        "claims", Severity.NOTE, claimants.stale_notes(configuration.state_directory),
        "{n} note{s} on claims whose holders were killed: nobody believes {them}",
        "remove {them}", fixable=True,
    ) + finding(
        "half-notes", Severity.NOTE, half_written(configuration.state_directory),
        "{n} note{s} half written (.tmp), whose writer{s} died: what {it} {is} of is"
        " there as it was before; the next write removes {them}",
        "remove {them}", fixable=True,
    )  # fmt: skip


def _strays(configuration: Configuration, board: Board) -> list[Finding]:
    source = verbatim(visible(configuration.settings.source))
    return finding(
        "stray-folder", Severity.WARNING, board.site.strays,
        f"{{n}} folder{{s}} where mail waits and that no section of {source} names:"
        " nobody looks into {them}",
        "name {them} in the configuration, or move what is there",
    )  # fmt: skip


def _facts(folder: Path) -> os.stat_result | None:
    try:
        return folder.stat()
    except OSError:
        return None
