"""Configurations: every value typed, every wrong one named in a line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtool.errors import SettingsError
from qtool.settings import (
    Settings,
    SiteKind,
    default,
    from_root,
    overlaid,
    parse,
    with_private_queue,
)
from qtool.settings.ini import duration_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

BASE = Path("/srv/site")
MAILMAN_QUEUES = [
    "in", "pipeline", "out", "retry", "bounces", "command", "virgin", "archive",
    "digest", "nntp", "shunt", "bad",
]  # fmt: skip
NAME = "1700000000.5+" + "a" * 40 + ".pck"


def own(text: str, **overlays: str) -> Settings:
    return parse(text, source="qtool.cfg", base=BASE, overlays=overlays)


def mailman(text: str, *, base: Path = BASE, **overlays: str) -> Settings:
    source = str(base / "mailman.cfg")
    return parse(text, source=source, base=base, overlays=overlays)


def complaint(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        own(text)
    return str(caught.value)


# --- qtool's own dialect


def test_every_key_of_a_runner_is_read() -> None:
    settings = own("""
[qtool]
root: spool
[runner.in]
class: house.Sorter
path: $root/incoming
instances: 5
sleep_time: 1m30s
max_restarts: 3
hang_after: 10m
start: no
colour: blue
""")
    runner = settings.runners["in"]
    assert settings.queue_root == BASE / "spool"
    assert runner.class_path == "house.Sorter"
    assert runner.queue_directory == BASE / "spool" / "incoming"
    assert (runner.instances, runner.sleep_seconds, runner.max_restarts) == (5, 90, 3)
    assert runner.hang_seconds == 600
    assert not runner.start
    assert dict(runner.options) == {"colour": "blue"}
    assert runner.served
    assert not runner.foreign


def test_every_key_of_the_site_is_read() -> None:
    settings = own("""
# a comment
[qtool]
root = /var/spool/house
view_slices = 8
group_commit = no
dialect = text
stop_grace = 10s
allow = house.mail.Letter
    house.mail.Parcel
[paths]
python: lib
    /opt/house
[list.Ant@Example.com]
""")
    assert settings.kind is SiteKind.OWN
    assert settings.source == "qtool.cfg"
    assert settings.queue_root == Path("/var/spool/house")
    assert (settings.view_slices, settings.stop_grace_seconds) == (8, 10)
    assert not settings.group_commit
    assert settings.text_form
    assert settings.allowed_classes == {"house.mail.Letter", "house.mail.Parcel"}
    assert settings.python_paths == (BASE / "lib", Path("/opt/house"))
    assert settings.lists == ("ant@example.com",)


def test_the_old_spelling_of_a_runner_section_means_the_same() -> None:
    assert own("[qrunner.test]\nmax_restarts: 1\n").runners["test"].max_restarts == 1


def test_an_empty_path_is_a_runner_without_a_queue() -> None:
    assert own("[runner.lmtp]\npath:\n").runners["lmtp"].queue_directory is None


def test_shunt_and_bad_are_there_and_nobody_serves_them() -> None:
    runners = own("[runner.in]\n").runners
    assert list(runners) == ["in", "shunt", "bad"]
    assert [runner.served for runner in runners.values()] == [True, False, False]


def test_the_built_in_default_forwards_from_in_to_out(tmp_path: Path) -> None:
    settings = default(tmp_path)
    assert list(settings.runners) == ["in", "out", "shunt", "bad"]
    assert settings.runners["in"].options == {"to": "out"}
    assert settings.runners["in"].queue_directory == tmp_path / "in"
    assert not settings.runners["out"].served
    assert list(tmp_path.iterdir()) == []


def test_weights_say_how_many_slices_there_are() -> None:
    text = "[runner.a]\nweights: 50 30 20\n[runner.b]\ninstances: 2\nweights: 1 0.5\n"
    settings = own(text)
    assert settings.runners["a"].instances == 3
    assert list(settings.runners["a"].proportions) == [50, 30, 20]
    assert settings.runners["b"].weights == (1, 0.5)


def test_a_number_of_slices_that_is_laid_over_ends_the_weights() -> None:
    text = "[runner.a]\nweights: 50 30 20\n"
    assert own(text, x="[runner.a]\ninstances: 2\n").runners["a"].weights == ()
    assert own(text, x="[runner.a]\ninstances: 3\n").runners["a"].weights
    assert own(text, x="[runner.a]\nweights: 1 2\n").runners["a"].instances == 2


def test_mailman_knows_no_weights() -> None:
    assert mailman("[runner.in]\nweights: 1 2\n").runners["in"].proportions == (1,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[runner.a]\nweights: 50 0", "[runner.a] weights: expected positive numbers"),
        ("[runner.a]\nweights: 5 -1", "[runner.a] weights: expected positive numbers"),
        ("[runner.a]\nweights: 1 nan", "[runner.a] weights: expected positive number"),
        ("[runner.a]\nweights: 1e99 1", "[runner.a] weights: expected positive numb"),
        ("[runner.a]\nweights:", "[runner.a] weights: expected positive numbers"),
        (
            "[runner.a]\nweights: 1 1\ninstances: 3",
            "[runner.a] instances: expected 2, as there are weights, not '3'",
        ),
        (
            "[runner.a]\ninstances: four",
            "[runner.a] instances: expected a whole number",
        ),
        ("[runner.a]\ninstances: -1", "[runner.a] instances: expected a whole number"),
        (
            "[runner.a]\ninstances: 99999999999",
            "[runner.a] instances: expected a whole",
        ),
        ("[runner.a]\ninstances: ٣", "[runner.a] instances: expected a whole number"),
        ("[runner.a]\nsleep_time: soon", "[runner.a] sleep_time: expected a duration"),
        ("[runner.a]\nhang_after: 0", "[runner.a] hang_after: expected a duration"),
        ("[runner.a]\nsleep_time: inf", "[runner.a] sleep_time: expected a duration"),
        ("[runner.a]\nstart: maybe", "[runner.a] start: expected yes or no"),
        ("[runner.a]\nclass: Sorter", "[runner.a] class: expected a dotted name"),
        ("[runner.a]\npath: ~/mail", "[runner.a] path: expected the whole path"),
        ("[runner.a]\npath: $home/x", "[runner.a] path: expected a value for $home"),
        ("[runner...]\n", "[runner...]: expected a name that can be a folder's"),
        ("[runner.a/b]\n", "[runner.a/b]: expected a name that can be a folder's"),
        ("[qtool]\nroot: ~/spool", "[qtool] root: expected the whole path"),
        ("[qtool]\ncolour: blue", "[qtool] colour: expected one of allow, dialect"),
        ("[qtool]\ndialect: welsh", "[qtool] dialect: expected text or object"),
        ("[qtool]\nallow: Letter", "[qtool] allow: expected dotted names"),
        ("[qtool]\nview_slices: 0", "[qtool] view_slices: expected a whole number"),
        ("[paths]\nruby: x", "[paths] ruby: expected one of python"),
        ("[runnner.a]\n", "[runnner.a]: expected [runner.NAME], [list.ADDRESS] or"),
        ("[filter.a b]\nwhere: x", "[filter.a b]: expected a name of letters, digits"),
        ("[filter.a]\nwho: x", "[filter.a] who: expected one of where"),
        ("[filter.a]\nwhere:", "[filter.a] where: expected a filter such as"),
        ("[filter.a]\n", "[filter.a] where: expected a filter such as"),
        ("[list.ant]\n", "[list.ant]: expected a posting address"),
        ("colour: blue", "line 1: expected a [section] before anything else"),
        ("[qtool]\n[qtool]\n", "line 2: [qtool] is there already"),
        ("[qtool]\nroot: a\nroot: b", "line 3: [qtool] root: is there already"),
        ("[qtool]\nroot", "line 2: expected key: value"),
    ],
)
def test_a_wrong_value_is_one_line_with_file_section_and_key(
    text: str, expected: str
) -> None:
    line = complaint(text)
    assert line.startswith(f"qtool.cfg: {expected}")
    assert "\n" not in line


@given(st.text(max_size=200))
def test_any_text_is_a_configuration_or_one_line(text: str) -> None:
    complaint = ""
    try:
        own(text)
    except SettingsError as error:
        complaint = str(error)
    assert len(complaint.splitlines()) <= 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5d", 432000), ("15m", 900), ("1s", 1), ("0.5", 0.5), ("1h30m", 5400),
     ("2w", 1209600), ("1y", 31557600), ("1d 12h", 129600), ("0", 0)],
)  # fmt: skip
def test_durations_are_read_as_mailman_writes_them(text: str, seconds: float) -> None:
    assert duration_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "1x", "m", "1m1", "inf", "nan", "1e9", "٣"])
def test_what_is_no_duration_is_none(text: str) -> None:
    assert duration_seconds(text) is None


# --- Overlays


def test_an_overlay_adds_a_runner_with_its_queue() -> None:
    settings = own("[qtool]\nroot: q", test="[runner.test]\nmax_restarts: 1\n")
    assert settings.runners["test"].queue_directory == BASE / "q" / "test"
    assert settings.runners["test"].max_restarts == 1


def test_an_overlay_changes_only_what_it_says() -> None:
    base = own("[runner.in]\nclass: a.B\nsleep_time: 5s\nto: out\n")
    runner = overlaid(base, {"more": "[runner.in]\ninstances: 4\n"}).runners["in"]
    assert (runner.class_path, runner.sleep_seconds, runner.instances) == ("a.B", 5, 4)
    assert runner.options == {"to": "out"}
    assert base.runners["in"].instances == 1


def test_an_overlay_cannot_move_the_spool() -> None:
    with pytest.raises(SettingsError, match=r"test: \[qtool\]: expected"):
        own("", test="[qtool]\nroot: elsewhere\n")


def test_an_overlay_that_gives_a_class_makes_a_queue_served(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    settings = overlaid(from_root(tmp_path), {"x": "[runner.in]\nclass: a.B\n"})
    assert settings.runners["in"].served


# --- Mailman 3


def test_the_stock_runners_of_mailman_are_known() -> None:
    runners = mailman("[mailman]\nlayout: fhs\n").runners
    assert [n for n, r in runners.items() if r.queue_directory] == MAILMAN_QUEUES
    assert [n for n, r in runners.items() if not r.queue_directory] == [
        "lmtp",
        "rest",
        "task",
    ]
    assert [n for n, r in runners.items() if not r.start] == ["nntp", "shunt", "bad"]
    assert [n for n, r in runners.items() if not r.served] == ["shunt", "bad"]
    assert all(runner.foreign for runner in runners.values())
    slow = {n: r.sleep_seconds for n, r in runners.items() if r.sleep_seconds != 1}
    assert slow == {"retry": 900, "bounces": 120, "task": 60}


def test_the_fhs_layout_is_where_packages_put_it() -> None:
    settings = mailman("[mailman]\nlayout: fhs\n")
    assert settings.kind is SiteKind.MAILMAN3
    assert settings.queue_root == Path("/var/spool/mailman")
    assert settings.lock_file == Path("/var/lock/mailman/master.lck")
    assert Path("/var/log/mailman/mailman.log") in settings.log_files
    assert settings.text_form


@pytest.mark.parametrize(
    ("layout", "queue_root"),
    [
        ("local", "/var/tmp/mailman/queue"),
        ("dev", "/srv/queue"),
        ("here", "/srv/site/var/queue"),
    ],
)
def test_built_in_layouts_are_known(layout: str, queue_root: str) -> None:
    assert mailman(f"[mailman]\nlayout: {layout}\n").queue_root == Path(queue_root)


def test_the_usual_place_of_the_file_tells_the_working_folder() -> None:
    settings = mailman("", base=Path("/opt/mm/var/etc"))
    assert settings.queue_root == Path("/opt/mm/var/queue")


def test_a_layout_of_ones_own_is_substituted_again_and_again() -> None:
    settings = mailman("""
[mailman]
layout: debian
[paths.debian]
var_dir: /var/lib/mailman3
queue_dir: ${var_dir}/queue
log_dir: /var/log/mailman3
lock_dir: $VAR_DIR/locks
bin_dir: /usr/lib/mailman3/bin
lock_file: $lock_dir/master.lck
[logging.debian]
path: mailman.log
[logging.smtp]
path: mail/smtp.log
[logging.bounce]
path: /var/log/bounce
""")
    assert settings.queue_root == Path("/var/lib/mailman3/queue")
    assert settings.lock_file == Path("/var/lib/mailman3/locks/master.lck")
    assert settings.program_directory == Path("/usr/lib/mailman3/bin")
    assert Path("/var/log/mailman3/mail/smtp.log") in settings.log_files
    assert Path("/var/log/bounce") in settings.log_files
    assert len(settings.log_files) == len(set(settings.log_files))
    assert settings.error_logs == (Path("/var/log/mailman3/mailman.log"),)
    assert settings.delivery_logs == (Path("/var/log/mailman3/mail/smtp.log"),)


def test_a_site_moves_the_log_of_what_went_wrong() -> None:
    settings = mailman("[logging.error]\npath: /var/log/errors\n")
    assert [path.name for path in settings.error_logs] == ["errors", "mailman.log"]


def test_the_logs_of_mailman_2_stand_beside_its_queues(tmp_path: Path) -> None:
    (tmp_path / "qfiles" / "in").mkdir(parents=True)
    settings = from_root(tmp_path / "qfiles")
    assert settings.error_logs == (tmp_path / "logs" / "error",)


def test_a_site_changes_its_runners() -> None:
    runners = mailman("""
[mailman]
layout: x
[paths.x]
var_dir: /v
[runner.out]
instances: 4
[runner.retry]
sleep_time: 5m
[runner.in]
path: $QUEUE_DIR/$name-here
[runner.mine]
class: house.Runner
path:
[runner.shunt]
sleep_time: 1s
""").runners
    assert runners["out"].instances == 4
    assert runners["out"].class_path == "mailman.runners.outgoing.OutgoingRunner"
    assert runners["retry"].sleep_seconds == 300
    assert runners["in"].queue_directory == Path("/v/queue/in-here")
    assert runners["mine"].queue_directory is None
    assert not runners["shunt"].served
    assert {n for n, r in runners.items() if not r.foreign} == {"mine"}


def test_a_queue_of_mailman_may_be_given_a_class_of_ones_own() -> None:
    settings = mailman(
        "[paths]\npython: runners\n[runner.in]\nclass: mine.Sorter\n"
        "[runner.out]\nclass: mailman.runners.null.NullRunner\n",
        later="[runner.virgin]\nclass: mine.Sorter\n[runner.retry]\nstart: no\n",
    )
    ours = {name for name, runner in settings.runners.items() if not runner.foreign}
    assert ours == {"in", "virgin"}
    assert settings.python_paths == (BASE / "runners",)


def test_a_runner_pushed_on_a_mailman_site_is_not_mailmans() -> None:
    settings = mailman(
        "[mailman]\nlayout: local\n", test="[runner.test]\nmax_restarts: 1\n"
    )
    assert not settings.runners["test"].foreign
    assert settings.runners["in"].foreign


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[mailman]\nlayout: none", "[mailman] layout: expected a section"),
        ("[mailman]\nlayout: x\n[paths.x]\nvar_dir: $argv/v", "a value for $argv"),
        ("[mailman]\nlayout: x\n[paths.x]\nvar_dir: $queue_dir\n", "in a circle"),
        ("[runner.out]\ninstances: two", "[runner.out] instances: expected a whole"),
    ],
)
def test_a_wrong_value_of_mailmans_is_one_line(text: str, expected: str) -> None:
    with pytest.raises(SettingsError) as caught:
        mailman(text)
    assert expected in str(caught.value)
    assert str(caught.value).startswith("/srv/site/mailman.cfg: ")


@pytest.mark.parametrize("read", [own, mailman])
def test_filters_are_kept_as_they_are_written(read: Callable[..., Settings]) -> None:
    text = '[filter.old]\nwhere: age>3d\n  -from:"x y"\n[filter.B]\nwhere: @old\n'
    assert read(text).filters == {"old": 'age>3d\n-from:"x y"', "B": "@old"}
    overlaid = read(text, later="[filter.old]\nwhere: bob")
    assert overlaid.filters == {"old": "bob", "B": "@old"}


def test_what_says_nothing_about_queues_is_passed_over() -> None:
    text = "[mailman]\nlayout: local\n[archiver.prototype]\nenable: yes\n[odd]\na: b\n"
    assert "in" in mailman(text).runners


# --- A folder of queues


def make_queue(root: Path, name: str, first: bytes = b"") -> None:
    (root / name).mkdir()
    if first:
        (root / name / NAME).write_bytes(first)


def test_each_folder_of_a_root_is_a_queue_without_a_runner(tmp_path: Path) -> None:
    for name in ("out", "in", ".qtool"):
        make_queue(tmp_path, name)
    (tmp_path / "note.txt").write_text("no queue")
    settings = from_root(tmp_path)
    assert list(settings.runners) == ["in", "out"]
    assert not any(runner.served for runner in settings.runners.values())
    assert settings.kind is SiteKind.OWN
    assert settings.source == f"--root {tmp_path}"
    assert settings.text_form


@pytest.mark.parametrize(
    ("queues", "kind"),
    [
        ({"in": b"S'From'", "out": b"(c"}, SiteKind.MAILMAN2),
        ({"in": b"S'From'", "out": b"\x80\x02cemail"}, SiteKind.MAILMAN2),
        ({"in": b"U\x04From", "out": b"T\x00"}, SiteKind.MAILMAN2),
        ({"in": b"", "commands": b""}, SiteKind.MAILMAN2),
        ({"in": b"\x80\x05"}, SiteKind.OWN),
        ({"in": b"S'", "out": b"\x80\x05"}, SiteKind.OWN),
        ({"in": b"S'", "pipeline": b""}, SiteKind.OWN),
        ({"in": b""}, SiteKind.OWN),
    ],
)
def test_mailman_2_is_known_by_its_queues_or_its_files(
    tmp_path: Path, queues: dict[str, bytes], kind: SiteKind
) -> None:
    for name, first in queues.items():
        make_queue(tmp_path, name, first)
    assert from_root(tmp_path).kind is kind


def test_a_pipe_or_a_link_in_a_queue_is_not_opened(tmp_path: Path) -> None:
    make_queue(tmp_path, "in")
    os.mkfifo(tmp_path / "in" / NAME)
    (tmp_path / "in" / f"2{NAME}").symlink_to("/dev/zero")
    assert from_root(tmp_path).kind is SiteKind.OWN


def test_a_missing_root_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--root .*: No such file"):
        from_root(tmp_path / "gone")


# --- A private copy of mailman.cfg


PRIVATE = Path("/v/queue/.qtool/step/queue")


def privately(text: str, base: Path = BASE) -> Settings:
    source = str(base / "mailman.cfg")
    moved = with_private_queue(
        text, source=source, base=base, runner="out", folder=PRIVATE
    )
    elsewhere = PRIVATE.parent
    return parse(moved, source=str(elsewhere / "mailman.cfg"), base=elsewhere)


@pytest.mark.parametrize(
    "text",
    [
        "[mailman]\nlayout: local\n[runner.out]\ninstances: 4\npath: /q/out",
        "[mailman]\nlayout: fhs\n",
        "[mailman]\nlayout: dev\n",
        "[mailman]\nlayout: here\n[paths.here]\nlog_dir: ${cfg_file}/../logs\n",
    ],
)
def test_a_private_copy_moves_one_queue_and_nothing_else(text: str) -> None:
    private, site = privately(text), mailman(text)
    assert private.runners["out"].queue_directory == PRIVATE
    assert private.runners["out"].instances == 1
    for name in set(MAILMAN_QUEUES) - {"out"}:
        assert private.runners[name] == site.runners[name]
    assert private.lock_file == site.lock_file
    assert private.log_files == site.log_files


def test_mailman_takes_the_later_of_two_values_and_so_do_we() -> None:
    text = "[mailman]\nlayout: local\n[runner.out]\ninstances: 4\n[runner.out]\n"
    assert mailman(text).runners["out"].instances == 4
    assert mailman(f"{text}instances: 2\n").runners["out"].instances == 2
