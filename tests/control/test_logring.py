from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from qtool.control.logring import LogRing

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ring() -> Iterator[LogRing]:
    ring = LogRing()
    ring.open()
    yield ring
    ring.close()


def test_records_are_kept_with_level_source_and_time(ring: LogRing) -> None:
    logging.getLogger("qtool.runner.in").warning("held: %s", "<1@example.com>")
    (line,) = ring.after(0)
    assert line.text == "held: <1@example.com>"
    assert (line.number, line.level, line.source) == (1, "WARNING", "qtool.runner.in")
    assert line.when > 0


def test_only_later_records_are_returned(ring: LogRing) -> None:
    for number in range(5):
        logging.getLogger("qtool").info("%d", number)
    assert [line.text for line in ring.after(3)] == ["3", "4"]
    assert ring.after(5) == []


def test_the_last_two_thousand_are_kept(ring: LogRing) -> None:
    for number in range(2_100):
        logging.getLogger("qtool").info("%d", number)
    lines = ring.after(0)
    assert len(lines) == 2_000
    assert lines[-1].number == 2_100


def test_the_traceback_is_kept_beside_the_text(ring: LogRing) -> None:
    try:
        int("bad luck")
    except ValueError:
        logging.getLogger("qtool").exception("it failed")
    (line,) = ring.after(0)
    assert line.text == "it failed"
    assert line.traceback.rstrip().endswith("'bad luck'")


def test_a_wrong_log_call_harms_nobody(ring: LogRing) -> None:
    # Not by way of a logger: pytest's own handler would raise.
    ring.emit(logging.makeLogRecord({"msg": "%d", "args": ("no number",)}))
    assert ring.after(0)[0].text == "%d"


def test_other_programs_records_are_not_kept(ring: LogRing) -> None:
    logging.getLogger("elsewhere").error("not ours")
    assert ring.after(0) == []


def test_closing_leaves_the_level_of_the_log_as_it_was() -> None:
    before = logging.getLogger("qtool").level
    ring = LogRing()
    ring.open()
    assert logging.getLogger("qtool").isEnabledFor(logging.INFO)
    ring.close()
    ring.close()
    assert logging.getLogger("qtool").level == before
