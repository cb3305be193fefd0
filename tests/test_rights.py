"""Whose a spool is: the program as root, as a member, as a stranger, read-only."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import qtool
from tests.commands.program import FORWARD, MESSAGE, QTOOL, Ended, configuration
from tests.rights import elsewhere, open_folder, why_not
from tests.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(bool(why_not()), reason=f"other users: {why_not()}"),
]

OWNER, MEMBER, STRANGER = 54321, 54322, 54323
"""Nobody's numbers, so that no machine has a home folder for them."""
QUEUES = ("in", "out", "shunt", "bad")


@dataclass(frozen=True)
class Site:
    """A spool of ``OWNER`` in a folder that everybody may enter."""

    config: Path
    spool: Path

    def call(
        self,
        *words: object,
        user: int = 0,
        groups: tuple[int, ...] = (),
        read_only: bool = False,
    ) -> Ended:
        """Run the program there to its end."""
        done = subprocess.run(
            elsewhere(
                [QTOOL, "--config", self.config, *words],
                user=user,
                groups=groups,
                read_only=self.spool if read_only else None,
            ),
            input=MESSAGE,
            env={**os.environ, **self._home(user)},
            capture_output=True,
            timeout=60,
            check=False,
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    def _home(self, user: int) -> dict[str, str]:
        """What a login of that user would set, were there one."""
        if not user:
            return {}
        home = self.config.parent / f"home-{user}"
        home.mkdir(mode=0o700, exist_ok=True)
        os.chown(home, user, user)
        places = ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR")
        return dict.fromkeys(places, str(home))

    def facts(self) -> dict[str, tuple[int, int, str]]:
        """Owner, group and mode of everything below the spool, by its path."""
        return {
            str(path.relative_to(self.spool)): (
                (at := path.lstat()).st_uid, at.st_gid, stat.filemode(at.st_mode)
            )
            for path in self.spool.rglob("*")
        }  # fmt: skip

    def give(self, owner: int, mode: int = 0o2770) -> None:
        """Make the folders and give them away."""
        for folder in (self.spool, *(self.spool / name for name in QUEUES)):
            folder.mkdir(exist_ok=True)
            os.chown(folder, owner, owner)
            folder.chmod(mode)


@pytest.fixture
def site() -> Iterator[Site]:
    with open_folder() as folder:
        made = Site(configuration(folder, FORWARD), folder / "spool")
        made.give(OWNER)
        yield made


# --- Root


def test_root_becomes_the_owner_and_says_so(site: Site) -> None:
    ended = site.call("inject", "in")
    assert ended.status == 0
    assert ended.told[0] == (
        f"qtool: you are root: acting as #{OWNER}, to whom {site.spool} belongs"
    )
    ((name, facts),) = [f for f in site.facts().items() if f[0].endswith(".pck")]
    assert name.startswith("in/")
    assert facts == (OWNER, OWNER, "-rw-rw----")


def test_what_root_s_runners_write_is_the_owner_s(site: Site) -> None:
    site.call("inject", "in")
    ended = site.call("run", "--once")
    assert ended.status == 0
    assert ended.out.startswith("done 1,")
    facts = site.facts()
    assert {(uid, gid) for uid, gid, _ in facts.values()} == {(OWNER, OWNER)}
    state = {name: f[2] for name, f in facts.items() if name.startswith(".qtool")}
    assert state.pop(".qtool") == "drwxrws---"
    assert set(state.values()) <= {"drwxrws---", "-rw-rw----"}


def test_all_of_root_is_given_up_and_children_have_none_of_it(site: Site) -> None:
    code = (
        "import os, subprocess; print(os.getresuid(), os.getresgid(), os.getgroups(),"
        " os.environ['HOME'], os.environ.get('XDG_STATE_HOME'),"
        " os.environ.get('XDG_RUNTIME_DIR')); subprocess.run(['umask; id -u; id -G'],"
        " shell=True)"
    )
    ended = site.call("shell", "-c", f"import sys; {code}; sys.stdout.flush()")
    ids = (OWNER,) * 3
    assert ended.status == 0, ended.err
    assert f"{ids} {ids} [] / None None" in ended.out
    assert f"0007\n{OWNER}\n{OWNER}\n" in ended.out


def test_a_user_with_a_name_brings_groups_and_home(site: Site) -> None:
    nobody = pwd.getpwnam("nobody")
    site.give(nobody.pw_uid)
    code = "import os; print(os.getresgid()[0], os.environ['HOME'])"
    ended = site.call("shell", "-c", code)
    assert ended.told[0].startswith("qtool: you are root: acting as nobody,")
    assert ended.out == f"{nobody.pw_gid} {nobody.pw_dir}\n"


@pytest.mark.long
def test_the_board_says_as_whom_it_acts(site: Site) -> None:
    words = [str(QTOOL), "--config", str(site.config)]
    with Terminal(elsewhere(words)) as terminal:
        terminal.wait_for_text(f"acting as #{OWNER}")
        terminal.wait_for(lambda: f"  as #{OWNER}  " in terminal.lines[0])
        terminal.press("q")
        assert terminal.wait_for_end() == 0


def test_root_acts_as_the_owner_also_where_a_member_made_a_queue(site: Site) -> None:
    (site.spool / "out").rmdir()
    assert site.call("inject", "out", user=MEMBER, groups=(OWNER,)).status == 0
    assert site.facts()["out"] == (MEMBER, OWNER, "drwxrws---")
    ended = site.call("inject", "out")
    assert (ended.status, ended.told[0]) == (0, (
        f"qtool: you are root: acting as #{OWNER}, to whom {site.spool} belongs"
    ))  # fmt: skip
    assert sorted({f[0] for f in site.facts().values()}) == [OWNER, MEMBER]


@pytest.mark.parametrize(
    ("group", "mode"),
    [
        (MEMBER, 0o2770),
        pytest.param(OWNER, 0o2750, marks=pytest.mark.long),
        pytest.param(OWNER, 0o770, marks=pytest.mark.long),
    ],
)
def test_root_looks_and_changes_nothing_where_the_queues_disagree(
    site: Site, group: int, mode: int
) -> None:
    os.chown(site.spool / "out", MEMBER, group)
    (site.spool / "out").chmod(mode)
    before = site.facts()
    reason = (
        f"{site.spool} belongs to #{OWNER} and {site.spool}/out to #{MEMBER}:"
        " give both to one of them (chown)"
    )
    status = site.call("status")
    assert (status.status, status.err) == (0, "")
    assert f"read-only: {reason}" in status.out.splitlines()
    for words in (["inject", "in"], ["run", "--once"]):
        ended = site.call(*words)
        assert (ended.status, ended.told) == (1, [f"qtool: {reason}"])
    assert site.facts() == before


def test_a_spool_that_is_not_there_yet_is_the_caller_s(site: Site) -> None:
    shutil.rmtree(site.spool)
    ended = site.call("inject", "in")
    assert ended.status == 0
    assert "acting as" not in ended.err
    assert {(uid, gid) for uid, gid, _ in site.facts().values()} == {(0, 0)}


def test_a_message_that_only_root_may_read_is_injected(site: Site) -> None:
    message = site.config.with_name("message.eml")
    message.write_bytes(MESSAGE)
    message.chmod(0o600)
    assert site.call("inject", "in", message).status == 0


def test_an_owner_who_may_not_read_the_program_is_named_at_once(site: Site) -> None:
    closed = site.config.with_name("closed")
    closed.mkdir(mode=0o700)
    package = Path(qtool.__file__).parent
    shutil.copytree(package, closed / "qtool")
    ended = subprocess.run(
        elsewhere([sys.executable, "-m", "qtool", "--config", site.config, "status"]),
        capture_output=True, text=True, check=False, cwd="/",
        env={**os.environ, "PYTHONPATH": str(closed)},
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        f"qtool: #{OWNER} may not read {closed}/qtool/commands/becoming.py: install"
        " qtool where it may\n"
    )


# --- Others


def test_a_member_of_the_group_acts_as_the_owner_would(site: Site) -> None:
    assert site.call("inject", "in", user=MEMBER, groups=(OWNER,)).status == 0
    ended = site.call("run", "--once", user=MEMBER, groups=(OWNER,))
    assert (ended.status, ended.out[:7]) == (0, "done 1,")
    facts = site.facts()
    assert {gid for _, gid, _ in facts.values()} == {OWNER}
    made = {f[2] for f in facts.values() if f[0] == MEMBER}
    assert made == {"drwxrws---", "-rw-rw----"}


def test_what_each_of_them_does_is_on_record_with_who_it_was(site: Site) -> None:
    site.call("inject", "in", user=MEMBER, groups=(OWNER,))
    site.call("inject", "in", user=OWNER)
    site.call("inject", "in")
    lines = site.call("audit", "--json", user=OWNER).out.splitlines()
    told = [(record["uid"], record["login"]) for record in map(json.loads, lines)]
    known = Path("/proc/self/loginuid").read_text()
    if known == "4294967295":  # nobody has logged in, so it is who called
        assert told == [
            (OWNER, "root"),
            (OWNER, f"#{OWNER}"),
            (MEMBER, f"#{MEMBER}"),
        ]
    assert [uid for uid, _ in told] == [OWNER, OWNER, MEMBER]
    assert site.facts()[".qtool/audit.jsonl"] == (MEMBER, OWNER, "-rw-rw----")


def test_who_may_not_record_his_look_may_not_look_where_that_is_asked_for(
    site: Site,
) -> None:
    site.config.write_text(site.config.read_text() + "[audit]\nreads: yes\n")
    site.give(OWNER, 0o2775)
    site.call("inject", "in", user=OWNER)
    (entry,) = (site.spool / "in").iterdir()
    entry.chmod(0o664)
    code = f"control.entry('in', {entry.stem!r})"
    ended = site.call("shell", "-c", code, user=STRANGER)
    assert ended.status == 1
    assert ended.told[-1] == (
        "Refused: [audit] reads: yes, and this look cannot be recorded:"
        f" you may not write in {site.spool}"
    )
    assert site.call("shell", "-c", code, user=OWNER).status == 0


@pytest.mark.long
def test_the_owner_goes_on_with_what_a_member_left(site: Site) -> None:
    assert site.call("run", "--once", user=MEMBER, groups=(OWNER,)).status == 0
    assert site.call("inject", "in", user=MEMBER, groups=(OWNER,)).status == 0
    assert site.call("run", "--once", user=OWNER).out.startswith("done 1,")


def test_the_state_folder_has_the_spool_s_group(site: Site) -> None:
    os.chown(site.spool, MEMBER, OWNER)
    site.spool.chmod(0o770)  # hands down no group by itself
    ended = site.call("run", "--once", user=MEMBER, groups=(OWNER,))
    assert ended.status == 0
    assert site.facts()[".qtool"] == (MEMBER, OWNER, "drwxrws---")


def test_a_member_whose_files_the_owner_could_not_read_only_looks(site: Site) -> None:
    site.give(OWNER, 0o770)
    ended = site.call("inject", "in", user=MEMBER, groups=(OWNER,))
    assert (ended.status, ended.told) == (1, [
        f"qtool: its owner could not read what you write in {site.spool}:"
        f" chmod g+s {site.spool}"
    ])  # fmt: skip


def test_a_stranger_sees_rows_with_reasons_and_changes_nothing(site: Site) -> None:
    site.call("run", "--once")  # so that there is a state folder, too
    site.spool.chmod(0o755)
    (site.spool / "in").chmod(0o755)
    before = site.facts()
    status = site.call("status", user=STRANGER)
    assert (status.status, status.err) == (0, "")
    lines = status.out.splitlines()
    assert lines[:3] == [
        f"spool   {site.spool}",
        f"config  {site.config}",
        f"read-only: you may not write in {site.spool}",
    ]
    assert lines[5].split() == ["in", "0", "0", "-", "■", "stopped", "-"]
    assert lines[6].split() == ["out", "…", "-", "-", "?", "unreadable", "-"]
    assert lines[7].strip() == "unreadable: Permission denied"
    ended = site.call("inject", "in", user=STRANGER)
    assert ended.told == [f"qtool: you may not write in {site.spool}"]
    assert site.facts() == before


def test_a_stranger_at_a_closed_spool_is_told_so(site: Site) -> None:
    site.spool.parent.joinpath("inner").mkdir(mode=0o700)
    inner = site.spool.parent / "inner"
    site.config.write_text(f"[qtool]\nroot: {inner}/spool\n{FORWARD}")
    (inner / "spool").mkdir()
    status = site.call("status", user=STRANGER)
    assert (status.status, status.err) == (0, "")
    assert f"read-only: you may not write in {inner}" in status.out.splitlines()


# --- A read-only mount


@pytest.mark.parametrize("user", [0, pytest.param(OWNER, marks=pytest.mark.long)])
def test_a_read_only_file_system_is_looked_at_and_named(site: Site, user: int) -> None:
    before = site.facts()
    status = site.call("status", user=user, read_only=True)
    reason = f"{site.spool} is on a read-only file system"
    assert status.status == 0
    lines = status.out.splitlines()
    assert f"read-only: {reason}" in lines
    assert any(line.split()[:2] == ["in", "0"] for line in lines)
    for words in (["inject", "in"], ["run", "--once"]):
        ended = site.call(*words, user=user, read_only=True)
        assert (ended.status, ended.told[-1]) == (1, f"qtool: {reason}")
    assert site.facts() == before


def test_looking_makes_no_state_folder(site: Site) -> None:
    before = site.facts()
    assert site.call("status").status == 0
    assert site.call("shell", "-c", "print(control.scan().rows[0].depth)").status == 0
    assert site.facts() == before


# --- A daemon


def test_root_s_daemon_is_the_owner_s_and_root_attaches_and_stops_it(
    site: Site,
) -> None:
    words = [QTOOL, "--config", site.config]
    home = site.config.with_name("home")
    home.mkdir()
    os.chown(home, OWNER, OWNER)
    environment = {**os.environ, "RUNTIME_DIRECTORY": str(home)}
    with subprocess.Popen(
        elsewhere([*words, "run"]),
        stderr=subprocess.PIPE, text=True, env=environment,
    ) as daemon:  # fmt: skip
        try:
            assert daemon.stderr is not None
            lines = iter(daemon.stderr)
            assert f"acting as #{OWNER}" in next(lines)
            assert any("started" in line for line in lines)
            (socket,) = home.glob("*.sock")
            assert socket.lstat().st_uid == OWNER
            status = subprocess.run(
                elsewhere([*words, "status"]),
                capture_output=True, text=True, env=environment, check=True,
            )  # fmt: skip
            assert f"attached to pid {daemon.pid}" in status.stdout.splitlines()
            stopped = site.call("stop")
            assert stopped.status == 0
            assert stopped.out.endswith(": stopped\n")
        finally:
            daemon.terminate()
    assert daemon.returncode == 0
