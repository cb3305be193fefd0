"""An environment with the real GNU Mailman, built once and kept in a cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_VERSIONS = ("3.11", "3.12", "3.10", "3.9")
"""Of Python, in which this Mailman runs; the first one there is taken."""
_BUILD_SECONDS = 900


class NoPython(Exception):
    """There is no Python that this Mailman runs in."""


def environment() -> Path:
    """Return the folder of a virtual environment with Mailman, built if need be.

    Raises:
        NoPython: No Python 3.9 to 3.12 that can make virtual environments is here.
    """
    python = _python()
    pins = REQUIREMENTS.read_bytes()
    key = hashlib.sha256(pins + os.fsencode(python)).hexdigest()[:12]
    cache = _cache()
    cache.mkdir(parents=True, exist_ok=True)
    place = cache / f"mailman-{key}"
    with _locked(cache / f"mailman-{key}.lock"):
        if not (place / "complete").exists():
            shutil.rmtree(place, ignore_errors=True)
            _build(python, place)
            (place / "complete").touch()
    return place


def _build(python: Path, place: Path) -> None:
    pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    for command in (
        [str(python), "-m", "venv", str(place)],
        [*pip, "--disable-pip-version-check", "-r", str(REQUIREMENTS)],
    ):
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_BUILD_SECONDS, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def _python() -> Path:
    for candidate in _candidates():
        found = shutil.which(candidate)
        if found and _suits(found):
            return Path(found)
    raise NoPython("GNU Mailman needs a Python 3.9 to 3.12 with venv; none is here")


def _candidates() -> Iterator[str]:
    if f"{sys.version_info[0]}.{sys.version_info[1]}" in _VERSIONS:
        yield str(Path(sys.base_prefix) / "bin" / "python3")
    for version in _VERSIONS:
        yield f"python{version}"
    for version in _VERSIONS:
        for folder in (_home() / ".pyenv" / "versions").glob(f"{version}.*"):
            yield str(folder / "bin" / "python3")


def _suits(python: str) -> bool:
    code = (
        "import sys, ensurepip, venv;"
        "sys.exit(not (3, 9) <= sys.version_info[:2] <= (3, 12))"
    )
    try:
        tried = subprocess.run(
            [python, "-c", code], capture_output=True, timeout=60, check=False
        )
    except OSError:
        return False
    return tried.returncode == 0


def _home() -> Path:
    # The suite gives every test a HOME that is nobody's; a cache is to outlive it.
    return Path(pwd.getpwuid(os.getuid()).pw_dir)


def _cache() -> Path:
    chosen = os.environ.get("QTOOL_INTEROP_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (
        Path(base) if base.startswith("/") else _home() / ".cache"
    ) / "qtool-interop"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
