"""A mail server on the loopback that keeps what it is given."""

from __future__ import annotations

import socketserver
import threading
import time
from dataclasses import dataclass, field

_LONGEST_LINE = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One message as it came over the wire."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes
    """Headers and body, dots unstuffed, lines ended by CR LF."""

    @property
    def body(self) -> bytes:
        """Everything after the empty line."""
        return self.data.partition(b"\r\n\r\n")[2]


@dataclass
class _Envelope:
    sender: str = ""
    recipients: list[str] = field(default_factory=list)


class _Session(socketserver.StreamRequestHandler):
    server: Sink

    def handle(self) -> None:
        self._say("220 sink.example.com")
        envelope = _Envelope()
        while line := self.rfile.readline(_LONGEST_LINE):
            verb = line[:4].upper()
            if verb == b"EHLO":
                self._say("250-sink.example.com", "250-8BITMIME", "250 SMTPUTF8")
            elif verb == b"MAIL":
                envelope = _Envelope(sender=_address(line))
                self._say("250 ok")
            elif verb == b"RCPT":
                envelope.recipients.append(_address(line))
                self._say("250 ok")
            elif verb == b"DATA":
                self._take(envelope)
            elif verb == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _take(self, envelope: _Envelope) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline(_LONGEST_LINE)) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        self.server.keep(
            Received(
                sender=envelope.sender,
                recipients=tuple(envelope.recipients),
                data=b"".join(lines),
            )
        )
        self._say("250 kept")

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


def _address(line: bytes) -> str:
    return line.partition(b"<")[2].partition(b">")[0].decode()


class Sink(socketserver.ThreadingTCPServer):
    """The server; a context in which it answers on ``port``."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.port: int = self.server_address[1]
        self._received: list[Received] = []
        self._arrived = threading.Condition()
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)

    def __enter__(self) -> Sink:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def keep(self, received: Received) -> None:
        """Keep a message and tell those who wait."""
        with self._arrived:
            self._received.append(received)
            self._arrived.notify_all()

    def received(self, message_id: str) -> list[Received]:
        """Return every delivery of one message so far."""
        wanted = message_id.encode()
        with self._arrived:
            return [found for found in self._received if wanted in found.data]

    def wait_for(self, message_id: str, seconds: float) -> list[Received]:
        """Return the deliveries of one message, as soon as there is one."""
        end = time.monotonic() + seconds
        with self._arrived:
            self._arrived.wait_for(
                lambda: any(message_id.encode() in r.data for r in self._received),
                timeout=max(0.0, end - time.monotonic()),
            )
        return self.received(message_id)
