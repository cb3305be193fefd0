"""What is on record of who did what, as rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtool.render import moment
from qtool.render.tables import Column, Styled

if TYPE_CHECKING:
    from qtool.control.models import AuditRecord
    from qtool.render.tables import Cell

COLUMNS = (
    Column("WHEN"),
    Column("WHO", most=24),
    Column("ACT"),
    Column("ON", most=30),
    Column("RESULT", most=40),
    Column("WHY", most=40),
    Column("FILE"),
    Column("FROM"),
)

_ELSEWHERE = frozenset({"why", "reason", "data", "filebase", "filebases"})
"""Arguments that have a column of their own, or none."""


def row(record: AuditRecord) -> tuple[Cell, ...]:
    """Return what stands in the columns for a record."""
    when = moment(record.at)[:19]
    file = record.files[0] if record.count == 1 and record.files else None
    many = f"{record.count:,} files" if record.count > 1 else None
    return (when, record.who, record.act, _on(record) or None, _result(record),
            record.why or None, file or many, _from(record) or None)  # fmt: skip


def _on(record: AuditRecord) -> str:
    """Return what it was done to, as far as that is short."""
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
