"""The list registry: what is named is known, what is made is kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qtool.errors import SettingsError
from qtool.lists import ListRegistry, MailingList

if TYPE_CHECKING:
    from pathlib import Path


def test_a_list_has_what_a_runner_asks_of_it() -> None:
    mlist = MailingList.from_address("_xtest@Example.com")
    assert mlist.fqdn_listname == "_xtest@example.com"
    assert mlist.list_id == "_xtest.example.com"
    assert mlist.preferred_language == "en"
    assert MailingList.from_address("ant@example.com").display_name == "Ant"


@pytest.mark.parametrize(
    "name", ["ant@example.com", "ant.example.com", "ANT@Example.com"]
)
def test_a_configured_list_is_found_by_address_and_id(name: str) -> None:
    registry = ListRegistry(["ant@example.com"])
    assert registry.get(name) == MailingList.from_address("ant@example.com")
    assert registry.get("bee@example.com") is None


def test_what_was_made_is_known_to_the_next_process(tmp_path: Path) -> None:
    kept = tmp_path / ".qtool" / "lists.json"
    made = ListRegistry(path=kept).create("test@example.com")
    assert ListRegistry(path=kept).get("test.example.com") == made
    assert kept.stat().st_mode & 0o7777 == 0o660
    assert kept.parent.stat().st_mode & 0o7777 == 0o2770


def test_what_another_process_makes_is_seen(tmp_path: Path) -> None:
    kept = tmp_path / "lists.json"
    mine, other = ListRegistry(path=kept), ListRegistry(path=kept)
    assert mine.get("ant@example.com") is None
    other.create("ant@example.com")
    assert mine.get("ant@example.com") is not None
    mine.create("bee@example.com")
    assert other.get("ant@example.com") is not None
    assert other.get("bee@example.com") is not None


def test_lists_that_are_made_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    kept = tmp_path / "lists.json"
    addresses = [f"{number}@example.com" for number in range(20)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda each: ListRegistry(path=kept).create(each), addresses))
    registry = ListRegistry(path=kept)
    assert all(registry.get(address) is not None for address in addresses)


def test_making_a_list_twice_is_the_same_list(tmp_path: Path) -> None:
    registry = ListRegistry(path=tmp_path / "lists.json")
    assert registry.create("a@b.org") == registry.create("A@B.org")


def test_looking_for_a_list_writes_nothing(tmp_path: Path) -> None:
    ListRegistry(path=tmp_path / ".qtool" / "lists.json").get("a@b.org")
    assert list(tmp_path.iterdir()) == []


def test_on_a_mailman_site_every_name_is_a_list_and_none_is_kept(
    tmp_path: Path,
) -> None:
    registry = ListRegistry(path=tmp_path / "lists.json", accept_any=True)
    by_id, by_address = registry.get("ant.example.com"), registry.get("ant@example.com")
    assert by_id == by_address == registry.create("ant@example.com")
    assert list(tmp_path.iterdir()) == []


@given(
    st.one_of(
        st.none(), st.integers(), st.binary(), st.text(), st.lists(st.text()),
        st.from_regex(r"[\x00-\x20./@a]{0,8}"),
    )
)  # fmt: skip
def test_whatever_a_message_says_is_a_list_or_nothing(name: object) -> None:
    found = ListRegistry(accept_any=True).get(name)
    assert found is None or MailingList.from_address(found.fqdn_listname) == found


@pytest.mark.parametrize("address", ["ant", "", "a@b@c", "a b@c", "a@b\n", "../x@y"])
def test_what_is_no_address_makes_no_list(address: str) -> None:
    with pytest.raises(SettingsError, match="expected a posting address"):
        ListRegistry().create(address)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    kept = tmp_path / "lists.json"
    kept.write_text("{")
    with pytest.raises(
        SettingsError, match=r"lists\.json: the lists in it are damaged"
    ):
        ListRegistry(path=kept).get("a@b.org")
