"""Fixtures with the real GNU Mailman, and the line that says where it is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.interop.mailman import NoPython, environment
from tests.interop.sink import Sink
from tests.interop.site import LIST, MEMBERS, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_not_run: list[str] = []


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of Mailman's programs."""
    try:
        return environment() / "bin"
    except NoPython as reason:
        _not_run[:] = [str(reason)]
        pytest.skip(f"NOT RUN: {reason}")


@pytest.fixture(scope="session")
def template(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site with a list and its members, to be copied; it takes seconds to make."""
    site = Site(programs=programs, directory=tmp_path_factory.mktemp("template"))
    site.configure(smtp_port=9)
    site.mailman("create", "--quiet", LIST)
    site.mailman(
        "addmembers", "-W", "-", LIST, given="".join(f"{m}\n" for m in MEMBERS)
    )
    site.without_footer()
    return site


@pytest.fixture
def sink() -> Iterator[Sink]:
    """A mail server that keeps everything."""
    with Sink() as server:
        yield server


@pytest.fixture
def make_site(
    template: Site, sink: Sink, tmp_path: Path
) -> Iterator[Callable[[str], Site]]:
    """Make the test's site, with more sections in its mailman.cfg; stop it after."""
    made: list[Site] = []

    def make(more: str = "") -> Site:
        site = Site(programs=template.programs, directory=tmp_path / "site")
        site.configure(smtp_port=sink.port, more=more)
        site.copy_of(template)
        made.append(site)
        return site

    yield make
    for site in made:
        site.stop()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for reason in _not_run:
        terminalreporter.write_line(f"interop: NOT RUN: {reason}")
