"""A fix of many tells how far it is, and ends between two of them when asked to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qtool.control.doctor.fixes import SetDamagedAside
from qtool.render.acts import under_way_line
from qtool.render.findings import missed_lines
from tests.control.site import configuration, open_site, put

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qtool.control.control import Control
    from qtool.control.models import UnderWay

MANY = 40


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Control]:
    made = open_site(tmp_path, configuration(some="", bad=""))
    yield made
    made.close()


@pytest.fixture
def names(site: Control) -> list[str]:
    """Entries that cannot be read."""
    folder = site.configuration.switchboards["some"].queue_directory
    names = [put(site, "some") for _ in range(MANY)]
    for name in names:
        (folder / f"{name}.pck").write_bytes(b"no pickle")
    return names


def test_it_can_be_ended(
    site: Control, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    preview = site.fix_preview("damaged", "some")
    assert (preview.count, len(preview.first)) == (MANY, 25)
    seen: list[UnderWay] = []
    mend = SetDamagedAside.mend

    def watched(fix: SetDamagedAside, name: str) -> None:
        mend(fix, name)
        seen.extend(site.under_way())
        if len(seen) == 10:
            site.interrupt(seen[-1].id)

    monkeypatch.setattr(SetDamagedAside, "mend", watched)
    fixed = site.fix("damaged", "some", preview.token)
    assert [each.done for each in seen] == list(range(10))
    assert {(each.verb, each.total) for each in seen} == {("fix damaged", MANY)}
    assert under_way_line(seen[5]).startswith("fix damaged [####")
    assert fixed.done == tuple(names[:10])
    assert fixed.skipped[0] == f"{names[10]}: not tried after: it was interrupted"
    assert len(fixed.skipped) == MANY - 10
    assert list(missed_lines(fixed)) == ["left: 30 not tried after: it was interrupted"]
    assert len(site.names("bad")) == 10
    assert len(site.names("some")) == MANY - 10
    assert site.under_way() == ()


def test_what_was_done_is_made_durable_once(
    site: Control, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = type(site.configuration.bad)
    synced: list[str] = []
    monkeypatch.setattr(bad, "sync", lambda queue: synced.append(queue.name))
    preview = site.fix_preview("damaged", "some")
    assert site.fix("damaged", "some", preview.token).done == tuple(names)
    assert synced[-2:] == ["some", "bad"]
    assert len(synced) < MANY
