"""The Control that a command acts through, opened as its options ask for."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from qtool.commands.output import tell
from qtool.commands.search import configuration_file, mailman_programs

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from qtool.control.control import Control


def open_control(options: Namespace) -> Control:
    """Open the site that the options, the environment or the usual places name."""
    from qtool.control import open_site

    config = options.config
    if config is None and options.root is None:
        config = configuration_file(os.environ)
    return open_site(
        config_file=config,
        root=options.root,
        read_only=options.read_only,
        program_directory=options.mailman_bin or mailman_programs(os.environ),
    )


@contextmanager
def opened(options: Namespace) -> Iterator[Control]:
    """Open the site, and close it at the end."""
    control = open_control(options)
    try:
        for line in control.log():  # what opening put right, after a crash
            tell(line.text)
        yield control
    finally:
        try:
            control.close()
        except KeyboardInterrupt:
            # Asked again: nothing waits for the messages in hand any more.
            control.close(unclaim=True)
            raise


def again(options: Namespace, rest: str) -> str:
    """Return the command line that does ``rest`` on the same site."""
    from shlex import quote

    words = ["qtool"]
    if options.config is not None:
        words += ["--config", quote(str(options.config))]
    if options.root is not None:
        words += ["--root", quote(str(options.root))]
    return " ".join([*words, *([rest] if rest else [])])
