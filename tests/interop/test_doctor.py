"""The doctor at a real site of GNU Mailman: it finds no more than there is."""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from qtool.control.control import Control
from qtool.installation import Configuration, load_settings
from tests.interop.test_mailman import PLAIN, inject, post, qtool

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.interop.site import Site

pytestmark = pytest.mark.interop


def found(site: Site) -> dict[str, int]:
    """What ``qtool doctor`` finds: how many of each kind."""
    done = subprocess.run(
        qtool(site, "doctor", "--json"),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 3), done.stderr
    findings = map(json.loads, done.stdout.splitlines())
    return {each["kind"]: each["count"] for each in findings}


def test_a_site_that_runs_is_healthy_and_one_that_stopped_is_told_of(
    make_site: Callable[[str], Site],
) -> None:
    site = make_site("")
    site.start()
    assert found(site) == {}
    site.stop()
    assert found(site) == {}
    inject(site, post("<a@example.com>", PLAIN, "us-ascii"))
    assert found(site) == {"unserved": 1}


def test_what_a_killed_runner_had_in_flight_is_put_back_and_processed(
    make_site: Callable[[str], Site],
) -> None:
    site = make_site("")
    base = inject(site, post("<b@example.com>", PLAIN, "us-ascii"))
    waiting = site.queue("in") / f"{base}.pck"
    waiting.rename(waiting.with_suffix(".bak"))
    clock = lambda: time.time() + 7200.0  # noqa: E731 - of a doctor two hours later
    settings = load_settings(site.configuration)
    control = Control(Configuration(settings, clock=clock), clock=clock)
    (finding,) = control.examine(("in",))
    assert (finding.kind, finding.names) == ("orphan-bak", (base,))
    preview = control.fix_preview("orphan-bak", "in")
    assert control.fix("orphan-bak", "in", preview.token).done == (base,)
    control.close()
    site.once("in:0:1")
    assert list(site.queue("in").iterdir()) == []
    assert len(site.waiting("pipeline")) == 1
