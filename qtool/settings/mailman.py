"""What a ``mailman.cfg`` of GNU Mailman 3 says about its queues.

Mailman lays the file over what it is born with; so does this module, with as
much of it as an operator's console needs: layouts, the stock runners, the
master's lock and the logs. Sections that say nothing about queues are passed
over: Mailman itself judges them.
"""

from __future__ import annotations

import os.path
import re
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from qtool.errors import SettingsError
from qtool.settings.audit import audited_reads
from qtool.settings.filters import saved_filters
from qtool.settings.ini import Section, expand, read_sections
from qtool.settings.own import python_paths, runner_name, runner_settings
from qtool.settings.values import RunnerSettings, Settings, SiteKind
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

_STOCK: dict[str, tuple[str, float, bool, bool]] = {
    # class below mailman.runners, sleep time in seconds, started, has a queue
    "in": ("incoming.IncomingRunner", 1.0, True, True),
    "pipeline": ("pipeline.PipelineRunner", 1.0, True, True),
    "out": ("outgoing.OutgoingRunner", 1.0, True, True),
    "retry": ("retry.RetryRunner", 900.0, True, True),
    "bounces": ("bounce.BounceRunner", 120.0, True, True),
    "command": ("command.CommandRunner", 1.0, True, True),
    "virgin": ("virgin.VirginRunner", 1.0, True, True),
    "archive": ("archive.ArchiveRunner", 1.0, True, True),
    "digest": ("digest.DigestRunner", 1.0, True, True),
    "nntp": ("nntp.NNTPRunner", 1.0, False, True),
    # Mailman names classes for these two that do not exist.
    "shunt": ("", 1.0, False, True),
    "bad": ("", 1.0, False, True),
    "lmtp": ("lmtp.LMTPRunner", 1.0, True, False),
    "rest": ("rest.RESTRunner", 1.0, True, False),
    "task": ("task.TaskRunner", 60.0, True, False),
}
_TEMPLATES = frozenset({"master", "template"})

_EVERY_LAYOUT = {
    "bin_dir": "$argv",
    "queue_dir": "$var_dir/queue",
    "log_dir": "$var_dir/logs",
    "lock_dir": "$var_dir/locks",
    "data_dir": "$var_dir/data",
    "cache_dir": "$var_dir/cache",
    "etc_dir": "$var_dir/etc",
    "ext_dir": "$var_dir/ext",
    "list_data_dir": "$var_dir/lists",
    "messages_dir": "$var_dir/messages",
    "archive_dir": "$var_dir/archives",
    "template_dir": "$var_dir/templates",
    "pid_file": "$var_dir/master.pid",
    "lock_file": "$lock_dir/master.lck",
    "var_dir": "/var/tmp/mailman",  # noqa: S108 - Mailman's own default
}
_LAYOUTS: dict[str, dict[str, str]] = {
    "local": {},
    "dev": {"var_dir": "$cfg_file/../.."},
    "here": {"var_dir": "$cwd/var"},
    "fhs": {
        "bin_dir": "/sbin",
        "var_dir": "/var/lib/mailman",
        "queue_dir": "/var/spool/mailman",
        "log_dir": "/var/log/mailman",
        "lock_dir": "/var/lock/mailman",
        "etc_dir": "/etc",
        "ext_dir": "/etc/mailman.d",
        "pid_file": "/var/run/mailman/master.pid",
    },
}
_LOGS = ("mailman.log", "smtp.log", "bounce.log", "debug.log", "plugins.log")
_TELLTALES = frozenset(
    {"mailman", "mta", "webservice", "database", "language", "logging", "archiver",
     "dmarc", "antispam", "digests", "nntp", "styles", "bounces", "plugin", "ARC"}
)  # fmt: skip


def is_mailman(sections: Mapping[str, Section], source: str) -> bool:
    """Say whether these sections are those of a ``mailman.cfg``."""
    if "qtool" in sections:
        return False
    if Path(source).name == "mailman.cfg":
        return True
    return any(
        name.partition(".")[0] in _TELLTALES or name.startswith("paths.")
        for name in sections
    )


def mailman_settings(
    sections: Mapping[str, Section], *, source: str, base: Path
) -> Settings:
    """Return the settings of a Mailman 3 site.

    Args:
        sections: The sections of its ``mailman.cfg``.
        source: The file's name, for errors and to be shown.
        base: The folder of the file.
    """
    paths = _Paths(sections, source, base)
    queue_root = paths["queue_dir"]
    runners = {name: _stock_runner(name, queue_root) for name in _STOCK}
    for section in sections.values():
        name = runner_name(section)
        if name is None or name in _TEMPLATES:
            continue
        known = runners.get(name) or _site_runner(name, queue_root)
        runners[name] = _overridden(section, known, paths)
    return Settings(
        source=source,
        kind=SiteKind.MAILMAN3,
        queue_root=queue_root,
        runners=MappingProxyType(runners),
        python_paths=python_paths(
            sections.get("paths") or Section(source, "paths", {}), base
        ),
        text_form=True,
        lock_file=paths["lock_file"],
        log_files=_log_files(sections, paths["log_dir"]),
        error_logs=_logs_of(sections, paths["log_dir"], ("error", "runner")),
        delivery_logs=_logs_of(sections, paths["log_dir"], ("smtp",)),
        program_directory=paths.program_directory(),
        audit_reads=audited_reads(sections.get("audit")),
        filters=saved_filters(sections),
    )


def with_private_queue(
    text: str, *, source: str, base: Path, runner: str, folder: Path
) -> str:
    """Return a ``mailman.cfg`` in which one runner serves one folder, unsliced.

    Mailman merges a section that is there twice, and the later value wins.

    Args:
        text: The site's own ``mailman.cfg``.
        source: Its name.
        base: Its folder; the result may be put elsewhere.
        runner: The runner whose queue is moved.
        folder: Where its queue is now.
    """
    paths = _Paths(read_sections(text, source, strict=False), source, base)
    if "\n" in str(folder):
        raise SettingsError(f"{source}: there is a line end in the name of {folder!r}")
    lines = [text, f"[runner.{runner}]", f"path: {folder}", "instances: 1"]
    lines += [f"[{paths.name}]", *(f"{key}: {paths[key]}" for key in paths.bound())]
    return "\n".join([*lines, ""])


class _Paths:
    """The layout that the site uses, with every variable in it replaced."""

    def __init__(
        self, sections: Mapping[str, Section], source: str, base: Path
    ) -> None:
        mailman = sections.get("mailman") or Section(source, "mailman", {})
        layout = mailman.text("layout", "here") or "here"
        self.name = name = f"paths.{layout}"
        """The section's name."""
        own = sections.get(name)
        if own is None and layout not in _LAYOUTS:
            raise SettingsError(
                f"{source}: [mailman] layout: expected a section [{visible(name, 80)}]"
            )
        values = {**_EVERY_LAYOUT, **_LAYOUTS.get(layout, {})}
        values.update(own.values if own else {})
        self._section = Section(source, name, values)
        self._base = base
        self.variables = {
            **values,
            "cfg_file": str(base / Path(source).name),
            "cwd": str(_working_folder(base)),
        }
        """What ``$name`` stands for in the site's paths, in lower case."""

    def __getitem__(self, key: str) -> Path:
        expanded = expand(self._section, key, self.variables)
        if not expanded:
            raise self._section.wrong(key, "a path")
        return Path(os.path.normpath(self._base / expanded))

    def bound(self) -> list[str]:
        """Return the keys whose values depend on where the file is."""
        return [
            key
            for key in _EVERY_LAYOUT
            if re.search(r"\$\{?(cfg_file|cwd)\b", self._section.text(key), re.I)
        ]

    def program_directory(self) -> Path | None:
        """Return the folder of Mailman's programs, where the file says it."""
        if "$" in self._section.text("bin_dir"):
            return None
        return self["bin_dir"]


def _working_folder(base: Path) -> Path:
    # Mailman is started in the folder that holds var/etc/mailman.cfg, and takes
    # its own working folder for $cwd, which nobody else can know.
    if base.name == "etc" and base.parent.name == "var":
        return base.parent.parent
    return base


def _stock_runner(name: str, queue_root: Path) -> RunnerSettings:
    class_path, sleep_seconds, start, manages_queue = _STOCK[name]
    return RunnerSettings(
        name=name,
        class_path=f"mailman.runners.{class_path}" if class_path else None,
        queue_directory=queue_root / name if manages_queue else None,
        sleep_seconds=sleep_seconds,
        start=start,
        served=bool(class_path),
        foreign=True,
    )


def _site_runner(name: str, queue_root: Path) -> RunnerSettings:
    return RunnerSettings(
        name=name, class_path=None, queue_directory=queue_root / name, foreign=True
    )


def _overridden(
    section: Section, known: RunnerSettings, paths: _Paths
) -> RunnerSettings:
    folder = known.queue_directory
    if "path" in section:
        variables = {**paths.variables, "name": known.name}
        expanded = expand(section, "path", variables)
        folder = paths["queue_dir"] / expanded if expanded else None
    queue_root = paths["queue_dir"]
    # Mailman knows no weights: its slices are of one size.
    passed_over = {"path", "weights"}
    rest = {k: text for k, text in section.values.items() if k not in passed_over}
    changed = runner_settings(
        Section(section.source, section.name, rest), known, queue_root
    )
    return replace(changed, queue_directory=folder, served=known.served)


def _log_files(sections: Mapping[str, Section], log_dir: Path) -> tuple[Path, ...]:
    names = dict.fromkeys(_LOGS)
    for section in sections.values():
        if section.name.startswith("logging.") and section.text("path"):
            names[section.text("path")] = None
    return tuple(log_dir / name for name in names)


def _logs_of(
    sections: Mapping[str, Section], log_dir: Path, loggers: tuple[str, ...]
) -> tuple[Path, ...]:
    """Return where loggers of Mailman write; by default all but a few share one."""
    found: dict[Path, None] = {}
    for logger in loggers:
        section = sections.get(f"logging.{logger}")
        own = f"{logger}.log"
        name = own if own in _LOGS else "mailman.log"
        found[log_dir / ((section and section.text("path")) or name)] = None
    return tuple(found)
