"""The app while its daemon goes and comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qtool.control.serving.attaching import attach, socket_name
from qtool.control.serving.server import Server
from tests.tui.site import cursor_on, inject, line_of, make_site, shown, until
from tests.tui.test_app import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qtool.control import Control

GONE = "the daemon has gone; looking for it again, since "


class Daemon:
    """A daemon that goes and comes back."""

    def __init__(self, root: Path) -> None:
        root.chmod(0o755)
        self.control = make_site(root)
        self._place = root / socket_name(self.control.configuration.settings)
        self._server: Server | None = None
        self.come()

    def come(self) -> None:
        """Serve."""
        self._server = Server(self.control, self._place)

    def go(self) -> None:
        """Serve no more."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def attached(self) -> Control:
        """Return what the app has, and closes."""
        control = attach(self.control.configuration.settings, [self._place.parent])
        assert control is not None
        return control


@pytest.fixture
def daemon(root: Path) -> Iterator[Daemon]:
    """One that serves."""
    daemon = Daemon(root)
    yield daemon
    daemon.go()
    daemon.control.close()


async def test_a_board_without_its_daemon_tells_depths_and_since_when(
    daemon: Daemon,
) -> None:
    inject(daemon.control, "in")
    async with opened(daemon.attached()) as (app, pilot):
        await cursor_on(pilot, "in")
        await until(pilot, lambda: "stopped" in line_of(app, "in"))
        daemon.go()
        await until(pilot, lambda: GONE in shown(app))
        assert line_of(app, "in").split()[1] == "1"
        assert "stopped" not in line_of(app, "in")
        daemon.come()
        await until(pilot, lambda: "stopped" in line_of(app, "in"))
        assert GONE not in shown(app)


async def test_an_entry_is_read_again_when_the_daemon_is_back(daemon: Daemon) -> None:
    filebase = inject(daemon.control, "out")
    async with opened(daemon.attached()) as (app, pilot):
        await until(pilot, lambda: line_of(app, "out"))
        row = app.board.row("out") if app.board else None
        assert row is not None
        daemon.go()
        await until(pilot, lambda: GONE in shown(app))
        app.open_entries(row)
        await until(pilot, lambda: "out entries  cannot be listed: " in shown(app))
        app.open_entry(row, filebase)
        await until(pilot, lambda: "Cannot be read: " in shown(app))
        daemon.come()
        await until(pilot, lambda: "Subject: hello" in shown(app))
        await pilot.press("escape")
        await until(pilot, lambda: "1-1 of 1" in shown(app))
