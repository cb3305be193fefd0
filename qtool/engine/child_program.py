"""What the interpreter of a runner's own process is started with: this file, by path.

So the working folder, which may hold anything, is not where modules are looked for,
and it is the qtool of the master that runs, wherever that was imported from.
"""

import signal
import sys
from pathlib import Path


def begin() -> None:
    """Serve the master at the other end of the socket that the first argument names."""
    # Of Ctrl-C and of a terminal that goes the master hears, and stops its runners.
    # Not SIG_IGN, which programs that a runner starts would inherit.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    sys.path.insert(0, str(Path(__file__).parents[2]))
    import qtool.engine

    assert qtool.engine.__path__
    del sys.path[0]
    from qtool.engine.child import serve

    serve(int(sys.argv[1]))


if __name__ == "__main__":
    begin()
