"""The real GNU Mailman beside which everything is measured, on a site of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.serving import Side

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONFIGURATION = """\
[mailman]
layout: bench
site_owner: postmaster@example.com

[paths.bench]
var_dir: {var}

[mta]
incoming: mailman.mta.null.NullMTA
lmtp_host: 127.0.0.1
lmtp_port: {lmtp}
smtp_host: 127.0.0.1
smtp_port: {smtp}

[webservice]
hostname: 127.0.0.1
port: {rest}
workers: 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailman:
    """An installed Mailman and the configuration of a fresh site."""

    programs: Path
    """The folder of its programs."""
    configuration: Path

    def command(self, *arguments: str) -> list[str]:
        """Mailman's own command line."""
        root = ["--run-as-root"] if os.geteuid() == 0 else []
        return [
            str(self.programs / "mailman"), "-C", str(self.configuration),
            *root, *arguments,
        ]  # fmt: skip

    def side(self) -> Side:
        """A process of it that measures."""
        side = Side(
            self.programs / "python",
            "tests.bench.mailman_side",
            str(self.configuration),
        )
        side.ask("make_list")
        return side

    @contextmanager
    def running(self) -> Iterator[list[int]]:
        """Its master with the stock runners; yields the runners' process ids."""
        subprocess.run(self.command("start", "--force"), check=True, timeout=60,
                       stdout=subprocess.DEVNULL)  # fmt: skip
        try:
            yield self._runners(seconds=60)
        finally:
            subprocess.run(self.command("stop"), check=True, timeout=60,
                           stdout=subprocess.DEVNULL)  # fmt: skip
            self._wait_for_end(seconds=60)

    def _pid_file(self) -> Path:
        return self.configuration.parent / "var" / "master.pid"

    def _runners(self, seconds: float) -> list[int]:
        """The master's children, once their number has not changed for 5 seconds."""
        seen: list[int] = []
        since = end = time.monotonic()
        end += seconds
        while (now := time.monotonic()) < end:
            if self._pid_file().exists():
                children = _children(int(self._pid_file().read_text()))
                if children != seen:
                    seen, since = children, now
                elif seen and now - since > 5:
                    return seen
            time.sleep(0.2)
        raise TimeoutError("Mailman's runners did not start")

    def _wait_for_end(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while self._pid_file().exists() and time.monotonic() < end:
            time.sleep(0.1)


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except FileNotFoundError:
        return []
    return [int(child) for child in text.split()]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(given: Path | None) -> Path:
    """The environment that was asked for, or the one the interop tests build."""
    if given is not None:
        return given
    from tests.interop.mailman import environment as built  # only where needed

    return built()


def make_site(environment: Path, directory: Path) -> Mailman:
    """Configure a site under ``directory`` for the Mailman in ``environment``."""
    directory.mkdir(parents=True)
    configuration = directory / "mailman.cfg"
    ports = {name: _free_port() for name in ("lmtp", "smtp", "rest")}
    configuration.write_text(_CONFIGURATION.format(var=directory / "var", **ports))
    return Mailman(programs=environment / "bin", configuration=configuration)
