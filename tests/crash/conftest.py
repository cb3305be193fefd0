"""What the crash tests need of the machine."""

from __future__ import annotations

from tests.queues.conftest import needs_strace

__all__ = ["needs_strace"]
