"""Mail that nobody wrote: senders, lists, subjects and sizes as sites have them."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from qtool.qfile import message_from_bytes

if TYPE_CHECKING:
    from email.message import Message
    from random import Random

LISTS = (
    "announce@lists.example.org", "ant-users@example.com", "bee-keepers@example.net",
    "board@example.org", "chess@lists.example.org", "choir@example.com",
    "developers@lists.example.org", "gardeners@example.net", "parents@school.example",
    "staff@school.example", "trains@lists.example.org",
)  # fmt: skip
_PEOPLE = (
    "Anne Person", "Bart Person", "Cris Person", "Dora Lindqvist", "Elias Okafor",
    "Fatima Haddad", "Gilles Moreau", "Hana Suzuki", "Ines Carvalho", "Jan Kowalski",
    "Kofi Mensah", "Lena Vogel", "Mira Petrova", "Noor de Wit", "Oskar Bjork",
)  # fmt: skip
_TOPICS = (
    "agenda for Thursday", "the roof again", "minutes of the meeting", "lost umbrella",
    "timetable for winter", "new hives", "release 3.3.11", "car pool to the concert",
    "who has the key?", "question about moderation", "photographs", "seeds to swap",
    "opening with the bishop", "server moves on Sunday", "sheet music", "volunteers",
    "broken link on the site", "[off topic] tea", "welcome to the list", "invoice 4711",
)  # fmt: skip
_SENTENCES = (
    "I could not find it in the archive either.",
    "Thank you all for coming on such short notice.",
    "The trains will be replaced by buses until the end of the month.",
    "Could somebody have a look at the attached draft?",
    "We should decide this before the next meeting.",
    "It works here, but only after a restart.",
    "Please trim the quotation when you answer.",
    "I am for it, as long as nobody has to get up early.",
    "Bis Sonntag, viele Grüße aus Köln.",
)
_COMMANDS = ("join", "leave", "confirm 7f3a", "help", "who", "echo hello", "stop")
WRONG_COMMAND = "unsubscrieb me please"
"""What the command runner of the demo cannot make sense of."""
NO_SUCH_COMMAND = f"no such command: {WRONG_COMMAND!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message, and the metadata it arrives with."""

    message: Message
    msgdata: dict[str, Any]


def post(random: Random, when: float) -> Letter:
    """Return a post to one of the lists."""
    address = random.choice(LISTS)
    paragraphs = random.randint(1, 12)
    body = "\n\n".join(
        " ".join(random.choices(_SENTENCES, k=random.randint(1, 5)))
        for _ in range(paragraphs)
    )
    reply = "Re: " if random.random() < 0.6 else ""
    subject = f"{reply}{random.choice(_TOPICS)}"
    if random.random() < 0.1:
        subject = f"=?utf-8?q?{reply.replace(' ', '_')}Fr=C3=BChst=C3=BCck?="
    return _letter(random, when, to=address, subject=subject, body=body)


def command(random: Random, when: float, *, wrong: bool = False) -> Letter:
    """Return a mail to a list's robot."""
    line = WRONG_COMMAND if wrong else random.choice(_COMMANDS)
    address = random.choice(LISTS)
    return _letter(random, when, to=address, subject=line, body=line, robot="-request")


def bounce(random: Random, when: float) -> Letter:
    """Return a notice that a mail could not be delivered."""
    body = "The mailbox is full. I will not try again.\n\n5.2.2 mailbox full"
    subject = "Undelivered Mail Returned to Sender"
    address = random.choice(LISTS)
    return _letter(
        random, when, to=address, subject=subject, body=body, robot="-bounces"
    )


def notice(random: Random, when: float, listid: str, subject: str) -> Letter:
    """Return a mail that the list software itself writes."""
    address = listid.replace(".", "@", 1)
    body = "This is an automatic answer. You need do nothing."
    return _letter(random, when, to=address, subject=subject, body=body)


def recipients(random: Random) -> list[str]:
    """Return whom one chunk of a post goes to."""
    first = random.randrange(1, 900)
    return [f"member{first + n:03}@example.net" for n in range(random.randint(1, 50))]


def _letter(
    random: Random, when: float, *, to: str, subject: str, body: str, robot: str = ""
) -> Letter:
    name = random.choice(_PEOPLE)
    sender = f"{name.split()[0].lower()}@example.{random.choice(('com', 'org', 'net'))}"
    local_part, _, domain = to.partition("@")
    text = (
        f"From: {name} <{sender}>\n"
        f"To: {local_part}{robot}@{domain}\n"
        f"Subject: {subject}\n"
        f"Date: {formatdate(when)}\n"
        f"Message-ID: <{random.getrandbits(64):016x}@mail.example.org>\n"
        f"MIME-Version: 1.0\n"
        f'Content-Type: text/plain; charset="utf-8"\n'
        f"Content-Transfer-Encoding: 8bit\n"
        f"\n{body}\n\n-- \n{name}\n"
    )
    data = text.encode("utf-8")
    return Letter(
        message=message_from_bytes(data),
        msgdata={
            "listid": f"{local_part}.{domain}",
            "envsender": sender,
            "original_size": len(data),
            "lang": "en",
        },
    )
