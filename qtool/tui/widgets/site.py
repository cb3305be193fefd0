"""The header of every screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.tui.widgets.ink import Bar
from qtool.tui.widgets.words import site_lines, watching_spans

if TYPE_CHECKING:
    from qtool.control.models import Site


class SiteBar(Bar):
    """Which spool, which configuration, read-only or not, and how it is watched."""

    def __init__(self) -> None:
        super().__init__("site")

    def show_site(self, site: Site | None) -> None:
        """Put the facts up; None while they are being found out."""
        if site is None:
            self.show([[("badge", " qtool "), ("muted", " looking …")]])
            return
        lines = site_lines(site)
        self.set_class(len(lines) > 1, "-read-only")
        self.show(lines, watching_spans(site))
