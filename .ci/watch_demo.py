"""Run a command line in a pseudo-terminal, as a newcomer would, and look at it.

The board must appear, its counts must change, ``q`` must end it with status 0
and give the screen back, and the demo's spool must be gone. Only the
standard library: this runs where nothing is installed yet.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

ROWS, COLUMNS = 36, 120

_SEQUENCE = re.compile(
    r"\x1b\[(?P<parameters>[0-9;:<=>?]*)[ -/]*(?P<final>[@-~])"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|\x1b[PX^_][^\x1b]*\x1b\\"
    r"|\x1b[ -/]*[0-Z\\^-~]"
)
_UNFINISHED = re.compile(
    r"\x1b(?:\[[0-9;:<=>?]*[ -/]*|\][^\x07\x1b]*|[PX^_][^\x1b]*)?$"
)


class Screen:
    """As much of a terminal as a full-screen program needs: text and places."""

    def __init__(self) -> None:
        self.lines = [[" "] * COLUMNS for _ in range(ROWS)]
        self.row = self.column = 0
        self.alternate = False
        """Whether a full-screen program has the screen."""
        self.outside = ""
        """What was written while none had it."""
        self._rest = ""

    def feed(self, text: str) -> None:
        text = self._rest + text
        unfinished = _UNFINISHED.search(text)
        cut = unfinished.start() if unfinished else len(text)
        self._rest, text = text[cut:], text[:cut]
        place = 0
        for found in _SEQUENCE.finditer(text):
            self._write(text[place : found.start()])
            if found["final"]:
                self._control(found["parameters"], found["final"])
            place = found.end()
        self._write(text[place:])

    def _control(self, parameters: str, final: str) -> None:
        numbers = [int(n) for n in re.findall(r"\d+", parameters)]
        first = numbers[0] if numbers else 1
        if parameters.startswith("?"):
            if 1049 in numbers:
                self.alternate = final == "h"
        elif final in "Hf":
            column = numbers[1] if len(numbers) > 1 else 1
            self.row, self.column = first - 1, column - 1
        elif final in "AB":
            self.row += first if final == "B" else -first
        elif final in "CD":
            self.column += first if final == "C" else -first
        elif final == "G":
            self.column = first - 1
        elif final == "J":
            self.lines = [[" "] * COLUMNS for _ in range(ROWS)]
        elif final == "K" and 0 <= self.row < ROWS:
            rest = COLUMNS - self.column
            self.lines[self.row][self.column :] = [" "] * rest

    def _write(self, text: str) -> None:
        if not self.alternate:
            self.outside += text
            return
        for character in text:
            if character == "\n":
                self.row += 1
            elif character == "\r":
                self.column = 0
            elif character >= " ":
                if 0 <= self.row < ROWS and 0 <= self.column < COLUMNS:
                    self.lines[self.row][self.column] = character
                self.column += 1

    def text(self) -> list[str]:
        return ["".join(line).rstrip() for line in self.lines]

    def depths(self) -> dict[str, str]:
        """The board's depth by queue name, read as an eye reads it."""
        lines = self.text()
        for number, line in enumerate(lines):
            heading = re.search(r"\bqueue\b.*?\bdepth\b", line)
            if heading:
                name_at, end = heading.start(), heading.end()
                rows = [
                    (line[name_at:].split(), line[name_at:end].split())
                    for line in lines[number + 1 :]
                ]
                return {
                    words[0]: left[-1]
                    for words, left in rows
                    if len(left) > 1 and re.fullmatch(r"[\d,.]+[kM]?|[-…]", left[-1])
                }
        return {}


class Terminal:
    """A command in a pseudo-terminal."""

    def __init__(self, command: str) -> None:
        self.screen = Screen()
        self.child, self.master = pty.fork()
        if self.child == 0:
            os.environ["TERM"] = "xterm-256color"
            os.environ.pop("NO_COLOR", None)
            os.execv("/bin/sh", ["sh", "-c", command])
        size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)
        self.status: int | None = None

    def look(self, seconds: float) -> None:
        """Take in what it writes for at most ``seconds``, or until it ends."""
        end = time.monotonic() + seconds
        while self.status is None and (left := end - time.monotonic()) > 0:
            if not select.select([self.master], [], [], left)[0]:
                return
            try:
                data = os.read(self.master, 65536)
            except OSError:  # Linux says EIO when the last writer has gone
                data = b""
            if not data:
                self.status = os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])
                return
            self.screen.feed(data.decode("utf-8", "replace"))

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def end(self) -> None:
        """Leave nothing behind, however this went."""
        if self.status is None:
            os.killpg(self.child, signal.SIGKILL)
            os.waitpid(self.child, 0)


def check(condition: object, fact: str, terminal: Terminal) -> None:
    if condition:
        print(f"  ok: {fact}")
        return
    print(f"  FAILED: {fact}")
    print("\n".join(f"  | {line}" for line in terminal.screen.text() if line))
    print(
        "\n".join(f"  > {line}" for line in terminal.screen.outside.splitlines()[-15:])
    )
    raise SystemExit(1)


def wait_for_board(terminal: Terminal, seconds: float) -> float:
    """Return after how many seconds the board stood there with numbers on it."""
    start = time.monotonic()
    while time.monotonic() - start < seconds and terminal.status is None:
        terminal.look(0.2)
        if any(depth.isdigit() for depth in terminal.screen.depths().values()):
            break
    return time.monotonic() - start


def wait_for_change(terminal: Terminal, seconds: float) -> int:
    """Return how many queues changed their depth meanwhile."""
    before = terminal.screen.depths()
    changed: set[str] = set()
    end = time.monotonic() + seconds
    while time.monotonic() < end and terminal.status is None and len(changed) < 2:
        terminal.look(0.2)
        now = terminal.screen.depths()
        changed |= {name for name in before.keys() & now if before[name] != now[name]}
    return len(changed)


def leave(terminal: Terminal) -> None:
    """Press ``q``; once more where a message in hand would take too long."""
    for _ in range(2):
        terminal.press("q")
        end = time.monotonic() + 10
        while time.monotonic() < end and terminal.status is None:
            terminal.look(0.5)
        if terminal.status is not None:
            return


def main(command: str, set_up_seconds: float) -> None:
    terminal = Terminal(command)
    try:
        seconds = wait_for_board(terminal, set_up_seconds)
        depths = terminal.screen.depths()
        shown = ", ".join(f"{name} {depth}" for name, depth in depths.items())
        check(depths, f"the board appears after {seconds:.0f} s: {shown}", terminal)
        changed = wait_for_change(terminal, 20)
        check(changed, f"its counts change ({changed} queues)", terminal)
        leave(terminal)
        check(terminal.status == 0, f"q ends it: status {terminal.status}", terminal)
        check(not terminal.screen.alternate, "the screen is given back", terminal)
        said = terminal.screen.outside.replace("\r\n", " ")
        spool = re.search(r"spool (/.+?) was removed", said)
        check(spool, "it says that its spool was removed", terminal)
        assert spool is not None
        check(not Path(spool[1]).exists(), f"{spool[1]} is gone", terminal)
    finally:
        terminal.end()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 600)
