"""Classes of runners that can be imported by a process of their own.

They speak with their tests through pipes and files that the configuration names.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtool.engine.child import Child
from qtool.engine.runner import Runner

if TYPE_CHECKING:
    from email.message import Message

    from qtool.engine.step import StepReport

TIMEOUT = 60.0


class Pipe:
    """A named pipe, for whoever knows its path; made where it is missing."""

    def __init__(self, path: Path | str) -> None:
        if not Path(path).exists():
            os.mkfifo(path)
        self._end = os.open(path, os.O_RDWR)

    def put(self, times: int = 1) -> None:
        os.write(self._end, b"." * times)

    def take(self, seconds: float = TIMEOUT) -> None:
        ready, _, _ = select.select([self._end], [], [], seconds)
        assert ready
        os.read(self._end, 1)

    def close(self) -> None:
        os.close(self._end)


class Noop(Runner):
    """Disposes of everything at once."""

    def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
        self.log.info("took %s", msg["subject"])
        return False


class Keeping(Runner):
    """Keeps everything."""

    def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
        msgdata["seen"] = msgdata.get("seen", 0) + 1
        return True


class Forwarding(Runner):
    """Puts everything into the queue ``to``."""

    def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
        self.config.switchboards[self.settings.options["to"]].enqueue(msg, msgdata)
        return False


class Gated(Runner):
    """Tells in the pipe ``entered`` that it has begun, and waits for ``go``."""

    def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
        Pipe(self.settings.options["entered"]).put()
        Pipe(self.settings.options["go"]).take(60)
        return False


class Clinging(Gated):
    """Gives nothing back."""

    def give_up(self, seconds: float) -> str | None:
        raise ValueError("mine")


class Parting(Noop):
    """Ends after a step, and tells of that a while later."""

    def step(self, filebase: str | None = None) -> StepReport:
        report = super().step(filebase)
        self.stop()
        threading.Event().wait(0.2)
        return report


class Unwell(Noop):
    """Fails after each pass, until the file ``well`` is there."""

    def _do_periodic(self) -> None:
        if not Path(self.settings.options["well"]).exists():
            raise ValueError("not today")


class Broken(Noop):
    """Cannot be made."""

    def __init__(self, *args: Any, **kws: Any) -> None:
        raise OSError("no such host")


class Lockless(Noop):
    """Has none of the locks that claims stand on; only for processes of its own."""

    def __init__(self, *args: Any, **kws: Any) -> None:
        del fcntl.F_OFD_SETLK
        super().__init__(*args, **kws)


class Leaving(Runner):
    """Ends, whatever it takes."""

    def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
        raise SystemExit(3)


class Looping(Runner):
    """Has a loop of its own, which it leaves when it is stopped."""

    is_queue_runner = False

    def run(self) -> None:
        while not self.gate.stopping:
            self.gate.snooze(None)


class Dying(Runner):
    """Has its process killed, fail, or leave, as the metadata say."""

    def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
        if "address" in msgdata:
            ctypes.string_at(msgdata["address"])
        if "unforeseen" in msgdata:
            Child._do_unheard = None  # type: ignore[method-assign, assignment]
            os.kill(os.getpid(), signal.SIGTERM)
            threading.Event().wait()
        if "signal" in msgdata:
            os.kill(os.getpid(), msgdata["signal"])
        os._exit(msgdata["status"])


class Stuck(Runner):
    """Does not get done with its periodic work."""

    def _do_periodic(self) -> None:
        threading.Event().wait()


class Tallying(Runner):
    """Appends the subject of each message to the file ``note``, and takes a while."""

    def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
        time.sleep(0.002)
        with Path(self.settings.options["note"]).open("a") as stream:
            stream.write(f"{msg['subject']}\n")
        return False


class Forking(Runner):
    """Forks what outlives it, tells its number in the file ``note``, and dies."""

    def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
        pid = os.fork()
        if pid == 0:
            signal.pause()
        Path(self.settings.options["note"]).write_text(str(pid))
        os.kill(os.getpid(), signal.SIGKILL)
        return False


class Noting(Runner):
    """Appends what it knows about its process to the file ``note``."""

    def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
        facts = [os.environ.get("OF_THE_TEST", ""), os.getpid(), os.nice(0), self.slice]
        with Path(self.settings.options["note"]).open("a") as stream:
            stream.write(f"{' '.join(map(str, facts))}\n")
        return False
