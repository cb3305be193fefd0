"""What the README says for programs: the fields of JSON lines, and exit statuses."""

from __future__ import annotations

import json
import re
from argparse import _SubParsersAction
from dataclasses import fields, is_dataclass
from itertools import product
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args

import pytest

from qtool.commands import output
from qtool.commands.arguments import whole
from qtool.control import models
from qtool.control.serving.wire import hints_of
from tests.commands.program import MESSAGE, configuration

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator

    from tests.commands.conftest import Call

README = Path(__file__).resolve().parents[2] / "README.md"

STEERED = ("runner", "slice", "told")
MENDING = (
    "hold", "release", "move", "requeue", "unshunt", "restore", "discard", "cull",
)  # fmt: skip
SHAPES: dict[str, type | tuple[str, ...]] = {
    "status": models.Board,
    "check": ("queue", "status", "problems", "depth", "oldest_seconds"),
    "ls": ("queue", "depth", "in_flight", "held", "preserved", "oldest"),
    **dict.fromkeys(("ls QUEUE", "find"), models.Entry),
    "show": models.EntryView,
    "shunts": models.Failure,
    "shunts --by-failure": models.FailureGroup,
    "dump": ("file", "form", "opaque", "msgdata", "message"),
    "log": models.LogLine,
    "audit": models.AuditRecord,
    **dict.fromkeys(
        ("start", "stop RUNNER", "restart", "pause", "resume", "snooze"), STEERED
    ),
    "stop": ("pid", "spool", "told"),
    "step": models.StepReport,
    **dict.fromkeys((*MENDING, "edit", "undo", "trash --empty"), models.ActionResult),
    **dict.fromkeys(
        [f"{name} --dry-run" for name in (*MENDING, "undo")], models.Preview
    ),
    "undo --list": models.Act,
    "trash": models.Trashed,
    "inject": models.Injected,
    "doctor": models.Finding,
    "doctor --fix": models.Fixed,
    "doctor --fix --dry-run": models.FixPreview,
    "leave": models.Leaving,
    "leave --yes": models.Left,
    "run --once": models.DrainedRunner,
    "metrics": models.Sample,
    "units": ("path", "state", "enable"),
}
"""What one line of each command's JSON is: a model, or its fields."""
SAME = {"top": "status"}
"""Commands whose lines are those of another."""


def rows() -> Iterator[str]:
    """The rows of the README's table: for each kind of object its fields."""
    names: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for command, shape in SHAPES.items():
        if isinstance(shape, tuple):
            names.setdefault(("", shape), []).append(command)
            continue
        for path, found in _objects(shape, ""):
            names.setdefault((path, found), []).append(command)
    for same, other in SAME.items():
        yield f"| `{same}` | as `{other}` |"
    for (path, found), of in names.items():
        what = ", ".join(f"`{name}`" for name in of)
        where = f" `{path}`" if path else ""
        yield f"| {what}{where} | {', '.join(f'`{name}`' for name in found)} |"


def _objects(model: type, path: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The fields of a model, and of the models in it, with the way to each for jq."""
    hints = hints_of(model)
    yield path, tuple(each.name for each in fields(model))
    for each in fields(model):
        hint: Any = hints[each.name]
        if is_dataclass(hint) and isinstance(hint, type):
            yield from _objects(hint, f"{path}.{each.name}")
        for inner in get_args(hint):
            if is_dataclass(inner) and isinstance(inner, type):
                many = "" if NoneType in get_args(hint) else "[]"
                yield from _objects(inner, f"{path}.{each.name}{many}")


def test_the_fields_of_json_lines_are_in_the_readme() -> None:
    text = README.read_text("utf-8")
    assert [row for row in rows() if row not in text] == []


def test_json_lines_have_the_fields_that_the_readme_tells(
    call: Call, tmp_path: Path
) -> None:
    site = configuration(tmp_path)
    told = call("-C", site, "inject", "in", stdin=MESSAGE).out.split()
    name, path = told[1], told[-1]
    Path(path).with_name("odd").touch()
    call("-C", site, "inject", "shunt", stdin=MESSAGE)
    asked: dict[str, list[object]] = {
        "inject": ["inject", "in"],
        "status": ["status"],
        "top": ["top", "--once"],
        "check": ["check", "in"],
        "ls": ["ls"],
        "ls QUEUE": ["ls", "in"],
        "find": ["find", "from:anne"],
        "show": ["show", "in", name],
        "shunts": ["shunts"],
        "shunts --by-failure": ["shunts", "--by-failure"],
        "dump": ["dump", "-m", path],
        "pause": ["pause", "in"],
        "hold --dry-run": ["hold", "in", "all", "--dry-run"],
        "discard": ["discard", "in", name, "--yes"],
        "trash": ["trash"],
        "undo --list": ["undo", "--list"],
        "undo": ["undo"],
        "audit": ["audit"],
        "doctor": ["doctor"],
        "leave": ["leave", "--dry-run"],
        "metrics": ["metrics"],
        "run --once": ["run", "--once"],
        "units": ["units", "--dir", tmp_path],
    }
    for shape, words in asked.items():
        found = SHAPES[SAME.get(shape, shape)]
        if not isinstance(found, tuple):
            found = tuple(each.name for each in fields(found))
        lines = call("-C", site, *words, "--json", stdin=MESSAGE).out.splitlines()
        assert lines, shape
        assert {tuple(json.loads(line)) for line in lines} == {found}, shape


@pytest.mark.parametrize("name", ["DONE", "FAILED", "USAGE", "LEFT", "INTERRUPTED"])
def test_the_exit_statuses_are_in_the_readme(name: str) -> None:
    text = README.read_text("utf-8")
    assert re.search(rf"^\| {getattr(output, name)} \| ", text, re.MULTILINE)


def commands() -> dict[str, ArgumentParser]:
    (choice,) = (a for a in whole()._actions if isinstance(a, _SubParsersAction))
    return dict(choice.choices)


LETTERS = {("-m", "dump")}
"""Those that mean another thing elsewhere."""


def test_a_letter_means_one_thing() -> None:
    meant = {
        (letter, long)
        for name, each in commands().items()
        for action in each._actions
        for letter, long in product(action.option_strings, action.option_strings)
        if len(letter) == 2 < len(long) and (letter, name) not in LETTERS
    }
    assert len(meant) == len(dict(meant))


WITHOUT_DATA = ("shell", "demo", "completion")


def test_every_command_has_json_lines_and_says_what_they_are() -> None:
    found = {n for n, each in commands().items() if "--json" in each.format_usage()}
    assert commands().keys() - found == set(WITHOUT_DATA)
    names = "`{}`, `{}` and `{}`".format(*WITHOUT_DATA)
    assert f"All have it but {names}, which have no data" in README.read_text("utf-8")
    assert found == {name.partition(" ")[0] for name in SHAPES} | SAME.keys()
