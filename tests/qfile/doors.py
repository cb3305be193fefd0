"""Every way in which a file of a queue reaches somebody.

A door is opened once, and then shown one file after the other. It answers with
what it showed, which must be harmless, or raises ``Refused``. Each is judged in
a process of its own, see ``judging``.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import re
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from qtool.tui.widgets.pager import Pager

_HARMFUL = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)


class RefusedHere(Exception):
    """The door did not show the file, and said why in a line."""


def harmless(text: str) -> str:
    """Return the text, which must hold nothing that a terminal would obey."""
    found = _HARMFUL.search(text)
    if found is not None:
        around = text[max(0, found.start() - 20) : found.end() + 20]
        raise AssertionError(f"it shows {found[0]!r} in {around!r}")
    return text


# --- In this process ---------------------------------------------------------


async def _read(path: Path) -> str:
    from qtool.errors import QFileError
    from qtool.qfile import read

    try:
        qfile = read(path)
    except QFileError as error:
        raise RefusedHere(str(error)) from error
    assert not qfile.opaque
    return qfile.form


async def _look(path: Path) -> str:
    from qtool.errors import QFileError
    from qtool.msgdata import format_msgdata, from_json, to_json
    from qtool.qfile import body_text, headers_of, look, message_bytes_of
    from qtool.untrusted import visible, visible_block

    try:
        qfile = look(path)
        message = qfile.message
    except QFileError as error:
        raise RefusedHere(str(error)) from error
    tagged = to_json(qfile.msgdata)
    written = json.dumps(tagged)
    if '"$cut"' not in written:
        from_json(json.loads(written))
    assert message_bytes_of(message) is not None
    body, _ = body_text(message)
    lines = [
        f"{visible(name)}: {visible(value)}" for name, value in headers_of(message)
    ]
    lines += [visible_block(body), *format_msgdata(qfile.msgdata)]
    lines += [visible(repr(qfile)), visible(str(message.get("subject", "")))]
    return "\n".join(lines)


# --- The command line --------------------------------------------------------


def _command(*words: str) -> Callable[[Path], Awaitable[str]]:
    from qtool.cli import main
    from qtool.untrusted import visible

    async def show(path: Path) -> str:
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        talk = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(talk):
            status = main([*words, str(path)])
        said, shown = (_written(stream) for stream in (talk, out))
        assert status in (0, 1), status
        if status == 1:
            assert said.count("\n") == 1, said
            assert visible(path.name, 5000) in said, said
            assert not shown, shown
            raise RefusedHere(harmless(said))
        return shown

    return show


def _written(stream: io.TextIOWrapper) -> str:
    content = stream.buffer.getvalue()  # type: ignore[attr-defined]  # a BytesIO
    return str(content.decode("utf-8"))


# --- The shell and the console -----------------------------------------------


def _shell(scratch: Path) -> Callable[[Path], Awaitable[str]]:
    from qtool.control import open_site
    from qtool.errors import QFileError
    from qtool.shell.peek import peeker

    peek = peeker(open_site(root=_empty_site(scratch)))

    async def show(path: Path) -> str:
        try:
            return repr(peek(path))
        except QFileError as error:
            raise RefusedHere(harmless(str(error))) from error

    return show


def _empty_site(scratch: Path) -> Path:
    root = scratch / "queues"
    (root / "in").mkdir(parents=True, exist_ok=True)
    return root


@asynccontextmanager
async def _console(scratch: Path) -> AsyncIterator[Callable[[Path], Awaitable[str]]]:
    from qtool.control import open_site
    from qtool.tui.app import QToolApp
    from qtool.tui.screens.entry import EntryScreen

    root = _empty_site(scratch)
    name = f"1700000000.5+{1:040x}"
    place = root / "in" / f"{name}.pck"
    control = open_site(root=root)
    app = QToolApp(control)
    app.animation_level = "none"
    async with app.run_test(size=(80, 24)):
        row = control.scan().row("in")
        assert row is not None

        async def show(path: Path) -> str:
            _put(path, place)
            screen = EntryScreen(row, name)
            # Where the one before gives way, the board below need not be drawn.
            was_there = isinstance(app.screen, EntryScreen)
            await (app.switch_screen if was_there else app.push_screen)(screen)
            # The pilot's pauses are for eyes: they take ten times as long.
            while screen.pager.text.startswith("reading"):
                await asyncio.sleep(0.002)
            whole = screen.pager.text
            harmless(_drawn(screen.pager))
            screen.pager.action_page(1000)
            harmless(_drawn(screen.pager))
            if "Cannot be shown" in whole.partition("Headers")[0]:
                raise RefusedHere(harmless(whole))
            return whole

        yield show
    control.close(unclaim=True)


def _put(path: Path, place: Path) -> None:
    """Put a file of the same kind, or the same one, in the place of an entry."""
    if place.is_dir() and not place.is_symlink():
        place.rmdir()
    else:
        place.unlink(missing_ok=True)
    if path.is_dir() and not path.is_symlink():
        place.mkdir()
    else:
        os.link(path, place, follow_symlinks=False)


def _drawn(pager: Pager) -> str:
    """Return what of it is on the screen, as it is sent to a terminal."""
    return "".join(
        segment.text
        for y in range(pager.size.height)
        for segment in pager.render_line(y)
    )


@asynccontextmanager
async def opened(
    door: str, scratch: Path
) -> AsyncIterator[Callable[[Path], Awaitable[str]]]:
    """Open a door by its name; ``scratch`` is a folder of its own."""
    if door == "entry screen":
        async with _console(scratch) as show:
            yield show
        return
    show = _shell(scratch) if door == "shell peek" else _PLAIN[door]()
    yield show


_PLAIN: dict[str, Callable[[], Callable[[Path], Awaitable[str]]]] = {
    "strict read": lambda: _read,
    "look": lambda: _look,
    "dump": lambda: _command("dump"),
    "dump --json": lambda: _command("dump", "--json"),
    "dump -m": lambda: _command("dump", "-m"),
}

DOORS = (*_PLAIN, "shell peek", "entry screen")
"""All of them, by name."""
