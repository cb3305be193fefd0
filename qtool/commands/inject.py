"""``qtool inject``: put a message into a queue, as its first receipt."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from qtool.commands.output import DONE, FAILED, USAGE, put, put_json, tell
from qtool.commands.site import again, opened
from qtool.errors import Refused
from qtool.untrusted import visible

if TYPE_CHECKING:
    from argparse import Namespace
    from contextlib import AbstractContextManager
    from datetime import datetime

    from qtool.commands.arguments import Parser
    from qtool.control.control import Control

_EXAMPLES = """\
examples:
  qtool inject in message.eml
  qtool inject in message.eml --listid ant.example.com
  qtool inject out -m deliver_after=2026-12-31T18:30 < message.eml
"""

_LONGEST_PATH = 5000
_DELIVER_AFTER = "deliver_after"
"""Metadata that are a time."""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    parser.mixes = True
    parser.add_argument("queue", metavar="QUEUE")
    parser.add_argument("file", metavar="FILE", nargs="?", default="-",
                        help="the message; standard input without it")  # fmt: skip
    parser.add_argument("-m", "--metadata", metavar="KEY=VALUE", action="append",
                        default=[], help="metadata: a JSON scalar (true, 3, null,"
                        " \"x\"), or else a string")  # fmt: skip
    parser.add_argument("--listid", metavar="LISTID",
                        help="the list it is for: test.example.com")  # fmt: skip
    parser.add_json("where it went, as one JSON object")


def run(options: Namespace) -> int:
    """Inject what the file or standard input holds; print where it went."""
    try:
        msgdata = _metadata(options.metadata)
    except ValueError as error:
        tell(str(error))
        return USAGE
    if options.listid is not None:
        msgdata["listid"] = options.listid
    try:
        opening = _opening(options.file)  # root may be another user afterwards
    except OSError as error:
        tell(f"{options.file}: {error.strerror}")
        return FAILED
    with opening as stream, opened(options) as control:
        # An unknown queue is told before anybody types a message.
        control.entries(options.queue, 1)
        try:
            data = _message(stream)
        except OSError as error:
            tell(f"{options.file}: {error.strerror}")
            return FAILED
        hint = _list_hint(control, options.queue, msgdata.get("listid"))
        try:
            injected = control.inject(options.queue, data, msgdata)
        except OSError as error:
            where = error.filename or options.queue  # a full disk names no file
            tell(f"not put into {where}: {error.strerror or error}")
            return FAILED
        if options.json:
            put_json(injected)
        else:
            put(f"filebase: {visible(injected.filebase)}")
            put(f"queue   : {visible(injected.queue)}")
            put(f"path    : {visible(injected.path, _LONGEST_PATH)}")
        for line in filter(None, [hint]):
            tell(line)
        if not injected.served:
            tell(_nobody_runs(control, options))
    return DONE


def _opening(name: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb")


def _message(stream: BinaryIO) -> bytes:
    if stream.isatty():
        tell("type a message, headers first; Ctrl+D ends it")
    data = stream.read()
    if not data.strip():
        raise Refused("there is no message: the input is empty")
    return data


def _metadata(pairs: list[str]) -> dict[str, Any]:
    """Return metadata from ``KEY=VALUE``: a JSON scalar, a time, or else a string."""
    msgdata: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not key or not equals:
            raise ValueError(f"-m {pair}: expected KEY=VALUE")
        try:
            value = json.loads(text, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            value = text
        if key == _DELIVER_AFTER and isinstance(value, str | bool):
            value = _local_time(pair, text)
        msgdata[key] = text if isinstance(value, dict | list) else value
    return msgdata


def _local_time(pair: str, text: str) -> datetime:
    """Return a time as Mailman compares it with its own clock: without a zone."""
    from datetime import datetime

    try:
        when = datetime.fromisoformat(text.strip('"'))
        return when.astimezone().replace(tzinfo=None)
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(
            f"-m {pair}: expected a date (2026-12-31T18:30, with or without +01:00)"
            " or seconds since 1970"
        ) from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _list_hint(control: Control, queue: str, listid: object) -> str:
    """Return why a runner will shunt the message; empty if it knows the list."""
    row = control.scan().row(queue)
    if row is None or row.runner is None:
        return ""
    if control.site().kind == "mailman3":
        shunts = "no list is named (--listid LISTID): Mailman shunts such a message"
        return "" if listid or not row.state.is_mailmans else shunts
    if listid is None or control.configuration.lists.get(listid) is not None:
        return ""
    return (
        f"there is no list {visible(listid, 80)} here, so the message will be shunted:"
        " a section [list.ADDRESS] makes one, or create_list in qtool shell"
    )


def _nobody_runs(control: Control, options: Namespace) -> str:
    """Say that the message waits, and how it will be taken."""
    queue = options.queue
    row = control.scan().row(queue)
    waits = f"no runner is running for `{queue}`: the message waits."
    if row is not None and row.state.is_mailmans:
        return (
            f"{waits} Start Mailman (mailman start), or step it: {again(options, '')}"
        )
    if row is not None and row.refusal:
        return f"{waits} {row.refusal}"
    return f"{waits} Start one: {again(options, 'run')}"
