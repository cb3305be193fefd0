"""What the engine of a console does; see ``qtool.commands.private``."""

from __future__ import annotations

import logging
import math
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from qtool.commands.news import aside, next_of
from qtool.control.acting import loaded_actor
from qtool.control.opening import open_settings, site_settings
from qtool.control.serving.sockets import GIVE_BACK, GONE
from qtool.control.serving.window import Window
from qtool.errors import QToolError

if TYPE_CHECKING:
    import socket

    from qtool.control.control import Control

_ENDED, _TERMINATED = b"ended", b"terminated"

log = logging.getLogger("qtool.console")


def serve(end: socket.socket, programs: str, config: str, actor: str) -> None:
    """Serve the console until it says that this is to end, or is gone.

    Args:
        end: This process's end of the socket between them.
        programs: The folder of Mailman's programs, or nothing.
        config: The configuration file, or nothing for the built-in default.
        actor: Who acts in the console.

    Raises:
        QToolError, OSError: It cannot be closed as it should.
    """
    news: SimpleQueue[bytes] = SimpleQueue()
    signal.signal(signal.SIGTERM, lambda _number, _frame: news.put(_TERMINATED))
    try:
        settings = site_settings(
            Path(config) if config else None,
            None,
            Path(programs) if programs else None,
        )
        control = open_settings(settings, actor=loaded_actor(actor))
    except (QToolError, OSError) as error:
        _say(end, f"does not start: {error}")
        return
    threading.excepthook = _log_end
    window = Window(control, end, news.put)
    threading.Thread(target=window.accept_all, name="qtool-window", daemon=True).start()
    try:
        if _until_told(control, news) == _TERMINATED:
            _say(end, "was ended by SIGTERM")
    finally:
        window.leave()


def _log_end(ended: threading.ExceptHookArgs) -> None:
    """Have the console's log show what a thread ends of that nobody foresaw."""
    error, name = ended.exc_value, ended.thread.name if ended.thread else "a thread"
    if isinstance(error, Exception):
        log.error("%s ends: %s: %s", name, type(error).__name__, error, exc_info=error)


def _say(end: socket.socket, text: str) -> None:
    """Tell the console why this ends, if it is there."""
    with suppress(OSError):
        end.sendall(text.encode("utf-8", "replace"))


def _until_told(control: Control, news: SimpleQueue[bytes]) -> bytes:
    """Wait to be told to end, and do so; return what was said first.

    See ``qtool.control.serving.sockets`` for what the console says.
    """
    deadline = math.inf
    first = said = next_of(news, deadline, GIVE_BACK)
    if said != GIVE_BACK:
        closing = aside(control.close, news, _ENDED, tells=False)
    while said not in (GIVE_BACK, _ENDED):
        if said in (GONE, _TERMINATED) and deadline == math.inf:
            grace = control.configuration.settings.stop_grace_seconds
            deadline = time.monotonic() + grace
        said = next_of(news, deadline, GIVE_BACK)
    if said == GIVE_BACK:
        control.close(unclaim=True)
    else:
        closing.result()
    return first
