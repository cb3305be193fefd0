"""For people who write runners: a throw-away spool, and runners that end by themselves.

In a pytest ``conftest.py``, ``from qtool.testing import spool`` or
``pytest_plugins = ["qtool.testing"]`` brings the fixture ``spool``. Nothing here
needs pytest but that: ``throwaway_spool`` does the same for others.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from qtool.installation import process_configuration
from qtool.settings import default

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import Message
    from pathlib import Path

    from qtool.engine.runner import Runner
    from qtool.installation import Configuration
    from qtool.queues.switchboard import Switchboard

    def spool(tmp_path: Path) -> Iterator[Configuration]:
        """A spool for one test, whose configuration is the process's meanwhile."""


__all__ = [
    "QueuedMessage", "get_queue_messages", "make_testable_runner", "spool",
    "throwaway_spool",
]  # fmt: skip

_PREDICATE_SECONDS = 0.01
"""How long a runner rests before the predicate is asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedMessage:
    """What one entry of a queue held."""

    msg: Message
    msgdata: dict[str, Any]


@contextmanager
def throwaway_spool(root: Path) -> Iterator[Configuration]:
    """Let the process's configuration be that of a new spool in ``root`` meanwhile.

    It has the queues ``in`` and ``out``; ``push`` adds sections to it.
    """
    configuration = process_configuration()
    with configuration.using(default(root)):
        yield configuration


def make_testable_runner(
    runner_class: type[Runner],
    name: str | None = None,
    predicate: Callable[[Runner], bool] | None = None,
    *,
    config: Configuration | None = None,
) -> Runner:
    """Return a runner whose ``run`` ends when nothing in its queue is ready.

    A message that it keeps is taken once: it rests afterwards.

    Args:
        runner_class: The class under test.
        name: Its section; without one the name of the class, in small letters and
            without ``Runner``.
        predicate: Is given the runner after each pass, and says whether to end
            instead.
        config: Where the section is; the process's configuration without it.

    Raises:
        NoSuchRunner: There is no such section.
    """

    def _snooze(self: Runner, filecnt: int) -> None:
        if (filecnt == 0) if predicate is None else predicate(self):
            self.stop()
        elif filecnt == 0:
            self.gate.snooze(_PREDICATE_SECONDS)

    class_name = runner_class.__name__
    testable = type(class_name, (runner_class,), {"_snooze": _snooze})
    section = name or class_name.removesuffix("Runner").lower()
    return cast("Runner", testable(section, config=config))


def get_queue_messages(
    queue: str | Switchboard,
    sort_on: str | None = None,
    expected_count: int | None = None,
    *,
    config: Configuration | None = None,
) -> list[QueuedMessage]:
    """Take all waiting messages out of a queue and return them, oldest first.

    Args:
        queue: The queue, or its name.
        sort_on: Name of a header to sort by instead.
        expected_count: How many there must be.
        config: Where the queue is; the process's configuration without it.

    Raises:
        AssertionError: There are more or fewer; they are taken all the same.
        NoSuchQueue: There is no queue of that name.
        QFileError: An entry cannot be read.
    """
    if isinstance(queue, str):
        queue = (config or process_configuration()).switchboards[queue]
    found = []
    for filebase in queue.files:
        msg, msgdata = queue.dequeue(filebase)
        queue.finish(filebase)
        found.append(QueuedMessage(msg=msg, msgdata=msgdata))
    if expected_count is not None and len(found) != expected_count:
        subjects = ", ".join(str(one.msg["subject"]) for one in found) or "none"
        raise AssertionError(
            f"{queue.name}: expected {expected_count}, got {len(found)}: {subjects}"
        )
    if sort_on is not None:
        found.sort(key=lambda one: str(one.msg.get(sort_on, "")))
    return found


def __getattr__(name: str) -> object:
    """Make the fixture when somebody imports it: only that needs pytest."""
    if name != "spool":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import pytest

    @pytest.fixture(name="spool")
    def spool(tmp_path: Path) -> Iterator[Configuration]:
        with throwaway_spool(tmp_path / "spool") as configuration:
            yield configuration

    globals()[name] = spool
    return spool


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
