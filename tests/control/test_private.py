"""An engine of a console's own, or a daemon, answers as one in this process does."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qtool.control.opening import open_apart, open_site, site_settings
from qtool.control.serving import wire
from qtool.control.serving.calls import CALLS
from qtool.control.serving.client import Attached
from qtool.control.serving.link import Link
from qtool.control.serving.private import Private
from qtool.control.serving.server import Server
from qtool.errors import QToolError
from qtool.installation import Configuration
from tests.control.site import CHECKOUT, HERE, MAIL, put

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qtool.control.control import Control

BOOM = MAIL.replace(b"hello", b"boom")
TAKING = f"class: {HERE}.Taking\nsleep_time: 1h\n"
SITE = (
    f"[qtool]\nroot: queues\n[paths]\npython: {CHECKOUT}\n"
    f"[runner.some]\n{TAKING}instances: 2\n[runner.more]\n{TAKING}"
    f"[runner.off]\n{TAKING}instances: 0\n[runner.none]\n"
    "[runner.wrong]\nclass: no.Such\n"
)
ENGINE = "qtool.commands.private"

LOOKS: list[tuple[Any, ...]] = [
    ("site",), ("scan",), ("finishing",),
    ("names", "some"), ("names", "unknown"), ("failures", "some"),
    ("failures", "some", "why:("), ("reasons", "some", ("gone",)),
    ("rerun_warnings", "some", "FIRST"), ("rerun_warnings", "some", "gone"),
    ("entries", "some"), ("entries", "some", 1), ("entries", "unknown"),
    ("entry", "some", "FIRST"), ("entry", "some", "gone"),
    ("content", "some", "FIRST"), ("content", "some", "FIRST", "qfile"),
    ("content", "some", "gone"), ("content", "some", "FIRST", "pdf"),
    ("find", "some", "", "", 2, 9.0), ("find", "some", "age>0s", "", 100, 9.0, True),
    ("find", "some", "from:anne -slice:1", "", 2, 9.0), ("find", "some", "size"),
    ("find", "some", "size<"), ("find", "unknown"),
    ("described", "some", ("FIRST",)), ("named", "some", "1"), ("named", "some", "x"),
    ("step_question", "some"), ("step_question", "none"), ("step_question", "unknown"),
    ("audit",), ("under_way",),
]  # fmt: skip
ACTS: list[tuple[Any, ...]] = [
    ("examine",), ("examine", ("some", "none")), ("examine", ("unknown",)),
    ("examine_entries", "some", "", 9.0), ("examine_entries", "unknown"),
    ("fix_preview", "orphan-bak", "some"), ("fix", "orphan-bak", "some", "wrong"),
    ("fix_preview", "unknown"),
    ("hold", "some", "FIRST"), ("release", "some", "FIRST"), ("hold", "some", "gone"),
    ("move", "some", "FIRST", "more"), ("undo",), ("requeue", "some", "gone"),
    ("discard", "some", "FIRST"), ("trash",), ("undo", 3, False, "why"), ("acts",),
    ("undo", 3), ("undo_question", 1), ("undo_question", 99), ("unshunt", "gone"),
    ("rehearse_undo",), ("rehearse_undo", 4), ("rehearse_undo", 99),
    ("restore", "gone"), ("edit", "some", "gone"),
    ("edit_refusal", "some", "FIRST"), ("edit_refusal", "some", "gone"),
    ("rehearse", "discard", "some", "all"), ("rehearse", "move", "some", "all"),
    ("rehearse_fix", "orphan-bak", "some"), ("rehearse_fix", "unknown"),
    ("preview", "discard", "some", "all"), ("confirm", "nonsense"), ("interrupt", 7),
    ("step", "some", "FIRST"), ("step", "some", "gone"), ("step", "some", None, 7),
    ("step", "more"), ("step", "more"), ("step", "unknown"), ("drain", ("more", "on")),
    ("drain", ("some:0:2",)),
    ("start", "more"), ("start", "more"), ("start", "off"), ("start", "wrong"),
    ("start", "none"), ("start", "unknown"), ("start", "some", 1), ("start", "some", 2),
    ("pause", "more", None, "why not"), ("resume", "more"), ("pause", "unknown"),
    ("pause", "some", 0, "", 4e9), ("resume", "some", 0), ("resume", "wrong"),
    ("snooze", "some", 7.5), ("snooze", "some", -1.0), ("snooze", "none", 1.0),
    ("inject", "none", MAIL, {"kept": {1, 2}, "raw": b"\xff", "n": None}),
    ("inject", "none", b"", {}), ("inject", "unknown", MAIL, {}),
    ("restart", "some"), ("restart", "more"), ("restart", "none"), ("restart", "wrong"),
    ("reload",), ("start_all",), ("stop", "more"), ("stop", "wrong"),
]  # fmt: skip

OWN = frozenset(
    {
        "attached", "at", "when", "seconds", "number", "pid", "thread", "cpu_seconds",
        "evidence", "token", "expires", "seen",
    }
)  # fmt: skip
"""Facts that no two processes share, or moments; evidence tells ages."""


@pytest.fixture
def places(tmp_path: Path) -> list[Path]:
    """The configuration files of two sites with the same messages."""
    files = [tmp_path / name / "qtool.cfg" for name in ("here", "there")]
    files[0].parent.mkdir()
    files[0].write_text(SITE)
    control = open_site(config_file=files[0])
    for data in (MAIL, MAIL, BOOM):
        put(control, "some", data, lang="en", tags={"b", "a"})
    put(control, "more", BOOM)
    control.close()
    shutil.copytree(files[0].parent, files[1].parent)
    return files


@contextmanager
def in_a_process(file: Path) -> Iterator[Control]:
    """The site of a console."""
    control = open_apart(site_settings(file, None), ENGINE)
    assert isinstance(control, Private)
    try:
        yield control
    finally:
        control.close()


@contextmanager
def in_a_daemon(file: Path) -> Iterator[Control]:
    """The site of who is attached to a daemon."""
    with ExitStack() as ends, tempfile.TemporaryDirectory(prefix="q-") as name:
        daemon = open_site(config_file=file)
        ends.callback(daemon.close)
        ends.callback(Server(daemon, Path(name) / "s").close)
        settings = daemon.configuration.settings
        link = Link(Path(name) / "s", settings.queue_root)
        attached = Attached(Configuration(settings), link, read_only=False)
        ends.callback(attached.close)
        yield attached


def answers(control: Control, file: Path) -> dict[str, object]:
    """What every call of a screen answers."""
    (first, *_) = control.entries("some")
    found = {}
    for number, (name, *arguments) in enumerate([*LOOKS, *ACTS]):
        given = [first.filebase if each == "FIRST" else each for each in arguments]
        try:
            answer = wire.dumped(getattr(control, name)(*given))
        except QToolError as error:
            answer = [type(error).__name__, str(error)]
        text = json.dumps(answer).replace(str(file.parent), "THERE")
        text = re.sub(r"\d+\.\d+\+[0-9a-f]{40}", "FILEBASE", text)
        text = text.replace("{'b', 'a'}", "{'a', 'b'}")  # a set has no order
        found[f"{number} {name} {arguments}"] = without_own(json.loads(text))
    return found


def without_own(answer: Any) -> Any:
    if isinstance(answer, dict):
        return {k: without_own(v) for k, v in answer.items() if k not in OWN}
    return [without_own(v) for v in answer] if isinstance(answer, list) else answer


@pytest.mark.long
@pytest.mark.parametrize("opened", [in_a_process, in_a_daemon])
def test_every_call_of_a_screen_is_answered_alike(
    places: list[Path], opened: Any
) -> None:
    here, there = places
    with opened(there) as control:
        far = answers(control, there)
    control = open_site(config_file=here)
    near = answers(control, here)
    control.close()
    assert far == near
    asked = {name for name, *_ in (*LOOKS, *ACTS)}
    assert {call.name for call in CALLS.values()} - asked == {
        "leaving", "log", "metrics", "samples",
    }  # fmt: skip
