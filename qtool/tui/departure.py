"""Leaving: runners finish the message in hand; asked again, they give it back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.text import Text

from qtool.control.models import ENGINE_GONE, RECONNECTING, State
from qtool.errors import QToolError
from qtool.tui.acts import in_thread
from qtool.untrusted import visible

if TYPE_CHECKING:
    from qtool.control.control import Control
    from qtool.tui.app import QToolApp

_PATIENCE_SECONDS = 0.3
"""After which a window that is still closing says what it waits for."""
_ENDING = {
    State.RUNNING, State.PAUSED, State.STOPPING, State.RESTARTING, State.HUNG,
}  # fmt: skip


class Departure:
    """The way out of one window."""

    def __init__(self, app: QToolApp, control: Control) -> None:
        self._app = app
        self._control = control
        self._asked = 0
        self._code = 0
        self._ended: list[str] = []
        self._stays = ""

    def leave(self, code: int) -> None:
        """Close and exit with ``code``; the second time, do not wait."""
        self._asked += 1
        self._code = self._code or code
        if self._asked == 1:
            self._ended = self._ending()
            self._stays = self._staying()
        if self._asked > 2:
            return
        unclaim = self._asked == 2
        if not unclaim:
            self._app.set_timer(_PATIENCE_SECONDS, self._say_what_is_in_hand)
        in_thread(self._app, "close", lambda: self._close(unclaim), self._exit)

    def _ending(self) -> list[str]:
        """Return the runners that end with this window."""
        board = self._app.board
        if board is not None and board.site.attached:
            return []
        return [
            visible(row.runner)
            for row in (board.rows if board else ())
            if row.runner is not None and row.state in _ENDING
        ]

    def _staying(self) -> str:
        """Return what is said of the daemon, where there is one."""
        board = self._app.board
        attached = board.site.attached if board is not None else ""
        if attached in ("", ENGINE_GONE):
            return ""
        if attached == RECONNECTING:
            return "The daemon was gone when this window closed."
        daemon = visible(attached.removeprefix("attached to "))
        return f"The daemon ({daemon}) goes on running."

    def _close(self, unclaim: bool) -> str:
        """Close; return what could not be done, for a window must always close."""
        try:
            self._control.close(unclaim=unclaim)
        except (QToolError, OSError) as error:
            return visible(error)
        return ""

    def _exit(self, trouble: str) -> None:
        lines = (
            [f"Stopped with this window: {', '.join(self._ended)}."]
            if self._ended
            else []
        )
        if self._stays:
            lines.append(self._stays)
        lines += [trouble] if trouble else []
        is_seen = sys.__stderr__ is not None and sys.__stderr__.isatty()
        message = Text("\n".join(lines)) if lines and is_seen else None
        self._app.exit(self._code, return_code=self._code, message=message)

    def _say_what_is_in_hand(self) -> None:
        from qtool.tui.screens.questions import Leaving

        self._app.push_screen(Leaving())
