"""Only a plain message is written as it stands, without being read back."""

from __future__ import annotations

from email.header import Header
from typing import Any

import pytest

from qtool.qfile.plain import is_plain
from tests.qfile.assemble import STATE


@pytest.mark.parametrize(
    "change",
    [
        {"_headers": [("Subject", "gr\udcfcn")]},
        {"_headers": [("Subject", Header("green"))]},
        {"_headers": [("Subject",)]},
        {"_headers": ["ab"]},
        {"_headers": (("Subject", "green"),)},
        {"_payload": []},
        {"_charset": "us-ascii"},
        {"_default_type": None},
        {"defects": ["a defect"]},
        {"defects": ()},
        {"preamble": 1},
        {"original_size": "7"},
        {"postamble": None},
        {"_headers": [("Subject", "a" * 60_000)] * 20},
        {"_headers": [("Subject", "a" * 900)] * 900},
        {"_headers": [("Subject", "a")] * 2000},
        {"preamble": "a" * 60_000},
    ],
)
def test_what_needs_a_second_look_is_not_plain(change: dict[str, Any]) -> None:
    assert is_plain(STATE)
    assert not is_plain({**STATE, **change})


@pytest.mark.parametrize("field", sorted(STATE))
def test_a_message_without_one_of_its_fields_is_not_plain(field: str) -> None:
    assert not is_plain({key: STATE[key] for key in STATE if key != field})
