"""``qtool unshunt``: put shunted entries back to where they came from."""

from __future__ import annotations

from qtool.commands.verbs import verb

_EXAMPLES = """\
examples:
  qtool unshunt 1795273010.25 --yes
  qtool unshunt why:SMTPServerDisconnected --dry-run
  qtool unshunt list:ant --to in
"""

options, run = verb(
    "unshunt", _EXAMPLES, queue="shunt", to="where they go, if not back"
)
