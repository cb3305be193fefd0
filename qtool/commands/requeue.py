"""``qtool requeue``: give entries the time of now."""

from __future__ import annotations

from qtool.commands.verbs import verb

_EXAMPLES = """\
examples:
  qtool requeue retry 'due<1h' --dry-run
  qtool requeue retry 1795273010.25 --yes
  qtool requeue in from:bob@example.com    behind all others, after a question
"""

options, run = verb("requeue", _EXAMPLES)
