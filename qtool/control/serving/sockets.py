"""The socket of a daemon: who may connect, and who is at the other end."""

from __future__ import annotations

import errno
import os
import socket
import stat
import struct
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from qtool.control.serving.alone import alone
from qtool.control.serving.attaching import LONGEST_PATH
from qtool.errors import Refused, Unreachable

CONNECTION, FINISH, GIVE_BACK, GONE = b"+", b".", b"!", b""
"""What the window of an engine of its own says over the socket between them: here
is the end of another connection; finish the messages in hand and go; give them back
and go. At last it says nothing any more."""

_CREDENTIALS = struct.Struct("3i")
_BACKLOG = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Who is at the other end, as the system says it."""

    pid: int
    uid: int
    gid: int


def peer_of(connection: socket.socket) -> Peer:
    """Return who is at the other end."""
    data = connection.getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size
    )
    pid, uid, gid = _CREDENTIALS.unpack(data)
    return Peer(pid=pid, uid=uid, gid=gid)


def connected(path: Path) -> socket.socket | None:
    """Connect to a daemon; return None where no one listens there any more.

    Raises:
        Refused: It does not let this user in, or what is there is no socket.
        Unreachable: It lets nobody in at this moment.
    """
    connection = socket.socket(socket.AF_UNIX)
    connection.setblocking(False)
    try:
        connection.connect(os.fspath(path))
    except BlockingIOError as error:  # as many as may wait for it do
        connection.close()
        raise Unreachable(f"the daemon does not answer at {path}") from error
    except OSError as error:
        connection.close()
        if error.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        if error.errno == errno.ECONNREFUSED and _is_socket(path):
            return None
        if error.errno == errno.ECONNREFUSED:
            raise Refused(f"{path} is no socket: remove it") from error
        raise Refused(
            f"a daemon's socket is at {path}, and it refuses you: {error.strerror}"
        ) from error
    connection.setblocking(True)
    return connection


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.lstat().st_mode)
    except FileNotFoundError:
        return True  # a moment ago it was


def trusted(connection: socket.socket, path: Path, spool: Path) -> Peer:
    """Return the daemon at the other end, if it is one to hand messages to.

    Raises:
        Refused: It is neither root's, nor ours, nor the spool's owner's.
    """
    peer = peer_of(connection)
    owners = {0, os.geteuid()}
    with suppress(OSError):  # not there yet, or not for this user to see
        owners.add(spool.stat().st_uid)
    if peer.uid not in owners:
        raise Refused(
            f"{path} belongs to pid {peer.pid} of user {peer.uid}, whose this spool"
            " is not"
        )
    return peer


def listening(path: Path, group: int | None) -> socket.socket:
    """Return a socket that listens at ``path``, for this user and that group.

    What a killed daemon left there is replaced.

    Raises:
        Refused: Somebody listens there already, or it cannot be made.
    """
    if len(os.fsencode(path)) > LONGEST_PATH:
        raise Refused(f"{path}: too long for a socket ({LONGEST_PATH} bytes)")
    try:
        with alone(path):
            _remove_stale(path)
            return _bound(path, group)
    except OSError as error:
        raise Refused(f"{path} cannot be listened at: {error.strerror}") from error


def _remove_stale(path: Path) -> None:
    connection = connected(path)
    if connection is not None:
        with connection:
            pid = peer_of(connection).pid
        raise Refused(f"pid {pid} serves this site already, at {path}")
    path.unlink(missing_ok=True)


def _bound(path: Path, group: int | None) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(os.fspath(path))
    except OSError:
        listener.close()
        raise
    try:
        # Nobody gets in before it listens, so there is no moment of other rights.
        path.chmod(0o600)
        if group is not None:
            os.chown(path, -1, group)
            path.chmod(0o660)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        path.unlink(missing_ok=True)
        raise
    return listener


# --- Between a window and the engine that is its own


def handed_over(end: socket.socket) -> socket.socket:
    """Return a new connection to whoever listens at the other end of ``end``.

    Raises:
        OSError: Nobody does any more.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        try:
            socket.send_fds(end, [CONNECTION], [theirs.fileno()])
        except OSError:
            ours.close()
            raise
    return ours


def taken(end: socket.socket) -> socket.socket | bytes:
    """Wait for what comes over ``end``: a connection, or else what is said.

    Raises:
        OSError: A connection came, and no descriptor is free for it.
    """
    try:
        said, numbers, _, _ = socket.recv_fds(end, 1, 1, socket.MSG_CMSG_CLOEXEC)
    except OSError:
        return GONE
    if said == CONNECTION:
        if not numbers:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return socket.socket(fileno=numbers[0])
    return said
