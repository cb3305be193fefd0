"""``python -m tests.bench``: everything measured in one run, printed as one table."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import (
    engine_figures,
    entry_figures,
    files,
    idle_figures,
    mending_figures,
    screen_figures,
    start_figures,
    store_figures,
)
from tests.bench.ground import Ground
from tests.bench.peer import environment, make_site
from tests.bench.place import NotADisk, file_system, machine
from tests.bench.report import Figure, table
from tests.bench.serving import Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BEGIN, _END = "<!-- figures -->", "<!-- end of figures -->"
"""Where a document has its table."""

MEASUREMENTS: dict[str, Callable[[Ground], Iterator[Figure]]] = {
    "enqueue": store_figures.enqueue,
    "dequeue": store_figures.dequeue,
    "listing": store_figures.listing,
    "entries": entry_figures.entries,
    "million-entries": entry_figures.million_entries,
    "mending": mending_figures.mending,
    "unshunt": mending_figures.unshunt,
    "drain": engine_figures.drain,
    "slices": engine_figures.slices,
    "latency": engine_figures.latency,
    "burst": engine_figures.burst,
    "imports": start_figures.imports,
    "dump": start_figures.dump,
    "first-board": screen_figures.first_board,
    "live": screen_figures.arrival_on_screen,
    "million": screen_figures.million,
    "idle": screen_figures.idle,
    "engine": idle_figures.engine,
}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer, smaller rounds")
    parser.add_argument(
        "--dir", type=Path, default=Path("/var/tmp"), help="a folder on a disk"
    )
    parser.add_argument(
        "--mailman", type=Path, metavar="DIR",
        help="an environment with GNU Mailman 3.3.10; made where none is given",
    )  # fmt: skip
    parser.add_argument(
        "--into", type=Path, metavar="FILE",
        help="put the table into this document, in place of its last one",
    )  # fmt: skip
    parser.add_argument("only", nargs="*", metavar="WHAT", help=", ".join(MEASUREMENTS))
    arguments = parser.parse_args()
    if unknown := set(arguments.only) - MEASUREMENTS.keys():
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    return arguments


@contextlib.contextmanager
def prepared(arguments: argparse.Namespace) -> Iterator[Ground]:
    """Both sides on one disk; all of it gone afterwards."""
    with contextlib.ExitStack() as stack:
        directory = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="qtool-bench-", dir=arguments.dir)
            )
        )
        os.environ["XDG_STATE_HOME"] = str(directory / "state")
        mailman = make_site(environment(arguments.mailman), directory / "mailman")
        theirs = stack.enter_context(contextlib.closing(mailman.side()))
        ours = stack.enter_context(
            contextlib.closing(Side(Path(sys.executable), "tests.bench.qtool_side"))
        )
        message = directory / "message.eml"
        message.write_bytes(files.message_bytes())
        in_parts, eight_bit = directory / "parts.eml", directory / "eight-bit.eml"
        in_parts.write_bytes(files.bytes_in_parts())
        eight_bit.write_bytes(files.eight_bit_bytes())
        yield Ground(
            directory=directory,
            quick=arguments.quick,
            programs=Path(sys.executable).parent,
            mailman=mailman,
            ours=ours,
            theirs=theirs,
            message=message,
            qfile=_sample(theirs, directory / "plain", message),
            in_parts=_sample(theirs, directory / "parts", in_parts),
            eight_bit=_sample(
                theirs, directory / "eight-bit", eight_bit, original_subject="Größe"
            ),
        )


def _sample(theirs: Side, folder: Path, message: Path, **msgdata: str) -> Path:
    """A qfile of that message, as Mailman's own enqueue writes it."""
    folder.mkdir()
    theirs.ask(
        "enqueue", directory=str(folder), message=str(message), count=1, **msgdata
    )
    return next(folder.iterdir())


def publish(document: Path, text: str) -> None:
    """Put the table in place of the last one."""
    before, begin, rest = document.read_text("utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    assert begin, f"{document} has no place for figures"
    assert end, f"{document}: the place for figures has no end"
    document.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", "utf-8")


def main() -> int:
    arguments = parse_arguments()
    try:
        place = file_system(arguments.dir)
    except NotADisk as error:
        print(error, file=sys.stderr)
        return 2
    # A bench that is stopped removes its million files all the same.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    figures: list[Figure] = []
    start = time.monotonic()
    rounds = "medians of interleaved rounds" + (" (quick)" if arguments.quick else "")
    where = f"{place}, {machine()}, {files.SIZE // 1024} KB messages, {rounds}"
    try:
        with prepared(arguments) as ground:
            for name in arguments.only or MEASUREMENTS:
                print(f"{time.monotonic() - start:5.0f} s  {name}", file=sys.stderr)
                figures.extend(MEASUREMENTS[name](ground))
    finally:  # what has been measured by then was dear
        print(f"{where}\n\n{table(figures)}")
    if arguments.into:
        publish(arguments.into, f"Measured on {where}:\n\n{table(figures)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
