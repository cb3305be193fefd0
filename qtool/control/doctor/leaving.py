"""The part of ``Control`` that gives a site back: nothing of qtool's stays there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from qtool.control.acting import asked_by
from qtool.control.gate import passed_on
from qtool.control.part import Part
from qtool.errors import Refused
from qtool.queues import durable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qtool.control.models import Leaving, Left, Remaining

_ASIDE = ".leaving"
_TOKEN_LENGTH = 16


class Departing(Part):
    """What qtool keeps at the site, and its end."""

    def leaving(self) -> Leaving:
        """Return what of qtool's is here, and whether it can go."""
        return self._seen()

    @passed_on
    def leave(self, token: str) -> Left:
        """Remove all that qtool keeps here; return what was done.

        It is not put on record: the record goes, too.

        Args:
            token: Of ``leaving``: it stands for what was there then.

        Raises:
            Refused: There is mail in it, somebody works with it, or it is not what it
                was.
        """
        from qtool.control.acts.journal import Journal
        from qtool.control.doctor import remains
        from qtool.control.models import Left

        folder, aside = self._folders()
        seen = self._check(token)
        if os.path.lexists(aside):
            remains.remove(aside)
        if os.path.lexists(folder):
            with Journal(folder).shut():
                # Nobody finds it any more from here on. Who was faster is seen now.
                durable.rename_new(str(folder), str(aside))
                try:
                    self._check_last(aside)
                except BaseException:
                    durable.rename_new(str(aside), str(folder))
                    raise
            remains.remove(aside)
        durable.sync_folder(str(folder.parent))
        done = tuple(each.words for each in seen.remaining)
        return Left(folder=seen.folder, done=done, files=seen.files)

    # --- Behind the scenes

    def _folders(self) -> tuple[Path, Path]:
        """Return where everything is, and where it is while it is removed."""
        folder = self.configuration.state_directory
        return folder, folder.with_name(folder.name + _ASIDE)

    def _seen(self) -> Leaving:
        import hashlib  # nobody else who looks needs it

        from qtool.control.doctor import remains
        from qtool.control.models import Leaving

        folder, aside = self._folders()
        found, rest = remains.read(folder), remains.read(aside)
        told = [*_daemon(), *remains.told(self.configuration, found)]
        if rest.mark or rest.refusal:
            told.append(remains.stranded(aside, rest))
        hindered = any(each.hinders for each in told)
        mark = hashlib.sha256(f"{found.mark} {rest.mark}".encode()).hexdigest()
        is_there = found.mark or rest.mark
        return Leaving(
            folder=str(folder),
            remaining=tuple(told),
            files=found.files + rest.files,
            token=mark[:_TOKEN_LENGTH] if is_there and not hindered else "",
        )

    def _check(self, token: str) -> Leaving:
        now = self._seen()
        if now.hindrances:
            first, more = now.hindrances[0], len(now.hindrances) - 1
            rest = f", and {more} more" if more else ""
            raise Refused(f"{first.words}{rest}: {first.fix or 'qtool leave'}")
        if not now.token:
            raise Refused(f"nothing of qtool's is at {now.folder}")
        if token != now.token:
            raise Refused("what is there has changed since: look again (qtool leave)")
        return now

    @staticmethod
    def _check_last(aside: Path) -> None:
        """Find out whether somebody has begun to work there at the last moment."""
        from qtool.control.acts.journal import Journal
        from qtool.control.doctor import remains
        from qtool.queues import claimants

        told = claimants.locked(aside)
        told += [f"act {act.number}" for act in Journal(aside).under_way()]
        if remains.read(aside).entries:
            told.append("there is mail in it now")
        for what in told:
            raise Refused(f"somebody has begun to work there: {what}")


def _daemon() -> Iterator[Remaining]:
    """Say so where a daemon is asked: all that it remembers would go under it."""
    from qtool.control.models import Remaining

    asked = asked_by()
    if asked is not None and asked.where == "socket":
        yield Remaining(
            words=f"the daemon works there: pid {os.getpid()}",
            hinders=True,
            fix="qtool stop",
        )
