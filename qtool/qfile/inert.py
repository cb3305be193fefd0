"""What stands in for a class that a qfile names: it keeps what it is given.

The C unpickler calls classes, allocates their instances and sets their state.
It never gets a real class: each name it asks for is answered with a subclass
of ``Inert``, which notes arguments and state and does nothing with them.
"""

from __future__ import annotations

from enum import Enum

TYPE_CHECKING = False  # as type checkers know it; importing typing costs 3 ms

if TYPE_CHECKING:
    from typing import Any


class Role(Enum):
    """What a class that a qfile names is good for in a mail queue."""

    MESSAGE = "message"
    HEADER = "header"
    CHARSET = "charset"
    POLICY = "policy"
    DEFECT = "defect"
    VALUE = "value"
    """A value of the standard library that is rebuilt from checked arguments."""
    SYMBOL = "symbol"
    """A value of Mailman's own that is kept as an ``Opaque``."""
    UNKNOWN = "unknown"
    """Nothing that a mail queue needs."""


class Inert:
    """An instance that a pickle asked for, as its arguments and state."""

    __slots__ = ("args", "built", "outlined", "state")

    name = ""
    """Full name of the class it stands for."""
    role = Role.UNKNOWN

    args: tuple[Any, ...]
    state: Any
    """None where none was set."""
    built: Any
    """What was rebuilt from it; None until then. What is shared is built once."""
    outlined: Any
    """The same, as a part of a message."""

    def __new__(cls, *args: Any) -> Inert:
        """Keep the arguments of the call, whatever they are."""
        self = object.__new__(cls)
        self.args = args
        self.state = self.built = self.outlined = None
        return self

    def __setstate__(self, state: Any) -> None:
        """Keep the state."""
        self.state = state


_MIME = (
    "Application", "Audio", "Base", "Image", "Message", "Multipart", "NonMultipart",
    "Text",
)  # fmt: skip

_ROLES = {
    Role.MESSAGE: (
        "email.message.Message",
        "email.Message.Message",
        "mailman.email.message.Message",
        "mailman.email.message.UserNotification",
        "mailman.email.message.OwnerNotification",
        "mailman.email.message.MultipartDigestMessage",
        "Mailman.Message.Message",
        "Mailman.Message.UserNotification",
        "Mailman.Message.OwnerNotification",
        "mailbox.Message",
        "mailbox.MMDFMessage",
        "mailbox.MaildirMessage",
        "mailbox.mboxMessage",
        # Python 3 and late Python 2 write the first, Mailman 2's own email the other.
        *(f"email.mime.{name.lower()}.MIME{name}" for name in _MIME),
        *(f"email.MIME{name}.MIME{name}" for name in _MIME),
    ),
    Role.HEADER: ("email.header.Header", "email.Header.Header"),
    Role.CHARSET: ("email.charset.Charset", "email.Charset.Charset"),
    Role.POLICY: ("email._policybase.Compat32",),
    Role.VALUE: (
        "_codecs.encode",
        "builtins.bytearray",
        "builtins.complex",
        "builtins.frozenset",
        "builtins.set",
        "__builtin__.bytearray",
        "__builtin__.bytes",
        "__builtin__.complex",
        "__builtin__.frozenset",
        "__builtin__.set",
        "datetime.date",
        "datetime.datetime",
        "datetime.time",
        "datetime.timedelta",
        "datetime.timezone",
    ),
    Role.SYMBOL: ("mailman.interfaces.action.Action",),
}

_ROLE_OF = {name: role for role, names in _ROLES.items() for name in names}

_known: dict[tuple[str, str], type[Inert]] = {}
# Grows to the names above at most: a stand-in is made when a file first asks.


def stand_in(name: str, role: Role) -> type[Inert]:
    """Return a new stand-in for the class of that full name."""
    return type("StandIn", (Inert,), {"__slots__": (), "name": name, "role": role})


def known_stand_in(module: str, name: str) -> type[Inert] | None:
    """Return the stand-in for a class that mail queues need; None for any other."""
    found = _known.get((module, name))
    if found is None and "." not in name:
        role = _ROLE_OF.get(f"{module}.{name}")
        if role is not None:
            found = _known[module, name] = stand_in(f"{module}.{name}", role)
    return found


def is_defect(module: str, name: str) -> bool:
    """Return whether a class is one of those that parsers note their finds in."""
    return module == "email.errors" and name.endswith("Defect") and "." not in name
