"""The classes of runners: found by name, and looked at before they are run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from qtool.engine.runner import Runner
from qtool.errors import NoRunnerClass, RunnerImportError
from qtool.installation.classes import no_class_reason

if TYPE_CHECKING:
    from qtool.installation import Configuration


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
