"""The minimal mailing-list registry, which gives a runner its ``mlist``."""

from __future__ import annotations

import fcntl
import os
import re
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qtool.errors import SettingsError
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_ADDRESS = re.compile(r"[^\s@/\x00-\x1f\x7f]{1,200}@[^\s@/\x00-\x1f\x7f]{1,255}")
_LIST_ID = re.compile(r"[^\s@/\x00-\x1f\x7f.]{1,200}(?:\.[^\s@/\x00-\x1f\x7f.]+)+")
_LAYOUT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingList:
    """One mailing list, as far as a runner needs to know it."""

    fqdn_listname: str
    """Its posting address."""
    list_id: str
    """The address with a dot for the @, as in a ``List-Id`` header."""
    display_name: str
    preferred_language: str = "en"

    @classmethod
    def from_address(cls, address: str) -> MailingList:
        """Return the list with that posting address.

        Raises:
            SettingsError: That is no posting address.
        """
        lowered = address.lower()
        if not _ADDRESS.fullmatch(lowered):
            raise SettingsError(
                f"expected a posting address, name@example.com,"
                f" not {visible(address, 80)!r}"
            )
        local_part, _, domain = lowered.partition("@")
        return cls(
            fqdn_listname=lowered,
            list_id=f"{local_part}.{domain}",
            display_name=local_part.capitalize(),
        )


class ListRegistry:
    """The lists of one site: those it was told of, and those made here.

    Args:
        addresses: Posting addresses from the configuration.
        path: The file that keeps what ``create`` made; it need not exist.
        accept_any: Know every list that is asked for, as on a Mailman site,
            where Mailman keeps its lists in a database of its own.
    """

    def __init__(
        self,
        addresses: Iterable[str] = (),
        *,
        path: Path | None = None,
        accept_any: bool = False,
    ) -> None:
        self._configured = {
            mlist.list_id: mlist for mlist in map(MailingList.from_address, addresses)
        }
        self._path = path
        self._accept_any = accept_any
        self._created: dict[str, MailingList] = {}
        self._read_at: tuple[int, int] | None = None
        self._lock = threading.Lock()

    def get(self, name: object) -> MailingList | None:
        """Return the list with that list id or posting address; None if unknown.

        Args:
            name: Untrusted; whatever a message says.
        """
        if not isinstance(name, str):
            return None
        asked = name.lower()
        list_id = asked.replace("@", ".", 1)
        known = self._known(list_id)
        if known is None:
            with self._lock:
                self._read_created()  # another process may have made it
            known = self._known(list_id)
        if known is not None or not self._accept_any:
            return known
        if _ADDRESS.fullmatch(asked):
            return MailingList.from_address(asked)
        if _LIST_ID.fullmatch(asked):
            return MailingList.from_address(asked.replace(".", "@", 1))
        return None

    def create(self, address: str) -> MailingList:
        """Return the list with that posting address, made if it is not there.

        Raises:
            SettingsError: That is no posting address.
            OSError: It could not be written down.
        """
        mlist = MailingList.from_address(address)
        if self._accept_any:
            return mlist
        with self._lock:
            self._read_created()
            known = self._known(mlist.list_id)
            if known is not None:
                return known
            if self._path is not None:
                self._write_also(mlist, self._path)
            self._created[mlist.list_id] = mlist
        return mlist

    def _known(self, list_id: str) -> MailingList | None:
        return self._configured.get(list_id) or self._created.get(list_id)

    def _read_created(self) -> None:
        if self._path is None:
            return
        try:
            status = self._path.stat()
            if self._read_at == (status.st_mtime_ns, status.st_ino):
                return
            import json  # few sites keep lists of their own here

            kept = json.loads(self._path.read_text(encoding="utf-8"))
            addresses = [str(address) for address in kept["lists"]]
        except FileNotFoundError:
            return
        except (ValueError, KeyError, TypeError) as error:
            raise SettingsError(f"{self._path}: the lists in it are damaged") from error
        created = map(MailingList.from_address, addresses)
        self._created = {mlist.list_id: mlist for mlist in created}
        self._read_at = (status.st_mtime_ns, status.st_ino)

    def _write_also(self, mlist: MailingList, path: Path) -> None:
        folder = path.parent
        if not folder.is_dir():
            folder.mkdir(mode=0o770, parents=True, exist_ok=True)
            with suppress(PermissionError):
                os.chown(folder, -1, folder.parent.stat().st_gid)
            folder.chmod(0o2770)
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            with suppress(OSError):  # a file system without locks
                # Of two processes that write at once, one would lose its list.
                fcntl.flock(place, fcntl.LOCK_EX)
            self._read_created()
            _write({**self._created, mlist.list_id: mlist}, path)
            os.fsync(place)
        finally:
            os.close(place)


def _write(created: Mapping[str, MailingList], path: Path) -> None:
    addresses = [mlist.fqdn_listname for mlist in created.values()]
    kept = {"version": _LAYOUT_VERSION, "lists": addresses}
    import json

    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o660)
    with open(descriptor, "w", encoding="utf-8") as stream:  # noqa: PTH123 - a descriptor
        os.fchmod(descriptor, 0o660)
        json.dump(kept, stream, indent=1)
        stream.flush()
        os.fsync(descriptor)
    temporary.replace(path)
