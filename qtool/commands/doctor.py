"""``qtool doctor``: what is wrong at the site, and what helps."""

from __future__ import annotations

from functools import partial
from shlex import quote
from typing import TYPE_CHECKING

from qtool.commands.asking import agreed
from qtool.commands.attending import attended
from qtool.commands.output import DONE, FAILED, LEFT, put, put_json, tell
from qtool.commands.progress import Progress
from qtool.commands.site import again, opened
from qtool.commands.tables import put_lines, terminal_width
from qtool.control.models import Severity
from qtool.control.paging import findings, previewed_fix, readings
from qtool.errors import Refused
from qtool.render.findings import lines, missed_lines
from qtool.untrusted import visible

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from qtool.commands.arguments import Parser
    from qtool.control.control import Control
    from qtool.control.models import Examined, Finding, Fixed, FixPreview

_EXAMPLES = """\
examples:
  qtool doctor                         look everywhere, and open every entry
  qtool doctor in out --quick          two queues, by names and rights alone
  qtool doctor in --fix orphan-bak --dry-run    what a fix would change

exit status: 0 nothing is wrong, 3 something is, 1 it could not be looked at
"""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("queues", metavar="QUEUE", nargs="*",
                        help="look at these alone; else at the whole site")  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="open no entry")
    parser.add_argument("--fix", metavar="KIND",
                        help="put right what was found, in one QUEUE or at the"
                        " site")  # fmt: skip
    how = parser.add_dry_run(
        "what a fix would change, and the token that does exactly this"
    )
    how.add_argument("-y", "--yes", metavar="TOKEN", nargs="?", const=True,
                     help="fix without a question: what was shown with that token,"
                     " or a single thing")  # fmt: skip
    parser.add_json("a JSON object a finding, one a line")


def run(options: Namespace) -> int:
    """Print what is wrong, or put one kind of it right."""
    if options.fix is None and (options.yes or options.dry_run):
        raise Refused("say what to fix: --fix KIND")
    with opened(options) as control:
        if options.fix is not None:
            return _fix(options, control)
        read = None if options.quick else partial(_read, control)
        found = findings(control, tuple(options.queues), read)
    if options.json:
        for each in found:
            put_json(each)
    elif found:
        how = partial(_command, options)
        put_lines(lines(found, terminal_width(), how))
    else:
        put("nothing is wrong")
    wrong = any(each.severity is not Severity.NOTE for each in found)
    return LEFT if wrong else DONE


# --- Looking


def _read(control: Control, queue: str) -> Iterator[Examined]:
    """Open every waiting entry of a queue, page by page."""
    read = 0
    with Progress(f"{visible(queue, 30)}: entries read") as progress:
        for page in readings(control, queue):
            yield page
            read += page.read
            progress.at(read, total=page.total)


def _command(options: Namespace, finding: Finding) -> str:
    """Return the command line that puts a finding right."""
    queue = f" {quote(finding.queue)}" if finding.queue else ""
    return again(options, f"doctor{queue} --fix {finding.kind}")


# --- Fixing


def _fix(options: Namespace, control: Control) -> int:
    if len(options.queues) > 1:
        raise Refused("a fix is for one queue at a time")
    queue = options.queues[0] if options.queues else ""
    if isinstance(options.yes, str):
        return _fixed(options, control, queue, options.yes)
    look = partial(previewed_fix, control) if options.dry_run else control.fix_preview
    preview, _ = attended(options, control, partial(look, options.fix, queue))
    if not preview.count:
        tell(f"{queue or 'the site'}: there is nothing of that kind to fix")
        return DONE
    if options.yes and preview.count > 1:
        raise Refused(
            f"--yes alone is for a single thing; to do it: {_how(options, preview)}"
        )
    if not options.yes:
        _show(options, preview)
    if options.dry_run:
        return DONE
    if not options.yes:
        question = f"{preview.count:,} will be {preview.words}."
        if not agreed(question, "fix", _how(options, preview)):
            return FAILED
    return _fixed(options, control, queue, preview.token)


def _fixed(options: Namespace, control: Control, queue: str, token: str) -> int:
    fix = partial(control.fix, options.fix, queue, token)
    fixed, was_interrupted = attended(options, control, fix)
    status = _told(options, fixed)
    if was_interrupted:
        raise KeyboardInterrupt
    return status


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
        end = f"to do it: {_how(options, preview)}"
        if not preview.token:
            end = f"this cannot be confirmed: {preview.refusal}"
        tell(f"{preview.count:,} would be {preview.words}; {end}")


def _how(options: Namespace, preview: FixPreview) -> str:
    queue = f" {quote(preview.queue)}" if preview.queue else ""
    words = f"doctor{queue} --fix {preview.kind} --yes {preview.token}"
    return again(options, words)


def _told(options: Namespace, fixed: Fixed) -> int:
    if options.json:
        put_json(fixed)
    elif fixed.done:
        put(f"{fixed.kind}: {len(fixed.done):,} put right")
    for line in missed_lines(fixed):
        tell(line)
    if not (fixed.skipped or fixed.failed):
        return DONE
    return LEFT if fixed.done else FAILED
