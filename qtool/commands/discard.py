"""``qtool discard``: put entries into the trash."""

from __future__ import annotations

from qtool.commands.verbs import verb

_EXAMPLES = """\
examples:
  qtool discard bad 'age>30d' --dry-run
  qtool discard in 1795273010.25 --yes --why spam
  qtool undo
"""

options, run = verb("discard", _EXAMPLES)
