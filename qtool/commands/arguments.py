"""The command line's grammar."""

from __future__ import annotations

import argparse
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
"""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and whose help may be in colour."""

    mixes = False
    """Whether options may stand between positional arguments, too."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Return the options, and the words that are none."""
        if not self.mixes or "--" in args:
            return super().parse_known_args(args, namespace)
        # Alone it takes QUEUE without FILE where an option stands between them.
        self.mixes = False  # the other one calls back, for each kind of words
        return self.parse_known_intermixed_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, and end with the status for usage."""
        from qtool.commands.output import USAGE, tell

        tell(f"{message} (see {self.prog} --help)")
        raise SystemExit(USAGE)

    def format_help(self) -> str:
        """Return the help, in colour where that is wanted and possible."""
        import os
        import sys

        # rich costs 40 ms, and only help needs it.
        if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
            from rich_argparse import RawDescriptionRichHelpFormatter

            self.formatter_class = RawDescriptionRichHelpFormatter
        return super().format_help()


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options; ``command`` is None for the board.

    Raises:
        SystemExit: After ``--help``, ``--version`` or a usage error.
    """
    parser = _parser(arguments)
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


def _parser(arguments: Sequence[str]) -> Parser:
    parser = Parser(
        prog="qtool",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    _common(parser, console=True)
    parser.set_defaults(config=None, root=None, read_only=False, mailman_bin=None,
                        start=False)  # fmt: skip
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", title="commands", parser_class=Parser
    )
    for name, (about, fill) in _COMMANDS.items():
        made = commands.add_parser(
            name,
            help=about,
            description=f"{about[0].upper()}{about[1:]}.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        # The rest of the grammar costs milliseconds, so only what may be meant.
        if name in arguments:
            fill(made)
            # Suppressed defaults leave alone what stands before the command.
            made.argument_default = argparse.SUPPRESS
            _common(made, console=name in _CONSOLES, hidden=name == "demo")
    return parser


class _Version(argparse.Action):
    """Print the version; reading it from the metadata is too slow to do unasked."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        from importlib.metadata import version

        from qtool.commands.output import put

        put(f"qtool {version('qtool')}")
        parser.exit()


def _common(parser: Parser, *, console: bool, hidden: bool = False) -> None:
    site = parser.add_argument_group("site")
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


def _dump(parser: Parser) -> None:
    parser.mixes = True
    parser.add_argument("files", metavar="QFILE", nargs="+", help="`-`: standard input")
    parser.add_argument("-m", "--message", action="store_true",
                        help="print the message text first")  # fmt: skip
    parser.add_argument("--json", action="store_true",
                        help="one JSON object a file, one a line")  # fmt: skip


def _shell(parser: Parser) -> None:
    parser.add_argument("-c", dest="code", metavar="CODE", help="run this and leave")
    parser.add_argument("script", nargs="?",
                        help="run this file; `-`: standard input")  # fmt: skip
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="for the script")


def _inject(parser: Parser) -> None:
    parser.mixes = True
    parser.add_argument("queue", metavar="QUEUE")
    parser.add_argument("file", metavar="FILE", nargs="?", default="-",
                        help="the message; standard input without it")  # fmt: skip
    parser.add_argument("-m", "--metadata", metavar="KEY=VALUE", action="append",
                        default=[], help="metadata: a JSON scalar (true, 3, null,"
                        " \"x\"), or else a string")  # fmt: skip
    parser.add_argument("--listid", metavar="LISTID",
                        help="the list it is for: test.example.com")  # fmt: skip


def _status(parser: Parser) -> None:
    parser.add_argument("--json", action="store_true", help="the same for programs")


def _run(parser: Parser) -> None:
    parser.epilog = (
        "exit status of --once: 0 nothing is left, 3 work is left, 1 failures"
    )
    parser.add_argument("-o", "--once", action="store_true",
                        help="process what waits, then leave")  # fmt: skip
    parser.add_argument("-r", "--runner", metavar="NAME[:slice:range]",
                        action="append", default=[], help="only this one, or one"
                        " slice of it; All: every one; may be repeated")  # fmt: skip
    parser.add_argument("--processes", action="store_true",
                        help="give each slice of a runner a process of its"
                        " own")  # fmt: skip
    parser.add_argument("--until-empty", action="store_true",
                        help="leave once nothing waits any more")  # fmt: skip


def _units(parser: Parser) -> None:
    parser.add_argument("--dir", metavar="DIR", required=True, type=Path,
                        help="where to write: /etc/systemd/system")  # fmt: skip
    parser.add_argument("--user", metavar="USER",
                        help="whom to run as; else who owns the spool")  # fmt: skip
    parser.add_argument("--mode", choices=("daemon", "timer", "path"), default="daemon",
                        help="run always, every quarter of an hour, or when there is"
                        " mail; else daemon")  # fmt: skip


def _stop(parser: Parser) -> None:
    parser.add_argument("--all", metavar="DIR", type=Path,
                        help="those of every spool at or below DIR")  # fmt: skip


def _metrics(parser: Parser) -> None:
    parser.add_argument("--textfile", metavar="PATH", type=Path,
                        help="replace this file; else standard output")  # fmt: skip


def _nothing(_parser: Parser) -> None:
    """Take no options but those of every command."""


_COMMANDS: dict[str, tuple[str, Callable[[Parser], None]]] = {
    "dump": ("print the metadata in queue files", _dump),
    "shell": ("a Python prompt with the site's queues and runners in it", _shell),
    "inject": ("put a message into a queue", _inject),
    "status": ("what waits in each queue, and who runs", _status),
    "run": ("run the configured runners in the foreground, without a screen", _run),
    "stop": ("stop the daemon of the site, after the messages in hand", _stop),
    "metrics": ("what waits and what became of messages, for Prometheus", _metrics),
    "units": ("write systemd units for the site", _units),
    "demo": ("see it work, on a throw-away spool", _nothing),
}
"""What each command is for, and its options."""

_CONSOLES = ("shell",)
"""Commands that stay open and start nothing by themselves."""
