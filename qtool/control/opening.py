"""Opening a site: from a configuration file, a folder of queues, or the default."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from qtool.control.acting import this_process
from qtool.control.checked import checked_settings
from qtool.control.control import Control
from qtool.control.models import State
from qtool.control.rates import (
    TREND_SAMPLES,
    TREND_STEP_SECONDS,
    WINDOW_SECONDS,
    Meter,
)
from qtool.control.serving.attaching import BUILT_IN
from qtool.control.watching import LateWatcher
from qtool.errors import QToolError
from qtool.installation import Configuration, default_root
from qtool.settings import Settings, SiteKind, default, from_root

if TYPE_CHECKING:
    from pathlib import Path

    from qtool.control.acting import Actor
    from qtool.queues.watch import Watcher

_PATIENCE_SECONDS, _POLL_SECONDS = 10.0, 0.01

log = logging.getLogger("qtool.control")


def open_site(
    *,
    config_file: Path | None = None,
    root: Path | None = None,
    read_only: bool = False,
    program_directory: Path | None = None,
) -> Control:
    """Open the site that an operator means; nothing is processed by that.

    Args:
        config_file: Its configuration.
        root: A folder whose sub-folders are queues, without any. With neither, it
            is the built-in default in the user's state folder.
        read_only: Refuse every act.
        program_directory: Where Mailman's own programs are, where it is known.

    Raises:
        SettingsError: The configuration is wrong.
    """
    settings = site_settings(config_file, root, program_directory)
    return open_settings(settings, read_only=read_only)


def site_settings(
    config_file: Path | None, root: Path | None, program_directory: Path | None = None
) -> Settings:
    """Return the settings of the site that an operator means; see ``open_site``."""
    if config_file is not None:
        settings = checked_settings(config_file)
    else:
        settings = from_root(root) if root is not None else default(default_root())
    if program_directory is not None:
        settings = replace(settings, program_directory=program_directory)
    return settings


def open_settings(
    settings: Settings, *, read_only: bool = False, actor: Actor | None = None
) -> Control:
    """Open a site, and put right what a killed step left there."""
    control = opened(settings, read_only=read_only, actor=actor)
    if settings.kind is SiteKind.MAILMAN3 and not control.read_only_reason():
        _recover(control.configuration)
    return control


def open_apart(
    settings: Settings,
    module: str,
    *,
    read_only: bool = False,
    at_once: bool = False,
    actor: Actor | None = None,
) -> Control:
    """Open a site for a window, its engine in a process that ends with this one.

    Where nothing may be changed, or no runner can be, there is none such.

    Args:
        settings: The site.
        module: Dotted name of the program that is such an engine.
        read_only: Refuse every act.
        at_once: Have the engine come up before it is asked for anything.
        actor: Who acts here; None for the user of this process.

    Raises:
        Refused: No process can be started.
    """
    configuration = Configuration(settings)
    if read_only or not _runs_there(settings) or configuration.writable_reason():
        return open_settings(settings, read_only=read_only, actor=actor)
    from qtool.control.logring import LogRing
    from qtool.control.serving.private import Private
    from qtool.engine.spawned import Spawned

    ring = LogRing()
    ring.open()
    if settings.kind is SiteKind.MAILMAN3:
        _recover(configuration)
    programs = settings.program_directory or ""
    source = "" if settings.source == BUILT_IN else settings.source
    arguments = (str(programs), source, (actor or this_process()).dumped())
    control = Private(configuration, ring, lambda: Spawned(module, arguments), actor)
    if at_once:
        control.wake()
    return control


def _runs_there(settings: Settings) -> bool:
    """Return whether a site has runners, or may get some."""
    is_folder = settings.source.startswith("--root ")
    return settings.kind is not SiteKind.MAILMAN2 and not is_folder


def opened(
    settings: Settings, *, read_only: bool = False, actor: Actor | None = None
) -> Control:
    """Return the Control of a site, its queues sharing one observer."""
    watcher = LateWatcher()
    # It is used as a Watcher, and importing the real one is what it puts off.
    configuration = Configuration(settings, watcher=cast("Watcher", watcher))
    return Control(configuration, read_only=read_only, actor=actor, watcher=watcher)


def _recover(configuration: Configuration) -> None:
    """Put back what a step of ours left when it was killed, and say so."""
    from qtool.engine.foreign import MailmanRunners

    try:
        for line in MailmanRunners(configuration).recover():
            log.warning("%s", line)
    except (QToolError, OSError) as error:
        log.warning("files of cut steps could not be put back: %s", error)


def open_demo(seed: int = 1) -> Control:
    """Open a throw-away site with traffic of its own, and start its runners.

    Closing it removes its spool.

    Args:
        seed: The same one gives the same mail to begin with.
    """
    from qtool.demo import folders, site

    spool = folders.make_spool()
    try:
        site.fill(spool, seed)
        control = opened(site.demo_settings(spool))
    except BaseException:
        folders.remove(spool)
        raise
    control.on_close(lambda: folders.remove(spool))
    control.start_all()
    return control


def open_fixed(directory: Path, slices: int | None = None) -> Control:
    """Open a site that looks the same every time, as if it ran and had a past.

    Its clock stands, and its runners take nothing. For pictures and snapshots.

    Args:
        directory: An empty folder, for the queues.
        slices: Into how many every queue is divided; None is a usual mixture.
    """
    from qtool.demo import fixed

    past = {}
    for queue in fixed.QUEUES:
        meter = past[queue.name] = Meter(-TREND_SAMPLES * TREND_STEP_SECONDS)
        for number, depth in enumerate(fixed.depths_before(queue)):
            meter.trend.sample((number - TREND_SAMPLES) * TREND_STEP_SECONDS, depth)
        meter.arrivals.add(-1.0, round(queue.rate[0] * WINDOW_SECONDS))
        meter.departures.add(-1.0, round(queue.rate[1] * WINDOW_SECONDS))
    configuration = Configuration(
        fixed.fixed_site(directory, slices), clock=lambda: fixed.NOW
    )
    control = Control(
        configuration, clock=lambda: fixed.NOW, ticks=lambda: -0.5, past=past
    )
    control.start_all()
    broken = next(q.name for q in fixed.QUEUES if q.klass.endswith("Broken"))
    _wait_for_failure(control, broken)
    return control


def _wait_for_failure(control: Control, runner: str) -> None:
    """Wait until a runner that fails at its start has done so."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        row = control.scan().row(runner)
        if row is None or all(cell.state is State.FAILED for cell in row.cells):
            return
        time.sleep(_POLL_SECONDS)
