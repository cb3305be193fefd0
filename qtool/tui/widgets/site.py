"""The header of every screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from qtool.tui.widgets.ink import Bar
from qtool.tui.widgets.words import site_lines, watching_spans

if TYPE_CHECKING:
    from qtool.control.models import Site

_FIXED = 14
"""Cells that the badge and the gaps of the first line take."""


class SiteBar(Bar):
    """Which spool, which configuration, read-only or not, and how it is watched."""

    def __init__(self) -> None:
        super().__init__("site")
        self._site: Site | None = None
        self._user = ""

    def show_site(self, site: Site | None, user: str = "") -> None:
        """Put the facts up.

        Args:
            site: None while they are being found out.
            user: Who acts, where that is not who has started the console.
        """
        self._site, self._user = site, user
        if site is None:
            self.show([[("badge", " qtool "), ("muted", " looking …")]])
            return
        watching = watching_spans(site)
        taken = _FIXED + sum(cell_len(text) for _, text in watching)
        lines = site_lines(site, self.app.size.width - taken, self._user)
        self.set_class(len(lines) > 1, "-read-only")
        self.show(lines, watching)

    def on_resize(self) -> None:
        """Fit the paths to the width."""
        self.show_site(self._site, self._user)
