"""In a drain the side effects are durable before the original goes, as strace saw."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.engine.conftest import Site

DRAIN = """
import os, sys
if sys.argv[2] == "without fsync":
    os.fsync = lambda descriptor: None
from qtool.engine.master import Master
from qtool.installation import Configuration, load_settings
from pathlib import Path
drained = Master(Configuration(load_settings(Path(sys.argv[1])))).drain()
assert (drained.counts.done, drained.left) == (2, 0), drained
"""

CALLS = ("fsync", "fdatasync", "linkat", "rename", "renameat", "renameat2", "unlink",
         "unlinkat")  # fmt: skip
CALL = re.compile(r"^(?:\d+ +)?(\w+)\((.*)\) += 0\b", re.MULTILINE)
PATH = re.compile(r'"([^"]*)"|\d<(/[^>]*)>')


def calls_of_a_drain(site: Site, tmp_path: Path, how: str) -> list[str]:
    """Drain two queues under strace; return the calls, each as ``name path ...``."""
    config = tmp_path / "qtool.cfg"
    config.write_text(
        f"[qtool]\nroot: {site.root}\n"
        "[runner.in]\nclass: qtool.runners.forward.ForwardRunner\nto: out\n"
        "[runner.out]\nclass: qtool.runners.forward.ForwardRunner\n"
    )
    trace = tmp_path / "trace"
    command = ["strace", "-f", "--seccomp-bpf", "-y", "-o", str(trace), "-s", "4096"]
    command += ["-e", f"trace={','.join(CALLS)}"]
    command += [sys.executable, "-c", DRAIN, str(config), how]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return [
        " ".join([name, *(a or b for a, b in PATH.findall(arguments))])
        for name, arguments in CALL.findall(trace.read_text())
    ]


def check_order(calls: list[str], root: Path) -> None:
    """Fail unless the forwarded message was durable before the original went."""

    def first(pattern: str, after: int = 0) -> int:
        for number, call in enumerate(calls[after:], after):
            if re.search(pattern, call):
                return number
        raise AssertionError(f"no {pattern} after call {after}: {calls}")

    written = first(rf"^fsync {root}/out/#\d+$")  # it has no name yet
    linked = first(rf"^linkat .*{root}/out \S+\.pck$", written)
    named = first(rf"^fsync {root}/out$", linked)
    removed = first(rf"^unlink.* {root}/in/\S+\.bak$")
    assert named < removed, calls
    first(rf"^fsync {root}/in$", removed)


pytestmark = pytest.mark.skipif(
    shutil.which("strace") is None or os.uname().sysname != "Linux",
    reason="needs strace",
)


def test_a_forwarded_message_is_durable_before_the_original_goes(
    site: Site, tmp_path: Path
) -> None:
    site.runner("in")
    site.put("in")
    calls = calls_of_a_drain(site, tmp_path, "as it is")
    check_order(calls, site.root)


def test_the_check_fails_where_fsync_does_nothing(site: Site, tmp_path: Path) -> None:
    site.runner("in")
    site.put("in")
    calls = calls_of_a_drain(site, tmp_path, "without fsync")
    with pytest.raises(AssertionError, match=r"no \^fsync"):
        check_order(calls, site.root)
