"""The configuration file is read again while runners run."""

from __future__ import annotations

from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from qtool.control.models import State
from qtool.control.opening import open_site
from qtool.errors import Refused, RunnerError, SettingsError
from tests.control.site import PATIENCE, Held, put
from tests.control.test_own import eventually, row_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qtool.control.control import Control

TAKING, HELD = "class: tests.control.site.Taking", "class: tests.control.site.Held"
SITE = "[qtool]\nroot: queues\n"


class File:
    """A configuration file that a test rewrites, and the site that was opened by it."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "qtool.cfg"
        self.control: Control

    def write(self, **runners: str) -> None:
        sections = (f"[runner.{name}]\n{text}\n" for name, text in runners.items())
        self._path.write_text(SITE + "".join(sections))

    def open(self, **runners: str) -> Control:
        self.write(**runners)
        self.control = open_site(config_file=self._path)
        return self.control

    def busy(self, a: str = HELD, **others: str) -> Control:
        """Open the site with all at work, and with a message in hand in ``a``."""
        control = self.open(a=a, **others)
        put(control, "a")
        control.start_all()
        assert Held.busy.wait(PATIENCE)
        return control

    def reload(self, **runners: str) -> list[str]:
        self.write(**runners)
        return self.control.reload()

    def states(self, name: str) -> list[State]:
        cells = row_of(self.control, name).cells
        return [next(c.state for c in cells if c.owner == n)
                for n in sorted({c.owner for c in cells})]  # fmt: skip

    def broken(self, text: str) -> str:
        """Put a text into the file that is no configuration; return its name."""
        self._path.write_text(text)
        return str(self._path)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[File]:
    Held.busy.clear()
    Held.free.clear()
    file = File(tmp_path)
    yield file
    Held.free.set()
    file.control.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who reads the file again does not wait for the messages in hand."""
    monkeypatch.setattr("qtool.control.following.PATIENCE_SECONDS", 0.01)


def test_a_file_that_says_the_same_changes_nothing(file: File) -> None:
    file.open(a=TAKING)
    assert file.reload(a=TAKING) == ["nothing has changed"]


def test_what_a_running_runner_can_follow_it_follows(file: File) -> None:
    control = file.open(a=f"{TAKING}\nsleep_time: 1s")
    control.start("a")
    lines = file.reload(a=f"{TAKING}\nsleep_time: 5s\nhang_after: 1m\nmax_restarts: 3")
    assert lines == ["a: sleep_time 1 s -> 5 s, max_restarts 10 -> 3,"
                     " hang_after 300 s -> 60 s"]  # fmt: skip
    assert row_of(control, "a").snooze_seconds == 5.0
    assert file.states("a") == [State.RUNNING]


def test_changed_slices_end_before_the_new_ranges_begin(file: File) -> None:
    file.busy(f"{HELD}\ninstances: 2")
    Held.free.set()
    lines = file.reload(a=f"{HELD}\ninstances: 4")
    assert lines == ["a: instances 2 -> 4: stopped all slices, started the new ranges"]
    assert file.states("a") == [State.RUNNING] * 4
    assert file.reload(a=f"{HELD}\nweights: 2 1") == [
        "a: instances 4 -> 2, weights none -> 2 1:"
        " stopped all slices, started the new ranges"
    ]
    assert file.states("a") == [State.RUNNING] * 2


@pytest.mark.usefixtures("impatient")
def test_new_ranges_begin_when_the_message_in_hand_is_through(file: File) -> None:
    file.busy()
    assert file.reload(a=f"{HELD}\ninstances: 2") == [
        "a: instances 1 -> 2: stopped all slices,"
        " started the new ranges after the message in hand"
    ]
    assert file.states("a")[0] is State.STOPPING
    Held.free.set()
    eventually(lambda: file.states("a") == [State.RUNNING] * 2)


def test_one_reading_at_a_time_and_one_more_for_all_who_ask_meanwhile(
    file: File,
) -> None:
    control = file.busy()
    file.write(a=f"{HELD}\ninstances: 2")
    told: SimpleQueue[list[str]] = SimpleQueue()
    askers = [Thread(target=lambda: told.put(control.reload())) for _ in range(4)]
    askers[0].start()
    eventually(lambda: State.STOPPING in file.states("a"))
    file.write(a=f"{HELD}\ninstances: 2\nmax_restarts: 3")
    for asker in askers[1:]:
        asker.start()
    for _ in range(2):
        assert told.get(timeout=PATIENCE) == ["the file is about to be read again"]
    assert told.empty()
    Held.free.set()
    # Who was first may be the later to tell it.
    first, second = sorted(told.get(timeout=PATIENCE) for _ in range(2))
    assert first[0].startswith("a: instances 1 -> 2: ")
    assert second == ["a: max_restarts 10 -> 3"]
    for asker in askers:
        asker.join(PATIENCE)


@pytest.mark.usefixtures("impatient")
def test_who_stops_a_runner_meanwhile_is_obeyed(file: File) -> None:
    control = file.busy()
    file.reload(a=f"{HELD}\ninstances: 2")
    control.stop("a")
    Held.free.set()
    eventually(lambda: file.states("a") == [State.STOPPED] * 2)


def test_paused_slices_come_back_paused_and_stopped_ones_stay_stopped(
    file: File,
) -> None:
    control = file.open(a=f"{TAKING}\ninstances: 2", b=TAKING)
    control.start("a")
    control.pause("a")
    eventually(lambda: file.states("a") == [State.PAUSED] * 2)
    put(control, "a")
    lines = file.reload(a=f"{TAKING}\ninstances: 3", b=f"{TAKING}\ninstances: 2")
    assert lines == [
        "a: instances 2 -> 3: stopped all slices, started the new ranges",
        "b: instances 1 -> 2",
    ]
    eventually(lambda: file.states("a") == [State.PAUSED] * 3)
    assert len(control.names("a")) == 1
    assert file.states("b") == [State.STOPPED] * 2
    control.resume("a")
    eventually(lambda: file.states("a") == [State.RUNNING] * 3)
    eventually(lambda: control.names("a") == [])


def test_a_runner_of_another_class_is_stopped_and_started_again(file: File) -> None:
    file.open(a=TAKING).start("a")
    assert file.reload(a=f"{HELD}\nto: out") == [
        "a: class tests.control.site.Taking -> tests.control.site.Held,"
        " to none -> out: stopped, started again"
    ]
    assert file.states("a") == [State.RUNNING]


def test_a_runner_follows_when_it_works_and_its_priority(file: File) -> None:
    control = file.open(a=TAKING)
    control.start("a")
    tests = "when: idle\nidle_when: load < 0,\n  between 22:00 and 06:00"
    [line] = file.reload(a=f"{TAKING}\n{tests}\npriority: low")
    assert line.startswith(
        "a: priority normal -> low,"
        " idle_when none -> load < 0 between 22:00 and 06:00: "
    )
    eventually(lambda: "not idle: load < 0: it is" in row_of(control, "a").note)


def test_a_new_runner_starts_where_all_were_started_and_a_removed_one_stops(
    file: File,
) -> None:
    control = file.open(a=TAKING)
    assert file.reload(a=TAKING, b=TAKING) == ["b: added"]
    control.start_all()
    assert file.reload(b=TAKING, c=TAKING, d=f"{TAKING}\nstart: no") == [
        "a: removed: stopped",
        "c: added: started",
        "d: added",
    ]
    assert [row.name for row in control.scan().rows] == ["b", "c", "d", "shunt", "bad"]
    assert (file.states("c"), file.states("d")) == ([State.RUNNING], [State.STOPPED])
    assert file.reload(b=f"{TAKING}\ninstances: 0", c=TAKING) == [
        "d: removed",
        "b: instances 1 -> 0: stopped all slices",
    ]


def test_a_removed_runner_whose_queue_is_not_empty_leaves_mail_that_is_named(
    file: File,
) -> None:
    control = file.open(a=TAKING, b=TAKING)
    put(control, "a")
    folder = control.configuration.switchboards["a"].queue_directory
    assert control.scan().site.strays == ()
    assert file.reload(b=TAKING) == [f"a: removed: messages wait in {folder}"]
    assert control.scan().site.strays == ("a",)


@pytest.mark.usefixtures("impatient")
def test_a_runner_that_comes_back_starts_when_its_message_is_through(
    file: File,
) -> None:
    file.busy(b=TAKING)
    assert file.reload(b=TAKING) == ["a: removed: stopped after the message in hand"]
    assert file.reload(a=HELD, b=TAKING) == [
        "a: added: started after the message in hand"
    ]
    assert file.states("a") == [State.STOPPING]
    Held.free.set()
    eventually(lambda: file.states("a") == [State.RUNNING])


def test_a_runner_that_was_started_alone_comes_back_too_and_a_stopped_one_does_not(
    file: File,
) -> None:
    control = file.open(a=TAKING, b=TAKING, c=TAKING)
    control.start("a")
    control.start("b")
    control.stop("b")
    file.reload(c=TAKING)
    assert file.reload(a=TAKING, b=TAKING, c=TAKING) == [
        "a: added: started",
        "b: added",
    ]
    assert (file.states("a"), file.states("b")) == ([State.RUNNING], [State.STOPPED])


def test_a_class_that_is_mended_is_started(file: File) -> None:
    control = file.open(a="class: tests.control.site.Takin", b=TAKING)
    assert control.start_all().startswith("started b; a: ")
    assert file.states("a") == [State.IMPORT_ERROR]
    [line] = file.reload(a=TAKING, b=TAKING)
    assert line.endswith("site.Takin -> tests.control.site.Taking: started")
    assert file.states("a") == [State.RUNNING]


def test_a_runner_that_has_failed_is_started_when_it_is_changed(file: File) -> None:
    unwell = "class: tests.control.test_own.Unwell\nmax_restarts: 0"
    control = file.open(a=unwell, b=unwell)
    for name in ("a", "b"):
        control.start(name)
    eventually(lambda: file.states("a") == file.states("b") == [State.FAILED])
    with pytest.raises(RunnerError, match="b is not running"):
        control.stop("b")
    lines = file.reload(a=TAKING, b=TAKING)
    assert [line.endswith(": started") for line in lines] == [True, False]
    assert (file.states("a"), file.states("b")) == ([State.RUNNING], [State.STOPPED])


@pytest.mark.usefixtures("impatient")
def test_a_slice_that_is_stopped_before_it_begins_holds_up_no_other(
    file: File,
) -> None:
    control = file.busy(f"{HELD}\ninstances: 2")
    file.reload(a=f"{HELD}\ninstances: 3")
    assert control.stop("a", 2) == "a, slice 2:3, stopped"
    Held.free.set()
    wanted = [State.RUNNING, State.RUNNING, State.STOPPED]
    eventually(lambda: file.states("a") == wanted)


def test_new_ranges_that_somebody_holds_are_taken_when_they_are_free(
    file: File,
) -> None:
    control = file.open(a=TAKING)
    assert file.reload(a=f"{TAKING}\ninstances: 2") == ["a: instances 1 -> 2"]
    part = control.configuration.slices("a")[1]
    queue = control.configuration.switchboards["a"].for_slice(part)
    with queue.claim("a test"):
        assert control.start("a", waits=True).startswith(
            "a: 1 of 2 slices started; a waits: a, slice 1:2, is claimed by "
        )
        [line] = file.reload(a=f"{TAKING}\ninstances: 2\nhonours_due: yes")
        assert ": stopped; waits: a, slice 1:2, is claimed by " in line
        row = row_of(control, "a")
        assert (row.waits, row.refusal) == (True, "")
        assert "slice 1:2 claimed, 1 running: waits for pid " in row.note
        assert control.stop("a") == "a: all 2 slices stopped"
        assert not row_of(control, "a").waits
        eventually(lambda: file.states("a")[0] is State.STOPPED)
        control.start_all()
    eventually(lambda: file.states("a") == [State.RUNNING] * 2)


def test_what_concerns_all_queues_starts_all_runners_again(file: File) -> None:
    control = file.open(a=TAKING)
    control.start("a")
    file.broken(f"{SITE}dialect: text\nview_slices: 32\n[runner.a]\n{TAKING}\n")
    assert control.reload() == [
        "view_slices 16 -> 32",
        "dialect object -> text",
        "a: stopped, started again",
    ]


def test_a_filter_that_is_saved_is_there_at_once(file: File) -> None:
    control = file.open(a=TAKING)
    runner = f"{SITE}[runner.a]\n{TAKING}\n"
    file.broken(f"{runner}[filter.old]\nwhere: age>3d\n")
    assert control.reload() == ["filters none -> @old (age>3d)"]
    assert control.find("a", "@old").complete


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[qtool]\nroot: queues\n[runner.a]\ninstances: some\n",
         "[runner.a] instances: expected a whole number"),
        ("[qtool]\nroot: queues\n[runner.a]\n[filter.b]\nwhere: a @c\n",
         "[filter.b] where: filter, at character 3: expected one of @b"),
        ("[qtool]\nroot: elsewhere\n", "root is "),
        ("nonsense", ""),
    ],
)  # fmt: skip
def test_a_wrong_file_changes_nothing(file: File, text: str, line: str) -> None:
    control = file.open(a=TAKING)
    control.start("a")
    before = control.configuration.settings
    name = file.broken(text)
    with pytest.raises((SettingsError, Refused)) as caught:
        control.reload()
    assert str(caught.value).startswith(f"{name}")
    assert line in str(caught.value)
    assert control.configuration.settings is before
    assert file.states("a") == [State.RUNNING]


def test_a_folder_of_queues_has_no_file_to_read_again(tmp_path: Path) -> None:
    control = open_site(root=tmp_path)
    with pytest.raises(Refused, match="no configuration file to read again: --root"):
        control.reload()
    control.close()
