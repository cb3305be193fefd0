"""``qtool dump``: what a qfile holds, without a spool and without running it.

It is often run over many files from other programs, so nothing is imported
here that reading one file does not need.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.commands.output import DONE, FAILED, put, tell
from qtool.errors import QFileError, UnreadableQFile
from qtool.msgdata import format_msgdata, to_json
from qtool.qfile import decode, look
from qtool.untrusted import visible, visible_block

if TYPE_CHECKING:
    from argparse import Namespace

    from qtool.commands.arguments import Parser
    from qtool.qfile import QFile

_EXAMPLES = """\
examples:
  qtool dump /var/spool/mailman/shunt/*.pck
  qtool dump --message FILE.pck | less
  qtool dump --json -m FILE.pck | jq -r .message
"""

_STANDARD_INPUT = "-"
_LONGEST_NAME = 5000


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    parser.mixes = True
    parser.add_argument("files", metavar="QFILE", nargs="+", help="`-`: standard input")
    parser.add_argument("-m", "--message", action="store_true",
                        help="print the message text first")  # fmt: skip
    parser.add_json("one JSON object a file, one a line")


def run(options: Namespace) -> int:
    """Print each file; those that cannot be read are told, and the others printed."""
    status = DONE
    shown = 0
    for name in options.files:
        try:
            text = _text(_look(name), name, options, first=shown == 0)
        except QFileError as error:
            tell(f"{_shown(name)}: {error.reason}")
            status = FAILED
        except (MemoryError, RecursionError) as error:
            tell(f"{_shown(name)}: too large to show ({type(error).__name__})")
            status = FAILED
        else:
            put(text)
            shown += 1
    return status


def _look(name: str) -> QFile:
    if name != _STANDARD_INPUT:
        return look(Path(name))
    try:
        return decode(sys.stdin.buffer.read(), strict=False)
    except OSError as error:
        raise UnreadableQFile(error.strerror) from error


def _text(qfile: QFile, name: str, options: Namespace, *, first: bool) -> str:
    """Return all that is printed of one file, so that nothing is when it fails."""
    if options.json:
        return _json_line(qfile, name, with_message=options.message)
    lines = []
    if len(options.files) > 1:
        lines += [*([] if first else [""]), f"==> {_shown(name)} <=="]
    if options.message:
        text = visible_block(_message_text(qfile), sys.maxsize)
        lines += [text.rstrip("\n"), ""]
    return "\n".join([*lines, *format_msgdata(qfile.msgdata)])


def _json_line(qfile: QFile, name: str, *, with_message: bool) -> str:
    import json

    facts: dict[str, object] = {
        "file": name,
        "form": qfile.form,
        "opaque": list(qfile.opaque),
        "msgdata": to_json(qfile.msgdata),
    }
    if with_message:
        facts["message"] = _message_text(qfile)
    # ASCII: no control character and no odd encoding can get out.
    return json.dumps(facts, ensure_ascii=True)


def _message_text(qfile: QFile) -> str:
    """Return the message; what is no UTF-8 comes back by the same error handler."""
    from qtool.qfile import message_bytes_of

    return message_bytes_of(qfile.message).decode("utf-8", "surrogateescape")


def _shown(name: str) -> str:
    return "standard input" if name == _STANDARD_INPUT else visible(name, _LONGEST_NAME)
