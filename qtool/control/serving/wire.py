"""Values of ``Control`` as JSON and back; see ``qtool.wire``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from qtool.control import models
from qtool.wire import Wire, dumped, dumped_error, loaded_error

__all__ = ["NAMES", "dumped", "dumped_error", "hints_of", "loaded", "loaded_error"]


class _Names(dict[str, Any]):
    """What hints name; a model is imported when a hint names it."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in models.__all__

    def __missing__(self, name: str) -> Any:
        if name not in models.__all__:
            raise KeyError(name)
        return getattr(models, name)


NAMES = _Names({"Any": Any, "Callable": Callable, "Mapping": Mapping})
"""What hints of models and of calls name, also where only type checkers import it."""

_WIRE = Wire(NAMES)
loaded, hints_of = _WIRE.loaded, _WIRE.hints_of
