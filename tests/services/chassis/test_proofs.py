"""The proof of an agreement: signed when it is recorded, destroyed with the person's key."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from contracts.kernel.documents import header_of, kid_of
from services.chassis import letters, tables
from services.chassis.keystore import KeyDestroyed
from services.chassis.proofs import Recipient, kept
from services.chassis.scopes import person_scope
from tests.pair import CONVENTION, START, Pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


def recorded(pair: Pair, person_id: str) -> tuple[Recipient, str | None]:
    """What is kept of the only agreement, and what it opens to."""
    (row,) = pair.school.rows(tables.agreement_recipients)
    to = Recipient(row.reference, row.convention_id, row.proof, row.proof_key)
    return to, kept(pair.school.node.core, person_scope(person_id), to, CONVENTION)


async def test_what_travels_is_what_was_signed_when_the_agreement_was_recorded(pair: Pair) -> None:
    person_id = pair.person()
    sent = pair.refer(pair.agreement(person_id))
    _, token = recorded(pair, person_id)
    await pair.carry()
    (held,) = pair.city.rows(tables.held_proofs)
    assert held.token == token
    assert pair.school.state(sent.message_id) == letters.ACCEPTED


async def test_after_a_rotation_the_new_key_proves_it(pair: Pair) -> None:
    person_id = pair.person()
    agreement_id = pair.agreement(person_id)
    former = pair.school.node.keys.kid
    _, before = recorded(pair, person_id)
    assert header_of(str(before))["kid"] == former

    pair.rotate(pair.school)
    assert recorded(pair, person_id)[1] is None
    sent = pair.refer(agreement_id)
    await pair.carry()
    (held,) = pair.city.rows(tables.held_proofs)
    assert header_of(held.token)["kid"] == kid_of(pair.school.node.keys.signing) != former
    assert pair.school.state(sent.message_id) == letters.ACCEPTED


def test_another_convention_needs_a_proof_of_its_own(pair: Pair) -> None:
    person_id = pair.person()
    pair.agreement(person_id)
    to, token = recorded(pair, person_id)
    core, scope = pair.school.node.core, person_scope(person_id)
    assert token is not None
    assert kept(core, scope, to, "autre-convention") is None
    assert kept(core, scope, replace(to, sealed=None), CONVENTION) is None
    assert kept(core, None, to, CONVENTION) is None


def test_a_refusal_has_no_proof(pair: Pair) -> None:
    person_id = pair.person()
    pair.agreement(person_id, granted=False)
    to, token = recorded(pair, person_id)
    assert (to.sealed, to.key, token) == (None, None, None)


def test_without_a_convention_there_is_no_proof_yet(pair: Pair) -> None:
    pair.agreement(recipients=["mission-locale"])
    (row,) = pair.school.rows(tables.agreement_recipients)
    assert (row.convention_id, row.proof) == ("", None)


def test_it_says_nothing_once_the_person_s_key_is_destroyed(pair: Pair) -> None:
    person_id = pair.person()
    pair.agreement(person_id)
    to, token = recorded(pair, person_id)
    assert token is not None
    assert to.sealed is not None
    assert token.encode() not in to.sealed
    pair.school.node.keystore.destroy(person_scope(person_id), START)
    with pytest.raises(KeyDestroyed):
        recorded(pair, person_id)
