"""Reading the configuration file again, and saying what is different now."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.control.checked import checked_settings
from qtool.errors import Refused
from qtool.queues.strays import holds_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from qtool.installation import Configuration
    from qtool.settings import RunnerSettings, Settings

_SECTION_KEYS = {
    "class_path": "class",
    "queue_directory": "path",
    "sleep_seconds": "sleep_time",
    "hang_seconds": "hang_after",
    "queue_root": "root",
    "stop_grace_seconds": "stop_grace",
    "text_form": "dialect",
    "allowed_classes": "allow",
    "python_paths": "python",
    "audit_reads": "audit reads",
}
"""What fields of settings are called in the file, where that differs."""

_FOLLOWED = frozenset({"sleep_seconds", "max_restarts", "hang_seconds", "start"})
"""What a runner takes up while it runs."""
_OF_QUEUES = frozenset({"text_form", "allowed_classes", "group_commit", "python_paths"})
"""What every runner has to be started again for."""
_OF_THE_CALLER = ("program_directory", "asked_processes")
"""What the file does not say."""
_SEEN_AT_ONCE = frozenset(
    {"view_slices", "lists", "filters", "stop_grace_seconds", "audit_reads", "trash"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is different about one runner."""

    runner: str
    told: str
    is_removed: bool = False
    is_regrouped: bool = False
    """It has to be stopped, and started with what is configured now. One that is
    added may have been removed with a message in hand."""
    is_resliced: bool = False
    """It has other slices then."""
    is_runnable: bool = False
    """There is something to be started now."""
    is_new: bool = False
    """There was nothing to be started before."""
    starts: bool = False
    """A master starts it by itself."""
    sleep_seconds: float | None = None
    """The new sleep time, where that is different."""


class Reloading:
    """Reads the file again, once at a time; arguments as of ``reloaded``."""

    def __init__(
        self,
        configuration: Configuration,
        follow: Callable[[Sequence[Change]], Mapping[str, str]],
    ) -> None:
        self._configuration = configuration
        self._follow = follow
        self._turn, self._next = threading.Lock(), threading.Lock()

    def once(self) -> list[str]:
        """Do as ``reloaded`` does, after whoever does so now.

        Somebody who waits to read it sees what is there by now, so who comes
        after him is only told so.
        """
        if not self._next.acquire(blocking=False):
            return ["the file is about to be read again"]
        with self._turn:
            self._next.release()
            return reloaded(self._configuration, self._follow)


def reloaded(
    configuration: Configuration,
    follow: Callable[[Sequence[Change]], Mapping[str, str]],
) -> list[str]:
    """Read the file again and use what it says; return what changed, a line each.

    Args:
        configuration: Of a site that has a configuration file.
        follow: Has the runners follow; returns what was done, by the runner's name.

    Raises:
        SettingsError: The file is wrong; nothing has changed.
        Refused: It is another site's, or there is no file.
    """
    before = configuration.settings
    source = before.source
    if source.startswith("--root ") or source == "built-in default":
        raise Refused(f"there is no configuration file to read again: {source}")
    fresh = checked_settings(Path(source))
    for field in ("kind", "queue_root"):
        old, new = getattr(before, field), getattr(fresh, field)
        if old != new:
            raise Refused(
                f"{source}: {_key(field)} is {new} now, before: {old}:"
                " that takes a new start; nothing has changed"
            )
    configuration.use(
        replace(fresh, **{name: getattr(before, name) for name in _OF_THE_CALLER})
    )
    after = configuration.settings
    lines, all_again = _of_site(before, after)
    changes = list(_of_runners(before, after, all_again=all_again))
    done = follow(changes)
    for change in changes:
        left = _left(before, change)
        acts = "; ".join(filter(None, [done.get(change.runner), left]))
        told = f"{change.runner}: {change.told}" if change.told else change.runner
        if change.told or acts:
            lines.append(f"{told}: {acts}" if acts else told)
    return lines or ["nothing has changed"]


def _left(before: Settings, change: Change) -> str:
    """Return that messages wait in a queue that no section names any more."""
    if not change.is_removed:
        return ""
    folder = before.runners[change.runner].queue_directory
    waits = folder is not None and holds_entries(folder)
    return f"messages wait in {folder}" if waits else ""


def _of_site(before: Settings, after: Settings) -> tuple[list[str], bool]:
    """Return what is different for all, and whether runners start again for it."""
    lines, all_again = [], False
    for field in fields(before):
        name = field.name
        old, new = getattr(before, name), getattr(after, name)
        if old == new or name in {"source", "runners"}:
            continue
        line = f"{_key(name)} {_value(name, old)} -> {_value(name, new)}"
        all_again = all_again or name in _OF_QUEUES
        if name not in _OF_QUEUES | _SEEN_AT_ONCE:
            line += ": that takes a new start"
        lines.append(line)
    return lines, all_again


def _of_runners(
    before: Settings, after: Settings, *, all_again: bool
) -> Iterator[Change]:
    for name in before.runners:
        if name not in after.runners:
            yield Change(runner=name, told="removed", is_removed=True)
    for name, runner in after.runners.items():
        former = before.runners.get(name)
        if former is None:
            able = _is_runnable(runner)
            yield Change(
                runner=name, told="added", is_new=True, is_regrouped=True,
                is_runnable=able, starts=able and runner.start,
            )  # fmt: skip
        elif all_again or former != runner:
            yield _change(former, runner, all_again=all_again)


def _change(
    former: RunnerSettings, runner: RunnerSettings, *, all_again: bool
) -> Change:
    different = {
        field.name
        for field in fields(runner)
        if getattr(former, field.name) != getattr(runner, field.name)
    }
    able = _is_runnable(runner)
    return Change(
        runner=runner.name,
        told=", ".join(_told(former, runner, different)),
        is_regrouped=all_again or not different <= _FOLLOWED,
        is_resliced=former.proportions != runner.proportions,
        is_runnable=able,
        is_new=not _is_runnable(former),
        starts=able and runner.start,
        sleep_seconds=runner.sleep_seconds if "sleep_seconds" in different else None,
    )


def _is_runnable(runner: RunnerSettings) -> bool:
    is_ours = runner.served and runner.class_path is not None and not runner.foreign
    return is_ours and runner.instances > 0


def _told(
    former: RunnerSettings, runner: RunnerSettings, different: set[str]
) -> Iterator[str]:
    for field in fields(runner):
        name = field.name
        if name not in different or name in {"served", "foreign"}:
            continue  # they follow from its class
        old, new = getattr(former, name), getattr(runner, name)
        if name != "options":
            yield f"{_key(name)} {_value(name, old)} -> {_value(name, new)}"
            continue
        for key in sorted({*old, *new}):
            was, now = old.get(key), new.get(key)
            if was != now:
                yield f"{key} {_value(key, was)} -> {_value(key, now)}"


def _key(field: str) -> str:
    return _SECTION_KEYS.get(field, field)


def _value(field: str, value: object) -> str:
    if value is None or value == "":
        return "none"
    if field == "text_form":
        return "text" if value else "object"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if field.endswith("_seconds"):
        return f"{value:g} s"
    if field == "filters" and isinstance(value, Mapping):
        value = tuple(f"@{name} ({text})" for name, text in value.items())
    if isinstance(value, tuple | frozenset):
        parts = sorted(value) if isinstance(value, frozenset) else value
        return " ".join(map(_plain, parts)) or "none"
    return _plain(value)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
