"""A site in a scratch folder, with runners that tests can hold and let go."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from qtool.control.opening import opened
from qtool.engine.runner import Runner
from qtool.qfile import message_from_bytes
from qtool.settings import parse

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message

    from qtool.control.control import Control
    from qtool.control.models import Board
    from qtool.lists import MailingList

MAIL = b"From: anne@example.com\nTo: ant@example.com\nSubject: hello\n\nA body.\n"
CHECKOUT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds after which something that should have happened has not."""


class Taking(Runner):
    """Disposes of everything, and says so."""

    def _dispose(
        self, mlist: MailingList | None, msg: Message, msgdata: dict[str, Any]
    ) -> bool:
        self.log.info("took %s", msg["subject"])
        if msg["subject"] == "boom":
            raise ValueError("boom in the subject")
        if msg["subject"] == "die":
            raise SystemExit("broken")
        return False


class Held(Runner):
    """Keeps its message in hand until it is let go."""

    busy: ClassVar[threading.Event] = threading.Event()
    free: ClassVar[threading.Event] = threading.Event()

    def _dispose(
        self, mlist: MailingList | None, msg: Message, msgdata: dict[str, Any]
    ) -> bool:
        self.busy.set()
        assert self.free.wait(PATIENCE)
        return False


HERE = "tests.control.site"


def configuration(**runners: str) -> str:
    """Return ini text with a section for each runner."""
    sections = [f"[runner.{name}]\n{text}\n" for name, text in runners.items()]
    return "[qtool]\nroot: queues\n" + "\n".join(sections)


def in_processes(text: str) -> str:
    """Return that text with a process of its own for each slice of a runner."""
    more = f"processes: yes\n[paths]\npython: {CHECKOUT}\n"
    return text.replace("root: queues\n", f"root: queues\n{more}")


def open_site(directory: Path, text: str, *, read_only: bool = False) -> Control:
    """Open a site whose queues are in ``directory``."""
    settings = parse(text, source=str(directory / "qtool.cfg"), base=directory)
    control = opened(settings, read_only=read_only)
    for queue in control.configuration.switchboards.values():
        queue.queue_directory.mkdir(parents=True, exist_ok=True)
    return control


def put(control: Control, queue: str, data: bytes = MAIL, **msgdata: Any) -> str:
    """Put a message into a queue behind the facade's back."""
    switchboard = control.configuration.switchboards[queue]
    return switchboard.enqueue(message_from_bytes(data), msgdata)


class Boards:
    """The boards that an observer publishes, to be waited for."""

    def __init__(self, control: Control) -> None:
        self.seen: list[Board] = []
        self._news = threading.Condition()
        control.watch(self._take)

    def _take(self, board: Board) -> None:
        with self._news:
            self.seen.append(board)
            self._news.notify_all()

    def wait(self, wanted: Callable[[Board], object], since: int = 0) -> Board:
        """Return the first board after number ``since`` that is as wanted."""

        def found() -> Board | None:
            return next((b for b in self.seen[since:] if wanted(b)), None)

        with self._news:
            assert self._news.wait_for(lambda: found() is not None, PATIENCE)
            board = found()
        assert board is not None
        return board


def eventually(condition: Callable[[], object]) -> None:
    """Wait until something outside holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)
