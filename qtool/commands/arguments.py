"""The command line's grammar.

Each command is a module ``qtool.commands.NAME`` with two functions: ``options(parser)``
adds its arguments, and its examples as the ``epilog``; ``run(options)`` does it and
returns the exit status. To add one, write the module and a line in ``_COMMANDS``. The
module is imported only when the command line names the command, and every call of it
pays for what stands at its top.
"""

from __future__ import annotations

import argparse
import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

_ABOUT = "See, step and mend the queues of mail queue runners."

_EXAMPLES = """\
examples:
  qtool demo                           see it work, on a throw-away spool
  qtool                                the board over your spool
  qtool --config /etc/mailman.cfg      the board over a GNU Mailman 3 site
  qtool inject in message.eml          put a message into the queue `in`
  qtool run --once                     process what waits, then leave
  qtool run -r out:0:4                 work the first of four slices of `out`
  qtool dump QFILE                     show the metadata in a queue file
  qtool COMMAND --help                 more of one command

exit status: 0 done, 1 it failed, 2 the command line is wrong, 3 something is
left as it was, 130 ended with Ctrl-C; check has those of monitoring plugins
"""

_COMMANDS: dict[str, dict[str, str]] = {
    "look": {
        "status": "what waits in each queue, and who runs",
        "top": "the board as text that keeps up",
        "check": "whether all is well, for Nagios, Icinga and their like",
        "ls": "what is in a queue, entry by entry",
        "find": "entries that a filter matches, in all queues",
        "show": "one entry, whole: headers, body and metadata",
        "shunts": "why messages were put aside",
        "dump": "print the metadata in queue files",
        "log": "what the daemon has logged",
        "audit": "who did what, to which files, and from where",
        "metrics": "what waits and what became of messages, for Prometheus",
    },
    "act on runners": {
        "run": "run the configured runners in the foreground, without a screen",
        "start": "have the daemon start a runner",
        "stop": "stop a runner, or the daemon, after the messages in hand",
        "restart": "stop a runner after the message in hand, and start it again",
        "pause": "have a runner take nothing for a while, whoever runs it",
        "resume": "let a paused runner go on",
        "snooze": "change how long a runner sleeps between passes",
        "step": "have a runner process one file, and show what that did",
    },
    "act on mail": {
        "inject": "put a message into a queue",
        "hold": "put entries where no runner takes them, until they are released",
        "release": "let held entries wait in their queue again",
        "requeue": "give entries the time of now: due at once, or last in line",
        "move": "put entries into another queue",
        "unshunt": "put shunted entries back to where they came from",
        "restore": "let preserved entries wait again",
        "edit": "change the metadata or the headers of a waiting entry",
        "discard": "put entries into the trash",
        "cull": "put what is old into the trash",
        "undo": "take back what was done to entries",
        "trash": "what was discarded, and emptying it",
    },
    "site": {
        "doctor": "what is wrong at the site, and what helps",
        "leave": "give the site back: remove what qtool keeps there",
        "units": "write systemd units for the site",
        "completion": "have bash or zsh complete the words of qtool",
        "shell": "a Python prompt with the site's queues and runners in it",
        "demo": "see it work, on a throw-away spool",
    },
}
"""What each command is for, in the groups of the help."""

_NEGATED = re.compile(
    r"-(?:[(@]|(?:list|from|to|subject|id|age|due|size|attempts|slice|why|origin|state"
    r"|name)[:=~<>])",
    re.IGNORECASE,
)
"""How a filter begins that does so with a term turned round; no option does."""
_CONSOLES = ("shell",)
"""Commands that stay open and start nothing by themselves."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and whose help may be in colour."""

    mixes = False
    """Whether options may stand between positional arguments, too."""
    is_plugin = False
    """Whether it is called as monitoring plugins are: what is wrong is *unknown*."""
    fill: Callable[[Parser], None] | None = None
    """Adds the grammar, when it turns out to be needed: that costs milliseconds."""

    def add_json(self, what: str = "one JSON object a line") -> None:
        """Add ``--json``; ``what`` says what that prints."""
        self.add_argument("--json", action="store_true", help=what)

    def add_why(self) -> None:
        """Add ``--why``, which goes on record with an act."""
        self.add_argument("--why", metavar="TEXT", default="",
                          help="for the audit, and for whoever asks later")  # fmt: skip

    def add_dry_run(self, what: str) -> argparse._MutuallyExclusiveGroup:
        """Add ``--dry-run``; return where goes what does without a question.

        Args:
            what: What it shows.
        """
        how = self.add_mutually_exclusive_group()
        how.add_argument("--dry-run", action="store_true", help=f"only show {what}")
        return how

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Return the options, and the words that are none."""
        fill, self.fill = self.fill, None
        if fill is not None:
            fill(self)
        if not self.mixes or "--" in args:
            return super().parse_known_args(args, namespace)
        # Alone it takes QUEUE without FILE where an option stands between them.
        self.mixes = False  # the other one calls back, for each kind of words
        return self.parse_known_intermixed_args(args, namespace)

    def _parse_optional(self, arg_string: str) -> Any:
        """Return nothing for a word that is no option, but a filter's."""
        return (
            None if _NEGATED.match(arg_string) else super()._parse_optional(arg_string)
        )

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, and end with the status for usage."""
        from qtool.commands.output import USAGE, as_plugin, put_unknown, tell

        if self.is_plugin:
            raise SystemExit(as_plugin(lambda: put_unknown(message)))
        tell(f"{message} (see {self.prog} --help)")
        raise SystemExit(USAGE)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a command that there is not, without naming all that there are."""
        if action.dest == "command" and value not in (action.choices or ()):
            from difflib import get_close_matches

            near = [name for name in commands() if name.startswith(value)]
            near = near or get_close_matches(value, commands(), 2)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise argparse.ArgumentError(None, f"there is no command {value!r}{hint}")
        super()._check_value(action, value)

    def print_help(self, file: Any = None) -> None:
        """Write the help as data: what is lost of it is told."""
        from qtool.commands.output import put

        del file  # it is for nobody else
        put(self.format_help().removesuffix("\n"))

    def format_help(self) -> str:
        """Return the help, in colour where that is wanted and possible."""
        import os
        import sys

        # rich costs 40 ms, and only help needs it.
        if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
            from rich_argparse import RawDescriptionRichHelpFormatter

            RawDescriptionRichHelpFormatter.text_markup = False  # [] is meant
            RawDescriptionRichHelpFormatter.group_name_formatter = str
            self.formatter_class = RawDescriptionRichHelpFormatter
        return super().format_help()


def commands() -> dict[str, str]:
    """Return the name of each command, and what it is for."""
    return {
        name: about for group in _COMMANDS.values() for name, about in group.items()
    }


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options; ``command`` is None for the board.

    Raises:
        SystemExit: After ``--help``, ``--version`` or a usage error.
    """
    parser = _parser(whole=False)
    options = parser.parse_args(arguments)
    if options.config and options.root:
        parser.error("--config and --root exclude each other")
    if options.start and options.command not in (None, *_CONSOLES):
        parser.error(f"--start means nothing to {options.command}")
    if options.command == "demo":
        for name in ("config", "root", "read_only", "mailman_bin"):
            if getattr(options, name):
                option = f"--{name.replace('_', '-')}"
                parser.error(f"{option} means nothing to demo: its site is its own")
    return options


def whole() -> Parser:
    """Return the grammar of all commands, for who reads it all."""
    return _parser(whole=True)


def _parser(*, whole: bool) -> Parser:
    parser = Parser(
        prog="qtool",
        usage="%(prog)s [OPTION]... [COMMAND [OPTION]...]",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    choice = parser.add_subparsers(
        dest="command", metavar="COMMAND", prog="qtool", parser_class=Parser,
        help=None if whole else argparse.SUPPRESS,
    )  # fmt: skip
    width = max(map(len, commands()))
    for title, group in _COMMANDS.items():
        lines = (f"{name:{width}}  {about}" for name, about in group.items())
        parser.add_argument_group(title, "\n".join(lines))
        for name, about in group.items():
            made = choice.add_parser(
                name,
                help=about,
                description=f"{about[0].upper()}{about[1:]}.",
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
            made.fill = _filling(name, parser)
    for made in choice.choices.values() if whole else ():
        assert made.fill is not None
        made.fill(made)
    _common(parser, console=True)
    parser.set_defaults(config=None, root=None, read_only=False, mailman_bin=None,
                        start=False)  # fmt: skip
    return parser


def _filling(name: str, whole: Parser) -> Callable[[Parser], None]:
    """Return what adds the grammar of one command to its parser."""

    def fill(parser: Parser) -> None:
        import_module(f"qtool.commands.{name}").options(parser)
        whole.is_plugin = parser.is_plugin  # which is who finds odd words
        # Suppressed defaults leave alone what stands before the command.
        parser.argument_default = argparse.SUPPRESS
        _common(parser, console=name in _CONSOLES, hidden=name == "demo")

    return fill


class _Version(argparse.Action):
    """Print the version; reading it from the metadata is too slow to do unasked."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        from importlib.metadata import version

        from qtool.commands.output import put

        put(f"qtool {version('qtool')}")
        parser.exit()


def _common(parser: Parser, *, console: bool, hidden: bool = False) -> None:
    site = parser.add_argument_group("which site")
    site.add_argument("-C", "--config", metavar="FILE", type=Path,
                      help="configuration, qtool's own or a mailman.cfg")  # fmt: skip
    site.add_argument("--root", metavar="DIR", type=Path,
                      help="each sub-folder of DIR is a queue")  # fmt: skip
    site.add_argument("--read-only", action="store_true",
                      default=argparse.SUPPRESS, help="change nothing")  # fmt: skip
    site.add_argument("--mailman-bin", metavar="DIR", type=Path,
                      help="folder of Mailman's `runner` program")  # fmt: skip
    if console:
        site.add_argument("--start", action="store_true", default=argparse.SUPPRESS,
                          help="start the runners with the console")  # fmt: skip
    if hidden:  # known, to be refused by name
        for action in site._group_actions:
            action.help = argparse.SUPPRESS
