"""What the commands share that act on runners, or on one slice of a runner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtool.commands.output import DONE, FAILED, LEFT, put, put_json, tell
from qtool.commands.site import again, opened
from qtool.control.models import State
from qtool.errors import QToolError, Refused
from qtool.installation.specs import named

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable
    from typing import TypeAlias

    from qtool.commands.arguments import Parser
    from qtool.control.control import Control
    from qtool.installation.specs import Chosen

    Act: TypeAlias = Callable[[Control, str, int | None], str]
    """Acts on a runner, or on one of its slices; returns what happened in a line."""

HINT = "a runner; one slice of it, as in out:0:4; or All"


def command(
    examples: str, act: Act, *, by_daemon: bool
) -> tuple[Callable[[Parser], None], Callable[[Namespace], int]]:
    """Return ``options`` and ``run`` of a command that takes nothing but a runner.

    Args:
        examples: For the help.
        act: As of ``steer``.
        by_daemon: Likewise.
    """

    def options(parser: Parser) -> None:
        """Add the arguments of the command."""
        parser.epilog = examples
        arguments(parser)

    def run(options: Namespace) -> int:
        """Do it; print what happened."""
        return steer(options, act, by_daemon=by_daemon)

    return options, run


def arguments(parser: Parser) -> None:
    """Add the arguments that all these commands have."""
    parser.add_argument("runner", metavar="RUNNER[:slice:range]", help=HINT)
    json_argument(parser)


def json_argument(parser: Parser) -> None:
    """Add ``--json``."""
    parser.add_json("one JSON object a runner, one a line")


def steer(options: Namespace, act: Act, *, by_daemon: bool) -> int:
    """Do something to the runners that are named; return the exit status.

    Args:
        options: They name the site and the runners.
        act: Does it.
        by_daemon: Only who runs the site can do it; else it is on record.

    Raises:
        QToolError: It is not done to any of them.
    """
    done, refusals = 0, list[QToolError]()
    with opened(options) as control:
        parts = named(control.configuration, [options.runner])
        for part in parts:
            try:
                if by_daemon:
                    _check_served(control, part, options)
                line = act(control, part.name, part.slice)
            except QToolError as error:
                refusals.append(error)
            else:
                done += 1
                _say(part, line, options)
    if not done and len(refusals) == 1:
        raise refusals[0]
    for refusal in refusals:
        tell(str(refusal))
    if refusals:
        return LEFT if done else FAILED
    return DONE


def _check_served(control: Control, part: Chosen, options: Namespace) -> None:
    """Refuse where no daemon could do it, and say what could."""
    if control.site().attached:
        return
    row = control.scan().row(part.name)
    if row is not None and row.state.is_mailmans:
        raise Refused(row.refusal)
    held = f"; {row.note}" if row is not None and row.state is State.CLAIMED else ""
    start = again(options, "run")
    raise Refused(f"no daemon runs this site{held}: {start} starts one")


def _say(part: Chosen, line: str, options: Namespace) -> None:
    if options.json:
        put_json({"runner": part.name, "slice": part.slice, "told": line})
    else:
        put(line)
