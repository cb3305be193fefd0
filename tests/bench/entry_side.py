"""What finding entries takes, in a process of its own: memory counts, too."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.control.opening import open_site
from qtool.queues.state import make_state_folder
from tests.bench.serving import serve

if TYPE_CHECKING:
    from qtool.control.control import Control
    from qtool.control.models import Entry

_FIRST_SECONDS, _PAGE_SECONDS = 0.002, 0.05


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


def content(root: str, queue: str, where: str) -> tuple[float, float, int]:
    """Seconds to the first hit and to the end, and hits, of any filter."""
    control = _site(root)
    start = time.perf_counter()
    first, hits, after, complete = 0.0, 0, "", False
    while not complete:
        seconds = _PAGE_SECONDS if after else _FIRST_SECONDS
        page = control.find(queue, where, after, 1000, seconds)
        if page.entries and not hits:
            first = time.perf_counter() - start
        hits, after, complete = hits + len(page.entries), page.after, page.complete
    seconds = time.perf_counter() - start
    control.close()
    return first, seconds, hits


def by_size(root: str, queue: str) -> float:
    """Seconds to have all entries, and in the order of their sizes."""
    control = _site(root)
    start = time.perf_counter()
    held, after, complete = list["Entry"](), "", False
    while not complete:
        page = control.find(queue, "", after, 1000, _PAGE_SECONDS)
        held += page.entries
        after, complete = page.after, page.complete
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
    serve({each.__name__: each for each in (forget, names, content, by_size, peak)})
