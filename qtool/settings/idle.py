"""``idle_when``: what has to be so before an idle-only runner takes anything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtool.errors import SettingsError
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Collection

    from qtool.settings.ini import Section

_NUMBER = r"([0-9]{1,6}(?:\.[0-9]{1,6})?)"
_TIME = r"([01]?[0-9]|2[0-3]):([0-5][0-9])"
_TESTS = {
    "load": re.compile(rf"load\s*<\s*{_NUMBER}", re.ASCII),
    "pressure": re.compile(rf"pressure\s+(cpu|io|memory)\s*<\s*{_NUMBER}", re.ASCII),
    "empty": re.compile(r"empty\s*:\s*([^\s:].*)"),
    "between": re.compile(rf"between\s+{_TIME}\s+and\s+{_TIME}", re.ASCII),
    "callable": re.compile(r"([^\W\d]\w*(?:\.[^\W\d]\w*)+)"),
}
_EXPECTED = (
    "tests such as load < 1.5, pressure cpu < 10, empty: in out,"
    " between 22:00 and 06:00, package.module.function"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleTest:
    """One test."""

    kind: str
    """``load``, ``pressure``, ``empty``, ``between`` or ``callable``."""
    text: str
    """As the configuration has it."""
    limit: float = 0.0
    """What load average, or pressure in percent, has to be below."""
    names: tuple[str, ...] = ()
    """The queues; what is under pressure; the dotted name of a callable."""
    minutes: tuple[int, int] = (0, 0)
    """Begin and end of a time of the day, in minutes since midnight."""

    def __str__(self) -> str:
        return self.text


def idle_tests(section: Section, base: tuple[IdleTest, ...]) -> tuple[IdleTest, ...]:
    """Return the tests of an idle-only runner; none for one that always works.

    Args:
        section: The runner's.
        base: The tests that it had without this section.

    Raises:
        SettingsError: There is no such test, or ``when`` is neither of its values.
    """
    when = section.text("when", "idle" if base else "always")
    if when not in {"always", "idle"}:
        raise section.wrong("when", "always or idle")
    if when == "always":
        if "idle_when" in section:
            raise section.wrong("when", "idle, as there is idle_when")
        return ()
    if "idle_when" not in section and base:
        return base
    lines = re.split(r"[\n,]", section.text("idle_when"))
    texts = [" ".join(line.split()) for line in lines if line.strip()]
    found = [_test(text) for text in texts]
    if not found or None in found:
        raise section.wrong("idle_when", _EXPECTED)
    return tuple(test for test in found if test is not None)


def check_queues(
    section: Section, name: str, tests: tuple[IdleTest, ...], known: Collection[str]
) -> None:
    """Find out whether tests name other queues of the site.

    Raises:
        SettingsError: They name one that is not there, or the runner's own.
    """
    for test in tests:
        for queue in test.names if test.kind == "empty" else ():
            if queue not in known or queue == name:
                raise SettingsError(
                    f"{section.source}: [{section.name}] idle_when: expected names of"
                    f" other queues, not '{visible(queue, 80)}'"
                )


def _test(text: str) -> IdleTest | None:
    for kind, pattern in _TESTS.items():
        match = pattern.fullmatch(text)
        if match is None:
            continue
        if kind == "load":
            return IdleTest(kind=kind, text=text, limit=float(match[1]))
        if kind == "pressure":
            limit = float(match[2])
            return IdleTest(kind=kind, text=text, limit=limit, names=(match[1],))
        if kind == "between":
            hour, minute, last_hour, last_minute = map(int, match.groups())
            minutes = 60 * hour + minute, 60 * last_hour + last_minute
            return IdleTest(kind=kind, text=text, minutes=minutes)
        return IdleTest(kind=kind, text=text, names=tuple(match[1].split()))
    return None
