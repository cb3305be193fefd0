"""Boards for whoever streams them, each put into words once."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from qtool.control.serving import wire
from qtool.control.serving.calls import PROTOCOL

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from qtool.control.control import Control
    from qtool.control.models import Board


def encoded(body: dict[str, Any]) -> bytes:
    """Return a reply as one line."""
    return json.dumps({"qtool": PROTOCOL, **body}).encode("ascii") + b"\n"


class Boards:
    """The latest board as a line, for all who stream; observed while one does."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._listeners = 0
        self._stop: Callable[[], None] = lambda: None
        self._changing = threading.Lock()
        self._news = threading.Condition()
        self._number = 0
        self._line = b""
        self._over = False

    def lines(self) -> Generator[bytes, None, None]:
        """Yield the latest board whenever there is another one."""
        with self._changing:
            self._listeners += 1
            if self._listeners == 1:
                self._stop = self._control.watch(self._take)
        try:
            seen = 0
            while True:
                with self._news:
                    self._news.wait_for(lambda: self._over or self._number > seen)  # noqa: B023 - called at once
                    if self._over:
                        return
                    seen, line = self._number, self._line
                yield line
        finally:
            with self._changing:
                self._listeners -= 1
                if not self._listeners:
                    self._stop()
                    self._number = 0

    def close(self) -> None:
        """End all streams."""
        with self._news:
            self._over = True
            self._news.notify_all()

    def _take(self, board: Board) -> None:
        line = encoded({"result": wire.dumped(board)})
        with self._news:
            self._number += 1
            self._line = line
            self._news.notify_all()
