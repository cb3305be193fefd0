"""What is wrong, told at the prompt and put right from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from qtool.errors import Refused
from tests.queues.names import filebase_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    folder = tmp_path / "spool" / "in"
    folder.mkdir(parents=True)
    return folder


def test_a_healthy_site_is_said_to_be_so(names: dict[str, Any]) -> None:
    assert repr(names["doctor"]()) == "nothing is wrong"


def test_a_fix_is_shown_before_it_is_done(names: dict[str, Any], queue: Path) -> None:
    for number in range(2):
        (queue / f"{filebase_of(number)}.edit").touch()
    (queue / "odd\x1b[2J.pck").touch()
    found = names["doctor"]("in", quick=True)
    text = repr(found)
    number = [each.kind for each in found].index("edit")
    assert f"[{number}].fix()" in text
    assert "odd\\x1b[2J.pck" in text
    assert repr(found[number]).endswith(": .fix()")
    preview = found[number].fix()
    assert (preview.count, len(list(queue.glob("*.edit")))) == (2, 2)
    assert repr(preview).endswith(
        "_.confirm() does it to exactly these, within an hour"
    )
    (queue / f"{filebase_of(0)}.edit").unlink()
    done = preview.confirm()
    first, left = repr(done).splitlines()
    assert first == "edit: 1 put right"
    assert left.startswith(f"left: {filebase_of(0)}")
    assert repr(found[number].fix()) == "there is nothing of that kind to fix"
    with pytest.raises(Refused, match="nothing of that kind"):
        found[number].fix().confirm()


def test_what_nobody_can_fix_is_refused(names: dict[str, Any], queue: Path) -> None:
    (queue / "odd.pck").touch()
    [finding] = names["doctor"]("in")
    with pytest.raises(Refused, match="does not fix that here: 1 name that is no"):
        finding.fix()
