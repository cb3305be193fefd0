"""``qtool shell``: a prompt, a line of code, or a script."""

from __future__ import annotations

import sys
from argparse import REMAINDER
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.commands.output import tell
from qtool.commands.site import opened

if TYPE_CHECKING:
    from argparse import Namespace

    from qtool.commands.arguments import Parser

_EXAMPLES = """\
examples:
  qtool shell
  qtool shell -c 'print(len(switchboards["in"].files))'
  qtool --read-only shell report.py in out
"""


def options(parser: Parser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EXAMPLES
    parser.add_argument("-c", dest="code", metavar="CODE", help="run this and leave")
    parser.add_argument("script", nargs="?",
                        help="run this file; `-`: standard input")  # fmt: skip
    parser.add_argument("arguments", nargs=REMAINDER, help="for the script")


def run(options: Namespace) -> int:
    """Run what was given, or else open the prompt."""
    program = _program(options)
    with opened(options, in_line=program is not None) as control:
        if options.start:
            tell(control.start_all())
        if program is None:
            # ptpython costs 150 ms, which a script need not pay.
            from qtool.shell.prompt import open_prompt

            return open_prompt(control)
        from qtool.shell import script

        source, name, arguments = program
        return script.run(control, source, name=name, arguments=arguments)


def _program(options: Namespace) -> tuple[str | bytes, str, list[str]] | None:
    """Return the source, its name and its arguments; None for the prompt."""
    words = [word for word in (options.script, *options.arguments) if word is not None]
    if options.code is not None:
        return options.code, "-c", words
    if words and words[0] != "-":
        return Path(words[0]).read_bytes(), words[0], words[1:]
    if words or not sys.stdin.isatty():
        return sys.stdin.buffer.read(), "<stdin>", words[1:]
    return None
