"""Tokens: a list of entries that a person has seen, frozen until it is confirmed.

Who confirms acts on exactly those entries, whatever came since. A token is good once,
for an hour, and for the user who asked for the preview.
"""

from __future__ import annotations

import json
import secrets
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from qtool.errors import Refused
from qtool.queues import durable
from qtool.queues.state import make_state_folder
from qtool.untrusted import visible

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIFE_SECONDS = 3600.0
_LARGEST = 1 << 30
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_LENGTH = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done to which entries."""

    verb: str
    queue: str
    to: str
    filebases: tuple[str, ...]


class Tokens:
    """The tokens of one spool.

    Args:
        state_directory: Where they are; made by the first.
        clock: Seconds since the epoch.
    """

    def __init__(
        self, state_directory: Path, clock: Callable[[], float] = time.time
    ) -> None:
        self._state = state_directory
        self._folder = state_directory / "tokens"
        self._clock = clock

    def issue(self, plan: Plan, uid: int) -> str:
        """Freeze a plan and return its token."""
        make_state_folder(str(self._state))
        durable.make_folder(str(self._folder))
        self._forget_expired()
        token = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
        facts = {"uid": uid, "expires": self._clock() + LIFE_SECONDS, **asdict(plan)}
        content = json.dumps(facts, ensure_ascii=True).encode("ascii")
        durable.write_new(str(self._path(token)), content, sync=False)
        return token

    def redeem(
        self,
        token: str,
        uid: int,
        verb: str = "",
        queue: str = "",
        to: str = "",
        check: Callable[[Plan], None] | None = None,
    ) -> Plan:
        """Return the plan of a token, which is good no more.

        Args:
            token: What ``issue`` returned.
            uid: Who comes with it.
            verb: What it has to be for, if that was said; so ``queue`` and ``to``.
            check: Finds out whether the plan can be done, and raises where it cannot.

        Raises:
            Refused: It is none, its time is over, or it is somebody else's, or for
                something else. The last two can still be redeemed, and so can what
                does not pass ``check``.
        """
        unknown = f"{visible(token, 40)!r} is no token of a preview, or was used"
        if len(token) != _LENGTH or not set(token) <= set(_LETTERS):
            raise Refused(unknown)
        plan, owner, expires = self._read(token, unknown)
        if owner != uid:
            raise Refused(f"the token {token} was given to another user")
        said = ((verb, plan.verb), (queue, plan.queue), (to, plan.to))
        if any(word and word != meant for word, meant in said):
            raise Refused(f"the token {token} is for another act: {_told(plan)}")
        has_expired = expires <= self._clock()
        if check is not None and not has_expired:
            check(plan)
        self._use(token, unknown)
        if has_expired:
            raise Refused(f"the token {token} has expired: look again")
        return plan

    def _use(self, token: str, unknown: str) -> None:
        try:
            self._path(token).unlink()  # whoever removes it has it
        except FileNotFoundError:
            raise Refused(unknown) from None
        except OSError as error:
            reason = error.strerror or str(error)
            raise Refused(f"the token {token} cannot be used: {reason}") from error

    def _read(self, token: str, unknown: str) -> tuple[Plan, int, float]:
        try:
            data = durable.read_small(str(self._path(token)), _LARGEST)
            return _parsed(json.loads(data))
        except FileNotFoundError:
            raise Refused(unknown) from None
        except OSError as error:
            reason = error.strerror or str(error)
            raise Refused(f"the token {token} cannot be read: {reason}") from error
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Refused(f"the token {token} is damaged: look again") from None

    def _forget_expired(self) -> None:
        now = self._clock()
        for path in self._folder.iterdir():
            with suppress(OSError):  # it is gone, or none of ours
                if now - path.lstat().st_mtime > LIFE_SECONDS:
                    path.unlink()

    def _path(self, token: str) -> Path:
        return self._folder / token


def _told(plan: Plan) -> str:
    to = f" to {visible(plan.to, 80)}" if plan.to else ""
    return f"{visible(plan.verb, 80)} {visible(plan.queue, 80)}{to}"


def _parsed(held: Any) -> tuple[Plan, int, float]:
    """Return the plan of a token's file, whose it is and how long.

    Raises:
        ValueError, KeyError, TypeError: It is no such file.
    """
    plan = Plan(
        verb=held["verb"],
        queue=held["queue"],
        to=held["to"],
        filebases=tuple(held["filebases"]),
    )
    texts = (plan.verb, plan.queue, plan.to, *plan.filebases)
    uid, expires = held["uid"], held["expires"]
    if not all(type(text) is str for text in texts):
        raise ValueError("no text where there should be one")
    if type(uid) is not int or type(expires) not in (int, float):
        raise ValueError("no number where there should be one")
    return plan, uid, expires
