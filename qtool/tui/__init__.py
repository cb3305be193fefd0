"""The full-screen app."""

from __future__ import annotations

import gc
import os
import sys

from qtool.errors import Refused


def hasten() -> None:
    """Collect no garbage until the first board is shown.

    Importing makes nothing but what stays, and looking through it again and again
    takes a tenth of the time from exec to the board. The app turns it on again.
    """
    gc.disable()


def refuse_terminal() -> None:
    """Refuse terminals that cannot show the app.

    Raises:
        Refused: It is dumb, or no terminal at all.
    """
    other = "`qtool status` prints the board, `qtool run` works without a screen."
    if os.environ.get("TERM", "dumb") in ("", "dumb", "unknown"):
        raise Refused(
            f"This terminal (TERM=dumb) cannot show the full-screen app. {other}"
        )
    if not (sys.__stdin__ and sys.__stdin__.isatty()):
        raise Refused(f"Standard input is not a terminal. {other}")
