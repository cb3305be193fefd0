"""The classes of runners: found by dotted name, where the configuration says."""

from __future__ import annotations

import importlib
import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from qtool.errors import NoRunnerClass, RunnerImportError
from qtool.settings import WITHOUT_RUNNER, SiteKind
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qtool.settings import RunnerSettings, Settings


def no_class_reason(runner: RunnerSettings) -> str:
    """Return why a runner has no class here; empty if it names one, good or not."""
    if runner.foreign:
        return f"{runner.name} is Mailman's own runner: qtool only steps it"
    if runner.class_path is None:
        return (
            f"the runner {runner.name} has no class:"
            f" set class in [runner.{runner.name}]"
        )
    return ""


def no_runner_reason(settings: Settings, name: str) -> str:
    """Return why a queue has no runner here."""
    if settings.kind is SiteKind.MAILMAN2:
        return "Mailman 2 runs its queues itself: qtool lists and mends what is in them"
    if settings.source.startswith("--root") and name not in WITHOUT_RUNNER:
        return (
            f"{name} has no runner here: --root names none, a configuration does"
            " (--config FILE)"
        )
    return f"{name} has no runner: messages wait there for a person"


def imported_class(runner: RunnerSettings, paths: tuple[Path, ...]) -> type:
    """Return the class of a runner.

    Args:
        runner: Whose class it is.
        paths: Where it may be, besides what is installed.

    Raises:
        NoRunnerClass: The configuration names none, or one of Mailman's.
        RunnerImportError: It cannot be imported; the reason is the cause.
    """
    reason = no_class_reason(runner)
    if runner.class_path is None or reason:
        raise NoRunnerClass(reason)
    where = f"[runner.{runner.name}] class: {runner.class_path}"
    found = imported(runner.class_path, where, paths)
    if not isinstance(found, type):
        raise RunnerImportError(f"{where}: that is no class")
    return found


def imported(path: str, where: str, paths: tuple[Path, ...]) -> Any:
    """Return what a dotted name stands for in its module.

    Args:
        path: The dotted name.
        where: The place in the configuration, for errors.
        paths: Where it may be, besides what is installed.

    Raises:
        RunnerImportError: It cannot be imported; the reason is the cause.
    """
    module, _, attribute = path.rpartition(".")
    try:
        with _folder.kept_out(paths):
            return getattr(importlib.import_module(module), attribute)
    except (Exception, SystemExit) as error:
        reason = visible(f"{type(error).__name__}: {error}", 300)
        raise RunnerImportError(f"{where}: {reason}") from error


def _working_folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - sys.path holds text
    except FileNotFoundError:
        return ""


class _WorkingFolder:
    """Keeps the working folder out of the import path while anything is imported.

    Imports take as long as they like, and none waits for another: who begins takes
    out what is there, and the last to end puts it back. The list itself is never
    changed: another thread may look for a module along it, and would miss a folder.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._imports = 0
        self._taken_out: list[list[tuple[int, str]]] = []

    @contextmanager
    def kept_out(self, paths: tuple[Path, ...]) -> Iterator[None]:
        """Import from the configured folders, and never from the working folder."""
        with self._lock:
            self._imports += 1
            # Before installed packages, so that these are found; after the standard
            # library, so that no file here passes for a part of it.
            first = next(
                (i for i, e in enumerate(sys.path) if e.endswith("-packages")),
                len(sys.path),
            )
            ours = [str(p) for p in paths if str(p) not in sys.path]
            entries = [*sys.path[:first], *ours, *sys.path[first:]]
            working = {"", ".", _working_folder()} - {str(path) for path in paths}
            found = [(i, e) for i, e in enumerate(entries) if e in working]
            self._taken_out.append(found)
            sys.path = [entry for entry in entries if entry not in working]
        try:
            yield
        finally:
            with self._lock:
                self._imports -= 1
                entries = [*sys.path]
                while self._taken_out and not self._imports:
                    for index, entry in self._taken_out.pop():
                        entries.insert(index, entry)
                sys.path = entries


_folder = _WorkingFolder()
