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

from qtool.engine.mailman_lease import Lease, holder_in
from qtool.engine.mailman_register import FAILED, HELD, RUNS, Register
from qtool.engine.mailman_site import command_line
from qtool.errors import MailmanRuns, QToolError, RunnerError

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
            register, lease = _held(Path(lock_file), Path(state_directory))
        except (QToolError, OSError) as error:
            word = RUNS if isinstance(error, MailmanRuns) else FAILED
            end.sendall(f"{word} {error}".encode(errors="backslashreplace"))
            return
        with suppress(OSError):  # who asked may be gone
            end.sendall(HELD.encode())
    _keep(register, lease)


def _held(lock_file: Path, state_directory: Path) -> tuple[Register, Lease]:
    """Be the holder, and take the lock; neither where one of them fails."""
    register = Register(state_directory)
    try:
        # The name that Mailman has for this host.
        host = socket.getfqdn()
        lease = Lease(lock_file, host=host, pid=os.getpid())
        register.hold()
        former = register.noted()
        _check_ended(former, host, lock_file)
        _take(register, lease, former)
    except BaseException:
        register.close()
        raise
    return register, lease


def _check_ended(former: str, host: str, lock_file: Path) -> None:
    """Refuse where a holder lives, though the register does not say so any more."""
    named, pid = holder_in(former) or ("", 0)
    if named != host or pid in {os.getpid(), os.getppid()}:  # its number came again
        return
    if {__spec__.name, str(lock_file)} <= {*command_line(pid)}:
        raise RunnerError(
            f"pid {pid} holds Mailman's master lock for qtool, and cannot be asked to"
            " give it back: end it"
        )


def _take(register: Register, lease: Lease, former: str) -> None:
    """Take the lock, also one that a holder of ours left when it was killed."""
    # Noted first: killed in between, the lock is known to be one of ours.
    register.note(lease.claim)
    try:
        lease.take(former)
    except BaseException:
        register.note(former)
        raise


def _keep(register: Register, lease: Lease) -> None:
    """Keep the lock until nobody needs it, or somebody has taken it away."""
    alone = threading.Event()

    def wait() -> None:
        register.wait_until_alone()
        alone.set()

    try:
        threading.Thread(target=wait, daemon=True).start()
        # Where it is not, whoever works there is told by the end of this process.
        while not alone.wait(_LOOK_SECONDS) and lease.is_ours():
            with suppress(OSError):
                lease.refresh()
    finally:
        lease.give_back()


if __name__ == "__main__":
    main(*sys.argv[1:])
