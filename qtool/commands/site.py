"""The Control that a command acts through, opened as its options ask for."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from qtool.commands.becoming import become_owner
from qtool.commands.caller import caller
from qtool.commands.output import tell
from qtool.commands.search import (
    configuration_file,
    mailman_programs,
    socket_folders,
)

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator

    from qtool.control.acting import Actor
    from qtool.control.control import Control
    from qtool.settings import Settings

ENGINE = "qtool.commands.private"
"""The program that a console's own engine is."""


def _settings(options: Namespace, say: Callable[[str], None] = tell) -> Settings:
    """Return the site that the options, the environment or the usual places name.

    From here on root is the user whose site it is.
    """
    from qtool.control.opening import site_settings

    config = options.config
    if config is None and options.root is None:
        config = configuration_file(os.environ)
    programs = options.mailman_bin or mailman_programs(os.environ)
    settings = site_settings(config, options.root, programs)
    became = become_owner(settings, os.environ)
    if became:
        say(became)
    return settings


def open_control(options: Namespace) -> Control:
    """Open the site in this process."""
    from qtool.control.opening import open_settings

    before = os.getuid()
    settings = _settings(options)
    actor = caller(options, os.environ, before)
    return open_settings(settings, read_only=options.read_only, actor=actor)


@contextmanager
def opened(
    options: Namespace,
    say: Callable[[str], None] = tell,
    *,
    apart: bool = False,
    in_line: bool = True,
) -> Iterator[Control]:
    """Open the site, through its daemon where it has one, and close it at the end.

    Args:
        options: They name the site.
        say: Gets what is to be told about it, line by line.
        apart: Without a daemon, have an engine in a process of its own.
        in_line: Tell in a line that a daemon does not answer for a while; what has
            the screen shows that itself.
    """
    from qtool.control.serving.attaching import attach

    before = os.getuid()
    settings = _settings(options, say)
    actor = caller(options, os.environ, before)
    folders = socket_folders(os.environ)
    late = tell_late if in_line and not apart else None
    control = attach(settings, folders, read_only=options.read_only, late=late)
    put_right = []
    if control is None:
        control = _opened_here(options, settings, actor, apart=apart)
        put_right = control.log()  # after a crash
    try:
        for line in put_right:
            say(line.text)
        yield control
    finally:
        try:
            control.close()
        except KeyboardInterrupt:
            # Asked again: nothing waits for the messages in hand any more.
            control.close(unclaim=True)
            raise


def _opened_here(
    options: Namespace, settings: Settings, actor: Actor, *, apart: bool
) -> Control:
    from qtool.control.opening import open_apart, open_settings

    if not apart:
        return open_settings(settings, read_only=options.read_only, actor=actor)
    return open_apart(settings, ENGINE, read_only=options.read_only,
                      at_once=options.start, actor=actor)  # fmt: skip


def tell_late(who: str, pid: int) -> None:
    """Say in a line who is waited for."""
    tell(f"waiting: {who}, pid {pid}, has not answered yet (Ctrl-C ends the wait)")


def again(options: Namespace, rest: str) -> str:
    """Return the command line that does ``rest`` on the same site."""
    from shlex import quote

    words = ["qtool"]
    if options.config is not None:
        words += ["--config", quote(str(options.config))]
    if options.root is not None:
        words += ["--root", quote(str(options.root))]
    return " ".join([*words, *([rest] if rest else [])])
