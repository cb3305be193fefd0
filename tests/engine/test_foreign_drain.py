"""A drain of Mailman's queues that has to end early, or goes round for ever."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from qtool import qfile
from qtool.engine.foreign import MailmanRunners
from qtool.engine.foreign_drain import MailmanDrain
from qtool.engine.status import Counts
from tests.engine.conftest import ended, in_thread
from tests.engine.mailman_double import MailmanDouble

if TYPE_CHECKING:
    from pathlib import Path

    from qtool.installation import Configuration


@pytest.fixture
def mailman(tmp_path: Path) -> MailmanDouble:
    return MailmanDouble(tmp_path)


def put(site: Configuration, queue: str) -> None:
    message = qfile.message_from_bytes(b"Message-ID: <one@example.com>\n\nHello.\n")
    site.switchboards[queue].enqueue(message, listid="ant.example.com")


def test_closing_ends_it_after_the_file_in_hand(mailman: MailmanDouble) -> None:
    site = mailman.configuration()
    mailman.plan("wait")
    for _ in range(2):
        put(site, "in")
    closing = threading.Event()
    drain = MailmanDrain(site, MailmanRunners(site), closing.is_set)
    found: list[Any] = []
    draining = in_thread(lambda: found.append(drain.drain(())))
    mailman.wait_until_started()
    closing.set()
    mailman.open_gate()
    ended(draining)
    assert found[0].counts == Counts(done=1)
    assert (found[0].left, found[0].failures) == (2, ())  # one of them in pipeline


@pytest.mark.long
def test_what_goes_round_between_queues_ends_it(mailman: MailmanDouble) -> None:
    site = mailman.configuration()
    mailman.plan("round")
    put(site, "out")
    drain = MailmanDrain(site, MailmanRunners(site), lambda: False)
    drained = drain.drain(())
    assert "in a circle?" in drained.note
    assert drained.left == 1
