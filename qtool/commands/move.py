"""``qtool move``: put entries into another queue."""

from __future__ import annotations

from qtool.commands.verbs import verb

_EXAMPLES = """\
examples:
  qtool move virgin out 1795273010.25
  qtool move in shunt 'subject~"^Re: "' --dry-run
"""

options, run = verb("move", _EXAMPLES, to="the queue they go to")
