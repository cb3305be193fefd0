"""The way to a daemon: one request and its reply, on a connection of its own."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from qtool.control.models import Board
from qtool.control.serving import wire
from qtool.control.serving.calls import BOARDS, CALLS, PROTOCOL
from qtool.control.serving.sockets import connected, trusted
from qtool.errors import QToolError, Unreachable

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from qtool.control.serving.calls import Call
    from qtool.control.serving.sockets import Peer

_ANSWER_SECONDS = 30.0
"""How long a daemon may take to answer a look, or an act that is done at once; others
take as long as they take."""
_AT_ONCE = frozenset({"inject"})
_LONG_LOOKS = frozenset({"failures", "rehearse", "rehearse_fix", "rehearse_undo"})
"""Those that read a whole queue."""
_BRIEF_SECONDS = 1.0
_BRIEFEST_SECONDS = 0.2
"""The same of a daemon that was told to be late."""
_BRIEF = frozenset({"under_way", "interrupt"})
"""Those that are asked beside another call: a daemon that is well answers at once."""
_PATIENCE_SECONDS = 2.0
"""Without an answer for so long it is told who is waited for."""
_BOARD_SECONDS = 20.0
"""Without a board for so long a daemon is taken for gone: it sends one a second."""


class NobodyThere(Unreachable):
    """No daemon listens there: it has ended, or was killed."""


_UNDER_WAY = CALLS["/v1/under_way"]


class Link:
    """Speaks to one daemon.

    Only as much HTTP as the other end speaks: the standard library's client costs
    40 ms to import, and this is on the way to the first board.

    Args:
        path: Its socket.
        spool: Whose messages are asked for.
        late: Is told once who does not answer for a while, by name and pid, from a
            thread of its own.
    """

    who = "the daemon"
    """What it is called in errors."""

    def __init__(
        self, path: Path, spool: Path, late: Callable[[str, int], None] | None = None
    ) -> None:
        self.path = path
        self._spool = spool
        self._late = late
        self._is_late = False

    def connect(self) -> tuple[socket.socket, Peer]:
        """Return a connection, and who is at the other end.

        Raises:
            NobodyThere: No one listens there.
            Unreachable: It lets nobody in at this moment.
            Refused: It is not for this user, or the daemon is not this spool's.
        """
        connection = connected(self.path)
        if connection is None:
            raise NobodyThere(f"the daemon does not answer at {self.path}")
        try:
            return connection, trusted(connection, self.path, self._spool)
        except BaseException:
            connection.close()
            raise

    def peer(self) -> Peer:
        """Return who is there; raises as ``connect`` does."""
        connection, peer = self.connect()
        connection.close()
        return peer

    def ask(self, call: Call, arguments: dict[str, Any]) -> Any:
        """Have the daemon do a call; return what it returned, or raise its error."""
        path, body = call.path, b""
        if call.is_act:
            body = json.dumps(arguments).encode("ascii")
        else:
            given = {
                name: value if isinstance(value, str) else json.dumps(value)
                for name, value in arguments.items()
                if value is not None
            }
            path += f"?{urlencode(given, errors='surrogateescape')}" if given else ""
        connection, peer = self.connect()
        with connection, self._looked_after(call, peer):
            connection.settimeout(self._limit(call))
            try:
                line = next(_replies(connection, call.verb, path, body), b"")
            except TimeoutError as error:
                what = f"; whether it did {call.name} is unknown" * call.is_act
                raise Unreachable(f"{self.who} does not answer{what}") from error
            except OSError as error:
                raise Unreachable(f"{self.who} went away: {error}") from error
        return self._loaded(call.result, line)

    def _limit(self, call: Call) -> float | None:
        """Return how many seconds a call may take; None: as many as it takes."""
        if call.name in _BRIEF:
            return _BRIEFEST_SECONDS if self._is_late else _BRIEF_SECONDS
        is_long = call.is_act and call.name not in _AT_ONCE
        return None if is_long or call.name in _LONG_LOOKS else _ANSWER_SECONDS

    @contextmanager
    def _looked_after(self, call: Call, peer: Peer) -> Iterator[None]:
        """Have it told where the answer to a call does not come for a while."""
        if self._late is None or call.name in _BRIEF:
            yield
            return
        over, is_long = threading.Event(), self._limit(call) is None
        looking = threading.Thread(
            target=self._look_after, args=(peer, over), kwargs={"is_long": is_long},
            name="qtool-late", daemon=True,
        )  # fmt: skip
        looking.start()
        try:
            yield
        finally:
            over.set()

    def _look_after(self, peer: Peer, over: threading.Event, *, is_long: bool) -> None:
        patience = _PATIENCE_SECONDS - (_BRIEF_SECONDS if is_long else 0.0)
        while not over.wait(patience):
            if is_long and self._is_well():
                continue  # it is at work on it
            if self._late and not self._is_late and not over.is_set():
                self._is_late = True
                self._late(self.who, peer.pid)
            return

    def _is_well(self) -> bool:
        """Return whether the daemon answers anything."""
        try:
            self.ask(_UNDER_WAY, {})
        except (QToolError, OSError):
            return False
        return True

    def boards(self, connection: socket.socket) -> Iterator[Board]:
        """Yield the daemon's boards as they come, until it goes."""
        connection.settimeout(_BOARD_SECONDS)
        for line in _replies(connection, "GET", BOARDS, b""):
            yield self._loaded(Board, line)

    def _loaded(self, kind: object, line: bytes) -> Any:
        """Return the value of that type in a reply, or raise the error in it."""
        try:
            return wire.loaded(kind, self._result(line))
        except (ValueError, TypeError) as error:
            raise Unreachable(
                f"{self.who} answers what nobody asked: {error}"
            ) from error

    def _result(self, line: bytes) -> Any:
        """Return the result in a reply, or raise the error in it."""
        try:
            reply = json.loads(line)
            protocol = reply["qtool"]
        except (ValueError, TypeError, KeyError) as error:
            raise Unreachable(f"{self.who} went away before it answered") from error
        if protocol != PROTOCOL:
            raise Unreachable(
                f"{self.who} speaks version {protocol}, and this qtool {PROTOCOL}:"
                f" restart {self.who}"
            )
        if "error" in reply:
            raise wire.loaded_error(reply["error"])
        return reply.get("result")


def _replies(
    connection: socket.socket, verb: str, path: str, body: bytes
) -> Iterator[bytes]:
    """Send a request; yield the lines of what comes back, without its headers."""
    head = (
        f"{verb} {path} HTTP/1.1\r\nHost: qtool\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    # Where it is refused before all of it is read, the reply says why.
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(head.encode("ascii") + body)
    with connection.makefile("rb") as stream:
        for line in stream:
            if not line.strip():
                break
        yield from stream
