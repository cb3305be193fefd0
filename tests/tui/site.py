"""A real spool with real runners, and ways to wait for what the app shows."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, cast

from qtool.control import open_site
from qtool.tui.widgets.sliceboard import SliceBoard
from tests.tui.boards import lines_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from textual.app import App
    from textual.pilot import Pilot

    from qtool.control import Control
    from qtool.tui.app import QToolApp

_RUNNERS = '''
import threading
from pathlib import Path
from qtool import Runner

HERE = Path(__file__).parent

class Stuck(Runner):
    """Waits in its first message until it is let go."""
    def _dispose(self, mlist, msg, msgdata):
        (HERE / "busy").touch()
        while not (HERE / "free").exists():
            threading.Event().wait(0.01)
        return False

class Dying(Runner):
    """Ends its thread with its first message."""
    def _dispose(self, mlist, msg, msgdata):
        raise SystemExit("this runner is broken")

class Marking(Runner):
    """Changes the metadata, logs, and raises on a message that asks for it."""
    def _dispose(self, mlist, msg, msgdata):
        msgdata["seen"] = True
        if "boom" in msg.get("subject", ""):
            raise ValueError("boom in the subject")
        return False
'''

_CONFIG = """
[qtool]
root: {root}/queues
[paths]
python: {root}/python
[runner.in]
class: qtool.runners.forward.ForwardRunner
to: out
sleep_time: 1s
[runner.mark]
class: sample_runners.Marking
instances: 4
[runner.out]
start: no
[runner.shunt]
[runner.bad]
{more}
"""

PLAIN = b"From: anne@example.com\nTo: ant@example.com\nSubject: hello\n\nA body.\n"


def make_site(root: Path, more: str = "", *, read_only: bool = False) -> Control:
    """Open a site of five queues, and more if asked for."""
    (root / "python").mkdir(parents=True, exist_ok=True)
    # A module that was imported once stays: each site has its own.
    module = f"runners_{root.name.replace('-', '_')}"
    (root / "python" / f"{module}.py").write_text(_RUNNERS)
    config = root / "qtool.cfg"
    text = _CONFIG.format(root=root, more=more)
    config.write_text(text.replace("sample_runners", module))
    return open_site(config_file=config, root=None, read_only=read_only)


def inject(
    control: Control, queue: str, data: bytes = PLAIN, msgdata: Mapping[str, Any] = {}
) -> str:
    """Put a message in; return its filebase."""
    return control.inject(queue, data, msgdata).filebase


async def until(
    pilot: Pilot[Any], condition: Callable[[], object], seconds: float = 60.0
) -> None:
    """Let the app go on until ``condition`` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "\n".join(lines_of(pilot.app))
        await asyncio.sleep(0.01)
    await pilot.pause()


def shown(app: App[Any]) -> str:
    """The whole screen as text."""
    return "\n".join(lines_of(app))


def line_of(app: QToolApp, name: str) -> str:
    """The board's line of that queue."""
    return next((line for line in lines_of(app) if line[1:].startswith(f"{name} ")), "")


async def cursor_on(pilot: Pilot[Any], name: str) -> None:
    """Wait for the board and put the cursor on a row."""
    app = cast("QToolApp", pilot.app)
    await until(pilot, lambda: line_of(app, name))
    slices = app.screen.query_one(SliceBoard)
    await pilot.press("home")
    while slices.selected is None or slices.selected.name != name:
        await pilot.press("down")
