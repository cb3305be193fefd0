"""What a runner does with one file, whatever the file or the runner's class does.

Each way out keeps the message somewhere: disposed of, requeued, in ``shunt``, in
``bad``, or where it was. The original goes only after its successor is durable.
"""

from __future__ import annotations

import errno
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from qtool.engine.shunting import one_line, shunt_metadata
from qtool.engine.step import Outcome
from qtool.errors import NoSuchEntry, QFileError, QueueError, RunnerError

if TYPE_CHECKING:
    from email.message import Message

    from qtool.engine.recording import Recording
    from qtool.engine.runner import Runner
    from qtool.lists import MailingList

_STORAGE_TROUBLE = frozenset({
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO,
    errno.EMFILE, errno.ENFILE, errno.ENOMEM,
})  # fmt: skip
"""The machine is in trouble, not the message: nothing is set aside for that."""

_Ending = tuple[Outcome, BaseException | None]
"""How it ended, and what the runner then fails of."""


def process(
    runner: Runner, filebase: str, recording: Recording | None = None
) -> Outcome:
    """Take one file and see it through.

    Raises:
        GivenBack: The runner was given up meanwhile.
        BaseException: What the runner fails of. The message is safe: ``recording``
            and the log say where.
    """
    turn, hand = runner.turn, runner.hand
    # The token comes first: who waits for it must not have anything in hand.
    turn.take()
    try:
        hand.take(filebase, runner.clock())
        outcome, fatal = _process(runner, filebase, recording)
    finally:
        runner.pulse.beat()
        hand.drop()
        turn.give()
    runner.counts[outcome] += 1
    if recording is not None:
        recording.outcome = outcome
    if fatal is not None:
        raise fatal
    return outcome


def _process(runner: Runner, filebase: str, recording: Recording | None) -> _Ending:
    try:
        msg, msgdata = runner.switchboard.dequeue(filebase)
    except NoSuchEntry:
        return Outcome.NOTHING, None
    except QFileError as error:
        return _preserve(runner, filebase, error.reason, recording)
    except Exception as error:
        if isinstance(error, OSError | MemoryError):
            _release(runner, filebase)
            raise
        # Whatever reading does not foresee is this file's fault until proved else.
        return _preserve(runner, filebase, one_line(error), recording)
    except BaseException:
        _release(runner, filebase)
        raise
    if recording is not None:
        recording.see_before(msgdata)
    try:
        mlist, unknown = _find_list(runner, msgdata)
    except BaseException:
        _release(runner, filebase)
        raise
    if unknown:
        reason = f"no such list: {unknown}"
        return _shunt(runner, filebase, msg, msgdata, reason, None, recording)
    return _dispose(runner, filebase, mlist, msg, msgdata, recording)


def _find_list(
    runner: Runner, msgdata: dict[str, Any]
) -> tuple[MailingList | None, str]:
    """Return the list that msgdata names, or the name of one that is unknown.

    The language of the list becomes that of the message.
    """
    name = msgdata.get("listid") or msgdata.get("listname")
    if not name:
        msgdata.setdefault("lang", "en")
        return None, ""
    mlist = runner.config.lists.get(name) if isinstance(name, str) else None
    if mlist is None:
        return None, str(name)[:200] if isinstance(name, str) else type(name).__name__
    msgdata["lang"] = mlist.preferred_language
    return mlist, ""


def _dispose(
    runner: Runner,
    filebase: str,
    mlist: MailingList | None,
    msg: Message,
    msgdata: dict[str, Any],
    recording: Recording | None,
) -> _Ending:
    turn, hand = runner.turn, runner.hand
    keep, failure = False, None
    if not runner.computes:
        turn.give()
    hand.open()
    try:
        keep = runner._dispose(mlist, msg, msgdata)
    except BaseException as error:  # noqa: BLE001 - one message never stops the loop
        failure = error
    if failure is not None or keep:
        turn.take()  # something is to be written
    hand.close()
    if recording is not None:
        recording.see_after(msgdata, failure)
    if failure is not None:
        reason = one_line(failure)
        return _shunt(runner, filebase, msg, msgdata, reason, failure, recording)
    if keep:
        return _requeue(runner, filebase, msg, msgdata, recording)
    return Outcome.DONE, _finish(runner, filebase)


def _requeue(
    runner: Runner,
    filebase: str,
    msg: Message,
    msgdata: dict[str, Any],
    recording: Recording | None,
) -> _Ending:
    """Put the message into its queue again, as processing left it."""
    try:
        again = runner.switchboard.enqueue(msg, msgdata)
    except Exception as error:  # noqa: BLE001 - the message goes another way then
        if _is_storage_trouble(error):
            return _stays(runner, filebase, "requeued", error, recording)
        reason = f"cannot be requeued: {one_line(error)}"
        return _shunt(runner, filebase, msg, msgdata, reason, error, recording)
    runner.resting.begin(again, runner.clock())
    _say(recording, f"requeued as {again}")
    return Outcome.KEPT, _finish(runner, filebase)


def _shunt(
    runner: Runner,
    filebase: str,
    msg: Message,
    msgdata: dict[str, Any],
    reason: str,
    failure: BaseException | None,
    recording: Recording | None,
) -> _Ending:
    """Put the message into ``shunt``, or into ``bad`` where that fails."""
    fatal = None if isinstance(failure, Exception) else failure
    extra = shunt_metadata(runner, reason, failure)
    try:
        copy = _enqueue_shunted(runner, filebase, msg, msgdata, extra)
    except Exception as error:
        if _is_storage_trouble(error):
            return _stays(runner, filebase, "shunted", error, recording)
        reason = f"shunting failed: {one_line(error)}; after: {reason}"
        runner.log.exception("%s: shunting failed", filebase)
        outcome, _ = _preserve(runner, filebase, reason, recording)
        return outcome, fatal
    runner.log.error("%s: shunted as %s: %s", filebase, copy, reason, exc_info=failure)
    if runner.config.shunt.name == runner.switchboard.name:
        # Its own queue: the copy would come up again at once.
        runner.resting.begin(copy, runner.clock())
    _say(recording, f"shunted as {copy}: {reason}")
    stuck = _finish(runner, filebase)
    return Outcome.SHUNTED, fatal or stuck


def _enqueue_shunted(
    runner: Runner,
    filebase: str,
    msg: Message,
    msgdata: dict[str, Any],
    extra: dict[str, Any],
) -> str:
    """Shunt the message as processing left it, or else as its file holds it."""
    try:
        return runner.config.shunt.enqueue(msg, {**msgdata, **extra})
    except OSError:
        raise
    except Exception:
        # Processing left something behind that no qfile can hold.
        runner.log.exception("%s: shunting it as it was before processing", filebase)
        held = runner.switchboard.peek(filebase)
        return runner.config.shunt.enqueue(held.message, {**held.msgdata, **extra})


def _preserve(
    runner: Runner, filebase: str, reason: str, recording: Recording | None
) -> _Ending:
    """Put the file into ``bad``, unchanged; where that fails it stays in flight."""
    try:
        runner.switchboard.finish(filebase, preserve=True, reason=reason)
    except (QueueError, OSError) as error:
        # A file that could not even be taken would come up again at once.
        runner.resting.begin(filebase, runner.clock())
        runner.log.exception("%s: %s; it cannot be preserved", filebase, reason)
        _say(
            recording,
            f"{reason}; it stays in {runner.switchboard.name}, in flight:"
            f" it cannot be preserved in bad: {one_line(error)}",
        )
        return Outcome.NOT_TAKEN, None
    runner.log.error("%s: preserved in bad: %s", filebase, reason)
    _say(recording, f"preserved in bad: {reason}")
    return Outcome.PRESERVED, None


def _stays(
    runner: Runner,
    filebase: str,
    meant: str,
    error: Exception,
    recording: Recording | None,
) -> _Ending:
    """Leave the message in its queue; the runner fails, for each would fare so."""
    _release(runner, filebase)
    note = (
        f"{filebase} stays in {runner.switchboard.name}:"
        f" it could not be {meant}: {one_line(error)}"
    )
    runner.log.error("%s", note, exc_info=error)
    _say(recording, note)
    fatal = RunnerError(note)
    fatal.__cause__ = error
    return Outcome.NOT_TAKEN, fatal


def _finish(runner: Runner, filebase: str) -> RunnerError | None:
    """Remove the original; return what the runner fails of where that is impossible."""
    try:
        runner.switchboard.finish(filebase)
    except NoSuchEntry:
        runner.log.warning("%s: removed by somebody else while in hand", filebase)
    except (QueueError, OSError) as error:
        # To go on would process every message of this queue twice.
        failed = RunnerError(
            f"{filebase} was processed, but stays in {runner.switchboard.name},"
            f" in flight: it cannot be removed: {one_line(error)}"
        )
        failed.__cause__ = error
        return failed
    return None


def _release(runner: Runner, filebase: str) -> None:
    with suppress(QueueError, OSError):  # then it stays in flight, and is recovered
        runner.switchboard.release(filebase)


def _is_storage_trouble(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in _STORAGE_TROUBLE


def _say(recording: Recording | None, note: str) -> None:
    if recording is not None:
        recording.note = note
