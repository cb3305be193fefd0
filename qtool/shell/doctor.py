"""``doctor``: what is wrong at a site, and putting it right."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from qtool.control.models import Finding, Fixed, FixPreview
from qtool.errors import Refused
from qtool.shell.attending import attended
from qtool.shell.output import erase, say, say_passing
from qtool.shell.shown import GO_ON, Listed, Result, terminal_width
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from qtool.control.control import Control
    from qtool.control.models import Examined

_HOW = "[{}].fix()"


class Repaired(Result[Fixed]):
    """What a fix did."""

    def lines(self) -> Iterator[str]:
        """Tell how much was put right, and name what was left, of many the first."""
        from qtool.render.findings import missed_lines

        fixed = self._model
        yield f"{fixed.kind}: {len(fixed.done):,} put right"
        yield from missed_lines(fixed)


class PreviewedFix(Result[FixPreview]):
    """What a fix would do. Nothing is done before ``confirm``."""

    def __init__(self, control: Control, preview: FixPreview) -> None:
        super().__init__(preview)
        self._control = control

    def confirm(self) -> Repaired:
        """Do it, to exactly these."""
        preview = self._model
        if not preview.count:
            raise Refused("there is nothing of that kind to fix")
        which = (preview.kind, preview.queue, preview.token)
        fix = partial(self._control.fix, *which)
        fixed = attended(self._control, fix, lambda cut: say(repr(Repaired(cut))))
        return Repaired(fixed)

    def lines(self) -> Iterator[str]:
        """Show the first of them, how many there are, and how to go on."""
        preview = self._model
        if not preview.count:
            yield "there is nothing of that kind to fix"
            return
        yield from preview.first
        more = preview.count - len(preview.first)
        if more > 0:
            yield f"and {more:,} more"
        yield f"{preview.count:,} would be {preview.words}"
        refusal = f"this cannot be confirmed: {preview.refusal}"
        yield refusal if preview.refusal else GO_ON


class Found(Result[Finding]):
    """One thing that is wrong."""

    def __init__(self, control: Control, finding: Finding) -> None:
        super().__init__(finding)
        self._control = control

    def fix(self) -> PreviewedFix:
        """Return what would put it right."""
        finding = self._model
        if not finding.fixable:
            raise Refused(f"qtool does not fix that here: {finding.words}")
        from qtool.control.paging import previewed_fix

        look = partial(previewed_fix, self._control, finding.kind, finding.queue)
        preview = attended(self._control, look, lambda _: None)
        return PreviewedFix(self._control, preview)

    def lines(self) -> Iterator[str]:
        """Tell what it is, what it means and what helps."""
        yield from _lines([self], ".fix()")


def examiner(control: Control) -> Callable[..., Listed[Found]]:
    """Return the ``doctor`` of a site."""

    def doctor(*queues: str, quick: bool = False) -> Listed[Found]:
        """Return what is wrong; ``doctor()[0].fix()`` shows what would help.

        Args:
            queues: Look at these alone; else at the whole site.
            quick: Open no entry.
        """
        from qtool.control.paging import findings

        read = None if quick else partial(_read, control)
        try:
            found = findings(control, queues, read)
        finally:
            erase()
        return Listed([Found(control, each) for each in found], _lines)

    return doctor


def _read(control: Control, queue: str) -> Iterator[Examined]:
    """Open every waiting entry of a queue, and show at a terminal how far that is."""
    from qtool.control.paging import readings

    read = 0
    for page in readings(control, queue):
        yield page
        read += page.read
        if sys.stderr.isatty() and not page.complete:
            line = f"{visible(queue, 30)}: entries read {read:,} of {page.total:,}"
            say_passing(line)


def _lines(found: Sequence[Found], how: str = "") -> list[str]:
    from qtool.render.findings import lines
    from qtool.render.tables import plain

    if not found:
        return ["nothing is wrong"]
    models = [each.model for each in found]
    places = {id(model): number for number, model in enumerate(models)}

    def word(finding: Finding) -> str:
        return how or _HOW.format(places[id(finding)])

    return plain(lines(models, terminal_width(), word))
