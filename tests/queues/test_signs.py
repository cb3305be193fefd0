"""What one look at a folder tells."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from qtool.queues.spool import Spool
from tests.queues.names import filebase_of

if TYPE_CHECKING:
    from pathlib import Path

OLD, YOUNG = 1_700_000_000.5, 1_700_000_900.25


def test_the_youngest_the_last_change_and_the_last_one_taken_are_told(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    for number, name in enumerate([
        f"{filebase_of(1, OLD)}.pck", f"{filebase_of(2, YOUNG)}.pck",
        f"{filebase_of(3, YOUNG + 5)}.pck.tmp", "zz.pck", "9999999999.pck.txt",
        f"{filebase_of(4, OLD)}.bak", f"{filebase_of(5, OLD)}.bak",
    ]):  # fmt: skip
        (folder / name).touch()
        os.utime(folder / name, (number, number))  # which nobody looks at
    before = max(path.stat().st_ctime for path in folder.glob("*.bak"))
    os.utime(folder, (OLD, OLD + 60))
    signs = Spool("out", folder).signs()
    assert signs is not None
    assert (signs.changed, signs.youngest) == (OLD + 60, YOUNG)
    assert signs.taken == before
    came = (folder / f"{filebase_of(2, YOUNG)}.pck").stat().st_ctime
    assert signs.came == came


def test_of_a_folder_that_is_not_there_or_empty_nothing_is_said(tmp_path: Path) -> None:
    assert Spool("out", tmp_path / "none").signs() is None
    signs = Spool("out", tmp_path).signs()
    assert signs is not None
    assert (signs.youngest, signs.came, signs.taken) == (None, None, None)


def test_a_name_that_only_looks_like_the_youngest_makes_that_unknown(
    tmp_path: Path,
) -> None:
    (tmp_path / f"{filebase_of(1, OLD)}.pck").touch()
    (tmp_path / "zzzzzzzzzz.no.pck").touch()
    signs = Spool("out", tmp_path).signs()
    assert signs is not None
    assert (signs.youngest, signs.came) == (None, None)
