"""What was read of entries, kept: quick where it can be, and never a hindrance."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
from typing import TYPE_CHECKING

import pytest

from qtool.control.desk import cache as cache_module
from qtool.control.desk.cache import NAME, Cache

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qtool.control.desk.cache import CacheRow


def row(filebase: str, recipients: str = "bob\ncris") -> CacheRow:
    """What was read of an entry, behind what its file was."""
    read = ("ant", "anne", recipients, "hello", "<1@x>", None, "", "", "")
    return (filebase, 1, 2, 3, *read)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    state = tmp_path / ".qtool"
    state.mkdir()
    return state


@pytest.fixture
def cache(folder: Path) -> Iterator[Cache]:
    made = Cache(folder)
    yield made
    made.close()


def test_what_was_read_is_there_for_the_next_process(
    folder: Path, cache: Cache
) -> None:
    cache.add("in", [row("1.5+a"), row("2.5+b")])
    other = Cache(folder)
    assert other.rows("in", ["2.5+b", "3.5+c"]) == {"2.5+b": row("2.5+b")}
    assert other.rows("out", ["2.5+b"]) == {}
    other.close()
    assert stat.S_IMODE((folder / NAME).stat().st_mode) == 0o660


@pytest.mark.parametrize("there", [False, True])
def test_without_a_folder_to_write_in_it_is_kept_in_memory(
    tmp_path: Path, there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ".qtool"
    if there:
        folder.mkdir()
        monkeypatch.setattr(cache_module, "_is_remote", lambda _: True)
    cache = Cache(folder)
    cache.add("in", [row("1.5+a")])
    assert cache.rows("in", ["1.5+a"]) == {"1.5+a": row("1.5+a")}
    cache.close()
    assert [*tmp_path.rglob("*")] == ([folder] if there else [])


def _foreign(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE entries (mine TEXT)")
    database.close()


def _cut(path: Path) -> None:
    made = Cache(path.parent)
    made.add("in", [row(f"{n}.5+a") for n in range(500)])
    made.close()
    os.truncate(path, 9000)


@pytest.mark.parametrize(
    "spoil", [_foreign, _cut, lambda path: path.write_bytes(b"no database" * 999)]
)
def test_a_database_that_is_spoilt_or_strange_is_made_anew(
    folder: Path, cache: Cache, spoil: object
) -> None:
    assert callable(spoil)
    spoil(folder / NAME)
    assert cache.rows("in", [f"{n}.5+a" for n in range(500)]) == {}
    cache.add("in", [row("1.5+a")])
    other = Cache(folder)
    assert other.rows("in", ["1.5+a"]) == {"1.5+a": row("1.5+a")}
    other.close()


def test_a_link_or_a_folder_in_its_place_is_left_alone(
    folder: Path, cache: Cache, tmp_path: Path
) -> None:
    (folder / NAME).symlink_to(tmp_path / "elsewhere")
    cache.add("in", [row("1.5+a")])
    assert cache.rows("in", ["1.5+a"])
    assert not (tmp_path / "elsewhere").exists()


def test_who_finds_it_locked_does_without(folder: Path, cache: Cache) -> None:
    cache.add("in", [row("1.5+a")])
    holder = sqlite3.connect(folder / NAME)
    holder.execute("BEGIN EXCLUSIVE")
    cache.add("in", [row("2.5+b")])
    holder.rollback()
    holder.close()
    assert cache.rows("in", ["1.5+a", "2.5+b"]) == {"1.5+a": row("1.5+a")}


def test_it_is_emptied_when_it_is_full(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "_PAGES", 60)
    cache = Cache(folder)
    for start in range(0, 4000, 100):
        cache.add("in", [row(f"{start + n}.5+a") for n in range(100)])
    kept = cache.rows("in", [f"{n}.5+a" for n in range(4000)])
    cache.close()
    assert "3999.5+a" in kept
    assert len(kept) < 3000
    assert (folder / NAME).stat().st_size <= 60 * 4096


def test_entries_that_are_gone_are_forgotten(cache: Cache) -> None:
    cache.add("in", [row(f"{n}.5+a") for n in range(1, 6)])
    cache.add("out", [row("3.5+a")])
    assert cache.number("in", "1.5+a", "4.5+a") == 3
    cache.forget_others("in", "1.5+a", "4.5+a", {"2.5+a"})
    assert cache.rows("in", [f"{n}.5+a" for n in range(1, 6)]).keys() == {
        "1.5+a", "2.5+a", "5.5+a",
    }  # fmt: skip
    assert cache.rows("out", ["3.5+a"])


def test_many_recipients_are_not_kept(cache: Cache) -> None:
    cache.add("in", [row("1.5+a", recipients="x" * 5000)])
    assert cache.rows("in", ["1.5+a"]) == {}


def test_threads_and_processes_share_it(folder: Path, cache: Cache) -> None:
    other = Cache(folder)

    def work(which: Cache, name: str) -> None:
        for number in range(30):
            which.add(name, [row(f"{number}.5+a")])
            which.rows(name, [f"{number}.5+a"])

    threads = [
        threading.Thread(target=work, args=(which, str(number)))
        for number, which in enumerate((cache, cache, other, other))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [len(cache.rows(str(n), [f"{k}.5+a" for k in range(30)])) for n in range(4)]
    assert min(found) > 0
    other.close()
