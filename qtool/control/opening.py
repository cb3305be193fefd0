"""Opening a site: from a configuration file, a folder of queues, or the default."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from qtool.control.control import Control
from qtool.control.watching import LateWatcher
from qtool.errors import QToolError
from qtool.installation import Configuration, default_root, load_settings
from qtool.settings import Settings, SiteKind, default, from_root

if TYPE_CHECKING:
    from pathlib import Path

    from qtool.queues.watch import Watcher

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
    settings = _settings(config_file, root)
    if program_directory is not None:
        settings = replace(settings, program_directory=program_directory)
    control = opened(settings, read_only=read_only)
    if settings.kind is SiteKind.MAILMAN3 and not control.read_only_reason():
        _recover(control.configuration)
    return control


def opened(settings: Settings, *, read_only: bool = False) -> Control:
    """Return the Control of a site, its queues sharing one observer."""
    watcher = LateWatcher()
    # It is used as a Watcher, and importing the real one is what it puts off.
    configuration = Configuration(settings, watcher=cast("Watcher", watcher))
    return Control(configuration, read_only=read_only, watcher=watcher)


def _settings(config_file: Path | None, root: Path | None) -> Settings:
    if config_file is not None:
        return load_settings(config_file)
    return from_root(root) if root is not None else default(default_root())


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
