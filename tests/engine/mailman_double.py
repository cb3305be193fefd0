"""A program in the place of Mailman's ``runner``, which does as the test says.

It stands for GNU Mailman, not for a class of ours: the real one takes two seconds
to start, and does not die on demand. ``tests/interop`` has the real one.
"""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.installation import Configuration
from qtool.settings import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROGRAM = """#!{python} -ES
import os, sys, time
here = os.path.dirname(os.path.abspath(__file__))
site = os.path.dirname(here)
name = sys.argv[sys.argv.index("-r") + 1]
text = open(sys.argv[sys.argv.index("-C") + 1]).read()
section = text.rpartition("[runner." + name + "]")[2].split("[")[0]
settings = dict(line.split(": ", 1) for line in section.split("\\n") if ": " in line)
queue = settings["path"]
assert settings["instances"] == "1" and "-o" in sys.argv, sys.argv
plan = open(os.path.join(here, "plan")).read()
queues = os.path.join(site, "var", "queue")
names = sorted(n for n in os.listdir(queue) if n.endswith(".pck"))
with open(os.path.join(site, "var", "logs", "mailman.log"), "a") as log:
    stamp = time.strftime("%b %d %H:%M:%S %Y")
    log.write("%s (%d) %s runner started.\\n" % (stamp, os.getpid(), name))
    log.write("%s (1) somebody else\\n" % stamp)
if plan == "leave" or not names:
    sys.exit(0)
base = names[0][:-4]
taken = os.path.join(queue, base + ".bak")
os.rename(os.path.join(queue, names[0]), taken)
content = open(taken, "rb").read()
fresh = "%r+%s" % (time.time(), os.urandom(20).hex())
def put(queue):
    with open(os.path.join(queue, fresh + ".pck"), "wb") as stream:
        stream.write(content)
if plan == "wait":
    with open(os.path.join(here, "started"), "w") as told:
        told.write("started")
    open(os.path.join(here, "gate")).read()
    plan = "deliver"
if plan == "die":
    print("Traceback (most recent call last):\\n  somewhere\\nKilled: by the test")
    sys.stdout.flush()
    os.kill(os.getpid(), 9)
if plan == "deliver":
    put(os.path.join(queues, "pipeline"))
elif plan == "retry":
    put(os.path.join(queues, plan))
elif plan == "round":
    put(os.path.join(queues, "pipeline" if name == "out" else "out"))
elif plan == "shunt":
    with open(os.path.join(site, "var", "logs", "mailman.log"), "a") as log:
        mine = "%s (%d) " % (stamp, os.getpid())
        log.write(mine + "Traceback (most recent call last):\\n")
        log.write('  File "x.py", line 1\\nValueError: bad luck\\n')
        log.write(mine + "SHUNTING: %s\\n" % fresh)
    put(os.path.join(queues, "shunt"))
elif plan == "requeue":
    put(queue)
elif plan == "preserve":
    os.rename(taken, os.path.join(queues, "bad", base + ".psv"))
    sys.exit(0)
os.unlink(taken)
"""


class MailmanDouble:
    """A site whose ``runner`` program is ours."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.programs = directory / "bin"
        self.programs.mkdir(parents=True)
        for name in ("runner", "master"):
            program = self.programs / name
            program.write_text(_PROGRAM.format(python=sys.executable))
            program.chmod(0o755)
        for pipe in ("started", "gate"):
            os.mkfifo(self.programs / pipe)
        self.queues = directory / "var" / "queue"
        for name in ("in", "pipeline", "out", "shunt", "bad"):
            (self.queues / name).mkdir(parents=True)
        for name in ("logs", "locks"):
            (directory / "var" / name).mkdir()
        (directory / "mailman.cfg").write_text(
            "[mailman]\nlayout: x\n[paths.x]\n"
            f"var_dir: {directory / 'var'}\nbin_dir: {self.programs}\n"
            "[runner.in]\ninstances: 4\n[runner.retry]\npath:\n"
        )
        self.plan("deliver")

    def plan(self, what: str) -> None:
        """Say what the program does with the next file."""
        (self.programs / "plan").write_text(what)

    def wait_until_started(self, seconds: float = 60.0) -> None:
        """Wait for a program whose plan is to wait."""
        pipe = os.open(self.programs / "started", os.O_RDONLY | os.O_NONBLOCK)
        try:
            assert select.select([pipe], [], [], seconds)[0], "it has not started"
        finally:
            os.close(pipe)

    def open_gate(self) -> None:
        """Let a program that waits go on."""
        with (self.programs / "gate").open("w"):
            pass

    def configuration(self, overlays: Mapping[str, str] | None = None) -> Configuration:
        """Return the site as qtool sees it."""
        source = self.directory / "mailman.cfg"
        settings = parse(
            source.read_text(),
            source=str(source),
            base=self.directory,
            overlays=overlays,
        )
        return Configuration(settings)

    def lock_of_master(self, pid: int, host: str) -> None:
        """Write the lock that a master holds."""
        lock = self.directory / "var" / "locks" / "master.lck"
        lock.write_text(f"{lock}|{host}|{pid}|123456\n")
