"""``qtool doctor``: what is wrong at the site, and what helps."""

from __future__ import annotations

import sys
from shlex import quote
from typing import TYPE_CHECKING

from qtool.commands.output import DONE, FAILED, LEFT, put, put_json, tell
from qtool.commands.progress import Progress
from qtool.commands.site import again, opened
from qtool.commands.tables import Styled, put_lines, terminal_width
from qtool.control.models import Severity
from qtool.errors import Refused
from qtool.untrusted import visible

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Sequence

    from qtool.commands.arguments import Parser
    from qtool.control.control import Control
    from qtool.control.models import Finding, Fixed, FixPreview
    from qtool.render import Span

_EXAMPLES = """\
examples:
  qtool doctor                         look everywhere, and open every entry
  qtool doctor in out --quick          two queues, by names and rights alone
  qtool doctor in --fix orphan-bak -n  show what a fix would change

exit status: 0 nothing is wrong, 3 something is, 1 it could not be looked at
"""
_PAGE_SECONDS = 3.0
_STYLES = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "muted",
}
_INDENT = 9
_NAMED = 3
_LONGEST_LINE = 4000


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("queues", metavar="QUEUE", nargs="*",
                        help="look at these alone; else at the whole site")  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="open no entry")
    parser.add_argument("--fix", metavar="KIND",
                        help="put right what was found, in one QUEUE or at the"
                        " site")  # fmt: skip
    parser.add_argument("-n", "--dry-run", action="store_true",
                        help="only show what a fix would change, and the token that"
                        " does exactly this")  # fmt: skip
    parser.add_argument("-y", "--yes", metavar="TOKEN", nargs="?", const=True,
                        help="fix without a question: what was shown with that token,"
                        " or a single thing")  # fmt: skip
    parser.add_argument("--json", action="store_true",
                        help="a JSON object a finding, one a line")  # fmt: skip


def run(options: Namespace) -> int:
    """Print what is wrong, or put one kind of it right."""
    if options.fix is None and (options.yes or options.dry_run):
        raise Refused("say what to fix: --fix KIND")
    with opened(options) as control:
        if options.fix is not None:
            return _fix(options, control)
        found = _found(control, tuple(options.queues), opens=not options.quick)
    if options.json:
        for each in found:
            put_json(each)
    elif found:
        put_lines(_lines(options, found))
    else:
        put("nothing is wrong")
    wrong = any(each.severity is not Severity.NOTE for each in found)
    return LEFT if wrong else DONE


# --- Looking


def _found(control: Control, queues: tuple[str, ...], *, opens: bool) -> list[Finding]:
    found = list(control.examine(queues))
    if opens:
        from qtool.control.doctor.contents import merged  # a quick look needs none

        names = queues or tuple(control.configuration.switchboards)
        for name in names:
            found += merged(_read(control, name))
    order = list(Severity)
    return sorted(found, key=lambda each: order.index(each.severity))


def _read(control: Control, queue: str) -> Iterable[Finding]:
    """Open every waiting entry of a queue, page by page."""
    after, read = "", 0
    with Progress(f"{visible(queue, 30)}: entries read") as progress:
        while True:
            page = control.examine_entries(queue, after, _PAGE_SECONDS)
            yield from page.findings
            read += page.read
            progress.at(read, total=page.total)
            if page.complete or not page.read:
                return
            after = page.after


def _lines(options: Namespace, found: Sequence[Finding]) -> Iterable[list[Span]]:
    width = terminal_width()
    for each in found:
        where = f"{visible(each.queue, 60)}: " if each.queue else ""
        first, *more = _wrapped(where + each.words, width)
        head = Styled(f"{each.severity:<{_INDENT}}", _STYLES[each.severity])
        yield [(head.style, head.text), ("", first)]
        told = [each.fix]
        if each.fixable:
            queue = f" {quote(each.queue)}" if each.queue else ""
            line = again(options, f"doctor{queue} --fix {each.kind}")
            told = [f"{each.fix}: {line}" if each.fix else line]
        else:
            told += each.names[:_NAMED]
            if each.names and each.count > _NAMED:
                told.append(f"and {each.count - _NAMED:,} more")
        for text in more:
            yield [("", " " * _INDENT + text)]
        for text in filter(None, told):
            for line in _wrapped(text, width):
                yield [("muted", " " * _INDENT + line)]


def _wrapped(text: str, width: int | None) -> list[str]:
    shown = visible(text, _LONGEST_LINE)
    if width is None or width <= 2 * _INDENT:
        return [shown]
    from textwrap import wrap

    return wrap(shown, width - _INDENT, break_on_hyphens=False) or [""]


# --- Fixing


def _fix(options: Namespace, control: Control) -> int:
    if len(options.queues) > 1:
        raise Refused("a fix is for one queue at a time")
    queue = options.queues[0] if options.queues else ""
    if isinstance(options.yes, str):
        return _told(options, control.fix(options.fix, queue, options.yes))
    preview = control.fix_preview(options.fix, queue)
    if not preview.count:
        tell(f"{queue or 'the site'}: there is nothing of that kind to fix")
        return DONE
    if options.yes and preview.count > 1:
        raise Refused(f"--yes alone is for a single thing; {_how(options, preview)}")
    if not options.yes:
        _show(options, preview)
    if options.dry_run:
        return DONE
    if not options.yes and not _agreed(options, preview):
        return FAILED
    return _told(options, control.fix(options.fix, queue, preview.token))


def _show(options: Namespace, preview: FixPreview) -> None:
    if options.json:
        put_json(preview)
        return
    for name in preview.first:
        put(name)
    more = preview.count - len(preview.first)
    if more > 0:
        tell(f"and {more:,} more")
    if options.dry_run:
        tell(f"{preview.count:,} would be {preview.words}; {_how(options, preview)}")


def _how(options: Namespace, preview: FixPreview) -> str:
    queue = f" {quote(preview.queue)}" if preview.queue else ""
    words = f"doctor{queue} --fix {preview.kind} --yes {preview.token}"
    return f"to do it: {again(options, words)}"


def _agreed(options: Namespace, preview: FixPreview) -> bool:
    """Ask the person at the terminal; a program is told how to go on."""
    from qtool.commands.asking import confirmed

    if not sys.stdin.isatty():
        tell(f"nothing was done; {_how(options, preview)}")
        return False
    if confirmed(f"{preview.count:,} will be {preview.words}.", "fix"):
        return True
    tell("nothing was done")
    return False


def _told(options: Namespace, fixed: Fixed) -> int:
    if options.json:
        put_json(fixed)
    elif fixed.done:
        put(f"{fixed.kind}: {len(fixed.done):,} put right")
    for line in fixed.skipped:
        tell(f"left: {line}")
    for line in fixed.failed:
        tell(f"failed: {line}")
    if not (fixed.skipped or fixed.failed):
        return DONE
    return LEFT if fixed.done else FAILED
