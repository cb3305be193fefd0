"""Alerts: which changes are told, to whom, and that nothing of it can harm."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import pytest

from qtool.control.models import (
    Board,
    QueueRow,
    RunningSlice,
    Severity,
    Site,
    State,
    Verdict,
    VerdictKind,
)
from qtool.control.verdicts.again import Afresh
from qtool.control.verdicts.alerts import Alerts, told
from qtool.control.verdicts.told import Told
from qtool.control.verdicts.vigil import WELL, Change, Vigil
from qtool.engine import alerting
from qtool.engine.alerting import Alerter
from qtool.errors import SettingsError
from qtool.settings import parse
from tests.clock import Clock
from tests.control.site import HERE, PATIENCE, configuration, eventually, open_site, put

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SITE = Site(spool="/spool", source="x.cfg", kind="own", read_only="", watching="")


def sick(
    kind: VerdictKind = VerdictKind.STALLED, severity: Severity = Severity.CRITICAL
) -> Verdict:
    return Verdict(kind=kind, severity=severity, words=str(kind), evidence="3 wait")


PAUSED = Verdict(kind=VerdictKind.PAUSED, words="paused")
STALLED, BEHIND = sick(), sick(VerdictKind.FALLING_BEHIND, Severity.WARNING)
SHUNTED = sick(VerdictKind.SHUNTED, Severity.WARNING)


def tellings(*looks: tuple[float, Verdict]) -> list[tuple[float, str, str]]:
    """When what is told, where a minute makes a change."""
    vigil = Vigil(60.0)
    return [
        (now, str(change.before.kind), str(change.after.kind))
        for now, verdict in looks
        for change in vigil.see({"in": verdict}, now)
    ]


def test_a_change_is_told_once_it_has_held() -> None:
    assert tellings(
        (0, WELL), (10, STALLED), (69, STALLED), (70, STALLED), (80, STALLED),
        (90, WELL), (149, WELL), (150, WELL), (160, WELL),
    ) == [(70, "healthy", "stalled"), (150, "stalled", "healthy")]  # fmt: skip


def test_what_does_not_hold_is_not_told() -> None:
    assert tellings((0, STALLED), (59, STALLED), (60, WELL), (61, STALLED),
                    (120, STALLED)) == []  # fmt: skip
    assert tellings(
        (0, STALLED), (60, STALLED), (61, WELL), (120, STALLED), (181, WELL),
        (240, WELL),
    ) == [(60, "healthy", "stalled")]  # fmt: skip


def test_what_is_sick_at_the_start_is_told_after_a_while() -> None:
    assert tellings((0, STALLED), (60, STALLED)) == [(60, "healthy", "stalled")]


def test_ways_of_being_well_are_not_told_apart() -> None:
    assert tellings((0, WELL), (10, PAUSED), (200, PAUSED), (300, WELL)) == []


def test_sick_of_one_thing_and_then_of_another_is_sick_all_the_time() -> None:
    looks = [(float(n), STALLED if n % 2 else BEHIND) for n in range(61)]
    assert tellings(*looks) == [(60, "healthy", "falling behind")]


def test_what_has_happened_is_told_at_once_however_long_a_change_has_to_hold() -> None:
    vigil = Vigil(600.0)
    looks = [(0.0, WELL), (10.0, SHUNTED), (310.0, WELL), (909.0, WELL), (910.0, WELL)]
    found = [(now, c) for now, v in looks for c in vigil.see({"shunt": v}, now)]
    assert [(now, c.after.kind) for now, c in found] == [
        (10.0, VerdictKind.SHUNTED), (910.0, VerdictKind.HEALTHY),
    ]  # fmt: skip


def test_worse_is_told_too() -> None:
    worse = sick(VerdictKind.NO_RUNNER), sick(VerdictKind.NO_RUNNER, Severity.WARNING)
    assert tellings((0, worse[1]), (60, worse[1]), (70, worse[0]), (130, worse[0])) == [
        (60, "healthy", "no runner"),
        (130, "no runner", "no runner"),
    ]


# --- After a restart


def board(verdict: Verdict, depth: int = 3, **more: Any) -> Board:
    row = QueueRow(name="in", has_queue=True, runner="in", runner_slices=1,
                   depth=depth, in_flight=0, snooze_seconds=1.0,
                   verdicts=(verdict,), **more)  # fmt: skip
    return Board(at=0.0, rows=(row,), site=SITE)


def told_again(before: Verdict, *looks: tuple[float, Board]) -> list[tuple[float, str]]:
    """When what is told by one who knows what was, where a second makes a change."""
    vigil, afresh = Vigil(1.0, {"in": before}), Afresh({"in": before}, 0.0)
    found = []
    for now, seen in looks:
        verdict = seen.rows[0].verdict
        assert verdict is not None
        for change in vigil.see({"in": verdict}, now, afresh.unsure(seen, now)):
            afresh.is_told(change.queue)
            found.append((now, str(change.after.kind)))
    return found


def test_what_was_told_is_not_told_again_though_it_takes_time_to_be_seen() -> None:
    late = sick(VerdictKind.WAITS_LONG, Severity.WARNING)
    for first in (WELL, late):
        looks = [(float(n), board(first)) for n in range(62)]
        assert told_again(STALLED, *looks, (62.0, board(STALLED))) == []


def test_who_got_well_meanwhile_is_told_as_soon_as_that_is_known() -> None:
    looks = [float(n) for n in range(90)]
    assert told_again(STALLED, *((n, board(WELL)) for n in looks)) == [(67, "healthy")]
    empty = [(n, board(WELL, 0)) for n in looks]
    assert told_again(STALLED, *empty) == [(10, "healthy")]
    nobody = sick(VerdictKind.NO_RUNNER)
    assert told_again(nobody, *((n, board(WELL)) for n in looks)) == [(10, "healthy")]


def test_milder_is_not_told_after_a_restart_and_worse_is() -> None:
    grave = sick(VerdictKind.FAILED)
    mild = sick(VerdictKind.FAILED, Severity.WARNING)
    again = [(float(n), board(mild)) for n in range(0, 300, 5)]
    assert told_again(grave, *again, (301.0, board(grave))) == []
    worse = [(float(n), board(grave)) for n in range(0, 300, 5)]
    assert told_again(mild, *worse) == [(10, "failed")]


def test_who_hangs_in_the_same_since_the_start_may_hang_again() -> None:
    hung = sick(VerdictKind.HUNG)

    def at_it(now: float, seconds: float) -> tuple[float, Board]:
        one = RunningSlice(slice=0, state=State.RUNNING, pid=1, thread=1,
                           cpu_seconds=0.0, memory_bytes=None, filebase="x",
                           seconds=seconds)  # fmt: skip
        return now, board(WELL, running=(one,))

    looks = [at_it(n, n - 2.0) for n in range(3, 300)]
    assert told_again(hung, *looks) == []
    assert told_again(hung, *looks, at_it(300, 1), at_it(302, 3)) == [(300, "healthy")]


# --- The command


def script(folder: Path, text: str) -> list[str]:
    """A command that runs that text of Python."""
    path = folder / "alert.py"
    path.write_text(text)
    return [sys.executable, str(path)]


WRITES = """
import json, os, sys
facts = {k: v for k, v in os.environ.items() if k.startswith("QTOOL_")}
with open(sys.argv[1], "a") as file:
    file.write(json.dumps([facts, json.load(sys.stdin)]) + "\\n")
"""


@pytest.fixture
def alerter() -> Iterator[Callable[..., Alerter]]:
    made: list[Alerter] = []

    def make(command: list[str], limit_seconds: float = PATIENCE) -> Alerter:
        made.append(Alerter(command, {"PATH": "/usr/bin:/bin"}, limit_seconds))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_the_command_gets_the_facts_and_no_shell_reads_them(
    tmp_path: Path, alerter: Callable[..., Alerter]
) -> None:
    out = tmp_path / "out"
    evil = Verdict(
        kind=VerdictKind.FAILED, severity=Severity.CRITICAL, words="failed",
        evidence="$(touch gone); `x` \x00\n\x1b[31m \udcff",
    )  # fmt: skip
    change = Change(queue="in", before=WELL, after=evil)
    teller = alerter([*script(tmp_path, WRITES), str(out)])
    teller.tell(*told(change, Board(at=5.0, rows=(), site=SITE)))
    eventually(lambda: out.exists() and out.read_text().endswith("\n"))
    ((facts, data),) = map(json.loads, out.read_text().splitlines())
    assert facts == {
        "QTOOL_QUEUE": "in", "QTOOL_VERDICT": "failed", "QTOOL_WORDS": "failed",
        "QTOOL_SEVERITY": "critical", "QTOOL_BEFORE": "healthy",
        "QTOOL_EVIDENCE": facts["QTOOL_EVIDENCE"],
    }  # fmt: skip
    assert facts["QTOOL_EVIDENCE"].startswith("$(touch gone); `x` ")
    assert facts["QTOOL_EVIDENCE"].isprintable()
    assert data["verdict"]["evidence"] == evil.evidence
    assert (data["queue"], data["at"], data["spool"]) == ("in", 5.0, "/spool")


def test_commands_run_one_at_a_time(
    tmp_path: Path, alerter: Callable[..., Alerter]
) -> None:
    out = tmp_path / "out"
    text = (
        "import os, sys, time\n"
        "os.close(os.open(sys.argv[1] + '.busy', os.O_CREAT | os.O_EXCL))\n"
        "time.sleep(0.05)\nos.unlink(sys.argv[1] + '.busy')\n"
        "open(sys.argv[1], 'a').write('x')\n"
    )
    teller = alerter([*script(tmp_path, text), str(out)])
    for _ in range(3):
        teller.tell({}, b"")
    eventually(lambda: out.exists() and out.read_text() == "xxx")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import sys; sys.exit(3)", "ended with status 3"),
        ("import time; time.sleep(60)", "took longer than 0.3 s"),
        (None, "No such file or directory"),
    ],
)
def test_a_command_that_fails_is_a_line_in_the_log(
    tmp_path: Path,
    alerter: Callable[..., Alerter],
    caplog: pytest.LogCaptureFixture,
    text: str | None,
    said: str,
) -> None:
    command = ["/no/such/program"] if text is None else script(tmp_path, text)
    teller = alerter(command, 0.3 if text and "sleep" in text else PATIENCE)
    with caplog.at_level(logging.ERROR, "qtool.alert"):
        teller.tell({}, b"x" * 1_000_000)
        eventually(lambda: said in caplog.text)


def test_a_command_that_hangs_does_not_hold_up_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerting, "_CLOSING_SECONDS", 0.2)
    begun = tmp_path / "begun"
    text = f"import time; open({str(begun)!r}, 'w').close(); time.sleep(60)"
    teller = Alerter(script(tmp_path, text), {})
    teller.tell({}, b"")
    teller.tell({}, b"")
    eventually(begun.exists)
    before = time.monotonic()
    teller.close()
    assert time.monotonic() - before < 30  # the command sleeps for 60 s
    assert "nobody is told of any more: 1" in caplog.text
    eventually(
        lambda: all(each.name != "qtool-alert" for each in threading.enumerate())
    )


def test_no_more_alerts_wait_than_a_bound(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerting, "_CLOSING_SECONDS", 0.2)
    teller = Alerter(script(tmp_path, "import time; time.sleep(60)"), {})
    for _ in range(alerting.MOST_PENDING + 2):
        teller.tell({}, b"")
    assert "one is lost" in caplog.text
    teller.close()


# --- A site


def test_a_queue_that_gets_sick_and_well_is_told(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (tmp_path / "alert.py").write_text(WRITES)
    command = f"{sys.executable} {tmp_path / 'alert.py'} '{out}'"
    text = configuration(**{"in": f"class: {HERE}.Taking"})
    control = open_site(tmp_path, f"{text}[alert]\ncommand: {command}\nafter: 0.2s\n")
    alerts = Alerts(control, {}, {"in"})

    def kinds() -> list[str]:
        lines = out.read_text().splitlines() if out.exists() else []
        return [json.loads(line)[0]["QTOOL_VERDICT"] for line in lines]

    put(control, "in")
    eventually(lambda: kinds() == ["no runner"])
    control.start("in")
    eventually(lambda: kinds() == ["no runner", "healthy"])
    alerts.close()
    control.close()


@pytest.mark.long
def test_the_next_one_goes_on_from_what_was_told(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (tmp_path / "alert.py").write_text(WRITES)
    command = f"{sys.executable} {tmp_path / 'alert.py'} '{out}'"
    text = configuration(**{"in": f"class: {HERE}.Taking", "out": ""})
    text = f"{text}[alert]\ncommand: {command}\nafter: 0.1s\n"
    note = tmp_path / "queues" / ".qtool" / "alerts.json"

    def lines() -> list[str]:
        return out.read_text().splitlines() if out.exists() else []

    control = open_site(tmp_path, text)
    alerts = Alerts(control, {}, {"in"})
    assert not note.exists()
    put(control, "in")
    eventually(note.exists)  # the command has ended well
    assert len(lines()) == 1
    alerts.close()
    control.close()

    control = open_site(tmp_path, text)
    boards: list[Board] = []
    ticks = Clock()
    alerts = Alerts(control, {}, {"in"}, ticks)
    other = Alerts(control, {}, {"out"})
    ticks.now += 60.0
    control.watch(boards.append)
    eventually(lambda: len(boards) >= 2)
    assert len(lines()) == 1
    control.start("in")
    eventually(lambda: boards[-1].rows[0].depth == 0)
    eventually(lambda: _went_on(ticks) and len(lines()) == 2)
    eventually(lambda: not note.exists())
    assert json.loads(lines()[1])[0]["QTOOL_BEFORE"] == "no runner"
    alerts.close()
    other.close()
    control.close()


def _went_on(ticks: Clock) -> bool:
    ticks.now += 1.0
    return True


def test_what_was_told_is_kept_for_each_configuration_and_dropped_with_its_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = Told(tmp_path, "a.cfg"), Told(tmp_path, "b.cfg")
    one.note("in", STALLED, lambda _: True)
    one.note("old", BEHIND, lambda _: True)
    two.note("in", BEHIND, lambda _: True)
    assert one.read() == {"in": STALLED, "old": BEHIND}
    one.note("out", STALLED, lambda queue: queue != "old")
    one.note("in", WELL, lambda _: True)
    assert (one.read(), two.read()) == ({"out": STALLED}, {"in": BEHIND})
    (tmp_path / "c.cfg").touch()
    Told(tmp_path, str(tmp_path / "c.cfg")).note("in", STALLED, lambda _: True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.cfg").symlink_to("c.cfg")
    for name in ("c.cfg", f"../{tmp_path.name}/c.cfg", "link.cfg"):  # the same file
        assert Told(tmp_path, name).read() == {"in": STALLED}


def test_what_the_command_has_not_told_is_told_by_the_next(
    tmp_path: Path, alerter: Callable[..., Alerter]
) -> None:
    done: SimpleQueue[str] = SimpleQueue()
    teller = alerter(script(tmp_path, "import os, sys; sys.exit('BAD' in os.environ)"))
    teller.tell({"BAD": "1"}, b"", lambda: done.put("bad"))
    teller.tell({}, b"", lambda: done.put("good"))
    assert (done.get(timeout=PATIENCE), done.empty()) == ("good", True)


def test_what_is_stopped_on_purpose_is_not_told(tmp_path: Path) -> None:
    out = tmp_path / "out"
    text = f"{configuration(out='')}[alert]\ncommand: touch {out}\nafter: 0s\n"
    control = open_site(tmp_path, text)
    alerts = Alerts(control, {"PATH": "/usr/bin:/bin"})
    alerts.hush()
    put(control, "out")
    seen: SimpleQueue[Board] = SimpleQueue()
    control.watch(seen.put)
    while (row := seen.get(timeout=PATIENCE).row("out")) is None or not row.depth:
        pass
    for _ in range(2):  # a second each
        seen.get(timeout=PATIENCE)
    alerts.close()
    control.close()
    assert row.verdict is not None
    assert row.verdict.kind is VerdictKind.NO_RUNNER
    assert not out.exists()


def test_the_spool_is_told_of_under_no_queue_s_name() -> None:
    full = sick(VerdictKind.NEARLY_FULL)
    site = Site(spool="/spool", source="x.cfg", kind="own", read_only="", watching="",
                verdict=full)  # fmt: skip
    row = QueueRow(name="in", has_queue=True, runner=None, runner_slices=0,
                   verdicts=(WELL,))  # fmt: skip
    board = Board(at=1.0, rows=(row,), site=site)
    facts, _ = told(Change(queue="", before=WELL, after=full), board)
    assert (facts["QTOOL_QUEUE"], facts["QTOOL_VERDICT"]) == ("", "nearly full")


def test_of_a_spool_that_is_gone_one_alert_tells(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (tmp_path / "alert.py").write_text(WRITES)
    command = f"{sys.executable} {tmp_path / 'alert.py'} '{out}'"
    text = f"{configuration(**{'in': ''})}[alert]\ncommand: {command}\nafter: 0s\n"
    control = open_site(tmp_path, text)
    alerts = Alerts(control, {})
    alerts.hush()  # the boards are the test's own
    gone = sick(VerdictKind.UNREADABLE)
    seen = board(gone)
    alerts.see(replace(seen, site=replace(SITE, verdict=gone)))
    alerts.see(replace(seen, site=replace(SITE, verdict=gone)))
    eventually(lambda: out.exists() and out.read_text().endswith("\n"))
    alerts.see(board(WELL))
    eventually(lambda: out.read_text().count("\n") == 2)
    alerts.close()
    control.close()
    lines = [json.loads(line)[0] for line in out.read_text().splitlines()]
    assert [(one["QTOOL_QUEUE"], one["QTOOL_VERDICT"]) for one in lines] == [
        ("", "unreadable"), ("", "healthy"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("command: a 'b", r"\[alert\] command: expected a command line"),
        ("after: soon", r"\[alert\] after: expected a duration"),
        ("mail: me", r"\[alert\] mail: expected one of after, command"),
    ],
)
def test_a_wrong_section_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    whole = f"{configuration(out='')}[alert]\n{text}\n"
    with pytest.raises(SettingsError, match=said):
        parse(whole, source="x.cfg", base=tmp_path)


def test_a_command_is_split_as_a_shell_splits_it_and_no_more(tmp_path: Path) -> None:
    text = f"{configuration(out='')}[alert]\ncommand: /bin/x 'a b' $HOME;c\n"
    alert = parse(text, source="x.cfg", base=tmp_path).alert
    assert (alert.command, alert.after_seconds) == (("/bin/x", "a b", "$HOME;c"), 60.0)
