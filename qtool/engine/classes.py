"""The classes of runners: found by name, and looked at before they are run."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

from qtool.engine.runner import Runner
from qtool.errors import ClassImporting, NoRunnerClass, RunnerImportError
from qtool.installation.classes import no_class_reason

if TYPE_CHECKING:
    from qtool.installation import Configuration

LOOK_SECONDS = 2.0
"""For so long a look at a class waits until it is imported."""


def own_class(config: Configuration, name: str) -> type[Runner]:
    """Return the class that the configuration names for a runner.

    Raises:
        NoRunnerClass: It names none.
        RunnerImportError: It cannot be imported, or is no runner.
    """
    found = config.runner_class(name)
    if not issubclass(found, Runner):
        raise RunnerImportError(
            f"[runner.{name}] class: {config.runner(name).class_path}:"
            " expected a subclass of qtool.Runner"
        )
    return found


def looked_up(config: Configuration, name: str) -> None:
    """Find out whether a runner has a class, without writing anything.

    Raises:
        NoRunnerClass, RunnerImportError: It has none.
    """
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        own_class(config, name)
    finally:
        sys.dont_write_bytecode = before


class _Look(threading.Event):
    """One look at a class, set when it has ended."""

    failure: BaseException | None = None


class Looks:
    """Looks at the classes of one site, none of which may hold up the others.

    Args:
        config: The site.
        seconds: For how long one who looks waits for an import.
    """

    def __init__(self, config: Configuration, seconds: float = LOOK_SECONDS) -> None:
        self._config = config
        self._seconds = seconds
        self._lock = threading.Lock()
        self._begun: dict[str, _Look] = {}

    def look(self, name: str) -> None:
        """Find out whether a runner has a class; see ``looked_up``.

        Raises:
            ClassImporting: That takes long: a later look will tell.
            NoRunnerClass, RunnerImportError: It has none.
        """
        with self._lock:
            look = self._begun.get(name)
            seconds = self._seconds if look is None else 0.0
            if look is None:
                look = self._begun[name] = _Look()
                threading.Thread(
                    target=self._find, args=(look, name), name="qtool-look", daemon=True
                ).start()
        if not look.wait(seconds):
            path = self._config.runner(name).class_path
            raise ClassImporting(
                f"[runner.{name}] class: {path}: it is being imported, which takes long"
            )
        with self._lock:
            self._begun.pop(name, None)
        if look.failure is not None:
            raise look.failure

    def _find(self, look: _Look, name: str) -> None:
        try:
            looked_up(self._config, name)
        except BaseException as error:  # noqa: BLE001 - who looks is told
            look.failure = error
        finally:
            look.set()


def why_mailmans(config: Configuration, name: str) -> str:
    """Return why a runner of a Mailman site is left to Mailman; empty for our own.

    Its class tells: what qtool cannot run may be a plug-in of Mailman's.
    """
    runner = config.runner(name)
    if runner.foreign:
        return no_class_reason(runner)
    try:
        looked_up(config, name)
    except NoRunnerClass:
        return ""
    except RunnerImportError as error:
        return str(error)
    return ""


def is_drained(config: Configuration, name: str) -> bool:
    """Return whether a runner has part in a drain: not with a loop of its own."""
    try:
        return not has_own_loop(own_class(config, name))
    except NoRunnerClass:
        return False
    except RunnerImportError:
        return True  # it belongs there, and starting it says what is wrong


def has_own_loop(kind: type[Runner]) -> bool:
    """Return whether a class does not run by passes: it claims nothing then."""
    return kind.run is not Runner.run
