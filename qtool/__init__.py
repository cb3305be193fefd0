"""qtool: the operator's console and admin shell for mail queue runners.

The public names are resolved when they are asked for, so that ``import qtool``
imports nothing heavy.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers know it; typing costs 8 ms

if TYPE_CHECKING:
    from qtool.control.control import Control
    from qtool.engine.master import Master
    from qtool.engine.runner import Runner
    from qtool.installation import Configuration, create_list
    from qtool.msgdata import dump_msgdata
    from qtool.qfile import look, message_from_string, read
    from qtool.queues.spool import Spool as Switchboard

    config: Configuration

__all__ = [
    "Control", "Master", "Runner", "Switchboard", "config", "create_list",
    "dump_msgdata", "look", "message_from_string", "read",
]  # fmt: skip

_HOMES = {
    "Control": ("qtool.control.control", "Control"),
    "Master": ("qtool.engine.master", "Master"),
    "Runner": ("qtool.engine.runner", "Runner"),
    "Switchboard": ("qtool.queues.spool", "Spool"),
    "create_list": ("qtool.installation", "create_list"),
    "dump_msgdata": ("qtool.msgdata", "dump_msgdata"),
    "look": ("qtool.qfile", "look"),
    "message_from_string": ("qtool.qfile", "message_from_string"),
    "read": ("qtool.qfile", "read"),
}


def __getattr__(name: str) -> object:
    """Import a public name's module, and keep the name."""
    if name == "config":
        # Not kept: a test may put another process-wide configuration in place.
        from qtool.installation import process_configuration

        return process_configuration()
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _HOMES[name]
    value: object = getattr(import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
