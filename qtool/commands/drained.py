"""What ``qtool run --once`` did, in lines."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qtool.commands.output import DONE, FAILED, LEFT, put, put_json, tell

if TYPE_CHECKING:
    from qtool.control.models import DrainReport


def told(report: DrainReport, *, in_json: bool) -> int:
    """Tell what a drain did, as JSON each runner by itself; return the exit status."""
    for each in report.runners if in_json else ():
        put_json(each)
    if not in_json:
        put(
            f"done {report.done}, kept {report.kept}, shunted {report.shunted},"
            f" preserved {report.preserved}, left {report.left}"
        )
    for line in (*report.others, *report.failures, *filter(None, [report.note])):
        tell(line)
    if report.next_due is not None:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(report.next_due))
        tell(f"the next is due at {when}")
    if report.failures:
        return FAILED
    return LEFT if report.left else DONE
