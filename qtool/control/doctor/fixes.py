"""What is done about findings: each fix names what it would change, and changes that.

Whatever is not any more as it was when it was named is left alone, and said so.
"""

from __future__ import annotations

import stat
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from qtool.control.doctor import contents
from qtool.control.doctor.fixing import Fix, Other
from qtool.control.doctor.queue import is_mailmans, nobodys_entries, patience
from qtool.control.doctor.rights import (
    Owner,
    may_change,
    mended_file,
    mended_folder,
)
from qtool.control.doctor.state_fixes import EndPauses, ForgetClaims, ForgetHalves
from qtool.errors import NoSuchEntry, QFileError, Refused, SliceClaimed
from qtool.queues import checkup, filebase
from qtool.queues.filebase import IN_HAND, TAKEN, WRITING
from qtool.queues.slices import whole

if TYPE_CHECKING:
    from qtool.queues.slices import Slice


class PutBack(Fix):
    """Lets entries in flight wait again that nobody works on."""

    words = "put back into the queue"

    def begin(self) -> None:
        """Claim the queue, or those of its slices that are free."""
        self._claimed: list[Slice] = []
        try:
            self._claim(whole())
        except SliceClaimed:
            for part in self.configuration.slices(self.queue.name):
                try:
                    self._claim(part)
                except SliceClaimed:
                    continue

    def _claim(self, part: Slice) -> None:
        claim = self.queue.for_slice(part).claim("doctor")
        self.stack.callback(claim.release)
        self._claimed.append(part)

    def names(self) -> list[str]:
        if is_mailmans(self.configuration, self.row):
            return []
        taken = {
            parsed.filebase: info.st_ctime
            for name, info in checkup.files(self.folder)
            if (parsed := filebase.parse(name)) is not None
            and parsed.suffix == TAKEN
            and stat.S_ISREG(info.st_mode)
        }
        return self._nobodys(taken)

    def _nobodys(self, taken: dict[str, float]) -> list[str]:
        before = self.now - patience(self.own)
        return nobodys_entries(self.configuration, self.queue, taken, before)

    def mend(self, name: str) -> None:
        when = checkup.taken_at(self.folder, name)
        if when is None:
            raise Other("it is not in flight any more")
        digest = filebase.digest_of(name)
        if not any(digest in part for part in self._claimed):
            raise Other("somebody holds its slice now")
        # Who claims it is this fix itself; who took it must not be alive.
        if when >= self.now - patience(self.own) or not checkup.nobody_at(
            self.folder, [name]
        ):
            raise Other("somebody has taken it since")
        self.queue.release(name)


class EndBegun(Fix):
    """Ends what acts and writers that died had begun."""

    suffixes: ClassVar[tuple[str, ...]]

    def names(self) -> list[str]:
        begun = [
            name
            for name, info in checkup.files(self.folder)
            if name.endswith(self.suffixes)
            and filebase.parse(name) is not None
            and stat.S_ISREG(info.st_mode)
        ]
        return checkup.left_over(self.folder, begun, self.now, own=self.own)

    def mend(self, name: str) -> None:
        if not name.endswith(self.suffixes):
            raise Other("it is another kind of file")
        if not checkup.end_left_over(self.folder, name, self.now, own=self.own):
            raise Other("it is gone, or somebody is at it")


class EndEditing(EndBegun):
    """Lets entries wait again that an act had in its hand."""

    words = "made to wait again"
    suffixes = tuple(IN_HAND.values())


class EndWriting(EndBegun):
    """Removes what was half written."""

    words = "removed"
    suffixes = (WRITING,)


class OpenFiles(Fix):
    """Lets files be read by who owns their folder."""

    words = "made readable for who owns the folder (chmod)"

    def names(self) -> list[str]:
        owner = Owner(self.folder)
        return sorted(
            name
            for name, info in checkup.files(self.folder)
            if stat.S_ISREG(info.st_mode)
            and owner.is_unreadable(info)
            and owner.is_mendable(info)
        )

    def mend(self, name: str) -> None:
        if "/" in name:
            raise Other("that is no name of a file")
        path, owner = self.folder / name, Owner(self.folder)
        try:
            info = path.lstat()
        except FileNotFoundError:
            raise Other("it is not there any more") from None
        if not stat.S_ISREG(info.st_mode) or not owner.is_unreadable(info):
            raise Other("it can be read now")
        before = stat.S_IMODE(info.st_mode)
        if not checkup.change_mode(path, before, mended_file(info)):
            raise Other("it was changed meanwhile")


class CloseFolder(Fix):
    """Gives a folder the mode that it should have."""

    words = "given the mode that it needs (chmod)"

    def names(self) -> list[str]:
        info = self.folder.lstat()
        mended = mended_folder(info) != stat.S_IMODE(info.st_mode)
        return [str(self.folder)] if mended and may_change(info) else []

    def mend(self, name: str) -> None:
        info = self.folder.lstat()
        before, after = stat.S_IMODE(info.st_mode), mended_folder(info)
        if name != str(self.folder) or before == after:
            raise Other("it has the mode that it needs")
        if not checkup.change_mode(self.folder, before, after):
            raise Other("it was changed meanwhile")


class SetAside(Fix):
    """Preserves in ``bad`` what cannot be processed."""

    words = "set aside in bad, unchanged"
    kind: ClassVar[str]
    _is_unsettled = False

    def names(self) -> list[str]:
        waiting, found = self.queue.files, []
        for number, name in enumerate(waiting, 1):
            if self._is_one(name):
                found.append(name)
            self.looked_at(number, len(waiting))
        return found

    def settle(self) -> None:
        if self._is_unsettled:
            self.queue.sync()
            self.configuration.bad.sync()
            self._is_unsettled = False

    def _is_one(self, name: str) -> bool:
        try:
            return contents.verdict(self.queue, name)[0] == self.kind
        except NoSuchEntry:
            return False

    def mend(self, name: str) -> None:
        kind, _ = contents.verdict(self.queue, name)
        if kind != self.kind:
            raise Other("it can be read now")
        try:
            self.queue.dequeue(name)
        except QFileError as error:
            self._preserve(name, error.reason)
        else:
            self.queue.release(name)
            raise Other("it can be read now")

    def _preserve(self, name: str, reason: str) -> None:
        try:
            self.queue.finish(name, preserve=True, reason=reason, sync=False)
            self._is_unsettled = True
        except BaseException:
            with suppress(NoSuchEntry):  # it went all the same
                self.queue.release(name)
            raise


class SetDamagedAside(SetAside):
    """Preserves what cannot be read."""

    kind = contents.DAMAGED


class SetUnsafeAside(SetAside):
    """Preserves what holds what a queue never needs."""

    kind = contents.UNSAFE


FIXES: dict[str, type[Fix]] = {
    "orphan-bak": PutBack,
    "edit": EndEditing,
    "tmp": EndWriting,
    "modes": OpenFiles,
    "folder-mode": CloseFolder,
    contents.DAMAGED: SetDamagedAside,
    contents.UNSAFE: SetUnsafeAside,
    "pauses": EndPauses,
    "claims": ForgetClaims,
    "half-notes": ForgetHalves,
}
"""Each by the kind of finding that it puts right."""


def fix_of(kind: str, queue: str) -> type[Fix]:
    """Return the fix for a kind of finding, in a queue or at the whole site.

    Raises:
        Refused: There is none.
    """
    fix = FIXES.get(kind)
    if fix is None:
        raise Refused(f"there is no fix {kind!r}: {', '.join(FIXES)}")
    if queue and not fix.of_queue:
        raise Refused(f"{kind} is of the whole site: it takes no queue")
    if not queue and fix.of_queue and fix is not CloseFolder:
        raise Refused(f"{kind} needs the queue")
    return fix
