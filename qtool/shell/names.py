"""What is there when the prompt opens, and the words that explain it."""

from __future__ import annotations

import pydoc
from typing import TYPE_CHECKING, cast

import qtool
from qtool import installation
from qtool.errors import ReadOnly
from qtool.shell.doctor import examiner
from qtool.shell.handles import ReadOnlyConfiguration, Runners, stepper
from qtool.shell.output import say
from qtool.shell.peek import peeker
from qtool.shell.queues import Queues
from qtool.shell.records import Records
from qtool.shell.troubles import Troubles
from qtool.untrusted import visible

if TYPE_CHECKING:
    from qtool.control.control import Control
    from qtool.control.models import Site
    from qtool.installation import Configuration

_HELP = """\
What is here:

  queues                what waits where; also queues['held:in'], ['trash:17']
                            queues['in']               queues['in'][0].show()
                            queues['in'].where('list:ant age>1h')
  .hold() .release() .move('out') .requeue() .discard() .unshunt() .restore()
                        of one entry: done at once; of .where('FILTER') or of
                        .all(): shown first, and done by .confirm()
                            queues['in'].where('age>3d').move('out')
                            _.confirm()
                            queues['in'][0].set(lang='en')
  undo                  take back what you did last, or an act: undo(17)
  acts, trash, audit    what was done, what was discarded, and who did what
                            acts()     trash()     audit(since='2d')
  shunts, failures      why messages were put aside, one by one and of a kind
                            shunts()[0]     failures()[0].entries.unshunt()
  doctor                what is wrong here, and what helps
                            doctor()                   doctor()[0].fix()
  switchboards          the queues as a runner has them
                            switchboards['in'].files
                            filebase = switchboards['in'].enqueue(msg, x='y')
  runners               the runners by name: start stop restart pause resume
                        snooze step
                            runners            runners['in'].start()
  peek                  what an entry or a file holds, without taking it
                            peek('in', filebase)    peek('/tmp/x.pck').msgdata
  step                  process one file and see what it did
                            step('in')                 step('in', filebase)
  message_from_string   a message from its text
  dump_msgdata          print metadata, one `key : value` a line
  create_list           a mailing list: create_list('test@example.com')
  config                the configuration: push(name, text), pop(name)
  control               everything an operator may do: control.scan()
  Runner, Switchboard   the classes, to derive from
                            class Mine(Runner):
                                def _dispose(self, mlist, msg, msgdata):
                                    return False

help(thing) explains a thing. Ctrl+D leaves."""


_ATTACHED = (
    "{}: queues are only looked at here; control, runners and step act through it"
)


class Help:
    """``help``: alone it lists what is here; with an argument it is Python's."""

    def __call__(self, *things: object) -> None:
        """Explain the things, or list what is here."""
        if not things:
            say(_HELP)
        for thing in things:
            say(pydoc.plain(pydoc.render_doc(thing)))

    def __repr__(self) -> str:
        return _HELP


def preloaded(control: Control) -> dict[str, object]:
    """Return the names of the prompt over an open site, which this process adopts."""
    config = control.configuration
    site = control.site()
    reason = site.read_only or (site.attached and _ATTACHED.format(site.attached))
    shown = ReadOnlyConfiguration(config, reason) if reason else config
    # Runners that are made in the prompt get it, so theirs are only looked at, too.
    installation.adopt(cast("Configuration", shown))

    def refuse(*_: object) -> None:
        raise ReadOnly(reason)

    records, troubles = Records(control), Troubles(control)
    return {
        "Runner": _only_named(qtool.Runner, reason) if reason else qtool.Runner,
        "Switchboard": (
            _only_named(qtool.Switchboard, reason) if reason else qtool.Switchboard
        ),
        "acts": records.acts,
        "audit": records.audit,
        "config": shown,
        "control": control,
        "create_list": refuse if reason else qtool.create_list,
        "doctor": examiner(control),
        "dump_msgdata": qtool.dump_msgdata,
        "failures": troubles.failures,
        "help": Help(),
        "message_from_string": qtool.message_from_string,
        "peek": peeker(control),
        "queues": Queues(control),
        "runners": Runners(control),
        "shunts": troubles.shunts,
        "step": stepper(control),
        "switchboards": shown.switchboards,
        "trash": records.trash,
        "undo": records.undo,
    }


def _only_named(kind: type, reason: str) -> type:
    """Return a class to derive from, of which nothing can be made."""

    def refuse(_self: object, *_: object, **__: object) -> None:
        raise ReadOnly(reason)

    return type(kind.__name__, (kind,), {"__init__": refuse, "__doc__": kind.__doc__})


def banner(site: Site) -> str:
    """Return the prompt's first lines: which spool this is, and what may be done."""
    lines = [f"qtool shell, spool {visible(site.spool, 5000)}"]
    lines.append(f"configuration: {visible(site.source, 5000)}")
    if site.mailman:
        lines.append(visible(site.mailman))
    if site.attached:
        lines.append(visible(site.attached))
    if site.read_only:
        lines.append(f"read-only: {visible(site.read_only)}")
    lines.append("queues shows what waits, help() lists what is here, Ctrl+D leaves.")
    return "\n".join(lines)
