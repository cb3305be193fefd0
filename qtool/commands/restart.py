"""``qtool restart``: have the daemon stop a runner, and start it again."""

from __future__ import annotations

from qtool.commands import steering

_EXAMPLES = """\
examples:
  qtool restart out
  qtool restart out:0:4                the first of its four slices
  qtool restart All

A message in hand is finished first. What does not run is not started.
"""

options, run = steering.command(
    _EXAMPLES, lambda control, *part: control.restart(*part), by_daemon=True
)
