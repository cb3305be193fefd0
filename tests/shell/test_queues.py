"""Entries at the prompt: looked through, selected, acted on, and put back."""

from __future__ import annotations

import doctest
import io
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qtool import message_from_string
from qtool.control import open_site
from qtool.control.serving.attaching import attach, socket_name
from qtool.control.serving.server import Server
from qtool.errors import FilterError, NoSuchEntry, NoSuchQueue, ReadOnly, Refused
from qtool.shell.names import preloaded
from tests.commands.program import configuration, entries
from tests.test_readme import block

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qtool.control import Control
    from qtool.shell.queues import Queues
    from tests.commands.conftest import Call


@pytest.fixture(params=["embedded", "attached"])
def control(request: pytest.FixtureRequest, control: Control) -> Iterator[Control]:
    """A site, and the same one through the daemon that serves it."""
    if request.param == "embedded":
        yield control
        return
    settings = control.configuration.settings
    with tempfile.TemporaryDirectory(prefix="q-") as name:
        server = Server(control, Path(name) / socket_name(settings))
        attached = attach(settings, [Path(name)])
        assert attached is not None
        yield attached
        attached.close()
        server.close()


@pytest.fixture
def queues(names: dict[str, Any]) -> Queues:
    found: Queues = names["queues"]
    return found


def put(control: Control, count: int, **msgdata: object) -> list[str]:
    """Enqueue messages from sender0, sender1 and so on; return their filebases."""
    switchboard = control.configuration.switchboards["in"]
    return [
        switchboard.enqueue(
            message_from_string(f"From: sender{n}@example.com\nSubject: hi\n\nx\n"),
            msgdata,
        )
        for n in range(count)
    ]


def bases(selection: Any) -> list[str]:
    return [entry.filebase for entry in selection]


def test_a_queue_is_its_entries_oldest_first(control: Control, queues: Queues) -> None:
    names = put(control, 3)
    queue = queues["in"]
    assert (len(queue), bases(queue), bases(queue[1:])) == (3, names, names[1:])
    assert queue[2].filebase == queue[names[2]].filebase == names[2]
    assert queue[0].sender == "sender0@example.com"
    assert not queues["held:in"]
    assert list(queues) == ["in", "out", "shunt", "bad"]
    heading, line, *_ = repr(queues).splitlines()
    assert heading.split() == [
        "QUEUE", "DEPTH", "FLIGHT", "OLDEST", "HELD", "PRESERVED", "VERDICT",
    ]  # fmt: skip
    assert (line.split()[:2], line.split()[-1]) == (["in", "3"], "runner")


def test_a_selection_is_what_the_filter_matches_now(
    control: Control, queues: Queues
) -> None:
    names = put(control, 3)
    some = queues["in"].where("from:sender1 or from:sender2")
    assert (len(some), bases(some), some[0].filebase) == (2, names[1:], names[1])
    assert bases(some.where("-from:sender2")) == [names[1]]
    assert bases(queues["in"].all().where("from:sender0")) == [names[0]]
    control.discard("in", names[1])
    assert (some.count(), bool(some)) == (1, True)


def test_the_text_of_many_is_the_oldest_25_and_how_many_more(
    control: Control, queues: Queues
) -> None:
    names = put(control, 27)
    for text in (repr(queues["in"]), repr(queues["in"].where("subject:hi"))):
        heading, *lines, more = text.splitlines()
        assert heading.split()[:2] == ["NAME", "AGE"]
        assert [line.split()[0] for line in lines] == names[:25]
        assert more == "and 2 more"
    assert repr(queues["in"].where("size>1G")) == "no entry of in is like that"


def test_many_are_shown_before_anything_is_done(
    control: Control, queues: Queues, names: dict[str, Any]
) -> None:
    first, second, third = put(control, 3)
    preview = queues["in"].where("from:sender0 or from:sender1").move("out", why="w")
    assert bases(queues["in"]) == [first, second, third]
    assert preview.count == 2
    *_, what, go_on = repr(preview).splitlines()
    assert what.startswith("move 2 of in to out, the oldest is of ")
    assert go_on == "_.confirm() does it to exactly these, within an hour"
    put(control, 1)
    control.hold("in", second)

    done = preview.confirm()
    assert done.done == (first,)
    told, left = repr(done).splitlines()
    assert told == f"moved 1 of in to out: act {done.number} (undo({done.number}))"
    assert left.startswith(f"left: {second}: ")
    assert (bases(queues["out"]), len(queues["in"])) == ([first], 2)
    assert names["acts"]()[0].why == "w"
    with pytest.raises(Refused, match="or was used"):
        preview.confirm()


@pytest.mark.parametrize(
    ("verb", "place", "words"),
    [
        ("hold", "held:in", ()),
        ("move", "out", ("out",)),
        ("discard", "trash:1", ()),
        ("unshunt", "out", ("out",)),
    ],
)
def test_each_verb_of_one_and_of_many_can_be_undone(
    control: Control, queues: Queues, names: dict[str, Any], verb: str, place: str,
    words: tuple[str, ...],
) -> None:  # fmt: skip
    filebases = put(control, 2)
    assert getattr(queues["in"].all(), verb)(*words).confirm().done == tuple(filebases)
    assert bases(queues[place]) == filebases
    assert repr(names["undo"]()).startswith("put back 2 of in")
    assert getattr(queues["in"][0], verb)(*words).done == (filebases[0],)
    assert bases(queues["in"]) == filebases[1:]
    names["undo"](3)
    assert bases(queues["in"]) == filebases


def test_what_is_held_is_released_from_where_it_is(
    control: Control, queues: Queues
) -> None:
    filebases = put(control, 2)
    queues["in"].all().hold().confirm()
    with pytest.raises(Refused, match=r"elsewhere: queues.'held:in'"):
        queues["in"].all().release()
    assert queues["held:in"][0].release().done == (filebases[0],)
    assert queues["held:in"].all().release().confirm().done == (filebases[1],)
    assert bases(queues["in"]) == filebases


def test_metadata_are_changed_by_the_key_and_an_edit_is_of_what_was_seen(
    control: Control, queues: Queues, names: dict[str, Any]
) -> None:
    [filebase] = put(control, 1, lang="en")
    entry = queues["in"][0]
    assert repr(entry.set(lang="it", tries=3)).startswith("edited 1 of in: act 1 ")
    assert (entry.msgdata["lang"], entry.msgdata["tries"]) == ("it", 3)
    entry.unset("tries")
    assert "tries" not in entry.msgdata
    with pytest.raises(Refused, match="no such metadata: tries"):
        entry.unset("tries")
    assert ("Subject", "hi") in entry.headers
    queues["in"][filebase].set(lang="de")
    with pytest.raises(Refused, match="another file since it was looked at"):
        entry.edit(msgdata={})
    entry.show()
    entry.edit(headers=[*entry.headers, ("X-New", "yes")])
    assert "X-New: yes" in repr(entry.show())
    names["undo"]()
    assert "X-New" not in repr(entry.show())


def test_what_was_done_is_told(
    control: Control, queues: Queues, names: dict[str, Any]
) -> None:
    for empty in ("acts", "trash", "audit"):
        assert len(names[empty]()) == 0
        assert len(repr(names[empty]()).splitlines()) == 1
    [filebase] = put(control, 1)
    queues["in"][0].discard(why="spam")
    assert (names["acts"]()[0].verb, names["trash"]()[0].count) == ("discard", 1)
    assert "spam" in repr(names["acts"]())
    assert "discard in" in repr(names["trash"]())
    [record] = names["audit"]("SPAM", since="1h", act="discard", file=filebase)
    assert (record.result, record.count) == ("done", 1)
    assert len(names["audit"](until="1h")) == 0
    with pytest.raises(Refused, match="expected a time such as 2d"):
        names["audit"](since="x")
    assert queues["trash:1"].all().empty().confirm().done == (filebase,)
    assert len(names["trash"]()) == 0


def test_anothers_act_is_not_undone_unasked(
    control: Control, queues: Queues, names: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    [filebase] = put(control, 1)
    queues["in"][0].discard()
    monkeypatch.setattr("qtool.control.acts.mender.acting_uid", lambda: 12345)
    with pytest.raises(Refused, match="Nobody can answer here: say yes=True"):
        names["undo"](1)
    assert names["undo"](1, yes=True).done == (filebase,)


def test_what_makes_no_sense_is_refused(control: Control, queues: Queues) -> None:
    put(control, 1)
    queue = queues["in"]
    wrong: dict[str, Callable[[], object]] = {
        "say which: .where": lambda: queue.discard(),
        r"every entry is \.all": lambda: queue.where(" all "),
        r"every entry is \.all\(\)": lambda: queue.where(""),
        "counted from the oldest": lambda: queue[-1],
        "no entry of in is like that": lambda: queue.where("nope").hold().confirm(),
    }
    for refused, word in wrong.items():
        with pytest.raises(Refused, match=refused):
            word()
    with pytest.raises(FilterError, match="at character 5"):
        queue.where("age>x")
    with pytest.raises(NoSuchQueue):
        queues["nope"]
    with pytest.raises(NoSuchEntry):
        queue[1]
    with pytest.raises(NoSuchEntry):
        queue["99999999"]
    with pytest.raises(Refused, match="9 is too short"):
        queue["9"]
    assert not hasattr(queue, "nope")


def test_a_message_cannot_write_to_the_terminal(
    control: Control, queues: Queues, names: dict[str, Any]
) -> None:
    message = message_from_string("From: a@example.com\n\nx\n")
    message["Subject"] = "\x1b[31m\u202e"
    control.configuration.switchboards["in"].enqueue(message, {})
    preview = queues["in"].all().discard(why="\x1b[0m")
    shown = [queues["in"], queues["in"][0], preview, preview.confirm(), names["acts"]()]
    text = "\n".join(map(repr, shown))
    assert "\\x1b[31m" in text
    assert not {"\x1b", "\u202e"} & set(text)


def test_the_beginning_of_a_name_does_to_step_and_to_peek(
    tmp_path: Path, own_process: None
) -> None:
    control = open_site(config_file=configuration(tmp_path))
    [name] = put(control, 1)
    names: dict[str, Any] = preloaded(control)
    assert names["peek"]("in", name[:12]).path.endswith(f"/{name}.pck")
    assert names["step"]("in", name[:12]).filebase == name
    with pytest.raises(NoSuchEntry):
        names["peek"]("in", name[:12])
    control.close()


VERBS = ("hold", "requeue", "discard", "unshunt", "restore")


def test_read_only_shows_everything_and_refuses_every_verb(
    tmp_path: Path, own_process: None
) -> None:
    config = configuration(tmp_path)
    writing = open_site(config_file=config)
    put(writing, 2)
    writing.close()
    control = open_site(config_file=config, read_only=True)
    names: dict[str, Any] = preloaded(control)
    queue, records = names["queues"]["in"], names
    before = entries(tmp_path / "spool" / "in")
    entry, everything = queue[0], queue.all()
    assert (len(queue), entry.msgdata["version"], len(repr(queue))) > (2, 0, 100)
    acts: list[Callable[[], object]] = [
        lambda: entry.step(), lambda: entry.set(x=1), lambda: entry.unset("version"),
        lambda: records["undo"](), lambda: entry.move("out"),
        *(getattr(entry, verb) for verb in VERBS),
        *(getattr(everything, verb)().confirm for verb in VERBS[:3]),
        everything.move("out").confirm,
    ]  # fmt: skip
    for act in acts:
        with pytest.raises(ReadOnly, match="read-only was asked for"):
            act()
    assert repr(everything.discard()).endswith(
        "this cannot be confirmed: read-only was asked for"
    )
    assert len(records["acts"]()) == len(records["trash"]()) == 0
    assert entries(tmp_path / "spool" / "in") == before
    assert not (tmp_path / "spool" / ".qtool").exists()
    control.close()


@pytest.mark.usefixtures("own_process")
def test_a_program_ends_with_the_exception(call: Call, tmp_path: Path) -> None:
    shell = ("--config", configuration(tmp_path), "shell", "-c")
    ended = call(*shell, "print(queues['in'].where('age>'))")
    assert (ended.status, ended.out, len(ended.told)) == (1, "", 1)
    assert ended.told[0].startswith("FilterError: filter, at character 5")
    done = call(*shell, "print(len(queues['in']), queues['in'])")
    assert (done.status, done.out) == (0, "0 nothing is in in\n")


def test_the_session_of_the_readme_goes_as_it_stands_there(
    control: Control, names: dict[str, Any]
) -> None:
    for sender, subject in (("ann", "breakfast"), ("bob", "lunch"), ("bob", "dinner")):
        text = f"From: {sender}@example.com\nSubject: {subject}\n\nx\n"
        switchboard = control.configuration.switchboards["in"]
        switchboard.enqueue(message_from_string(text), lang="en")
    # What differs from day to day: names, ages, sizes and the time of the oldest.
    told = re.sub(r"^\d{10}.* B ", "... B ", block("pycon", "_.confirm()"), flags=re.M)
    told = re.sub(r"the oldest is of .*", "the oldest is of ...", told)
    session = doctest.DocTestParser().get_doctest(told, dict(names), "README", None, 0)
    runner = doctest.DocTestRunner(
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    )
    failures = io.StringIO()
    runner.run(session, out=failures.write)
    assert (runner.failures, runner.tries) == (0, 7), failures.getvalue()
