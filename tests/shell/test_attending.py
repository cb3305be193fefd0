"""Ctrl-C at the prompt while an act over many entries is done."""

from __future__ import annotations

import threading
from signal import SIGINT, pthread_kill
from typing import TYPE_CHECKING, Any

import pytest

from tests.control.site import PATIENCE, eventually, put
from tests.control.test_ongoing import Gate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtool.control import Control
    from qtool.control.models import AuditRecord


def test_ctrl_c_tells_what_was_done_and_ends_what_the_prompt_does(
    control: Control, names: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    bases = [put(control, "in") for _ in range(3)]
    preview = names["queues"]["in"].all().move("out")
    gate = control.clock = Gate(control, 2)
    main = threading.get_ident()

    def interrupts() -> Sequence[AuditRecord]:
        return control.audit(act="interrupt").records

    def interrupt() -> None:
        assert gate.reached.wait(PATIENCE)
        pthread_kill(main, SIGINT)
        # It is on record before it is done, too.
        eventually(lambda: [one.result for one in interrupts()] == ["done"])
        gate.free.set()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        preview.confirm()
    thread.join()
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        "moved 1 of in to out: act 1 (undo(1))",
        f"left: 2 not tried after: it was interrupted; the first is {bases[1]}",
    ]
    assert told.err == ""  # no terminal, no bar
    assert names["undo"]().done == (bases[0],)
