"""What finding entries takes, in a process of its own: memory counts, too."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.control.opening import open_site
from qtool.control.paging import pages
from qtool.queues.state import make_state_folder
from tests.bench.serving import serve

if TYPE_CHECKING:
    from qtool.control.control import Control


def _site(root: str) -> Control:
    return open_site(root=Path(root))


def forget(root: str) -> None:
    """Have nothing in the cache, and the folder that it is kept in."""
    state = Path(root) / ".qtool"
    shutil.rmtree(state, ignore_errors=True)
    make_state_folder(str(state))


def names(root: str, queue: str, where: str) -> tuple[float, int]:
    """Seconds and hits of a filter that names answer."""
    control = _site(root)
    start = time.perf_counter()
    hits, after, complete = 0, "", False
    while not complete:
        page = control.find(queue, where, after, 10_000, 1.0, names_only=True)
        hits, after, complete = hits + len(page.entries), page.after, page.complete
    seconds = time.perf_counter() - start
    control.close()
    return seconds, hits


def first(root: str, queue: str, where: str) -> float:
    """Seconds to the first hit of any filter."""
    control = _site(root)
    start = time.perf_counter()
    next(page for page in pages(control, queue, where) if page.entries)
    seconds = time.perf_counter() - start
    control.close()
    return seconds


def content(root: str, queue: str, where: str) -> tuple[float, int]:
    """Seconds and hits of any filter."""
    control = _site(root)
    start = time.perf_counter()
    hits = sum(len(page.entries) for page in pages(control, queue, where))
    seconds = time.perf_counter() - start
    control.close()
    return seconds, hits


def by_size(root: str, queue: str) -> float:
    """Seconds to have all entries, and in the order of their sizes."""
    control = _site(root)
    start = time.perf_counter()
    held = [entry for page in pages(control, queue, "") for entry in page.entries]
    held.sort(key=lambda entry: entry.size or 0)
    seconds = time.perf_counter() - start
    control.close()
    return seconds


def peak() -> float:
    """The most memory that this process has had, in MB."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    found = dict(line.split(":", 1) for line in lines)
    return int(found["VmHWM"].split()[0]) / 1024


if __name__ == "__main__":
    serve(
        {each.__name__: each for each in (forget, names, first, content, by_size, peak)}
    )
