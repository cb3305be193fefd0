from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING

from qtool.control.acting import Actor, acting_as, acting_uid
from tests.control.site import HERE, configuration, open_site

if TYPE_CHECKING:
    from pathlib import Path

_ANOTHER = 65534


def test_it_is_this_process_who_acts_unless_somebody_asked_for_it() -> None:
    assert acting_uid() == os.geteuid()
    with acting_as(Actor(uid=_ANOTHER, pid=0)):
        assert acting_uid() == _ANOTHER
    assert acting_uid() == os.geteuid()


def test_a_pause_names_the_user_who_asked_for_it(tmp_path: Path) -> None:
    control = open_site(tmp_path, configuration(**{"in": f"class: {HERE}.Taking"}))
    control.start("in")
    user = pwd.getpwuid(_ANOTHER).pw_name
    for sudo, who in (("", user), ("anne", f"anne as {user}"), (user, user)):
        with acting_as(Actor(uid=_ANOTHER, pid=0, sudo=sudo)):
            control.pause("in")
        row = control.scan().row("in")
        assert row is not None
        assert f"paused by {who}" in row.note
    control.close()
