"""``qtool metrics``: the site for Prometheus, into a file or on standard output."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.commands.output import DONE, USAGE, put_json, tell
from qtool.commands.output import put as put_line
from qtool.commands.site import opened

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from qtool.commands.arguments import Parser
    from qtool.control.control import Control

_EXAMPLES = """\
examples:
  qtool metrics
  qtool metrics --textfile /var/lib/node_exporter/qtool.prom
  qtool metrics --json | jq 'select(.name == "qtool_queue_depth")'
"""

_MODE = 0o644
"""Who collects the file is seldom who writes it, and nothing in it is secret."""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("--textfile", metavar="PATH", type=Path,
                        help="replace this file; else standard output")  # fmt: skip
    parser.add_json("one JSON object a sample, one a line")


def run(options: Namespace) -> int:
    """Write the metrics; a file is replaced at once, and never half-written."""
    if options.json and options.textfile is not None:
        tell("--textfile is for Prometheus, which reads no JSON")
        return USAGE
    with opened(options) as control:
        if options.json:
            for sample in control.samples():
                put_json(sample)
            return DONE
        text = control.metrics()
    if options.textfile is None:
        put_line(text.removesuffix("\n"))
    else:
        _replace(options.textfile, text.encode())
    return DONE


def _replace(path: Path, data: bytes) -> None:
    # Collectors take every *.prom of the folder, and this is none yet.
    beside = path.parent / f".{path.name}.{os.getpid()}.tmp"
    try:
        _write(beside, data)
        beside.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        with suppress(OSError):
            beside.unlink()


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW)
    with open(descriptor, "wb") as stream:  # noqa: PTH123 - of a descriptor
        os.fchmod(descriptor, _MODE)
        stream.write(data)


@contextmanager
def scraped(control: Control) -> Iterator[None]:
    """Let a Prometheus fetch the metrics meanwhile, where the configuration says so.

    Raises:
        Refused: That cannot be listened on.
    """
    listen = control.configuration.settings.metrics_listen
    if listen is None:
        yield
        return
    from qtool.control.serving.scraping import Scraping  # HTTP costs 30 ms

    scraping = Scraping(control, *listen)
    try:
        yield
    finally:
        scraping.close()
