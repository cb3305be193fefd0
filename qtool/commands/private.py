"""``python -m qtool.commands.private``: the engine of a console, and its alone.

The console starts it, and nobody else does: it serves the console over a socket that
it inherits, has no terminal, and goes when the console has gone, however that went.
"""

from __future__ import annotations

import signal
import socket
import sys
import threading
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from qtool.commands.output import DONE, FAILED
from qtool.control.opening import open_settings, site_settings
from qtool.control.sockets import GIVE_BACK, GONE
from qtool.control.window import Window
from qtool.errors import QToolError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtool.control.control import Control

_LISTENING_SECONDS = 1.0
"""A signal that comes just before a wait begins does not end it: so it is short."""
_ENDED = b"ended"


def main(words: Sequence[str]) -> int:
    """Serve the console until it says that this is to end, or is gone.

    Args:
        words: The number of the socket; the folder of Mailman's programs, or
            nothing; the configuration file, or nothing for the built-in default.
    """
    number, programs, config = words
    end = socket.socket(fileno=int(number))
    end.set_inheritable(False)
    news = _signals()
    try:
        settings = site_settings(
            Path(config) if config else None,
            None,
            Path(programs) if programs else None,
        )
        control = open_settings(settings)
    except (QToolError, OSError) as error:
        end.sendall(str(error).encode("utf-8", "replace"))
        return FAILED
    window = Window(control, end, news.put)
    threading.Thread(target=window.accept_all, name="qtool-window", daemon=True).start()
    _serve(control, news)
    return DONE


def _signals() -> SimpleQueue[bytes]:
    """Return where it is said that this is to end; signals of terminals say nothing."""
    news: SimpleQueue[bytes] = SimpleQueue()
    signal.signal(signal.SIGTERM, lambda _number, _frame: news.put(GONE))
    # Not by SIG_IGN, which programs that are started from here would inherit.
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, lambda _number, _frame: None)
    return news


def _serve(control: Control, news: SimpleQueue[bytes]) -> None:
    """Wait to be told to end, and do so; see ``qtool.control.sockets``."""
    said = _next(news)
    deadline: float | None = None
    if said != GIVE_BACK:
        threading.Thread(target=_close, args=(control, news), daemon=True).start()
    while said not in (GIVE_BACK, _ENDED):
        if said == GONE and deadline is None:
            grace = control.configuration.settings.stop_grace_seconds
            deadline = time.monotonic() + grace
        said = _next(news, deadline)
    if said == GIVE_BACK:
        control.close(unclaim=True)


def _close(control: Control, news: SimpleQueue[bytes]) -> None:
    try:
        control.close()
    finally:
        news.put(_ENDED)


def _next(news: SimpleQueue[bytes], deadline: float | None = None) -> bytes:
    """Return what is said next; to give back, when the deadline has come."""
    while deadline is None or time.monotonic() < deadline:
        left = _LISTENING_SECONDS
        if deadline is not None:
            left = max(0.0, min(left, deadline - time.monotonic()))
        try:
            return news.get(timeout=left)
        except Empty:
            continue
    return GIVE_BACK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
