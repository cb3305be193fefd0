"""The gate that every act passes: may anything be changed here, and who does it?

Whatever passes is written to the audit log, before and after it is done, by
``qtool.control.audit.audit``. An act over many entries tells there what it does to
which, with ``audit.noted``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from qtool.control.audit.audit import begun, is_recording, reading
from qtool.control.part import Part
from qtool.errors import ReadOnly

P = ParamSpec("P")
R = TypeVar("R")
G = TypeVar("G", bound=Part)


def act(method: Callable[Concatenate[G, P], R]) -> Callable[Concatenate[G, P], R]:
    """Mark a method as an act: it is refused where nothing may be changed.

    The reason is found anew each time, for it is read from the folders. An act that
    is a part of another one is on record as that.

    Raises:
        ReadOnly: In one line, why.
        Refused: It cannot be put on record.
    """

    @wraps(method)
    def recorded(self: G, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if is_recording():
            return method(self, *args, **kwargs)
        with begun(self, method, args, kwargs) as record:
            result = method(self, *args, **kwargs)
            record.returned(result)
        return result

    return passed_on(recorded)


def passed_on(method: Callable[Concatenate[G, P], R]) -> Callable[Concatenate[G, P], R]:
    """Mark a method that has an act done elsewhere, where it is put on record.

    Raises:
        ReadOnly: In one line, why it is not even asked for.
    """

    @wraps(method)
    def gated(self: G, /, *args: P.args, **kwargs: P.kwargs) -> R:
        reason = self.read_only_reason()
        if reason:
            raise ReadOnly(reason)
        return method(self, *args, **kwargs)

    gated.__dict__["is_act"] = True
    return gated


def opens_mail(
    method: Callable[Concatenate[G, P], R],
) -> Callable[Concatenate[G, P], R]:
    """Mark a method that shows what is in a message.

    It is put on record where the site asks for that, with ``[audit] reads: yes``.

    Raises:
        Refused: It cannot be put on record.
    """

    @wraps(method)
    def noted(self: G, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if self.configuration.settings.audit_reads and not is_recording():
            reading(self, method, args, kwargs)
        return method(self, *args, **kwargs)

    return noted
