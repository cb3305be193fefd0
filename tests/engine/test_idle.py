"""An idle-only runner works while its tests hold, and says which one does not."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from qtool.engine.idle import ASK_SECONDS, Idleness
from qtool.engine.step import Outcome
from qtool.errors import RunnerImportError, SettingsError
from qtool.installation import Configuration
from qtool.settings import parse
from tests.engine.conftest import TIMEOUT, Changes, Noting, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message
    from pathlib import Path


def idle_site(site: Site, *tests: str) -> Site:
    """Add an idle-only runner with these tests, and a queue beside it."""
    lines = "".join(f"\n    {test}" for test in tests)
    site.runner("bounces", Noting, when="idle", idle_when=lines, sleep_time="1h")
    site.runner("in", Noting)
    return site


def note_of(idleness: Idleness, clock: float = 0.0) -> str:
    held = idleness.held(clock)
    return "" if held is None else held.note


# --- The tests


def test_the_load_average_holds_it_back(site: Site) -> None:
    load = [2.31, 0.0, 0.0]
    config = idle_site(site, "load < 1.5").config
    idleness = Idleness("bounces", config, load=lambda: tuple(load))
    assert note_of(idleness) == "not idle: load < 1.5: it is 2.31"
    load[0] = 1.49
    assert note_of(idleness, ASK_SECONDS - 0.1) != ""  # so old an answer may be
    assert note_of(idleness, ASK_SECONDS) == ""


def test_pressure_holds_it_back_and_so_does_a_kernel_without_it(
    site: Site, tmp_path: Path
) -> None:
    config = idle_site(site, "pressure io < 10").config
    idleness = Idleness("bounces", config, pressure=tmp_path)
    assert note_of(idleness).startswith("not idle: pressure io < 10: FileNotFoundError")
    file = tmp_path / "io"
    text = "some avg10={} avg60=0.00 avg300=0.00 total=1\nfull avg10=99.00 total=0\n"
    file.write_text(text.format("12.50"))
    idleness.forget()
    assert note_of(idleness) == "not idle: pressure io < 10: it is 12.50"
    file.write_text(text.format("9.99"))
    idleness.forget()
    assert note_of(idleness) == ""
    file.write_text("nonsense\n")
    idleness.forget()
    assert note_of(idleness).startswith("not idle: pressure io < 10: ")


def test_what_waits_in_other_queues_holds_it_back(site: Site) -> None:
    config = idle_site(site, "empty: in").config
    idleness = Idleness("bounces", config)
    assert note_of(idleness) == ""
    filebase = site.put("in")
    idleness.forget()
    assert note_of(idleness) == "not idle: empty: in: 1 in in"
    site.queue("in").dequeue(filebase)
    idleness.forget()
    assert note_of(idleness) == "not idle: empty: in: 1 in in"
    site.queue("in").finish(filebase)
    idleness.forget()
    assert note_of(idleness) == ""


@pytest.fixture
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_utc")
@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        ("between 22:00 and 06:00", ("22:00", "23:59", "00:00", "05:59"),
         ("06:00", "12:00", "21:59")),
        ("between 1:30 and 2:00", ("01:30", "01:59"), ("01:29", "02:00", "13:45")),
        ("between 06:00 and 06:00", ("05:59", "06:00"), ()),
    ],
)  # fmt: skip
def test_the_time_of_the_day_holds_it_back(
    site: Site, window: str, inside: tuple[str, ...], outside: tuple[str, ...]
) -> None:
    now = [0.0]
    config = idle_site(site, window).config
    idleness = Idleness("bounces", config, now=lambda: now[0])
    for text in (*inside, *outside):
        now[0] = 86400 * 20_000 + 3600 * int(text[:2]) + 60 * int(text[3:])
        idleness.forget()
        says = "" if text in inside else f"not idle: {window}: it is {text}"
        assert note_of(idleness) == says


def test_a_function_of_the_site_is_asked_and_may_do_anything(tmp_path: Path) -> None:
    (tmp_path / "site_of_this_test.py").write_text(
        "import pathlib\n"
        "def quiet():\n"
        "    return eval(pathlib.Path(__file__).with_name('says').read_text())\n"
    )
    text = (
        f"[qtool]\nroot: {tmp_path}\n[paths]\npython: {tmp_path}\n"
        "[runner.bounces]\nwhen: idle\nidle_when: site_of_this_test.quiet\n"
    )
    config = Configuration(parse(text, source="test.cfg", base=tmp_path))
    says = tmp_path / "says"
    idleness = Idleness("bounces", config)
    for text, note in (
        ("True", ""),
        ("0", "it says 0"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ):
        says.write_text(text)
        idleness.forget()
        prefix = "not idle: site_of_this_test.quiet: "
        assert note_of(idleness) == (prefix + note if note else "")


def test_a_function_that_is_not_there_keeps_the_runner_from_starting(
    site: Site,
) -> None:
    idle_site(site, "os.path.no_such_test")
    with pytest.raises(
        RunnerImportError, match=r"bounces\] idle_when: os.path.no_such"
    ):
        site.master().start("bounces")


# --- What it means


def test_it_takes_nothing_while_another_queue_is_busy_and_a_step_does(
    site: Site,
) -> None:
    idle_site(site, "empty: in")
    site.put("bounces", "one")
    busy = site.put("in")
    runner = Noting("bounces", config=site.config)
    assert runner.one_pass() == 0
    assert runner.noted == []
    assert runner.step().outcome is Outcome.DONE
    site.queue("in").dequeue(busy)
    site.queue("in").finish(busy)
    site.put("bounces", "two")
    assert runner.one_pass() == 1
    assert runner.noted == ["one", "two", "periodic"]


def test_a_long_pass_gives_way_between_two_messages(site: Site) -> None:
    class Working(Noting):
        def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
            now[0] += ASK_SECONDS
            if msg["subject"] == "2":
                site.put("in")
            return super()._dispose(mlist, msg, msgdata)

    now = [0.0]
    idle_site(site, "empty: in")
    for number in range(5):
        site.put("bounces", str(number))
    runner = Working("bounces", config=site.config)
    runner.clock = lambda: now[0]
    assert runner.one_pass() == 3
    assert runner.noted == ["0", "1", "2"]
    assert site.subjects("bounces") == ["3", "4"]


def test_a_row_says_which_test_holds_it_back(site: Site) -> None:
    idle_site(site, "empty: in")
    site.put("in")
    site.put("bounces")
    master = site.master()
    changes = Changes(master)
    master.start("bounces")

    def notes() -> list[str]:
        return [s.note for s in master.states() if s.runner == "bounces"]

    changes.wait(lambda: notes() == ["not idle: empty: in: 1 in in"])


def test_it_goes_on_by_itself_when_the_machine_is_idle(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    took, asked = threading.Semaphore(0), threading.Semaphore(0)

    class Telling(Noting):
        def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
            took.release()
            return False

    answers = iter([9.0])

    def load() -> tuple[float, ...]:
        asked.release()
        return (next(answers, 0.0),)

    monkeypatch.setattr("qtool.engine.idle.LOOK_AGAIN_SECONDS", 0.05)
    monkeypatch.setattr("qtool.engine.idle.ASK_SECONDS", 0.0)
    site.runner("bounces", Telling, when="idle", idle_when="load < 1", sleep_time="1h")
    site.put("bounces")
    runner = Telling("bounces", config=site.config)
    runner.idleness = Idleness("bounces", site.config, load=load)
    thread = threading.Thread(target=runner.run, daemon=True)
    thread.start()
    assert asked.acquire(timeout=TIMEOUT)
    assert took.acquire(timeout=TIMEOUT)
    runner.stop()
    thread.join(TIMEOUT)


def test_a_drain_takes_it_once_the_other_queues_are_empty(site: Site) -> None:
    idle_site(site, "empty: in")
    site.put("bounces")
    site.put("in")
    drained = site.master().drain()
    assert (drained.counts.done, drained.left, drained.others) == (2, 0, ())


def test_a_drain_says_whom_it_left_alone_and_why(site: Site) -> None:
    idle_site(site, "load < 0")
    site.put("bounces")
    drained = site.master().drain()
    assert (drained.counts.done, drained.left) == (0, 1)
    assert drained.others[0].startswith("left alone: bounces is not idle: load < 0: ")


# --- Wrong input


@pytest.mark.parametrize(
    "text",
    ["moon is full", "load > 1", "load < x", "pressure disk < 1", "empty:", "",
     "between 25:00 and 06:00", "quiet", "load < 1.5, nonsense"],
)  # fmt: skip
def test_an_unknown_test_is_one_line_that_names_the_place(
    site: Site, text: str
) -> None:
    site.runner("bounces", Noting, when="idle", idle_when=text)
    with pytest.raises(SettingsError) as caught:
        _ = site.config
    assert str(caught.value).startswith(
        "test.cfg: [runner.bounces] idle_when: expected"
    )
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("queue", ["nowhere", "bounces"])
def test_a_test_names_other_queues_of_the_site(site: Site, queue: str) -> None:
    idle_site(site, f"empty: in {queue}")
    with pytest.raises(SettingsError, match=f"other queues, not '{queue}'"):
        _ = site.config


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"when": "sometimes"}, "when: expected always or idle"),
        ({"idle_when": "load < 1"}, "when: expected idle"),
        ({"when": "always", "idle_when": "load < 1"}, "when: expected idle"),
    ],
)
def test_when_is_always_or_idle(
    site: Site, keys: dict[str, str], expected: str
) -> None:
    site.runner("bounces", Noting, **keys)
    with pytest.raises(SettingsError, match=expected):
        _ = site.config
