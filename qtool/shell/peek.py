"""``peek``: what an entry or a file holds, without taking it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtool import render
from qtool.control.paging import the_file
from qtool.errors import Refused
from qtool.qfile import body_text, headers_of, look
from qtool.qfile.body import BODY_LIMIT
from qtool.untrusted import visible, visible_block

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qtool.control.control import Control
    from qtool.control.models import EntryView

_SHOWN_BODY = 4000
_LONGEST_PATH = 5000
_EXAMPLE = "peek('in', switchboards['in'].files[0])"


class Peek:
    """One entry as values, and as text that is safe to print.

    The values are as untrusted as the file that they come from.
    """

    def __init__(
        self,
        *,
        path: str,
        form: str = "",
        headers: tuple[tuple[str, str], ...] = (),
        body: str = "",
        body_cut: bool = False,
        msgdata: Mapping[str, Any] | None = None,
        opaque: tuple[str, ...] = (),
        error: str = "",
    ) -> None:
        self.path = path
        """Where it is."""
        self.form = form
        """Who wrote it and how, in words."""
        self.headers = headers
        """Names and values, in their order."""
        self.body = body
        """The body, or its beginning."""
        self.body_cut = body_cut
        """Whether there is more of the body than that."""
        self.msgdata = dict(msgdata or {})
        """The metadata."""
        self.opaque = opaque
        """Classes it names that qtool does not know."""
        self.error = error
        """Why it cannot be read; empty when it can."""

    def __repr__(self) -> str:
        lines = [visible(self.path, _LONGEST_PATH)]
        if self.error:
            return "\n".join([*lines, f"cannot be read: {visible(self.error)}"])
        lines.append(f"({visible(self.form)})")
        lines += [f"{visible(name, 80)}: {visible(v)}" for name, v in self.headers]
        cut = self.body_cut or len(self.body) > _SHOWN_BODY
        shown = visible_block(self.body, limit=_SHOWN_BODY, width=500).rstrip("\n")
        lines += ["", *shown.split("\n"), *(["[...]"] if cut else []), ""]
        lines += render.msgdata_lines(self.msgdata)
        if self.opaque:
            lines.append(f"not made real: {visible(', '.join(self.opaque))}")
        return "\n".join(lines)


def peeker(control: Control) -> Callable[..., Peek]:
    """Return the ``peek`` of a site."""

    def peek(where: str | Path, filebase: str | None = None) -> Peek:
        """Return what an entry holds, without taking it.

        Args:
            where: The name of a queue, or the path of a file.
            filebase: The entry of that queue, by the beginning of its name.
        """
        if filebase is None:
            name = str(where)
            if name in control.configuration.switchboards and not Path(name).is_file():
                raise Refused(f"{name} is a queue: name its entry, too: {_EXAMPLE}")
            return _of_file(Path(where))
        queue = str(where)
        return shown(control.entry(queue, the_file(control, queue, filebase)))

    return peek


def shown(view: EntryView) -> Peek:
    """Return an entry that was looked at, as the prompt shows it."""
    return Peek(
        path=view.path,
        form=view.form,
        headers=view.headers,
        body=view.body,
        body_cut=view.body_cut,
        msgdata=view.msgdata,
        opaque=view.opaque,
        error=view.error,
    )


def _of_file(path: Path) -> Peek:
    qfile = look(path)
    body, size = body_text(qfile.message)
    return Peek(
        path=str(path),
        form=qfile.form,
        headers=tuple(headers_of(qfile.message)),
        body=body,
        body_cut=size > BODY_LIMIT,
        msgdata=qfile.msgdata,
        opaque=qfile.opaque,
    )
