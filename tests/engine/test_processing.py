"""Whatever happens to a message, it is in exactly one place that can be named."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qtool.engine.runner import Runner
from qtool.engine.step import Outcome
from qtool.errors import RunnerError
from qtool.queues.spool import Spool
from tests.engine.conftest import Site

if TYPE_CHECKING:
    from email.message import Message


class Seeing(Runner):
    """Keeps what it was given."""

    def __init__(self, *args: Any, **kws: Any) -> None:
        super().__init__(*args, **kws)
        self.seen: list[tuple[Any, Message, dict[str, Any]]] = []

    def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
        self.seen.append((mlist, msg, dict(msgdata)))
        return False


class Raising(Runner):
    """Raises what its class says, after a change to the metadata."""

    error: BaseException = ValueError("no good")

    def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
        msgdata["tried"] = "once"
        raise self.error


class Keeping(Runner):
    """Keeps every message and counts in its metadata."""

    def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
        msgdata["times"] = msgdata.get("times", 0) + 1
        return True


def places(site: Site) -> dict[str, int]:
    """How many files there are in each queue, by queue and suffix."""
    found: dict[str, int] = {}
    for folder in site.root.iterdir():
        for path in folder.iterdir() if not folder.name.startswith(".") else ():
            key = f"{folder.name}{path.suffix}"
            found[key] = found.get(key, 0) + 1
    return found


def run_one(site: Site, kind: type[Runner], **msgdata: Any) -> Runner:
    """Put one message through a runner of that class, by a pass."""
    site.runner("in")
    site.put("in", **msgdata)
    runner = kind("in", config=site.config)
    runner.one_pass()
    return runner


# --- Disposed of


def test_what_is_disposed_of_is_gone(site: Site) -> None:
    runner = run_one(site, Seeing)
    assert places(site) == {}
    assert runner.counts[Outcome.DONE] == 1


def test_dispose_sees_the_documented_keys_and_no_others(site: Site) -> None:
    site.runner("in")
    mlist = site.config.lists.create("test@example.com")
    site.put("in", listid="test.example.com", foo="yes")
    runner = Seeing("in", config=site.config)
    runner.one_pass()
    assert [(given, dict(msgdata)) for given, _, msgdata in runner.seen] == [
        (
            mlist,
            {
                "_parsemsg": False,
                "foo": "yes",
                "lang": "en",
                "listid": "test.example.com",
                "version": 3,
            },
        )
    ]


def test_a_message_that_names_no_list_has_none(site: Site) -> None:
    runner = run_one(site, Seeing)
    assert isinstance(runner, Seeing)
    assert runner.seen[0][0] is None


# --- In any mixture


class Moody(Runner):
    """Does with each message what its metadata says."""

    def __init__(self, *args: Any, **kws: Any) -> None:
        super().__init__(*args, **kws)
        self.done: list[str] = []

    def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
        mood = msgdata["mood"]
        if mood == "raise":
            raise ValueError
        if mood == "spoil":
            msgdata["handle"] = self.log
            return True
        if mood == "keep":
            return True
        self.done.append(str(msg["subject"]))
        return False


MOODS = st.sampled_from(["done", "keep", "raise", "spoil", "no list", "damage"])


@given(st.lists(MOODS, max_size=8))
@settings(max_examples=15, deadline=None)
def test_every_message_is_in_one_place_whatever_happened_to_the_others(
    moods: list[str],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        site = Site(Path(name), ModuleType("none"))
        site.runner("in", sleep_time="1h")
        for number, mood in enumerate(moods):
            lost = {"listid": "nowhere"} if mood == "no list" else {}
            filebase = site.put("in", str(number), mood=mood, **lost)
            if mood == "damage":
                damage(site, filebase)
        runner = Moody("in", config=site.config)
        assert runner.one_pass() == len(moods)
        assert runner.one_pass() == 0
        ended = {
            "done": runner.done,
            "keep": site.subjects("in"),
            "shunt": site.subjects("shunt"),
        }
        for place, which in (
            ("done", {"done"}),
            ("keep", {"keep"}),
            ("shunt", {"raise", "spoil", "no list"}),
        ):
            expected = [str(n) for n, mood in enumerate(moods) if mood in which]
            assert ended[place] == expected
        assert places(site).get("bad.psv", 0) == moods.count("damage")
        assert sum(places(site).values()) == len(moods) - moods.count("done")


# --- Shunted


@pytest.mark.parametrize("listid", ["nowhere.example.com", ["a"], {"b": 1}, 7])
def test_an_unknown_list_shunts_and_remembers_the_queue(
    site: Site, listid: object
) -> None:
    run_one(site, Seeing, listid=listid)
    assert places(site) == {"shunt.pck": 1}
    (filebase,) = site.queue("shunt").files
    msgdata = site.queue("shunt").peek(filebase).msgdata
    assert msgdata["whichq"] == "in"
    assert "no such list" in msgdata["shunt_error"]


def test_a_message_whose_processing_raises_is_shunted_with_the_evidence(
    site: Site,
) -> None:
    runner = run_one(site, Raising, foo="yes")
    assert places(site) == {"shunt.pck": 1}
    (filebase,) = site.queue("shunt").files
    held = site.queue("shunt").peek(filebase)
    assert held.message["subject"] == "One"
    assert held.msgdata["whichq"] == "in"
    assert held.msgdata["shunt_error"] == "ValueError: no good"
    assert "in _dispose" in held.msgdata["shunt_traceback"]
    assert held.msgdata["shunt_runner"] == "in"
    assert held.msgdata["shunt_time"].endswith("+00:00")
    assert (held.msgdata["foo"], held.msgdata["tried"]) == ("yes", "once")
    assert runner.counts[Outcome.SHUNTED] == 1


def test_the_evidence_is_bounded(site: Site) -> None:
    class Loud(Raising):
        error = ValueError("\udc80x" * 10**6)

    run_one(site, Loud)
    (filebase,) = site.queue("shunt").files
    msgdata = site.queue("shunt").peek(filebase).msgdata
    assert len(msgdata["shunt_error"]) <= 500
    assert len(msgdata["shunt_traceback"]) <= 10_000


def test_one_bad_message_does_not_stop_the_pass(site: Site) -> None:
    class Picky(Runner):
        def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
            if msg["subject"] == "Two":
                raise ValueError
            return False

    site.runner("in")
    for subject in ("One", "Two", "Three"):
        site.put("in", subject)
    runner = Picky("in", config=site.config)
    assert runner.one_pass() == 3
    assert site.subjects("shunt") == ["Two"]
    assert places(site) == {"shunt.pck": 1}


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_what_would_end_the_process_shunts_and_ends_the_pass(
    site: Site, error: BaseException
) -> None:
    class Leaving(Raising):
        pass

    Leaving.error = error
    site.runner("in")
    site.put("in", "One")
    site.put("in", "Two")
    with pytest.raises(type(error)):
        Leaving("in", config=site.config).one_pass()
    assert site.subjects("shunt") == ["One"]
    assert site.subjects("in") == ["Two"]
    assert places(site) == {"shunt.pck": 1, "in.pck": 1}


def test_metadata_that_no_file_can_hold_is_shunted_as_it_was(site: Site) -> None:
    class Spoiling(Runner):
        def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
            msgdata["handle"] = lambda: None
            raise ValueError("spoilt")

    run_one(site, Spoiling, foo="yes")
    assert places(site) == {"shunt.pck": 1}
    (filebase,) = site.queue("shunt").files
    msgdata = site.queue("shunt").peek(filebase).msgdata
    assert "handle" not in msgdata
    assert (msgdata["foo"], msgdata["shunt_error"]) == ("yes", "ValueError: spoilt")


def test_a_message_that_cannot_be_requeued_is_shunted(site: Site) -> None:
    class Spoiling(Runner):
        def _dispose(self, mlist: Any, msg: Message, msgdata: dict[str, Any]) -> bool:
            msgdata["handle"] = lambda: None
            return True

    run_one(site, Spoiling)
    assert places(site) == {"shunt.pck": 1}


# --- Kept


def test_a_kept_message_waits_again_with_what_processing_noted(site: Site) -> None:
    runner = run_one(site, Keeping)
    (filebase,) = site.queue("in").files
    assert site.queue("in").peek(filebase).msgdata["times"] == 1
    assert places(site) == {"in.pck": 1}
    assert runner.counts[Outcome.KEPT] == 1


def test_a_kept_message_is_not_taken_again_before_the_sleep_time(site: Site) -> None:
    now = [100.0]
    site.runner("in", sleep_time="30")
    site.put("in")
    runner = Keeping("in", config=site.config)
    runner.clock = lambda: now[0]
    assert [runner.one_pass(), runner.one_pass()] == [1, 0]
    now[0] += 29.9
    assert runner.one_pass() == 0
    now[0] += 0.2
    assert runner.one_pass() == 1


def test_a_kept_message_in_another_slice_rests_too(site: Site) -> None:
    site.runner("in", Keeping, sleep_time="30", instances="4")
    for number in range(12):
        site.put("in", str(number))
    drained = site.master().drain()
    assert (drained.counts.kept, drained.left) == (12, 12)


# --- Preserved


def damage(site: Site, filebase: str) -> Path:
    path = site.root / "in" / f"{filebase}.pck"
    path.write_bytes(path.read_bytes()[:40])
    return path


def test_a_file_that_cannot_be_read_is_preserved_unchanged_with_the_reason(
    site: Site,
) -> None:
    site.runner("in")
    before = damage(site, site.put("in", "One")).read_bytes()
    site.put("in", "Two")
    runner = Seeing("in", config=site.config)
    assert runner.one_pass() == 2
    assert places(site) == {"bad.psv": 1}
    (filebase,) = site.queue("bad").get_files(".psv")
    assert (site.root / "bad" / f"{filebase}.psv").read_bytes() == before
    assert site.queue("bad").preserved_because(filebase)
    assert [str(msg["subject"]) for _, msg, _ in runner.seen] == ["Two"]
    assert runner.counts[Outcome.PRESERVED] == 1


class Failing(Spool):
    """A real spool of which one verb meets an error of the operating system."""

    verb = ""
    number = errno.ENOSPC

    def _meet(self, verb: str) -> None:
        if verb == self.verb:
            raise OSError(self.number, "as the test wants it")

    def dequeue(self, filebase: str) -> tuple[Message, dict[str, Any]]:
        held = super().dequeue(filebase)
        self._meet("dequeue")
        return held

    def enqueue(self, msg: Message, metadata: Any = None, **kws: Any) -> str:
        self._meet("enqueue")
        return super().enqueue(msg, metadata, **kws)

    def finish(
        self,
        filebase: str,
        preserve: bool = False,
        *,
        reason: str = "",
        sync: bool = True,
    ) -> None:
        self._meet("preserve" if preserve else "finish")
        super().finish(filebase, preserve, reason=reason, sync=sync)


def failing(kind: type[Runner], which: str, error: int = errno.ENOSPC) -> type[Runner]:
    """Return the class over a spool whose verb ``which`` fails."""
    spool = type("Spool", (Failing,), {"verb": which, "number": error})
    return type(kind.__name__, (kind,), {"switchboard_class": spool})


def test_a_message_stays_where_the_disk_is_too_full_to_requeue_it(site: Site) -> None:
    with pytest.raises(RunnerError, match="stays in in"):
        run_one(site, failing(Keeping, "enqueue"))
    assert places(site) == {"in.pck": 1}


def test_a_message_stays_where_the_disk_is_too_full_to_shunt_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> str:
        raise OSError(errno.ENOSPC, "full")

    site.runner("in")
    site.put("in")
    monkeypatch.setattr(site.queue("shunt"), "enqueue", full)
    with pytest.raises(RunnerError, match="stays in in"):
        Raising("in", config=site.config).one_pass()
    assert places(site) == {"in.pck": 1}


def test_a_message_that_shunt_does_not_accept_is_preserved(site: Site) -> None:
    (site.root / "shunt").parent.mkdir(parents=True, exist_ok=True)
    (site.root / "shunt").write_text("a file where the folder should be")
    site.runner("in")
    site.put("in")
    runner = Raising("in", config=site.config)
    runner.one_pass()
    assert site.subjects("bad", ".psv") == ["One"]
    (filebase,) = site.queue("bad").get_files(".psv")
    assert "no good" in site.queue("bad").preserved_because(filebase)
    assert site.queue("in").files == []


def test_a_file_that_cannot_even_be_preserved_stays_and_does_not_busy_the_runner(
    site: Site,
) -> None:
    site.runner("in")
    damage(site, site.put("in", "One"))
    site.put("in", "Two")
    kind = failing(Seeing, "preserve", errno.EACCES)
    runner = kind("in", config=site.config)
    report = runner.step()
    assert report.outcome is Outcome.NOT_TAKEN
    assert "stays in in" in report.note
    # It is in flight; the next start recovers it, finds it damaged and stays so.
    assert len(site.queue("in").get_files(".bak")) == 1


def test_an_original_that_cannot_be_removed_fails_the_runner_and_says_so(
    site: Site,
) -> None:
    site.runner("in")
    site.put("in", "One")
    site.put("in", "Two")
    kind = failing(Seeing, "finish", errno.EROFS)
    with pytest.raises(RunnerError, match="in flight"):
        kind("in", config=site.config).one_pass()
    assert site.subjects("in", ".bak") == ["One"]
    assert site.subjects("in") == ["Two"]


def test_trouble_of_the_machine_while_reading_gives_the_message_back(
    site: Site,
) -> None:
    with pytest.raises(OSError, match="as the test wants it"):
        run_one(site, failing(Seeing, "dequeue", errno.EMFILE))
    assert places(site) == {"in.pck": 1}


def test_an_entry_that_somebody_else_takes_first_is_nothing(site: Site) -> None:
    site.runner("in")
    gone = site.put("in")
    (site.root / "in" / f"{gone}.pck").unlink()
    report = Seeing("in", config=site.config).step(gone)
    assert report.outcome is Outcome.NOTHING
    assert "any more" in report.note
