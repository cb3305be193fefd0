"""``--root``: a folder whose sub-folders are queues, without a configuration."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from qtool.errors import SettingsError
from qtool.settings.values import RunnerSettings, Settings, SiteKind

_NAMES_OF_2 = frozenset({"commands", "news", "maildir"})
_NAMES_OF_3 = frozenset({"command", "nntp", "pipeline", "digest"})
_PYTHON_2 = re.compile(rb"[STU(]|\x80\x02")
"""How Python 2 begins a pickle: a byte string, a class, or its newest protocol.

Python 3 does so only where it is asked to.
"""
_ENTRIES_TRIED = 20
_QUEUES_TRIED = 20


def from_root(directory: Path) -> Settings:
    """Return settings in which each sub-folder is a queue that no runner serves.

    Messages are written there in the text form, which every reader knows.

    Raises:
        SettingsError: The folder is missing or cannot be listed.
    """
    root = Path(os.path.abspath(directory))  # noqa: PTH100 - keep symbolic links
    source = f"--root {directory}"
    try:
        with os.scandir(root) as entries:
            names = sorted(
                entry.name
                for entry in entries
                if not entry.name.startswith(".") and entry.is_dir()
            )
    except OSError as error:
        raise SettingsError(f"{source}: {error.strerror}") from error
    runners = {
        name: RunnerSettings(
            name=name, class_path=None, queue_directory=root / name, served=False
        )
        for name in names
    }
    settings = Settings(
        source=source,
        kind=SiteKind.OWN,
        queue_root=root,
        runners=MappingProxyType(runners),
        text_form=True,
    )
    if _written_by_mailman_2(root, names):
        return _of_mailman_2(settings)
    return settings


def _of_mailman_2(settings: Settings) -> Settings:
    logs = settings.queue_root.parent / "logs"  # unless it was built otherwise
    return replace(
        settings,
        kind=SiteKind.MAILMAN2,
        text_form=False,
        error_logs=(logs / "error",),
        delivery_logs=(logs / "smtp",),
    )


def _written_by_mailman_2(root: Path, names: list[str]) -> bool:
    if _NAMES_OF_3.intersection(names):
        return False
    if root.name == "qfiles" or _NAMES_OF_2.intersection(names):
        return True
    starts = {start for name in names[:_QUEUES_TRIED] for start in _starts(root / name)}
    return bool(starts) and all(map(_PYTHON_2.match, starts))


def _starts(queue: Path) -> set[bytes]:
    try:
        with os.scandir(queue) as entries:
            tried = [
                entry.path
                for entry in islice(entries, _ENTRIES_TRIED)
                if entry.name.endswith((".pck", ".bak", ".psv")) and "+" in entry.name
            ]
    except OSError:
        return set()
    return {start for start in map(_start, tried) if start}


def _start(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        return os.read(descriptor, 2)
    finally:
        os.close(descriptor)
