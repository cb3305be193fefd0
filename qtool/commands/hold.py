"""``qtool hold``: put entries where no runner takes them."""

from __future__ import annotations

from qtool.commands.verbs import verb

_EXAMPLES = """\
examples:
  qtool hold out 1795273010.25
  qtool hold out from:bob@example.com --why 'a flood' --dry-run
  qtool ls held:out                    what is held of it
"""

options, run = verb("hold", _EXAMPLES)
