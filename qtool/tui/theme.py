"""The colours: one dark theme, one accent, and state colours that only states use."""

from __future__ import annotations

from rich.style import Style
from textual.theme import Theme

HEAT = (
    "#151b26", "#232b52", "#2e3272", "#413b8c", "#5b40a0", "#7942aa",
    "#9944a9", "#b74aa0", "#d05491", "#e2647e", "#ee786b", "#f5905e",
    "#f8aa5c", "#f9c369", "#fbdb85", "#fdf0b3",
)  # fmt: skip
"""From an empty slice to one of many thousands; brighter at each level, so that
the order survives in greys."""

_HEAT_INK_TURNS_DARK = 9


def _heat_style(level: int) -> Style:
    if not level:
        return Style.parse(f"#3d485a on {HEAT[0]}")
    ink = "#150d1f" if level >= _HEAT_INK_TURNS_DARK else "#e9e4f4"
    return Style.parse(f"{ink} on {HEAT[level]}")


HEAT_STYLES = tuple(_heat_style(level) for level in range(len(HEAT)))
"""Figure and ground of a cell; here and not in the style sheet, whose every rule
costs time at the start."""

NIGHT = Theme(
    name="qtool-night",
    primary="#6cb6ff",
    secondary="#6cb6ff",
    accent="#6cb6ff",
    foreground="#ccd5e0",
    background="#0e131b",
    surface="#151c27",
    panel="#2a3444",
    success="#5fc98a",
    warning="#e8b557",
    error="#f4707a",
    dark=True,
    variables={
        "muted": "#7f8b9d",
        "faint": "#465266",
        "trend": "#47759f",
        "waits": "#63b5c1",
        "cursor-row": "#1d2838",
        "block-cursor-background": "#6cb6ff",
        "block-cursor-foreground": "#0e131b",
        "block-cursor-text-style": "bold",
        "input-cursor-background": "#6cb6ff",
        "input-selection-background": "#6cb6ff 35%",
    },
)
"""The theme of every screen."""
