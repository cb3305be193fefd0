"""Acts of the facade beside a live GNU Mailman: what was told done is done, once."""

from __future__ import annotations

import itertools
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from qtool.control.opening import opened
from qtool.errors import NoSuchEntry
from qtool.installation import load_settings
from qtool.qfile import message_from_bytes
from tests.interop.site import LIST_ID, MEMBERS, Site, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from qtool.control.control import Control
    from qtool.control.models import ActionResult
    from tests.interop.sink import Sink

pytestmark = pytest.mark.interop

POSTS = 12
QUEUES = ("in", "pipeline", "out")
GONE = "gone@example.com"


def _id(number: int) -> str:
    return f"<{number}@mending.example.com>"


def _post(number: int, to: str = "ant@example.com") -> bytes:
    return (
        f"From: {MEMBERS[0]}\nTo: {to}\nSubject: {number}\n"
        f"Message-ID: {_id(number)}\nMIME-Version: 1.0\n"
        "Content-Type: text/plain; charset=us-ascii\n\n"
        f"Number {number}.\n"
    ).encode()


def _control(site: Site) -> Control:
    return opened(load_settings(site.configuration))


def _put(control: Control, list_id: str = LIST_ID, to: str = "ant@example.com") -> None:
    control.configuration.switchboards["in"].enqueue_many(
        [
            (message_from_bytes(_post(n, to)), {"listid": list_id, "original_size": 1})
            for n in range(POSTS)
        ]
    )


def _deliveries(sink: Sink) -> list[list[set[str]]]:
    """To whom each post went, each time."""
    return [
        [set(one.recipients) for one in sink.received(_id(n))] for n in range(POSTS)
    ]


ONCE = [[set(MEMBERS)]] * POSTS


class _Editor:
    """Gives whatever waits one header more, and notes what it was told."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._numbers = itertools.count()
        self.told: dict[str, list[str]] = {_id(n): [] for n in range(POSTS)}
        self.missed: list[str] = []

    def edit_all(self) -> None:
        """Edit what waits, queue by queue."""
        for queue in QUEUES:
            for name in self._control.configuration.switchboards[queue].files:
                try:
                    self._edit(queue, name)
                except NoSuchEntry as error:  # it was gone before it was looked at
                    self.missed.append(str(error))

    def _edit(self, queue: str, name: str) -> None:
        view = self._control.entry(queue, name)
        number = f"{next(self._numbers)}"
        headers = (*view.headers, ("X-Edit", number))
        result = self._control.edit(queue, name, None, headers, view.seen)
        if result.done:
            assert (result.skipped, result.failed) == ((), ())
            self.told[dict(view.headers)["Message-ID"]].append(number)
        else:
            (missed,) = (*result.skipped, *result.failed)
            self.missed.append(missed.reason)


def test_each_edit_that_was_told_done_is_delivered_and_each_post_once(
    make_site: Callable[[str], Site], sink: Sink
) -> None:
    site = make_site("")
    site.start()
    with closing(_control(site)) as control:
        editor = _Editor(control)
        _put(control)

        def all_arrived() -> bool:
            editor.edit_all()
            return all(_deliveries(sink))

        wait_until(all_arrived, 120)
        site.stop()
    assert _deliveries(sink) == ONCE
    for message_id, told in editor.told.items():
        (received,) = sink.received(message_id)
        head = received.data.partition(b"\r\n\r\n")[0].decode()
        found = [line[8:] for line in head.split("\r\n") if line.startswith("X-Edit: ")]
        assert found == told
    assert sum(map(len, editor.told.values())) >= POSTS, editor.missed
    for name in (*QUEUES, "shunt", "bad"):
        assert list(site.queue(name).iterdir()) == []


def _confirmed(control: Control, verb: str, queue: str) -> ActionResult | None:
    preview = control.preview(verb, queue, "all")
    return control.confirm(preview.token) if preview.count else None


def test_what_is_held_or_discarded_beside_its_runner_is_delivered_when_it_is_back(
    make_site: Callable[[str], Site], sink: Sink
) -> None:
    site = make_site("")
    site.start()
    with closing(_control(site)) as control:
        _put(control)
        acts: list[ActionResult] = []

        def some_are_caught() -> bool:
            for verb, queue in itertools.product(("hold", "discard"), QUEUES):
                result = _confirmed(control, verb, queue)
                if result is not None:
                    acts.append(result)
                    assert result.failed == ()
            caught = sum(len(result.done) for result in acts)
            return caught + sum(map(bool, _deliveries(sink))) >= POSTS

        wait_until(some_are_caught, 120)
        assert any(result.done for result in acts)
        for result in acts:
            if result.done:
                assert control.undo(result.number).done == result.done
        wait_until(lambda: all(_deliveries(sink)), 120)
        site.stop()
        assert control.trash() == []
    assert _deliveries(sink) == ONCE
    for name in (*QUEUES, "shunt", "bad"):
        assert list(site.queue(name).iterdir()) == []


def test_what_mailman_shunted_goes_through_once_its_reason_is_gone(
    make_site: Callable[[str], Site], sink: Sink
) -> None:
    site = make_site("")
    site.start()
    with closing(_control(site)) as control:
        _put(control, list_id="gone.example.com", to=GONE)
        wait_until(lambda: len(site.waiting("shunt")) == POSTS, 60)
        site.mailman("create", "--quiet", GONE)
        members = "".join(f"{member}\n" for member in MEMBERS)
        site.mailman("addmembers", "-W", "-", GONE, given=members)
        # Where a list is missing Mailman does not note the queue.
        for name in site.waiting("shunt")[::2]:
            msgdata = {**control.entry("shunt", name).msgdata, "whichq": "in"}
            assert control.edit("shunt", name, msgdata).done == (name,)
        half = POSTS // 2
        first = control.confirm(control.preview("unshunt", "shunt", "all").token)
        assert (len(first.done), first.skipped, len(first.failed)) == (half, (), half)
        assert "name one" in first.failed[0].reason
        rest = control.preview("unshunt", "shunt", "all", to="in").token
        last = control.confirm(rest)
        assert (len(last.done), last.skipped, last.failed) == (half, (), ())
        wait_until(lambda: all(_deliveries(sink)), 120)
        site.stop()
        undone = control.undo()
        assert undone.done == ()
        assert {each.filebase for each in undone.skipped} == set(last.done)
        assert "cannot come back" in undone.skipped[0].reason
    assert _deliveries(sink) == ONCE
    assert not site.waiting("shunt")
