"""``[metrics] listen:``, where the metrics of a daemon may be fetched."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from qtool.errors import SettingsError
from qtool.untrusted import visible

if TYPE_CHECKING:
    from qtool.settings.ini import Section

_LOOPBACK = "127.0.0.1"
_LISTEN = re.compile(
    r"(?:(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<four>[0-9.]+)):)?(?P<port>[0-9]{1,5})",
    re.ASCII,
)


def listen_address(section: Section | None) -> tuple[str, int] | None:
    """Return the address and the port to listen on; None for nowhere.

    Only the loopback can be meant without an address.
    """
    if section is None:
        return None
    for key in section:
        if key != "listen":
            raise SettingsError(
                f"{section.source}: [{section.name}] {visible(key, 80)}:"
                " expected one of listen"
            )
    text = section.text("listen")
    if not text:
        return None
    match = _LISTEN.fullmatch(text)
    address = match and (match["six"] or match["four"] or _LOOPBACK)
    port = int(match["port"]) if match else 0
    if not address or not 0 < port < 1 << 16 or not _is_address(address):
        raise section.wrong("listen", "an address and a port such as 127.0.0.1:9631")
    return address, port


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
