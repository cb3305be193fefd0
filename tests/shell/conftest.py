"""A site for the prompt, which gives the process its configuration back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from qtool import installation
from qtool.control import open_site
from qtool.shell.names import preloaded
from tests.commands.conftest import call  # noqa: F401 - a fixture here, too
from tests.commands.program import configuration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qtool.control import Control


@pytest.fixture
def own_process() -> Iterator[None]:
    """Let the test's site be the process's, and put the former back."""
    former = installation.process_configuration()
    yield
    installation.adopt(former)


@pytest.fixture
def control(tmp_path: Path, own_process: None) -> Iterator[Control]:
    control = open_site(config_file=configuration(tmp_path))
    yield control
    control.close()


@pytest.fixture
def names(control: Control) -> dict[str, Any]:
    """What is there when the prompt opens."""
    return preloaded(control)
