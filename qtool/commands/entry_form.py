"""An entry as text that a person edits: headers, an empty line, metadata as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from qtool.errors import Refused
from qtool.msgdata import from_json, to_json, volatile
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qtool.control.models import EntryView

Headers = tuple[tuple[str, str], ...]

_ABOUT = """\
# {where}
# Headers, an empty line, metadata as JSON. The body stays as it is. Lines that begin
# with # are left out. Leave the file as it is to change nothing.
"""
_BLANKS = (" ", "\t")


def form_of(view: EntryView) -> str:
    """Return what an editor is given."""
    about = _ABOUT.format(where=visible(f"{view.queue}: {view.filebase}", 200))
    return about + text_of(view.headers, view.msgdata)


def text_of(headers: Headers, msgdata: Mapping[str, Any]) -> str:
    """Return headers and metadata as they are edited."""
    lines = [f"{name}: {value}" for name, value in headers]
    kept = {key: msgdata[key] for key in msgdata if not volatile(key)}
    data = json.dumps(to_json(kept), indent=2, sort_keys=True, ensure_ascii=False)
    return "\n".join([*lines, "", data, ""])


def parsed(text: str) -> tuple[Headers, dict[str, Any]]:
    """Return the headers and the metadata of a form.

    Raises:
        Refused: It is no form any more; in one line, where.
    """
    lines = text.splitlines()
    first = next((n for n, line in enumerate(lines) if line[:1] != "#"), len(lines))
    headers: list[tuple[str, str]] = []
    for number, line in enumerate(lines[first:], first + 1):
        if not line.strip():
            return tuple(headers), _msgdata("\n".join(lines[number:]))
        if line.startswith(_BLANKS) and headers:
            name, value = headers[-1]
            headers[-1] = (name, f"{value}\n{line}")
            continue
        name, colon, value = line.partition(":")
        if not colon:
            raise Refused(f"line {number}: expected a header, Name: value")
        headers.append((name, value.removeprefix(" ")))
    raise Refused("expected an empty line between the headers and the metadata")


def _msgdata(text: str) -> dict[str, Any]:
    kept = "\n".join(line for line in text.splitlines() if line[:1] != "#")
    try:
        return from_json(json.loads(kept))
    except ValueError as error:
        raise Refused(f"the metadata is no JSON of an entry: {error}") from error
