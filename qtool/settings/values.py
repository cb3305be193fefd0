"""What a configuration says, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from qtool.settings.alert import AlertSettings
from qtool.settings.trash import TrashSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from qtool.settings.idle import IdleTest


class SiteKind(StrEnum):
    """Whose queues these are."""

    OWN = "own"
    MAILMAN3 = "mailman3"
    MAILMAN2 = "mailman2"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerSettings:
    """One ``[runner.NAME]`` section."""

    name: str
    class_path: str | None
    """Dotted name of the class; None shows the queue and runs nothing."""
    queue_directory: Path | None
    """The queue's folder; None for a runner that manages no queue."""
    instances: int = 1
    """Into how many slices the queue is divided; 0 starts none."""
    weights: tuple[float, ...] = ()
    """Sizes of the slices in proportion; none where all have one size."""
    sleep_seconds: float = 1.0
    max_restarts: int = 10
    hang_seconds: float = 300.0
    """After which a runner with one message in hand is taken for hung."""
    start: bool = True
    """Whether a master starts it by itself."""
    honours_due: bool = False
    """Whether an entry of its queue whose time lies ahead waits for that time."""
    priority: str = "normal"
    """``high``, ``normal`` or ``low``: its share of computing among the runners of
    one process."""
    idle_when: tuple[IdleTest, ...] = ()
    """What has to be so for it to take anything; empty where it always works."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Every other key of the section, for the runner's class."""
    served: bool = True
    """False for a queue that has no runner: ``shunt``, ``bad``, all of ``--root``."""
    foreign: bool = False
    """Whether it is one of Mailman's own runners for sure, by its class's name; only
    Mailman's program runs those."""

    @property
    def proportions(self) -> tuple[float, ...]:
        """A positive number for each slice, in proportion to its size."""
        return self.weights or (1,) * self.instances


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A whole configuration."""

    source: str
    """The file it was read from, or ``built-in default``, or ``--root DIR``."""
    kind: SiteKind
    queue_root: Path
    """The folder that holds the queues and qtool's ``.qtool`` folder."""
    runners: Mapping[str, RunnerSettings]
    """By name, in the order of the configuration."""
    python_paths: tuple[Path, ...] = ()
    """``[paths] python:``, where classes of runners are found."""
    view_slices: int = 16
    lists: tuple[str, ...] = ()
    """Posting addresses of the ``[list.ADDRESS]`` sections."""
    filters: Mapping[str, str] = field(default_factory=dict)
    """Texts of the ``[filter.NAME]`` sections by name."""
    allowed_classes: frozenset[str] = frozenset()
    """Further classes that a qfile may name, by full name."""
    group_commit: bool = True
    processes: bool = False
    """Whether each runner slice has a process of its own."""
    asked_processes: bool = False
    """Whether who started qtool asked for that, whatever the configuration says."""
    text_form: bool = False
    """Whether messages are written in the text form, as Mailman needs them."""
    stop_grace_seconds: float = 60.0
    """How long a daemon that is stopped waits for the messages in hand."""
    socket_group: str = ""
    """Name of the group whose members may attach to the daemon; empty for none."""
    metrics_listen: tuple[str, int] | None = None
    """Address and port where a daemon's metrics may be fetched; None for nowhere."""
    trash: TrashSettings = field(default_factory=TrashSettings)
    """What the trash may hold."""
    alert: AlertSettings = field(default_factory=AlertSettings)
    """What is run when the verdict on a queue changes."""
    audit_reads: bool = False
    """Whether it is recorded who looks at which message."""
    lock_file: Path | None = None
    """Mailman's master lock."""
    log_files: tuple[Path, ...] = ()
    """Mailman's logs, which a step's report quotes."""
    error_logs: tuple[Path, ...] = ()
    """Those among Mailman's logs that say why a message was shunted."""
    delivery_logs: tuple[Path, ...] = ()
    """Those among Mailman's logs that say what was delivered."""
    program_directory: Path | None = None
    """Where Mailman's own ``runner`` program is, if it is known."""

    @property
    def in_processes(self) -> bool:
        """Whether each runner slice has a process of its own."""
        return self.processes or self.asked_processes
