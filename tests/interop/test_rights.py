"""Root at a Mailman site of another user: that one's all the way down."""

from __future__ import annotations

import os
import pwd
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.commands.program import MESSAGE, QTOOL
from tests.interop.site import LIST_ID, Site
from tests.rights import elsewhere, open_folder, why_not

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(bool(why_not()), reason=f"other users: {why_not()}"),
]


def everything(folder: Path) -> list[Path]:
    return [folder, *folder.rglob("*")]


def test_what_mailman_does_for_root_is_the_owner_s(template: Site) -> None:
    owner = pwd.getpwnam("nobody")
    with open_folder() as folder:
        site = Site(programs=template.programs, directory=folder / "site")
        site.configure(smtp_port=9)
        site.copy_of(template)
        for path in everything(site.directory):
            os.chown(path, owner.pw_uid, owner.pw_gid)

        def call(*words: str) -> str:
            command = [QTOOL, "--config", site.configuration,
                       "--mailman-bin", site.programs, *words]  # fmt: skip
            done = subprocess.run(
                elsewhere(command, also=site.programs.parent),
                input=MESSAGE, capture_output=True, timeout=120, check=True,
            )  # fmt: skip
            assert b"you are root: acting as nobody" in done.stderr
            return done.stdout.decode()

        call("inject", "in", "--listid", LIST_ID)
        assert len(site.waiting("in")) == 1
        assert call("shell", "-c", "print(control.step('in').outcome)") == "done\n"
        assert site.waiting("in") == []
        owners = {path.lstat().st_uid for path in everything(site.directory)}
        assert owners == {owner.pw_uid}
