"""The program as a process, and configurations for it in a folder of the test."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

QTOOL = Path(sys.executable).with_name("qtool")

MESSAGE = b"From: anne@example.com\nTo: test@example.com\nSubject: hi\n\nA body.\n"

FORWARD = """\
[runner.in]
class: qtool.runners.forward.ForwardRunner
to: out
[runner.out]
"""

_RUNNERS = '''
import pathlib
import threading

from qtool import Runner


class Keep(Runner):
    def _dispose(self, mlist, msg, msgdata):
        return True


class Wait(Runner):
    """Says that it has begun, waits for a file, and notes the message in another."""

    def _dispose(self, mlist, msg, msgdata):
        self.log.info("in hand")
        if "fails" in msgdata:
            threading.Thread(target=lambda: 1 / 0, name="aside").start()
        if "lingers" in msgdata:  # what the interpreter waits for at its end
            threading.Thread(target=threading.Event().wait, daemon=False).start()
        while not pathlib.Path(msgdata["gate"]).exists():
            threading.Event().wait(0.01)
        if "tally" in msgdata:
            with open(msgdata["tally"], "a") as stream:
                stream.write(f"{msgdata['n']}\\n")
        return False


class Stuck(Runner):
    """Waits for a file whenever it has nothing in hand."""

    def _do_periodic(self):
        while not pathlib.Path(self.settings.options["gate"]).exists():
            threading.Event().wait(0.01)


class Lengthy(Runner):
    """Is never done with its own making."""

    def __init__(self, *args, **kws):
        super().__init__(*args, **kws)
        self.log.info("begun")
        threading.Event().wait()


class Loop(Runner):
    def run(self):
        raise AssertionError


class Exits(Runner):
    def _dispose(self, mlist, msg, msgdata):
        raise SystemExit("no more")
'''


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def told(self) -> list[str]:
        """The lines on standard error."""
        return self.err.splitlines()


def program(
    *words: object,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Ended:
    """Run the program to its end as a process of its own."""
    done = subprocess.run(
        [QTOOL, *map(str, words)],
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, **(env or {})},
        cwd=cwd,
    )
    out = done.stdout.decode("utf-8", "surrogateescape")
    return Ended(done.returncode, out, done.stderr.decode("utf-8", "surrogateescape"))


def side_by_side(*calls: Sequence[object]) -> list[Ended]:
    """Run the program several times at once, each time with those words."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda words: program(*words), calls))


def configuration(folder: Path, sections: str = FORWARD) -> Path:
    """Write a configuration whose spool is ``folder / "spool"``."""
    library = folder / "lib"
    library.mkdir(exist_ok=True)
    (library / "runners_of_the_test.py").write_text(_RUNNERS)
    path = folder / "site.cfg"
    path.write_text(
        f"[qtool]\nroot: {folder / 'spool'}\n[paths]\npython: {library}\n{sections}"
    )
    return path


def entries(folder: Path) -> list[str]:
    """The names of the entries in a queue's folder."""
    return sorted(path.name for path in folder.glob("*.*")) if folder.exists() else []


class Running:
    """``qtool run`` as a process, read line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []

    def read_to(self, text: str) -> None:
        """Read what it tells until a line holds the text."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))
            if text in line:
                return
        raise AssertionError(f"it ended without {text!r}: {self.lines}")

    def end(self) -> int:
        """Wait until it has ended; return its status."""
        _, rest = self.process.communicate(timeout=60)
        self.lines += rest.splitlines()
        return self.process.returncode


@contextmanager
def running(
    config: Path, *words: str, start_new_session: bool = False
) -> Iterator[Running]:
    """Start ``qtool run`` with these words; it is killed at the end."""
    with subprocess.Popen(
        [QTOOL, "--config", config, "run", *words],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True, start_new_session=start_new_session,
    ) as process:  # fmt: skip
        try:
            yield Running(process)
        finally:
            process.kill()
