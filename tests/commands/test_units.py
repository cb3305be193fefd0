"""``qtool units``: what it writes and leaves alone, and what systemd makes of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qtool.commands.unit_files import units_of
from qtool.installation import load_settings
from tests.commands.program import FORWARD, MESSAGE, QTOOL, configuration, entries
from tests.engine.mailman_double import MailmanDouble

if TYPE_CHECKING:
    from tests.commands.conftest import Call

FILES = {
    "daemon": ["qtool.service"],
    "timer": ["qtool-once.service", "qtool-once.timer"],
    "path": ["qtool-drain.service", "qtool-drain.timer", "qtool-in.path"],
}
OURS = "class: qtool.runners.forward.ForwardRunner\nto: out\n"
FILEBASE = "1700000000.1234567+" + "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def units(tmp_path: Path, site: Path) -> Path:
    """The folder for the units of a site that is there."""
    (tmp_path / "spool").mkdir()
    folder = tmp_path / "units"
    folder.mkdir()
    return folder


@pytest.fixture
def mailman(tmp_path: Path) -> Path:
    """The mailman.cfg of a site in which ``in`` has a runner of ours."""
    MailmanDouble(tmp_path / "site")
    config = tmp_path / "site" / "mailman.cfg"
    text = config.read_text().replace("instances: 4\n", f"instances: 1\n{OURS}")
    config.write_text(text)
    return config


def names_in(folder: Path) -> list[str]:
    """The names in a folder, sorted."""
    return sorted(path.name for path in folder.iterdir())


def value(text: str, key: str) -> list[str]:
    """Every value of a key in a unit."""
    return [line.partition("=")[2] for line in text.splitlines()
            if line.partition("=")[0] == key]  # fmt: skip


@pytest.mark.parametrize("mode", FILES)
def test_each_mode_has_its_files_and_each_is_named(
    call: Call, site: Path, units: Path, mode: str
) -> None:
    ended = call("--config", site, "units", "--dir", units, "--mode", mode)
    assert ended.status == 0
    assert names_in(units) == FILES[mode]
    assert sorted(ended.out.splitlines()) == [
        f"{units / n}: written" for n in FILES[mode]
    ]
    assert "systemctl enable --now" in ended.err


def test_the_same_again_changes_nothing(call: Call, site: Path, units: Path) -> None:
    words = ("--config", site, "units", "--dir", units)
    call(*words)
    before = (units / "qtool.service").stat()
    ended = call(*words)
    assert (ended.status, ended.out) == (0, f"{units}/qtool.service: unchanged\n")
    assert (units / "qtool.service").stat().st_ino == before.st_ino


def test_programs_are_told_which_units_are_to_be_enabled(
    call: Call, site: Path, units: Path
) -> None:
    words = ("--config", site, "units", "--dir", units, "--mode", "timer", "--json")
    assert sorted(map(json.loads, call(*words).out.splitlines()), key=str) == [
        {"path": f"{units}/qtool-once.service", "state": "written", "enable": False},
        {"path": f"{units}/qtool-once.timer", "state": "written", "enable": True},
    ]


def test_what_stands_there_with_another_text_stays_and_none_is_written(
    call: Call, site: Path, units: Path
) -> None:
    (units / "qtool-once.timer").write_text("mine")
    ended = call("--config", site, "units", "--dir", units, "--mode", "timer")
    assert (ended.status, ended.out) == (1, "")
    assert ended.told == [
        f"qtool: {units}/qtool-once.timer: there already, with another text"
    ]
    assert names_in(units) == ["qtool-once.timer"]
    assert (units / "qtool-once.timer").read_text() == "mine"


def test_the_service_is_hardened_and_may_write_where_runners_do(
    tmp_path: Path, units: Path
) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    config = configuration(tmp_path, f"{FORWARD}archive: {archive}\n")
    for mode in FILES:
        made = units_of(load_settings(config), mode, "list")
        (service,) = (text for name, text in made.items() if name.endswith(".service"))
        assert value(service, "ReadWritePaths") == [
            str(tmp_path / "spool"),
            str(archive),
        ]
        assert value(service, "ProtectSystem") == ["strict"]
        assert value(service, "NoNewPrivileges") == ["yes"]
        assert value(service, "UMask") == ["0007"]
        assert value(service, "User") == ["list"]
        assert value(service, "PrivateTmp") == []  # the site of the test is there


@pytest.mark.parametrize(
    "text", ["/", "/etc", "/etc/ssl", "/usr/bin", "/var", "/var/lib", "/home", "//usr"]
)
def test_a_system_folder_that_an_option_names_is_not_made_writable(
    tmp_path: Path, units: Path, text: str
) -> None:
    assert Path(text).is_dir()
    (tmp_path / "link").symlink_to(text)
    options = f"{FORWARD}place: {text}\nlink: {tmp_path / 'link'}\n"
    made = units_of(load_settings(configuration(tmp_path, options)), "daemon", "")
    service = made["qtool.service"]
    assert value(service, "ReadWritePaths") == [str(tmp_path / "spool")]
    assert f"# Not writable: {Path(text)}\n" in service


def test_systemd_waits_longer_than_a_service_that_failed_is_held(
    tmp_path: Path, units: Path
) -> None:
    config = configuration(tmp_path, FORWARD)
    text = config.read_text().replace("[qtool]\n", "[qtool]\nstop_grace: 0\n")
    config.write_text(text)
    service = units_of(load_settings(config), "path", "")["qtool-drain.service"]
    [held], [patience] = (
        value(service, "ExecStopPost"),
        value(service, "TimeoutStopSec"),
    )
    assert int(patience) > int(held.partition("exec sleep ")[2].rstrip("'"))


def test_sites_of_two_users_have_two_folders_for_their_sockets(
    site: Path, units: Path
) -> None:
    def place(user: str) -> list[str]:
        service = units_of(load_settings(site), "daemon", user)["qtool.service"]
        return value(service, "RuntimeDirectory")

    assert place("list") == ["qtool/list"]
    assert place("anne") == ["qtool/anne"]
    assert place("") == ["qtool"]


def test_a_reload_is_one_hang_up(site: Path, units: Path) -> None:
    service = units_of(load_settings(site), "daemon", "")["qtool.service"]
    assert value(service, "ExecReload") == ["/bin/kill -HUP $MAINPID"]


def test_what_path_units_start_has_no_start_limit(site: Path, units: Path) -> None:
    made = units_of(load_settings(site), "path", "")
    assert value(made["qtool-drain.service"], "StartLimitIntervalSec") == ["0"]
    assert value(made["qtool-drain.service"], "User") == []
    assert value(made["qtool-in.path"], "Unit") == ["qtool-drain.service"]
    assert value(made["qtool-drain.timer"], "Persistent") == ["true"]


def test_path_units_see_entries_that_wait_or_are_in_flight_and_nothing_else(
    tmp_path: Path, site: Path, units: Path
) -> None:
    made = units_of(load_settings(site), "path", "")
    patterns = value(made["qtool-in.path"], "PathExistsGlob")
    queue = tmp_path / "spool" / "in"

    def seen(name: str) -> bool:
        return any(fnmatchcase(str(queue / name), pattern) for pattern in patterns)

    assert seen(f"{FILEBASE}.pck")
    assert seen(f"{FILEBASE}.bak")
    for name in (
        f"{FILEBASE}.psv",
        f"{FILEBASE}.pck.tmp",
        "README",
        "foo.pck",
        "x+y.pck",
    ):
        assert not seen(name)


def test_strange_names_are_told_to_systemd_as_it_wants_them(tmp_path: Path) -> None:
    folder = tmp_path / 'with space %n $x "q"'
    (folder / "spool").mkdir(parents=True)
    settings = load_settings(configuration(folder, FORWARD))
    service = units_of(settings, "daemon", "")["qtool.service"]
    (command,) = value(service, "ExecStart")
    assert 'with space %%n $$x \\"q\\"/site.cfg" run' in command
    assert value(service, "ReadWritePaths") == [
        f'"{tmp_path}/with space %%n $x \\"q\\"/spool"'
    ]
    settings = load_settings(
        configuration(tmp_path, "[runner.a@b[c]\nclass: x.Y\n".replace("[c", "_c"))
    )
    (tmp_path / "spool").mkdir()
    assert "qtool-a\\x40b_c.path" in units_of(settings, "path", "")


# --- Of runners of ours in Mailman's queues


@pytest.mark.parametrize("mode", FILES)
def test_at_a_mailman_site_they_give_its_lock_back_whatever_was_killed(
    mailman: Path, mode: str
) -> None:
    made = units_of(load_settings(mailman), mode, "list")
    (service,) = (text for name, text in made.items() if name.endswith(".service"))
    var = mailman.parent / "var"
    assert value(service, "ReadWritePaths") == [str(var / "queue"), str(var / "locks")]
    assert value(service, "ExecStopPost")[0] == f"-{QTOOL} --config {mailman} status"


def test_at_a_mailman_site_only_runners_of_ours_are_run(mailman: Path) -> None:
    settings = load_settings(mailman)
    service = units_of(settings, "timer", "")["qtool-once.service"]
    (command,) = value(service, "ExecStart")
    assert command.endswith(" run --once -r in")
    assert sorted(units_of(settings, "path", "")) == FILES["path"]


def test_a_runner_that_mailman_keeps_from_its_work_is_not_tried_again_by_systemd(
    mailman: Path, site: Path, units: Path
) -> None:
    # For whoever stops Mailman may want to start it in a moment.
    service = units_of(load_settings(mailman), "daemon", "")["qtool.service"]
    assert value(service, "Restart") == ["on-abnormal"]
    service = units_of(load_settings(site), "daemon", "")["qtool.service"]
    assert value(service, "Restart") == ["on-failure"]
    assert value(service, "ExecStopPost") == []


# --- What it refuses


def test_wrong_words_are_refused_in_a_line_and_nothing_is_written(
    call: Call, site: Path, units: Path, tmp_path: Path
) -> None:
    for words, line in (
        (("--dir", tmp_path / "gone"), f"{tmp_path}/gone: no such folder"),
        (("--dir", units, "--user", "nob\x1body"), "there is no user nob\\x1body"),
    ):
        ended = call("--config", site, "units", *words)
        assert (ended.status, ended.out, ended.told) == (1, "", [f"qtool: {line}"])
    ended = call("--root", tmp_path, "units", "--dir", units)
    assert "units are for a site with a configuration" in ended.told[0]
    (tmp_path / "spool").rmdir()
    ended = call("--config", site, "units", "--dir", units)
    assert ended.told == [
        f"qtool: {tmp_path}/spool: no such folder; make it first, for its owner"
    ]
    assert names_in(units) == []


def test_a_site_with_nothing_to_run_has_no_units(
    call: Call, units: Path, tmp_path: Path
) -> None:
    config = configuration(tmp_path, "[runner.in]\n")
    ended = call("--config", config, "units", "--dir", units)
    assert (ended.status, ended.told) == (
        1, [f"qtool: there is nothing to run: {config} starts no runner"],
    )  # fmt: skip


def test_a_mailman_site_without_runners_of_ours_has_no_units_of_ours(
    call: Call, units: Path, mailman: Path
) -> None:
    mailman.write_text(mailman.read_text().replace(OURS, ""))
    ended = call("--config", mailman, "units", "--dir", units)
    assert (ended.status, ended.told) == (
        1,
        [
            "qtool: this is a Mailman site, and its runners are Mailman's: so are"
            " its units"
        ],
    )
    assert names_in(units) == []


# --- What systemd makes of it


@pytest.mark.long
@pytest.mark.parametrize("mode", FILES)
@pytest.mark.parametrize("whose", ["site", "mailman"])
def test_systemd_accepts_the_units(
    call: Call, units: Path, mode: str, whose: str, request: pytest.FixtureRequest
) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("NOT RUN: systemd is not installed")
    config = request.getfixturevalue(whose)
    call("--config", config, "units", "--dir", units, "--mode", mode)
    call("--config", config, "units", "--dir", units, "--cull", "bad:30d")
    done = subprocess.run(
        ["systemd-analyze", "verify", *sorted(units.iterdir())],
        capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


MANAGER = Path("/usr/lib/systemd/systemd")
_NAMESPACE = """\
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system /run/user
chmod 700 /run/user
export XDG_RUNTIME_DIR=/run/user XDG_CONFIG_HOME="$1"
"$2" --user --log-target=null >/dev/null 2>&1 &
while ! systemctl --user is-active -q default.target 2>/dev/null; do sleep 0.05; done
shift 2
"$@"
"""
_DROP_IN = """\
[Service]
# What a container's kernel may not have.
ProtectKernelLogs=no
ProtectKernelTunables=no
"""


@pytest.fixture
def managed(units: Path, tmp_path: Path) -> list[str]:
    """Words that run a command beside a systemd of the test's own."""
    if not MANAGER.exists() or shutil.which("unshare") is None:
        pytest.skip("NOT RUN: systemd is not installed")
    if subprocess.run(["unshare", "--mount", "--pid", "--fork", "true"]).returncode:
        pytest.skip("NOT RUN: only root can start a systemd of its own")
    (tmp_path / "systemd").mkdir()
    (tmp_path / "systemd" / "user").symlink_to(units)
    return ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child",
            "bash", "-c", _NAMESPACE, "-", str(tmp_path), str(MANAGER)]  # fmt: skip


def beside_systemd(managed: list[str], script: str, **names: object) -> str:
    done = subprocess.run(
        [*managed, "bash", "-euc", script],
        capture_output=True, text=True, timeout=90, check=False,
        env={**os.environ, **{name: str(text) for name, text in names.items()}},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def write(call: Call, site: Path, units: Path, mode: str) -> None:
    assert call("--config", site, "units", "--dir", units, "--mode", mode).status == 0
    for name in FILES[mode]:
        if name.endswith(".service"):
            (units / f"{name}.d").mkdir()
            (units / f"{name}.d" / "here.conf").write_text(_DROP_IN)


@pytest.mark.long
def test_the_daemon_is_up_when_it_says_so_and_stops_when_asked(
    call: Call, site: Path, units: Path, managed: list[str]
) -> None:
    write(call, site, units, "daemon")
    out = beside_systemd(
        managed,
        "systemctl --user start qtool.service\n"
        "systemctl --user show -P ActiveState -P StatusText qtool.service\n"
        "systemctl --user stop qtool.service\n"
        "systemctl --user show -P Result qtool.service\n",
    )
    told = "queues 4, runners at work 1, waiting 0, in flight 0"
    assert sorted(out.splitlines()) == ["active", told, "success"]


@pytest.mark.long
def test_mailmans_lock_is_given_back_when_its_service_is_stopped_or_killed(
    call: Call, mailman: Path, units: Path, managed: list[str]
) -> None:
    write(call, mailman, units, "daemon")
    locks = mailman.parent / "var" / "locks"
    beside_systemd(
        managed,
        "systemctl --user start qtool.service\n"
        '[ "$(ls "$LOCKS" | wc -l)" = 2 ]\n'
        "systemctl --user stop qtool.service\n"
        '[ -z "$(ls "$LOCKS")" ]\n'
        "systemctl --user start qtool.service\n"
        "systemctl --user kill --kill-whom=main -s KILL qtool.service\n"
        "state() { systemctl --user show -P SubState qtool.service; }\n"
        'until [ "$(state)" = auto-restart ]; do sleep 0.1; done\n'
        '[ -z "$(ls "$LOCKS")" ]\n',
        LOCKS=locks,
    )
    assert names_in(locks) == []


@pytest.mark.long
def test_a_path_unit_starts_it_for_each_arrival_also_for_the_last_moment(
    call: Call, site: Path, units: Path, tmp_path: Path, managed: list[str]
) -> None:
    write(call, site, units, "path")
    (tmp_path / "message").write_bytes(MESSAGE)
    # One arrives while the service is being ended: nobody listens then.
    (units / "qtool-drain.service.d" / "late.conf").write_text(
        "[Service]\nExecStopPost=/bin/sh -c '[ -e $STAMP ] || "
        "{ touch $STAMP; exec $QTOOL --config $SITE inject in $MESSAGE; }'\n"
        .replace("$STAMP", str(tmp_path / "spool" / "stamp"))
        .replace("$QTOOL", str(QTOOL))
        .replace("$SITE", str(site))
        .replace("$MESSAGE", str(tmp_path / "message"))
    )  # fmt: skip
    beside_systemd(
        managed,
        "systemctl --user start qtool-in.path\n"
        '"$QTOOL" --config "$SITE" inject in "$MESSAGE"\n'
        'until [ "$(ls "$OUT"/*.pck 2>/dev/null | wc -l)" = 2 ]; do sleep 0.1; done\n'
        "[ $(systemctl --user show -P NRestarts qtool-drain.service) = 0 ]\n",
        QTOOL=QTOOL, SITE=site, MESSAGE=tmp_path / "message",
        OUT=tmp_path / "spool" / "out",
    )  # fmt: skip
    assert entries(tmp_path / "spool" / "in") == []


@pytest.mark.long
def test_one_that_cannot_run_is_not_started_again_at_once(
    call: Call, site: Path, units: Path, tmp_path: Path, managed: list[str]
) -> None:
    write(call, site, units, "path")
    (tmp_path / "spool" / "in").mkdir()
    (tmp_path / "spool" / "in" / f"{FILEBASE}.pck").touch()
    site.write_text("[nonsense]\n")
    out = beside_systemd(
        managed,
        "systemctl --user start qtool-in.path\n"
        "state() { systemctl --user show -P SubState qtool-drain.service; }\n"
        'until [ "$(state)" = stop-post ]; do sleep 0.1; done\n'
        "systemctl --user show -P InvocationID qtool-drain.service\n"
        "sleep 2\n"
        "state\n"
        "systemctl --user show -P InvocationID qtool-drain.service\n"
        "systemctl --user is-active qtool-in.path\n",
    )
    first, state, last, path = out.split()
    assert (state, path) == ("stop-post", "active")
    assert first == last


def test_culling_is_a_timer_of_its_own_that_empties_what_is_past_its_time(
    call: Call, site: Path, units: Path
) -> None:
    ended = call("--config", site, "units", "--dir", units, "--cull", "bad:30d",
                 "--cull", "shunt:12w")  # fmt: skip
    assert ended.status == 0
    assert names_in(units) == ["qtool-cull.service", "qtool-cull.timer"]
    commands = value((units / "qtool-cull.service").read_text(), "ExecStart")
    assert [" ".join(each.split()[3:]) for each in commands] == [
        "trash --empty expired --yes",
        "cull --older 30d bad --unattended",
        "cull --older 12w shunt --unattended",
    ]
    assert value((units / "qtool-cull.timer").read_text(), "OnCalendar") == ["daily"]


@pytest.mark.parametrize("rule", ["bad", "bad:", "nowhere:30d", "bad:30d;x", "../x:3d"])
def test_a_rule_for_culling_that_is_none_is_refused(
    call: Call, site: Path, units: Path, rule: str
) -> None:
    ended = call("--config", site, "units", "--dir", units, "--cull", rule)
    assert ended.status == 1
    assert "--cull" in ended.err
    assert names_in(units) == []
