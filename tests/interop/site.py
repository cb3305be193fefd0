"""A GNU Mailman site of a test's own: configuration, database, one list, members."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LIST = "ant@example.com"
LIST_ID = "ant.example.com"
MEMBERS = ("anne@example.com", "bart@example.com")

_CONFIGURATION = """\
[mailman]
layout: test
site_owner: postmaster@example.com

[paths.test]
var_dir: {var}

[mta]
incoming: mailman.mta.null.NullMTA
smtp_host: 127.0.0.1
smtp_port: {smtp}
lmtp_host: 127.0.0.1
lmtp_port: {lmtp}

[webservice]
hostname: 127.0.0.1
port: {rest}
workers: 1

[archiver.prototype]
enable: no
[archiver.mail_archive]
enable: no
[archiver.mhonarc]
enable: no

# The real ones sleep 15 minutes and 2 minutes.
[runner.retry]
sleep_time: 2s
[runner.bounces]
sleep_time: 2s
{more}"""

_ENVIRONMENT = {
    "PATH": os.defpath,
    "LC_ALL": "C.UTF-8",
    "PYTHONWARNINGS": "ignore",
}


def free_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One site; its folders are under ``directory``."""

    programs: Path
    """Folder of Mailman's programs."""
    directory: Path

    @property
    def configuration(self) -> Path:
        """Its mailman.cfg."""
        return self.directory / "mailman.cfg"

    @property
    def var(self) -> Path:
        """Mailman's var_dir."""
        return self.directory / "var"

    def queue(self, name: str) -> Path:
        """Return the folder of a queue."""
        return self.var / "queue" / name

    def waiting(self, name: str) -> list[str]:
        """Return the filebases that wait in a queue."""
        return sorted(path.stem for path in self.queue(name).glob("*.pck"))

    def configure(self, smtp_port: int, more: str = "") -> None:
        """Write its mailman.cfg."""
        self.directory.mkdir(parents=True, exist_ok=True)
        ports = {"lmtp": free_port(), "rest": free_port(), "smtp": smtp_port}
        self.configuration.write_text(
            _CONFIGURATION.format(var=self.var, more=more, **ports)
        )

    def without_footer(self) -> None:
        """Let Mailman send bodies as they are: adding a footer re-encodes them."""
        folder = self.var / "templates" / "lists" / LIST_ID / "en"
        folder.mkdir(parents=True)
        (folder / "list:member:regular:footer.txt").touch()

    def copy_of(self, template: Site) -> None:
        """Take over the lists and members of another site."""
        shutil.copytree(template.var, self.var, dirs_exist_ok=True)

    def mailman(self, *arguments: str, given: str = "") -> str:
        """Run Mailman's command line and return what it prints."""
        return self._run("mailman", *self._options(), *arguments, given=given)

    def refusal(self, *arguments: str) -> str:
        """Run Mailman's command line and return why it refuses."""
        return self._run("mailman", *self._options(), *arguments, status=2)

    def once(self, spec: str) -> None:
        """Let Mailman's own runner process one file."""
        self._run("runner", "-C", str(self.configuration), "-o", "-r", spec)

    def start(self) -> None:
        """Start Mailman; return when its runners have come up."""
        self.mailman("start")
        wait_until(lambda: self.runner_pid("out"), 60)

    def stop(self) -> None:
        """Stop Mailman once it is idle; return when its master is gone.

        Stopped at work, Mailman shunts what it has in hand.
        """
        pid = self.master_pid()
        if pid is None:
            return
        wait_until(self._is_idle, 60)
        self.mailman("stop")
        wait_until(lambda: self.master_pid() is None and not _alive(pid), 60)

    def master_pid(self) -> int | None:
        """Return the pid of the running master."""
        try:
            pid = int((self.var / "master.pid").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return pid if _alive(pid) else None

    def _is_idle(self) -> bool:
        return not any(
            path.suffix == ".bak" or path.parent.name not in {"in", "shunt", "bad"}
            for path in (self.var / "queue").glob("[a-z]*/*.*")
        )

    def runner_pid(self, name: str) -> int | None:
        """Return the pid of a runner that the master keeps."""
        pid = self.master_pid()
        for child in () if pid is None else _children(pid):
            words = Path(f"/proc/{child}/cmdline").read_bytes()
            if f"--runner={name}:".encode() in words:
                return child
        return None

    def _options(self) -> list[str]:
        root = ["--run-as-root"] if os.geteuid() == 0 else []
        return ["-C", str(self.configuration), *root]

    def _run(
        self, program: str, *arguments: str, given: str = "", status: int = 0
    ) -> str:
        # Into a file: the master that `start` leaves behind would keep a pipe open.
        printed = self.directory / "printed"
        with printed.open("w") as stream:
            done = subprocess.run(
                [str(self.programs / program), *arguments],
                input=given, text=True, stdout=stream, stderr=subprocess.STDOUT,
                cwd=self.directory, env=_ENVIRONMENT, timeout=120, check=False,
            )  # fmt: skip
        text = printed.read_text()
        assert done.returncode == status, f"{program} {arguments}: {text}"
        return text


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(child) for child in text.split() if _alive(int(child))]


def wait_until(fact: Callable[[], object], seconds: float) -> None:
    """Return when something has become true; fail when it does not."""
    end = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
