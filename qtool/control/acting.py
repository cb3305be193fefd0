"""Who acts: the user of this process, or the one at the other end of the socket."""

from __future__ import annotations

import os
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_UID: ContextVar[int | None] = ContextVar("acting_uid", default=None)


def acting_uid() -> int:
    """Return the user id of who asked for what this thread does."""
    uid = _UID.get()
    return os.geteuid() if uid is None else uid


@contextmanager
def acting_as(uid: int) -> Iterator[None]:
    """Do what follows for that user, whose id the system vouches for."""
    token = _UID.set(uid)
    try:
        yield
    finally:
        _UID.reset(token)
