"""``qtool trash``: what was discarded, and emptying it."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from qtool.commands.asking import confirmed
from qtool.commands.mending import EXIT_STATUS, acted
from qtool.commands.output import DONE, FAILED, tell
from qtool.commands.site import again, opened
from qtool.commands.tables import put_table
from qtool.errors import Refused
from qtool.render.acts import TRASH_COLUMNS, trash_row

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from qtool.commands.arguments import Parser
    from qtool.control.control import Control
    from qtool.control.models import Trashed

_EXAMPLES = """\
examples:
  qtool trash                     what is in it, by the act that put it there
  qtool ls trash:17               the entries of one act
  qtool undo 17                   back to where they were
  qtool trash --empty 17          gone for good
  qtool trash --empty all --dry-run    what would go
  qtool trash --empty expired     what is past its time ([trash] keep)
"""

_ALL = "all"


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES + EXIT_STATUS
    parser.add_argument("--empty", metavar="ACT|expired|all", nargs="+", default=[],
                        help="remove for good what these acts discarded")  # fmt: skip
    parser.add_why()
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--dry-run", action="store_true",
                        help="only show what would be removed")  # fmt: skip
    either.add_argument("-y", "--yes", action="store_true",
                        help="empty without a question, but not all")  # fmt: skip
    parser.add_json()


def run(options: Namespace) -> int:
    """List what is in the trash, or remove some of it for good."""
    with opened(options) as control:
        if options.dry_run and not options.empty:
            raise Refused("--dry-run shows what --empty would remove: say which")
        if options.empty:
            return _emptied(options, control)
        _put(options, control.trash())
    return DONE


def _put(options: Namespace, heaps: Sequence[Trashed]) -> None:
    row = partial(trash_row, now=time.time())
    put_table(options, heaps, TRASH_COLUMNS, row, "the trash is empty")


def _emptied(options: Namespace, control: Control) -> int:
    heaps = _chosen(options.empty, control.trash())
    if not heaps:
        tell("nothing in the trash is like that")
        return DONE if set(options.empty) <= {_ALL, "expired"} else FAILED
    is_all = _ALL in options.empty
    numbers = [str(heap.number) for heap in heaps]
    if options.dry_run or (options.yes and is_all):
        how = again(options, f"trash --empty {' '.join(numbers)} --yes")
        if not options.dry_run:
            raise Refused(f"--yes alone is not for all; to do it: {how}")
        _put(options, heaps)
        tell(f"nothing was done; to do it: {how}")
        return DONE
    # What comes into it while the question stands is not what was asked about.
    previews = [
        control.preview("empty", f"trash:{heap.number}", "all") for heap in heaps
    ]
    count = sum(preview.count for preview in previews)
    question = f"Remove {count:,} entries of act {', '.join(numbers)} for good?"
    if not options.yes and not confirmed(question, _ALL if is_all else "empty"):
        tell("nothing was done")
        return FAILED
    status = DONE
    for preview in previews:
        said = (preview.token, options.why, preview.verb, preview.queue)
        status = max(status, acted(options, control, partial(control.confirm, *said)))
    return status


def _chosen(words: Sequence[str], heaps: Sequence[Trashed]) -> list[Trashed]:
    """Return those that are meant, the oldest first."""
    now = time.time()
    chosen: dict[int, Trashed] = {}
    for word in words:
        if word not in ("expired", _ALL) and not word.isdecimal():
            raise Refused(f"{word!r} is no act: a number, expired, or all")
        for heap in heaps:
            is_expired = word == "expired" and heap.expires < now
            if word == _ALL or is_expired or word == str(heap.number):
                chosen[heap.number] = heap
    return [chosen[number] for number in sorted(chosen)]
