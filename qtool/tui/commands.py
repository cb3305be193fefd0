"""The palette: what the keys do, and what may be done to each queue, by name."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Provider
from textual.content import Content

from qtool.control.models import State
from qtool.tui.widgets.keybar import is_ours
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.command import Hits

    from qtool.control.models import QueueRow
    from qtool.tui.app import QToolApp

_MOVES = {"move", "page", "slice", "clear", "scroll", "go", "back"}
"""Actions that only make sense as keys."""


class Commands(Provider):
    """Commands that fit the screen from which the palette was opened."""

    async def discover(self) -> Hits:
        """Offer everything."""
        for name, hint, run in self._commands():
            yield DiscoveryHit(Content(name), run, text=name, help=hint)

    async def search(self, query: str) -> Hits:
        """Offer what matches."""
        matcher = self.matcher(query)
        for name, hint, run in self._commands():
            if (score := matcher.match(name)) > 0:
                yield Hit(score, matcher.highlight(name), run, text=name, help=hint)

    def _commands(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        app = cast("QToolApp", self.app)
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if not is_ours(binding) or binding.action.partition("(")[0] in _MOVES:
                continue
            run = partial(app.run_action, binding.action, active.node)
            yield binding.description, binding.tooltip, run
        for row in app.board.rows if app.board else ():
            yield from self._of_row(app, row)

    def _of_row(
        self, app: QToolApp, row: QueueRow
    ) -> Iterator[tuple[str, str, Callable[[], object]]]:
        name, acts = visible(row.name), app.acts
        if row.has_queue:
            yield f"Open {name}", "List its entries", partial(app.open_entries, row)
        if row.runner is None or (app.board and app.board.site.read_only):
            return
        if not row.refusal:
            pause = "Resume" if row.state is State.PAUSED or row.paused else "Pause"
            yield f"Start {name}", "Start its runner", partial(acts.start, row)
            yield f"Stop {name}", "Stop its runner", partial(acts.stop, row)
            yield f"{pause} {name}", "Its runner", partial(acts.toggle_pause, row)
            yield f"Snooze {name}", "Type how long", partial(app.ask_snooze, row)
        if not row.step_refusal:
            yield f"Step {name}", "Through the next file", partial(acts.step, row)
