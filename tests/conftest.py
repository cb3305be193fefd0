"""What every test needs: a home folder that is nobody's."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_REAL_PLACES = [
    Path(os.environ.get("XDG_STATE_HOME", Path.home() / ".local/state")) / "qtool",
    Path(os.environ.get("XDG_CONFIG_HOME", Path.home() / ".config")) / "qtool",
]

_NOT_HANDED_DOWN = [
    "QTOOL_CONFIG",
    "RUNTIME_DIRECTORY",
    "COLUMNS",  # a terminal of a test has the size that the test gives it,
    "LINES",  # and pytest's processes have these of their own accord
    "PYTEST_ADDOPTS",
]

# How long an example takes says more about the machine than about the code.
settings.register_profile(
    "qtool",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("qtool")


def pytest_configure() -> None:
    """Compile qtool and its tests once, not in each of the many processes again."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Share the whole quick suite among processes, and nothing else.

    Long tests measure time and memory, and a few tests are done sooner in one. There
    is a process more than processors: while a test waits, another may compute.
    """
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    quick = config.option.markexpr == "not long and not interop"
    return len(os.sched_getaffinity(0)) + 1 if whole and quick else 0


def pytest_collection_finish() -> None:
    """Have the garbage collector look at less, and at what lives to the end never."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Let a report cross to another process whatever was logged.

    Log lines show names and headers whose bytes are no UTF-8; a report crosses as
    UTF-8, and one that cannot ends the whole run.
    """
    return _crossing((yield))


def _crossing(part: Any) -> Any:
    """``part`` with its lone surrogates shown as escapes."""
    match part:
        case str():
            return part.encode(errors="backslashreplace").decode()
        case dict():
            return {key: _crossing(value) for key, value in part.items()}
        case list() | tuple():
            return type(part)(map(_crossing, part))
    return part


@pytest.fixture(scope="session", autouse=True)
def scratch_home() -> Iterator[Path]:
    """Move HOME and the state folder away, and fail if the real ones are touched."""
    before = [(place, place.exists()) for place in _REAL_PLACES]
    with tempfile.TemporaryDirectory(prefix="qtool-home-") as name:
        home = Path(name)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HOME", str(home))
            patch.setenv("XDG_STATE_HOME", str(home / "state"))
            patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
            patch.setenv("XDG_RUNTIME_DIR", str(home))
            patch.setenv(
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1"
            )  # in a test's own pytest
            for variable in _NOT_HANDED_DOWN:
                patch.delenv(variable, raising=False)
            yield home
    assert [(place, place.exists()) for place in _REAL_PLACES] == before
