"""What the real GNU Mailman shunts and preserves, with the reason from its log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.interop.site import LIST_ID, Site
from tests.interop.test_mailman import inject, post, printed

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.interop

GARBAGE = f"1700000000.5+{'01' * 20}"


def _put(site: Site, queue: str, message_id: str, *metadata: str) -> None:
    printed(
        site, "inject", queue, "--listid", LIST_ID, *metadata,
        given=post(message_id, b"hi\r\n", "us-ascii"),
    )  # fmt: skip
    site.once(queue)


def _shunts(site: Site, *arguments: str) -> list[dict[str, Any]]:
    lines = printed(site, "shunts", "--json", *arguments).splitlines()
    return [json.loads(line) for line in lines]


def test_each_shunt_has_its_reason_from_mailmans_log(
    make_site: Callable[[str], Site],
) -> None:
    site = make_site("")
    _put(site, "digest", "<one@example.com>")  # a digest without a volume
    _put(site, "digest", "<two@example.com>")
    _put(site, "out", "<three@example.com>", "-m", "recipients=7")
    inject(site, post("<four@example.com>", b"hi\r\n", "us-ascii"), "gone.example.com")
    site.once("in")
    digest, _, out, gone = _shunts(site)
    assert (digest["exception"], digest["message"]) == ("KeyError", "'volume'")
    assert digest["frame"].startswith("mailman/runners/digest.py:")
    assert (digest["origin"], digest["source"]) == ("digest", "log")
    assert out["exception"] == "TypeError"
    assert gone["message"] == "no such list: gone.example.com"
    assert (gone["origin"], gone["runner"]) == ("", "in")
    groups = _shunts(site, "--by-failure")
    assert [group["count"] for group in groups] == [2, 1, 1]
    assert groups[0]["filebases"] == [
        base for base in site.waiting("shunt") if base in groups[0]["filebases"]
    ]
    shown = printed(site, "shunts", out["filebase"])
    assert "warning   : it failed in delivery" in shown
    assert shown.rstrip().endswith("TypeError: object of type 'int' has no len()")


def test_what_mailman_preserves_has_its_reason_too(
    make_site: Callable[[str], Site],
) -> None:
    site = make_site("")
    site.mailman("status")  # makes the folders of the queues
    (site.queue("in") / f"{GARBAGE}.pck").write_bytes(b"garbage")
    site.once("in")
    (bad,) = _shunts(site, "--queue", "bad")
    assert (bad["filebase"], bad["exception"]) == (GARBAGE, "UnpicklingError")
