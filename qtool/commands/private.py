"""The program of the process that is the engine of a console, and its alone.

The console starts it, and nobody else does: it serves the console over a socket that
it inherits, has no terminal, and goes when the console has gone, however that went.
"""

from __future__ import annotations

import select


def main(number: str, programs: str, config: str, actor: str) -> None:
    """Serve the console, once it asks for something.

    Args:
        number: Of the descriptor of the socket between them.
        programs: The folder of Mailman's programs, or nothing.
        config: The configuration file, or nothing for the built-in default.
        actor: Who acts in the console; see ``qtool.control.acting``.
    """
    # To import all that is needed would slow down the console's own start.
    asked = select.poll()
    asked.register(int(number), select.POLLIN)
    asked.poll()
    import socket

    from qtool.commands.engine import serve

    end = socket.socket(fileno=int(number))
    end.set_inheritable(False)
    serve(end, programs, config, actor)
