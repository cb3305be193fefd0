"""Messages that were put aside for the same, together."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from qtool.control.filters import parse
from qtool.control.models import FailureGroup
from qtool.errors import FilterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qtool.control.models import Entry, Failure

_PLAIN = re.compile(r"[\w.@+-]+", re.ASCII)
_MOST_NAMED = 1000
_MOST_IN_A_FILTER = 100


def grouped(
    failures: Sequence[Failure], entries: Sequence[Entry], where: str
) -> list[FailureGroup]:
    """Return groups of one exception, place, origin and list, the largest first.

    Args:
        failures: Why each was put aside.
        entries: The same, as a list shows them.
        where: The filter that found them.
    """
    groups: dict[tuple[str, ...], list[Failure]] = {}
    for failure in failures:
        groups.setdefault(_key(failure), []).append(failure)
    made = []
    for members in groups.values():
        members.sort(key=lambda failure: failure.when)
        made.append(replace(_group(members), where=_filter(members, entries, where)))
    return sorted(made, key=lambda group: (-group.count, -group.newest))


def _key(failure: Failure) -> tuple[str, ...]:
    # Without an exception the reason is all there is to tell them apart by.
    what = failure.exception or failure.message
    return what, failure.frame, failure.origin, failure.list_id, failure.source


def _group(members: Sequence[Failure]) -> FailureGroup:
    newest = members[-1]
    return FailureGroup(
        exception=newest.exception,
        frame=newest.frame,
        origin=newest.origin,
        list_id=newest.list_id,
        count=len(members),
        oldest=members[0].when,
        newest=newest.when,
        example=newest.why or newest.note,
        source=newest.source,
        filebases=tuple(failure.filebase for failure in members[:_MOST_NAMED]),
    )


def _filter(members: Sequence[Failure], entries: Sequence[Entry], where: str) -> str:
    """Return a filter that selects those entries and no others; empty for none."""
    wanted = {member.filebase for member in members}
    for text in _said(members):
        whole = f"({where}) {text}" if where.strip() else text
        try:
            matches = parse(text, 0.0).matches
        except FilterError:  # the reason is too odd for a pattern
            continue
        if {entry.filebase for entry in entries if matches(entry)} == wanted:
            return whole
    return ""


def _said(members: Sequence[Failure]) -> Iterator[str]:
    """Yield filters, the one that people read best first."""
    one = members[0]
    more = [f"list={_quoted(one.list_id)}"] if one.list_id else []
    more += [f"origin={_quoted(one.origin)}"] if one.origin else []
    none = [
        f"not {key}~."
        for key, known in (("list", one.list_id), ("origin", one.origin))
        if not known
    ]
    reasons = {member.why for member in members}
    whys = [f"why:{_quoted(one.exception)}"] if one.exception else []
    if len(reasons) == 1:
        whys.append(f"why={_quoted(one.why)}" if one.why else "not why~.")
    for why in whys:
        for count in range(len(none) + 1):
            yield " ".join([why, *more, *none[:count]])
    if len(members) <= _MOST_IN_A_FILTER:
        yield f"({' or '.join(f'name={member.filebase}' for member in members)})"


def _quoted(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'
