"""Which parts of a queue are held, by whom, and which notes are nobody's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from qtool.queues import claimants
from qtool.queues.slices import SPACE, equal
from qtool.queues.spool import Spool

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool("in", tmp_path / "in")


def _held(spool: Spool) -> list[claimants.Held]:
    state = spool.queue_directory.parent / ".qtool"
    return claimants.held("in", spool.queue_directory, state)


def test_nobody_holds_anything_where_nobody_ever_did(spool: Spool) -> None:
    assert _held(spool) == []
    assert claimants.gaps([]) == [(0, SPACE)]
    assert not (spool.queue_directory.parent / ".qtool").exists()


def test_each_claim_is_told_with_who_holds_it_and_what_is_left(spool: Spool) -> None:
    parts = equal(4)
    claims = [spool.for_slice(parts[n]).claim(f"runner in {n}") for n in (3, 1)]
    held = _held(spool)
    assert [each.holder.what for each in held] == ["runner in 1", "runner in 3"]
    assert claimants.gaps(held) == [
        (0, held[0].lower),
        (held[0].upper, held[1].lower),
    ]
    for claim in claims:
        claim.release()
    assert _held(spool) == []


def test_slices_that_are_all_held_leave_no_gap(spool: Spool) -> None:
    claims = [spool.for_slice(part).claim("runner") for part in equal(3)]
    assert claimants.gaps(_held(spool)) == []
    for claim in claims:
        claim.release()


def test_a_note_is_forgotten_only_while_nobody_holds_its_range(
    spool: Spool, tmp_path: Path
) -> None:
    state, (first, second) = tmp_path / ".qtool", equal(2)
    claim = spool.for_slice(first).claim("one that stays")
    dead = spool.for_slice(second).claim("one that is killed")
    notes = sorted(path.name for path in (state / "claims").glob("*.json"))
    kept = (state / "claims" / notes[1]).read_bytes()
    assert json.loads(kept)["what"] == "one that is killed"
    dead.release()
    (state / "claims" / notes[1]).write_bytes(kept)
    assert claimants.stale_notes(state) == [notes[1]]
    assert not claimants.forget(state, notes[0])
    assert not claimants.forget(state, "../claims/" + notes[1])
    assert claimants.forget(state, notes[1])
    assert not claimants.forget(state, notes[1])
    assert [path.name for path in (state / "claims").glob("*.json")] == notes[:1]
    claim.release()
