"""A step's report holds what its thread did, bounded."""

from __future__ import annotations

import copy
import logging
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from qtool.engine.recording import Recording, bounded_copy
from qtool.queues.switchboard import record_enqueued
from tests.engine.conftest import ended, in_thread

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.datetimes(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), VALUES, max_size=4))
@settings(max_examples=30)
def test_plain_metadata_is_copied_deeply(msgdata: dict[str, object]) -> None:
    assert bounded_copy(msgdata) == msgdata


def test_later_changes_do_not_reach_the_copy() -> None:
    msgdata = {"recipients": ["a"], "nested": {"one": [1]}}
    before = copy.deepcopy(msgdata)
    kept = bounded_copy(msgdata)
    msgdata["recipients"].append("b")  # type: ignore[attr-defined] # a list
    msgdata["nested"]["one"].append(2)  # type: ignore[index] # a dict
    assert kept == before


def test_lists_that_share_themselves_without_end_are_cut() -> None:
    bomb: list[object] = []
    for _ in range(60):
        bomb = [bomb, bomb]
    loop: list[object] = []
    loop.append(loop)
    text = str(bounded_copy({"bomb": bomb, "loop": loop, "long": "x" * 10**6}))
    assert len(text) < 10**6
    assert "not copied" in text


def test_a_strange_value_is_shown_and_not_kept() -> None:
    class Strange:
        def __repr__(self) -> str:
            raise ValueError

    kept = bounded_copy({"strange": Strange(), "when": datetime.now(UTC)})
    assert kept["strange"] == "<Strange>"
    assert isinstance(kept["when"], datetime)


def test_log_lines_and_enqueues_of_this_thread_are_recorded_and_no_others() -> None:
    log = logging.getLogger("qtool.runner.in")

    def elsewhere() -> None:
        log.warning("theirs")
        record_enqueued("out", "theirs")

    with Recording() as recording:
        log.info("ours, %d", 1)
        record_enqueued("out", "ours")
        ended(in_thread(elsewhere))
    log.warning("later")
    report = recording.report(runner="in", queue="in", filebase=None)
    assert [(line.level, line.text) for line in report.log] == [("INFO", "ours, 1")]
    assert [entry.filebase for entry in report.enqueued] == ["ours"]


def test_no_handler_stays_behind() -> None:
    before = list(logging.getLogger().handlers)
    with Recording():
        assert len(logging.getLogger().handlers) == len(before) + 1
    assert logging.getLogger().handlers == before


def test_recording_leaves_the_level_of_the_log_as_it_was() -> None:
    before = logging.getLogger("qtool").level
    with Recording():
        assert logging.getLogger("qtool.runner.in").isEnabledFor(logging.INFO)
    assert logging.getLogger("qtool").level == before
