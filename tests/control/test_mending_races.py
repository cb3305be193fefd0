"""Acts on entries when others act too, and when the machine or the records fail."""

from __future__ import annotations

import json
import multiprocessing
import os
import shlex
import subprocess
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import pytest

from qtool.control.acts import mender, swapping
from qtool.control.acts.journal import Journal
from qtool.control.acts.plans import mark_of
from qtool.control.acts.records import Record, begin_lines
from qtool.control.acts.undoing import ways_back
from qtool.engine.runner import Runner
from qtool.errors import NoSuchAct, NoSuchEntry, NoSuchQueue, Refused
from qtool.qfile import message_from_bytes
from tests.commands.program import QTOOL
from tests.control.site import MAIL, PATIENCE, configuration, eventually, open_site
from tests.control.test_mending import content, files, folder, put
from tests.rights import open_folder, powerless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import Message

    from qtool.control.control import Control
    from qtool.control.models import ActionResult
    from qtool.lists import MailingList

T = TypeVar("T")

TEXT = configuration(**{"in": "", "out": "", "later": ""})


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    control = open_site(tmp_path, TEXT)
    yield control
    control.close()


def journal_of(control: Control) -> Path:
    return control.configuration.state_directory / "journal"


def everywhere(control: Control) -> list[str]:
    """Names of all files of messages, in whatever folder they are."""
    root = control.configuration.state_directory.parent
    return sorted(path.stem for path in root.rglob("*+*"))


# --- Entries that vanish


def test_what_vanishes_after_the_preview_is_named_and_the_rest_is_done(
    control: Control,
) -> None:
    names = put(control, "shunt", 4, whichq="in")
    token = control.preview("unshunt", "shunt", "all").token
    (folder(control, "shunt") / f"{names[1]}.pck").unlink()
    result = control.confirm(token)
    assert result.done == (names[0], names[2], names[3])
    [missed] = result.skipped
    assert missed.filebase == names[1]
    assert "is not there any more" in missed.reason
    assert result.failed == ()


def test_an_edit_of_what_was_taken_meanwhile_is_skipped(control: Control) -> None:
    [name] = put(control, "in")
    msgdata = dict(control.entry("in", name).msgdata)
    queue = control.configuration.switchboards["in"]
    queue.dequeue(name)
    result = control.edit("in", name, {**msgdata, "colour": "red"})
    assert (result.done, result.number) == ((), 0)
    assert "in flight" in result.skipped[0].reason
    assert control.trash() == []


# --- Folders that may not be written


@pytest.mark.parametrize("closed", ["out", "in"])
def test_a_folder_that_may_not_be_written_is_named_and_nothing_is_moved(
    closed: str,
) -> None:
    with open_folder() as place:
        place.chmod(0o777)
        with powerless():
            control = open_site(place, TEXT)
            names = put(control, "in", 3)
            token = control.preview("move", "in", "all", to="out").token
            folder(control, closed).chmod(0o555)
            result = control.confirm(token)
            assert result.done == ()
            assert [each.filebase for each in result.failed] == names[:1]
            refusal = f"{folder(control, closed)}: Permission denied"
            assert result.failed[0].reason == refusal
            assert [each.filebase for each in result.skipped] == names[1:]
            assert result.skipped[0].reason == f"not tried after: {refusal}"
            assert files(control, "in") == sorted(f"{name}.pck" for name in names)
            folder(control, closed).chmod(0o755)
            with pytest.raises(Refused, match="no act of yours"):
                control.undo()
            control.close()


def test_where_nothing_can_be_put_on_record_nothing_is_done() -> None:
    with open_folder() as place:
        place.chmod(0o777)
        with powerless():
            control = open_site(place, TEXT)
            [name] = put(control, "in")
            control.hold("in", name)
            control.release("in", name)
            for path in (journal_of(control), journal_of(control).parent):
                path.chmod(0o555)
            with pytest.raises((OSError, Refused)):
                control.discard("in", name)
            assert files(control, "in") == [f"{name}.pck"]
            for path in (journal_of(control).parent, journal_of(control)):
                path.chmod(0o755)
            assert list(journal_of(control).glob("*.new")) == []
            control.close()


# --- A full disk


def test_where_a_file_gets_too_large_the_rest_is_left_and_all_can_be_taken_back(
    control: Control, tmp_path: Path
) -> None:
    """By the program: what it has done by then is told, and the rest by name."""
    msg = message_from_bytes(MAIL + b"x" * 200_000)
    large, before = control.configuration.shunt, put(control, "shunt", 2, whichq="in")
    before.append(large.enqueue(msg, whichq="in"))
    before += put(control, "shunt", 2, whichq="in")
    was = content(control, "shunt")
    (tmp_path / "qtool.cfg").write_text(TEXT)
    token = control.preview("unshunt", "shunt", "all").token
    limited = "ulimit -f 100; exec "  # blocks of 512 or 1024 bytes
    words = [str(QTOOL), "unshunt", "--config", str(tmp_path / "qtool.cfg"), "--json"]
    ended = subprocess.run(
        ["/bin/sh", "-c", limited + shlex.join([*words, "--yes", token])],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 3, ended.stderr
    assert "Traceback" not in ended.stderr
    result = json.loads(ended.stdout)
    assert result["done"] == before[:2]
    assert [each["filebase"] for each in result["failed"]] == [before[2]]
    assert result["failed"][0]["reason"] == "File too large"
    assert [each["filebase"] for each in result["skipped"]] == before[3:]
    assert result["skipped"][0]["reason"] == "not tried after: File too large"
    assert everywhere(control) == sorted(before)
    assert control.undo().done == tuple(before[:2])
    assert content(control, "shunt").keys() == was.keys()
    assert everywhere(control) == sorted(before)


def test_of_two_who_take_an_edit_back_at_once_one_takes_it_back(
    control: Control, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [name] = put(control, "in", number=1)
    before = control.entry("in", name).msgdata
    number = control.edit("in", name, {**before, "number": 2}).number
    other = open_site(tmp_path, TEXT)

    def together(call: Callable[[Any], Any]) -> Callable[[Any], Any]:
        both = threading.Barrier(2, timeout=PATIENCE)

        def made(given: Any) -> Any:
            value = call(given)
            both.wait()
            return value

        return made

    monkeypatch.setattr(mender, "ways_back", together(ways_back))
    monkeypatch.setattr(swapping, "mark_of", together(mark_of))
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda each: each.undo(number), (control, other)))
    assert control.entry("in", name).msgdata == before
    assert sorted(len(result.done) for result in results) == [0, 1]
    other.close()


# --- Records that are damaged, or none

NONE = Record(
    number=0, verb="move", queue="in", to="out", at=1.0, uid=0, who="", why="",
    moves=(),
)  # fmt: skip
DAMAGED = {
    "empty": b"",
    "no json": b"what?\n",
    "no object": b"[1]\n",
    "a newer one": b'{"version": 99}\n',
    "nested": b"[" * 100_000,
    "too little": b'{"version": 1, "verb": "move"}\n',
    "of other types": b'{"version": 1, "verb": 7, "queue": [], "to": "", "at": 1,'
    b' "uid": 0, "who": "", "why": "", "undoes": 0, "moves": []}\n',
    "no time": b'{"version": 1, "verb": "move", "queue": "in", "to": "", "at": 1e99,'
    b' "uid": 0, "who": "", "why": "", "undoes": 0, "moves": []}\n',
    "no number": begin_lines(NONE) + b'{"done": Infinity, "left": 0}\n',
    "less than none": begin_lines(NONE) + b'{"done": 1, "left": -1}\n',
    "no moves": b'{"version": 1, "verb": "move", "queue": "in", "to": "", "at": 1,'
    b' "uid": 0, "who": "", "why": "", "undoes": 0, "moves": ["x"]}\n',
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_record_is_named_and_the_other_acts_go_on(
    control: Control, damage: bytes
) -> None:
    [name] = put(control, "in")
    control.move("in", name, "out")
    (journal_of(control) / "2.jsonl").write_bytes(damage)
    damaged, whole = control.acts()
    assert (damaged.number, whole.number) == (2, 1)
    assert "2.jsonl cannot be read" in damaged.damage
    with pytest.raises(NoSuchAct, match=r"2\.jsonl cannot be read"):
        control.undo(2)
    with pytest.raises(NoSuchAct, match=r"2\.jsonl cannot be read"):
        control.undo_question(2)
    result = control.undo()
    assert result.done == (name,)
    assert "passed over act 2" in result.note
    assert control.discard("in", name).number == 4


def test_moves_that_are_damaged_are_named_when_they_are_asked_for(
    control: Control,
) -> None:
    one, two = put(control, "in", 2)
    control.move("in", one, "out")
    control.move("in", two, "out")
    path = journal_of(control) / "2.jsonl"
    head, _moves, end = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(head + b'[["in", 7]]\n' + end)
    assert [act.done for act in control.acts()] == [1, 1]
    with pytest.raises(NoSuchAct, match=r"2\.jsonl cannot be read"):
        control.undo(2)
    result = control.undo()
    assert result.done == (one,)
    assert "passed over act 2" in result.note


def test_strangers_in_the_journal_are_left_alone(control: Control) -> None:
    [name] = put(control, "in")
    control.move("in", name, "out")
    place = journal_of(control)
    strangers = [
        "notes.txt", "x.jsonl", "007.jsonl", "0.jsonl", "-1.jsonl", ".jsonl",
        "1.jsonl.gz", "\u0663.jsonl", "1e3.jsonl", "5.jsonl.jsonl",
    ]  # fmt: skip
    for stranger in strangers:
        (place / stranger).write_bytes(b"mine")
    (place / "2.jsonl").mkdir()
    os.mkfifo(place / "3.jsonl")
    (place / "4.jsonl").symlink_to(place / "1.jsonl")
    (place / "5.jsonl").write_bytes(b"")
    assert [act.number for act in control.acts() if not act.damage] == [1]
    assert [act.number for act in control.acts()] == [5, 4, 3, 2, 1]
    os.truncate(place / "5.jsonl", 1 << 36)  # more than fits into any memory
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    assert len(control.acts()) == 5
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before
    assert control.undo().done == (name,)
    assert control.hold("in", name).number == 7
    assert all((place / stranger).read_bytes() == b"mine" for stranger in strangers)


def test_what_was_written_before_a_kill_is_removed_and_nothing_else(
    control: Control,
) -> None:
    [name] = put(control, "in")
    control.hold("in", name)
    names = (f"7-{'0' * 12}.new", f"8-{'0' * 12}.new", "x.new")
    dead, young, stranger = (journal_of(control) / each for each in names)
    for path in (dead, young, stranger):
        path.touch()
    os.utime(dead, (1, 1))
    os.utime(stranger, (1, 1))
    control.release("in", name)
    assert not dead.exists()
    assert young.exists()
    assert stranger.exists()


def test_a_token_that_is_damaged_or_foreign_is_refused(control: Control) -> None:
    names = put(control, "in", 2)
    place = control.configuration.state_directory / "tokens"
    for damage in (b"", b"[]", b"{}", b"7", b'{"uid": 0}', b"\xff", b"[" * 100_000):
        token = control.preview("discard", "in", "all").token
        whole = json.loads((place / token).read_bytes())
        (place / token).write_bytes(damage)
        with pytest.raises(Refused, match="look again"):
            control.confirm(token)
        for key, value in (
            ("uid", "0"), ("expires", "x"), ("filebases", [7]), ("verb", None),
            ("filebases", 7), ("expires", None),
        ):  # fmt: skip
            (place / token).write_text(json.dumps({**whole, key: value}))
            with pytest.raises(Refused, match=r"look again|another user"):
                control.confirm(token)
    (place / ("a" * 10)).mkdir()
    with pytest.raises(Refused, match="cannot be read"):
        control.confirm("a" * 10)
    os.utime(place / ("a" * 10), (1, 1))
    assert control.preview("discard", "in", "all").count == 2
    assert files(control, "in") == sorted(f"{name}.pck" for name in names)


def test_a_token_for_a_place_that_is_gone_is_refused(tmp_path: Path) -> None:
    control = open_site(tmp_path, TEXT)
    put(control, "in", 2)
    token = control.preview("move", "in", "all", to="later").token
    control.close()
    other = open_site(tmp_path, configuration(**{"in": "", "out": ""}))
    with pytest.raises(NoSuchQueue, match="there is no queue 'later'"):
        other.confirm(token)
    assert len(files(other, "in")) == 2
    other.close()


@pytest.mark.parametrize("number", ["0", "01", "9" * 19, "9" * 5000, "x", "-1", "¹"])
def test_the_trash_of_an_act_has_one_name(control: Control, number: str) -> None:
    [name] = put(control, "in")
    control.discard("in", name)
    queue = f"trash:{number}"
    with pytest.raises(NoSuchQueue):
        control.entries(queue)
    for verb in ("requeue", "empty"):
        with pytest.raises((NoSuchQueue, Refused)):
            control.preview(verb, queue, "all")


def test_an_act_whose_queue_is_gone_is_undone_as_far_as_can_be(tmp_path: Path) -> None:
    control = open_site(tmp_path, TEXT)
    [name] = put(control, "later")
    control.move("later", name, "out")
    control.close()
    other = open_site(tmp_path, configuration(**{"in": "", "out": ""}))
    result = other.undo()
    assert result.done == ()
    assert "there is no queue 'later'" in result.failed[0].reason
    assert files(other, "out") == [f"{name}.pck"]
    other.close()


# --- Acts that are cut off, or under way


def cut_off(control: Control, number: int) -> None:
    path = journal_of(control) / f"{number}.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))


def test_an_undo_of_a_cut_off_act_tells_what_had_not_been_moved(
    control: Control,
) -> None:
    one, two = put(control, "in", 2)
    token = control.preview("move", "in", "all", to="out").token
    number = control.confirm(token).number
    (folder(control, "out") / f"{two}.pck").rename(folder(control, "in") / f"{two}.pck")
    cut_off(control, number)
    [act] = control.acts()
    assert (act.done, act.is_under_way) == (None, False)
    result = control.undo()
    assert result.done == (one,)
    assert result.skipped[0].reason == f"{two} is in in already"


def test_an_undo_gives_back_what_an_entry_lost_that_was_not_moved(
    control: Control,
) -> None:
    """Its process was killed between the two: the entry was in its hand."""
    [name] = put(control, "shunt", whichq="in", shunt_error="ValueError: x")
    before = control.configuration.shunt.peek(name).msgdata
    number = control.unshunt(name).number
    there = folder(control, "in") / f"{name}.pck"
    there.rename(folder(control, "shunt") / f"{name}.edit")
    cut_off(control, number)
    assert control.undo().done == (name,)
    assert control.configuration.shunt.peek(name).msgdata == before
    assert everywhere(control) == [name]


def test_an_act_under_way_is_shown_so_and_cannot_be_undone(control: Control) -> None:
    [name] = put(control, "in")
    control.move("in", name, "out")
    journal = Journal(control.configuration.state_directory)
    with journal.begin(journal.read(1)) as begun:
        assert [act.is_under_way for act in control.acts()] == [True, False]
        with pytest.raises(Refused, match="act 2 is under way"):
            control.undo()
        begun.end([])
        assert [act.done for act in control.acts()] == [0, 1]
    assert not any(act.is_under_way for act in control.acts())


# --- A runner that works meanwhile


class Counting(Runner):
    """Notes which message it has had, and which edits were in it.

    It takes the next one while the operator acts.
    """

    seen: ClassVar[list[tuple[int, tuple[int, ...]]]] = []
    turns: ClassVar[threading.Semaphore]

    def _dispose(
        self, mlist: MailingList | None, msg: Message, msgdata: dict[str, Any]
    ) -> bool:
        assert self.turns.acquire(timeout=PATIENCE)
        self.seen.append((msgdata["n"], tuple(msgdata.get("edits", ()))))
        return False


def test_a_runner_that_works_meanwhile_gets_each_message_once_as_it_was_told(
    tmp_path: Path,
) -> None:
    counting = f"class: {__name__}.Counting"
    control = open_site(tmp_path, configuration(**{"in": counting, "out": ""}))
    Counting.seen.clear()
    Counting.turns = threading.Semaphore(0)
    told: dict[int, list[int]] = {n: [] for n in range(30)}
    for n in told:
        put(control, "in", n=n)
    control.start("in")

    def edit(number: int) -> None:
        for name in control.configuration.switchboards["in"].files[-3:]:
            view = control.entry("in", name)
            msgdata = dict(view.msgdata)
            if "n" not in msgdata:
                continue  # it was gone before it was looked at
            edits = [*msgdata.get("edits", []), number]
            Counting.turns.release()
            result = control.edit("in", name, {**msgdata, "edits": edits})
            if result.done:
                told[msgdata["n"]].append(number)
            assert result.failed == ()

    rounds, moves = count(), []

    def is_over() -> bool:
        with suppress(NoSuchEntry):
            edit(next(rounds))
        preview = control.preview("move", "in", "all", to="out")
        if preview.count:
            Counting.turns.release()
            moved = control.confirm(preview.token)
            assert moved.failed == ()
            if moved.done:
                Counting.turns.release()
                assert control.undo(moved.number).done == moved.done
                moves.append(len(moved.done))
        else:  # the last ones are in hand
            Counting.turns.release()
        return len(Counting.seen) >= len(told)

    eventually(is_over)
    control.close()
    assert moves
    assert any(told.values())
    assert sorted(n for n, _ in Counting.seen) == sorted(told)
    assert {n: list(edits) for n, edits in Counting.seen} == told
    assert files(control, "in") == files(control, "out") == []


# --- Several processes


def _confirmed(place: Path, token: str) -> ActionResult:
    control = open_site(place, TEXT)
    try:
        return control.confirm(token)
    finally:
        control.close()


def _moved_to_and_fro(place: Path, name: str) -> tuple[set[int], int, int]:
    """Move one entry as often as others let it be; return the numbers of the acts."""
    control = open_site(place, TEXT)
    numbers, done, missed = set[int](), 0, 0
    for _ in range(30):
        for here, there in (("in", "out"), ("out", "in")):
            result = control.move(here, name, there)
            numbers |= {result.number} - {0}
            done += len(result.done)
            missed += len(result.skipped) + len(result.failed)
    control.close()
    return numbers, done, missed


def _in_processes(act: Callable[..., T], *arguments: tuple[object, ...]) -> list[T]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(arguments), context) as pool:
        return [each.result() for each in [pool.submit(act, *a) for a in arguments]]


@pytest.mark.long
def test_of_processes_with_overlapping_lists_each_entry_obeys_one(
    control: Control, tmp_path: Path
) -> None:
    names = put(control, "in", 300)
    tokens = [
        control.preview("move", "in", filebases=tuple(names[:200]), to="out").token,
        control.preview("discard", "in", filebases=tuple(names[100:])).token,
        control.preview("hold", "in", filebases=tuple(names[50:250])).token,
    ]
    results = _in_processes(_confirmed, *((tmp_path, token) for token in tokens))
    assert len({result.number for result in results}) == 3
    done = [name for result in results for name in result.done]
    assert sorted(done) == sorted(set(names))
    assert not any(result.failed for result in results)
    assert sum(len(result.skipped) for result in results) == 600 - 300
    assert everywhere(control) == sorted(names)
    # The slowest may have found each of its entries taken.
    for result in (result for result in results if result.done):
        assert set(control.undo(result.number).done) == set(result.done)
    assert len(files(control, "in")) == 300


@pytest.mark.long
def test_processes_that_act_on_one_entry_never_lose_or_double_it(
    control: Control, tmp_path: Path
) -> None:
    [name] = put(control, "in")
    before = content(control, "in")
    told = _in_processes(_moved_to_and_fro, (tmp_path, name), (tmp_path, name))
    numbers = [number for each, _, _ in told for number in each]
    assert len(set(numbers)) == len(numbers)
    assert all(done + missed == 60 for _, done, missed in told)
    assert {**content(control, "in"), **content(control, "out")} == before
    assert everywhere(control) == [name]


def test_what_an_act_takes_from_metadata_is_taken_from_those_of_that_moment(
    control: Control,
) -> None:
    [name] = put(control, "shunt", whichq="in")
    queues = control.configuration.switchboards
    shunt, here = control.configuration.shunt, queues["in"]

    def without_origin(held: dict[str, object]) -> dict[str, object]:
        return {key: value for key, value in held.items() if key != "whichq"}

    shunt.rewrite(name, {**shunt.peek(name).msgdata, "colour": "red"})
    shunt.transfer(name, here, msgdata=without_origin)
    msgdata = here.peek(name).msgdata
    assert msgdata["colour"] == "red"
    assert "whichq" not in msgdata


def test_an_undo_that_left_some_can_be_done_again(control: Control) -> None:
    one, two = put(control, "in", 2)
    control.confirm(control.preview("move", "in", "all", to="out").token)
    stranger = folder(control, "in") / f"{two}.pck"
    stranger.write_bytes(b"mine")
    first = control.undo()
    assert (first.done, first.failed[0].filebase) == ((one,), two)
    stranger.unlink()
    second = control.undo()
    assert second.done == (two,)
    assert "already" in second.skipped[0].reason
    assert [act.undone_by for act in control.acts()] == [0, 0, 3]
    assert everywhere(control) == sorted([one, two])
