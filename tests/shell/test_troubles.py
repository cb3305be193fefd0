"""Why messages were put aside, at the prompt, and sending them on from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from qtool.errors import FilterError
from qtool.shell.names import preloaded
from tests.control.site import HERE, MAIL, configuration, open_site, put

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = configuration(
    **{"in": f"class: {HERE}.Taking", "shunt": "", "bad": ""}  # shunts a `boom`
)
WHY = "ValueError: boom in the subject"


@pytest.fixture
def names(tmp_path: Path, own_process: None) -> Iterator[dict[str, Any]]:
    """A prompt where two messages of a kind were shunted."""
    control = open_site(tmp_path, TEXT)
    for _ in range(2):
        put(control, "in", MAIL.replace(b"hello", b"boom"), listname="")
        control.step("in")
    yield preloaded(control)
    control.close()


def test_each_is_a_line_and_one_is_told_in_full(names: dict[str, Any]) -> None:
    found = names["shunts"]()
    heading, *lines = repr(found).splitlines()
    assert heading.split() == ["AGE", "NAME", "ORIGIN", "LIST", "WHY"]
    assert [line.endswith(WHY) for line in lines] == [True, True]
    assert len(names["shunts"](number=1)) == len(found[1:]) == 1
    assert found[0].origin == "in"
    told = repr(found[0]).splitlines()
    assert f"why       : {WHY}" in told
    assert told[-1] == WHY
    assert repr(names["shunts"](queue="bad")) == "nothing is like that"
    with pytest.raises(FilterError):
        names["shunts"]("age>")


def test_one_and_those_of_a_kind_are_sent_on(names: dict[str, Any]) -> None:
    [kind] = groups = names["failures"]()
    _, line, raised, select = repr(groups).splitlines()
    assert line.split()[0] == "2"
    assert (raised.split()[0], select.split()[0]) == ("in", "select")
    assert repr(kind) == repr(groups)
    assert names["shunts"]()[0].entry.unshunt().done == (kind.filebases[0],)
    preview = kind.entries.unshunt()
    assert preview.count == 1
    assert preview.confirm().done == kind.filebases[1:]
    assert len(names["queues"]["in"]) == 2
    assert repr(names["failures"]()) == "nothing is like that"
