"""The process that holds Mailman's master lock while runners of ours need it.

Nobody's child, and no signal but SIGKILL ends it: it ends when nobody needs it.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path

from qtool.engine.mailman_lease import Lease
from qtool.engine.mailman_register import FAILED, HELD, RUNS, Register
from qtool.errors import MailmanRuns, QToolError

_LOOK_SECONDS = 5.0
"""How often it looks whether the lock is still there."""


def main(number: str, lock_file: str, state_directory: str) -> None:
    """Hold the lock, if it can be had; say so.

    Args:
        number: Descriptor of the socket that takes the answer.
        lock_file: Mailman's master lock.
        state_directory: The state folder of its spool.
    """
    if os.fork():
        return  # so that nobody has to wait for the other's end
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    with socket.socket(fileno=int(number)) as end:
        try:
            register = Register(Path(state_directory))
            # The name that Mailman has for this host.
            host = socket.getfqdn()
            lease = Lease(Path(lock_file), host=host, pid=os.getpid())
            # Noted first: killed in between, the lock is known to be one of ours.
            lease.take(register.note(lease.claim))
            register.hold()
        except (QToolError, OSError) as error:
            word = RUNS if isinstance(error, MailmanRuns) else FAILED
            end.sendall(f"{word} {error}".encode(errors="backslashreplace"))
            return
        with suppress(OSError):  # who asked may be gone
            end.sendall(HELD.encode())
    _keep(register, lease)


def _keep(register: Register, lease: Lease) -> None:
    """Keep the lock until nobody needs it, or somebody has taken it away."""
    alone = threading.Event()

    def wait() -> None:
        register.wait_until_alone()
        alone.set()

    threading.Thread(target=wait, daemon=True).start()
    while not alone.wait(_LOOK_SECONDS):
        if not lease.is_ours():
            return  # whoever works there is told by the end of this process
        with suppress(OSError):
            lease.refresh()
    lease.give_back()


if __name__ == "__main__":
    main(*sys.argv[1:])
