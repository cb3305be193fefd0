"""What was read of entries, so that it is not read again: never the truth about them.

A row holds as long as the file has the inode, time and size that it was read from. It
is kept in a database in ``.qtool`` where that is there and may be written, and in
memory where not. Whatever is wrong with the database, it is made anew or done without.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtool.queues.state import layout_refusal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Sequence

    CacheRow = tuple[Any, ...]
    """Filebase; inode, time of the last change in nanoseconds and size in bytes of the
    file; and what was read of it: list, sender, recipients (one a line), subject,
    message-id, attempts, why, origin, error."""

NAME = "cache.sqlite3"
MOST_RECIPIENTS = 4000
"""Characters of recipients; an entry with more is read anew each time."""

_SCHEMA = (
    "CREATE TABLE entries (queue TEXT NOT NULL, filebase TEXT NOT NULL,"
    " inode INTEGER NOT NULL, changed INTEGER NOT NULL, size INTEGER NOT NULL,"
    " list_id TEXT NOT NULL, sender TEXT NOT NULL, recipients TEXT NOT NULL,"
    " subject TEXT NOT NULL, message_id TEXT NOT NULL, attempts INTEGER,"
    " why TEXT NOT NULL, origin TEXT NOT NULL, error TEXT NOT NULL,"
    " PRIMARY KEY (queue, filebase)) STRICT, WITHOUT ROWID"
)
# STRICT, so that whoever else may write there cannot give a value another type.
_SELECT = (
    "SELECT filebase, inode, changed, size, list_id, sender, recipients, subject,"
    " message_id, attempts, why, origin, error"
    " FROM entries WHERE queue = ? AND filebase BETWEEN ? AND ? LIMIT ?"
)
_RECIPIENTS = 6
# Entries that are asked for together are neighbours, and a walk along them is several
# times as quick as a search for each.
_NUMBER = (
    "SELECT count(*) FROM entries WHERE queue = ? AND filebase > ? AND filebase <= ?"
)
_FILEBASES = _NUMBER.replace("count(*)", "filebase")
_INSERT = "INSERT OR REPLACE INTO entries VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
_PAGE, _PAGES, _PAGES_IN_MEMORY = 4096, 1 << 16, 1 << 13
# 256 MB in a file, 32 MB in memory; what is full is emptied.
_PATIENCE_SECONDS = 0.05
_SPARSE = 8
# So many times as many rows are looked at as entries are asked for, at most.
_MODE = 0o660
_NETWORK = frozenset(
    (
        "9p", "afs", "ceph", "cifs", "coda", "gfs2", "glusterfs", "lustre", "ncpfs",
        "nfs", "nfs4", "ocfs2", "smb3", "smbfs",
    )
)  # fmt: skip


class Cache:
    """Rows of entries that were read; for any thread.

    Args:
        folder: Where the database is; None keeps it in memory.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = str(folder / NAME) if folder and _is_fit(folder) else None
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._made_anew = False

    def rows(self, queue: str, filebases: Sequence[str]) -> dict[str, CacheRow]:
        """Return what is known of some entries, and maybe of others between them."""
        if not filebases:
            return {}
        most = _SPARSE * len(filebases)
        ends = (queue, min(filebases), max(filebases), most)
        return {row[0]: row for row in self._done(_SELECT, ends)}

    def add(self, queue: str, rows: Iterable[CacheRow]) -> None:
        """Remember what was read of some entries."""
        kept = [
            (queue, *row) for row in rows if len(row[_RECIPIENTS]) <= MOST_RECIPIENTS
        ]
        if kept:
            self._done(_INSERT, kept)

    def number(self, queue: str, after: str, last: str) -> int:
        """Return how many entries of a stretch of a queue are known."""
        found = self._done(_NUMBER, (queue, after, last))
        return int(found[0][0]) if found else 0

    def forget_others(
        self, queue: str, after: str, last: str, present: Collection[str]
    ) -> None:
        """Forget entries of a stretch of a queue that are not there any more."""
        known = (row[0] for row in self._done(_FILEBASES, (queue, after, last)))
        gone = [(queue, each) for each in known if each not in present]
        if gone:
            self._done("DELETE FROM entries WHERE queue = ? AND filebase = ?", gone)

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            self._close()

    # --- The database

    def _done(self, statement: str, values: tuple[Any, ...] | list[Any]) -> list[Any]:
        """Do a statement, once, or for a list of rows; nothing where that fails."""
        import sqlite3

        with self._lock:
            for _ in range(2):
                try:
                    database = self._database = self._database or self._opened()
                    if isinstance(values, tuple):
                        return database.execute(statement, values).fetchall()
                    with database:
                        database.executemany(statement, values)
                except sqlite3.Error as error:
                    code = getattr(error, "sqlite_errorcode", None)
                    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                        return []
                    self._mend(full=code == sqlite3.SQLITE_FULL)
                except OSError:  # it cannot be made there
                    self._path = None
                else:
                    return []
        return []

    def _opened(self) -> sqlite3.Connection:
        import sqlite3

        if self._path is not None:
            _make(self._path)
        database = sqlite3.connect(
            self._path or ":memory:",
            timeout=_PATIENCE_SECONDS,
            check_same_thread=False,
        )
        try:
            self._prepare(database)
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _prepare(self, database: sqlite3.Connection) -> None:
        """Make the table.

        Raises:
            sqlite3.Error: The database is damaged, in use, or none of ours.
        """
        import sqlite3

        database.execute(f"PRAGMA page_size = {_PAGE}")
        if self._path:
            # An empty one need not reach the disk: a damaged one is made anew.
            database.execute("PRAGMA synchronous = OFF")
            database.execute("PRAGMA journal_mode = WAL")
        pages = _PAGES if self._path else _PAGES_IN_MEMORY
        database.execute(f"PRAGMA max_page_count = {pages}")
        database.execute(_SCHEMA.replace("TABLE", "TABLE IF NOT EXISTS", 1))
        database.execute("PRAGMA synchronous = NORMAL")
        schema = database.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")
        if [row[0] for row in schema] != [_SCHEMA]:
            raise sqlite3.DatabaseError("it is none of ours")

    def _mend(self, *, full: bool) -> None:
        """Empty what is full; make anew what is damaged; at last do without a file."""
        import sqlite3

        database = self._database
        if full and database is not None:
            with suppress(sqlite3.Error), database:
                database.execute("DELETE FROM entries")
                return
        self._close()
        if self._made_anew or self._path is None:
            self._path = None
            return
        self._made_anew = True
        for end in ("", "-wal", "-shm"):
            with suppress(OSError):
                Path(self._path + end).unlink()

    def _close(self) -> None:
        import sqlite3

        database, self._database = self._database, None
        if database is not None:
            with suppress(sqlite3.Error):
                database.close()


def _make(path: str) -> None:
    """Make the file for the group that shares the spool.

    Raises:
        OSError: It cannot be made, or is no file of its own.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    descriptor = os.open(path, flags, _MODE)
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(errno.EINVAL, "no regular file", path)
        if facts.st_size == 0:
            with suppress(OSError):
                os.fchmod(descriptor, _MODE)
    finally:
        os.close(descriptor)


def _is_fit(folder: Path) -> bool:
    """Whether a database may be in a folder: it is there, writable, and local."""
    return (
        folder.is_dir()
        and os.access(folder, os.W_OK | os.X_OK)
        and not layout_refusal(str(folder))
        and not _is_remote(folder.stat().st_dev)
    )


def _is_remote(device: int) -> bool:
    """Whether a file system is another machine's, or a program's."""
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as mounts:  # noqa: PTH123 - pathlib costs
            for line in mounts:
                before, _, after = line.partition(" - ")
                if before.split(" ", 3)[2] == number:
                    kind = after.partition(" ")[0]
                    return kind in _NETWORK or kind.startswith("fuse")
    except OSError:
        pass
    return False
