"""Everything an operator may do, once: the facade that all front ends act through."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qtool.control.control import Control
    from qtool.control.opening import open_demo, open_fixed, open_site

__all__ = ["Control", "open_demo", "open_fixed", "open_site"]

_HOMES = {
    "Control": "qtool.control.control",
    "open_demo": "qtool.control.opening",
    "open_fixed": "qtool.control.opening",
    "open_site": "qtool.control.opening",
}


def __getattr__(name: str) -> object:
    """Import a public name's module: who needs only the models pays for nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
