"""Metrics over HTTP, for a Prometheus that fetches them."""

from __future__ import annotations

import logging
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, cast

from qtool.control.serving.metrics import CONTENT_TYPE
from qtool.errors import QToolError, Refused

if TYPE_CHECKING:
    from qtool.control.control import Control

_PATIENCE_SECONDS = 10.0
_LOOK_SECONDS = 0.1
"""How often it looks whether it is over."""

log = logging.getLogger("qtool.metrics")


class Scraping(ThreadingHTTPServer):
    """Answers ``GET /metrics`` until ``close``.

    Args:
        control: The site.
        address: Where to listen.
        port: Likewise; 0 is any that is free.

    Raises:
        Refused: That cannot be listened on.
    """

    daemon_threads = True

    def __init__(self, control: Control, address: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            super().__init__((address, port), _Handler)
        except OSError as error:
            raise Refused(
                f"[metrics] listen: {address}, port {port}: {error.strerror}"
            ) from error
        self.control = control
        self.reading = threading.Lock()
        """Held while one reads: however many ask, the disk is read once at a time."""
        threading.Thread(
            target=self.serve_forever,
            args=(_LOOK_SECONDS,),
            name="qtool-metrics",
            daemon=True,
        ).start()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self.server_address[1])

    def server_bind(self) -> None:
        """Bind, without asking a name server for this host's name."""
        socket.socket.bind(self.socket, self.server_address)
        self.server_address = self.socket.getsockname()

    def close(self) -> None:
        """Listen no more."""
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Note in a line one who hung up."""
        del request
        log.info("%s has not fetched the metrics to their end", client_address)


class _Handler(BaseHTTPRequestHandler):
    timeout = _PATIENCE_SECONDS
    server_version, sys_version = "qtool", ""

    def do_GET(self) -> None:
        """Answer with the metrics."""
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(404, "only /metrics is here")
            return
        scraping = cast("Scraping", self.server)
        try:
            with scraping.reading:
                body = scraping.control.metrics().encode()
        except (QToolError, OSError) as error:
            log.warning("metrics cannot be read: %s", error)
            self.send_error(503, "the site cannot be read")
            return
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: it is asked every few seconds."""
