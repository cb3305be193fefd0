"""Acts are what is marked so, and none passes where nothing may be changed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qtool.control.opening import open_apart, open_site, site_settings
from qtool.control.serving.calls import CALLS
from qtool.control.serving.client import Attached
from qtool.control.serving.link import Link
from qtool.control.serving.private import Private
from qtool.control.serving.server import Server
from qtool.errors import QToolError, ReadOnly, Refused
from qtool.installation import Configuration
from tests.control.site import CHECKOUT, HERE, MAIL, configuration, put
from tests.rights import open_folder, powerless

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qtool.control.control import Control
    from qtool.control.serving.calls import Call

TEXT = configuration(**{"in": f"class: {HERE}.Taking", "out": ""})
ACTS = [call for call in CALLS.values() if call.is_act]
LOOKS = [call for call in CALLS.values() if not call.is_act]
USUAL = {"start", "stop", "pause", "resume", "snooze", "step", "inject", "drain"}
USUAL_LOOKS = {"site", "scan", "log", "metrics", "entries", "names", "entry", "audit"}
NOT_FROM_AFAR = {"leave"}
"""Refused, read-only or not, by who is attached to somebody at work there."""
GONE = f"1.5+{'0' * 40}.pck"
_BY_TYPE = {str: "", int: 1, float: 1.0, bytes: MAIL, Mapping[str, Any]: {}}

Opener = Callable[[Path], Any]


def place(directory: Path) -> Path:
    """Make a site where nothing has been done yet; return its configuration."""
    file = directory / "qtool.cfg"
    file.write_text(f"{TEXT}[paths]\npython: {CHECKOUT}\n")
    control = open_site(config_file=file)
    for name in ("in", "out", "shunt", "bad"):
        (directory / "queues" / name).mkdir(parents=True)
    put(control, "in")
    put(control, "shunt", whichq="in")
    control.close()
    return file


def given(call: Call, control: Control) -> dict[str, Any]:
    """Arguments that a call could be made with."""
    queue = "shunt" if call.name == "unshunt" else "in"
    where = "all" if call.name == "preview" else "subject~hello"
    filebase = (control.names(queue) or [GONE])[0].rpartition(".")[0]
    usual = {
        "runner": "in", "queue": queue, "to": "out", "verb": "discard", "where": where,
        "filebase": filebase, "filebases": (filebase,), "beginning": filebase[:3],
        "form": "text",
    }  # fmt: skip
    return {
        name: usual.get(name, _BY_TYPE.get(hint, ()))
        for name, hint in call.arguments.items()
        if name in call.needed or name in usual
    }


def look(control: Control) -> None:
    """Call what is no act: it answers, or tells what is wrong with the question."""
    for call in LOOKS:
        refusal: QToolError | None = None
        try:
            getattr(control, call.name)(**given(call, control))
        except QToolError as error:
            refusal = error
        assert not isinstance(refusal, ReadOnly)
        assert refusal is None or call.name not in USUAL_LOOKS


def everything(directory: Path) -> dict[str, tuple[int, ...]]:
    """What is there, and when it was changed."""
    found = {}
    for path in [directory, *directory.rglob("*")]:
        facts = path.lstat()
        found[str(path)] = (facts.st_ino, facts.st_mode, facts.st_size,
                            facts.st_mtime_ns, facts.st_ctime_ns)  # fmt: skip
    return found


def test_what_an_operator_does_is_marked_as_an_act() -> None:
    assert {call.name for call in ACTS} >= USUAL


@pytest.mark.parametrize("name", [call.name for call in LOOKS])
def test_what_is_no_act_changes_nothing(name: str, tmp_path: Path) -> None:
    control = open_site(config_file=place(tmp_path))
    call = next(call for call in LOOKS if call.name == name)
    arguments = given(call, control)
    before = everything(tmp_path)
    with suppress(QToolError):
        getattr(control, name)(**arguments)
    control.close()
    assert everything(tmp_path) == before


# --- Where nothing may be changed


@contextmanager
def _embedded(file: Path) -> Iterator[Control]:
    """In this process, asked to change nothing."""
    control = open_site(config_file=file, read_only=True)
    yield control
    control.close()


@contextmanager
def _apart(file: Path) -> Iterator[Control]:
    """As a console opens it."""
    settings = site_settings(file, None)
    control = open_apart(settings, "qtool.commands.private", read_only=True)
    yield control
    control.close()


@contextmanager
def _attached(file: Path, *, daemon: bool, client: bool) -> Iterator[Control]:
    with ExitStack() as ends, tempfile.TemporaryDirectory(prefix="q-") as name:
        served = open_site(config_file=file, read_only=daemon)
        ends.callback(served.close)
        ends.callback(Server(served, Path(name) / "s").close)
        settings = served.configuration.settings
        link = Link(Path(name) / "s", settings.queue_root)
        attached = Attached(Configuration(settings), link, read_only=client)
        ends.callback(attached.close)
        yield attached


def _client(file: Path) -> Any:
    """Attached to a daemon that may act, and asked to change nothing."""
    return _attached(file, daemon=False, client=True)


def _daemon(file: Path) -> Any:
    """Attached to a daemon that was asked to change nothing."""
    return _attached(file, daemon=True, client=False)


@pytest.mark.parametrize("opened", [_embedded, _apart, _client, _daemon])
def test_no_act_passes_where_read_only_was_asked_for(
    opened: Opener, tmp_path: Path
) -> None:
    file = place(tmp_path)
    before = everything(tmp_path)
    with opened(file) as control:
        for call in ACTS:
            with pytest.raises(Refused) as refused:
                getattr(control, call.name)(**given(call, control))
            if call.name not in NOT_FROM_AFAR:
                assert isinstance(refused.value, ReadOnly)
                assert str(refused.value) == "read-only was asked for"
        assert control.site().read_only == "read-only was asked for"
        look(control)
        assert control.audit().records == ()
    assert everything(tmp_path) == before


def test_no_act_passes_in_an_engine_whose_site_turns_read_only(tmp_path: Path) -> None:
    file = place(tmp_path)
    control = open_apart(site_settings(file, None), "qtool.commands.private")
    assert isinstance(control, Private)
    control.snooze("in", 2.0)
    (tmp_path / "queues" / ".qtool" / "layout").write_text("99\n")
    before = everything(tmp_path)
    for call in ACTS:
        if call.name in NOT_FROM_AFAR:
            continue
        with pytest.raises(ReadOnly, match="has layout 99"):
            getattr(control, call.name)(**given(call, control))
    assert len(control.names("in")) == 1
    assert [record.act for record in control.audit().records] == ["snooze"]
    assert everything(tmp_path) == before
    control.close()


def test_who_may_not_write_there_leaves_no_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with open_folder() as folder:
        file = place(folder)
        for path in [folder, *folder.rglob("*")]:
            path.chmod(path.stat().st_mode & ~0o222 | 0o444 | 0o111 * path.is_dir())
        before = everything(folder)
        with powerless():
            control = open_site(config_file=file)
            for call in ACTS:
                with pytest.raises(ReadOnly, match="you may not write in"):
                    getattr(control, call.name)(**given(call, control))
            look(control)
            control.close()
        assert everything(folder) == before
        for path in folder.rglob("*"):
            path.chmod(path.stat().st_mode | 0o700)
    assert [each for each in caplog.records if each.exc_info] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
def test_root_does_not_act_in_the_spool_of_another_user(tmp_path: Path) -> None:
    control = open_site(config_file=place(tmp_path))
    for path in [tmp_path / "queues", *(tmp_path / "queues").iterdir()]:
        os.chown(path, 65534, -1)
    before = everything(tmp_path)
    for call in ACTS:
        with pytest.raises(ReadOnly, match=r"you are root, and \S+ belongs to \S+"):
            getattr(control, call.name)(**given(call, control))
    control.close()
    assert everything(tmp_path) == before


# --- Where they may


def test_every_act_that_passes_is_on_record(tmp_path: Path) -> None:
    control = open_site(config_file=place(tmp_path))
    for call in ACTS:
        arguments = given(call, control)
        with suppress(Exception):  # what comes of it is on record, too
            getattr(control, call.name)(**arguments)
    told = {record.act for record in control.audit(number=1000).records}
    control.close()
    assert told == {call.name for call in ACTS} - {"leave"}  # the record goes with it
