"""``qtool release``: let held entries wait in their queue again."""

from __future__ import annotations

from qtool.commands.verbs import verb

_EXAMPLES = """\
examples:
  qtool release out all
  qtool release out 1795273010.25 --yes
  qtool release out from:bob@example.com --dry-run
"""

options, run = verb("release", _EXAMPLES)
