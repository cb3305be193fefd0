"""Who acts: the user of this process, or the one at the other end of the socket."""

from __future__ import annotations

import os
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from qtool.installation.rights import user_name
from qtool.queues import durable

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_LOGIN = "4294967295"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, and from where.

    Names of users are looked up by whoever needs them: that may take a while.
    """

    uid: int
    """The user whose rights it is done with."""
    pid: int
    """The process it is asked for in, if that is known; else 0."""
    where: str = ""
    """``tui``, ``shell``, ``command`` or ``socket``; empty where that is unknown."""
    caller_uid: int | None = None
    """Who called the program; root, say, that became the owner of a spool."""
    sudo: str = ""
    """Who called ``sudo`` for that, as ``sudo`` has told it."""
    terminal: str = ""
    remote: str = ""
    """The host that the session comes from, as its server has told it."""

    def dumped(self) -> str:
        """Return this as a text for ``loaded_actor`` of another process."""
        import json  # who acts in this process needs none

        return json.dumps(asdict(self))


def loaded_actor(text: str) -> Actor:
    """Return the actor that another process of ours has dumped."""
    import json

    return Actor(**json.loads(text))


_ACTOR: ContextVar[Actor | None] = ContextVar("actor", default=None)


def acting() -> Actor:
    """Return who asked for what this thread does."""
    return asked_by() or this_process()


def this_process() -> Actor:
    """Return the user of this process."""
    return Actor(uid=os.geteuid(), pid=os.getpid())


def acting_uid() -> int:
    """Return the user id of who asked for what this thread does."""
    return acting().uid


def acting_name() -> str:
    """Return who asked for it, for people: ``anne as list`` where anne became that.

    Two who call ``sudo`` have one user id, and are two.
    """
    actor = acting()
    user = user_name(actor.uid)
    person = actor.sudo or login_name(actor.pid)
    return f"{person} as {user}" if person not in ("", user) else user


def login_name(pid: int) -> str:
    """Return who has logged in, whomever he has become since, as the kernel knows."""
    try:
        said = durable.read_small(f"/proc/{pid}/loginuid", 20).decode("ascii").strip()
    except OSError:
        return ""
    return user_name(int(said)) if said.isdecimal() and said != _NO_LOGIN else ""


def asked_by() -> Actor | None:
    """Return who asked for it, where that has been said."""
    return _ACTOR.get()


@contextmanager
def acting_as(actor: Actor | None) -> Iterator[None]:
    """Do what follows for somebody; for None it is the user of this process."""
    token = _ACTOR.set(actor)
    try:
        yield
    finally:
        _ACTOR.reset(token)
