"""The prompt itself: ptpython, without what would run code or echo a terminal's."""

from __future__ import annotations

import ast
import os
from typing import TYPE_CHECKING, Any

from ptpython.repl import PythonRepl

from qtool import installation
from qtool.shell.completer import StaticCompleter
from qtool.shell.keys import Keys
from qtool.shell.names import banner, preloaded
from qtool.shell.output import error_text, say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prompt_toolkit.buffer import Buffer

    from qtool.control.control import Control

_OWN_FRAMES = 3
"""Frames of the prompt in front of those of the code that was typed."""


class Prompt(PythonRepl):
    """One session over a site.

    Text may be typed as it stands in a document: see ``Keys``; and an indented
    line after a class that a blank line ended goes on with that class.
    """

    def __init__(
        self, names: dict[str, Any], history: str | None, saved: Iterable[str]
    ) -> None:
        self._keys = Keys()
        super().__init__(
            get_globals=lambda: names,
            history_filename=history,
            extra_key_bindings=self._keys.bindings,
        )
        keys = {name: names[name] for name in ("queues", "runners", "switchboards")}
        self.completer = StaticCompleter(names, keys, saved)
        self.confirm_exit = False
        self.show_signature = self.show_docstring = False
        self.enable_open_in_editor = False
        self.title = " qtool "
        self._typed = ""
        self._class = ""

    def _on_input_timeout(self, buff: Buffer) -> None:
        """Look up no signatures: that would evaluate what is typed."""

    def _accept_handler(self, buff: Buffer) -> bool:
        self._typed = buff.text
        return super()._accept_handler(buff)

    def eval(self, line: str) -> object:
        """Evaluate what was typed; an indented line goes on with the class before."""
        source = line
        if self._class and self._typed[:1].isspace():
            source = f"{self._class}\n\n{self._typed}"
        self._class, self._typed = "", ""
        result = self._evaluate(source)
        if _ends_with_class(source):
            self._class = source
        return result

    def _evaluate(self, source: str) -> object:
        names = self.get_globals()
        try:
            code = compile(source, "<stdin>", "eval", dont_inherit=True)
        except SyntaxError:
            code = compile(source, "<stdin>", "exec", dont_inherit=True)
        result: object = eval(code, names)  # noqa: S307 - a prompt's purpose
        if result is not None:
            self._store_eval_result(result)
        return result

    def _show_result(self, result: object) -> None:
        try:
            text = repr(result)
        except Exception as error:  # noqa: BLE001 - it may look into queues
            self._handle_exception(error)
        else:
            super()._show_result(_Text(text))

    def _handle_exception(self, e: BaseException) -> None:
        say(error_text(e, own_frames=_OWN_FRAMES) + "\n")


class _Text(str):
    """What stands for a result: its text, which was made already."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _ends_with_class(source: str) -> bool:
    tree = ast.parse(source)
    return bool(tree.body) and isinstance(tree.body[-1], ast.ClassDef)


def open_prompt(control: Control) -> int:
    """Open the prompt until it is left; return the exit status."""
    names: dict[str, Any] = {**preloaded(control), "__name__": "__console__"}
    say(banner(control.site()))
    saved = control.configuration.settings.filters
    Prompt(names, _history_file(), saved).run()
    return 0


def _history_file() -> str | None:
    """Return the caller's own history, readable by no one else; None without one."""
    folder = installation.default_root().parent
    path = folder / "shell_history"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
        os.fchmod(descriptor, 0o600)
        os.close(descriptor)
    except OSError:
        return None
    return str(path)
