from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qtool.control.models import State
from qtool.control.serving.server import LARGEST_REQUEST, Server
from qtool.errors import Refused
from tests.control.site import HERE, configuration, eventually, open_site, put
from tests.rights import powerless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qtool.control.control import Control

TEXT = configuration(**{"in": f"class: {HERE}.Taking", "out": ""})


@pytest.fixture
def place() -> Iterator[Path]:
    """Where a socket may be: its path is short, and all may enter the folder."""
    with tempfile.TemporaryDirectory(prefix="q-") as name:
        Path(name).chmod(0o755)
        yield Path(name) / "s.sock"


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    control = open_site(tmp_path, TEXT)
    yield control
    control.close()


@pytest.fixture
def server(control: Control, place: Path) -> Iterator[Server]:
    server = Server(control, place)
    yield server
    server.close()


class Plain(http.client.HTTPConnection):
    """The standard library's client, over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(str(self._path))

    def call(self, verb: str, path: str, body: object = None) -> tuple[int, Any]:
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        self.request(verb, path, data)
        reply = self.getresponse()
        return reply.status, json.loads(reply.read())


def answers(place: Path) -> bool:
    plain = Plain(place)
    status, _ = plain.call("GET", "/v1/site")
    plain.close()
    return status == 200


def test_looks_and_acts_are_answered_on_one_connection(
    control: Control, server: Server
) -> None:
    plain = Plain(server.path)
    base = put(control, "in")
    status, reply = plain.call("GET", "/v1/entries?queue=in")
    assert (status, reply["qtool"]) == (200, 1)
    assert [entry["filebase"] for entry in reply["result"]] == [base]
    status, reply = plain.call("POST", "/v1/step", {"runner": "in"})
    assert (status, reply["result"]["outcome"]) == (200, "done")
    assert plain.call("POST", "/v1/start_all")[0] == 200
    assert plain.call("GET", "/v1/board")[1]["result"]["rows"][0]["state"] == "running"
    plain.close()


@pytest.mark.parametrize(
    ("verb", "path", "body", "status", "reason"),
    [
        ("GET", "/v1/nothing", None, 404, "there is no call '/v1/nothing'"),
        ("GET", "/", None, 404, "there is no call '/'"),
        ("GET", "/v1/start?runner=in", None, 405, "/v1/start is for POST"),
        ("POST", "/v1/site", {}, 405, "/v1/site is for GET"),
        ("POST", "/v1/start", b"{", 400, "this is no JSON"),
        ("POST", "/v1/start", [1], 400, "a JSON object"),
        ("POST", "/v1/start", {}, 400, "start needs 'runner'"),
        ("POST", "/v1/start", {"runner": "no"}, 404, "there is no runner 'no'"),
        ("POST", "/v1/start", {"runner": "out"}, 409, "out"),
        ("GET", "/v1/names?queue=no", None, 404, "there is no queue 'no'"),
        ("PATCH", "/v1/site", None, 501, "Unsupported method"),
        (
            "POST",
            "/v1/pause",
            {"runner": "in", "until": 10**400},
            400,
            "pause: until: this number is too large",
        ),
        (
            "POST",
            "/v1/snooze",
            {"runner": "in", "seconds": 10**400},
            400,
            "snooze: seconds: this number is too large",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_line(
    server: Server, verb: str, path: str, body: object, status: int, reason: str
) -> None:
    plain = Plain(server.path)
    got, reply = plain.call(verb, path, body)
    assert (got, reply["qtool"]) == (status, 1)
    assert reason in reply["error"]["message"]
    assert "\n" not in reply["error"]["message"]
    plain.close()


def test_a_query_that_is_nested_too_deep_is_refused(server: Server) -> None:
    plain = Plain(server.path)
    got, reply = plain.call("GET", f"/v1/find?queue=in&number={'[' * 9000}", None)
    assert got == 400
    assert "find: number" in reply["error"]["message"]
    plain.close()


def test_a_request_that_is_too_large_is_refused_before_it_is_read(
    server: Server,
) -> None:
    for header in (
        ("Content-Length", str(LARGEST_REQUEST + 1)),
        ("Content-Length", "-1"),
        ("Content-Length", "9" * 5000),
        ("Transfer-Encoding", "chunked"),
    ):
        plain = Plain(server.path)
        plain.putrequest("POST", "/v1/inject")
        plain.putheader(*header)
        plain.endheaders()
        reply = plain.getresponse()
        assert reply.status == 413
        assert "bytes at most" in json.loads(reply.read())["error"]["message"]
        plain.close()


def test_a_request_that_is_cut_is_not_done(control: Control, server: Server) -> None:
    body = b'{"runner": "in"}'
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(server.path))
        size = len(body) + 1
        raw.sendall(b"POST /v1/start HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % size)
        raw.sendall(body)
        raw.shutdown(socket.SHUT_WR)
        assert raw.recv(100) == b""
    row = control.scan().row("in")
    assert row is not None
    assert row.state is State.STOPPED


def test_what_is_no_request_at_all_is_refused_in_json(server: Server) -> None:
    with socket.socket(socket.AF_UNIX) as raw:
        raw.connect(str(server.path))
        raw.sendall(b"hello there you\r\n\r\n")
        reply = raw.makefile("rb").read()
    assert json.loads(reply.splitlines()[-1])["error"]["type"] == "BadCall"


def test_boards_are_streamed_while_somebody_reads(
    control: Control, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qtool.control.observer.TICK_SECONDS", 0.1)
    plain = Plain(server.path)
    plain.request("GET", "/v1/boards")
    reply = plain.getresponse()
    first = json.loads(reply.readline())
    assert first["qtool"] == 1
    put(control, "out")
    while not any(
        row["depth"] for row in json.loads(reply.readline())["result"]["rows"]
    ):
        pass
    assert control.site().watching
    reply.close()
    plain.close()
    eventually(lambda: not control.site().watching)


def test_acts_are_logged_with_the_user_the_system_names(
    control: Control, server: Server
) -> None:
    plain = Plain(server.path)
    plain.call("POST", "/v1/snooze", {"runner": "in", "seconds": 2})
    said = f"pid {os.getpid()} of user {os.geteuid()}: snooze in"
    assert said in [line.text for line in control.log()]
    plain.close()


def test_of_an_act_on_entries_the_log_names_what_was_done(
    control: Control, server: Server
) -> None:
    base, other = put(control, "out"), put(control, "out")
    plain = Plain(server.path)
    plain.call("POST", "/v1/discard", {"queue": "out", "filebase": base})
    facts = {"verb": "move", "queue": "out", "to": "in", "filebases": [other]}
    seen = plain.call("POST", "/v1/preview", facts)[1]
    control.discard("out", other)
    plain.call("POST", "/v1/confirm", {"token": seen["result"]["token"]})
    plain.call("POST", "/v1/undo", {"number": 1})
    who = f"pid {os.getpid()} of user {os.geteuid()}: "
    said = [each.text for each in control.log() if each.text.startswith(who)]
    assert [line.removeprefix(who) for line in said] == [
        "discard of 1 in out, act 1",
        "preview out",
        "confirm: move of 0 in out to in, 1 skipped",
        "undo of 1 in out, act 3",
    ]
    plain.close()


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_curl_speaks_to_it(control: Control, server: Server) -> None:
    message = {"queue": "out", "data": "Subject: hi\n\nA body.\n", "msgdata": {}}
    for words in (
        ["http://qtool/v1/inject", "-d", json.dumps(message)],
        ["-G", "http://qtool/v1/entries", "-d", "queue=out", "-d", "number=5"],
    ):
        done = subprocess.run(
            ["curl", "-sS", "--unix-socket", server.path, *words],
            capture_output=True,
            timeout=60,
            check=True,
        )
        reply = json.loads(done.stdout)
    assert [entry["suffix"] for entry in reply["result"]] == [".pck"]


# --- The socket


def test_only_the_owner_may_connect(server: Server, place: Path) -> None:
    assert place.stat().st_mode & 0o777 == 0o600
    with powerless():
        if os.geteuid() != place.stat().st_uid:
            with socket.socket(socket.AF_UNIX) as raw, pytest.raises(PermissionError):
                raw.connect(str(place))


def test_a_group_may_be_let_in(control: Control, place: Path) -> None:
    server = Server(control, place, group=os.getegid())
    assert place.stat().st_mode & 0o777 == 0o660
    assert place.stat().st_gid == os.getegid()
    server.close()


def test_a_socket_that_a_killed_daemon_left_is_replaced(
    control: Control, place: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(place))
    server = Server(control, place)
    assert answers(place)
    server.close()
    assert not place.exists()


def test_a_live_socket_is_refused_with_its_holder(
    control: Control, server: Server, place: Path
) -> None:
    with pytest.raises(Refused, match=f"pid {os.getpid()} serves this site already"):
        Server(control, place)
    assert answers(place)


def test_what_is_no_socket_is_left_alone(control: Control, place: Path) -> None:
    place.write_text("mine")
    with pytest.raises(Refused, match="is no socket: remove it"):
        Server(control, place)
    assert place.read_text() == "mine"


def test_a_path_that_the_system_does_not_take_is_named(
    control: Control, place: Path
) -> None:
    with pytest.raises(Refused, match="too long for a socket"):
        Server(control, place.with_name("x" * 120))
    with pytest.raises(Refused, match="No such file"):
        Server(control, place / "none" / "s.sock")
