"""What the interpreter of a process of ours is started with: this file, by path.

So the working folder, which may hold anything, is not where modules are looked for,
and it is the qtool of who starts it that runs, wherever that was imported from.
"""

import faulthandler
import os
import signal
import sys
from importlib import import_module
from os.path import dirname


def begin(module: str, words: str, *arguments: str) -> None:
    """Call the ``main`` of a module of qtool's.

    Args:
        module: Dotted name.
        words: Number of the descriptor that takes what it ends of, if not in peace.
        arguments: For ``main``.
    """
    # Ctrl-C and a terminal that goes are for who has started this.
    # Not SIG_IGN, which programs that are started from here would inherit.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    descriptor = int(words)
    os.set_inheritable(descriptor, descriptor == 2)
    # Of one thread: to look at those that go on may fail, and that would be told.
    faulthandler.enable(descriptor, all_threads=False)
    try:
        # What is imported here is paid while a console starts: no pathlib.
        sys.path.insert(0, dirname(dirname(dirname(__file__))))  # noqa: PTH120
        import qtool.engine

        assert qtool.engine.__path__
        del sys.path[0]
        import_module(module).main(*arguments)
    except Exception:
        from traceback import format_exc  # seldom

        if descriptor != 2:  # where it says the same
            os.write(descriptor, format_exc().encode(errors="replace"))
        raise


if __name__ == "__main__":
    begin(*sys.argv[1:])
