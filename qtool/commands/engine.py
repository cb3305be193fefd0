"""What the engine of a console does; see ``qtool.commands.private``."""

from __future__ import annotations

import math
import signal
import threading
import time
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from qtool.commands.news import aside, next_of
from qtool.commands.output import DONE, FAILED
from qtool.control.opening import open_settings, site_settings
from qtool.control.sockets import GIVE_BACK, GONE
from qtool.control.window import Window
from qtool.errors import QToolError

if TYPE_CHECKING:
    import socket

    from qtool.control.control import Control

_ENDED = b"ended"


def serve(end: socket.socket, programs: str, config: str) -> int:
    """Serve the console until it says that this is to end, or is gone.

    Args:
        end: This process's end of the socket between them.
        programs: The folder of Mailman's programs, or nothing.
        config: The configuration file, or nothing for the built-in default.
    """
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
    _until_told(control, news)
    window.leave()
    return DONE


def _signals() -> SimpleQueue[bytes]:
    """Return where it is said that this is to end; signals of terminals say nothing."""
    news: SimpleQueue[bytes] = SimpleQueue()
    signal.signal(signal.SIGTERM, lambda _number, _frame: news.put(GONE))
    # Not by SIG_IGN, which programs that are started from here would inherit.
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, lambda _number, _frame: None)
    return news


def _until_told(control: Control, news: SimpleQueue[bytes]) -> None:
    """Wait to be told to end, and do so; see ``qtool.control.sockets``."""
    deadline = math.inf
    said = next_of(news, deadline, GIVE_BACK)
    if said != GIVE_BACK:
        aside(control.close, news, _ENDED)
    while said not in (GIVE_BACK, _ENDED):
        if said == GONE and deadline == math.inf:
            grace = control.configuration.settings.stop_grace_seconds
            deadline = time.monotonic() + grace
        said = next_of(news, deadline, GIVE_BACK)
    if said == GIVE_BACK:
        control.close(unclaim=True)
