"""``qtool run``: runners in the foreground, and how they end."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.commands.program import (
    FORWARD,
    MESSAGE,
    configuration,
    entries,
    running,
)
from tests.engine.mailman_double import MailmanDouble

if TYPE_CHECKING:
    from tests.commands.conftest import Call

WAIT = "[runner.in]\nclass: runners_of_the_test.Wait\n"


def inject(call: Call, config: Path, *words: object) -> None:
    assert call("--config", config, "inject", "in", *words, stdin=MESSAGE).status == 0


# --- Once


def test_once_drains_and_says_what_it_did(
    call: Call, site: Path, tmp_path: Path
) -> None:
    for _ in range(3):
        inject(call, site)
    ended = call("--config", site, "run", "--once")
    assert ended.status == 0
    assert ended.out == "done 3, kept 0, shunted 0, preserved 0, left 0\n"
    assert entries(tmp_path / "spool" / "in") == []
    assert len(entries(tmp_path / "spool" / "out")) == 3


def test_once_with_work_left_is_status_3(call: Call, tmp_path: Path) -> None:
    config = configuration(tmp_path, "[runner.in]\nclass: runners_of_the_test.Keep\n")
    inject(call, config)
    ended = call("--config", config, "run", "--once")
    assert ended.status == 3
    assert ended.out == "done 0, kept 1, shunted 0, preserved 0, left 1\n"


@pytest.mark.parametrize("how", [[], ["--processes"]])
def test_once_tells_programs_what_each_runner_did(
    call: Call, tmp_path: Path, how: list[str]
) -> None:
    later = "[runner.later]\nclass: runners_of_the_test.Keep\nhonours_due: yes\n"
    keep = "[runner.keep]\nclass: runners_of_the_test.Keep\ninstances: 2\n"
    config = configuration(tmp_path, FORWARD + keep + later)
    for queue, *words in (
        ["in"], ["in"], ["keep"], ["later", "-m", "deliver_after=2100000000.0"],
    ):  # fmt: skip
        call("--config", config, "inject", queue, *words, stdin=MESSAGE)
    ended = call("--config", config, "run", "--once", "--json", *how)
    assert ended.status == 3
    none = {"done": 0, "kept": 0, "shunted": 0, "preserved": 0, "left": 0}
    assert list(map(json.loads, ended.out.splitlines())) == [
        {"runner": "in", **none, "done": 2, "next_due": None},
        {"runner": "keep", **none, "kept": 1, "left": 1, "next_due": None},
        {"runner": "later", **none, "left": 1, "next_due": 2100000000.0},
    ]
    assert call("--config", config, "run", "--json").status == 2


def test_once_ends_although_messages_go_round(call: Call, tmp_path: Path) -> None:
    there = FORWARD.replace("[runner.out]", "")
    back = there.replace("runner.in", "runner.out").replace("to: out", "to: in")
    config = configuration(tmp_path, there + back)
    inject(call, config)
    ended = call("--config", config, "run", "--once")
    assert ended.status == 3
    assert ended.out.endswith("left 1\n")
    assert len(ended.told) == 1
    assert "go round in a circle?" in ended.told[0]


def test_once_with_a_runner_that_cannot_run_is_status_1(
    call: Call, tmp_path: Path
) -> None:
    config = configuration(tmp_path, f"{FORWARD}[runner.x]\nclass: nothing.There\n")
    inject(call, config)
    ended = call("--config", config, "run", "--once")
    assert ended.status == 1
    assert ended.out.startswith("done 1,")
    assert "No module named 'nothing'" in ended.told[-1]


def test_once_is_of_one_runner_where_one_is_named(call: Call, site: Path) -> None:
    other = "[runner.next]\nclass: runners_of_the_test.Keep\nstart: no\ninstances: 0\n"
    site.write_text(site.read_text() + other)
    inject(call, site)
    call("--config", site, "inject", "next", stdin=MESSAGE)
    ended = call("--config", site, "run", "-o", "-r", "Next")
    assert (ended.status, ended.out.split(", ")[:2]) == (3, ["done 0", "kept 1"])
    ended = call("--config", site, "run", "-r", "InRunner", "-o")
    assert (ended.status, ended.out.split(", ")[:2]) == (0, ["done 1", "kept 0"])


def test_once_says_when_the_next_is_due(call: Call, tmp_path: Path) -> None:
    config = configuration(tmp_path, FORWARD.replace("to:", "honours_due: yes\nto:"))
    inject(call, config, "-m", "deliver_after=4102444800")
    ended = call("--config", config, "run", "--once")
    assert (ended.status, ended.out.split(", ")[-1]) == (3, "left 1\n")
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(4102444800))
    assert ended.told == [f"qtool: the next is due at {when}"]


def test_once_with_a_loop_of_its_own_is_status_1(call: Call, tmp_path: Path) -> None:
    config = configuration(tmp_path, "[runner.in]\nclass: runners_of_the_test.Loop\n")
    assert call("--config", config, "run", "--once").status == 0
    ended = call("--config", config, "run", "--once", "-r", "in")
    assert ended.status == 1
    assert ended.told == ["qtool: in has a loop of its own: it can only be started"]


@pytest.mark.long
def test_once_beside_a_runner_takes_nothing_twice_and_nothing_of_its(
    call: Call, tmp_path: Path
) -> None:
    config = configuration(tmp_path, f"{WAIT}instances: 2\n")
    spool = tmp_path / "spool" / "in"
    gate, tally = tmp_path / "gate", tmp_path / "tally"

    def put(number: int, gate: Path) -> None:
        words = ("-m", f"gate={gate}", "-m", f"tally={tally}", "-m", f"n={number}")
        inject(call, config, *words)

    def uppers() -> list[Path]:
        return [p for p in spool.glob("*.pck") if p.name.partition("+")[2] >= "8"]

    while not uppers():  # where a message lands is chance
        for path in spool.glob("*.pck"):
            path.unlink()
        put(0, gate)
    with running(config, "-r", "in:1:2") as run:
        run.read_to("in hand")
        for number in range(1, 9):
            put(number, tmp_path)
        upper = len(uppers())
        ended = call("--config", config, "run", "--once")
        assert (ended.status, ended.out.split(", ")[0]) == (0, f"done {8 - upper}")
        assert f"left alone: in, slice 1:2, is claimed by pid {run.process.pid}" in (
            ended.err
        )
        assert len(list(spool.glob("*.bak"))) == 1
        assert len(uppers()) == upper
        gate.touch()
        for _ in range(upper):
            run.read_to("in hand")
        run.process.send_signal(signal.SIGTERM)
        assert run.end() == 0
    assert entries(spool) == []
    assert sorted(map(int, tally.read_text().split())) == list(range(9))


# --- Until a signal


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)]
)
def test_a_signal_finishes_the_message_in_hand(
    call: Call, tmp_path: Path, number: signal.Signals
) -> None:
    config = configuration(tmp_path, WAIT)
    gate = tmp_path / "gate"
    inject(call, config, "-m", f"gate={gate}")
    (name,) = entries(tmp_path / "spool" / "in")
    with running(config) as run:
        run.read_to("in hand")
        run.process.send_signal(number)
        run.read_to("finishing")
        assert f": in {name.removesuffix('.pck')}; a second signal" in run.lines[-1]
        assert run.process.poll() is None
        gate.touch()
        assert run.end() == 0
    assert entries(tmp_path / "spool" / "in") == []


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ((), 0),
        pytest.param(("--once",), 1, marks=pytest.mark.long),
        pytest.param(("--processes",), 0, marks=pytest.mark.long),
        pytest.param(("--processes", "--once"), 0, marks=pytest.mark.long),
    ],
)
def test_a_signal_counts_also_before_everything_has_started(
    tmp_path: Path, words: tuple[str, ...], status: int
) -> None:
    lengthy = "[runner.in]\nclass: runners_of_the_test.Lengthy\n"
    with running(configuration(tmp_path, lengthy), *words) as run:
        run.read_to("begun")
        run.process.send_signal(signal.SIGTERM)
        assert run.end() == status
    assert run.lines[1:] == ["qtool: SIGTERM: finishing the messages in hand"]


def test_without_a_terminal_a_hang_up_has_the_configuration_read_again(
    call: Call, tmp_path: Path
) -> None:
    config = configuration(tmp_path, WAIT)
    text = config.read_text()
    with running(config) as run:
        run.read_to("started")
        config.write_text(f"{text}instances: 2\n")
        run.process.send_signal(signal.SIGHUP)
        run.read_to("instances 1 -> 2: stopped all slices, started the new ranges")
        config.write_text(f"{text}instances: two\n")
        run.process.send_signal(signal.SIGHUP)
        run.read_to("[runner.in] instances: expected a whole number")
        config.write_text(text)
        inject(call, config, "-m", f"gate={config}")
        run.read_to("in hand")
        run.process.send_signal(signal.SIGTERM)
        assert run.end() == 0


def test_a_second_signal_gives_the_message_back(call: Call, tmp_path: Path) -> None:
    config = configuration(tmp_path, WAIT)
    inject(call, config, "-m", f"gate={tmp_path / 'never'}")
    before = entries(tmp_path / "spool" / "in")
    with running(config) as run:
        run.read_to("in hand")
        run.process.send_signal(signal.SIGTERM)
        run.read_to("finishing")
        run.process.send_signal(signal.SIGTERM)
        assert run.end() == 1
        assert "qtool: giving the messages in hand back" in run.lines
    assert entries(tmp_path / "spool" / "in") == before


def test_what_is_in_hand_after_the_grace_is_given_back(
    call: Call, tmp_path: Path
) -> None:
    config = configuration(tmp_path, WAIT)
    text = config.read_text().replace("[paths]", "stop_grace: 0.2\n[paths]")
    config.write_text(text)
    inject(call, config, "-m", f"gate={tmp_path / 'never'}")
    before = entries(tmp_path / "spool" / "in")
    with running(config) as run:
        run.read_to("in hand")
        run.process.send_signal(signal.SIGTERM)
        assert run.end() == 1
        told = "qtool: stop_grace is over: giving the messages in hand back"
        assert told in run.lines
    assert entries(tmp_path / "spool" / "in") == before


def test_while_it_runs_another_process_sees_who_and_injects(
    call: Call, tmp_path: Path
) -> None:
    config = configuration(tmp_path, WAIT)
    gate = tmp_path / "gate"
    inject(call, config, "-m", f"gate={gate}")
    with running(config) as run:
        run.read_to("in hand")
        assert f"pid {run.process.pid}" in call("--config", config, "status").out
        ended = call("--config", config, "inject", "in", "-m", f"gate={gate}",
                     stdin=MESSAGE)  # fmt: skip
        assert (ended.status, ended.err) == (0, "")
        gate.touch()
        run.read_to("in hand")
        os.kill(run.process.pid, signal.SIGTERM)
        assert run.end() == 0


@pytest.mark.long
def test_when_its_last_runner_fails_it_ends(call: Call, tmp_path: Path) -> None:
    config = configuration(tmp_path, "[runner.in]\nclass: runners_of_the_test.Exits\n")
    inject(call, config)
    with running(config) as run:
        assert run.end() == 1
        assert run.lines[-1] == "qtool: every runner has failed or stopped"


@pytest.mark.long
def test_a_slice_is_worked_whatever_the_configuration_says(
    call: Call, site: Path, tmp_path: Path
) -> None:
    with running(site, "-r", "In:1:4") as run:
        run.read_to("in, slice 1:4, started")
        with running(site, "-r", "in:1:4") as other:
            other.read_to(
                f"in waits: in, slice 1:4, is claimed by pid {run.process.pid} "
            )
            other.process.send_signal(signal.SIGTERM)
            assert other.end() == 0
        while not any(p.name.partition("+")[2] < "4" for p in _waiting(tmp_path)):
            inject(call, site)
        ended = call("--config", site, "run", "--once", "-r", "in:0:4")
        assert (ended.status, ended.err) == (0, "")
        assert not any(p.name.partition("+")[2] < "4" for p in _waiting(tmp_path))
        run.process.send_signal(signal.SIGTERM)
        assert run.end() == 0


def _waiting(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "spool" / "in").glob("*.pck"))


# --- What it refuses


@pytest.mark.parametrize("words", [("-r", "on"), ("-r", "in", "-r", "on", "--once")])
def test_a_name_of_no_runner_is_a_line_and_starts_nothing(
    call: Call, site: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    inject(call, site)
    before = entries(tmp_path / "spool" / "in")
    ended = call("--config", site, "run", *words)
    assert (ended.status, ended.out) == (1, "")
    assert ended.told == ["qtool: there is no runner 'on', only in, out"]
    assert entries(tmp_path / "spool" / "in") == before


def test_without_a_runner_there_is_nothing_to_run(call: Call, tmp_path: Path) -> None:
    (tmp_path / "root" / "in").mkdir(parents=True)
    for words in (("run",), ("run", "--once")):
        ended = call("--root", tmp_path / "root", *words)
        assert (ended.status, ended.out) == (1, "")
        assert "nothing to run" in ended.told[-1]


def test_a_mailman_site_is_refused_in_a_line(call: Call, tmp_path: Path) -> None:
    config = tmp_path / "mailman.cfg"
    config.write_text(f"[mailman]\nlayout: x\n[paths.x]\nvar_dir: {tmp_path}/var\n")
    for words in (("run",), ("run", "--once")):
        ended = call("--config", config, *words)
        assert (ended.status, ended.out, len(ended.told)) == (1, "", 1)
        assert "Mailman" in ended.told[0]


def test_a_runner_of_ones_own_runs_at_a_mailman_site(
    call: Call, tmp_path: Path
) -> None:
    double = MailmanDouble(tmp_path / "site")
    config = double.directory / "mailman.cfg"
    with config.open("a") as more:
        more.write("[runner.in]\nclass: qtool.runners.forward.ForwardRunner\n")
    told = call("--config", config, "inject", "in", stdin=MESSAGE).told
    assert told[0].endswith(f"Start one: qtool --config {config} run")
    ended = call("--config", config, "run", "--once")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == "done 1, kept 0, shunted 0, preserved 0, left 0\n"
    assert entries(double.queues / "in") == []


def test_once_lets_mailmans_own_program_process_what_waits(
    call: Call, tmp_path: Path
) -> None:
    double = MailmanDouble(tmp_path / "site")
    config = double.directory / "mailman.cfg"
    inject(call, config)
    ended = call("--config", config, "run", "--once", "-r", "IncomingRunner")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == "done 1, kept 0, shunted 0, preserved 0, left 0\n"
    assert len(entries(double.queues / "pipeline")) == 1
    ended = call("--config", config, "run", "-o", "--json")
    assert ended.status == 3
    found = {each["runner"]: each for each in map(json.loads, ended.out.splitlines())}
    assert (found["pipeline"]["left"], found["in"]["done"]) == (1, 0)


def test_read_only_is_refused_in_a_line(call: Call, site: Path) -> None:
    ended = call("--config", site, "run", "--read-only")
    assert (ended.status, ended.told) == (1, ["qtool: read-only was asked for"])
