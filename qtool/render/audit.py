"""What is on record of who did what, as rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtool.render import moment
from qtool.render.tables import Column, Styled

if TYPE_CHECKING:
    from qtool.control.models import AuditRecord
    from qtool.render.tables import Cell

_NARROW = 100
_SECOND, _MINUTE = len("2026-11-22 00:11:57"), len("2026-11-22 00:11")
_SHORT_NAME = len("1795292186.8116041")

_ELSEWHERE = frozenset({"why", "reason", "data", "filebase", "filebases", "token"})
"""Arguments that have a column of their own, or none; a token says nothing any more."""


def columns(width: int | None) -> list[Column]:
    """Return the columns for lines of a width; None for as wide as they have to be."""
    wide = max(0, (width or 0) - 80)
    all_ = [
        Column("WHEN"),
        Column("WHO", most=8 + wide // 8),
        Column("ACT"),
        Column("ON", most=14 + wide // 4),
        Column("RESULT", most=16 + wide // 3),
        Column("FILE", most=_SHORT_NAME + max(0, wide - 60)),
        Column("WHY", most=30),
        Column("FROM"),
    ]
    return all_[:-1] if _is_narrow(width) else all_


def _is_narrow(width: int | None) -> bool:
    return width is not None and width < _NARROW


def row(record: AuditRecord, width: int | None) -> tuple[Cell, ...]:
    """Return what stands in the columns for a record."""
    narrow = _is_narrow(width)
    when = moment(record.at)[: _MINUTE if narrow else _SECOND]
    file = record.files[0] if record.count == 1 and record.files else None
    many = f"{record.count:,} files" if record.count > 1 else None
    cells = (when, record.who, record.act, _on(record) or None, _result(record),
             file or many, record.why or None, _from(record) or None)  # fmt: skip
    return cells[:-1] if narrow else cells


def _on(record: AuditRecord) -> str:
    """Return what it was done to, as far as that is short."""
    if "undoes" in record.counts:
        return f"act {record.counts['undoes']}"
    return " ".join(
        str(value)
        for name, value in record.arguments.items()
        if name not in _ELSEWHERE
        and isinstance(value, str | int | float)
        and not isinstance(value, bool)
        and value != ""
    )


def _result(record: AuditRecord) -> Cell:
    if record.is_read:
        return "looked"
    if not record.result:
        return Styled("no end recorded", "warning")
    if record.result == "failed":
        return Styled(f"failed: {record.error}", "error")
    outcome = record.counts.get("outcome")
    told: list[Any] = [outcome] if isinstance(outcome, str) else []
    missed = {n: v for n in ("skipped", "failed") if (v := record.counts.get(n))}
    if missed:
        told = [f"{record.count} done", *(f"{v} {n}" for n, v in missed.items())]
    return ", ".join(map(str, told)) or "done"


def _from(record: AuditRecord) -> str:
    process = f"pid {record.pid}" if record.pid else ""
    parts = (record.where, process, record.terminal.removeprefix("/dev/"),
             record.remote, record.host)  # fmt: skip
    return " ".join(filter(None, parts))
