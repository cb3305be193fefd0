"""Runners that stand still: their site looks the same however long one looks."""

from __future__ import annotations

from typing import ClassVar

from qtool.engine.runner import Runner


class Still(Runner):
    """Runs, and takes nothing: it leaves the queue beside it alone."""

    is_queue_runner: ClassVar[bool] = False


class Broken(Still):
    """Fails as soon as it runs."""

    def _do_periodic(self) -> None:
        raise ConnectionRefusedError("news.example.org: connection refused")
