"""``python -m qtool.commands.private``: the engine of a console, and its alone.

The console starts it, and nobody else does: it serves the console over a socket that
it inherits, has no terminal, and goes when the console has gone, however that went.
"""

from __future__ import annotations

import select
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(words: Sequence[str]) -> int:
    """Serve the console, once it asks for something.

    Args:
        words: The number of the socket, and what ``serve`` takes besides.
    """
    number, *rest = words
    # To import all that is needed would slow down the console's own start.
    asked = select.poll()
    asked.register(int(number), select.POLLIN)
    asked.poll()
    import socket

    from qtool.commands.engine import serve

    end = socket.socket(fileno=int(number))
    end.set_inheritable(False)
    return serve(end, *rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
