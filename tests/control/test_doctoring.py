"""A sick site is told of what it has; a healthy one of nothing."""

from __future__ import annotations

import fcntl
import os
import pickle
import shutil
import stat
import tempfile
import time
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qtool.control.control import READ_ONLY, Control
from qtool.control.doctor.found import counted, verbatim
from qtool.control.models import Finding, Severity
from qtool.control.opening import site_settings
from qtool.control.paging import previewed_fix
from qtool.control.serving.client import Attached
from qtool.control.serving.link import Link
from qtool.control.serving.server import Server
from qtool.errors import NoSuchQueue, ReadOnly, Refused
from qtool.installation import Configuration
from qtool.qfile import look
from qtool.queues import slices
from qtool.queues.slices import equal
from qtool.queues.writers import Writing
from qtool.settings import from_root, parse
from tests.control.site import HERE, configuration, put
from tests.engine.mailman_double import MailmanDouble
from tests.queues.names import filebase_of
from tests.rights import STRANGER, open_folder, powerless

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = Path(__file__).resolve().parents[1] / "fixtures" / "qfiles"
HOUR = 3600.0
TAKING = f"class: {HERE}.Taking"


class Doctored:
    """A site, and what its doctor says of it."""

    def __init__(self, directory: Path, text: str = "", ahead: float = 0.0) -> None:
        text = text or configuration(some=f"{TAKING}\ninstances: 2", idle="")
        settings = parse(text, source=str(directory / "qtool.cfg"), base=directory)
        clock = self.clock = lambda: time.time() + ahead
        self.control = Control(Configuration(settings, clock=clock), clock=clock)
        self.root = settings.queue_root
        for queue in self.control.configuration.switchboards.values():
            queue.queue_directory.mkdir(parents=True, exist_ok=True)

    @property
    def some(self) -> Path:
        return self.root / "some"

    def kinds(self) -> dict[str, int]:
        return {each.kind: each.count for each in self.control.examine()}

    def only(self) -> Finding:
        (finding,) = self.control.examine()
        return finding


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Doctored]:
    made = Doctored(tmp_path)
    yield made
    made.control.close()


@pytest.fixture
def later(tmp_path: Path) -> Iterator[Doctored]:
    """The same site two hours later, by its own clock."""
    made = Doctored(tmp_path, ahead=2 * HOUR)
    yield made
    made.control.close()


def _take(site: Doctored) -> str:
    """Leave an entry in flight, as a runner does that is killed."""
    name = put(site.control, "some")
    site.control.configuration.switchboards["some"].dequeue(name)
    return name


# --- Health


def test_a_healthy_site_has_nothing_and_is_left_as_it_was(site: Doctored) -> None:
    (site.root / "bad" / f"{time.time()!r}+{'0' * 40}.psv").touch()
    (site.root / "shunt" / f"{filebase_of(1)}.pck").touch()
    before = sorted(site.root.rglob("*"))
    assert site.control.examine() == []
    page = site.control.examine_entries("some")
    assert (page.findings, page.read, page.complete) == ((), 0, True)
    assert sorted(site.root.rglob("*")) == before


def test_real_files_of_mailman_are_healthy(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number, file in enumerate(sorted(FILES.glob("mailman*.pck"))):
        shutil.copy(file, tmp_path / "in" / f"{filebase_of(number)}.pck")
    control = Control(Configuration(from_root(tmp_path)))
    assert control.examine() == []
    page = control.examine_entries("in", seconds=10.0)
    assert (page.findings, page.read >= 6) == ((), True)


# --- Names and facts


def test_names_that_are_no_entrys_are_told_by_what_they_are(site: Doctored) -> None:
    (site.some / "foo.pck").touch()
    (site.some / "\udcffbad").touch()
    (site.some / "sub").mkdir()
    base = filebase_of(1).partition("+")[2]
    (site.some / f"{base}.db").touch()
    (site.some / f"{base}.msg").touch()
    (site.some / f"{filebase_of(2)}.pck").symlink_to("/etc/passwd")
    assert site.kinds() == {"foreign-names": 3, "old-pairs": 2, "not-a-file": 1}
    named = {each.kind: each for each in site.control.examine()}
    assert named["foreign-names"].names == ("foo.pck", "sub", "\\xffbad")
    assert not any(each.fixable for each in named.values())


def test_times_ahead_are_the_clocks_unless_they_are_due_times(tmp_path: Path) -> None:
    text = configuration(some="", due=f"{TAKING}\nhonours_due: yes")
    site = Doctored(tmp_path, text)
    ahead = f"{time.time() + HOUR!r}+{'0' * 40}.pck"
    (site.some / ahead).touch()
    (site.root / "due" / ahead).touch()
    dated = site.some / f"{filebase_of(1)}.pck"
    dated.touch()
    os.utime(dated, (time.time() + HOUR,) * 2)
    assert site.kinds() == {"clock": 2, "unserved": 1}


def test_old_entries_of_bad_are_a_note_alone(site: Doctored) -> None:
    (site.root / "bad" / f"{filebase_of(1)}.psv").touch()
    (site.root / "bad" / f"{time.time()!r}+{'0' * 40}.psv").touch()
    found = site.only()
    assert (found.kind, found.count, found.severity) == ("old-bad", 1, Severity.NOTE)


def test_mail_in_a_folder_that_no_section_names_is_told(site: Doctored) -> None:
    (site.root / "lost").mkdir()
    (site.root / "lost" / f"{filebase_of(1)}.pck").touch()
    assert (site.only().kind, site.only().names) == ("stray-folder", ("lost",))


@given(st.text(st.sampled_from("{}nsithem ")), st.integers(0, 3))
def test_a_text_of_the_site_is_told_as_it_is(text: str, count: int) -> None:
    said = counted(f"{{n}} thing{{s}} of {verbatim(text)}, and {verbatim(text)}", count)
    assert said == f"{count} thing{'' if count == 1 else 's'} of {text}, and {text}"


def test_no_name_of_a_folder_is_mistaken_for_our_own_words(tmp_path: Path) -> None:
    odd = Doctored(tmp_path / "a{n}{{s}")
    odd.some.chmod(0o2777)
    (odd.root / "other").mkdir()
    (odd.root / "other" / f"{filebase_of(1)}.pck").touch()
    words = [each.words + each.fix for each in odd.control.examine()]
    odd.control.close()
    assert len(words) == 2
    assert all("a{n}{{s}/q" in each for each in words)


def test_a_disk_that_is_nearly_full_is_told(
    site: Doctored, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = os.statvfs_result((4096, 4096, 10**6, 10**4, 10**4, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: facts)
    found = site.only()
    assert (found.kind, found.severity) == ("disk", Severity.CRITICAL)
    assert "1.0%" in found.words


def test_mail_that_waits_for_nobody_is_told(site: Doctored) -> None:
    put(site.control, "some")
    assert site.only().kind == "unserved"
    assert "no runner is at work there" in site.only().words


def test_a_queue_outside_the_spool_may_miss_its_folder(tmp_path: Path) -> None:
    text = configuration(some="path: /nowhere/at/all")
    settings = parse(text, source="qtool.cfg", base=tmp_path)
    control = Control(Configuration(settings))
    (found,) = control.examine()
    assert (found.kind, found.names) == (
        "missing-folder",
        ("some: /nowhere/at/all",),
    )


def test_parts_of_a_queue_that_no_runner_holds_are_told(site: Doctored) -> None:
    queue = site.control.configuration.switchboards["some"]
    first, second = equal(2)
    claim = queue.for_slice(first).claim("runner some")
    found = site.only()
    assert (found.kind, found.count, "50%" in found.words) == ("uncovered", 1, True)
    assert found.names == ("some:1:2",)
    other = queue.for_slice(second).claim("runner some")
    assert site.control.examine() == []
    for each in (claim, other):
        each.release()


@pytest.mark.parametrize(
    ("held", "names"),
    [
        ([slices.equal(3)[1]], ("some:0:3", "some:2:3")),
        ([slices.equal(4)[1], slices.equal(2)[1]], ("some:0:4",)),
        (
            [slices.weighted((50, 30, 20))[1]],
            ("00000000 to 80000000", "cccccccc to the end"),
        ),
    ],
)
def test_parts_are_named_as_who_holds_the_rest_divides_it(
    site: Doctored, held: list[slices.Slice], names: tuple[str, ...]
) -> None:
    queue = site.control.configuration.switchboards["some"]
    claims = [queue.for_slice(part).claim("runner some") for part in held]
    assert site.only().names == names
    for claim in claims:
        claim.release()


def test_a_claim_for_something_else_covers_nothing(site: Doctored) -> None:
    queue = site.control.configuration.switchboards["some"]
    with queue.for_slice(equal(2)[0]).claim("step"):
        assert site.control.examine() == []


# --- In flight


def test_what_is_in_flight_is_nobodys_once_it_is_old(
    site: Doctored, later: Doctored
) -> None:
    name = _take(site)
    assert site.control.examine() == []
    found = later.only()
    assert (found.kind, found.names, found.fixable) == ("orphan-bak", (name,), True)


def test_what_somebody_holds_is_not_nobodys(later: Doctored) -> None:
    name = _take(later)
    queue = later.control.configuration.switchboards["some"]
    with queue.claim("runner some"):
        assert later.control.examine() == []
    with Writing(str(later.some), name):
        assert later.control.examine() == []


def test_exactly_what_was_previewed_is_put_back(later: Doctored) -> None:
    names = sorted(_take(later) for _ in range(3))
    preview = later.control.fix_preview("orphan-bak", "some")
    assert (preview.count, list(preview.first)) == (3, names)
    assert preview.oldest is not None
    new = _take(later)
    (later.some / f"{names[0]}.bak").unlink()
    done = later.control.fix("orphan-bak", "some", preview.token)
    assert list(done.done) == names[1:]
    assert done.skipped == (f"{names[0]}: it is not in flight any more",)
    queue = later.control.configuration.switchboards["some"]
    assert queue.files == names[1:]
    assert queue.get_files(".bak") == [new]
    assert [each.act for each in later.control.audit(act="fix").records] == ["fix"]


def test_what_somebody_claims_meanwhile_stays_in_flight(later: Doctored) -> None:
    name = _take(later)
    preview = later.control.fix_preview("orphan-bak", "some")
    queue = later.control.configuration.switchboards["some"]
    with queue.claim("runner some"):
        done = later.control.fix("orphan-bak", "some", preview.token)
    assert (done.done, done.failed) == ((), ())
    assert done.skipped == (f"{name}: somebody holds its slice now",)
    assert queue.get_files(".bak") == [name]


def test_what_was_taken_again_meanwhile_stays_in_flight(tmp_path: Path) -> None:
    site = Doctored(tmp_path, ahead=2 * HOUR)
    name = _take(site)
    preview = site.control.fix_preview("orphan-bak", "some")
    site.control.clock = time.time  # as if it had been taken a moment ago
    done = site.control.fix("orphan-bak", "some", preview.token)
    assert done.skipped == (f"{name}: somebody has taken it since",)


# --- Begun and not ended


def test_what_was_begun_by_the_dead_is_ended_and_nothing_else(site: Doctored) -> None:
    edited, written, alive = filebase_of(1), filebase_of(2), filebase_of(3)
    for name in (f"{edited}.edit", f"{written}.pck.tmp", f"{alive}.pck.tmp"):
        (site.some / name).touch()
    with Writing(str(site.some), alive):
        assert site.kinds() == {"edit": 1, "tmp": 1}
        for kind in ("edit", "tmp"):
            preview = site.control.fix_preview(kind, "some")
            assert preview.count == 1
            done = site.control.fix(kind, "some", preview.token)
            assert done.done == preview.first
    left = {path.name for path in site.some.iterdir()}
    assert left == {f"{edited}.pck", f"{alive}.pck.tmp"}


def test_who_comes_back_to_its_file_keeps_it(site: Doctored) -> None:
    name = filebase_of(1)
    (site.some / f"{name}.pck.tmp").touch()
    preview = site.control.fix_preview("tmp", "some")
    with Writing(str(site.some), name):
        done = site.control.fix("tmp", "some", preview.token)
    assert [line.partition(": ")[2] for line in done.skipped] == [
        "it is gone, or somebody is at it"
    ]


# --- What is in them


def test_every_entry_is_opened_once_page_by_page(site: Doctored) -> None:
    names = [put(site.control, "some") for _ in range(5)]
    path = site.some / f"{names[2]}.pck"
    path.write_bytes(path.read_bytes()[:50])
    after, read, damaged = "", 0, list[str]()
    while True:
        page = site.control.examine_entries("some", after, seconds=0.0)
        after, read = page.after, read + page.read
        damaged += [name for each in page.findings for name in each.names]
        if page.complete:
            break
    assert (read, page.total, damaged) == (5, 5, [names[2]])


def test_what_cannot_be_read_is_set_aside_unchanged(site: Doctored) -> None:
    name, gone, whole = (put(site.control, "some") for _ in range(3))
    path = site.some / f"{name}.pck"
    damaged = path.read_bytes()[:50]
    for each in (name, gone):
        (site.some / f"{each}.pck").write_bytes(damaged)
    preview = site.control.fix_preview("damaged", "some")
    assert sorted(preview.first) == sorted([name, gone])
    (site.some / f"{gone}.pck").unlink()
    done = site.control.fix("damaged", "some", preview.token)
    assert done.done == (name,)
    assert len(done.skipped) == 1
    assert (site.root / "bad" / f"{name}.psv").read_bytes() == damaged
    assert site.control.configuration.bad.preserved_because(name)
    assert site.control.names("some") == [f"{whole}.pck"]


def test_what_cannot_be_set_aside_waits_on(site: Doctored) -> None:
    name = put(site.control, "some")
    (site.some / f"{name}.pck").write_bytes(b"no pickle")
    site.control.configuration.bad.queue_directory.rmdir()
    (site.root / "bad").touch()
    preview = site.control.fix_preview("damaged", "some")
    done = site.control.fix("damaged", "some", preview.token)
    assert [each.partition(":")[0] for each in done.failed] == [name]
    assert site.control.names("some") == [f"{name}.pck"]


def test_what_can_be_read_by_then_waits_on(site: Doctored) -> None:
    name = put(site.control, "some")
    path = site.some / f"{name}.pck"
    whole = path.read_bytes()
    path.write_bytes(whole[:50])
    preview = site.control.fix_preview("damaged", "some")
    path.write_bytes(whole)
    done = site.control.fix("damaged", "some", preview.token)
    assert done.skipped == (f"{name}: it can be read now",)
    assert site.control.names("some") == [f"{name}.pck"]


def test_what_no_queue_needs_is_told_and_set_aside(site: Doctored) -> None:
    name, whole = put(site.control, "some"), put(site.control, "some")
    path = site.some / f"{name}.pck"
    msgdata = pickle.dumps({"version": 3, "price": Decimal("0.1")})
    held = look(path).message_bytes + msgdata
    path.write_bytes(held)
    (found,) = site.control.examine_entries("some").findings
    assert (found.kind, found.names) == ("unsafe", (name,))
    preview = site.control.fix_preview("unsafe", "some")
    assert site.control.fix("unsafe", "some", preview.token).done == (name,)
    assert (site.root / "bad" / f"{name}.psv").read_bytes() == held
    assert "Decimal" in site.control.configuration.bad.preserved_because(name)
    assert site.control.names("some") == [f"{whole}.pck"]


# --- Rights


def test_what_everybody_may_write_is_told_and_closed(site: Doctored) -> None:
    site.some.chmod(0o777)
    assert (site.only().kind, site.only().fixable) == ("folder-mode", True)
    preview = site.control.fix_preview("folder-mode", "some")
    assert preview.first == (str(site.some),)
    assert site.control.fix("folder-mode", "some", preview.token).done
    assert stat.S_IMODE(site.some.stat().st_mode) & stat.S_IWOTH == 0
    assert "folder-mode" not in site.kinds()


def test_the_folder_beside_the_queues_is_closed_too(site: Doctored) -> None:
    site.control.pause("some")
    state = site.root / ".qtool"
    state.chmod(0o2777)
    assert (site.only().kind, site.only().queue) == ("folder-mode", "")
    preview = site.control.fix_preview("folder-mode")
    assert site.control.fix("folder-mode", "", preview.token).done == (str(state),)
    assert stat.S_IMODE(state.stat().st_mode) == 0o2775


def test_files_of_others_that_the_owner_cannot_read_are_told() -> None:
    if os.geteuid() != 0:
        pytest.skip("NOT RUN: only root can make another user's file")
    with open_folder() as folder, open_folder() as elsewhere:
        # Who has no rights may not be able to import what is not imported yet.
        rehearsed = Doctored(elsewhere)
        rehearsed.control.examine()
        assert not rehearsed.control.fix_preview("modes", "some").token
        with pytest.raises(Refused):
            rehearsed.control.fix("modes", "some", "")
        site = Doctored(folder)
        for path in (site.root, *site.root.iterdir()):
            os.chown(path, STRANGER, STRANGER)
        for number in (1, 2):
            path = site.some / f"{filebase_of(number)}.pck"
            path.touch(mode=0o600)
        os.chown(site.some / f"{filebase_of(2)}.pck", STRANGER, STRANGER)
        (site.some / f"{filebase_of(2)}.pck").chmod(0o000)
        with powerless():
            found = {each.kind: each for each in site.control.examine()}
            assert found["owners"].names == (f"{filebase_of(1)}.pck",)
            assert "chown" in found["owners"].fix
            assert found["modes"].names == (f"{filebase_of(2)}.pck",)
            preview = site.control.fix_preview("modes", "some")
            done = site.control.fix("modes", "some", preview.token)
            assert done.done == (f"{filebase_of(2)}.pck",)
            assert "modes" not in site.kinds()


def test_who_may_not_look_is_told_where() -> None:
    with open_folder() as folder:
        site = Doctored(folder)
        site.some.chmod(0o700)
        if os.geteuid() != 0:
            site.some.chmod(0o000)
        with powerless():
            found = {each.kind: each for each in site.control.examine()}
            page = site.control.examine_entries("some")
        site.some.chmod(0o700)
    assert found["closed-folder"].names == (str(site.some),)
    assert (page.read, page.complete) == (0, True)


# --- What qtool remembers


def test_pauses_of_what_is_not_configured_are_ended(site: Doctored) -> None:
    site.control.pause("some", None, "stays")
    gone = configuration(gone=TAKING, some=f"{TAKING}\ninstances: 4")
    before = Doctored(site.root.parent, gone)
    before.control.pause("gone")
    assert site.kinds() == {"pauses": 1}
    preview = site.control.fix_preview("pauses")
    assert site.control.fix("pauses", "", preview.token).done == ("gone",)
    assert site.kinds() == {}
    row = site.control.scan().row("some")
    assert row is not None
    assert "stays" in row.paused


def test_a_damaged_file_of_pauses_is_told(site: Doctored) -> None:
    site.control.pause("some")
    (site.root / ".qtool" / "pauses.json").write_text("{")
    assert site.only().kind == "pauses-file"


def test_notes_of_dead_claims_are_removed(site: Doctored) -> None:
    queue = site.control.configuration.switchboards["some"]
    claim = queue.claim("runner some")
    (note,) = (site.root / ".qtool" / "claims").glob("*.json")
    kept = note.read_bytes()
    claim.release()
    note.write_bytes(kept)
    assert (site.only().kind, site.only().names) == ("claims", (note.name,))
    preview = site.control.fix_preview("claims")
    with queue.claim("runner some"):
        assert site.control.fix("claims", "", preview.token).done == ()
    assert not note.exists()


def test_notes_that_a_killed_writer_left_half_are_removed(site: Doctored) -> None:
    state = site.root / ".qtool"
    state.mkdir(0o2770)
    state.chmod(0o2770)
    half = ["alerts.tmp", "lists.42.tmp"]
    for name in (*half, "odd.tmp"):
        (state / name).touch()
    place = os.open(state, os.O_RDONLY)
    fcntl.flock(place, fcntl.LOCK_EX)  # as who is writing
    assert site.kinds() == {}
    os.close(place)
    found = site.only()
    assert (found.kind, list(found.names)) == ("half-notes", half)
    preview = site.control.fix_preview("half-notes")
    (state / half[0]).unlink()
    fixed = site.control.fix("half-notes", "", preview.token)
    assert (list(fixed.done), len(fixed.skipped)) == ([half[1]], 1)
    assert (state / "odd.tmp").exists()


def test_a_state_folder_that_is_a_link_or_anothers_is_told(site: Doctored) -> None:
    state = site.root / ".qtool"
    state.symlink_to(site.root)
    assert site.kinds() == {"state-folder": 1}
    state.unlink()
    state.mkdir()
    (state / "layout").write_text("99\n")
    assert site.kinds() == {"layout": 1}


# --- All together

_SUFFIXES = (".pck", ".bak", ".edit", ".pck.tmp", ".psv", ".odd", ".pck.old")


@settings(max_examples=12, deadline=None)
@given(st.lists(st.sampled_from(_SUFFIXES), max_size=12))
def test_after_all_fixes_nothing_is_lost_and_nothing_is_left_to_fix(
    suffixes: list[str],
) -> None:
    with tempfile.TemporaryDirectory(prefix="q-") as name:
        site = Doctored(Path(name), ahead=2 * HOUR)
        (site.root / "some" / f"{filebase_of(99)}.bak").symlink_to("/etc/passwd")
        for number, suffix in enumerate(suffixes):
            (site.some / f"{filebase_of(number)}{suffix}").write_text(str(number))
        before = _mail(site)
        for found in site.control.examine():
            if found.fixable:
                preview = site.control.fix_preview(found.kind, found.queue)
                assert preview.count == found.count
                done = site.control.fix(found.kind, found.queue, preview.token)
                assert len(done.done) == found.count
        assert not any(each.fixable for each in site.control.examine())
        assert _mail(site) == before
        left = {path.suffix for path in site.some.iterdir() if not path.is_symlink()}
        assert left <= {".pck", ".psv", ".odd", ".old"}
        site.control.close()


def _mail(site: Doctored) -> list[str]:
    """What the files hold, but for those that were half written."""
    return sorted(
        path.read_text()
        for path in site.some.iterdir()
        if not path.name.endswith(".tmp")
    )


# --- Asking wrongly


def test_wrong_fixes_are_refused(later: Doctored) -> None:
    _take(later)
    control = later.control
    with pytest.raises(Refused, match="no fix 'rm'"):
        control.fix_preview("rm", "some")
    with pytest.raises(Refused, match="needs the queue"):
        control.fix_preview("tmp")
    with pytest.raises(Refused, match="takes no queue"):
        control.fix_preview("claims", "some")
    with pytest.raises(NoSuchQueue):
        control.fix_preview("tmp", "none")
    with pytest.raises(NoSuchQueue):
        control.examine(("none",))
    preview = control.fix_preview("orphan-bak", "some")
    with pytest.raises(Refused, match="another act: fix orphan-bak some"):
        control.fix("tmp", "some", preview.token)
    assert len(control.fix("orphan-bak", "some", preview.token).done) == 1
    later.some.chmod(0o2777)
    preview = control.fix_preview("folder-mode", "some")
    with pytest.raises(Refused, match="is for fix folder-mode some"):
        control.fix("folder-mode", "", preview.token)
    nothing = control.fix_preview("tmp", "some")
    assert (nothing.count, nothing.token) == (0, "")
    with pytest.raises(Refused, match="no token"):
        control.fix("tmp", "some", "")


def test_nothing_is_fixable_where_nothing_may_be_changed(later: Doctored) -> None:
    _take(later)
    settings = later.control.configuration.settings
    clock = later.clock
    looking = Control(Configuration(settings, clock=clock), clock=clock, read_only=True)
    (found,) = looking.examine()
    assert (found.kind, found.fixable) == ("orphan-bak", False)
    with pytest.raises(ReadOnly):
        looking.fix_preview("orphan-bak", "some")
    seen = previewed_fix(looking, "orphan-bak", "some")
    assert (seen.count, seen.token, seen.refusal) == (1, "", READ_ONLY)


# --- Where Mailman works


def _of_mailman(double: MailmanDouble, ahead: float) -> Control:
    settings = site_settings(double.directory / "mailman.cfg", None)
    clock = lambda: time.time() + ahead  # noqa: E731 - two of them
    return Control(Configuration(settings, clock=clock), clock=clock)


def _found(control: Control, kind: str) -> list[tuple[int, bool]]:
    found = control.examine(("in",))
    return [(each.count, each.fixable) for each in found if each.kind == kind]


def test_what_mailman_has_in_flight_is_mailmans_until_it_stops(tmp_path: Path) -> None:
    double = MailmanDouble(tmp_path / "site")
    hours, days = _of_mailman(double, 2 * HOUR), _of_mailman(double, 48 * HOUR)
    soon = _of_mailman(double, 0.5 * HOUR)
    name = put(hours, "in")
    hours.configuration.switchboards["in"].dequeue(name)
    assert [_found(each, "orphan-bak") for each in (soon, hours)] == [[], [(1, True)]]
    double.lock_of_master(4711, "elsewhere.example.com")
    lock = double.directory / "var/locks/master.lck"
    lock.touch()
    os.utime(lock, (4e9, 4e9))
    assert _found(hours, "orphan-bak") == []
    assert hours.fix_preview("orphan-bak", "in").count == 0
    assert _found(days, "orphan-bak") == [(1, False)]
    assert days.fix_preview("orphan-bak", "in").count == 0


def test_what_an_old_mailman_has_in_flight_is_left_to_it(tmp_path: Path) -> None:
    """No program of Mailman 2 tells whether it is at work."""
    (tmp_path / "qfiles" / "in").mkdir(parents=True)
    settings = site_settings(None, tmp_path / "qfiles")
    clock = lambda: time.time() + 48 * HOUR  # noqa: E731 - of two
    control = Control(Configuration(settings, clock=clock), clock=clock)
    (tmp_path / "qfiles" / "in" / f"{filebase_of(1)}.bak").touch()
    assert _found(control, "orphan-bak") == [(1, False)]
    assert control.fix_preview("orphan-bak", "in").count == 0


def test_a_folder_that_mailman_has_not_made_is_told(tmp_path: Path) -> None:
    control = _of_mailman(MailmanDouble(tmp_path / "site"), 0.0)
    folder = control.configuration.switchboards["in"].queue_directory
    shutil.rmtree(folder, ignore_errors=True)
    found = {each.kind: each for each in control.examine()}
    assert f"in: {folder}" in found["missing-folder"].names
    assert "start Mailman once" in found["missing-folder"].fix


# --- Through a daemon


def test_a_daemon_answers_as_one_process_does(later: Doctored) -> None:
    names = [_take(later), put(later.control, "some")]
    path = later.some / f"{names[1]}.pck"
    path.write_bytes(path.read_bytes()[:50])
    control = later.control
    with ExitStack() as ends, tempfile.TemporaryDirectory(prefix="q-") as name:
        ends.callback(Server(control, Path(name) / "s").close)
        link = Link(Path(name) / "s", later.root)
        far = Attached(control.configuration, link, read_only=False)
        ends.callback(far.close)
        assert far.examine() == control.examine()
        assert far.examine(("some",)) == control.examine(("some",))
        page = far.examine_entries("some")
        assert page == control.examine_entries("some")
        assert [each.kind for each in page.findings] == ["damaged"]
        preview = far.fix_preview("orphan-bak", "some")
        assert far.fix("orphan-bak", "some", preview.token).done == (names[0],)
        daemon, *rest = far.leaving().remaining
        assert daemon.words == f"the daemon works there: pid {os.getpid()}"
        assert tuple(rest) == control.leaving().remaining
        with pytest.raises(Refused, match="qtool stop, then qtool leave"):
            far.leave(control.leaving().token)
    assert (later.root / ".qtool").exists()
