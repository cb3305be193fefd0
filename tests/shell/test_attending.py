"""Ctrl-C at the prompt while an act over many entries is done."""

from __future__ import annotations

import threading
from signal import SIGINT, pthread_kill
from typing import TYPE_CHECKING, Any

import pytest

from qtool.control.doctor.fixes import fix_of
from tests.control.site import PATIENCE, eventually, put
from tests.control.test_ongoing import Gate

if TYPE_CHECKING:
    from qtool.control import Control
    from qtool.control.doctor.fixing import Fix


def interrupt(control: Control, main: int) -> None:
    """Press Ctrl-C, and wait until it is on record, which it is before, too."""
    pthread_kill(main, SIGINT)

    def results() -> list[str]:
        return [one.result for one in control.audit(act="interrupt").records]

    eventually(lambda: results() == ["done"])


def said(capsys: pytest.CaptureFixture[str], told: list[str]) -> bool:
    """Add what standard error has got; return whether it was ever anything."""
    told.append(capsys.readouterr().err)
    return any(told)


def test_ctrl_c_tells_what_was_done_and_ends_what_the_prompt_does(
    control: Control, names: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    bases = [put(control, "in") for _ in range(3)]
    preview = names["queues"]["in"].all().move("out")
    gate = control.clock = Gate(control, 2)
    main, told = threading.get_ident(), list[str]()

    def twice() -> None:
        assert gate.reached.wait(PATIENCE)
        interrupt(control, main)
        pthread_kill(main, SIGINT)
        eventually(lambda: said(capsys, told))
        gate.free.set()

    thread = threading.Thread(target=twice)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        preview.confirm()
    thread.join()
    # No terminal, no bar.
    assert "".join(told) == "it is being ended, after the entry in hand\n"
    assert capsys.readouterr().out.splitlines() == [
        "moved 1 of in to out: act 1 (undo(1))",
        f"left: 2 not tried after: it was interrupted; the first is {bases[1]}",
    ]
    assert control.under_way() == ()
    assert names["undo"]().done == (bases[0],)


def test_the_prompt_waits_for_an_act_that_nothing_ends_until_the_third_ctrl_c(
    control: Control, names: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    base = put(control, "in")
    entry = names["queues"]["in"][0]
    gate = control.clock = Gate(control, 0)
    main, told = threading.get_ident(), list[str]()

    def thrice() -> None:
        assert gate.reached.wait(PATIENCE)
        interrupt(control, main)
        pthread_kill(main, SIGINT)
        eventually(lambda: said(capsys, told))
        pthread_kill(main, SIGINT)

    thread = threading.Thread(target=thrice)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        entry.move("out")
    thread.join()
    assert "acts() tells what it did" in capsys.readouterr().err
    gate.free.set()
    eventually(lambda: control.under_way() == ())
    assert names["queues"]["in"][0].filebase == base


def test_ctrl_c_ends_a_fix_between_two_entries(
    control: Control, names: dict[str, Any], capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    folder = control.configuration.switchboards["in"].queue_directory
    for base in [put(control, "in") for _ in range(3)]:
        path = folder / f"{base}.pck"
        path.rename(path.with_suffix(".edit"))
    [found] = [one for one in names["doctor"]("in", quick=True) if one.kind == "edit"]
    preview, fix, main = found.fix(), fix_of("edit", "in"), threading.get_ident()
    mend = fix.mend

    def with_interrupt(self: Fix, name: str) -> None:
        interrupt(control, main)
        mend(self, name)

    monkeypatch.setattr(fix, "mend", with_interrupt)
    with pytest.raises(KeyboardInterrupt):
        preview.confirm()
    assert capsys.readouterr().out.splitlines() == [
        "edit: 1 put right",
        "left: 2 not tried after: it was interrupted",
    ]
    monkeypatch.undo()
    assert len(found.fix().confirm().done) == 2
