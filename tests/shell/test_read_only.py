"""The prompt of who may change nothing: no act passes, by whatever name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.commands.program import configuration
from tests.control.test_gate import everything

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commands.conftest import Call

TRIED = """
from qtool.control.serving.calls import CALLS
from qtool.errors import QToolError, ReadOnly
refused = []
kinds = {str: '', int: 1, float: 1.0, bytes: b'x'}
for call in CALLS.values():
    if call.is_act:
        given = {n: kinds.get(call.arguments[n], {}) for n in call.needed}
        try:
            getattr(control, call.name)(**given)
        except ReadOnly:
            refused.append(call.name)
assert refused == [call.name for call in CALLS.values() if call.is_act]

queue = switchboards['in']
message = message_from_string('Subject: x')
words = [
    lambda: runners['in'].start(), lambda: runners['in'].stop(),
    lambda: runners['in'].pause(), lambda: runners['in'].resume(),
    lambda: runners['in'].snooze(2.0), lambda: runners['in'].step(),
    lambda: step('in'), lambda: queue.enqueue(message),
    lambda: queue.dequeue('1.5+' + '0' * 40), lambda: queue.finish('1.5+' + '0' * 40),
    lambda: create_list('ant@example.com'), lambda: queue.recover_backup_files(),
]
for number, word in enumerate(words):
    try:
        word()
    except QToolError:
        continue
    raise SystemExit(f'{number} was done')
print(len(queue.files), control.audit().records)
"""


def test_every_act_is_refused_and_looks_go_on(
    call: Call, tmp_path: Path, own_process: None
) -> None:
    site = configuration(tmp_path)
    call("--config", site, "inject", "in", stdin=b"Subject: x\n\nx\n")
    (path,) = site.parent.rglob("audit.jsonl")
    path.unlink()
    before = everything(site.parent)
    ended = call("--config", site, "--read-only", "shell", "-c", TRIED)
    assert (ended.status, ended.out) == (0, "1 ()\n"), ended.err
    assert everything(site.parent) == before
