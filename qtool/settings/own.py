"""qtool's own dialect, and the overlays that add to any configuration."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from qtool.errors import SettingsError
from qtool.settings.alert import alert_settings
from qtool.settings.audit import audited_reads
from qtool.settings.filters import PREFIX, saved_filters
from qtool.settings.idle import check_queues, idle_tests
from qtool.settings.ini import Section, expand, read_sections
from qtool.settings.metrics import listen_address
from qtool.settings.trash import trash_settings
from qtool.settings.values import RunnerSettings, Settings, SiteKind
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_INSTANCES = 1024
"""More slices of one queue than this are a slip of the finger."""
WITHOUT_RUNNER = ("shunt", "bad")
"""Queues that every site has and no runner serves."""

_RUNNER_KEYS = frozenset(
    {
        "class",
        "path",
        "instances",
        "weights",
        "sleep_time",
        "max_restarts",
        "hang_after",
        "start",
        "honours_due",
        "when",
        "idle_when",
        "priority",
    }
)
_QTOOL_KEYS = frozenset(
    {
        "root",
        "view_slices",
        "group_commit",
        "dialect",
        "processes",
        "allow",
        "socket_group",
        "stop_grace",
    }
)
_OTHERS = frozenset({"qtool", "paths", "metrics", "trash", "audit", "alert"})
"""Sections that are about no runner and no list."""
_WEIGHT = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?", re.ASCII)
"""Bounded, so that even the smallest slice is wide enough to be claimed."""
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)+")
_ADDRESS = re.compile(r"[^\s@/\x00-\x1f]+@[^\s@/\x00-\x1f]+")


def runner_name(section: Section) -> str | None:
    """Return the runner's name in ``[runner.NAME]`` or ``[qrunner.NAME]``."""
    prefix, dot, name = section.name.partition(".")
    if prefix not in {"runner", "qrunner"} or not dot:
        return None
    if not name or name.startswith(".") or "/" in name or visible(name) != name:
        raise SettingsError(
            f"{section.source}: [{visible(section.name, 80)}]:"
            " expected a name that can be a folder's"
        )
    return name


def queue_folder(section: Section, name: str, root: Path) -> Path | None:
    """Return the folder that ``path`` names; None where it is empty."""
    variables = {"root": str(root), "queue_dir": str(root), "name": name}
    path = expand(section, "path", variables, "$queue_dir/$name")
    if path.startswith("~"):
        raise section.wrong("path", "the whole path, without ~")
    return root / path if path else None


def runner_settings(
    section: Section, base: RunnerSettings, queue_root: Path
) -> RunnerSettings:
    """Return ``base`` with what a section says about the runner."""
    class_path = section.text("class", base.class_path or "")
    if "class" in section and class_path and not _DOTTED.fullmatch(class_path):
        raise section.wrong("class", "a dotted name such as package.module.Class")
    folder = base.queue_directory
    if "path" in section:
        folder = queue_folder(section, base.name, queue_root)
    instances, weights = _division(section, base)
    own = {key: text for key, text in section.values.items() if key not in _RUNNER_KEYS}
    return replace(
        base,
        class_path=class_path or None,
        # A class that is not Mailman's may be ours; who imports it will know.
        foreign=base.foreign and (class_path or "mailman.").startswith("mailman."),
        queue_directory=folder,
        instances=instances,
        weights=weights,
        sleep_seconds=section.seconds("sleep_time", base.sleep_seconds),
        max_restarts=section.whole(
            "max_restarts", base.max_restarts, lowest=0, highest=10**9
        ),
        hang_seconds=_hang_seconds(section, base.hang_seconds),
        start=section.boolean("start", base.start),
        honours_due=section.boolean("honours_due", base.honours_due),
        idle_when=idle_tests(section, base.idle_when),
        priority=_priority(section, base.priority),
        options=MappingProxyType({**base.options, **own}),
        served=base.served or bool(class_path),
    )


def _division(section: Section, base: RunnerSettings) -> tuple[int, tuple[float, ...]]:
    """Return the number of slices and their weights; a new one ends the other."""
    instances = section.whole(
        "instances", base.instances, lowest=0, highest=MOST_INSTANCES
    )
    if "weights" not in section:
        kept = base.weights if len(base.weights) == instances else ()
        return instances, kept
    words = section.text("weights").split()
    if not 0 < len(words) <= MOST_INSTANCES or not all(map(_is_weight, words)):
        raise section.wrong("weights", "positive numbers such as 50 30 20")
    if "instances" in section and instances != len(words):
        raise section.wrong("instances", f"{len(words)}, as there are weights")
    return len(words), tuple(map(float, words))


def _is_weight(word: str) -> bool:
    return _WEIGHT.fullmatch(word) is not None and float(word) > 0


def _hang_seconds(section: Section, default: float) -> float:
    seconds = section.seconds("hang_after", default)
    if not seconds:
        raise section.wrong("hang_after", "a duration longer than 0")
    return seconds


def _priority(section: Section, default: str) -> str:
    priority = section.text("priority", default)
    if priority not in {"high", "normal", "low"}:
        raise section.wrong("priority", "high, normal or low")
    return priority


def _fresh_runner(name: str, queue_root: Path) -> RunnerSettings:
    return RunnerSettings(
        name=name,
        class_path=None,
        queue_directory=queue_root / name,
        served=name not in WITHOUT_RUNNER,
    )


def with_sections(settings: Settings, sections: Mapping[str, Section]) -> Settings:
    """Return settings with the runners, lists and filters that sections give."""
    runners = dict(settings.runners)
    lists = list(settings.lists)
    for section in sections.values():
        name = runner_name(section)
        if name is not None:
            base = runners.get(name) or _fresh_runner(name, settings.queue_root)
            runners[name] = runner_settings(section, base, settings.queue_root)
        elif section.name.startswith("list."):
            lists.append(list_address(section))
        elif not section.name.startswith(PREFIX):
            raise SettingsError(
                f"{section.source}: [{visible(section.name, 80)}]:"
                " expected [runner.NAME], [list.ADDRESS] or [filter.NAME]"
            )
    for section in sections.values():
        name = runner_name(section)
        if name is not None:
            check_queues(section, name, runners[name].idle_when, runners)
    return replace(
        settings,
        runners=MappingProxyType(runners),
        lists=tuple(dict.fromkeys(lists)),
        filters=MappingProxyType({**settings.filters, **saved_filters(sections)}),
    )


def list_address(section: Section) -> str:
    """Return the posting address in ``[list.ADDRESS]``."""
    address = section.name.removeprefix("list.").lower()
    if not _ADDRESS.fullmatch(address):
        raise SettingsError(
            f"{section.source}: [{visible(section.name, 80)}]:"
            " expected a posting address, [list.name@example.com]"
        )
    return address


def overlaid(settings: Settings, overlays: Mapping[str, str]) -> Settings:
    """Return settings with the sections of further texts laid over, in order.

    Args:
        settings: What they are laid over; any kind of site.
        overlays: ini texts by the name that errors show.
    """
    for name, text in overlays.items():
        sections = read_sections(text, visible(name, 80), strict=True)
        settings = with_sections(settings, sections)
    return settings


def own_settings(
    sections: Mapping[str, Section], *, source: str, base: Path
) -> Settings:
    """Return the settings of a configuration in qtool's own dialect."""
    qtool = sections.get("qtool") or Section(source, "qtool", {})
    paths = sections.get("paths") or Section(source, "paths", {})
    for section, known in ((qtool, _QTOOL_KEYS), (paths, {"python"})):
        for key in sorted(set(section) - known):
            raise SettingsError(
                f"{source}: [{section.name}] {visible(key, 80)}:"
                f" expected one of {', '.join(sorted(known))}"
            )
    queue_root = _path(qtool, "root", base, "queues")
    rest = {name: section for name, section in sections.items() if name not in _OTHERS}
    settings = Settings(
        source=source,
        kind=SiteKind.OWN,
        queue_root=queue_root,
        runners={},
        python_paths=python_paths(paths, base),
        view_slices=qtool.whole("view_slices", 16, lowest=1, highest=256),
        allowed_classes=_allowed(qtool),
        group_commit=qtool.boolean("group_commit", default=True),
        processes=qtool.boolean("processes", default=False),
        socket_group=qtool.text("socket_group"),
        stop_grace_seconds=qtool.seconds("stop_grace", 60.0),
        text_form=_text_form(qtool),
        metrics_listen=listen_address(sections.get("metrics")),
        audit_reads=audited_reads(sections.get("audit")),
        trash=trash_settings(sections.get("trash")),
        alert=alert_settings(sections.get("alert")),
    )
    settings = with_sections(settings, rest)
    missing = {
        name: _fresh_runner(name, queue_root)
        for name in WITHOUT_RUNNER
        if name not in settings.runners
    }
    return replace(settings, runners=MappingProxyType({**settings.runners, **missing}))


def _path(section: Section, key: str, base: Path, default: str) -> Path:
    path = section.text(key, default) or default
    if path.startswith("~"):
        raise section.wrong(key, "the whole path, without ~")
    return base / path


def python_paths(paths: Section, base: Path) -> tuple[Path, ...]:
    """Return the folders that ``[paths] python`` names."""
    found = [part for part in re.split(r"[\n:]", paths.text("python")) if part.strip()]
    for part in found:
        if part.strip().startswith("~"):
            raise paths.wrong("python", "whole paths, without ~")
    return tuple(base / part.strip() for part in found)


def _allowed(qtool: Section) -> frozenset[str]:
    names = qtool.text("allow").split()
    for name in names:
        if not _DOTTED.fullmatch(name):
            raise qtool.wrong("allow", "dotted names of classes")
    return frozenset(names)


def _text_form(qtool: Section) -> bool:
    dialect = qtool.text("dialect", "object")
    if dialect not in {"text", "object"}:
        raise qtool.wrong("dialect", "text or object")
    return dialect == "text"
