"""Metrics: what they say, how they say it, and where they are fetched."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from qtool.control.models import (
    Board,
    Cell,
    QueueRow,
    Severity,
    Site,
    State,
    Verdict,
    VerdictKind,
)
from qtool.control.serving.metrics import CONTENT_TYPE, exposition, samples_of
from qtool.control.serving.scraping import Scraping
from qtool.engine.status import Counts, RunnerState, RunnerStatus
from qtool.errors import Refused
from tests.control.exposition import of, read
from tests.control.site import HERE, configuration, eventually, open_site, put

if TYPE_CHECKING:
    from pathlib import Path

AT = 1_700_000_000.0
SITE = Site(spool="/spool", source="x.cfg", kind="own", read_only="", watching="")
TWO = configuration(**{"in": f"class: {HERE}.Taking\ninstances: 2", "out": ""})


def cell(owner: int, depth: int, oldest: float | None = None) -> Cell:
    return Cell(
        depth=depth, in_flight=1, oldest=oldest, owner=owner,
        state=State.RUNNING if owner else State.FAILED,
    )  # fmt: skip


def board(*rows: QueueRow) -> Board:
    return Board(at=AT, rows=rows, site=SITE)


def test_the_view_of_a_queue_is_summed_into_its_slices() -> None:
    row = QueueRow(
        name="in", has_queue=True, runner="in", runner_slices=2, depth=9, in_flight=4,
        cells=(
            cell(0, 2, AT - 5), cell(0, 3, AT - 60.5), cell(1, 4, AT + 9), cell(1, 0),
        ),
        preserved=7, foreign=8, state=State.FAILED,
    )  # fmt: skip
    metrics = read(exposition(samples_of(board(row))))
    depth, age = metrics["qtool_queue_depth"], metrics["qtool_queue_oldest_age_seconds"]
    assert [of(depth, queue="in", slice=n) for n in (0, 1)] == [5, 4]
    assert of(metrics["qtool_queue_in_flight"], queue="in", slice=0) == 2
    assert [of(age, queue="in", slice=n) for n in (0, 1)] == [60.5, 0]
    assert of(metrics["qtool_queue_preserved"], queue="in") == 7
    assert of(metrics["qtool_queue_foreign"], queue="in") == 8
    states = metrics["qtool_runner_state"]
    assert of(states, runner="in", slice=0, state="failed") == 1
    assert of(states, runner="in", slice=1, state="running") == 1
    assert len(states.samples) == 2


def test_what_is_not_known_has_no_sample() -> None:
    unreadable = QueueRow(
        name="in", has_queue=True, runner="in", runner_slices=1, state=State.UNREADABLE
    )
    lmtp = QueueRow(
        name="lmtp", has_queue=False, runner="lmtp", runner_slices=0,
        state=State.STOPPED,
    )  # fmt: skip
    metrics = read(exposition(samples_of(board(unreadable, lmtp))))
    assert set(metrics) == {"qtool_runner_state"}
    states = metrics["qtool_runner_state"]
    assert of(states, runner="in", slice=0, state="unreadable") == 1
    assert of(states, runner="lmtp", slice=0, state="stopped") == 1
    assert read(exposition(samples_of(board()))) == {}


def test_a_verdict_is_as_bad_as_a_number_says() -> None:
    stalled = Verdict(
        kind=VerdictKind.STALLED, severity=Severity.CRITICAL, words="stalled for 5m"
    )
    row = QueueRow(
        name="in", has_queue=True, runner="in", runner_slices=1, verdicts=(stalled,)
    )
    verdicts = read(exposition(samples_of(board(row))))["qtool_queue_verdict"]
    assert of(verdicts, queue="in", verdict="stalled") == 2


@pytest.mark.parametrize(
    "name", ['a"b\\c\nd', '\\n","x="', "ä € 😀", "}", "\x1b[31m", "{a=b} 1"]
)
def test_names_are_escaped(name: str) -> None:
    row = QueueRow(
        name=name, has_queue=True, runner=name, runner_slices=1, depth=1, in_flight=0,
        cells=(cell(0, 1),),
    )  # fmt: skip
    metrics = read(exposition(samples_of(board(row))))
    assert of(metrics["qtool_queue_depth"], queue=name, slice=0) == 1
    assert of(metrics["qtool_runner_state"], runner=name, slice=0, state="failed") == 1


def test_a_name_that_is_no_utf_8_is_still_a_line_of_utf_8() -> None:
    row = QueueRow(
        name="a\udcff", has_queue=True, runner=None, runner_slices=0, depth=1,
        cells=(cell(0, 1),),
    )  # fmt: skip
    text = exposition(samples_of(board(row))).encode().decode()
    assert of(read(text)["qtool_queue_preserved"], queue="a\\udcff") == 0


def test_what_became_of_messages_is_counted_by_outcome() -> None:
    counts = Counts(done=10**15 + 1, kept=2, shunted=3, preserved=4)
    status = RunnerStatus(
        runner="in", slice=1, state=RunnerState.RUNNING, counts=counts
    )
    total = read(exposition(samples_of(board(), [status])))["qtool_messages_total"]
    assert total.kind == "counter"
    assert of(total, runner="in", slice=1, outcome="done") == 10**15 + 1
    assert of(total, runner="in", slice=1, outcome="kept") == 2
    assert of(total, runner="in", slice=1, outcome="shunted") == 3
    assert of(total, runner="in", slice=1, outcome="preserved") == 4


def test_only_who_has_worked_here_has_counts(tmp_path: Path) -> None:
    control = open_site(tmp_path, TWO)
    assert "qtool_messages_total" not in read(control.metrics())
    for _ in range(5):
        put(control, "in")
    control.start_all()
    eventually(lambda: control.scan().rows[0].depth == 0)
    control.stop("in")
    eventually(lambda: control.scan().rows[0].state is State.STOPPED)
    total = read(control.metrics())["qtool_messages_total"]
    done = [s for s in total.samples if ("outcome", "done") in s]
    assert sum(total.samples[labels] for labels in done) == 5
    control.close()


# --- Over HTTP


def test_metrics_are_fetched_and_nothing_else_is(tmp_path: Path) -> None:
    control = open_site(tmp_path, TWO)
    put(control, "out")
    scraping = Scraping(control, "127.0.0.1", 0)
    place = f"http://127.0.0.1:{scraping.port}"
    with urlopen(f"{place}/metrics", timeout=60) as reply:
        assert reply.headers["Content-Type"] == CONTENT_TYPE
        depth = read(reply.read().decode())["qtool_queue_depth"]
    assert of(depth, queue="out", slice=0) == 1
    for path, data, status in (("/", None, 404), ("/metrics", b"x", 501)):
        with pytest.raises(HTTPError) as caught:
            urlopen(f"{place}{path}", data, timeout=60)
        assert caught.value.code == status
        caught.value.close()
    scraping.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", scraping.port), 1)
    control.close()


def test_a_place_that_cannot_be_listened_on_is_refused_by_name(tmp_path: Path) -> None:
    control = open_site(tmp_path, TWO)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Refused, match=f"listen: 127.0.0.1, port {port}: "):
            Scraping(control, "127.0.0.1", port)
    control.close()
