"""The full-screen app."""

from __future__ import annotations

import gc


def hasten() -> None:
    """Collect no garbage until the first board is shown.

    Importing makes nothing but what stays, and looking through it again and again
    takes a tenth of the time from exec to the board. The app turns it on again.
    """
    gc.disable()
