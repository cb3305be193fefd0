"""What comes while a command waits: signals, the end of something, a deadline."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from qtool.commands.output import tell
from qtool.errors import QToolError

if TYPE_CHECKING:
    from collections.abc import Callable

R = TypeVar("R")
T = TypeVar("T")

_LISTENING_SECONDS = 1.0
"""A signal that comes just before a wait begins does not end it: so it is short."""


def next_of(news: SimpleQueue[T], deadline: float, late: T) -> T:
    """Return what comes next, or ``late`` once the deadline has come.

    Args:
        news: Where it comes from.
        deadline: By ``time.monotonic``; infinite for never.
        late: What that is in the words of the news.
    """
    while True:
        left = min(deadline - time.monotonic(), _LISTENING_SECONDS)
        if left <= 0:
            return late
        with suppress(Empty):
            return news.get(timeout=left)


def aside(
    work: Callable[[], R], news: SimpleQueue[T], ended: T, *, tells: bool = True
) -> Future[R]:
    """Do ``work`` beside this thread, which has something else to wait for.

    Args:
        work: What to do.
        news: Where its end is said.
        ended: In these words.
        tells: Whether to tell what it was refused for, at once.
    """
    done: Future[R] = Future()

    def body() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)
            if not isinstance(error, QToolError | OSError):
                raise
            if tells:
                tell(str(error))
        finally:
            news.put(ended)

    threading.Thread(target=body, daemon=True).start()
    return done
