"""Modals: typed questions whose safe answer has the focus."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from qtool.settings.ini import duration_seconds
from qtool.tui.acts import in_thread
from qtool.untrusted import visible, visible_block

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from qtool.control.models import Finishing
    from qtool.tui.app import QToolApp


def literal(text: str) -> Content:
    """Return untrusted text for a widget that would read markup in a plain one."""
    return Content(visible_block(text, limit=4_000, width=500))


class Question(ModalScreen[bool]):
    """Asks before an act; True is "do it", everything else is not."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "answer(False)", "No", show=False),
        Binding("left,right", "app.focus_next", "Other answer", show=False),
    ]

    def __init__(self, question: str, yes: str) -> None:
        super().__init__()
        self._question = question
        self._yes = yes

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(literal(self._question), classes="asked")
            with Horizontal(classes="answers"):
                yield Button("Cancel", id="no", compact=True)
                yield Button(literal(self._yes), id="yes", compact=True)

    def on_mount(self) -> None:
        """Focus the safe answer."""
        self.query_one("#no", Button).focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        event.stop()
        self.dismiss(event.button.id == "yes")

    def action_answer(self, yes: bool) -> None:
        """Answer by key."""
        self.dismiss(yes)


class SnoozePrompt(ModalScreen[float | None]):
    """Asks for a sleep time; the result is seconds, None when given up."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", "Cancel", show=False),
    ]

    def __init__(self, runner: str, now: str) -> None:
        super().__init__()
        self._runner = runner
        self._now = now

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            asked = f"Runner {visible(self._runner)} snoozes {self._now}. From now on:"
            yield Static(literal(asked), classes="asked")
            yield Input(placeholder="1s, 0.5, 15m", compact=True)
            yield Static("enter sets it, esc leaves it", classes="hint")

    def on_mount(self) -> None:
        """Ready to type."""
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the time, or say what is wrong with it."""
        event.stop()
        seconds = seconds_in(event.value)
        if seconds is None:
            wrong = f"not a time: {event.value}" if event.value else "type a time"
            hint = self.query_one(".hint", Static)
            hint.update(literal(f"{wrong}; like 1s, 0.5 or 15m"))
            hint.add_class("-wrong")
        else:
            self.dismiss(seconds)

    def action_give_up(self) -> None:
        """Leave it as it is."""
        self.dismiss(None)


def seconds_in(text: str) -> float | None:
    """Return the duration that was typed, in seconds; None if it is none."""
    seconds = duration_seconds(text.strip())
    return seconds if seconds is not None and 0 < seconds <= 86_400 else None


class Leaving(ModalScreen[None]):
    """Says which messages are finished before the window closes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "give_back", "Give back and leave"),
    ]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static("Runners finish the message in hand.", classes="asked")
            yield Static(id="finishing")
            yield Static("q gives them back unfinished and leaves", classes="hint")

    def on_mount(self) -> None:
        """Keep the list fresh."""
        self._ask()
        self.set_interval(0.5, self._ask)

    def _ask(self) -> None:
        app = cast("QToolApp", self.app)
        in_thread(app, "ask what is in hand", app.control.finishing, self._show)

    def _show(self, finishing: list[Finishing]) -> None:
        if self.is_mounted:
            lines = [
                f"{one.runner}, in hand for {one.seconds:.0f}s\n  {one.filebase}"
                for one in finishing
            ]
            shown = literal("\n".join(lines) or "closing …")
            self.query_one("#finishing", Static).update(shown)

    def action_give_back(self) -> None:
        """Do not wait."""
        cast("QToolApp", self.app).leave()
