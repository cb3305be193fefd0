"""Runners of the demo: they take their time, hand mail on, and deliver nothing."""

from __future__ import annotations

import time
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from qtool.demo import content
from qtool.engine.runner import Runner
from qtool.queues.slices import whole

if TYPE_CHECKING:
    from email.message import Message

    from qtool.installation import Configuration
    from qtool.lists import MailingList

_RELAYS = ("mx1.example.net", "mx2.example.net", "mx.example.org")


class DemoRunner(Runner):
    """Takes about ``seconds`` for a message."""

    def __init__(
        self,
        name: str,
        slice: int | None = None,  # noqa: A002 - the field's word
        *,
        config: Configuration | None = None,
    ) -> None:
        super().__init__(name, slice, config=config)
        self.random = Random(f"{name} {slice}")  # noqa: S311 - pretended mail
        self.seconds = self.option("seconds", 0.0)

    def _dispose(
        self, mlist: MailingList | None, msg: Message, msgdata: dict[str, Any]
    ) -> bool:
        del mlist
        self.work(self.seconds)
        self.handle(msg, msgdata)
        return False

    def handle(self, msg: Message, msgdata: dict[str, Any]) -> None:
        """Do with a message what is done in this queue."""

    def option(self, key: str, default: float) -> float:
        """Return a number from the runner's section."""
        return float(self.settings.options.get(key, default))

    def work(self, seconds: float) -> None:
        """Pretend to work for about that long."""
        time.sleep(seconds * self.random.uniform(0.5, 1.5))

    def pass_on(self, queue: str, msg: Message, msgdata: dict[str, Any]) -> None:
        """Put a message into another queue, unless the demo has been left."""
        if self.hand.given_up:
            return  # the spool may be gone, and must not come back
        self.config.switchboards[queue].enqueue(msg, msgdata)

    def depth(self, queue: str) -> int:
        """Return how many messages wait in a queue."""
        return self.config.switchboards[queue].scan([whole()]).depth


class Incoming(DemoRunner):
    """Accepts nearly every post."""

    def handle(self, msg: Message, msgdata: dict[str, Any]) -> None:
        if self.random.random() < 0.03:
            self.log.info("held for the moderator: %s", msg["message-id"])
            return
        msgdata["rule_misses"] = ["dmarc-mitigation", "loop", "administrivia"]
        self.pass_on("pipeline", msg, msgdata)


class Pipeline(DemoRunner):
    """Makes chunks of recipients, and copies for the archive, news and digests."""

    def handle(self, msg: Message, msgdata: dict[str, Any]) -> None:
        for _ in range(self.random.choice((1, 1, 2, 3))):
            chunk = content.recipients(self.random)
            self.pass_on("out", msg, {**msgdata, "recipients": chunk})
        self.pass_on("archive", msg, msgdata)
        if self.random.random() < 0.25:
            self.pass_on("digest", msg, msgdata)
        if self.random.random() < 0.15:
            self.pass_on("nntp", msg, msgdata)


class Outgoing(DemoRunner):
    """Delivers to nobody; one slice has a relay that answers slowly."""

    def handle(self, msg: Message, msgdata: dict[str, Any]) -> None:
        relay = self.random.choice(_RELAYS)
        if self.is_slow():
            relay = "slow.example.net"
            self.work(self.option("slow_seconds", 4.0))
        chunk = msgdata.get("recipients", [])
        if self.random.random() < 0.03:
            self.log.warning("%s: 451 try again later, %d left", relay, len(chunk))
            self.pass_on("retry", msg, msgdata)
        else:
            self.log.info("%s: delivered to %d", relay, len(chunk))

    def is_slow(self) -> bool:
        """Return whether this is the slow slice; it is not, once much waits."""
        if self.slice != int(self.option("slow_slice", -1)):
            return False
        return self.depth("out") < self.option("slow_until", 200)


class Resting(DemoRunner):
    """Takes what waits now and then, and does not wake on arrivals."""

    def _snooze(self, filecnt: int) -> None:
        del filecnt
        self.gate.snooze(self.sleep_seconds)


class Retry(Resting):
    """Gives mail back to ``out``."""

    def handle(self, msg: Message, msgdata: dict[str, Any]) -> None:
        self.pass_on("out", msg, msgdata)


class Keeper(DemoRunner):
    """Where mail ends: the archive, the news, the bounces."""


class Bounces(Resting, Keeper):
    """Counts bounces, a heap at a time."""


class Digest(Resting):
    """Makes one digest of all that waits."""

    def handle(self, msg: Message, msgdata: dict[str, Any]) -> None:
        self.log.info("in the next digest: %s", msg["subject"])
        if self.random.random() < 0.2:
            answer = content.notice(
                self.random, time.time(), str(msgdata["listid"]), "Digest, Vol 12"
            )
            self.pass_on("virgin", answer.message, answer.msgdata)


class Command(DemoRunner):
    """Answers commands, and knows no other words than its own."""

    def handle(self, msg: Message, msgdata: dict[str, Any]) -> None:
        line = str(msg["subject"])
        if line == content.WRONG_COMMAND:
            raise ValueError(content.NO_SUCH_COMMAND)
        answer = content.notice(
            self.random, time.time(), str(msgdata["listid"]), "The results of your mail"
        )
        self.pass_on("virgin", answer.message, answer.msgdata)


class Virgin(DemoRunner):
    """Sends what the list software itself writes."""

    def handle(self, msg: Message, msgdata: dict[str, Any]) -> None:
        self.pass_on("out", msg, {**msgdata, "recipients": ["anne@example.com"]})


class Arrivals(DemoRunner):
    """Brings the mail in, as an LMTP server would; it manages no queue itself."""

    is_queue_runner: ClassVar[bool] = False

    def _do_periodic(self) -> None:
        now = time.time()
        for _ in range(self._how_many(self.option("rate", 2.0))):
            letter = content.post(self.random, now)
            self.pass_on("in", letter.message, letter.msgdata)
        if self._how_many(0.15):
            letter = content.bounce(self.random, now)
            self.pass_on("bounces", letter.message, letter.msgdata)
        if self._how_many(0.2):
            wrong = self.random.random() < 0.1 and self.depth("shunt") < 20
            letter = content.command(self.random, now, wrong=wrong)
            self.pass_on("command", letter.message, letter.msgdata)

    def _how_many(self, rate: float) -> int:
        """Return how many came since the last look, of ``rate`` a second."""
        expected = rate * max(self.sleep_seconds, 0.1)
        gap, count = self.random.expovariate(1.0), 0
        while gap < expected:
            gap += self.random.expovariate(1.0)
            count += 1
        return count
