"""Whose key is whose: pinned, followed through rotations, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.kernel.documents import kid_of, sign
from contracts.kernel.errors import InvalidDocument, UnknownKey
from contracts.kernel.keyring import ENTRY, OVERLAP, build_keyring, read_entry
from tests.parties import AT, city, school


def test_the_entry_of_a_pinned_key_counts_and_another_does_not() -> None:
    true, false = city(), city()
    keyring = build_keyring({"ville": [true.kid]}, [false.entry(), true.entry()], [])
    assert keyring.find("ville", true.kid).as_dict() == true.key.as_dict(private=False)
    found = keyring.entry("ville")
    assert found is not None
    assert found.signing_key.x == true.key.as_dict(private=False)["x"]
    with pytest.raises(UnknownKey):
        keyring.find("ville", false.kid)
    assert build_keyring({"ville": [true.kid]}, [false.entry()], []).entry("ville") is None


def test_a_key_pinned_for_one_organisation_says_nothing_of_another() -> None:
    one = city()
    keyring = build_keyring({"ville": [one.kid]}, [one.entry()], [])
    assert keyring.find("ville", one.kid)
    with pytest.raises(UnknownKey):
        keyring.find("college", one.kid)


def test_an_entry_signed_by_another_key_than_it_names_is_no_entry() -> None:
    true, thief = city(), city()
    assert read_entry(true.entry())
    with pytest.raises(InvalidDocument):
        read_entry(sign(true.described().to_bytes(), thief.key, typ=ENTRY))


@pytest.mark.parametrize("backwards", [False, True])
def test_the_highest_sequence_holds_in_any_order(*, backwards: bool) -> None:
    one = city()
    first, second = one.entry(), one.entry()
    order = [second, first] if backwards else [first, second]
    found = build_keyring({"ville": [one.kid]}, order, []).entry("ville")
    assert found is not None
    assert found.sequence == 2


@pytest.mark.parametrize("backwards", [False, True])
def test_rotations_are_followed_in_any_order(*, backwards: bool) -> None:
    one = city()
    pinned, entries = one.kid, [one.entry()]
    rotations = [one.rotate(), one.rotate()]
    entries.append(one.entry())
    keyring = build_keyring(
        {"ville": [pinned]}, entries, rotations[::-1] if backwards else rotations
    )
    assert keyring.find("ville", one.kid)
    found = keyring.entry("ville")
    assert found is not None
    assert found.sequence == 2


def test_an_entry_of_a_retired_key_holds_no_more() -> None:
    one = city()
    pinned, entry = one.kid, one.entry()
    assert build_keyring({"ville": [pinned]}, [entry], []).entry("ville")
    assert build_keyring({"ville": [pinned]}, [entry], [one.rotate()]).entry("ville") is None


def test_a_retired_key_verifies_letters_under_way_and_then_no_more() -> None:
    one = city()
    pinned, entry = one.kid, one.entry()
    keyring = build_keyring({"ville": [pinned]}, [entry], [one.rotate(AT)])
    assert keyring.find("ville", pinned, AT + OVERLAP - timedelta(seconds=1))
    with pytest.raises(UnknownKey):
        keyring.find("ville", pinned, AT + OVERLAP)
    assert keyring.find("ville", pinned)


def test_a_rotation_signed_by_another_key_is_not_followed() -> None:
    one, thief = city(), city()
    pinned, entry = one.kid, one.entry()
    forged = thief.rotate()
    keyring = build_keyring({"ville": [pinned]}, [entry, thief.entry()], [forged])
    with pytest.raises(UnknownKey):
        keyring.find("ville", thief.kid)
    assert keyring.entry("ville")


def test_one_organisation_cannot_rotate_the_key_of_another() -> None:
    one, other = city(), school()
    pins = {"ville": [one.kid], "college": [other.kid]}
    entries = [one.entry(), other.entry()]
    liar = school()
    liar.org, liar.key = "ville", other.key
    rotation = liar.rotate()
    keyring = build_keyring(pins, entries, [rotation])
    with pytest.raises(UnknownKey):
        keyring.find("ville", liar.kid)
    assert build_keyring(pins, entries, [other.rotate()]).find("college", other.kid)


def test_a_retired_key_names_no_second_successor() -> None:
    """A key is often rotated because it may have been stolen: the thief must not name an heir."""
    one, thief = city(), city()
    thief.key = one.key
    pinned, entry = one.kid, one.entry()
    true, false = one.rotate(AT), thief.rotate(AT - timedelta(days=1))
    keyring = build_keyring({"ville": [pinned]}, [entry], [true, false])
    assert keyring.find("ville", one.kid)
    with pytest.raises(UnknownKey):
        keyring.find("ville", thief.kid)


@pytest.mark.parametrize("junk", ["", "a.b.c", "{}", "é", "e30.e30.e30", "W10.W10.AA"])
def test_junk_beside_the_truth_is_left_out(junk: str) -> None:
    one = city()
    keyring = build_keyring({"ville": [one.kid]}, [junk, one.entry()], [junk])
    assert keyring.find("ville", kid_of(one.key))
