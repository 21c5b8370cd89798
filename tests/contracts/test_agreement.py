"""Agreements: how long one lasts, what its proof says, and whose it is (A-2.11, A-4.1)."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.kernel.agreement import (
    LISTED,
    Proof,
    ProofList,
    expiry,
    identity_digest,
    proof_digest,
    proof_text,
    read_proofs,
    sign_proofs,
)
from contracts.kernel.checks import Giver
from contracts.kernel.documents import new_key, sign
from contracts.kernel.envelope import LOT_LETTERS
from contracts.kernel.errors import InvalidDocument
from contracts.kernel.messages import EmailChannel, Identity, PhoneChannel
from contracts.kernel.paris import add_months, birthday, midnight

FAR = date(2040, 1, 1)
BORN = date(2012, 6, 1)


@pytest.mark.parametrize(
    ("given_on", "birth", "giver", "convention_ends", "ends"),
    [
        (date(2026, 11, 12), BORN, Giver.REPRESENTATIVE, FAR, date(2027, 11, 12)),
        (date(2028, 2, 29), BORN, Giver.REPRESENTATIVE, FAR, date(2029, 2, 28)),
        (date(2026, 11, 12), BORN, Giver.REPRESENTATIVE, date(2027, 3, 1), date(2027, 3, 1)),
        (date(2026, 11, 12), date(2009, 1, 5), Giver.REPRESENTATIVE, FAR, date(2027, 1, 5)),
        (date(2026, 11, 12), date(2009, 1, 5), Giver.BOTH, FAR, date(2027, 1, 5)),
        (date(2026, 11, 12), date(2009, 1, 5), Giver.YOUNG_PERSON, FAR, date(2027, 11, 12)),
        (date(2025, 11, 12), date(2008, 2, 29), Giver.REPRESENTATIVE, FAR, date(2026, 2, 28)),
        (date(2031, 11, 12), date(2014, 2, 28), Giver.REPRESENTATIVE, FAR, date(2032, 2, 28)),
        (date(2026, 11, 12), date(2008, 1, 1), Giver.REPRESENTATIVE, FAR, date(2026, 1, 1)),
    ],
)
def test_an_agreement_ends_at_the_earliest_of_its_ends(
    given_on: date, birth: date, giver: Giver, convention_ends: date, ends: date
) -> None:
    found = expiry(given_on, birth=birth, giver=giver, convention_ends_on=convention_ends)
    assert found == midnight(ends)


def test_without_a_convention_the_other_ends_hold() -> None:
    """A legal duty has no end of its own."""
    given_on = date(2026, 11, 12)
    assert expiry(given_on, birth=BORN, giver=Giver.BOTH) == midnight(date(2027, 11, 12))
    young = date(2009, 1, 5)
    assert expiry(given_on, birth=young, giver=Giver.BOTH) == midnight(date(2027, 1, 5))


DAYS = st.dates(date(2005, 1, 1), date(2035, 1, 1))


@given(DAYS, DAYS, st.sampled_from(Giver), DAYS)
def test_no_agreement_outlasts_twelve_months_majority_or_the_convention(
    given_on: date, birth: date, giver: Giver, convention_ends: date
) -> None:
    ends = expiry(given_on, birth=birth, giver=giver, convention_ends_on=convention_ends)
    assert ends <= midnight(add_months(given_on, 12))
    assert ends <= midnight(convention_ends)
    if giver is not Giver.YOUNG_PERSON:
        assert ends <= midnight(birthday(birth, 18))


GIVEN = datetime(2026, 9, 10, 15, 0, tzinfo=UTC)


def proof(**more: Any) -> Proof:
    said: dict[str, Any] = {
        "reference": "a" * 32,
        "collector": "college",
        "receiver": "ville",
        "convention_id": "conv-a-1",
        "identity": "0" * 64,
        "flows": ("referral.submitted",),
        "giver": Giver.REPRESENTATIVE,
        "assent": "not_asked",
        "notice_version": "notice 2026-1",
        "notice_at": GIVEN,
        "given_at": GIVEN,
        "expires_at": midnight(date(2027, 9, 10)),
    }
    return Proof.parse(
        json.dumps(Proof.model_construct(**{**said, **more}).model_dump(mode="json"))
    )


def listed(*proofs: Proof, receiver: str = "ville") -> ProofList:
    digests = tuple(proof_digest(proof_text(one)) for one in proofs)
    return ProofList(collector="college", receiver=receiver, proofs=digests)


def test_one_signature_is_for_the_proofs_it_lists_and_no_other() -> None:
    key, many = new_key(), listed(*(proof(reference=f"{number:032x}") for number in range(3)))
    token = sign_proofs(many, key)
    assert read_proofs(token, lambda _kid: key) == many
    assert proof_digest(proof_text(proof(reference=f"{1:032x}"))) in many.proofs
    assert proof_digest(proof_text(proof(reference=f"{1:032x}", assent="yes"))) not in many.proofs


def test_a_list_counts_under_its_collector_s_key_and_as_what_it_is() -> None:
    key, one = new_key(), listed(proof())
    with pytest.raises(InvalidDocument):
        read_proofs(sign_proofs(one, key), lambda _kid: new_key())
    with pytest.raises(InvalidDocument, match="not for a agreement-proofs"):
        read_proofs(sign(one.to_bytes(), key), lambda _kid: key)


def test_a_list_is_of_one_lot() -> None:
    assert LISTED == LOT_LETTERS
    listed(*[proof()] * LISTED)
    for wrong in ([], [proof()] * (LISTED + 1)):
        with pytest.raises(ValidationError, match="proofs"):
            listed(*wrong)


def test_a_proof_says_nothing_of_the_person() -> None:
    """But, where the content holds no birth date, whether of age: one bit in its place."""
    assert proof().adult is None
    assert set(Proof.model_fields) == {
        "reference",
        "collector",
        "receiver",
        "convention_id",
        "identity",
        "flows",
        "giver",
        "associated",
        "adult",
        "assent",
        "notice_version",
        "notice_at",
        "given_at",
        "expires_at",
    }


def test_a_proof_becomes_facts_for_both_directions_of_one_pair() -> None:
    told = proof().facts(None)
    assert told.recipients == {"ville", "college"}
    assert told.flows == {"referral.submitted"}
    assert told.giver is Giver.REPRESENTATIVE
    assert (told.given_at, told.expires_at) == (GIVEN, midnight(date(2027, 9, 10)))
    assert told.withdrawn_at is None
    assert proof().facts(GIVEN).withdrawn_at == GIVEN


@pytest.mark.parametrize(
    "expires_at",
    [midnight(date(2027, 9, 10)) + timedelta(microseconds=1), GIVEN - timedelta(microseconds=1)],
)
def test_a_proof_that_outlasts_an_agreement_is_none(expires_at: datetime) -> None:
    assert proof(expires_at=GIVEN)
    with pytest.raises(InvalidDocument, match="proof_term"):
        proof(expires_at=expires_at)


@pytest.mark.parametrize(
    "wrong",
    [
        {"flows": ()},
        {"reference": "a"},
        {"identity": "Jean"},
        {"assent": "maybe"},
        {"notice_version": "06 12 34 56 78"},
        {"given_at": datetime(2026, 9, 10, 15, 0)},  # noqa: DTZ001 -- the naive instant is the point
    ],
)
def test_a_proof_has_a_closed_shape(wrong: dict[str, Any]) -> None:
    assert proof()
    with pytest.raises(InvalidDocument):
        proof(**wrong)


def identity(**more: Any) -> Identity:
    said: dict[str, Any] = {
        "family_name": "Durand",
        "first_name": "Zoé",
        "birth_date": BORN,
        "channel": EmailChannel(kind="email", value="zoe@exemple.fr"),
    }
    return Identity(**{**said, **more})


def test_the_digest_tells_persons_apart_and_references_too() -> None:
    found = identity_digest("a" * 32, identity())
    assert found == identity_digest("a" * 32, identity())
    phone = PhoneChannel(kind="phone", value="0639981234")
    others = [
        identity_digest("b" * 32, identity()),
        identity_digest("a" * 32, identity(family_name="Durant")),
        identity_digest("a" * 32, identity(first_name="Zoe")),
        identity_digest("a" * 32, identity(birth_date=date(2012, 6, 2))),
        identity_digest("a" * 32, identity(channel=None)),
        identity_digest("a" * 32, identity(channel=phone)),
    ]
    assert len({found, *others}) == 7


def test_the_digest_survives_the_journey() -> None:
    arrived = Identity.model_validate_json(identity().model_dump_json())
    assert identity_digest("a" * 32, arrived) == identity_digest("a" * 32, identity())
