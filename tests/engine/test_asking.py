"""What is asked of another process, and what is told to who asks in vain."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from qtool.engine.asking import Asking
from qtool.engine.lines import Line
from qtool.errors import NoSuchEntry, RunnerGone, RunnerSilent

if TYPE_CHECKING:
    from collections.abc import Iterator


class Asked:
    """An ``Asking``, and the socket at which the other process would listen."""

    def __init__(self) -> None:
        ours, self.theirs = socket.socketpair()
        ours.settimeout(0.02)
        self.line = Line(ours)
        self.asking = Asking("in")
        self.asking.begin(self.line)


@pytest.fixture
def asked() -> Iterator[Asked]:
    asked = Asked()
    yield asked
    asked.line.close()
    asked.theirs.close()


def test_an_error_of_the_other_process_is_what_it_was(asked: Asked) -> None:
    answer = asked.asking.ask("step", filebase="1+a")
    said = json.loads(asked.theirs.recv(4096))
    error = {"type": "NoSuchEntry", "message": "no 1+a"}
    asked.asking.answered({"answer": said["ask"], "error": error})
    with pytest.raises(NoSuchEntry, match=r"^no 1\+a$"):
        answer.result(0)


def test_who_asks_a_process_that_has_ended_is_told_that(asked: Asked) -> None:
    before = asked.asking.ask("look")
    asked.theirs.close()
    with pytest.raises(RunnerGone, match="the process of in has ended"):
        asked.asking.ask("look")
    asked.asking.end()
    for answer in (before.result, lambda _: asked.asking.ask("look")):
        with pytest.raises(RunnerGone):
            answer(0)


def test_an_answer_that_does_not_come_in_time_is_no_error_of_the_other_process(
    asked: Asked,
) -> None:
    with pytest.raises(RunnerSilent, match="the process of in does not answer"):
        asked.asking.answer("stack", 0.01)


def test_a_process_that_does_not_read_is_told_no_half_line_and_then_another(
    asked: Asked,
) -> None:
    with pytest.raises(RunnerSilent, match="the process of in does not listen"):
        asked.asking.ask("use", settings="x" * 10_000_000)
    with pytest.raises(RunnerGone):
        asked.asking.ask("stop")
    came = b"".join(iter(lambda: asked.theirs.recv(1 << 20), b""))
    assert came.startswith(b'{"ask": 1, "do": "use", "settings": "xxx')
    assert b"\n" not in came
