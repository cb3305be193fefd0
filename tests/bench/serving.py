"""Both sides of a bench: a process that does what it is told and says how long.

A side is a module with functions; the bench sends one JSON line naming one,
the side answers with one. The half that runs in GNU Mailman's own environment
may meet a Python as old as 3.9.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).resolve().parent.parent.parent


class SideFailed(Exception):
    """A side could not do what it was told; the message is its traceback."""


def serve(functions: Mapping[str, Callable[..., Any]]) -> None:
    """Answer requests until the bench goes away."""
    # Whatever the side's own code prints must not stand between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        result = functions[request.pop("do")](**request)
        print(json.dumps(result), file=answers, flush=True)


class Side:
    """One side, as the bench sees it."""

    def __init__(
        self,
        python: Path,
        module: str,
        *arguments: str,
        env: Mapping[str, str] | None = None,
    ) -> None:
        # Open as long as the side: a full pipe would stop it in mid-measurement.
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self.process = subprocess.Popen(
            [str(python), "-W", "ignore", "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        )

    def begin(self, do: str, **arguments: object) -> None:
        """Have ``do`` begun there; ``result`` waits for its end."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # ``result`` tells why
            self.process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self.process.stdin.flush()

    def result(self) -> Any:
        """What the thing that was begun returned."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        self.process.wait()
        self._errors.seek(0)
        raise SideFailed(self._errors.read()[-3000:])

    def ask(self, do: str, **arguments: object) -> Any:
        """Have ``do`` done there and return its answer."""
        self.begin(do, **arguments)
        return self.result()

    def close(self) -> None:
        """End it and wait until it has gone."""
        try:
            self.process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        self._errors.close()
