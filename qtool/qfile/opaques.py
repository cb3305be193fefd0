"""Writing values of unknown classes back as they were read."""

from __future__ import annotations

import io
import pickle
from typing import Any

from qtool.msgdata import Opaque

# The pickler in C insists on having the class that it names; the one in Python
# can be told. Type stubs do not tell how.
_Python: Any = pickle._Pickler


class _Pickler(_Python):  # type: ignore[misc]  # stubs know it not
    dispatch = dict(_Python.dispatch)  # noqa: RUF012  # the name that it looks for

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
