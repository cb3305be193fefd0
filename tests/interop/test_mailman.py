"""Beside the real GNU Mailman: its mail is stepped, delivered whole, and never lost."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from qtool.installation import load_settings
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


def qtool(site: Site, command: str, *arguments: str) -> list[str]:
    """The command line of a qtool at that site."""
    options = ["--config", str(site.configuration), "--mailman-bin", str(site.programs)]
    return [sys.executable, "-m", "qtool", command, *options, *arguments]


def printed(site: Site, command: str, *arguments: str, given: bytes = b"") -> str:
    """What a qtool prints."""
    done = subprocess.run(
        qtool(site, command, *arguments),
        input=given, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def inject(site: Site, text: bytes, listid: str = LIST_ID) -> str:
    """Inject a post as an operator does; return its filebase."""
    said = printed(site, "inject", "in", "--listid", listid, given=text)
    return said.partition("filebase: ")[2].splitlines()[0].strip()


def step(site: Site, queue: str, base: str) -> dict[str, Any]:
    """Step one file, as typed at qtool's prompt; return what the report says."""
    code = (
        f"r = step({queue!r}, {base!r}, yes=True); import json; print(json.dumps({{"
        "'outcome': r.outcome, 'listid': r.before['listid'], 'note': r.note,"
        "'enqueued': {e.queue: e.filebase for e in r.enqueued},"
        "'log': [line.text for line in r.log]}))"
    )
    last_line = printed(site, "shell", "-c", code).splitlines()[-1]
    report: dict[str, Any] = json.loads(last_line)
    return report


def test_one_command_takes_a_post_all_the_way(
    make_site: Callable[[str], Site], sink: Sink
) -> None:
    site = make_site(SLICED)
    inject(site, post("<once@example.com>", PLAIN, "us-ascii"))
    said = printed(site, "run", "--once")
    assert said.endswith("kept 0, shunted 0, preserved 0, left 0\n")
    (delivered,) = sink.received("<once@example.com>")
    assert set(delivered.recipients) == set(MEMBERS)
    assert site.waiting("in") == site.waiting("pipeline") == site.waiting("out") == []


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
    for queue, following in (("in", "pipeline"), ("pipeline", "out"), ("out", None)):
        report = step(site, queue, base)
        assert (report["outcome"], report["listid"]) == ("done", LIST_ID)
        assert f"{queue} runner started." in report["log"]
        base = report["enqueued"][following] if following else ""
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
    assert step(site, "in", bases[1])["outcome"] == "done"
    assert site.waiting("in") == sorted([bases[0], bases[2]])
    assert len(site.waiting("pipeline")) == 1


def test_a_post_to_a_list_that_is_not_there_is_shunted(
    make_site: Callable[[str], Site],
) -> None:
    site = make_site("")
    text = post("<no@example.com>", PLAIN, "us-ascii")
    base = inject(site, text, listid="no.example.com")
    report = step(site, "in", base)
    assert report["outcome"] == "shunted"
    assert [report["enqueued"]["shunt"]] == site.waiting("shunt")


def test_what_mailman_wrote_is_shown(make_site: Callable[[str], Site]) -> None:
    site = make_site("")
    inject(site, post("<one@example.com>", LATIN_1, "iso-8859-1"))
    once(site, "in")
    (base,) = site.waiting("pipeline")
    shown = printed(site, "dump", "-m", str(site.queue("pipeline") / f"{base}.pck"))
    assert "Message-ID: <one@example.com>" in shown
    assert re.search(rf"^listid +: {LIST_ID}$", shown, re.MULTILINE)
    assert re.search(r"^rule_misses +: \[", shown, re.MULTILINE)
    queues = json.loads(printed(site, "status", "--json"))["rows"]
    assert {row["name"]: row["depth"] for row in queues if row["depth"]} == {
        "pipeline": 1
    }


def test_the_queues_of_mailman_are_where_qtool_looks(
    make_site: Callable[[str], Site],
) -> None:
    site = make_site("")
    site.mailman("info")
    settings = load_settings(site.configuration)
    ours = {
        runner.queue_directory: runner.name
        for runner in settings.runners.values()
        if runner.queue_directory
    }
    assert {path: path.name for path in (site.var / "queue").iterdir()} == ours
    listed = site._run("runner", "-C", str(site.configuration), "-l")
    names = {line.split()[0] for line in listed.splitlines() if " runs " in line}
    assert names == set(settings.runners)


# --- kill -9


MOMENTS = {
    "before": "queue/.qtool/step-*/note.json",
    "just-moved": "queue/.qtool/step-*/queue/*.pck",
    "during": "queue/.qtool/step-*/queue/*.bak",
    "after": "outcome",
}
"""When qtool is killed: as soon as there is a file like this."""


@contextlib.contextmanager
def stepping(site: Site, base: str) -> Iterator[subprocess.Popen[bytes]]:
    """A qtool that steps one file, says so, and then waits to be killed."""
    code = (
        f"from pathlib import Path; report = step('in', {base!r}, yes=True);"
        f"Path({str(site.var / 'outcome')!r}).write_text(report.outcome);"
        "import time; time.sleep(600)"
    )
    command = qtool(site, "shell", "-c", code)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("moment", "running"),
    [*((moment, False) for moment in MOMENTS),
     ("before", True), ("during", True), ("after", True)],
)  # fmt: skip
def test_a_killed_qtool_loses_nothing(
    make_site: Callable[[str], Site], sink: Sink, moment: str, running: bool
) -> None:
    site = make_site(SLEEPING)
    if running:
        start_and_fall_asleep(site, sink)
    base = inject(site, post("<one@example.com>", LATIN_1, "iso-8859-1"))
    with stepping(site, base) as victim:
        end = time.monotonic() + 60
        while not any(site.var.glob(MOMENTS[moment])):
            assert victim.poll() is None
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
        printed(site, "status")
        return not any((site.var / "queue" / ".qtool").glob("step-*"))

    wait_until(over, 60)


def start_and_fall_asleep(site: Site, sink: Sink) -> None:
    """Start Mailman, and wait until its incoming runner sleeps, for an hour."""
    inject(site, post("<first@example.com>", PLAIN, "us-ascii"))
    site.start()
    assert sink.wait_for("<first@example.com>", 60)
