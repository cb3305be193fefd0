"""Keys that let an example be typed as it stands in a document."""

from __future__ import annotations

import ast
import codeop
import warnings
from typing import TYPE_CHECKING

from prompt_toolkit.application import get_app
from prompt_toolkit.document import Document
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import (
    Condition,
    emacs_insert_mode,
    has_focus,
    has_selection,
    vi_insert_mode,
)
from prompt_toolkit.key_binding import KeyBindings
from ptpython.key_bindings import auto_newline
from ptpython.utils import unindent_code

if TYPE_CHECKING:
    from prompt_toolkit.key_binding import KeyPressEvent


class Keys:
    """Enter and the space bar, as at Python's own prompt.

    Enter takes the input as soon as it is a whole statement, and a compound one
    after a blank line; within a string a blank line is a part of the string. A
    line that is begun with a space has the indentation that is typed, not the
    automatic one besides.
    """

    def __init__(self) -> None:
        self._typed_to = -1
        self.bindings = KeyBindings()
        where = has_focus(DEFAULT_BUFFER) & (emacs_insert_mode | vi_insert_mode)
        indenting = Condition(_at_the_beginning_of_the_last_line)
        self.bindings.add(" ", filter=where & indenting)(self._space)
        self.bindings.add("enter", filter=where & ~has_selection)(self._enter)

    def _space(self, event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.cursor_position != self._typed_to:
            buffer.delete_before_cursor(len(buffer.document.current_line_before_cursor))
        buffer.insert_text(" ")
        self._typed_to = buffer.cursor_position

    def _enter(self, event: KeyPressEvent) -> None:
        self._typed_to = -1
        buffer = event.current_buffer
        document = buffer.document
        several_lines = "\n" in document.text
        if several_lines and document.text_after_cursor.strip():
            auto_newline(buffer)
        elif _in_a_string(document.text):
            buffer.insert_text("\n")
        elif _is_incomplete(document.text):
            auto_newline(buffer)
        elif buffer.validate():
            text = document.text.rstrip()
            buffer.document = Document(text, len(text))
            buffer.validate_and_handle()


def _at_the_beginning_of_the_last_line() -> bool:
    document = get_app().current_buffer.document
    return (
        document.cursor_position_row > 0
        and document.is_cursor_at_the_end
        and not document.current_line_before_cursor.strip()
    )


def _in_a_string(text: str) -> bool:
    try:
        compile(unindent_code(text), "<stdin>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return str(error).startswith("unterminated triple-quoted string")
    except ValueError:  # a null character: the validator says so
        return False
    return False


def _is_incomplete(text: str) -> bool:
    # Automatic indentation on a blank line is no text of the operator's.
    lines = unindent_code(text).split("\n")
    lines[-1] = lines[-1].rstrip()
    source = "\n".join(lines)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        try:
            body = ast.parse(source).body
        except (SyntaxError, ValueError):
            return _may_go_on(source)
    compound = bool(body) and hasattr(body[-1], "body")
    return compound and not source.endswith("\n")


def _may_go_on(source: str) -> bool:
    try:
        return codeop.compile_command(source, symbol="exec") is None
    except (SyntaxError, ValueError, OverflowError):
        return False  # the validator says what is wrong
