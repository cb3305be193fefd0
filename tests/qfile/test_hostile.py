"""No file harms who reads it, whichever way it is shown.

``QTOOL_CORPUS`` may name a folder with a ``MANIFEST.jsonl`` and more such files;
they are treated as the generated ones are.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from tests.qfile.doors import DOORS
from tests.qfile.hostile import (
    Exhibit,
    Hostile,
    generated,
    read_corpus,
    write_corpus,
)
from tests.qfile.hostile_code import classes, code
from tests.qfile.hostile_large import large_bombs
from tests.qfile.hostile_names import make_names
from tests.qfile.judging import Verdict, faults, judged, report

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = TypeVar("Kind", Hostile, Exhibit)

FLIPS = 2000
SLOW_DOOR = "entry screen"


def made(corpus: Path, files: Iterable[Hostile]) -> list[Exhibit]:
    """Make a folder of these files, and of odd names."""
    corpus.mkdir()
    write_corpus(corpus, files)
    return [*read_corpus(corpus), *make_names(corpus)]


def few_of_each_category(those: Iterable[Kind]) -> list[Kind]:
    """Choose two or three of each kind of harm, from first to last."""
    by_category: dict[str, list[Kind]] = {}
    for one in those:
        by_category.setdefault(one.category, []).append(one)
    return [
        one for those in by_category.values() for one in those[:: len(those) // 2 or 1]
    ]


def everywhere(
    corpus: Path, exhibits: list[Exhibit], scratch: Path, *, few: bool = False
) -> tuple[list[Verdict], list[str]]:
    """Show every file through every door; the verdicts, and what was wrong.

    The slowest is opened several times, so that no processor waits for it. Where
    they are ``few``, it costs more to open doors in many processes than to share one.
    """
    quick = [door for door in DOORS if door != SLOW_DOOR]
    slow = 1 if few else 4
    shares = [([SLOW_DOOR], exhibits[part::slow]) for part in range(slow)]
    shares += [(quick, exhibits)] if few else [([door], exhibits) for door in quick]

    def judge(number: int) -> list[Verdict]:
        doors, share = shares[number]
        return list(judged(doors, corpus, share, scratch / str(number)))

    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        lists = list(pool.map(judge, range(len(shares))))
    verdicts = [verdict for verdicts in lists for verdict in verdicts]
    return verdicts, faults(exhibits, verdicts)


def test_some_files_of_each_kind_do_no_harm_at_any_door(
    tmp_path: Path,
) -> None:
    files = few_of_each_category(generated(flips=50))
    few = few_of_each_category(made(tmp_path / "corpus", files))
    corpus, scratch = tmp_path / "corpus", tmp_path / "scratch"
    verdicts, wrong = everywhere(corpus, few, scratch, few=True)
    assert wrong == []
    assert len(verdicts) == len(few) * len(DOORS)


def test_no_file_that_could_run_code_passes_a_strict_reading(tmp_path: Path) -> None:
    files = [*code(), *classes()]
    assert len(files) > 400
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    write_corpus(corpus, files)
    exhibits = list(read_corpus(corpus))
    verdicts = list(judged(["strict read"], corpus, exhibits, tmp_path / "scratch"))
    assert faults(exhibits, verdicts) == []


@pytest.mark.long
def test_no_file_does_harm_at_any_door(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exhibits = made(tmp_path / "corpus", generated(FLIPS))
    verdicts, wrong = everywhere(tmp_path / "corpus", exhibits, tmp_path / "generated")
    if os.environ.get("QTOOL_CORPUS"):
        other = Path(os.environ["QTOOL_CORPUS"])
        others = list(read_corpus(other))
        more, faulty = everywhere(other, others, tmp_path / "given")
        verdicts += more
        wrong += faulty
    with capsys.disabled():
        print(f"\n{report(verdicts)}")
    assert wrong == []


@pytest.mark.long
def test_files_of_eight_megabytes_take_a_second_and_200_megabytes_at_most(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    write_corpus(corpus, large_bombs())
    verdicts, wrong = everywhere(corpus, list(read_corpus(corpus)), tmp_path / "large")
    with capsys.disabled():
        print(f"\n{report(verdicts)}")
    assert wrong == []
