"""The README's example does what the README says, as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from qtool.commands.arguments import commands

README = Path(__file__).resolve().parent.parent / "README.md"


def block(language: str, containing: str) -> str:
    """The fenced block in that language that contains a text."""
    found: list[str] = re.findall(
        rf"^```{language}\n(.*?)^```", README.read_text("utf-8"), re.M | re.S
    )
    return next(text for text in found if containing in text)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the example's two files in it."""
    (tmp_path / "runners").mkdir()
    (tmp_path / "runners" / "mine.py").write_text(block("python", "class Sorter"))
    (tmp_path / "qtool.cfg").write_text(block("ini", "mine.Sorter"))
    return tmp_path


def test_the_runner_of_the_tour_sorts_mail(folder: Path) -> None:
    lines = block("console", "run --once").splitlines()
    programs = Path(sys.executable).parent
    for number, line in enumerate(lines):
        if not line.startswith("$ "):
            continue
        expected = [said for said in lines[number + 1 : number + 2] if said[0] != "$"]
        done = subprocess.run(
            line.removeprefix("$ "),
            shell=True,
            cwd=folder,
            env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[: len(expected)] == expected
    assert len(list((folder / "queues" / "work").glob("*.pck"))) == 1
    assert list((folder / "queues" / "in").glob("*.pck")) == []


def test_the_test_of_the_tour_passes(folder: Path) -> None:
    test = folder / "runners" / "test_mine.py"
    test.write_text(block("python", "make_testable_runner"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         f"--basetemp={folder / 'scratch'}", test],
        capture_output=True, text=True,
        cwd=folder,
        timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert not (folder / "queues").exists()


def test_every_command_of_the_program_stands_in_the_readme() -> None:
    text = README.read_text("utf-8")
    known = set(re.findall(r"`(?:qtool )?(\w+)\b", text))
    missing = commands().keys() - known
    assert missing == set()


def test_every_picture_of_the_readme_is_there() -> None:
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README.read_text("utf-8"))
    assert pictures
    assert [name for name in pictures if not (README.parent / name).is_file()] == []
