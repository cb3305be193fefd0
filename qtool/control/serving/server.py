"""``Control`` on a Unix socket, as HTTP with JSON."""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, urlsplit

from qtool.control.acting import Actor, acting_as
from qtool.control.models import ActionResult
from qtool.control.serving import wire
from qtool.control.serving.calls import BOARDS, CALLS, BadCall, Call
from qtool.control.serving.sockets import listening, peer_of
from qtool.control.serving.streaming import Boards, encoded
from qtool.errors import (
    NoSuchEntry,
    NoSuchQueue,
    NoSuchRunner,
    QToolError,
    ReadOnly,
)
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qtool.control.control import Control
    from qtool.control.serving.sockets import Peer

LARGEST_REQUEST = 64 << 20
"""Bytes of a request's body: a message, and what JSON makes of it."""
_LONGEST_SIZE = len(str(LARGEST_REQUEST))
_REST_SECONDS = 0.1
PATIENCE_SECONDS = 20.0
"""How long a request may take to arrive, and a reply to be taken."""

log = logging.getLogger("qtool.control")


class Server:
    """Serves one Control to whoever may connect, from threads of its own.

    Args:
        control: What is served; whoever made it closes it.
        path: Where the socket is to be.
        group: The id of the group that may connect, too.

    Raises:
        Refused: Somebody serves there already, or the socket cannot be made.
    """

    def __init__(
        self, control: Control, path: Path, *, group: int | None = None
    ) -> None:
        self.path = path
        self._boards = Boards(control)
        self._listener = Listener(control, self._boards, listening(path, group), group)
        self._inode = path.stat().st_ino
        self._thread = threading.Thread(
            target=self._listener.accept_all, name="qtool-server", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Serve no more, and remove the socket; calls that wait are left alone."""
        self._listener.stop()
        self._thread.join()
        with suppress(FileNotFoundError):
            if self.path.stat().st_ino == self._inode:
                self.path.unlink()
        self._listener.server_close()
        self._boards.close()


class Listener(ThreadingMixIn, UnixStreamServer):
    """Accepts, and has each connection served in a thread of its own."""

    daemon_threads = True
    block_on_close = False
    logs_acts = True
    """Whether to log who asked for what."""

    def __init__(
        self, control: Control, boards: Boards, listener: Any, group: int | None
    ) -> None:
        super().__init__("", _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.control = control
        self.boards = boards
        self.is_shared = group is not None
        self._over = threading.Event()

    def accept_all(self) -> None:
        """Accept until ``stop``; unlike the library's loop it wakes for that only."""
        while not self._over.is_set():
            try:
                request, address = self.get_request()
            except OSError:
                self._over.wait(_REST_SECONDS)  # no descriptor is free
                continue
            if self.verify_request(request, address):
                self.process_request(request, address)
            else:
                self.shutdown_request(request)

    def stop(self) -> None:
        """Accept no more."""
        self._over.set()
        self.socket.shutdown(socket.SHUT_RDWR)  # wakes who waits for a connection

    def verify_request(self, request: Any, client_address: object) -> bool:  # noqa: ARG002 - the library's
        """Serve root and the owner; others only as members of the group.

        The rights of the socket let nobody else in; this is the same once more.
        """
        return self.is_shared or peer_of(request).uid in (0, os.geteuid())

    def actor(self, peer: Peer) -> Actor | None:
        """Return who asks: the system's word, never the client's."""
        return Actor(uid=peer.uid, pid=peer.pid, where="socket")

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - the library's
        """Log what went wrong, unless somebody only went away meanwhile."""
        error = sys.exception()
        if not isinstance(error, OSError):
            log.error("a request failed", exc_info=error)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "qtool"
    timeout = PATIENCE_SECONDS

    @property
    def _listener(self) -> Listener:
        return cast("Listener", self.server)

    def do_GET(self) -> None:
        """Answer a look."""
        if self._size():
            self.close_connection = True  # what follows is not the next request
        url = urlsplit(self.path)
        if url.path == BOARDS:
            self._stream()
            return
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        self._answer(url.path, lambda call: call.from_query(query))

    def do_POST(self) -> None:
        """Do an act."""
        size = self._size()
        if not 0 <= size <= LARGEST_REQUEST:
            self.close_connection = True
            self._refuse(413, BadCall(f"a request has {LARGEST_REQUEST} bytes at most"))
            return
        body = self.rfile.read(size)
        if len(body) < size:
            return  # whoever asked went away before all of it was said

        def arguments(call: Call) -> dict[str, Any]:
            try:
                given = json.loads(body or b"{}")
            except (ValueError, RecursionError) as error:
                raise BadCall(f"this is no JSON: {error}") from error
            if not isinstance(given, dict):
                raise BadCall("the arguments are expected as a JSON object")
            return call.loaded(given)

        self._answer(self.path, arguments)

    def _size(self) -> int:
        """Return how many bytes of a body follow; -1 when that is not said."""
        said = self.headers.get("Content-Length", "0")
        chunked = "Transfer-Encoding" in self.headers
        is_told = said.isdecimal() and len(said) <= _LONGEST_SIZE
        return int(said) if is_told and not chunked else -1

    def _answer(self, path: str, arguments: Callable[[Call], dict[str, Any]]) -> None:
        call = CALLS.get(path)
        if call is None:
            self._refuse(404, BadCall(f"there is no call {path[:80]!r}"))
            return
        if call.verb != self.command:
            self._refuse(405, BadCall(f"{path} is for {call.verb}"))
            return
        try:
            result = wire.dumped(self._do(call, arguments(call)))
        except BadCall as error:
            self._refuse(400, error)
        except (QToolError, OSError) as error:
            self._refuse(_status(error), error)
        except Exception as error:
            log.exception("%s failed", call.name)
            reason = f"{call.name} failed: {type(error).__name__}, see the log"
            self._refuse(500, QToolError(reason))
        else:
            self._reply(200, {"result": result})

    def _do(self, call: Call, arguments: dict[str, Any]) -> object:
        peer = peer_of(self.connection)
        is_logged = call.is_act and self._listener.logs_acts
        tells_itself = is_logged and call.result is ActionResult
        if is_logged and not tells_itself:
            what = " ".join([call.name, *filter(None, [_whose(arguments)])])
            log.info("pid %d of user %d: %s", peer.pid, peer.uid, what)
        with acting_as(self._listener.actor(peer)):
            result = getattr(self._listener.control, call.name)(**arguments)
        if tells_itself:
            what = _what_was_done(call.name, result)
            log.info("pid %d of user %d: %s", peer.pid, peer.uid, what)
        return result

    def _stream(self) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        lines = self._listener.boards.lines()
        try:
            for line in lines:
                self.wfile.write(line)
        finally:
            lines.close()

    # --- Replies

    def _refuse(self, status: int, error: QToolError | OSError) -> None:
        self._reply(status, {"error": wire.dumped_error(error)})

    def _reply(self, status: int, body: dict[str, Any]) -> None:
        data = encoded(body)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def send_error(
        self, code: int, message: str | None = None, explain: str | None = None
    ) -> None:
        """Refuse what is no request, as everything is refused."""
        self.close_connection = True
        self._refuse(code, BadCall(message or explain or "this is no request"))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Log nothing: acts are logged, and looks come by the second."""


def _status(error: QToolError | OSError) -> int:
    if isinstance(error, NoSuchEntry | NoSuchQueue | NoSuchRunner):
        return 404
    return 403 if isinstance(error, ReadOnly) else 409


def _what_was_done(name: str, result: ActionResult) -> str:
    """Return in a line what an act did to how many entries of which queue."""
    verb = result.verb if result.verb == name else f"{name}: {result.verb}"
    to = f" to {visible(result.to, 80)}" if result.to else ""
    act = f", act {result.number}" if result.number else ""
    missed = [
        f", {len(entries):,} {what}"
        for what, entries in (("skipped", result.skipped), ("failed", result.failed))
        if entries
    ]
    of = f"{verb} of {len(result.done):,} in {visible(result.queue, 80)}{to}"
    return f"{of}{''.join(missed)}{act}"


def _whose(arguments: dict[str, Any]) -> str:
    return str(arguments.get("runner") or arguments.get("queue") or "")
