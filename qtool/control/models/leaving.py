"""What of qtool's is at a site, and whether it can go."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Remaining:
    """Things of one kind that qtool keeps at a site."""

    words: str
    """What and how many."""
    hinders: bool = False
    """Whether it has to be dealt with before everything may go: there is mail in it,
    or somebody works with it."""
    fix: str = ""
    """What deals with it, or keeps it; empty where nothing need be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """What of qtool's is at a site."""

    folder: str
    """Where all of it is, but what it has in hand in the queues."""
    remaining: tuple[Remaining, ...]
    files: int
    token: str
    """For ``leave``: it stands for what is there now; empty where there is nothing,
    or something hinders."""

    @property
    def hindrances(self) -> tuple[Remaining, ...]:
        """What has to be dealt with first."""
        return tuple(each for each in self.remaining if each.hinders)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What was removed: all that qtool kept at a site."""

    folder: str
    """Where it was."""
    done: tuple[str, ...]
    """What it was, in the words of ``Remaining``."""
    files: int
