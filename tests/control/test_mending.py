"""Acts on entries: each is one rename, on record, and can be taken back."""

from __future__ import annotations

import os
import stat
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qtool.control.acting import Actor, acting_as
from qtool.control.acts.journal import Journal
from qtool.control.acts.tokens import LIFE_SECONDS, Plan, Tokens
from qtool.control.control import READ_ONLY, Control
from qtool.control.opening import opened
from qtool.control.paging import previewed
from qtool.control.serving.client import Attached
from qtool.control.serving.link import Link
from qtool.control.serving.server import Server
from qtool.errors import NoSuchAct, NoSuchQueue, ReadOnly, Refused
from qtool.installation import Configuration
from qtool.qfile import message_from_bytes, read
from qtool.queues.filebase import digest_of, when_of
from qtool.settings import from_root
from tests.control.site import MAIL, configuration, open_site
from tests.control.test_gate import everything

if TYPE_CHECKING:
    from collections.abc import Iterator

QFILES = Path(__file__).parents[1] / "fixtures" / "qfiles"
TEXT = configuration(**{"in": "", "out": "", "later": "honours_due: yes"})


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    control = open_site(tmp_path, TEXT)
    yield control
    control.close()


def put(control: Control, queue: str, count: int = 1, **msgdata: object) -> list[str]:
    """Put messages into a queue; return their filebases, oldest first."""
    msg = message_from_bytes(MAIL)
    switchboard = control.configuration.switchboards[queue]
    return [switchboard.enqueue(msg, msgdata) for _ in range(count)]


def folder(control: Control, queue: str) -> Path:
    return control.configuration.switchboards[queue].queue_directory


def files(control: Control, queue: str) -> list[str]:
    return sorted(path.name for path in folder(control, queue).iterdir())


def content(control: Control, queue: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder(control, queue).iterdir()}


def as_another(uid: int = 12345) -> Actor:
    return Actor(uid=uid, pid=0)


# --- One entry


def test_what_is_held_is_in_no_queue_and_comes_back_as_it_was(control: Control) -> None:
    [name] = put(control, "in", colour="red")
    before = content(control, "in")
    assert control.hold("in", name).done == (name,)
    assert files(control, "in") == []
    assert [entry.filebase for entry in control.entries("held:in")] == [name]
    row = control.scan().row("in")
    assert row is not None
    assert (row.depth, row.held) == (0, 1)
    assert control.release("in", name).done == (name,)
    assert content(control, "in") == before


def test_a_moved_entry_keeps_its_name_and_its_bytes(control: Control) -> None:
    [name] = put(control, "in")
    before = content(control, "in")
    result = control.move("in", name, "out", why="wrong queue")
    assert (result.done, result.to, result.skipped, result.failed) == (
        (name,), "out", (), (),
    )  # fmt: skip
    assert files(control, "in") == []
    assert content(control, "out") == before


def test_a_requeued_entry_has_the_time_of_now_and_its_slice(control: Control) -> None:
    in_a_week = control.clock() + 7 * 86400
    [name] = put(control, "later", deliver_after=in_a_week)
    assert when_of(name) > control.clock()
    assert control.requeue("later", name).done == (name,)
    [new] = control.configuration.switchboards["later"].files
    assert digest_of(new) == digest_of(name)
    assert when_of(new) <= control.clock()
    control.undo()
    assert control.configuration.switchboards["later"].files == [name]


def test_a_discarded_entry_is_in_the_trash_of_its_act(control: Control) -> None:
    [name] = put(control, "in")
    before = content(control, "in")
    number = control.discard("in", name, why="spam").number
    assert files(control, "in") == []
    [heap] = control.trash()
    assert (heap.number, heap.queue, heap.count) == (number, "in", 1)
    assert [entry.filebase for entry in control.entries(f"trash:{number}")] == [name]
    assert control.undo().done == (name,)
    assert content(control, "in") == before
    assert control.trash() == []


def test_an_unshunted_entry_goes_back_without_what_shunting_added(
    control: Control,
) -> None:
    [name] = put(
        control, "shunt", whichq="out", shunt_error="ValueError: x", colour="red"
    )
    before = content(control, "shunt")
    assert control.unshunt(name).done == (name,)
    held = read(folder(control, "out") / f"{name}.pck")
    assert "whichq" not in held.msgdata
    assert "shunt_error" not in held.msgdata
    assert held.msgdata["colour"] == "red"
    control.undo()
    back = read(folder(control, "shunt") / f"{name}.pck")
    assert content(control, "out") == {}
    assert back.msgdata["whichq"] == "out"
    assert back.msgdata["shunt_error"] == "ValueError: x"
    assert back.message_bytes == next(iter(before.values()))[: len(back.message_bytes)]


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({}, "no whichq says which queue it was in"),
        ({"whichq": "nowhere"}, "whichq names no queue of this site: 'nowhere'"),
        ({"whichq": "../in"}, "whichq names no queue of this site: '../in'"),
        ({"whichq": 7}, "whichq is no name of a queue"),
        ({"whichq": "shunt"}, "whichq names no queue of this site: 'shunt'"),
    ],
)
def test_unshunting_asks_for_the_queue_where_none_is_known(
    control: Control, named: dict[str, Any], told: str
) -> None:
    [name] = put(control, "shunt", **named)
    result = control.unshunt(name)
    assert (result.done, result.number) == ((), 0)
    assert result.failed[0].reason == f"{told}: name one (--to QUEUE)"
    assert control.unshunt(name, to="in").done == (name,)
    assert files(control, "in") == [f"{name}.pck"]


def test_what_goes_back_to_several_queues_is_told_queue_by_queue(
    control: Control,
) -> None:
    for target in ("out", "in", "out", "nowhere"):
        put(control, "shunt", whichq=target)
    seen = control.preview("unshunt", "shunt", "all")
    assert seen.warnings[:2] == ("1 would go to in", "2 would go to out")
    assert control.confirm(seen.token).note == "1 went to in; 2 went to out"
    [left] = control.names("shunt")
    assert not control.unshunt(left.removesuffix(".pck"), to="in").note


def test_a_restored_entry_waits_again_and_starts_at_zero(control: Control) -> None:
    [name] = put(control, "in")
    queue = control.configuration.switchboards["in"]
    queue.dequeue(name)
    queue.finish(name, preserve=True, reason="it was odd")
    assert files(control, "bad") == [f"{name}.psv"]
    assert "name one" in control.restore(name).failed[0].reason
    assert control.restore(name, to="in").done == (name,)
    assert files(control, "in") == [f"{name}.pck"]
    control.undo()
    assert files(control, "bad") == [f"{name}.psv"]


def test_what_cannot_be_read_is_restored_to_a_queue_that_is_named(
    control: Control,
) -> None:
    name = f"1795000000.5+{'a' * 40}"
    folder = control.configuration.switchboards["bad"].queue_directory
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.psv").write_bytes(b"nothing")
    reason = control.restore(name).failed[0].reason
    assert reason.endswith("says which queue it was in: name one (--to QUEUE)")
    assert control.restore(name, to="in").done == (name,)
    assert content(control, "in") == {f"{name}.pck": b"nothing"}


def test_what_cannot_be_read_can_be_moved_and_discarded_all_the_same(
    control: Control,
) -> None:
    [name] = put(control, "in")
    path = folder(control, "in") / f"{name}.pck"
    path.write_bytes(b"no pickle")
    assert control.move("in", name, "out").done == (name,)
    assert control.discard("out", name).done == (name,)
    control.undo()
    assert content(control, "out") == {path.name: b"no pickle"}


def test_an_entry_in_flight_is_left_alone_and_named(control: Control) -> None:
    [name] = put(control, "in")
    control.configuration.switchboards["in"].dequeue(name)
    for result in (
        control.discard("in", name),
        control.hold("in", name),
        control.move("in", name, "out"),
    ):
        assert result.done == ()
        assert [missed.filebase for missed in result.skipped] == [name]
        assert "in flight" in result.skipped[0].reason
    assert files(control, "in") == [f"{name}.bak"]


def test_nothing_is_replaced(control: Control) -> None:
    [name] = put(control, "in")
    other = folder(control, "out") / f"{name}.pck"
    other.write_bytes(b"mine")
    result = control.move("in", name, "out")
    assert "is there already" in result.failed[0].reason
    assert files(control, "in") == [f"{name}.pck"]
    assert other.read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("verb", "queue", "to", "reason"),
    [
        ("move", "in", "", "needs the queue"),
        ("move", "in", "in", "already"),
        ("move", "in", "held:in", "is no queue"),
        ("hold", "in", "out", "goes nowhere else"),
        ("hold", "held:in", "", "held already"),
        ("hold", "trash:1", "", "can be moved to a queue, or undone"),
        ("discard", "trash:1", "", "can be moved to a queue, or undone"),
        ("requeue", "trash:1", "", "can be moved to a queue, or undone"),
        ("burn", "in", "", "there is no act"),
        ("empty", "in", "", "is no trash"),
    ],
)
def test_a_plan_without_sense_is_refused(
    control: Control, verb: str, queue: str, to: str, reason: str
) -> None:
    put(control, "in")
    with pytest.raises(Refused, match=reason):
        control.preview(verb, queue, "all", to=to)


def test_a_place_that_does_not_exist_is_refused(control: Control) -> None:
    for queue in ("nowhere", "held:nowhere", "trash:x", "trash:../in", "held:../in"):
        with pytest.raises(NoSuchQueue):
            control.preview("discard", queue, "all")


# --- Many


def test_a_token_stands_for_exactly_what_was_shown(control: Control) -> None:
    names = put(control, "in", 30)
    preview = control.preview("discard", "in", "all")
    assert preview.count == 30
    assert preview.oldest == when_of(names[0])
    assert [entry.filebase for entry in preview.first] == names[:25]
    [late] = put(control, "in")
    gone = folder(control, "in") / f"{names[3]}.pck"
    gone.unlink()
    result = control.confirm(preview.token, "spam")
    assert set(result.done) == set(names) - {names[3]}
    assert [missed.filebase for missed in result.skipped] == [names[3]]
    assert files(control, "in") == [f"{late}.pck"]


def test_a_filter_selects(control: Control) -> None:
    put(control, "in", 3, listid="ant.example.com")
    bees = put(control, "in", 2, listid="bee.example.com")
    preview = control.preview("hold", "in", "list:bee")
    assert (preview.count, [e.filebase for e in preview.first]) == (2, bees)
    assert set(control.confirm(preview.token).done) == set(bees)


def test_names_select_too_each_once(control: Control) -> None:
    one, two, _three = put(control, "in", 3)
    preview = control.preview("hold", "in", filebases=(one, two, one))
    assert preview.count == 2


def test_everything_has_to_be_said(control: Control) -> None:
    put(control, "in", 2)
    with pytest.raises(Refused, match="say which"):
        control.preview("discard", "in")


def test_a_preview_says_what_stands_in_the_way(control: Control) -> None:
    put(control, "shunt", 2, whichq="in")
    put(control, "shunt", 3)
    preview = control.preview("unshunt", "shunt", "all")
    assert preview.count == 5
    assert preview.warnings[0] == "2 would go to in"
    assert preview.warnings[1].startswith("3 will be left")


@pytest.mark.parametrize("is_served", [False, True])
def test_who_may_change_nothing_still_sees_what_an_act_would_do(
    control: Control, tmp_path: Path, is_served: bool
) -> None:
    put(control, "in", 30)
    [one] = put(control, "shunt")
    asked = [("discard", "in", "all", ""), ("move", "in", "age>=0s", "out")]
    expected = [control.preview(*each[:3], to=each[3]) for each in asked]
    before = acts_on_record(tmp_path)
    with looking(control, is_served=is_served) as looker:
        for (verb, queue, where, to), preview in zip(asked, expected, strict=True):
            with pytest.raises(ReadOnly):
                looker.preview(verb, queue, where, to=to)
            seen = previewed(looker, verb, queue, where, to=to)
            assert seen == replace(preview, token="", refusal=READ_ONLY)
        seen = previewed(looker, "unshunt", "shunt", filebases=(one, one))
        assert (seen.count, seen.token) == (1, "")
        assert seen.refusal == "nothing can be done to any of them"
    assert acts_on_record(tmp_path) == before


def acts_on_record(folder: Path) -> dict[str, tuple[int, ...]]:
    """All that is there but the cache, which is no act's."""
    found = everything(folder).items()
    return {path: facts for path, facts in found if "/cache.sqlite3" not in path}


@contextmanager
def looking(control: Control, *, is_served: bool) -> Iterator[Control]:
    """The same site, read-only: in this process, or over the socket."""
    site = Configuration(control.configuration.settings)
    if not is_served:
        looker = Control(site, read_only=True)
        yield looker
        looker.close()
        return
    with tempfile.TemporaryDirectory(prefix="q-") as name:
        server = Server(control, Path(name) / "s.sock")
        link = Link(server.path, control.configuration.settings.queue_root)
        looker = Attached(site, link, read_only=True)
        yield looker
        looker.close()
        server.close()


def test_a_token_is_good_once_for_an_hour_and_for_its_user(
    control: Control, tmp_path: Path
) -> None:
    put(control, "in", 2)
    token = control.preview("hold", "in", "all").token
    with acting_as(as_another()), pytest.raises(Refused, match="another user"):
        control.confirm(token)
    assert len(control.confirm(token).done) == 2
    with pytest.raises(Refused, match="was used"):
        control.confirm(token)
    for nonsense in ("", "../../x", "a" * 10):
        with pytest.raises(Refused, match="is no token"):
            control.confirm(nonsense)
    now = [1000.0]
    tokens = Tokens(tmp_path / "state", lambda: now[0])
    token = tokens.issue(Plan(verb="hold", queue="in", to="", filebases=("x",)), 1)
    now[0] += LIFE_SECONDS
    with pytest.raises(Refused, match="expired"):
        tokens.redeem(token, 1)


def test_a_token_does_no_other_act_than_the_one_it_is_confirmed_for(
    control: Control,
) -> None:
    names = put(control, "in", 2)
    token = control.preview("move", "in", "all", to="out").token
    for verb, queue, to in (
        ("discard", "in", ""), ("move", "out", ""), ("move", "in", "shunt"),
    ):  # fmt: skip
        with pytest.raises(Refused, match="is for another act: move in to out"):
            control.confirm(token, verb=verb, queue=queue, to=to)
    assert files(control, "in") == sorted(f"{name}.pck" for name in names)
    assert len(control.confirm(token, verb="move", queue="in", to="out").done) == 2


def test_blanks_select_nothing(control: Control) -> None:
    put(control, "in", 2)
    with pytest.raises(Refused, match="say which"):
        control.preview("discard", "in", "  ")


def test_of_two_operators_each_entry_obeys_one(control: Control) -> None:
    names = put(control, "in", 200)
    tokens = [
        control.preview("discard", "in", "all").token,
        control.preview("move", "in", "all", to="out").token,
    ]
    results = {}

    def act(token: str) -> None:
        results[token] = control.confirm(token)

    threads = [threading.Thread(target=act, args=(token,)) for token in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [set(results[token].done) for token in tokens]
    assert done[0] | done[1] == set(names)
    assert not done[0] & done[1]
    missed = [{each.filebase for each in results[token].skipped} for token in tokens]
    assert missed == [done[1], done[0]]
    assert not any(results[token].failed for token in tokens)


# --- Back again


def test_undo_takes_back_your_own_last_act_and_then_the_one_before(
    control: Control,
) -> None:
    one, two = put(control, "in", 2)
    control.move("in", one, "out")
    control.discard("in", two)
    with acting_as(as_another()):
        control.hold("out", one)
        control.release("out", one)
    assert control.undo().done == (two,)
    assert control.undo().done == (one,)
    assert files(control, "in") == [f"{one}.pck", f"{two}.pck"]
    with pytest.raises(Refused, match="no act of yours"):
        control.undo()


def test_two_who_call_sudo_are_two_and_have_one_user_id(control: Control) -> None:
    anne, bob = (Actor(uid=12345, pid=0, sudo=name) for name in ("anne", "bob"))
    name, other = put(control, "in", 2)
    with acting_as(anne):
        number = control.discard("in", name).number
    with acting_as(bob):
        with pytest.raises(Refused, match="no act of yours"):
            control.undo()
        assert "anne as #12345's discard" in (control.undo_question(number) or "")
        with pytest.raises(Refused, match="anne as #12345's, not yours"):
            control.undo(number)
        control.hold("in", other)
    with acting_as(anne):
        assert control.undo_question(number) is None
        assert control.undo().done == (name,)


def test_what_an_undo_would_do_is_shown_and_nothing_written(
    control: Control, tmp_path: Path
) -> None:
    names = put(control, "in", 40)
    number = control.confirm(control.preview("discard", "in", "all").token).number
    queue = control.configuration.switchboards["in"]
    (
        folder(control, "in").parent
        / ".qtool"
        / "trash"
        / str(number)
        / (f"{names[3]}.pck")
    ).unlink()
    before = acts_on_record(tmp_path)
    for seen in (control.rehearse_undo(), control.rehearse_undo(number)):
        assert (seen.verb, seen.queue, seen.undoes) == ("undo", "in", number)
        assert (seen.count, seen.token, seen.refusal) == (39, "", "")
        shown = [entry.filebase for entry in seen.first]
        assert shown == [each for each in names if each != names[3]][:25]
        assert seen.warnings == (
            "39 would go to in",
            f"1 would be left: not in trash:{number} any more, or in a hand",
        )
    assert acts_on_record(tmp_path) == before
    assert queue.names() == []
    assert len(control.undo(number).done) == seen.count
    with pytest.raises(Refused, match="was undone by"):
        control.rehearse_undo(number)


def test_what_the_undo_of_an_edit_would_do_is_shown(control: Control) -> None:
    [name] = put(control, "in", colour="red")
    control.edit("in", name, {"colour": "blue"})
    seen = control.rehearse_undo()
    assert (seen.count, len(seen.first)) == (1, 1)
    assert seen.warnings == (f"{name} of in would be as it was before",)


def test_an_act_of_another_is_undone_by_number_and_on_purpose(control: Control) -> None:
    [name] = put(control, "in")
    with acting_as(as_another()):
        number = control.discard("in", name).number
    assert "discard" in (control.undo_question(number) or "")
    with pytest.raises(Refused, match="not yours"):
        control.undo(number)
    assert control.undo(number, others=True).done == (name,)


def test_an_undo_can_be_undone_by_number(control: Control) -> None:
    [name] = put(control, "in")
    first = control.move("in", name, "out").number
    back = control.undo(first).number
    with pytest.raises(Refused, match=f"undone by act {back}"):
        control.undo(first)
    assert control.undo(back).done == (name,)
    assert files(control, "out") == [f"{name}.pck"]
    states = {act.number: act.undone_by for act in control.acts()}
    assert states[back] == max(states)
    assert states[first] == 0
    with pytest.raises(NoSuchAct):
        control.undo(99)


def test_what_was_processed_since_cannot_come_back_and_is_named(
    control: Control,
) -> None:
    one, two = put(control, "in", 2)
    control.confirm(control.preview("move", "in", "all", to="out").token)
    queue = control.configuration.switchboards["out"]
    queue.dequeue(one)
    queue.finish(one)
    result = control.undo()
    assert result.done == (two,)
    assert [missed.filebase for missed in result.skipped] == [one]
    assert "cannot come back" in result.skipped[0].reason


def test_an_act_that_did_nothing_is_not_the_one_to_undo(control: Control) -> None:
    one, two = put(control, "in", 2)
    control.discard("in", one)
    (folder(control, "out") / f"{two}.pck").write_bytes(b"in its place")
    failed = control.move("in", two, "out")
    assert (failed.done, failed.number) == ((), 2)
    assert control.undo().done == (one,)
    gone = control.hold("in", f"1795000000.5+{'a' * 40}")
    assert (gone.done, len(gone.skipped)) == ((), 1)
    with pytest.raises(Refused, match="did nothing"):
        control.undo(gone.number)


def test_an_act_that_was_cut_off_can_be_undone(control: Control) -> None:
    one, two = put(control, "in", 2)
    preview = control.preview("move", "in", "all", to="out")
    number = control.confirm(preview.token).number
    journal = Journal(control.configuration.state_directory)
    path = control.configuration.state_directory / "journal" / f"{number}.jsonl"
    *first, _end = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(first) + b'{"done": 2')  # killed in the middle of it
    out, back = folder(control, "out"), folder(control, "in")
    (out / f"{two}.pck").rename(back / f"{two}.pck")  # and before this was moved
    assert journal.read(number).done is None
    result = control.undo()
    assert result.done == (one,)
    assert [missed.filebase for missed in result.skipped] == [two]
    assert files(control, "in") == sorted([f"{one}.pck", f"{two}.pck"])


def test_the_trash_is_emptied_only_on_purpose(control: Control) -> None:
    names = put(control, "in", 3)
    number = control.confirm(control.preview("discard", "in", "all").token).number
    preview = control.preview("empty", f"trash:{number}", "all")
    assert preview.count == 3
    assert set(control.confirm(preview.token).done) == set(names)
    assert control.trash() == []
    result = control.undo(number)
    assert result.done == ()
    assert "it was emptied from the trash" in result.skipped[0].reason
    # That undo took nothing back: it is not what the act was undone by.
    assert [act.undone_by for act in control.acts()] == [0, 0]
    with pytest.raises(Refused, match="no act of yours"):
        control.undo()


def test_what_no_act_is_known_of_is_not_past_its_time(control: Control) -> None:
    [name] = put(control, "in")
    number = control.discard("in", name).number
    state = control.configuration.state_directory
    (state / "journal" / f"{number}.jsonl").write_bytes(b"damaged")
    [heap] = control.trash()
    month = 30 * 86400
    assert heap.at == 0
    expected = (state / "trash" / str(number)).stat().st_mtime + month
    assert heap.expires == expected


def test_strangers_in_the_trash_hinder_nobody(control: Control) -> None:
    one, two = put(control, "in", 2)
    number = control.discard("in", one).number
    trash = control.configuration.state_directory / "trash"
    (trash / "7").write_bytes(b"mine")
    (trash / "8").symlink_to("nowhere")
    for name in ("9", "notes", f"0{number}", "\u0663"):
        (trash / name).mkdir()
        (trash / name / "mine").write_bytes(b"mine")
    assert [(heap.number, heap.count) for heap in control.trash()] == [
        (9, 1), (number, 1),
    ]  # fmt: skip
    assert control.discard("in", two).done == (two,)


def test_a_full_trash_takes_no_more(tmp_path: Path) -> None:
    control = open_site(tmp_path, f"[trash]\nlimit: 700\n{TEXT}")
    one, two, three = put(control, "in", 3)
    control.discard("in", one)
    control.discard("in", two)
    control.discard("in", three)
    [four] = put(control, "in")
    with pytest.raises(Refused, match="empty some of it first"):
        control.discard("in", four)
    shown = control.preview("discard", "in", "all")
    assert "empty some of it first" in shown.warnings[-1]
    token = shown.token
    with pytest.raises(Refused, match="empty some of it first"):
        control.confirm(token)
    assert files(control, "in") == [f"{four}.pck"]
    control.confirm(control.preview("empty", "trash:1", "all").token)
    assert control.confirm(token).done == (four,)  # it is good as ever
    control.close()


def test_a_preview_of_an_unshunt_says_what_may_be_delivered_twice(
    control: Control,
) -> None:
    queues = control.configuration.switchboards
    msg = message_from_bytes(b"Message-ID: <one@example.com>\n" + MAIL)
    for queue, whichq in (("shunt", "out"), ("in", "")):
        queues[queue].enqueue(msg, {"whichq": whichq})
    target, warning = control.preview("unshunt", "shunt", "all").warnings
    assert target == "1 would go to out"
    assert warning.startswith("in has the same message")


# --- Mailman 2


def test_mail_of_mailman_2_is_moved_and_never_rewritten(tmp_path: Path) -> None:
    for queue in ("in", "shunt", "virgin"):
        (tmp_path / queue).mkdir()
    sample = next(QFILES.glob("mailman2-*.pck"))
    name = f"1795000000.5+{'a' * 40}"
    (tmp_path / "shunt" / f"{name}.pck").write_bytes(sample.read_bytes())
    control = opened(from_root(tmp_path))
    assert control.site().kind == "mailman2"
    with pytest.raises(Refused, match="Mailman 2 could not read"):
        control.inject("in", MAIL, {})
    with pytest.raises(Refused, match="Mailman 2 could not read"):
        control.edit("shunt", name, {})
    assert control.unshunt(name, to="in").done == (name,)
    assert content(control, "in") == {f"{name}.pck": sample.read_bytes()}
    assert control.discard("in", name).done == (name,)
    control.close()


def test_what_mailman_2_preserved_is_restored_as_it_is(tmp_path: Path) -> None:
    for queue in ("in", "bad", "virgin"):
        (tmp_path / queue).mkdir()
    name = f"1795000000.5+{'a' * 40}"
    counted = (
        b"S'From: anne@example.com\\n\\nx\\n'\n."
        b"(dS'_bak_count'\nI3\nsS'version'\nI3\nsS'_parsemsg'\nI01\ns."
    )
    (tmp_path / "bad" / f"{name}.psv").write_bytes(counted)
    control = opened(from_root(tmp_path))
    assert control.site().kind == "mailman2"
    assert control.entry("bad", name).msgdata["_bak_count"] == 3
    assert control.restore(name, to="in").done == (name,)
    assert content(control, "in") == {f"{name}.pck": counted}
    assert control.undo().done == (name,)
    assert content(control, "bad") == {f"{name}.psv": counted}
    control.close()


def test_the_group_of_a_site_may_add_to_what_is_held_and_discarded(
    control: Control,
) -> None:
    one, two = put(control, "in", 2)
    before = os.umask(0o077)
    try:
        control.hold("in", one)
        control.discard("in", two)
    finally:
        os.umask(before)
    state = control.configuration.state_directory
    folders = (state / "held", state / "held" / "in", state / "trash")
    assert {stat.S_IMODE(each.stat().st_mode) for each in folders} == {0o2770}
