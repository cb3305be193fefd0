"""A site is given back whole, or not at all: never with mail in what goes."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from qtool.control.acting import Actor, acting_as
from qtool.control.acts.journal import Journal
from qtool.control.acts.records import Record
from qtool.errors import ReadOnly, Refused
from qtool.queues import durable
from tests.control.site import HERE, configuration, open_site, put
from tests.queues.names import filebase_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qtool.control.control import Control
    from qtool.queues.claims import Claim

ENTRY = f"{filebase_of(1)}.pck"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Control]:
    made = open_site(tmp_path, configuration(some=f"class: {HERE}.Taking"))
    yield made
    made.close()


@pytest.fixture
def state(site: Control) -> Path:
    """The folder in which qtool remembers, with things in it that can go."""
    site.pause("some", None, "later")
    return site.configuration.state_directory


def test_nothing_is_there_where_nothing_was_done(site: Control) -> None:
    leaving = site.leaving()
    assert (leaving.remaining, leaving.files, leaving.token) == ((), 0, "")
    with pytest.raises(Refused, match="nothing of qtool's is at"):
        site.leave("")
    assert list(site.configuration.settings.queue_root.glob(".*")) == []


def test_all_of_it_goes_and_mail_in_the_queues_stays(
    site: Control, state: Path
) -> None:
    name = put(site, "some")
    (state / "audit.jsonl").write_text("{}\n")
    leaving = site.leaving()
    assert leaving.hindrances == ()
    words = [each.words for each in leaving.remaining]
    assert words == ["the audit log", "pauses, which end with it"]
    assert str(state / "audit.jsonl") in leaving.remaining[0].fix
    left = site.leave(leaving.token)
    assert (left.folder, left.files) == (leaving.folder, leaving.files)
    assert list(left.done) == words
    assert not state.exists()
    assert list(state.parent.glob(".*")) == []
    site.close()
    assert not state.exists()
    assert site.names("some") == [f"{name}.pck"]


def test_what_a_killed_writer_left_is_told_from_what_is_not_ours(
    site: Control, state: Path
) -> None:
    for name in ("alerts.tmp", "drains.tmp", "lists.42.tmp", "odd.tmp", "pauses.tmp"):
        (state / name).touch()
    half = "half written by somebody who was killed"
    words = [each.words for each in site.leaving().remaining]
    assert words == [
        f"{half}: alerts.tmp", "the audit log", f"{half}: drains.tmp",
        f"{half}: lists.42.tmp", "something else: odd.tmp", "pauses, which end with it",
        f"{half}: pauses.tmp",
    ]  # fmt: skip
    site.leave(site.leaving().token)
    assert not state.exists()


@pytest.mark.parametrize(
    ("place", "words", "fix"),
    [
        ("held/some", "held of some: 1 entry", "qtool release some all"),
        ("trash/7", "in the trash, of act 7: 1 entry", "qtool undo 7"),
        ("step-1/queue", "in a step that was cut off: 1 entry", "qtool status"),
        ("odd", "in odd: 1 entry", "move them into a queue"),
        ("", f"in {ENTRY}: 1 entry", "move them into a queue"),
    ],
)
def test_mail_in_it_is_in_the_way(
    site: Control, state: Path, place: str, words: str, fix: str
) -> None:
    (state / place).mkdir(parents=True, exist_ok=True)
    (state / place / ENTRY).touch()
    leaving = site.leaving()
    (hindrance,) = leaving.hindrances
    assert (hindrance.words, leaving.token) == (words, "")
    assert fix in hindrance.fix
    with pytest.raises(Refused, match=re.escape(words)):
        site.leave(leaving.token)
    assert (state / place / ENTRY).exists()


def test_what_an_act_has_in_hand_in_a_queue_is_in_the_way(
    site: Control, state: Path
) -> None:
    queue = site.configuration.switchboards["some"]
    (queue.queue_directory / f"{filebase_of(1)}.edit").touch()
    (hindrance,) = site.leaving().hindrances
    assert "qtool doctor some --fix edit" in hindrance.fix
    assert state.exists()


def test_who_works_there_is_in_the_way(site: Control, state: Path) -> None:
    token = site.leaving().token
    queue = site.configuration.switchboards["some"]
    with queue.claim("runner some"):
        (hindrance,) = site.leaving().hindrances
        assert f"pid {os.getpid()}" in hindrance.words
        with pytest.raises(Refused, match="somebody works there"):
            site.leave(token)
    assert state.exists()
    site.leave(site.leaving().token)
    assert not state.exists()


def test_who_begins_at_the_last_moment_keeps_all_of_it(
    site: Control, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, rename = site.configuration.switchboards["some"], durable.rename_new
    claims: list[Claim] = []

    def claim_first(source: str, target: str) -> None:
        if not claims:
            claims.append(queue.claim("runner some"))
        rename(source, target)

    token = site.leaving().token
    monkeypatch.setattr(durable, "rename_new", claim_first)
    with pytest.raises(Refused, match="begun to work"):
        site.leave(token)
    assert state.exists()
    assert not claims[0].is_lost
    claims[0].release()


def test_an_act_under_way_is_in_the_way(site: Control, state: Path) -> None:
    journal = Journal(state)
    record = Record(
        number=0, verb="move", queue="some", to="other", at=1.5, uid=0, who="anne",
        why="", moves=(),
    )  # fmt: skip
    with journal.begin(record) as begun:
        (hindrance,) = site.leaving().hindrances
        assert hindrance.words == (
            "act 1 is under way: move 0 of some to other, by anne"
        )
        assert "qtool undo --list" in hindrance.fix
        with pytest.raises(Refused, match="act 1 is under way"):
            site.leave("")
        begun.end([])
    site.leave(site.leaving().token)
    assert not state.exists()


def test_an_act_that_begins_while_all_is_removed_does_nothing(
    site: Control, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = put(site, "some")
    assert site.hold("some", name).done
    assert site.release("held:some", name).done
    shutil.rmtree(state / "held")
    rename = durable.rename_new
    refused: list[str] = []

    def hold_first(source: str, target: str) -> None:
        monkeypatch.setattr(durable, "rename_new", rename)
        with pytest.raises(Refused) as error:
            site.hold("some", name)
        refused.append(str(error.value))
        rename(source, target)

    token = site.leaving().token
    monkeypatch.setattr(durable, "rename_new", hold_first)
    site.leave(token)
    assert refused == ["qtool leave is at work here: nothing was done"]
    assert site.names("some") == [f"{name}.pck"]
    assert not state.exists()


def test_a_daemon_that_is_asked_is_in_the_way(site: Control, state: Path) -> None:
    with acting_as(Actor(uid=os.geteuid(), pid=1, where="socket")):
        (hindrance,) = site.leaving().hindrances
    assert hindrance.words == f"the daemon works there: pid {os.getpid()}"
    assert site.leaving().hindrances == ()


def test_what_has_changed_since_is_looked_at_again(site: Control, state: Path) -> None:
    token = site.leaving().token
    assert token == site.leaving().token
    (state / "cache.sqlite3-wal").touch()
    assert token == site.leaving().token
    (state / "lists.json").write_text("{}")
    with pytest.raises(Refused, match="changed since"):
        site.leave(token)
    with pytest.raises(Refused, match="changed since"):
        site.leave("")
    assert (state / "lists.json").exists()


def test_links_in_it_go_and_what_they_lead_to_stays(
    site: Control, state: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / ENTRY).touch()
    (state / "held").symlink_to(outside)
    (state / "file").symlink_to(outside / ENTRY)
    (state / "loop").symlink_to(state)
    leaving = site.leaving()
    assert leaving.hindrances == ()
    site.leave(leaving.token)
    assert not state.exists()
    assert (outside / ENTRY).exists()


def test_a_link_in_the_place_of_the_folder_is_left(
    site: Control, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").touch()
    site.configuration.state_directory.symlink_to(outside)
    (hindrance,) = site.leaving().hindrances
    assert "is no folder" in hindrance.words
    with pytest.raises(Refused, match="is no folder"):
        site.leave("")
    assert (outside / "file").exists()


def test_a_leave_that_was_cut_off_is_ended_by_the_next(
    site: Control, state: Path
) -> None:
    state.rename(state.with_name(".qtool.leaving"))
    leaving = site.leaving()
    assert [each.hinders for each in leaving.remaining] == [False]
    site.leave(leaving.token)
    assert list(state.parent.glob(".*")) == []


def test_mail_in_what_a_leave_left_is_in_the_way(site: Control, state: Path) -> None:
    aside = state.with_name(".qtool.leaving")
    (aside / "held" / "some").mkdir(parents=True)
    token = site.leaving().token
    (aside / "held" / "some" / ENTRY).touch()
    (hindrance,) = site.leaving().hindrances
    assert "the last time" in hindrance.words
    assert "1 entry of mail" in hindrance.words
    for each in ("", token):
        with pytest.raises(Refused, match="1 entry of mail"):
            site.leave(each)
    assert state.exists()
    assert (aside / "held" / "some" / ENTRY).exists()


def test_mail_that_comes_while_all_is_removed_stays(
    site: Control, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has a folder open writes into it, whatever its name is by then."""
    (state / "held" / "some").mkdir(parents=True)
    folder = os.open(state / "held" / "some", os.O_RDONLY | os.O_DIRECTORY)
    token, rmdir = site.leaving().token, os.rmdir

    def hold_first(name: str, *, dir_fd: int) -> None:
        monkeypatch.setattr(os, "rmdir", rmdir)
        os.close(os.open(ENTRY, os.O_CREAT | os.O_WRONLY, dir_fd=folder))
        rmdir(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "rmdir", hold_first)
    with pytest.raises(OSError, match="not empty"):
        site.leave(token)
    os.close(folder)
    assert (state.with_name(".qtool.leaving") / "held" / "some" / ENTRY).exists()
    (hindrance,) = site.leaving().hindrances
    assert "1 entry of mail" in hindrance.words


def test_who_may_only_look_leaves_nothing(tmp_path: Path) -> None:
    looking = open_site(tmp_path, configuration(some=""), read_only=True)
    assert looking.leaving().files == 0
    with pytest.raises(ReadOnly):
        looking.leave("")
