"""What is asked of another process, and who waits for the answer."""

from __future__ import annotations

import threading
from concurrent.futures import Future, InvalidStateError, wait
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any

from qtool.errors import RunnerGone, RunnerSilent
from qtool.wire import loaded_error

if TYPE_CHECKING:
    from qtool.engine.lines import Line, Said


class Asking:
    """Questions to one process.

    Args:
        who: The runner, for errors.
    """

    def __init__(self, who: str) -> None:
        self.latest = 0
        """The number of the last question."""
        self._who = who
        self._line: Line | None = None
        self._numbers = count(1)
        self._open: dict[int, Future[Any]] = {}
        self._lock = threading.Lock()

    def begin(self, line: Line) -> None:
        """Ask over this line from now on."""
        with self._lock:
            self._line = line

    def ask(self, do: str, **words: Any) -> Future[Any]:
        """Have something done there.

        Returns:
            What will have the answer, in what JSON has for it, or the error.

        Raises:
            RunnerGone: The process is not there.
            RunnerSilent: It does not listen, and can be asked nothing any more.
        """
        answer: Future[Any] = Future()
        with self._lock:
            line = self._line
            if line is None:
                raise self._gone()
            self.latest = number = next(self._numbers)
            self._open[number] = answer
        try:
            line.say(ask=number, do=do, **words)
        except TimeoutError as error:
            self._open.pop(number, None)
            raise RunnerSilent(f"the process of {self._who} does not listen") from error
        except OSError as error:
            self._open.pop(number, None)
            raise self._gone() from error
        return answer

    def answer(self, do: str, within: float, **words: Any) -> Any:
        """Have something done there; return the answer.

        Raises:
            RunnerGone: The process is not there, or has ended meanwhile.
            RunnerSilent: It does not listen, or has not answered within that time.
            QToolError, OSError: What it has answered.
        """
        answer = self.ask(do, **words)
        # Not by the timeout of its result: the answer may be a TimeoutError, too.
        if not wait([answer], within).done:
            raise RunnerSilent(f"the process of {self._who} does not answer")
        return answer.result()

    def answered(self, said: Said) -> None:
        """Give an answer to who asked."""
        answer = self._open.pop(said["answer"], None)
        if answer is None:
            return
        with suppress(InvalidStateError):
            if "error" in said:
                answer.set_exception(loaded_error(said["error"]))
            else:
                answer.set_result(said["value"])

    def end(self) -> None:
        """Ask nothing any more; who still waits is told so."""
        with self._lock:
            self._line = None
            unanswered, self._open = self._open, {}
        for answer in unanswered.values():
            with suppress(InvalidStateError):
                answer.set_exception(self._gone())

    def _gone(self) -> RunnerGone:
        return RunnerGone(f"the process of {self._who} has ended")
