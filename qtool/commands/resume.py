"""``qtool resume``: let a paused runner go on."""

from __future__ import annotations

from qtool.commands import steering

_EXAMPLES = """\
examples:
  qtool resume out
  qtool resume out:0:4                 one slice alone
"""

options, run = steering.command(
    _EXAMPLES, lambda control, *part: control.resume(*part), by_daemon=False
)
