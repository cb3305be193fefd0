from __future__ import annotations

from pathlib import Path

import qtool
from qtool.control.shunts.tracebacks import exception_of, raised
from tests.control.mailman_logs import PLACE_2, traceback

HOOK = "/srv/site/hooks.py:7 hook"
LIBRARY = "/usr/lib/python3.11/json/decoder.py:355 raw_decode"


def test_the_last_frame_is_where_it_was_raised() -> None:
    found = raised(traceback("json.decoder.JSONDecodeError: no: such", HOOK, LIBRARY))
    assert (found.exception, found.message) == ("JSONDecodeError", "no: such")
    assert found.frame == "json/decoder.py:355 raw_decode"


def test_the_sites_own_code_is_neither_a_librarys_nor_mailmans_nor_ours() -> None:
    ours = f"{Path(qtool.__file__).parent}/engine/runner.py:1 run"
    assert raised(traceback("E: x", HOOK, ours, LIBRARY)).own_frame == HOOK
    assert raised(traceback("E: x", LIBRARY, place=PLACE_2)).own_frame == ""


def test_what_the_configuration_names_is_the_sites_own() -> None:
    frame = "/srv/lib/python3.11/site-packages/plugin/rules.py:3 check"
    text = traceback("E: x", frame)
    assert raised(text).own_frame == ""
    own = [Path("/srv/lib/python3.11/site-packages/plugin")]
    assert raised(text, own).own_frame == "plugin/rules.py:3 check"


def test_of_chained_exceptions_the_last_one_counts() -> None:
    text = "\n\nDuring handling of the above exception, another one occurred:\n\n".join(
        [traceback("KeyError: 'a'"), traceback("ValueError: b\nmore of it", HOOK)]
    )
    found = raised(text)
    assert (found.exception, found.message, found.frame) == ("ValueError", "b", HOOK)


def test_a_long_traceback_lacks_its_beginning() -> None:
    end = traceback("KeyError: 'a'", HOOK).partition("\n")[2]
    assert raised(f"...\n{end}").exception == "KeyError"
    assert raised(f"...\n{end}").frame == HOOK


def test_exceptions_without_text_and_reasons_without_exception_are_told_apart() -> None:
    assert exception_of("mailman.Interrupted") == ("Interrupted", "")
    assert exception_of("error: (111, 'refused')") == ("error", "(111, 'refused')")
    assert exception_of("no such list: ant") == ("", "no such list: ant")
    assert raised("").frame == ""
