"""Operators' acts beside a live GNU Mailman: each post arrives, and once."""

from __future__ import annotations

import contextlib
import itertools
import random
from typing import TYPE_CHECKING

import pytest

from qtool.errors import EntryExists, NoSuchEntry
from qtool.qfile import message_bytes_of, message_from_bytes
from qtool.queues import filebase
from qtool.queues.spool import Spool
from tests.interop.site import LIST_ID, MEMBERS, Site, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.qfile import QFile
    from tests.interop.sink import Sink

pytestmark = pytest.mark.interop

POSTS = 12
QUEUES = ("in", "pipeline", "out")


def _post(number: int) -> bytes:
    return (
        f"From: {MEMBERS[0]}\nTo: ant@example.com\nSubject: {number}\n"
        f"Message-ID: <{number}@acts.example.com>\nMIME-Version: 1.0\n"
        "Content-Type: text/plain; charset=iso-8859-1\n"
        "Content-Transfer-Encoding: 8bit\n\n"
        f"Käse {number}\n"
    ).encode("latin-1")


class _Operator:
    """Does one thing after the other with whatever waits at a site."""

    def __init__(self, site: Site) -> None:
        self._queues = [_spool(site, name) for name in QUEUES]
        self._state = site.queue("in").parent / ".qtool"
        self._numbers = itertools.count()
        self._chance = random.Random(7)
        self.done = 0
        self.lost = 0
        """How often Mailman was faster."""

    def act(self) -> None:
        """Act on some of what waits; Mailman must have its turns, too."""
        acts = (self._rename, self._edit, self._edit_and_undo, self._hold_and_release)
        for queue in self._queues:
            waiting = queue.files
            for name in self._chance.sample(waiting, len(waiting) // 2):
                act = self._chance.choice(acts)
                try:
                    act(queue, name, queue.peek(name))
                    self.done += 1
                except NoSuchEntry:
                    self.lost += 1

    def _aside(self) -> Spool:
        folder = self._state / "trash" / str(next(self._numbers))
        return Spool("aside", folder, state_directory=self._state)

    def _rename(self, queue: Spool, name: str, held: QFile) -> None:
        other = filebase.at(name, filebase.when_of(name) + 1 / 64)
        with contextlib.suppress(EntryExists):
            queue.transfer(name, queue, new_filebase=other, msgdata=held.msgdata)

    def _edit(self, queue: Spool, name: str, held: QFile) -> None:
        message = message_bytes_of(held.message)
        queue.rewrite(name, {**held.msgdata, "edited": True}, message=message)

    def _edit_and_undo(self, queue: Spool, name: str, held: QFile) -> None:
        trash = self._aside()
        queue.keep(name, trash)
        self._edit(queue, name, held)
        queue.swap(name, trash)

    def _hold_and_release(self, queue: Spool, name: str, held: QFile) -> None:
        there = self._aside()
        queue.transfer(name, there, msgdata={**held.msgdata, "held": True})
        there.transfer(name, queue)


def _spool(site: Site, name: str) -> Spool:
    return Spool(name, site.queue(name), text_form=True, create=False)


def test_whatever_is_done_to_what_waits_mailman_delivers_it_once(
    make_site: Callable[[str], Site], sink: Sink
) -> None:
    site = make_site("")
    site.start()
    queue, operator = _spool(site, "in"), _Operator(site)
    queue.enqueue_many(
        [
            (message_from_bytes(_post(n)), {"listid": LIST_ID, "original_size": 1})
            for n in range(POSTS)
        ]
    )

    def deliveries(number: int) -> list[set[str]]:
        received = sink.received(f"<{number}@acts.example.com>")
        assert all(f"Käse {number}".encode("latin-1") in r.data for r in received)
        return [set(one.recipients) for one in received]

    def all_arrived() -> bool:
        operator.act()
        return all(deliveries(n) for n in range(POSTS))

    wait_until(all_arrived, 120)
    site.stop()

    assert [deliveries(n) for n in range(POSTS)] == [[set(MEMBERS)]] * POSTS
    assert operator.done >= POSTS, (operator.done, operator.lost)
    for name in (*QUEUES, "shunt", "bad"):
        assert list(site.queue(name).iterdir()) == []
