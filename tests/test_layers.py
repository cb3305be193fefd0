"""The house rules of imports, printing and size, read from the sources and tried."""

from __future__ import annotations

import ast
import json
import random
import subprocess
import sys
import tempfile
import textwrap
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "qtool"

ROWS: tuple[tuple[str, ...], ...] = (
    ("untrusted",),
    ("errors",),
    ("msgdata", "settings", "lists"),
    ("qfile", "wire"),
    ("queues",),
    ("installation",),
    ("engine",),
    ("runners", "demo", "testing"),
    ("control",),
    ("render",),
    ("tui", "shell"),
    ("cli", "commands", "__main__"),
)
"""From the bottom up. Rooms of one row do not see each other, but for the top one."""

TOP_ROW = len(ROWS) - 1
ROW_OF = {room: number for number, rooms in enumerate(ROWS) for room in rooms}

ONLY_IN: dict[str, tuple[str, ...]] = {
    "textual": ("tui",),
    "prompt_toolkit": ("shell",),
    "ptpython": ("shell",),
    "rich": ("render", "tui", "shell", "cli", "commands"),
    "rich_argparse": ("cli", "commands"),
    "shtab": ("commands.completion",),
    "watchdog": ("queues.watch",),
    "pytest": ("testing",),
    "pickle": ("qfile",),
    "_pickle": ("qfile",),
    "pickletools": ("qfile",),
    "copyreg": ("qfile",),
    "shelve": (),
    "marshal": (),
    "signal": ("engine", "tui.app", "tui.suspend", "cli", "commands"),
    "subprocess": ("engine", "tui.suspend", "shell", "commands.edit"),
    "multiprocessing": ("engine", "tui.suspend", "shell"),
    "argparse": ("cli", "commands", "shell"),
}
"""Modules that few rooms may import, with those rooms."""

SILENT = (
    "untrusted", "errors", "settings", "lists", "qfile", "wire", "queues",
    "installation",
    "engine", "runners", "control", "render",
)  # fmt: skip
"""Rooms that never print, never exit and never read the environment."""

MAY_READ_ENVIRONMENT = ("installation.default_root",)

FRONT_ENDS = ("render", "tui", "shell", "cli", "commands", "__main__")
BEHIND_CONTROL = ("engine", "queues")


@dataclass(frozen=True)
class Module:
    """One source file of the product."""

    name: str
    """Dotted, without ``qtool.``; empty for the package itself."""
    path: Path
    tree: ast.Module

    @property
    def room(self) -> str:
        return self.name.partition(".")[0]

    @property
    def dotted(self) -> str:
        return f"qtool.{self.name}" if self.name else "qtool"


@dataclass(frozen=True)
class Import:
    """One imported name at one place."""

    by: Module
    line: int
    target: str
    """Dotted name of the module, or of the public name after ``from qtool``."""

    def __str__(self) -> str:
        return f"{self.by.path.relative_to(ROOT)}:{self.line} imports {self.target}"


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the package, parsed."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append(Module(name, path, ast.parse(path.read_text("utf-8"))))
    return tuple(found)


def imports_of(module: Module) -> Iterator[Import]:
    """Every import statement, those inside functions and type checks included."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.path}:{node.lineno}: relative import"
            for alias in node.names:
                yield Import(module, node.lineno, _source(node.module or "", alias))
        elif _imports_by_string(node):
            assert isinstance(node, ast.Call)
            target = node.args[0]
            if isinstance(target, ast.Constant) and isinstance(target.value, str):
                yield Import(module, node.lineno, target.value)


def _source(module: str, alias: ast.alias) -> str:
    """``from package import module`` imports the module, not only the package."""
    whole = f"{module}.{alias.name}"
    known = {f"qtool.{m.name}" for m in modules()}
    return whole if whole in known or module == "qtool" else module


def _imports_by_string(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and bool(node.args)
        and ast.unparse(node.func) in {"import_module", "importlib.import_module",
                                       "__import__"}
    )  # fmt: skip


@cache
def all_imports() -> tuple[Import, ...]:
    return tuple(found for module in modules() for found in imports_of(module))


def room_of(target: str) -> str | None:
    """The room that ``target`` lies in; None outside the package.

    A public name (``from qtool import Runner``) lies in no room: the package
    itself is above everything but the front ends.
    """
    if target != "qtool" and not target.startswith("qtool."):
        return None
    first = target.partition(".")[2].partition(".")[0]
    return first if first in ROW_OF else "qtool"


def within(name: str, places: tuple[str, ...]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


def allowed(by: Module, target_room: str) -> bool:
    """Whether the layer table lets ``by`` see ``target_room``."""
    if not by.name:  # the package resolves its public names lazily from below
        return True
    if target_room == "qtool":
        return by.room in FRONT_ENDS
    if by.room == target_room:
        return True
    upper, lower = ROW_OF[by.room], ROW_OF[target_room]
    return upper > lower or upper == lower == TOP_ROW


def test_every_module_has_a_room() -> None:
    homeless = [m.name for m in modules() if m.name and m.room not in ROW_OF]
    assert homeless == []


def test_imports_go_down_only() -> None:
    wrong = [
        str(found)
        for found in all_imports()
        if (room := room_of(found.target)) and not allowed(found.by, room)
    ]
    assert wrong == []


def test_front_ends_see_neither_engine_nor_queues() -> None:
    wrong = [
        str(found)
        for found in all_imports()
        if found.by.room in FRONT_ENDS and room_of(found.target) in BEHIND_CONTROL
    ]
    assert wrong == []


@pytest.mark.parametrize("outsider", ONLY_IN)
def test_is_imported_only_where_it_belongs(outsider: str) -> None:
    wrong = [
        str(found)
        for found in all_imports()
        if found.target.partition(".")[0] == outsider
        and not within(found.by.name, ONLY_IN[outsider])
    ]
    assert wrong == []


def _named_nodes(module: Module) -> Iterator[tuple[str, ast.AST]]:
    """Every node with the dotted name of the function or class around it."""
    waiting: list[tuple[str, ast.AST]] = [(module.name, module.tree)]
    while waiting:
        name, node = waiting.pop()
        yield name, node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{name}.{node.name}"
        waiting.extend((name, child) for child in ast.iter_child_nodes(node))


def _places(wanted: Callable[[ast.AST], bool], *, but: tuple[str, ...]) -> list[str]:
    return [
        f"{module.path.relative_to(ROOT)}:{node.lineno} {ast.unparse(node)[:60]}"
        for module in modules()
        if module.room in SILENT
        for name, node in _named_nodes(module)
        if isinstance(node, ast.expr | ast.stmt)
        and wanted(node)
        and not within(name, but)
    ]


def _reads_environment(node: ast.AST) -> bool:
    names = {"os.environ", "os.environb", "os.getenv", "Path.home", "environ", "getenv"}
    if isinstance(node, ast.Attribute) and node.attr == "expanduser":
        return True
    return _is_any(node, names)


def _is_any(node: ast.AST, names: set[str]) -> bool:
    """Whether a node is one of these dotted names."""
    if isinstance(node, ast.Name):
        return node.id in names
    if not isinstance(node, ast.Attribute):
        return False
    # To write all attributes as text takes long, and few end as these do.
    is_last = any(name.rpartition(".")[2] == node.attr for name in names)
    return is_last and ast.unparse(node) in names


def _prints(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return _is_any(node, {"sys.stdout", "sys.stderr"})
    return isinstance(node, ast.Call) and _is_any(node.func, {"print"})


def _exits(node: ast.AST) -> bool:
    if isinstance(node, ast.Raise) and node.exc is not None:
        return ast.unparse(node.exc).startswith("SystemExit")
    names = {"sys.exit", "exit", "quit", "os._exit", "os.abort"}
    return isinstance(node, ast.Call) and _is_any(node.func, names)


def test_the_environment_is_read_at_the_edge_only() -> None:
    assert _places(_reads_environment, but=MAY_READ_ENVIRONMENT) == []


def test_only_front_ends_print() -> None:
    assert _places(_prints, but=()) == []


def test_only_front_ends_exit() -> None:
    assert _places(_exits, but=()) == []


# --- Size


LONGEST_FUNCTION = 40
LONGEST_MODULE = 300
LONGEST_APP = 200


def test_no_function_is_too_long() -> None:
    long = [
        f"{module.path.relative_to(ROOT)}:{node.lineno} {node.name}: {length} lines"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1)
        > LONGEST_FUNCTION
    ]
    assert long == []


def test_no_module_is_too_long() -> None:
    long = []
    for module in modules():
        limit = LONGEST_APP if module.name == "tui.app" else LONGEST_MODULE
        length = len(module.path.read_text("utf-8").splitlines())
        if length > limit:
            long.append(f"{module.path.relative_to(ROOT)}: {length} lines")
    assert long == []


# --- What importing really loads


def run_python(code: str, *arguments: str) -> list[str]:
    """Run ``code`` in a fresh interpreter; return the JSON list it prints last."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded: list[str] = json.loads(done.stdout.splitlines()[-1])
    return loaded


LOADED = "import json, sys; print(json.dumps(sorted(sys.modules)))"

HEAVY = {"textual", "prompt_toolkit", "ptpython", "rich", "watchdog", "asyncio"}


def core_modules() -> list[str]:
    """Modules below the front ends, which must load no screen library."""
    return [m.dotted for m in modules() if m.room not in FRONT_ENDS]


def test_importing_qtool_loads_nothing_heavy() -> None:
    # What a bare interpreter has loaded differs between machines (.pth files).
    bare = set(run_python(LOADED))
    news = set(run_python(f"import qtool; {LOADED}")) - bare
    assert {name for name in news if name.startswith("qtool")} == {"qtool"}
    forbidden = HEAVY | {"dataclasses", "inspect", "email", "logging", "enum", "re"}
    assert news & forbidden == set()


def test_the_first_board_needs_no_codec_no_engine_and_no_watcher(
    tmp_path: Path,
) -> None:
    configuration = tmp_path / "qtool.cfg"
    configuration.write_text(
        "[runner.in]\nclass: qtool.runners.forward.ForwardRunner\n"
    )
    code = """
        import json, pathlib, sys, threading
        from qtool.control import open_site
        loaded, over = [], threading.Event()
        def take(board):
            loaded.extend(sys.modules if not loaded else ())
            over.set()
        control = open_site(config_file=pathlib.Path(sys.argv[1]))
        control.watch(take)
        over.wait(60)
        print(json.dumps(loaded))
    """
    loaded = set(run_python(code, str(configuration)))
    assert "qtool.queues.counting" in loaded
    dear = {"email", "ctypes", "hashlib", "qtool.qfile.codec", "qtool.engine.master"}
    assert loaded & (HEAVY | dear) == set()


@pytest.mark.parametrize("every", [8, pytest.param(1, marks=pytest.mark.long)])
def test_core_modules_load_downwards_and_no_screen_library(every: int) -> None:
    # One interpreter, one fork a module: each starts from the same slate, on which
    # stands what most of them need of the standard library and nobody is forbidden.
    code = """
        import importlib, json, os, sys
        import configparser, dataclasses, email.message, hashlib, logging, shutil
        print(json.dumps(["", sorted(sys.modules)]))
        for name in sys.argv[1:]:
            sys.stdout.flush()
            child = os.fork()
            if child == 0:
                importlib.import_module(name)
                print(json.dumps([name, sorted(sys.modules)]), flush=True)
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0, name
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *core_modules()[::every]],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    known = {module.dotted: module for module in modules()}
    (_, before), *rest = map(json.loads, done.stdout.splitlines())
    assert (HEAVY | known.keys()).isdisjoint(before)
    wrong = []
    for name, loaded in rest:
        wrong += [
            f"{name} loads {heavy}"
            for heavy in HEAVY.intersection(loaded)
            if not within(known[name].name, ONLY_IN.get(heavy, ()))
        ]
        for other in known.keys() & set(loaded) - {"qtool", name}:
            if not allowed(known[name], known[other].room):
                wrong.append(f"{name} loads {other}")
    assert wrong == []


@pytest.mark.parametrize(
    "order", [0, *(pytest.param(order, marks=pytest.mark.long) for order in (1, 2, 3))]
)
def test_public_names_resolve_in_every_import_order(order: int) -> None:
    names = [m.dotted for m in modules() if m.name and m.name != "__main__"]
    random.Random(order).shuffle(names)
    code = f"""
        import importlib, sys
        for name in sys.argv[1:]:
            importlib.import_module(name)
        from qtool import config
        config.push, config.pop, config.switchboards
        {LOADED}
    """
    run_python(code, *names)


def test_settings_and_tui_do_not_shadow_the_public_config() -> None:
    run_python(
        f"import qtool.settings, qtool.tui; from qtool import config; config.push; "
        f"{LOADED}"
    )


@pytest.mark.parametrize(
    "arguments", [("status",), ("dump", "no-such-file"), ("inject", "nowhere")]
)
def test_commands_load_no_screen_library(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    code = f"""
        import contextlib, io, os, sys
        sys.stdin = open(os.devnull)
        from qtool.cli import main
        with contextlib.suppress(SystemExit), contextlib.redirect_stderr(io.StringIO()):
            main(sys.argv[1:])
        {LOADED}
    """
    loaded = set(run_python(code, "--root", str(tmp_path), *arguments))
    assert loaded & {"textual", "prompt_toolkit", "ptpython"} == set()


@pytest.mark.parametrize("served", [False, True])
def test_attaching_costs_nothing_where_no_daemon_is_and_little_where_one_is(
    served: bool,
) -> None:
    code = f"""
        import contextlib, io, os, sys
        from pathlib import Path
        file, places = Path(sys.argv[1]), Path(sys.argv[1]).with_name("r")
        os.environ["XDG_RUNTIME_DIR"] = str(places)
        (places / "qtool").mkdir(parents=True)
        if {served}:
            read, write = os.pipe()
            end, going_on = os.pipe()
            if os.fork() == 0:
                os.close(going_on)
                from qtool.commands.serving import served
                from qtool.control import open_site
                control = open_site(config_file=file)
                with served(control, whole=True):
                    os.write(write, b"x")
                    os.read(end, 1)
                os._exit(0)
            os.read(read, 1)
        from qtool.cli import main
        with contextlib.redirect_stdout(io.StringIO()) as told:
            main(["--config", sys.argv[1], "status"])
        assert ("attached to" in told.getvalue()) is {served}
        {LOADED}
    """
    with tempfile.TemporaryDirectory(prefix="q-") as name:
        file = Path(name) / "qtool.cfg"
        file.write_text("[runner.in]\n")
        loaded = set(run_python(code, str(file)))
    dear = {"http", "socketserver", "email", "ssl", "qtool.control.serving.server"}
    assert loaded & (HEAVY | dear) == set()
    assert ("qtool.control.serving.client" in loaded) is served


def test_dump_loads_only_what_reading_a_file_needs(tmp_path: Path) -> None:
    code = f"""
        import contextlib, io, sys
        from qtool.cli import main
        with contextlib.suppress(SystemExit), contextlib.redirect_stderr(io.StringIO()):
            main(["dump", sys.argv[1]])
        {LOADED}
    """
    loaded = set(run_python(code, str(tmp_path / "none.pck")))
    assert loaded & (HEAVY | {"logging", "email.parser", "multiprocessing"}) == set()
    rooms = {name.split(".")[1] for name in loaded if name.startswith("qtool.")}
    assert rooms & {"engine", "control", "queues", "installation", "tui"} == set()
