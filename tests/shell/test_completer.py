"""Completion offers what is there, and runs nothing to find out."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from qtool.shell.completer import StaticCompleter

TRAPS: list[str] = []


class Trapped(type):
    def __getattribute__(cls, name: str) -> Any:
        TRAPS.append(f"metaclass {name}")
        return super().__getattribute__(name)

    def __dir__(cls) -> list[str]:
        TRAPS.append("metaclass dir")
        return []


class Trap(metaclass=Trapped):
    """Notes whatever runs in it."""

    plain: ClassVar = {"deep": 1}
    __slots__ = ("__dict__", "slot")

    def __getattribute__(self, name: str) -> Any:
        TRAPS.append(f"attribute {name}")
        return object.__getattribute__(self, name)

    def __getattr__(self, name: str) -> Any:
        TRAPS.append(f"missing {name}")
        raise AttributeError(name)

    def __dir__(self) -> list[str]:
        TRAPS.append("dir")
        return []

    def __repr__(self) -> str:
        TRAPS.append("repr")
        return ""

    def __iter__(self) -> Any:
        TRAPS.append("iter")
        return iter(())

    @property
    def computed(self) -> str:
        TRAPS.append("property")
        return ""

    def method(self) -> None:
        TRAPS.append("method")


TRAP = Trap()
object.__getattribute__(TRAP, "__dict__")["own"] = "value"
QUEUES = {"in": 1, "out": 2}
NAMES = {
    "trap": TRAP, "Trap": Trap, "switchboards": QUEUES, "queues": QUEUES, "step": print,
    "text": "x",
}  # fmt: skip


def completions(text: str, names: dict[str, Any] | None = None) -> list[str]:
    completer = StaticCompleter(
        names or NAMES, {"switchboards": QUEUES, "queues": QUEUES}, ["big"]
    )
    found = completer.get_completions(Document(text), CompleteEvent())
    return [completion.text for completion in found]


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("sw", ["switchboards"]),
        ("print(ste", ["step"]),
        ("trap.o", ["own"]),
        ("trap.comp", ["computed"]),
        ("trap.m", ["method"]),
        ("trap.sl", ["slot"]),
        ("x = trap.plain.val", ["values"]),
        ("trap.own.isalph", ["isalpha"]),
        ("Trap.pla", ["plain"]),
        ("text.startsw", ["startswith"]),
        ("switchboards['", ["in']", "out']"]),
        ('switchboards["o', ['out"]']),
        ("whil", ["while"]),
        ("queues['i", ["in']"]),
        ("queues['in'].wh", ["where"]),
        ("queues['in'].where('x').co", ["count"]),
        ("len(queues['in'].all().mo", ["move"]),
        ("queues['in'][0].se", ["set"]),
        ("""queues["in"]['1795'].msg""", ["msgdata"]),
        ("queues['in'].where('list:ant su", ["subject:"]),
        ("some.where('-fr", ["-from:"]),
        ("some.where('@", ["@big"]),
        (
            """some.where("state:""",
            ["state:waiting", "state:preserved", "state:edited"],
        ),
    ],
)
def test_names_attributes_and_keys_are_offered(text: str, offered: list[str]) -> None:
    assert offered == [name for name in completions(text) if not name.startswith("_")]


@pytest.mark.parametrize(
    "text",
    [
        "trap.computed.", "trap.method().", "trap.missing.", "nothing.", "trap[0].",
        "'a string'.", "1.", "", " ", "trap.slot.", "f(x).y", "os.environ['",
        "queues[here].wh", "queues['in'].where(text).co", "queues['in'][n()].se",
        "some.where('subject~x",
    ],
)  # fmt: skip
def test_where_something_would_have_to_run_nothing_is_offered(text: str) -> None:
    assert completions(text) == []


@pytest.mark.parametrize(
    "text", ["trap.", "trap.computed.", "trap.own.", "Trap.", "Trap.plain.", "tr"]
)
def test_nothing_runs(text: str) -> None:
    TRAPS.clear()
    completions(text)
    assert TRAPS == []


def test_names_with_underscores_are_offered_when_begun() -> None:
    assert all(not name.startswith("_") for name in completions("trap."))
    assert "__slots__" in completions("trap.__sl")


def test_keys_are_those_of_the_shells_own_mapping_only() -> None:
    assert completions("switchboards['", {"switchboards": TRAP}) == []
    assert completions("queues['in'].wh", {"queues": TRAP}) == []
