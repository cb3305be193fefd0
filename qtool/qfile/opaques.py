"""Writing values of unknown classes back as they were read."""

from __future__ import annotations

import io
import pickle
from typing import Any

from qtool.msgdata import Opaque


class _Pickler(pickle._Pickler):  # type: ignore[name-defined,misc]  # C offers no way
    """The pickler in Python, which can name a class without having it."""

    dispatch = {**pickle._Pickler.dispatch}  # type: ignore[attr-defined]  # noqa: RUF012

    def save_opaque(self, value: Opaque) -> None:
        """Write what the value was read from."""
        module, _, name = value.name.rpartition(".")
        self.save(module)
        self.save(name)
        self.write(pickle.STACK_GLOBAL)
        self.save(value.args)
        self.write(pickle.REDUCE if value.args else pickle.NEWOBJ)
        if value.state is not None:
            self.save(value.state)
            self.write(pickle.BUILD)

    dispatch[Opaque] = save_opaque


def dumps_with_opaques(value: Any, protocol: int) -> bytes:
    """Return a pickle of a value that holds ``Opaque`` ones."""
    out = io.BytesIO()
    _Pickler(out, protocol).dump(value)
    return out.getvalue()
