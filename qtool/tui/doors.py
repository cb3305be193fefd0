"""How the screens are opened; each is imported when it opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App
from textual.events import Event, Key, MouseDown

from qtool.control.models import Outcome
from qtool.render import duration
from qtool.tui.screens.base import ConsoleScreen
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qtool.control.models import QueueRow, StepReport
    from qtool.tui.acts import Acts

_LONGEST_TOAST = 240
"""Characters; rows and the log say more."""


class Doors(App[int]):
    """The part of the app that opens screens and speaks in toasts."""

    acts: Acts
    acting_user = ""
    """Who acts, where that is not who has started this."""
    greeting: Sequence[str] = ()
    """What to say first, line by line."""
    touched = 0
    """How many times the operator has pressed a key or a button of the mouse."""
    _report: StepReport | None = None

    def on_mount(self) -> None:
        """Say what was to be told about the site."""
        for line in self.greeting:
            self.notify(visible(line, _LONGEST_TOAST), markup=False, timeout=8)

    async def on_event(self, event: Event) -> None:
        """Count what the operator does."""
        if isinstance(event, Key | MouseDown):
            self.touched += 1
        await super().on_event(event)

    def say(self, text: str) -> None:
        """Say what happened, in a few lines at most."""
        self.clear_notifications()  # one at a time is read
        self.notify(visible(text, _LONGEST_TOAST), markup=False, timeout=4)

    def complain(self, text: str) -> None:
        """Say what went wrong, in a few lines at most."""
        self.clear_notifications()
        self.notify(
            visible(text, _LONGEST_TOAST), markup=False, severity="error", timeout=8
        )

    # --- Screens; each is imported when it opens

    def ask(self, question: str, yes: str, then: Callable[[], None]) -> None:
        """Ask, with the safe answer focused, and do it if so answered."""
        from qtool.tui.screens.questions import Question

        self.push_screen(Question(question, yes), lambda ok: then() if ok else None)

    def ask_snooze(self, row: QueueRow) -> None:
        """Ask how long the row's runner snoozes."""
        from qtool.tui.screens.questions import SnoozePrompt

        def answered(seconds: float | None) -> None:
            if seconds is not None:
                self.acts.snooze(row, seconds)

        if row.runner is None or row.refusal:
            self.complain(row.refusal or f"{visible(row.name)} has no runner.")
        else:
            now = duration(row.snooze_seconds)
            self.push_screen(SnoozePrompt(row.runner, now), answered)

    def open_entries(self, row: QueueRow, *, choosing: bool = False) -> None:
        """List a queue."""
        from qtool.tui.screens.entries import EntriesScreen

        if row.has_queue:
            self.push_screen(EntriesScreen(row, choosing=choosing))
        else:
            self.complain(f"{visible(row.name)} manages no queue.")

    def open_entry(self, row: QueueRow, filebase: str) -> None:
        """Show one entry."""
        from qtool.tui.screens.entry import EntryScreen

        self.push_screen(EntryScreen(row, filebase))

    def open_why(self, row: QueueRow, at: float) -> None:
        """Show all of why a runner is as it is, at the moment of that board."""
        from qtool.tui.screens.documents import WhyScreen

        self.push_screen(WhyScreen(row, at))

    def show_report(self, report: StepReport, touched: int) -> None:
        """Show what a step did; if nothing, or to fingers busy by now, only say it.

        Args:
            report: What it did.
            touched: How often the operator had done something when it began.
        """
        if report.outcome is Outcome.NOTHING:
            self.say(f"step of {report.runner}: {report.note or report.outcome}")
            return
        self._report = report
        if touched == self.touched and isinstance(self.screen, ConsoleScreen):
            self.open_report()
        else:
            self.say(f"step of {report.runner}: {report.outcome}; "
                     "r on the board shows the report")  # fmt: skip

    def open_report(self) -> None:
        """Show what the last step did."""
        from qtool.tui.screens.documents import ReportScreen

        if self._report is not None:
            self.push_screen(ReportScreen(self._report))
        else:
            self.say("No step has been made yet.")

    def open_log(self) -> None:
        """Show everything that was logged."""
        from qtool.tui.screens.documents import LogScreen

        self.push_screen(LogScreen())

    def action_help(self) -> None:
        """Show every key of this screen."""
        from qtool.tui.screens.documents import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            keys = [active.binding for active in self.screen.active_bindings.values()]
            self.push_screen(HelpScreen(keys))
