"""What threads tell the app: results of acts, and boards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.control.models import Board


@dataclass
class ActDone(Message):
    """An act came to an end; ``report`` puts on the screen which one."""

    report: Callable[[], object]


@dataclass
class BoardArrived(Message):
    """There is a later board; one that has not been shown yet is dropped for it."""

    board: Board

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, BoardArrived)
