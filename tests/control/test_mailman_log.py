from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from qtool.control.shunts import log_files, mailman_log
from qtool.control.shunts.log_index import LogIndex
from qtool.control.shunts.mailman_log import Search, Sought
from tests.control.mailman_logs import (
    PLACE_2,
    chatter,
    shunting,
    stamped,
    traceback,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NOW = time.mktime((2026, 11, 21, 12, 0, 0, 0, 0, -1))
HOUR, DAY = 3600.0, 86400.0
BASE = f"{NOW!r}+{'ab' * 20}"
OTHER = f"{NOW + 1!r}+{'cd' * 20}"
ERROR = traceback("KeyError: 'volume'", "/x/site-packages/mailman/digest.py:3 send")


def search(logs: Sequence[Path], wanted: Sequence[Sought]) -> Search:
    """Look with nothing known before."""
    return mailman_log.search(LogIndex(), logs, wanted)


def sought(base: str = BASE, **more: str) -> Sought:
    when = float(base.partition("+")[0])
    return Sought(filebase=base, moments=(when,), **more)


def joined(log: Path, base: str = BASE, **more: str) -> mailman_log.Joined | None:
    return search([log], [sought(base, **more)]).found.get(base)


@pytest.mark.parametrize("place", ["/mm/core/runner.py", PLACE_2])
def test_the_traceback_stands_before_the_name(tmp_path: Path, place: str) -> None:
    text = traceback("KeyError: 'volume'", place=place)
    log = write(tmp_path / "error", shunting(NOW, 5, BASE, text), until=NOW)
    found = joined(log)
    assert found is not None
    assert (found.traceback, found.line) == (text, "'volume'")
    assert (found.when, found.file) == (NOW, str(log))


def test_what_other_processes_log_in_between_is_not_its_reason(tmp_path: Path) -> None:
    mine, other = (
        shunting(NOW, pid, base, text).splitlines(keepends=True)
        for pid, base, text in (
            (5, BASE, ERROR), (6, OTHER, traceback("ValueError: no")),
        )
    )  # fmt: skip
    at = len(other) - 1
    text = "".join([mine[0], *other[:at], *mine[1:-1], other[at], mine[-1]])
    log = write(tmp_path / "mailman.log", text, until=NOW)
    found = search([log], [sought(), sought(OTHER)]).found
    assert found[BASE].traceback == ERROR
    assert found[OTHER].traceback == traceback("ValueError: no")


def test_a_shunt_without_traceback_takes_none_from_an_earlier_one(
    tmp_path: Path,
) -> None:
    text = shunting(NOW, 5, OTHER, ERROR) + stamped(NOW, 5, f"SHUNTING: {BASE}")
    found = joined(write(tmp_path / "mailman.log", text, until=NOW))
    assert found is not None
    assert (found.traceback, found.line) == ("", "SHUNTING")


def test_the_reason_of_what_was_preserved_is_there_too(tmp_path: Path) -> None:
    text = "".join(
        stamped(NOW, 5, part)
        for part in (
            "Uncaught runner exception: pickle data was truncated", ERROR,
            f"Skipping and preserving unparseable message: {BASE}",
            f".bak file max count, preserving file: {OTHER}",
        )
    )  # fmt: skip
    log = write(tmp_path / "mailman.log", text, until=NOW)
    found = search([log], [sought(), sought(OTHER)]).found
    assert found[BASE].line == "pickle data was truncated"
    assert found[OTHER].line == ".bak file max count, preserving file"


def test_a_missing_list_is_known_by_message_and_list(tmp_path: Path) -> None:
    said = '<m@x> runner "out" shunting message for missing list: ant.example.com'
    log = write(tmp_path / "mailman.log", stamped(NOW, 5, said), until=NOW)
    found = joined(log, message_id="<m@x>", list_id="ant.example.com")
    assert found is not None
    assert (found.line, found.runner) == ("no such list: ant.example.com", "out")
    assert joined(log, message_id="<m@x>", list_id="bee.example.com") is None
    assert joined(log, message_id="<n@x>", list_id="ant.example.com") is None


def test_a_line_is_read_once_however_often_it_says_the_same(tmp_path: Path) -> None:
    said = ' runner "out" shunting message for missing list: ant.example.com'
    text = stamped(NOW, 5, f"<m@x>{said * 15_000}")
    log = write(tmp_path / "mailman.log", text, until=NOW)
    many = [sought(f"{NOW + i!r}+{i:040x}", message_id=f"<{i}@x>") for i in range(3000)]
    before = time.process_time()
    assert search([log], many).found == {}
    # Line by line and message by message it would be 45 million times.
    assert time.process_time() - before < 1.0


@pytest.mark.parametrize(
    "name",
    ["mailman.log.1", "mailman.log-20261121", "mailman.log.2.gz", "mailman.log-1.gz",
     "mailman-20261121.log.gz"],
)  # fmt: skip
def test_rotated_and_compressed_logs_are_read(tmp_path: Path, name: str) -> None:
    log = write(tmp_path / "mailman.log", chatter(NOW + DAY, NOW + DAY + 9), until=NOW)
    old = write(tmp_path / name, shunting(NOW, 5, BASE, ERROR), until=NOW)
    found = joined(log)
    assert found is not None
    assert found.file == str(old)


def test_files_of_other_names_are_not_read(tmp_path: Path) -> None:
    log = write(tmp_path / "mailman.log", "", until=NOW)
    for name in ("mailman.log.bz2", "mailman.log~", "mailman.log.orig", "smtp.log"):
        write(tmp_path / name, shunting(NOW, 5, BASE, ERROR), until=NOW)
    assert search([log], [sought()]).found == {}
    assert log_files.files_of([log]) == [log]


def test_only_what_was_logged_about_that_time_is_read(tmp_path: Path) -> None:
    start = NOW - 30 * DAY
    text = (
        chatter(start, NOW, 20) + shunting(NOW, 5, BASE, ERROR)
        + chatter(NOW, NOW + 9 * DAY, 20)
    )  # fmt: skip
    log = write(tmp_path / "mailman.log", text, until=NOW + 9 * DAY)
    budget = log_files.Budget(1 << 30)
    read = b"".join(log_files.pieces(log, [(NOW - 300, NOW + 300)], budget))
    assert BASE.encode() in read
    assert len(text) > 3 * ((1 << 30) - budget.left)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_every_line_of_a_span_is_in_a_piece(tmp_path: Path, suffix: str) -> None:
    text = chatter(NOW, NOW + 60_000)
    log = write(tmp_path / f"log{suffix}", text, until=NOW + 60_000)
    spans = [(NOW + 5_000, NOW + 9_000), (NOW + 20_000, NOW + 40_000)]
    read = set[bytes]()
    for piece in log_files.pieces(log, spans, log_files.Budget(1 << 30)):
        read.update(piece.splitlines())
    wanted = [*range(5_000, 9_001), *range(20_000, 40_001)]
    assert {f"<m{n}@".encode() for n in wanted} <= {
        line.partition(b"ACCEPT: ")[2].partition(b"example")[0] for line in read
    }


@pytest.mark.parametrize("away", [-11 * HOUR, 14 * HOUR])
def test_a_log_of_another_zone_is_understood(tmp_path: Path, away: float) -> None:
    text = (
        chatter(NOW + away - HOUR, NOW + away)
        + shunting(NOW + away, 5, BASE, ERROR)
        + chatter(NOW + away, NOW + away + HOUR)
    )
    log = write(tmp_path / "mailman.log", text, until=NOW + DAY)
    assert joined(log) is not None


def test_a_message_shunted_long_after_its_receipt_is_found(tmp_path: Path) -> None:
    # Mailman 2 keeps the time of receipt in the name; the file's is newer.
    text = chatter(NOW, NOW + 9 * DAY, 600) + shunting(NOW + 9 * DAY, 5, BASE, ERROR)
    log = write(tmp_path / "error", text, until=NOW + 9 * DAY)
    known = Sought(filebase=BASE, moments=(NOW, NOW + 20 * DAY))
    assert BASE in search([log], [known]).found


def test_a_log_whose_lines_tell_no_time_is_read_from_its_end(tmp_path: Path) -> None:
    text = f"Uncaught runner exception: 'volume'\n{ERROR}\nERROR SHUNTING: {BASE}\n"
    log = write(tmp_path / "mailman.log", "INFO fine\n" * 99_999 + text, until=NOW)
    found = joined(log)
    assert found is not None
    assert found.when is None


def test_what_is_not_found_is_said_with_where_it_was_looked_for(tmp_path: Path) -> None:
    log = tmp_path / "mailman.log"
    assert search([], [sought()]).looked == (
        "no log is known here: name it with --log FILE"
    )
    assert search([log], [sought()]).looked == f"there is no {log}"
    write(log, chatter(NOW - 9, NOW), until=NOW)
    write(tmp_path / "mailman.log.1", "", until=NOW - 9)
    assert search([log], [sought()]).looked == (
        f"looked in {log} and 1 older ones beside it"
    )


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_read(
    tmp_path: Path,
) -> None:
    log = write(tmp_path / "mailman.log", shunting(NOW, 5, BASE, ERROR), until=NOW)
    damaged = write(tmp_path / "mailman.log.1.gz", chatter(NOW, NOW + 99), until=NOW)
    os.truncate(damaged, 100)
    os.utime(damaged, (NOW, NOW))
    found = search([log], [sought(), sought(OTHER)])
    assert BASE in found.found
    assert f"{damaged}: not to be decompressed" in found.looked


def test_no_more_is_read_than_the_budget_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailman_log, "_MOST_BYTES", 2 << 20)
    text = "INFO nothing of interest\n" * 200_000 + f"SHUNTING: {BASE}\n"
    log = write(tmp_path / "mailman.log", text, until=NOW)
    assert search([log], [sought()]).looked.endswith("no more than 2 MB were read")
