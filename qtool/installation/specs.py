"""Runners as a command line names them: short or long names, one slice, or all.

``out``, ``Outgoing`` and ``OutgoingRunner`` are one runner; ``out:2:4`` is its third
slice of four, whatever the configuration says; ``All`` is every runner.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtool.errors import NoRunnerClass, NoSuchRunner, Refused
from qtool.installation.classes import no_class_reason, no_runner_reason
from qtool.settings import MOST_INSTANCES, WITHOUT_RUNNER
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from qtool.installation.configuration import Configuration
    from qtool.settings import RunnerSettings, Settings

_PART = re.compile(r"(.+):([0-9]{1,4}):([0-9]{1,4})", re.ASCII | re.DOTALL)
_OLDER = {
    "arch": ("archive",),
    "bounce": ("bounces",),
    "command": ("commands",),
    "incoming": ("in",),
    "news": ("nntp",),
    "outgoing": ("out",),
}
"""Queues by what Mailman 2 calls their runners, where the names differ."""
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A runner that was asked for, or one slice of it."""

    name: str
    slice: int | None
    """Which slice, counted from 0; None is all of them."""
    count: int
    """Into how many slices its queue is divided for that."""

    def __str__(self) -> str:
        part = "" if self.slice is None else f":{self.slice}:{self.count}"
        return f"{self.name}{part}"


def choose(
    configuration: Configuration, specs: Sequence[str], *, once: bool
) -> tuple[Chosen, ...]:
    """Return what specs mean, and divide the queues of the configuration for them.

    Args:
        configuration: Which runners there are.
        specs: ``NAME``, ``NAME:slice:range`` or ``All``, each.
        once: For a drain: ``All`` is also who runs at no other time.

    Returns:
        What to run; nothing where that is what runs when nothing is named.

    Raises:
        NoSuchRunner, NoRunnerClass, Refused: A spec means nothing to run.
    """
    settings = configuration.settings
    found = _chosen(settings, specs)
    if once and any(_is_everyone(settings, spec) for spec in specs):
        return ()
    sections = _divided(settings, found)
    if sections:
        configuration.push("the command line", sections)
    return found


def named(configuration: Configuration, specs: Sequence[str]) -> tuple[Chosen, ...]:
    """Return what specs mean, with the queues divided as they are.

    Raises:
        NoSuchRunner, NoRunnerClass, Refused: One means nothing to run.
    """
    found = _chosen(configuration.settings, specs)
    for part in found:
        instances = max(1, configuration.runner(part.name).instances)
        if part.count != instances:
            raise Refused(f"{part}: the queue is divided into {instances}")
    return found


def _chosen(settings: Settings, specs: Sequence[str]) -> tuple[Chosen, ...]:
    """Return what specs mean, in their order, each once."""
    found: dict[str, list[Chosen]] = {}
    for spec in specs:
        for each in _meant(settings, spec):
            found.setdefault(each.name, []).append(each)
    for name, parts in found.items():
        counts = sorted({part.count for part in parts})
        if len(counts) > 1:
            raise Refused(
                f"{name}: expected one division of its queue, not"
                f" {counts[0]} and {counts[1]} slices"
            )
    return tuple(part for parts in found.values() for part in _each_once(parts))


def _divided(settings: Settings, parts: Iterable[Chosen]) -> str:
    """Return the sections that divide queues as these slices need it."""
    counts = {
        part.name: part.count
        for part in parts
        # One slice stays what it is when the configuration is read again.
        if part.slice is not None or part.count != settings.runners[part.name].instances
    }
    return "".join(
        f"[runner.{name}]\ninstances: {count}\n" for name, count in counts.items()
    )


def _meant(settings: Settings, spec: str) -> Iterator[Chosen]:
    if _is_everyone(settings, spec):
        names, number, count = _starting(settings), None, 0
    else:
        word, number, count = _read(settings, spec)
        names = [_named(settings, word)]
        _check(settings, settings.runners[names[0]])
    for name in names:
        instances = max(1, settings.runners[name].instances)
        yield Chosen(name=name, slice=number, count=count or instances)


def _is_everyone(settings: Settings, spec: str) -> bool:
    """Return whether a spec means every runner."""
    return spec not in settings.runners and spec.casefold() == "all"


def _read(settings: Settings, spec: str) -> tuple[str, int | None, int]:
    """Return the name in a spec, its slice, and its range or 0."""
    found = None if spec in settings.runners else _PART.fullmatch(spec)
    if found is None:
        if ":" in spec and spec not in settings.runners:
            raise Refused(
                f"{visible(spec, 80)}: expected NAME or NAME:slice:range, as in out:0:4"
            )
        return spec, None, 0
    number, count = int(found[2]), int(found[3])
    if not 0 <= number < count <= MOST_INSTANCES:
        raise Refused(
            f"{visible(spec, 80)}: expected a slice from 0, below a range of"
            f" {MOST_INSTANCES} at most"
        )
    return found[1], number, count


def _named(settings: Settings, word: str) -> str:
    """Return the section that a word means."""
    if word in settings.runners:
        return word
    short = _short(word)
    by_class = {
        name: _short((runner.class_path or "").rpartition(".")[2])
        for name, runner in settings.runners.items()
    }
    for names in (
        [name for name in settings.runners if _short(name) == short],
        [name for name, known in by_class.items() if known and known == short],
        [name for name in _OLDER.get(short, ()) if name in settings.runners],
    ):
        if len(names) == 1:
            return names[0]
        if names:
            raise NoSuchRunner(f"{visible(word, 80)!r} may be {' or '.join(names)}")
    known = [name for name in settings.runners if name not in WITHOUT_RUNNER]
    listed = ", ".join(known[:_MOST_NAMED]) or "none"
    raise NoSuchRunner(f"there is no runner {visible(word, 80)!r}, only {listed}")


def _short(word: str) -> str:
    return word.casefold().removesuffix("runner") or word.casefold()


def _check(settings: Settings, runner: RunnerSettings) -> None:
    """Refuse a queue whose messages no runner takes."""
    if runner.name in WITHOUT_RUNNER or not runner.served:
        raise Refused(no_runner_reason(settings, runner.name))
    if not runner.foreign and runner.class_path is None:
        raise NoRunnerClass(no_class_reason(runner))


def _starting(settings: Settings) -> list[str]:
    """Return the runners that are run where nobody names one."""
    return [
        runner.name
        for runner in settings.runners.values()
        if runner.served and runner.class_path and runner.start and runner.instances
    ]


def _each_once(parts: list[Chosen]) -> list[Chosen]:
    whole = [part for part in parts if part.slice is None]
    return whole[:1] or list(dict.fromkeys(parts))
