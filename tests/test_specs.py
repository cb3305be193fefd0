"""Runners as a command line names them."""

from __future__ import annotations

from pathlib import Path

import pytest

from qtool.errors import QToolError
from qtool.installation import Configuration
from qtool.installation.specs import choose, named
from qtool.settings import parse

SITE = """
[runner.in]
class: house.IncomingRunner
[runner.archive]
class: house.Keep
[runner.out]
class: house.Send
weights: 50 30 20
[runner.news]
class: house.Post
start: no
instances: 0
[runner.work]
"""


def site(text: str = SITE) -> Configuration:
    return Configuration(parse(text, source="qtool.cfg", base=Path("/srv/site")))


def meant(*specs: str, text: str = SITE, once: bool = False) -> list[str]:
    return [str(each) for each in choose(site(text), specs, once=once)]


def complaint(*specs: str, text: str = SITE) -> str:
    configuration = site(text)
    before = configuration.settings
    with pytest.raises(QToolError) as caught:
        choose(configuration, specs, once=False)
    assert configuration.settings is before
    return str(caught.value)


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("in", "in"), ("IN", "in"), ("InRunner", "in"), ("inrunner", "in"),
        ("IncomingRunner", "in"), ("incoming", "in"),
        ("Arch", "archive"), ("ArchRunner", "archive"), ("ArchiveRunner", "archive"),
        ("send", "out"), ("SendRunner", "out"), ("Outgoing", "out"),
    ],
)  # fmt: skip
def test_a_runner_has_a_short_and_a_long_name(word: str, name: str) -> None:
    assert meant(word) == [name]


def test_a_sections_own_name_comes_first() -> None:
    names = ("In", "in", "All")
    text = "".join(f"[runner.{name}]\nclass: a.X\n" for name in names)
    assert meant("In", "in", "All", text=text) == ["In", "in", "All"]


def test_all_is_every_runner_that_starts_and_in_a_drain_whoever_can_run() -> None:
    assert meant("All") == ["in", "archive", "out"]
    assert meant("all", "in") == ["in", "archive", "out"]
    assert meant("All", once=True) == []


def test_a_slice_is_of_as_many_as_is_said() -> None:
    configuration = site()
    (part,) = choose(configuration, ["in:2:4"], once=False)
    assert (part.name, part.slice, part.count) == ("in", 2, 4)
    assert configuration.runner("in").instances == 4


def test_a_slice_of_as_many_as_are_configured_has_its_weight() -> None:
    configuration = site()
    assert [str(each) for each in named(configuration, ["out:1:3"])] == ["out:1:3"]
    choose(configuration, ["out:1:3"], once=False)
    assert configuration.runner("out").weights == (50, 30, 20)
    choose(configuration, ["out:1:4"], once=False)
    assert configuration.runner("out").weights == ()


def test_a_slice_is_laid_over_whatever_the_file_says_later() -> None:
    configuration = site(SITE.replace("weights: 50 30 20", "instances: 4"))
    choose(configuration, ["out:1:4"], once=False)
    configuration.pop("the command line")
    assert len(configuration.slices("out")) == 4


def test_who_has_no_permanent_runner_is_one_slice_when_it_is_named() -> None:
    configuration = site()
    assert [each.count for each in choose(configuration, ["news"], once=False)] == [1]
    assert configuration.runner("news").instances == 1


def test_what_is_named_twice_is_run_once() -> None:
    assert meant("in", "In") == ["in"]
    assert meant("in:1:2", "in:0:2", "in:1:2") == ["in:1:2", "in:0:2"]
    assert meant("out", "out:0:3") == ["out"]


@pytest.mark.parametrize(
    ("specs", "reason"),
    [
        (["on"], "there is no runner 'on', only in, archive, out, news, work"),
        (["in", "\x1b[31m"], "there is no runner '\\\\x1b[31m'"),
        ([""], "there is no runner ''"),
        (["Runner"], "there is no runner 'Runner'"),
        (["in:1"], "in:1: expected NAME or NAME:slice:range, as in out:0:4"),
        (["in:a:4"], "in:a:4: expected NAME or NAME:slice:range"),
        (["in:-1:4"], "in:-1:4: expected NAME or NAME:slice:range"),
        (["in:4:4"], "in:4:4: expected a slice from 0, below a range of 1024"),
        (["in:0:0"], "in:0:0: expected a slice from 0"),
        (["in:0:1025"], "in:0:1025: expected a slice from 0"),
        (["in:0:2", "in:2:4"], "in: expected one division of its queue, not 2 and 4"),
        (["in", "in:2:4"], "in: expected one division of its queue, not 1 and 4"),
        (["All:0:2"], "there is no runner 'All'"),
        (["shunt"], "shunt has no runner: messages wait there for a person"),
        (["work"], "the runner work has no class: set class in [runner.work]"),
    ],
)
def test_what_names_no_runner_is_one_line_and_changes_nothing(
    specs: list[str], reason: str
) -> None:
    line = complaint(*specs)
    assert line.startswith(reason)
    assert "\n" not in line


def test_a_name_of_two_is_neithers() -> None:
    text = "[runner.a]\nclass: x.Forward\n[runner.b]\nclass: x.ForwardRunner\n"
    assert complaint("forward", text=text) == "'forward' may be a or b"


def test_a_queue_that_is_at_work_is_not_divided_anew() -> None:
    with pytest.raises(QToolError, match="in:2:4: the queue is divided into 1"):
        named(site(), ["in:2:4"])
