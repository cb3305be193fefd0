"""``qtool start``: have the daemon start a runner."""

from __future__ import annotations

from qtool.commands import steering

_EXAMPLES = """\
examples:
  qtool start out
  qtool start out:0:4                  the first of its four slices
  qtool start All

The daemon (qtool run) starts it. What another process holds waits for that.
"""

options, run = steering.command(
    _EXAMPLES, lambda control, *part: control.start(*part, waits=True), by_daemon=True
)
