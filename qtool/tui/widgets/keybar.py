"""The keys that work now, read from the active bindings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

from textual.strip import Strip

from qtool.tui.widgets.ink import Inked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.binding import Binding
    from textual.screen import Screen

    from qtool.render import Span


_KEPT = ("question_mark", "q")
"""Keys that stay on the narrowest screen."""

Shown: TypeAlias = tuple[str, str, str, bool]
"""How a key is written, what it does, the key itself, and whether it is dead now."""


@runtime_checkable
class Refuses(Protocol):
    """A screen that knows which of its keys do nothing now."""

    def refusal(self, action: str) -> str:
        """Return why the action would be refused; empty if it would not."""


def key_name(binding: Binding) -> str:
    """Return how a key is written on screen."""
    names = {"escape": "esc", "question_mark": "?", "left_square_bracket": "["}
    names |= {"right_square_bracket": "]", "equals_sign": "=", "ctrl+p": "^p"}
    names |= {"pageup": "pgup", "pagedown": "pgdn"}
    key = binding.key_display or binding.key
    return names.get(key, key)


def is_ours(binding: Binding) -> bool:
    """Whether a key is the console's, not one that every Textual app has."""
    common = ("app.focus_", "screen.", "app.command_palette", "help_quit", "help")
    return bool(binding.description) and not (
        binding.system or binding.key == "ctrl+q" or binding.action.startswith(common)
    )


def _fitting(keys: Sequence[Shown], width: int) -> list[Shown]:
    """Return the keys that fit; the ways to learn more and to leave go last."""
    kept = list(keys)
    for key in [*reversed(keys)]:
        if sum(len(text) + len(label) + 3 for text, label, *_ in kept) - 2 <= width:
            break
        if key[2] not in _KEPT:
            kept.remove(key)
    return kept


class KeyBar(Inked):
    """One line at the bottom; a key can be clicked."""

    def __init__(self) -> None:
        super().__init__()
        self._places: list[tuple[int, int, str]] = []
        self._shown: list[Shown] = []

    def on_mount(self) -> None:
        """Follow the bindings of the screen."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_updated)

    def _bindings_updated(self, _: Screen[object]) -> None:
        self.look_again()

    def look_again(self) -> None:
        """Draw the keys again if others work now."""
        if self._shown != self._keys():
            self.refresh()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - there is one line
        width, base = self.size.width, self.rich_style
        spans: list[Span] = [("", " ")]
        self._places, x = [], 1
        self._shown = self._keys()
        for text, label, key, dead in _fitting(self._shown, width - 1):
            cells = len(text) + 1 + len(label)
            self._places.append((x, x + cells, key))
            spans.append(("", "  " if x > 1 else ""))
            spans.append(("faint" if dead else "accent", text))
            spans.append(("faint" if dead else "muted", f" {label}"))
            x += cells + 2
        return self.strip(spans, width, base)

    def _keys(self) -> list[Shown]:
        screen, seen = self.screen, set()
        keys: list[Shown] = []
        for active in screen.active_bindings.values():
            binding = active.binding
            if binding.show and binding.action not in seen:
                seen.add(binding.action)
                dead = not active.enabled or (
                    isinstance(screen, Refuses) and bool(screen.refusal(binding.action))
                )
                keys.append((key_name(binding), binding.description, binding.key, dead))
        return keys

    def on_click(self, event: events.Click) -> None:
        """Press the key under the pointer."""
        for left, end, key in self._places:
            if left <= event.x < end:
                self.app.simulate_key(key)
