"""The program as a function, over the spool of the test."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Protocol

import pytest

from qtool.cli import main
from tests.commands.program import Ended, configuration

if TYPE_CHECKING:
    from pathlib import Path


class Call(Protocol):
    """Run ``main`` in this process, with bytes on standard input."""

    def __call__(self, *words: object, stdin: bytes = b"") -> Ended: ...


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    def run(*words: object, stdin: bytes = b"") -> Ended:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capsys.readouterr()
        status = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Ended(status, captured.out, captured.err)

    return run


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A configuration whose queue ``in`` forwards to ``out``."""
    return configuration(tmp_path)
