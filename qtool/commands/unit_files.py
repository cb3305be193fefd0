"""systemd units for a site, of one of three kinds.

``daemon``
    The runners, always. ``Type=notify`` with a watchdog: ``qtool run`` gives its
    sign of life only while no runner hangs.

``timer``
    ``qtool run --once`` every quarter of an hour, at once after a downtime.

``path``
    ``qtool run --until-empty`` as soon as there is an entry in a queue.

Path units are easy to get wrong. ``PathChanged=`` tells of changes, and systemd
does not listen while the service that it started is active: what arrives in the
last moments of a run strands until the next change, and a runner's own output
arrives just then. Two things are needed, and neither does alone.

1. The condition is one that lasts. systemd listens first and then looks whether
   ``PathExistsGlob=`` holds, each time the service has ended, so an entry that came
   in the last moment starts it again. ``DirectoryNotEmpty=`` would last, too, but
   preserved and foreign files would hold it for ever, so the pattern is that of an
   entry: one that waits, or that a killed run has left in flight.
2. The run ends only when that condition does not hold any more, or it would be
   started again at once, for ever, for a message that is kept or rests. So it is not
   ``--once``: it stays while anything waits, and gives retries the clock that a
   one-shot lacks; see ``qtool.commands.emptying``.

One that cannot run at all leaves its entries where they are. ``ExecStopPost=``
then holds the service for half a minute before systemd looks again, so that there is
neither a busy loop nor a start limit, after which a path unit stays dead. A timer
starts the same service now and then for what nobody tells inotify: other hosts'
files on a network file system.

At a Mailman site they run the runners that are ours, while Mailman does not run. The
process that holds Mailman's master lock for them is one of the service's, and killed
with the rest of it when the main process was. So ``ExecStopPost=`` looks at the site
once more: that gives a lock back whose holder was killed.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from qtool.commands.emptying import started
from qtool.errors import Refused
from qtool.untrusted import visible

if TYPE_CHECKING:
    from qtool.settings import Settings

_ENTRY = "[0-9]*.[0-9]*+" + 20 * "[0-9a-f]" + 20 * "?"
"""A glob for the names of entries without the suffix; 255 bytes are the limit."""
_HARDENING = """\
UMask=0007
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome=read-only
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
# Not RestrictSUIDSGID=: the folders of a spool are setgid, for its group."""
_SCRATCH = ("/tmp", "/var/tmp")  # noqa: S108 - recognised, not used
_HELD_SECONDS = 30
"""For how long a service that failed is held before it is started again."""
_SYSTEMS_OWN = frozenset({
    "bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "run",
    "sbin", "sys", "usr",
})  # fmt: skip
"""Folders of the system, with all that is in them."""
_SHARED = frozenset({
    "/", "/home", "/media", "/mnt", "/opt", "/root", "/srv", "/usr/local", "/var",
    "/var/cache", "/var/lib", "/var/log", "/var/mail", "/var/spool", *_SCRATCH,
})  # fmt: skip
"""Folders in which each program has one of its own."""
_QUARTERS = "*:0/15"
TIMER = """\
[Unit]
Description={about}

[Timer]
OnCalendar={when}
Persistent=true

[Install]
WantedBy=timers.target
"""


def units_of(settings: Settings, mode: str, user: str) -> dict[str, str]:
    """Return the text of each unit file by its name.

    Args:
        settings: The site; its source is a configuration file.
        mode: One of ``daemon``, ``timer`` and ``path``.
        user: Whom the runners run as; empty for whoever systemd runs them as.
    """
    if mode == "timer":
        words = ["run --once"]
        if settings.lock_file is not None:  # Mailman's own are Mailman's to run
            words += [f"-r {runner.name}" for runner in started(settings)]
        service = service_text(
            settings, user, "oneshot", " ".join(words), "SuccessExitStatus=3"
        )
        about = "Process what waits in mail queues, every quarter of an hour"
        timer = TIMER.format(about=about, when=_QUARTERS)
        return {"qtool-once.service": service, "qtool-once.timer": timer}
    if mode == "path":
        return _path_units(settings, user)
    # Whoever stops Mailman, which keeps a runner of ours from its work, may want to
    # start it in a moment.
    when = "failure" if settings.lock_file is None else "abnormal"
    service = service_text(
        settings, user, "notify", "run",
        "ExecReload=/bin/kill -HUP $MAINPID\nWatchdogSec=10min\n"
        f"Restart=on-{when}\nRestartSec=5",
    )  # fmt: skip
    return {"qtool.service": service + "\n[Install]\nWantedBy=multi-user.target\n"}


def _path_units(settings: Settings, user: str) -> dict[str, str]:
    service = service_text(
        settings, user, "notify", "run --until-empty",
        "WatchdogSec=10min\nSuccessExitStatus=3\n"
        # A failure leaves entries where they are: see above.
        'ExecStopPost=+/bin/sh -c \'[ "$$EXIT_STATUS" = 0 ] || exec sleep'
        f" {_HELD_SECONDS}'",
        "StartLimitIntervalSec=0\n",
    )  # fmt: skip
    units = {"qtool-drain.service": service}
    for runner in started(settings):
        folder = _in_glob(runner.queue_directory)
        units[f"qtool-{_unit_name(runner.name)}.path"] = (
            f"[Unit]\nDescription=Mail in the queue {_value(runner.name)}\n"
            f"\n[Path]\nPathExistsGlob={folder}/{_ENTRY}.pck\n"
            f"PathExistsGlob={folder}/{_ENTRY}.bak\nUnit=qtool-drain.service\n"
            "\n[Install]\nWantedBy=paths.target\n"
        )
    about = "Look into mail queues, whatever path units have seen"
    units["qtool-drain.timer"] = TIMER.format(about=about, when=_QUARTERS)
    return units


def service_text(
    settings: Settings, user: str, kind: str, words: str, more: str, unit: str = ""
) -> str:
    """Return the text of a service that runs ``qtool`` with these words."""
    writable, system = _writable(settings)
    needed = [*writable, *settings.python_paths, Path(settings.source), _program()[0]]
    private = not any(
        Path(path).is_relative_to(place) for path in needed for place in _SCRATCH
    )
    status = program(settings, "status")
    lines = [
        "[Unit]",
        f"Description=Mail queue runners of {_value(settings.source)}",
        "After=network.target",
        f"RequiresMountsFor={_quoted(settings.queue_root)}",
        *unit.splitlines(),
        "",
        "[Service]",
        f"Type={kind}",
        f"ExecStart={program(settings, words)}",
        *([f"User={user}"] if user else []),
        *([f"ExecStopPost=-{status}"] if settings.lock_file else []),
        *more.splitlines(),
        # Of the socket, shared with this user's other sites.
        f"RuntimeDirectory={_quoted(f'qtool/{user}' if user else 'qtool')}",
        "RuntimeDirectoryPreserve=yes",
        # To the process only, which finishes the messages in hand; then to all.
        "KillMode=mixed",
        f"TimeoutStopSec={settings.stop_grace_seconds + _HELD_SECONDS + 10:.0f}",
        *(f"ReadWritePaths={_quoted(path)}" for path in writable),
        *(f"# Not writable: {_value(path)}" for path in system),
        *(["PrivateTmp=yes"] if private else ["# Not PrivateTmp=: the site is there."]),
        _HARDENING,
    ]
    return "\n".join(lines) + "\n"


def program(settings: Settings, words: str) -> str:
    """Return the command line of ``qtool`` with these words, for the site."""
    return _command(*map(str, _program()), "--config", settings.source, *words.split())


def _writable(settings: Settings) -> tuple[list[Path], list[Path]]:
    """Return the folders in which runners write: spool, state, what options name.

    And that of Mailman's lock, where they need it.

    They have to be there, as systemd mounts them before anything is started.

    Returns:
        Those folders; and those that options name, and that are the system's.
    """
    queues = [r.queue_directory for r in settings.runners.values() if r.queue_directory]
    named = [
        Path(text)
        for runner in settings.runners.values()
        for text in runner.options.values()
        if text.startswith("/") and Path(text).is_dir()  # an archive, a Maildir
    ]
    system = [path for path in dict.fromkeys(named) if _is_systems(path)]
    found: list[Path] = []
    locks = [settings.lock_file.parent] if settings.lock_file else []
    own = [path for path in named if path not in system]
    for path in (settings.queue_root, *queues, *locks, *own):
        if not any(path.is_relative_to(other) for other in found):
            found.append(path)
    missing = [path for path in found if not path.is_dir()]
    if missing:
        raise Refused(f"{missing[0]}: no such folder; make it first, for its owner")
    return found, system


def _is_systems(path: Path) -> bool:
    """Return whether a folder holds what is not the runners' own."""
    real = path.resolve()
    if str(real) in _SHARED:
        return True
    if real.is_relative_to("/usr/local"):
        return real.parts[3] in _SYSTEMS_OWN | {"include", "share", "src"}
    return real.parts[1] in _SYSTEMS_OWN


def _program() -> tuple[Path | str, ...]:
    """Return the words that run this program, the first of them a whole path."""
    beside = Path(sys.executable).with_name("qtool")
    return (beside,) if beside.exists() else (sys.executable, "-m", "qtool")


# --- How systemd wants it


def _value(text: object) -> str:
    """Return text as a value: ``%`` would begin a specifier."""
    return visible(str(text), 4000).replace("%", "%%")


def _quoted(text: object) -> str:
    """Return text as one word of a value."""
    plain = str(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_value(plain)}"' if re.search(r'[\s"\'\\;]', plain) else _value(plain)


def _word(text: object) -> str:
    """Return text as one word of a command line, where ``$`` means more."""
    return _quoted(text).replace("$", "$$")


def _command(*words: str) -> str:
    """Return words as a command line."""
    return " ".join(map(_word, words))


def _in_glob(path: object) -> str:
    """Return a folder's path for the beginning of a glob."""
    if re.search(r"[\\\s]", str(path)):
        raise Refused(f"{path}: a path unit cannot name a folder with such a name")
    return re.sub(r"([][*?{}])", r"\\\1", _value(path))


def _unit_name(name: str) -> str:
    """Return a queue's name as a part of a unit's, as ``systemd-escape`` does."""
    return "".join(
        chr(byte) if re.match(r"[A-Za-z0-9_.-]", chr(byte)) else f"\\x{byte:02x}"
        for byte in name.encode()
    )
