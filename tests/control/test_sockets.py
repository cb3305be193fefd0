"""The sockets of daemons: who may listen."""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from stat import S_IMODE
from typing import TYPE_CHECKING

import pytest

from qtool.control.sockets import connected, listening
from qtool.errors import Refused, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def place() -> Iterator[Path]:
    """Where a socket may be: its path is short."""
    with tempfile.TemporaryDirectory(prefix="q-") as name:
        yield Path(name) / "s.sock"


def test_nobody_who_only_sees_the_folder_keeps_a_daemon_out(place: Path) -> None:
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        with listening(place, None):
            assert S_IMODE(place.with_name("s.sock.lock").stat().st_mode) == 0o600
    finally:
        os.close(folder)


def test_a_daemon_that_is_about_to_listen_is_not_waited_for_long(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qtool.control.sockets._ALONE_SECONDS", 0.05)
    with open(f"{place}.lock", "w") as other:  # noqa: PTH123 - a name with a suffix more
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Refused, match="another daemon is about to listen"):
            listening(place, None)
    with listening(place, None):
        pass


def test_a_daemon_at_whose_door_too_many_wait_is_not_waited_for(place: Path) -> None:
    with ExitStack() as waiting:
        waiting.enter_context(listening(place, None))  # and nobody accepts

        def connect_until_refused() -> None:
            while (connection := connected(place)) is not None:
                waiting.enter_context(connection)

        with pytest.raises(Unreachable, match="does not answer at"):
            connect_until_refused()


def test_what_is_in_the_place_of_a_socket_stays(place: Path) -> None:
    place.mkdir()
    with pytest.raises(Refused):
        listening(place, None)
    assert place.is_dir()
