"""Spools for the engine's tests, and runner classes for their configurations."""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from qtool.engine.master import Master
from qtool.engine.runner import Runner
from qtool.installation import Configuration
from qtool.qfile import message_from_string
from qtool.settings import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import Message

    from qtool.engine.status import RunnerState, RunnerStatus
    from qtool.queues.switchboard import Switchboard

CHECKOUT = Path(__file__).parents[2]
TIMEOUT = 60.0
"""Seconds after which a test gives up waiting; nothing takes as long."""


def mail(subject: str = "One", body: str = "A body.\n") -> Message:
    """Return a message with that subject."""
    return message_from_string(
        f"From: anne@example.com\nTo: in@example.com\nSubject: {subject}\n\n{body}"
    )


class Site:
    """A configuration over a spool of its own, with the classes that it names."""

    def __init__(self, root: Path, module: ModuleType) -> None:
        self.root = root
        self._module = module
        self._text = f"[qtool]\nroot: {root}\n[paths]\npython: {CHECKOUT}\n"
        self._config: Configuration | None = None
        self._masters: list[Master] = []

    def runner(
        self, name: str, kind: type[Runner] | str | None = None, **keys: Any
    ) -> None:
        """Add a runner of a class, or of one by name; before any look at ``config``."""
        assert self._config is None
        lines = [f"[runner.{name}]"]
        if isinstance(kind, str):
            lines.append(f"class: {kind}")
        elif kind is not None:
            attribute = f"{kind.__name__}_{name}"
            setattr(self._module, attribute, kind)
            lines.append(f"class: {self._module.__name__}.{attribute}")
        lines += [f"{key}: {value}" for key, value in keys.items()]
        self._text += "\n".join(lines) + "\n"

    @property
    def config(self) -> Configuration:
        """The configuration; the same at each look."""
        if self._config is None:
            settings = parse(self._text, source="test.cfg", base=self.root)
            self._config = Configuration(settings)
        return self._config

    def queue(self, name: str) -> Switchboard:
        """Return a queue."""
        return self.config.switchboards[name]

    def put(self, queue: str, subject: str = "One", **msgdata: Any) -> str:
        """Put a message into a queue."""
        return self.queue(queue).enqueue(mail(subject), msgdata)

    def subjects(self, queue: str, extension: str = ".pck") -> list[str]:
        """Return the subjects of what is in a queue, oldest first."""
        switchboard = self.queue(queue)
        return [
            str(switchboard.peek(filebase).message["subject"])
            for filebase in switchboard.get_files(extension)
        ]

    def master(
        self, clock: Callable[[], float] = time.monotonic, *, in_processes: bool = False
    ) -> Master:
        """Return a master that is closed after the test."""
        master = Master(self.config, clock=clock, in_processes=in_processes)
        self._masters.append(master)
        return master

    def close(self) -> None:
        for master in self._masters:
            master.close(unclaim=True)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site without runners; tests add theirs."""
    module = ModuleType("classes_of_this_test")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    made = Site(tmp_path / "queues", module)
    yield made
    made.close()


class Noting(Runner):
    """Notes subjects, and that it did its periodic work; ``then`` is done at each."""

    def __init__(self, *args: Any, **kws: Any) -> None:
        super().__init__(*args, **kws)
        self.noted: list[str] = []
        self.took = threading.Semaphore(0)

    def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
        self.noted.append(str(msg["subject"]))
        self.then()
        self.took.release()
        return False

    def then(self) -> None:
        """Do nothing."""

    def _do_periodic(self) -> None:
        self.noted.append("periodic")


class Changes:
    """Waits until something about a master is so, looking at each change."""

    def __init__(self, master: Master) -> None:
        self._changed = threading.Condition()
        master.on_change(self._note)

    def wait(self, so: Callable[[], object]) -> None:
        """Wait until ``so`` is true."""
        with self._changed:
            assert self._changed.wait_for(so, TIMEOUT)

    def _note(self) -> None:
        with self._changed:
            self._changed.notify_all()


def status(master: Master, name: str, number: int = 0) -> RunnerStatus:
    """Return how a slice of a runner stands."""
    (found,) = (
        one for one in master.states() if (one.runner, one.slice) == (name, number)
    )
    return found


def state(master: Master, name: str, number: int = 0) -> RunnerState:
    """Return what a slice of a runner does."""
    return status(master, name, number).state


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Gatekeeper:
    """Lets a ``_dispose`` tell that it has begun, and hold until it is let go."""

    def __init__(self) -> None:
        self._entered = threading.Semaphore(0)
        self._go = threading.Semaphore(0)

    def pass_through(self) -> None:
        """In ``_dispose``: wait to be let go."""
        self._entered.release()
        assert self._go.acquire(timeout=TIMEOUT)

    def entered(self) -> None:
        """Wait until a ``_dispose`` has begun."""
        assert self._entered.acquire(timeout=TIMEOUT)

    def let_go(self, times: int = 1) -> None:
        """Let so many go on."""
        self._go.release(times)


@contextmanager
def many_files() -> Iterator[None]:
    """Have so many files open that ``select`` takes no further one."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, before[1]), before[1]))
    with ExitStack() as opened:
        last = 0
        while last < 1024:
            last = os.open(os.devnull, os.O_RDONLY)
            opened.callback(os.close, last)
        yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def in_thread(act: Callable[[], object]) -> threading.Thread:
    """Start ``act`` in a thread of its own."""
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    return thread


def ended(thread: threading.Thread) -> None:
    """Wait for a thread's end."""
    thread.join(TIMEOUT)
    assert not thread.is_alive()
