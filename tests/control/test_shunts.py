from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qtool.control.models import FailureSource
from qtool.control.opening import opened
from qtool.control.shunts import groups as shunts_groups
from qtool.control.shunts.msgdata import UNSHUNT_DROPS, target_of, why_of
from qtool.errors import FilterError, NoSuchEntry
from qtool.installation import Configuration
from qtool.queues.filebase import at, when_of
from qtool.settings import from_root
from tests.control.mailman_logs import (
    PLACE_2,
    chatter,
    shunting,
    stamped,
    traceback,
    write,
)
from tests.control.site import HERE, MAIL, configuration, open_site, put

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qtool.control.control import Control

QFILES = Path(__file__).parents[1] / "fixtures" / "qfiles"
BOOM = MAIL.replace(b"hello", b"boom")
TAKING = f"class: {HERE}.Taking\n"
OURS = configuration(**{"in": TAKING, "out": TAKING, "shunt": "", "bad": ""})
ANT = "ant.example.com"
HOUR, DAY = 3600.0, 86400.0
DIGEST = traceback("KeyError: 'volume'", "/m/site-packages/mailman/digest.py:3 send")


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    control = open_site(tmp_path, OURS)
    yield control
    control.close()


@pytest.fixture
def mailman(tmp_path: Path) -> Iterator[Control]:
    paths = f"[paths.here]\nvar_dir: {tmp_path}\n"
    control = open_site(tmp_path, f"[mailman]\nlayout: here\n{paths}")
    yield control
    control.close()


def shunt(
    control: Control, text: str = "", *, data: bytes = MAIL, **msgdata: Any
) -> str:
    """Shunt a message as Mailman does, and have its log say why."""
    base = put(control, "shunt", data, **msgdata)
    when = float(base.partition("+")[0])
    log = control.configuration.settings.error_logs[0]
    before = log.read_text() if log.exists() else ""
    write(log, before + (text and shunting(when, 5, base, text)), until=when)
    return base


def test_what_a_message_carries_is_its_reason(control: Control) -> None:
    put(control, "in", BOOM)
    control.step("in")
    (name,) = control.names("shunt")
    (failure,) = control.reasons("shunt", (name.removesuffix(".pck"),))
    assert failure.source is FailureSource.MSGDATA
    assert failure.why == "ValueError: boom in the subject"
    assert (failure.runner, failure.origin) == ("in", "in")
    assert failure.frame.startswith(str(Path(__file__).with_name("site.py")))
    assert failure.frame == failure.own_frame
    assert failure.traceback.startswith("Traceback")
    assert failure.note == ""


def test_why_is_the_same_wherever_it_is_asked_for(control: Control) -> None:
    put(control, "in", BOOM)
    control.step("in")
    (entry,) = control.find("shunt").entries
    msgdata = control.entry("shunt", entry.filebase).msgdata
    (failure,) = control.reasons("shunt", (entry.filebase,))
    assert entry.why == why_of(msgdata) == failure.why
    assert {key for key in msgdata if key.startswith("shunt_")} < set(UNSHUNT_DROPS)


def test_the_reason_of_mailmans_own_is_joined_from_its_log(mailman: Control) -> None:
    base = shunt(mailman, DIGEST, listid=ANT, whichq="digest")
    (failure,) = mailman.reasons("shunt", (base,))
    assert failure.source is FailureSource.LOG
    assert failure.why == "KeyError: 'volume'"
    assert failure.frame == "mailman/digest.py:3 send"
    assert (failure.origin, failure.list_id) == ("digest", ANT)
    assert failure.traceback == DIGEST


def test_an_unknown_list_leaves_no_origin_and_the_log_names_the_runner(
    mailman: Control,
) -> None:
    data = b"Message-ID: <m@x>\n" + MAIL
    base = shunt(mailman, data=data, listid="gone.example.com")
    log = mailman.configuration.settings.error_logs[0]
    said = '<m@x> runner "out" shunting message for missing list: gone.example.com'
    when = float(base.partition("+")[0])
    write(log, stamped(when, 5, said), until=when)
    (failure,) = mailman.reasons("shunt", (base,))
    assert failure.why == "no such list: gone.example.com"
    assert (failure.runner, failure.origin) == ("out", "")
    (warning,) = mailman.rerun_warnings("shunt", base)
    assert warning.startswith("out put it aside: in another queue")


def test_what_nothing_tells_is_said_to_be_so(mailman: Control) -> None:
    base = shunt(mailman, whichq="../../etc")
    (failure,) = mailman.reasons("shunt", (base,))
    assert failure.source is FailureSource.NOT_FOUND
    assert (failure.why, failure.origin) == ("", "")
    log = mailman.configuration.settings.error_logs[0]
    assert failure.note == (
        "whichq names no queue of this site: '../../etc'; " + f"looked in {log}"
    )
    (gone,) = mailman.reasons("shunt", (f"1.5+{'0' * 40}",))
    assert gone.note == "it is not in shunt any more"


def test_another_log_may_be_named(mailman: Control, tmp_path: Path) -> None:
    base = shunt(mailman, whichq="in")
    log = write(
        tmp_path / "old" / "error",
        shunting(1e9, 5, base, DIGEST),
        until=float(base.partition("+")[0]),
    )
    assert not mailman.reasons("shunt", (base,))[0].why
    assert mailman.reasons("shunt", (base,), str(log))[0].why == "KeyError: 'volume'"


def test_what_is_bad_has_the_reason_that_was_kept(control: Control) -> None:
    queue = control.configuration.switchboards["in"]
    base = f"1.5+{'0' * 40}"
    (queue.queue_directory / f"{base}.pck").write_bytes(b"garbage")
    control.step("in")
    (failure,) = control.reasons("bad", (base,))
    assert failure.source is FailureSource.PRESERVED
    assert failure.why == "it does not begin as a qfile does"


def test_failures_of_a_kind_are_one_group(mailman: Control) -> None:
    other = traceback("KeyError: 'number'", "/m/site-packages/mailman/digest.py:3 send")
    bases = [
        shunt(mailman, DIGEST, listid=ANT, whichq="digest"),
        shunt(mailman, other, listid=ANT, whichq="digest"),
        shunt(mailman, DIGEST, listid="bee.example.com", whichq="digest"),
    ]
    many, one = mailman.failures()
    assert (many.count, many.filebases) == (2, tuple(bases[:2]))
    assert (many.exception, many.frame) == ("KeyError", "mailman/digest.py:3 send")
    assert many.oldest < many.newest < one.newest
    assert many.example == "KeyError: 'number'"
    assert [g.count for g in mailman.failures(where="list:bee")] == [1]
    with pytest.raises(FilterError):
        mailman.failures(where="list:(")


def test_a_filter_asks_the_log_too(mailman: Control) -> None:
    bases = [
        shunt(mailman, DIGEST, listid=ANT, whichq="digest"),
        shunt(mailman, traceback("OSError: no"), listid=ANT, whichq="digest"),
    ]
    found = mailman.find("shunt", "why:KeyError").entries
    assert [(entry.filebase, entry.why) for entry in found] == [
        (bases[0], "KeyError: 'volume'")
    ]
    assert mailman.failures()[1].where == f"why:KeyError list={ANT} origin=digest"


def test_a_group_has_a_filter_that_selects_it_and_nothing_else(
    control: Control,
) -> None:
    for subject in (b"boom", b"die", b"boom"):
        put(control, "in", MAIL.replace(b"hello", subject))
        control.drain(("in",))
    put(control, "shunt", MAIL, whichq="in")
    groups = control.failures()
    assert [group.count for group in groups] == [2, 1, 1]
    for group in groups:
        found = control.find("shunt", group.where).entries
        assert tuple(entry.filebase for entry in found) == group.filebases
    assert groups[0].where == "why:ValueError origin=in"


def test_a_large_group_without_a_reason_has_a_filter_too(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shunts_groups, "_MOST_IN_A_FILTER", 0)
    put(control, "in", MAIL.replace(b"hello", b"boom"))
    control.drain(("in",))
    for _ in range(2):
        put(control, "shunt", MAIL, whichq="in")
        put(control, "shunt", MAIL, whichq="in", listid=ANT)
    groups = control.failures()
    assert {group.where for group in groups} == {
        "why:ValueError origin=in",
        f"not why~. list={ANT} origin=in",
        "not why~. origin=in not list~.",
    }
    for group in groups:
        found = control.find("shunt", group.where).entries
        assert tuple(entry.filebase for entry in found) == group.filebases


def test_only_a_configured_queue_is_a_target(mailman: Control) -> None:
    site = mailman.configuration
    assert target_of({"whichq": "digest"}, site) == "digest"
    for odd in ("shunt", "nosuch", "/etc", str(site.settings.queue_root / "in"), 7, ""):
        assert target_of({"whichq": odd}, site) == ""
    assert target_of({}, site) == ""


def test_mailman_2_names_a_queue_by_its_folder(tmp_path: Path) -> None:
    for name in ("in", "commands", "shunt"):
        (tmp_path / "qfiles" / name).mkdir(parents=True)
    site = Configuration(from_root(tmp_path / "qfiles"))
    assert target_of({"whichq": "/usr/lib/mailman/qfiles/in"}, site) == "in"
    assert target_of({"whichq": b"/usr/lib/mailman/qfiles/commands"}, site) == (
        "commands"
    )
    assert target_of({"whichq": "/usr/lib/mailman/qfiles/out"}, site) == ""


def test_mailman_2_is_understood_with_its_log_beside_its_queues(tmp_path: Path) -> None:
    base, received, shunted = f"1200000000.5+{'ab' * 20}", 1_200_000_000.5, 1.2008e9
    (tmp_path / "qfiles" / "shunt").mkdir(parents=True)
    (tmp_path / "qfiles" / "commands").mkdir()
    file = tmp_path / "qfiles" / "shunt" / f"{base}.pck"
    shutil.copy(QFILES / "mailman2-text.pck", file)
    os.utime(file, (shunted, shunted))
    text = traceback("LookupError: unknown encoding: x", place=PLACE_2)
    write(
        tmp_path / "logs" / "error",
        chatter(received, shunted, 6000) + shunting(shunted, 5, base, text),
        until=shunted,
    )
    control = opened(from_root(tmp_path / "qfiles"))
    (failure,) = control.reasons("shunt", (base,))
    control.close()
    assert failure.why == "LookupError: unknown encoding: x"
    assert failure.frame == f"{PLACE_2}:179 _one_iteration"
    assert (failure.when, failure.own_frame) == (shunted, "")
    assert failure.note.startswith("no whichq says which queue it was in; ")


@pytest.mark.parametrize(
    "odd", [None, 7, "x" * 100_000, b"\xff", ["<"], {"a": {1}}, "\x1b[31m\n\n"]
)
def test_nothing_that_a_file_says_is_believed_to_be_of_a_kind(
    mailman: Control, odd: Any
) -> None:
    keys = ("whichq", *UNSHUNT_DROPS[1:], "listid", "recipients", "undelivered")
    bases = [shunt(mailman, **{key: odd}) for key in keys]
    bases += [shunt(mailman, **{**dict.fromkeys(keys, odd), "whichq": "out"})]
    for failure in mailman.reasons("shunt", tuple(bases)):
        assert max(map(len, (failure.why, failure.note, failure.list_id))) < 1000
        assert len(failure.traceback) < 10_000
        assert mailman.rerun_warnings("shunt", failure.filebase) is not None
    assert sum(group.count for group in mailman.failures()) == len(bases)


class TestRerunning:
    def test_of_a_message_that_failed_before_anything_happened_nothing_is_said(
        self, mailman: Control
    ) -> None:
        base = shunt(mailman, DIGEST, whichq="digest", listid=ANT)
        assert mailman.rerun_warnings("shunt", base) == []

    def test_delivery_may_have_reached_some(self, mailman: Control) -> None:
        base = shunt(
            mailman, DIGEST, whichq="out", listid=ANT, recipients=["a@x", "b@x"]
        )
        (warning,) = mailman.rerun_warnings("shunt", base)
        assert "it goes to all of its 2 recipients" in warning
        rest = shunt(mailman, DIGEST, whichq="out", undelivered=[["a@x"], ["b@x"]])
        assert (
            "it goes on with 2 recipients" in mailman.rerun_warnings("shunt", rest)[0]
        )

    def test_a_pipeline_begins_anew(self, mailman: Control) -> None:
        handler = "/m/site-packages/mailman/handlers/to_digest.py:9 process"
        text = traceback("OSError: disk", handler)
        base = shunt(mailman, text, whichq="pipeline", listid=ANT)
        (warning,) = mailman.rerun_warnings("shunt", base)
        assert warning.endswith("to-archive run for a second time")

    def test_a_signal_is_no_fault_of_the_message(self, mailman: Control) -> None:
        text = traceback("mailman.core.runner.RunnerInterrupt")
        base = shunt(mailman, text, whichq="in")
        assert "`mailman stop`" in mailman.rerun_warnings("shunt", base)[0]

    def test_an_old_origin_is_not_believed_alone(self, control: Control) -> None:
        base = put(control, "shunt", MAIL, whichq="in", shunt_runner="out",
                   shunt_error="no such list: x")  # fmt: skip
        (warning,) = control.rerun_warnings("shunt", base)
        assert warning.startswith("out put it aside, and whichq says in")

    def test_the_same_message_waits_elsewhere(self, mailman: Control) -> None:
        data = b"Message-ID: <m@x>\n" + MAIL
        base = shunt(mailman, DIGEST, data=data, whichq="digest", listid=ANT)
        copy = put(mailman, "archive", data, listid=ANT)
        put(mailman, "archive", data, listid="bee.example.com")
        put(mailman, "virgin", b"Message-ID: <n@x>\n" + MAIL, listid=ANT)
        assert mailman.rerun_warnings("shunt", base) == [
            f"archive has the same message: {copy}"
        ]

    def test_the_log_says_who_got_it(self, mailman: Control) -> None:
        data = b"Message-ID: <m@x>\n" + MAIL
        base = shunt(mailman, DIGEST, data=data, whichq="digest", listid=ANT)
        when = float(base.partition("+")[0]) - 60
        posts = [
            ("ant@example.com", ""),
            ("ant@example.com", ", 3 failures"),
            ("bee@example.com", ""),
            ("ant@example.com", ", 2 failures"),
        ]
        text = "".join(
            stamped(when, 5, f"<m@x> smtp to {name} for 3 recips, completed in 0.1 s")
            + stamped(when, 5, f"<m@x> post to {name} from a@x, 9 bytes{failed}")
            for name, failed in posts
        )
        (log,) = mailman.configuration.settings.delivery_logs
        write(log, text, until=when)
        warnings = mailman.rerun_warnings("shunt", base)
        assert [each.partition(":")[0] for each in warnings] == [
            "smtp.log says that 3 recipients got it",
            "smtp.log says that 1 recipients got it",
        ]

    def test_of_many_the_logs_are_read_once(
        self, mailman: Control, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Near the time of each, in whatever rotated file that is."""
        now = when_of(put(mailman, "shunt", whichq="digest"))
        ids = [f"<m{number}@x>" for number in range(6)]
        for number, message_id in enumerate(ids):
            data = f"Message-ID: {message_id}\n".encode() + MAIL
            base = put(mailman, "shunt", data, whichq="digest", listid=ANT)
            then = at(base, now - number * 20 * DAY)
            shunt = mailman.configuration.shunt
            shunt.transfer(base, shunt, new_filebase=then)
        (log,) = mailman.configuration.settings.delivery_logs
        for number, message_id in enumerate(ids):
            when = now - number * 20 * DAY
            text = "".join(
                stamped(then, 5, f"{message_id} smtp to {ANT} for 3 recips, in 0.1 s")
                + stamped(then, 5, f"{message_id} post to {ANT} from a@x, 9 bytes")
                for then in (when - 3 * DAY, when - HOUR)
            )
            write(log.with_name(f"{log.name}.{number}.gz"), text, until=when)
        read, opened = list[object](), gzip.open

        def open_it(file: Any, mode: Any) -> Any:
            read.append(file)
            return opened(file, mode)

        monkeypatch.setattr(gzip, "open", open_it)
        warnings = mailman.preview("unshunt", "shunt", "all").warnings
        told = {line.partition(" says")[0] for line in warnings}
        assert told == {
            "7 would go to digest",
            *(f"1 of the 7 shown: smtp.log.{n}.gz" for n in range(6)),
        }
        assert len(read) == 6
        assert len(warnings) == 7

    def test_of_what_is_not_there_nothing_can_be_said(self, control: Control) -> None:
        with pytest.raises(NoSuchEntry):
            control.rerun_warnings("shunt", f"1.5+{'0' * 40}")
