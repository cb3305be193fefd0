"""``qtool restore``: let preserved entries wait again."""

from __future__ import annotations

from qtool.commands.verbs import verb

_EXAMPLES = """\
examples:
  qtool restore 1795273010.25 --to in
  qtool restore all --to in --dry-run
  qtool restore 'why:UnicodeError age<1d'
"""

options, run = verb(
    "restore", _EXAMPLES, queue="bad", to="where they go, if they do not tell"
)
