"""The least that a Textual program can do: what qtool's first board is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App
from textual.widgets import Static

if TYPE_CHECKING:
    from textual.app import ComposeResult

SAYS = "a minimal program"


class Minimal(App[None]):
    """One line of text."""

    def compose(self) -> ComposeResult:
        yield Static(SAYS, markup=False)


if __name__ == "__main__":
    Minimal().run()
