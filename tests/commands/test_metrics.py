"""``qtool metrics``, and the metrics that ``qtool run`` serves."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from qtool.errors import SettingsError
from qtool.settings import parse
from tests.commands.program import FORWARD, MESSAGE, QTOOL, configuration
from tests.control.exposition import of, read

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commands.conftest import Call


def test_they_are_printed_or_put_into_a_file_that_others_may_read(
    call: Call, site: Path, tmp_path: Path
) -> None:
    call("--config", site, "inject", "in", stdin=MESSAGE)
    printed = call("--config", site, "metrics")
    path = tmp_path / "qtool.prom"
    path.write_text("old")
    before = path.stat().st_ino
    written = call("--config", site, "metrics", "--textfile", path)
    assert (printed.status, written.status, written.out) == (0, 0, "")
    for text in (printed.out, path.read_text()):
        assert of(read(text)["qtool_queue_depth"], queue="in", slice=0) == 1
    assert path.stat().st_ino != before
    assert path.stat().st_mode & 0o777 == 0o644
    assert [p.name for p in tmp_path.iterdir() if "prom" in p.name] == ["qtool.prom"]


def test_json_lines_have_the_same_samples(call: Call, site: Path) -> None:
    call("--config", site, "inject", "in", stdin=MESSAGE)
    lines = call("--config", site, "metrics", "--json").out.splitlines()
    found = [json.loads(line) for line in lines]
    own = {"queue": "in", "slice": "0"}
    depth = {"name": "qtool_queue_depth", "type": "gauge", "labels": own, "value": 1}
    assert depth in found
    metrics = read(call("--config", site, "metrics").out)
    assert len(found) == sum(len(metric.samples) for metric in metrics.values())
    assert {each["name"] for each in found} == metrics.keys()
    both = call("--config", site, "metrics", "--json", "--textfile", "x")
    assert (both.status, both.out) == (2, "")


def test_a_file_that_cannot_be_written_is_named(
    call: Call, site: Path, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    for path, reason in (
        (tmp_path / "no" / "x.prom", "No such file or directory"),
        (tmp_path / "folder", "Is a directory"),
    ):
        ended = call("--config", site, "metrics", "--textfile", path)
        assert (ended.status, ended.told) == (1, [f"qtool: {path}: {reason}"])
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def listening(text: str) -> tuple[str, int] | None:
    from pathlib import Path

    sections = f"[metrics]\nlisten: {text}\n[runner.in]\n"
    return parse(sections, source="x.cfg", base=Path("/nowhere")).metrics_listen


def test_it_listens_where_it_is_told_to_and_else_on_the_loopback() -> None:
    assert listening("") is None
    assert listening("9631") == ("127.0.0.1", 9631)
    assert listening("127.0.0.1:1") == ("127.0.0.1", 1)
    assert listening("0.0.0.0:65535") == ("0.0.0.0", 65535)
    assert listening("[::1]:9631") == ("::1", 9631)
    for wrong in ("localhost:1", "0", "65536", "1.2.3:4", "::1:9", "[1:2]:3", "yes"):
        with pytest.raises(
            SettingsError, match=r"x\.cfg: \[metrics\] listen: expected"
        ):
            listening(wrong)
    with pytest.raises(
        SettingsError, match=r"\[metrics\] port: expected one of listen"
    ):
        listening("1\nport: 3")


def test_run_serves_them_with_what_became_of_messages(
    call: Call, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = configuration(tmp_path, f"[metrics]\nlisten: {port}\n{FORWARD}")
    call("--config", config, "inject", "in", stdin=MESSAGE)
    with subprocess.Popen(
        [QTOOL, "--config", config, "run"], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert any("started" in line for line in process.stderr)
        try:
            done = 0.0
            while not done:
                with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as reply:
                    metrics = read(reply.read().decode())
                done = of(
                    metrics["qtool_messages_total"],
                    runner="in",
                    slice=0,
                    outcome="done",
                )
            assert done == 1
            states = metrics["qtool_runner_state"]
            assert of(states, runner="in", slice=0, state="running") == 1
            attached = read(call("--config", config, "metrics").out)
            total = attached["qtool_messages_total"]
            assert of(total, runner="in", slice=0, outcome="done") == 1
        finally:
            os.kill(process.pid, signal.SIGTERM)
        assert process.wait(60) == 0


def test_run_starts_nothing_where_it_cannot_listen(call: Call, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = configuration(tmp_path, f"[metrics]\nlisten: {port}\n{FORWARD}")
        ended = call("--config", config, "run")
    line = f"qtool: [metrics] listen: 127.0.0.1, port {port}: Address already in use"
    assert (ended.status, ended.told) == (1, [line])
    assert not (tmp_path / "spool" / ".qtool").exists()
