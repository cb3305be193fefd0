"""Why messages were put aside, as lines and as rows of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool import render
from qtool.render.entries import SHORT_NAME
from qtool.render.tables import Column
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qtool.control.models import Failure, FailureGroup
    from qtool.render.tables import Cell

_LONGEST = 2000


def columns(width: int | None) -> list[Column]:
    """Return the columns of single messages, for lines of a width; None: of any."""
    return [
        Column("AGE", right=True),
        Column("NAME", most=SHORT_NAME),
        *_whence(width),
        Column("WHY"),
    ]


def group_columns(width: int | None) -> list[Column]:
    """Return the columns of groups, for lines of a width; None: of any."""
    return [
        Column("COUNT", right=True),
        Column("OLDEST", right=True),
        Column("NEWEST", right=True),
        *_whence(width),
        Column("FAILURE"),
    ]


def _whence(width: int | None) -> tuple[Column, Column]:
    wide = max(0, (width or 0) - 80)
    return Column("ORIGIN", most=10), Column("LIST", most=16 + wide // 3)


def row(failure: Failure, now: float, *, short: bool) -> Sequence[Cell]:
    """Return what stands in the columns for one message."""
    return (
        render.age(now - failure.when),
        # Enough to tell it apart, and to be copied.
        failure.filebase[:SHORT_NAME] if short else failure.filebase,
        failure.origin or None,
        failure.list_id or None,
        failure.why or None,
    )


def group_row(group: FailureGroup, now: float) -> Sequence[Cell]:
    """Return what stands in the columns for messages that were put aside alike."""
    return (
        group.count,
        render.age(now - group.oldest),
        render.age(now - group.newest),
        group.origin or None,
        group.list_id or None,
        group.example,
    )


def lines_below(group: FailureGroup) -> Iterator[str]:
    """Yield what stands below the row of a group."""
    for what, text in (("in", group.frame), ("select", group.where)):
        if text:
            yield f"       {what} {visible(text, _LONGEST)}"


def lines(failure: Failure, warnings: Sequence[str]) -> Iterator[str]:
    """Yield all but the traceback that is known of why a message was put aside.

    Args:
        failure: Why.
        warnings: What speaks against sending it on.
    """
    facts = {
        "name": failure.filebase,
        "why": failure.why,
        "raised in": failure.frame,
        "own code": "" if failure.own_frame == failure.frame else failure.own_frame,
        "when": render.moment(failure.when),
        "runner": failure.runner,
        "origin": failure.origin,
        "list": failure.list_id,
        "known from": failure.source,
        "note": failure.note,
    }
    for name, text in (*facts.items(), *(("warning", each) for each in warnings)):
        if text:
            yield f"{name:<10}: {visible(text, _LONGEST)}"
