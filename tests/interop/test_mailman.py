"""Beside the real GNU Mailman: its mail is stepped, delivered whole, and never lost."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from qtool import qfile
from qtool.engine.foreign import MailmanRunners
from qtool.engine.step import Outcome
from qtool.installation import Configuration, load_settings
from qtool.queues.filebase import digest_of
from tests.interop.site import LIST, LIST_ID, MEMBERS, Site, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.interop.sink import Sink

pytestmark = pytest.mark.interop

LATIN_1 = "Öl für den Käse, naïveté, señor, æøå\r\n".encode("latin-1")
PLAIN = b"Nothing special here.\r\n.\r\n..dots\r\n\r\nand an empty line\r\n"

SLICED = "[runner.in]\ninstances: 4\n"
SLEEPING = "[runner.in]\nsleep_time: 1h\n"


def post(message_id: str, body: bytes, charset: str) -> bytes:
    headers = (
        f"From: Anne Person <{MEMBERS[0]}>\r\nTo: {LIST}\r\nSubject: {message_id}\r\n"
        f"Message-ID: {message_id}\r\nMIME-Version: 1.0\r\n"
        f"Content-Type: text/plain; charset={charset}\r\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\n"
    )
    return headers.encode() + body


def opened(site: Site) -> Configuration:
    settings = load_settings(site.configuration)
    return Configuration(replace(settings, program_directory=site.programs))


def inject(site: Site, text: bytes) -> str:
    queue = opened(site).switchboards["in"]
    return queue.enqueue(qfile.message_from_bytes(text), listid=LIST_ID)


def step(site: Site, queue: str, base: str) -> str:
    """Step one file; return the filebase of its message in the next queue."""
    report = MailmanRunners(opened(site)).step(queue, queue, base)
    assert report.outcome is Outcome.DONE, report
    assert report.before is not None
    assert report.before["listid"] == LIST_ID
    assert any(f"{queue} runner started" in line.text for line in report.log)
    following = {"in": "pipeline", "pipeline": "out"}.get(queue)
    found = {place.queue: place.filebase for place in report.enqueued}
    return found[following] if following else ""


def once(site: Site, queue: str, instances: int = 1) -> None:
    """Let Mailman's own runner take the one file in a queue."""
    (base,) = site.waiting(queue)
    number = int(digest_of(base), 16) * instances >> 160
    site.once(f"{queue}:{number}:{instances}")


@pytest.mark.parametrize("more", ["", SLICED], ids=["whole", "sliced"])
def test_posts_go_through_whole_whoever_takes_them(
    make_site: Callable[[str], Site], sink: Sink, more: str
) -> None:
    """One post is stepped by qtool, the other taken by Mailman's own ``runner -o``."""
    site = make_site(more)
    eight_bit = post("<eight@example.com>", LATIN_1, "iso-8859-1")
    plain = post("<plain@example.com>", PLAIN, "us-ascii")
    by_qtool, by_mailman = (plain, eight_bit) if more else (eight_bit, plain)

    base = inject(site, by_qtool)
    for queue in ("in", "pipeline", "out"):
        base = step(site, queue, base)
    inject(site, by_mailman)
    once(site, "in", instances=4 if more else 1)
    once(site, "pipeline")
    once(site, "out")

    for message_id, body in (("eight", LATIN_1), ("plain", PLAIN)):
        (delivered,) = sink.received(f"<{message_id}@example.com>")
        assert set(delivered.recipients) == set(MEMBERS)
        assert delivered.body == body
    assert site.waiting("shunt") == site.waiting("out") == []


def test_only_the_chosen_one_of_several_is_stepped(
    make_site: Callable[[str], Site],
) -> None:
    site = make_site(SLICED)
    bases = [inject(site, post(f"<{n}@e.com>", PLAIN, "us-ascii")) for n in range(3)]
    step(site, "in", bases[1])
    assert site.waiting("in") == sorted([bases[0], bases[2]])
    assert len(site.waiting("pipeline")) == 1


def test_a_post_to_a_list_that_is_not_there_is_shunted(
    make_site: Callable[[str], Site],
) -> None:
    site = make_site("")
    message = qfile.message_from_bytes(post("<no@example.com>", PLAIN, "us-ascii"))
    opened(site).switchboards["in"].enqueue(message, listid="no.example.com")
    report = MailmanRunners(opened(site)).step("in", "in")
    assert report.outcome is Outcome.SHUNTED
    assert [place.queue for place in report.enqueued] == ["shunt"]


def test_the_queues_of_mailman_are_where_qtool_looks(
    make_site: Callable[[str], Site],
) -> None:
    site = make_site("")
    site.mailman("info")
    ours = {
        runner.queue_directory: runner.name
        for runner in opened(site).settings.runners.values()
        if runner.queue_directory
    }
    assert {path: path.name for path in (site.var / "queue").iterdir()} == ours
    listed = site._run("runner", "-C", str(site.configuration), "-l")
    names = {line.split()[0] for line in listed.splitlines() if " runs " in line}
    assert names == set(opened(site).settings.runners)


# --- kill -9


DRIVER = """
import dataclasses, sys
from pathlib import Path
from qtool.engine.foreign import MailmanRunners
from qtool.installation import Configuration, load_settings
settings = load_settings(Path(sys.argv[1]))
settings = dataclasses.replace(settings, program_directory=Path(sys.argv[3]))
runners = MailmanRunners(Configuration(settings))
print(runners.step("in", "in", sys.argv[2]).outcome, flush=True)
sys.stdin.read()
"""

MOMENTS = {
    "before": "queue/.qtool/step-*/note.json",
    "just-moved": "queue/.qtool/step-*/queue/*.pck",
    "during": "queue/.qtool/step-*/queue/*.bak",
    "after": "queue/pipeline/*.pck",
}
"""When qtool is killed: as soon as there is a file like this."""


@contextlib.contextmanager
def stepping(site: Site, base: str) -> Iterator[subprocess.Popen[bytes]]:
    """A qtool that steps one file, and then waits to be killed."""
    paths = [str(site.configuration), base, str(site.programs)]
    command = [sys.executable, "-c", DRIVER, *paths]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("running", [False, True], ids=["stopped", "running"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_qtool_loses_nothing(
    make_site: Callable[[str], Site], sink: Sink, moment: str, running: bool
) -> None:
    site = make_site(SLEEPING)
    if running:
        start_and_fall_asleep(site, sink)
    base = inject(site, post("<one@example.com>", LATIN_1, "iso-8859-1"))
    with stepping(site, base) as qtool:
        end = time.monotonic() + 60
        while not any(site.var.glob(MOMENTS[moment])):
            assert qtool.poll() is None
            assert time.monotonic() < end
    recover(site)
    if not running:
        assert site.waiting("in") == [base] or site.waiting("pipeline")
    site.stop()
    site.start()
    (delivered,) = sink.wait_for("<one@example.com>", 60)
    assert delivered.body == LATIN_1
    site.stop()
    assert sink.received("<one@example.com>") == [delivered]
    assert site.waiting("in") == site.waiting("shunt") == site.waiting("bad") == []


def recover(site: Site) -> None:
    """Start qtool again, until nobody works on the file any more."""

    def over() -> bool:
        MailmanRunners(opened(site)).recover()
        return not any((site.var / "queue" / ".qtool").glob("step-*"))

    wait_until(over, 60)


def start_and_fall_asleep(site: Site, sink: Sink) -> None:
    """Start Mailman, and wait until its incoming runner sleeps, for an hour."""
    inject(site, post("<first@example.com>", PLAIN, "us-ascii"))
    site.start()
    assert sink.wait_for("<first@example.com>", 60)
