"""Whatever is read in pages is told whole: each thing once, in its order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qtool.control import paging
from qtool.control.models import Severity
from qtool.errors import NoSuchEntry, Refused
from tests.control.mailman_logs import shunting, traceback, write
from tests.control.site import MAIL, configuration, open_site, put

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qtool.control.control import Control

SITE = configuration(some="", other="", shunt="", bad="")
HELLO, OTHER = MAIL, MAIL.replace(b"hello", b"bye")


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    made = open_site(tmp_path, SITE)
    yield made
    made.close()


def damage(control: Control, queue: str, name: str) -> None:
    folder = control.configuration.switchboards[queue].queue_directory
    (folder / f"{name}.pck").write_bytes(b"no pickle")


@pytest.mark.parametrize("names_only", [True, False])
def test_a_search_goes_on_behind_what_it_found(
    control: Control, *, names_only: bool
) -> None:
    names = [put(control, "some", (HELLO, OTHER)[n % 2]) for n in range(20)]
    wanted = names[::2]
    seen, pages = list[str](), 0
    for page in paging.pages(
        control, "some", "subject~hello", 3, names_only=names_only
    ):
        pages += 1
        seen += [entry.filebase for entry in page.entries]
        if pages == 1:  # what goes meanwhile has nobody miss anything else
            control.discard("some", wanted.pop(0))
            control.discard("some", wanted.pop())
            wanted.insert(0, seen[0])
    assert seen == wanted
    assert pages > 3


def test_a_search_that_finds_nothing_has_an_end(control: Control) -> None:
    (page,) = paging.pages(control, "some", "")
    assert (page.entries, page.complete) == ((), True)


def test_each_failure_is_told_once_and_by_the_log_that_was_named(
    control: Control, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "_FAILURES", 3)
    names = [put(control, "shunt", (HELLO, OTHER)[n % 2]) for n in range(10)]
    error = traceback("KeyError: 'volume'")
    text = "".join(
        shunting(float(name.split("+")[0]), 5, name, error) for name in names
    )
    log = write(tmp_path / "error", text, until=float(names[-1].split("+")[0]))
    told = list(paging.failure_pages(control, "shunt", "subject~hello", str(log)))
    assert max(map(len, told)) == 3
    failures = [failure for page in told for failure in page]
    assert [failure.filebase for failure in failures] == names[::2]
    assert {failure.why for failure in failures} == {"KeyError: 'volume'"}


@pytest.mark.parametrize(("number", "count"), [(0, 0), (1, 1), (5, 5), (99, 7)])
def test_of_the_record_the_newest_are_read(
    control: Control, monkeypatch: pytest.MonkeyPatch, number: int, count: int
) -> None:
    monkeypatch.setattr(paging, "_RECORDS", 2)
    for each in range(7):
        control.pause("some", None, f"for the {each}. time")
    anything = (0.0, 0.0, "", "", "", "")
    pages = paging.records(control, number, *anything)
    found = [record.why for page in pages for record in page.records]
    assert found == [f"for the {each}. time" for each in range(6, 6 - count, -1)]


def test_what_is_wrong_is_one_finding_of_all_pages(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "_READING_SECONDS", 0.0)
    for queue, count in (("some", 4), ("other", 2)):
        for _ in range(count):
            put(control, queue)
            damage(control, queue, put(control, queue))
    read = list(paging.readings(control, "some"))
    assert [page.read for page in read] == [1] * 8
    found = paging.findings(control, (), lambda name: paging.readings(control, name))
    order = [each.severity for each in found]
    assert order == sorted(order, key=list(Severity).index, reverse=True)
    damaged = [each for each in found if each.kind == "damaged"]
    assert [(each.queue, each.count) for each in damaged] == [("some", 4), ("other", 2)]
    one = paging.findings(control, ("other",), lambda _name: [])
    assert {each.queue for each in one} == {"other"}
    quick = paging.findings(control, (), None)
    assert "damaged" not in {each.kind for each in quick}


class TestTheOne:
    def test_it_is_told_by_its_beginning_and_with_any_suffix(
        self, control: Control
    ) -> None:
        name = put(control, "some")
        for typed in (name[:30], name, f"{name}.pck", f"{name}.psv", f"{name}.bak"):
            assert paging.the_one(control, "some", typed) == name

    def test_of_several_none_is_taken(self, control: Control) -> None:
        names = [put(control, "some") for _ in range(5)]
        beginning = names[0][:8]
        with pytest.raises(NoSuchEntry) as error:
            paging.the_one(control, "some", beginning)
        said = str(error.value)
        assert f"the names of 5 entries begin with {beginning}" in said
        assert [name[:30] in said for name in names] == [True] * 3 + [False] * 2

    @pytest.mark.parametrize("typed", ["", "1", "1795292", "1795292.pck"])
    def test_too_little_is_refused(self, control: Control, typed: str) -> None:
        with pytest.raises(Refused, match="too short"):
            paging.the_one(control, "some", typed)

    def test_what_is_nowhere_is_named(self, control: Control) -> None:
        put(control, "some")
        with pytest.raises(NoSuchEntry, match=r"some: no entry's name .* 12345678\.5"):
            paging.the_one(control, "some", "12345678.5")

    def test_of_a_file_that_has_gone_the_whole_name_will_do(
        self, control: Control
    ) -> None:
        gone = f"1795292186.5+{'ab' * 20}"
        assert paging.the_file(control, "some", f"{gone}.pck") == gone
        with pytest.raises(NoSuchEntry):
            paging.the_file(control, "some", gone[:30])


def test_who_may_not_act_sees_what_an_act_and_a_fix_would_do(
    control: Control, tmp_path: Path
) -> None:
    names = [put(control, "some") for _ in range(3)]
    damage(control, "some", names[0])
    looking = open_site(tmp_path, SITE, read_only=True)
    for site, may in ((control, True), (looking, False)):
        preview = paging.previewed(site, "discard", "some", "all")
        fix = paging.previewed_fix(site, "damaged", "some")
        assert (preview.count, fix.count) == (3, 1)
        assert fix.first == (names[0],)
        assert bool(preview.token) == bool(fix.token) == may
        assert bool(preview.refusal) == bool(fix.refusal) == (not may)
    looking.close()
