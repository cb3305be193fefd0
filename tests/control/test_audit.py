from __future__ import annotations

import json
import logging
import os
import pwd
import re
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qtool.control.acting import Actor, acting_as
from qtool.control.audit.audit import noted
from qtool.control.audit.lines import MOST_FILES
from qtool.control.control import Control
from qtool.control.gate import act
from qtool.control.opening import open_apart, opened, site_settings
from qtool.control.serving.client import Attached
from qtool.control.serving.link import Link
from qtool.control.serving.server import Server
from qtool.errors import Refused, RunnerError, SettingsError
from qtool.installation import Configuration
from qtool.settings import parse
from tests.control.site import CHECKOUT, HERE, MAIL, configuration, open_site, put

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qtool.control.models import AuditRecord

TEXT = configuration(**{"in": f"class: {HERE}.Taking", "out": ""})
READS = f"{TEXT}[audit]\nreads: yes\n"
HOSTILE = "1.5+\x1b]0;é\u202e\udcff"


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    control = open_site(tmp_path, TEXT)
    yield control
    control.close()


def file_of(control: Control) -> Path:
    return control.configuration.state_directory / "audit.jsonl"


def lines_of(control: Control) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file_of(control).read_bytes().splitlines()]


# --- What is written


def test_an_act_has_a_line_before_and_one_after(control: Control) -> None:
    control.pause("in", reason="the smarthost is down")
    begin, end = lines_of(control)
    assert (begin["is"], end["is"]) == ("begin", "end")
    assert begin["id"] == end["id"]
    assert begin["act"] == end["act"] == "pause"
    assert begin["arguments"] == {"runner": "in", "reason": "the smarthost is down"}
    assert begin["why"] == "the smarthost is down"
    assert begin["uid"] == os.geteuid()
    assert begin["user"] == pwd.getpwuid(os.geteuid()).pw_name
    assert begin["pid"] == os.getpid()
    assert end["result"] == "done"
    assert end["said"] == "in paused"
    assert file_of(control).stat().st_mode & 0o7777 == 0o660
    (record,) = control.audit().records
    assert record.at <= time.time()
    assert record.ended is not None
    assert (record.act, record.result, record.why) == ("pause", "done", begin["why"])


def test_an_act_that_fails_is_on_record_with_its_reason(control: Control) -> None:
    with pytest.raises(RunnerError):
        control.resume("in", 7)
    (record,) = control.audit().records
    assert (record.result, record.error) == ("failed", "in has 1 slices: no 7")


def test_a_step_tells_which_file_and_what_became_of_it(control: Control) -> None:
    filebase = put(control, "in")
    control.step("in")
    (record,) = control.audit().records
    assert record.files == (filebase,)
    assert record.counts["outcome"] == "done"
    assert control.audit(file=filebase).records == (record,)
    assert control.audit(file="another").records == ()


def test_of_a_message_there_is_only_its_size_and_digest(control: Control) -> None:
    control.inject("in", MAIL, {"lang": "en"})
    begin, end = lines_of(control)
    digest = sha256(MAIL).hexdigest()
    assert begin["arguments"]["data"] == {"bytes": len(MAIL), "sha256": digest}
    assert begin["arguments"]["msgdata"] == ["lang"]
    assert end["files"] == control.configuration.switchboards["in"].files
    assert b"anne@example.com" not in file_of(control).read_bytes()


def test_of_headers_and_metadata_there_are_only_the_names(control: Control) -> None:
    filebase = put(control, "in")
    headers = (("Subject", "a secret"), ("X-Odd", "another secret"))
    result = control.edit("in", filebase, {"password": "one more secret"}, headers)
    assert result.done == (filebase,)
    (record,) = control.audit(act="edit").records
    assert record.arguments["msgdata"] == ["password"]
    assert record.arguments["headers"] == ["Subject", "X-Odd"]
    assert b"secret" not in file_of(control).read_bytes()


def test_of_what_was_not_done_nothing_is_counted(control: Control) -> None:
    gone = "1700000000.0+" + "a" * 40
    result = control.hold("in", gone)
    assert result.done == ()
    (record,) = control.audit(file=gone).records
    assert record.count == 0
    assert sum(record.counts[each] for each in ("skipped", "failed")) == 1


def test_names_from_files_are_written_as_ascii_on_one_line(control: Control) -> None:
    with pytest.raises(RunnerError):
        control.step("in", HOSTILE)
    control.pause("in", reason="x" * 400 + "\n\r\x00")
    assert file_of(control).read_bytes().isascii()
    assert len(lines_of(control)) == 4
    assert control.audit(act="step").records[0].arguments["filebase"] == HOSTILE


def test_a_line_is_never_long(control: Control) -> None:
    data = {f"key{n}": "y" * 1000 for n in range(1000)}
    control.inject("in", MAIL, data)
    with pytest.raises(Refused):
        control.pause("in", reason="z" * 100_000)
    for line in file_of(control).read_bytes().splitlines():
        assert len(line) < 10_000


class Bulk(Control):
    """Has an act of many files, made of acts on one."""

    @act
    def clear(self, why: str = "") -> str:
        """Do something to many files."""
        del why
        noted(files=(f"file{n}" for n in range(1000)), number=7)
        return self.snooze("in", 2.0)


def test_an_act_of_many_files_names_some_and_counts_all(tmp_path: Path) -> None:
    settings_of = parse(TEXT, source=str(tmp_path / "qtool.cfg"), base=tmp_path)
    control = Bulk(Configuration(settings_of))
    noted(files=["nothing is done now"])
    control.clear(why="spring")
    (record,) = control.audit().records
    assert (record.count, record.number, record.why) == (1000, 7, "spring")
    assert record.files == tuple(f"file{n}" for n in range(100))
    control.close()


def test_an_act_of_many_is_found_by_any_of_its_files(control: Control) -> None:
    names = [put(control, "in") for _ in range(MOST_FILES + 2)]
    control.confirm(control.preview("hold", "in", "all").token)
    (record,) = control.audit(act="confirm").records
    unnamed = set(names) - set(record.files)
    assert len(unnamed) == 2
    for name in (*unnamed, names[0]):
        assert control.audit(act="confirm", file=name).records == (record,)
    assert control.audit(act="confirm", file="another").records == ()


def test_what_is_cut_off_has_no_end_on_record(control: Control) -> None:
    control.snooze("in", 2.0)
    path = file_of(control)
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    (record,) = control.audit().records
    assert (record.act, record.result, record.ended) == ("snooze", "", None)


def test_a_line_that_was_cut_harms_no_other(control: Control) -> None:
    control.snooze("in", 2.0)
    path = file_of(control)
    path.write_bytes(path.read_bytes()[:-9])
    control.pause("in")
    page = control.audit()
    assert [(r.act, r.result) for r in page.records] == [
        ("pause", "done"),
        ("snooze", ""),
    ]
    assert page.broken == 1


@pytest.mark.parametrize(
    "line",
    [b"[1]", b"{}", b'{"is": "begin"}', b"[" * 99_999, b"\xff\x00", b"x" * 3**13],
    ids=["list", "nothing", "no act", "deep", "binary", "long"],
)
def test_a_line_that_is_nobodys_is_passed_over(control: Control, line: bytes) -> None:
    control.snooze("in", 2.0)
    with file_of(control).open("ab") as file:
        file.write(line + b"\n")
    control.pause("in")
    page = control.audit()
    assert [record.act for record in page.records] == ["pause", "snooze"]
    assert page.broken == 1


# --- Where nothing can be written


def test_on_a_full_disk_acts_go_on_and_the_log_says_so(
    control: Control, caplog: pytest.LogCaptureFixture
) -> None:
    control.snooze("in", 2.0)
    size = file_of(control).stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        with caplog.at_level(logging.WARNING, "qtool"):
            control.snooze("in", 3.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert f"{file_of(control)}: File too large: snooze is not on record" in caplog.text
    assert len(control.audit().records) == 1
    control.snooze("in", 4.0)
    assert len(control.audit().records) == 2


def test_what_cannot_be_recorded_for_another_reason_is_not_done(
    control: Control,
) -> None:
    put(control, "in")
    file_of(control).mkdir(parents=True)
    with pytest.raises(Refused) as refused:
        control.step("in")
    assert str(refused.value) == (
        f"{file_of(control)}: Is a directory: nothing is done that cannot be recorded"
    )
    assert len(control.names("in")) == 1


def test_a_link_and_a_pipe_in_its_place_are_not_written_to(
    control: Control, tmp_path: Path
) -> None:
    path = file_of(control)
    path.parent.mkdir()
    other = tmp_path / "other"
    other.write_text("")
    path.symlink_to(other)
    with pytest.raises(Refused, match="nothing is done"):
        control.snooze("in", 2.0)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(Refused, match="nothing is done"):
        control.snooze("in", 2.0)
    assert other.read_bytes() == b""


def test_a_file_that_was_rotated_away_is_begun_anew(control: Control) -> None:
    control.snooze("in", 2.0)
    page = control.audit(number=1)
    file_of(control).rename(file_of(control).with_name("audit.jsonl.1"))
    control.pause("in")
    assert [record.act for record in control.audit().records] == ["pause"]
    assert control.audit(after=page.after or "1.5").records == ()


_WRITES = """
import sys
from pathlib import Path
from tests.control.test_audit import TEXT, open_site
control = open_site(Path(sys.argv[1]), TEXT)
for number in range(250):
    control.snooze("in", 1.0 + number)
control.close()
"""


@pytest.mark.long
def test_two_processes_write_a_thousand_lines_and_tear_none(
    control: Control, tmp_path: Path
) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITES, str(tmp_path)], cwd=CHECKOUT)
        for _ in range(2)
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert len(lines_of(control)) == 1000
    page = control.audit(number=1000)
    assert page.broken == 0
    assert len(page.records) == 500
    assert {record.result for record in page.records} == {"done"}


# --- Who


def test_who_asked_over_a_socket_is_whom_the_system_names(tmp_path: Path) -> None:
    control = open_site(tmp_path, READS)
    with ExitStack() as ends, tempfile.TemporaryDirectory(prefix="q-") as name:
        ends.callback(control.close)
        ends.callback(Server(control, Path(name) / "s").close)
        link = Link(Path(name) / "s", control.configuration.settings.queue_root)
        attached = Attached(control.configuration, link, read_only=False)
        ends.callback(attached.close)
        attached.snooze("in", 2.0)
        attached.entry("in", attached.inject("in", MAIL, {}).filebase)
        records = attached.audit().records
    assert [record.act for record in records] == ["entry", "inject", "snooze"]
    for record in records:
        assert (record.where, record.uid) == ("socket", os.geteuid())
        assert record.pid == os.getpid()


def test_who_acts_in_a_console_is_known_to_its_engine(tmp_path: Path) -> None:
    file = tmp_path / "qtool.cfg"
    file.write_text(f"{TEXT}[paths]\npython: {CHECKOUT}\n[audit]\nreads: yes\n")
    actor = Actor(
        uid=os.geteuid(), pid=os.getpid(), where="tui", sudo="anne",
        terminal="/dev/pts/3", remote="192.0.2.7",
    )  # fmt: skip
    control = open_apart(
        site_settings(file, None), "qtool.commands.private", actor=actor
    )
    try:
        control.snooze("in", 2.0)
        filebase = control.inject("in", MAIL, {}).filebase
        control.entry("in", filebase)
        records = control.audit().records
    finally:
        control.close()
    assert [record.act for record in records] == ["entry", "inject", "snooze"]
    for record in records:
        assert (record.where, record.pid) == ("tui", os.getpid())
        assert (record.sudo, record.terminal) == ("anne", "/dev/pts/3")
        assert record.remote == "192.0.2.7"
        assert record.who == f"anne as {record.user}"


def test_somebody_without_a_name_is_a_number(control: Control) -> None:
    with acting_as(Actor(uid=54321, pid=0, where="socket")):
        control.snooze("in", 2.0)
    (record,) = control.audit(who="54321").records
    assert record.who == "#54321"


# --- Looking at mail


def test_looking_is_recorded_where_the_site_asks_for_it(tmp_path: Path) -> None:
    control = open_site(tmp_path, READS)
    filebase = put(control, "in")
    control.entries("in")
    control.names("in")
    assert not file_of(control).exists()
    control.entry("in", filebase)
    (record,) = control.audit().records
    assert (record.act, record.is_read, record.result) == ("entry", True, "done")
    assert record.files == (filebase,)
    control.close()


def test_who_asked_to_change_nothing_is_recorded_as_looking_too(tmp_path: Path) -> None:
    control = open_site(tmp_path, READS, read_only=True)
    filebase = put(control, "in")
    control.entry("in", filebase)
    control.content("in", filebase)
    assert [record.act for record in control.audit().records] == ["content", "entry"]
    control.close()


def test_a_look_that_cannot_be_recorded_is_refused_there(tmp_path: Path) -> None:
    control = open_site(tmp_path, READS)
    filebase = put(control, "in")
    file_of(control).mkdir(parents=True, exist_ok=True)
    with pytest.raises(Refused, match="cannot be recorded"):
        control.entry("in", filebase)
    control.close()


def test_a_site_of_mailman_may_ask_for_it_too(tmp_path: Path) -> None:
    text = "[mailman]\nlayout: here\n[audit]\nreads: yes\n"
    assert parse(text, source="mailman.cfg", base=tmp_path).audit_reads


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("writes: yes", "[audit] writes: expected one of reads"),
        ("reads: perhaps", "[audit] reads: expected yes or no, not 'perhaps'"),
    ],
)
def test_what_else_stands_there_is_named(
    tmp_path: Path, line: str, reason: str
) -> None:
    with pytest.raises(SettingsError, match=re.escape(reason)):
        parse(f"{TEXT}[audit]\n{line}\n", source="q.cfg", base=tmp_path)


def test_looking_is_not_recorded_elsewhere(control: Control) -> None:
    control.entry("in", put(control, "in"))
    assert not file_of(control).exists()
    assert control.audit().records == ()
    assert not control.configuration.state_directory.joinpath("audit.jsonl").exists()


# --- Searching


def test_it_is_found_by_time_person_act_and_text(tmp_path: Path) -> None:
    now = [1000.0]
    settings_of = parse(TEXT, source=str(tmp_path / "qtool.cfg"), base=tmp_path)
    control = Control(Configuration(settings_of), clock=lambda: now[0])
    for who in ("anne", "bart"):
        control.actor = Actor(uid=os.geteuid(), pid=0, sudo=who)
        control.pause("in", reason=f"Because of {who}")
        now[0] += 10_000
        control.resume("in")
        now[0] += 10_000
    told = [(r.sudo, r.act) for r in control.audit().records]
    assert told == [
        ("bart", "resume"),
        ("bart", "pause"),
        ("anne", "resume"),
        ("anne", "pause"),
    ]
    assert len(control.audit(since=21_000.0).records) == 2
    assert len(control.audit(until=21_000.0).records) == 2
    assert {r.sudo for r in control.audit(who="anne").records} == {"anne"}
    assert {r.act for r in control.audit(act="resume").records} == {"resume"}
    (record,) = control.audit(text="because of B").records
    assert record.why == "Because of bart"
    control.close()


@settings(max_examples=40)
@given(
    order=st.lists(st.integers(0, 12), max_size=60),
    number=st.integers(1, 7),
    padding=st.sampled_from([0, 30_000]),
)
def test_pages_together_are_the_whole(
    tmp_path: Path, order: list[int], number: int, padding: int
) -> None:
    """Acts begin and end in any order, beside each other."""
    path = tmp_path / "queues" / ".qtool" / "audit.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    control = opened(parse(TEXT, source=str(tmp_path / "q.cfg"), base=tmp_path))
    lines, begun, ended = [], [], {}
    for at, key in enumerate(order):
        if key not in begun:
            begun.append(key)
            lines.append(_begin(key, at, "p" * padding))
        elif key not in ended:
            ended[key] = at
            lines.append({"id": str(key), "is": "end", "at": at, "result": "done"})
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    path.write_text(text)
    found: list[AuditRecord] = []
    after = ""
    while True:
        page = control.audit(number=number, after=after)
        assert len(page.records) <= number
        found += page.records
        after = page.after
        if not after:
            break
    control.close()
    assert [int(r.id) for r in found] == begun[::-1]
    assert {int(r.id): r.ended for r in found if r.ended is not None} == ended


def _begin(key: int, at: float, why: str) -> dict[str, Any]:
    texts = ("user", "login", "sudo", "where", "terminal", "remote", "host")
    return {
        "id": str(key), "is": "begin", "at": at, "act": "step", "uid": 1, "pid": 2,
        "arguments": {}, "files": [], "count": 0, "why": why,
        **dict.fromkeys(texts, ""),
    }  # fmt: skip


def test_the_newest_of_a_huge_file_cost_nothing(control: Control) -> None:
    path = file_of(control)
    path.parent.mkdir()
    with path.open("wb") as file:
        file.truncate(1 << 33)
        file.seek(0, os.SEEK_END)
        file.write(b"\n")
    control.snooze("in", 2.0)
    began = time.process_time()
    page = control.audit(number=1)
    assert [record.act for record in page.records] == ["snooze"]
    after = control.audit(text="nothing").after
    assert control.audit(text="nothing", after=after).after
    assert time.process_time() - began < 2
