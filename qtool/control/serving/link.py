"""The way to a daemon: one request and its reply, on a connection of its own."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from qtool.control.models import Board
from qtool.control.serving import wire
from qtool.control.serving.calls import BOARDS, PROTOCOL
from qtool.control.serving.sockets import connected, trusted
from qtool.errors import Unreachable

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    from qtool.control.serving.calls import Call
    from qtool.control.serving.sockets import Peer

_ANSWER_SECONDS = 30.0
"""How long a daemon may take to answer a look, or an act that is done at once; others
take as long as they take."""
_AT_ONCE = frozenset({"inject"})
_LONG_LOOKS = frozenset({"failures", "rehearse", "rehearse_fix"})
"""Those that read a whole queue."""
_BOARD_SECONDS = 20.0
"""Without a board for so long a daemon is taken for gone: it sends one a second."""


class Link:
    """Speaks to one daemon.

    Only as much HTTP as the other end speaks: the standard library's client costs
    40 ms to import, and this is on the way to the first board.

    Args:
        path: Its socket.
        spool: Whose messages are asked for.
    """

    who = "the daemon"
    """What it is called in errors."""

    def __init__(self, path: Path, spool: Path) -> None:
        self.path = path
        self._spool = spool

    def connect(self) -> tuple[socket.socket, Peer]:
        """Return a connection, and who is at the other end.

        Raises:
            Unreachable: No one listens there.
            Refused: It is not for this user, or the daemon is not this spool's.
        """
        connection = connected(self.path)
        if connection is None:
            raise Unreachable(f"the daemon does not answer at {self.path}")
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
        connection, _ = self.connect()
        with connection:
            is_long = call.is_act and call.name not in _AT_ONCE
            is_long = is_long or call.name in _LONG_LOOKS
            connection.settimeout(None if is_long else _ANSWER_SECONDS)
            try:
                line = next(_replies(connection, call.verb, path, body), b"")
            except TimeoutError as error:
                what = f"; whether it did {call.name} is unknown" * call.is_act
                raise Unreachable(f"{self.who} does not answer{what}") from error
            except OSError as error:
                raise Unreachable(f"{self.who} went away: {error}") from error
        return self._loaded(call.result, line)

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
