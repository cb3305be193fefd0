"""Code that was given: with ``-c``, in a file, or through a pipe. No ptpython."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from qtool.shell.names import preloaded
from qtool.shell.output import error_text, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtool.control.control import Control

_OK, _RAISED = 0, 1


def run(
    control: Control, source: str | bytes, *, name: str, arguments: Sequence[str] = ()
) -> int:
    """Run a program with the shell's names; return 0, or 1 when it raised.

    Args:
        control: The open site.
        source: The program.
        name: What tracebacks and ``sys.argv`` call it.
        arguments: The rest of ``sys.argv``.

    Raises:
        SystemExit: The program asked for it.
    """
    names = {**preloaded(control), "__name__": "__main__"}
    former, sys.argv = sys.argv, [name, *arguments]
    try:
        code = compile(source, name, "exec", dont_inherit=True)
        exec(code, names)  # noqa: S102 - running it is what was asked for
    except Exception as error:  # noqa: BLE001 - the edge: whatever the program raises
        sys.stdout.flush()
        say(error_text(error, own_frames=1), sys.stderr)
        return _RAISED
    finally:
        sys.argv = former
    return _OK
