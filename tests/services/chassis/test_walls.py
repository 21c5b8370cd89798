"""The receiver's own wall: what a sender's signature does not make true.

Each letter here is truly signed and sealed by the school; only what it says was changed. Beside
each refusal stands the same letter as it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from contracts.kernel.agreement import Proof, identity_digest, proof_digest, proof_text
from contracts.kernel.control import AgreementChanged, WithdrawalRequested
from contracts.kernel.messages import Identity
from contracts.kernel.organisation import Suite
from contracts.kernel.paris import midnight
from services.chassis import letters, tables
from services.chassis.agreements import withdraw
from services.chassis.api import _ask_erasure
from services.chassis.bundle import Bundle
from services.chassis.controls import send_control
from services.chassis.letters import SUITE_HEADER, Ready
from services.chassis.opening import Letter
from tests.pair import ANSWER, CONVENTION, START, Pair, Side

OTHER = "mission-locale"


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with Pair(tmp_path) as made:
        yield made


def saying(ready: Ready, **changes: Any) -> Ready:
    """The same letter with other words in its envelope, as its sender would sign it."""
    content = {**json.loads(ready.content or b""), **changes}
    return replace(ready, content=json.dumps(content).encode())


def proving(ready: Ready, **changes: Any) -> Ready:
    """The same letter with another proof of agreement, which its sender lists and signs."""
    content = json.loads(ready.content or b"")
    proof = Proof.parse(content["proof"])
    if "reference" in changes:
        identity = Identity.model_validate_json(json.dumps(content["data"]["pupil"]))
        changes["identity"] = identity_digest(changes["reference"], identity)
    text = proof_text(proof.model_copy(update=changes))
    return replace(saying(ready, proof=text), proof=proof_digest(text))


def packed(side: Side, ready: Ready) -> list[Letter]:
    return side.packed([[ready]])


def statuses(side: Side) -> list[str]:
    """What became of the messages that came, receipts left out."""
    return [row.status for row in side.rows(tables.inbox) if row.type != "receipts"]


def articles(side: Side) -> set[str]:
    return {one for row in side.rows(tables.dead_letters) for one in row.articles}


# -- the proof of agreement --------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"identity": "0" * 64},
        {"convention_id": "a-autre-ville"},
        {"reference": "b" * 32},
        {"collector": OTHER},
        {"receiver": "ccas"},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_a_proof_counts_for_this_person_pair_convention_and_reference_alone(
    pair: Pair, change: dict[str, Any]
) -> None:
    """A-2.11, A-4.1: an agreement to one thing sends no other; it then informs of nothing too."""
    pair.refer()
    (ready,) = pair.school.waiting()
    await pair.city.take(packed(pair.school, proving(ready, **change)))
    assert statuses(pair.city) == ["not_open"]
    assert {"A-2.10", "A-2.11"} <= articles(pair.city)
    assert pair.city.rows(tables.cases) == pair.city.rows(tables.held_proofs) == []


async def test_the_proof_as_it_was_signed_opens_the_case(pair: Pair) -> None:
    """Beside the refusals above: the same way, nothing changed."""
    pair.refer()
    (ready,) = pair.school.waiting()
    await pair.city.take(packed(pair.school, proving(ready)))
    assert statuses(pair.city) == ["received"]
    assert len(pair.city.rows(tables.cases)) == len(pair.city.rows(tables.held_proofs)) == 1


# -- a message within a case -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "status"),
    [({}, "received"), ({"partner": OTHER}, "not_open"), ({"instrument": "a-2"}, "not_open")],
)
async def test_a_case_is_known_to_its_partner_under_its_instrument_alone(
    pair: Pair, changed: dict[str, str], status: str
) -> None:
    """Design: a case is a pair, an instrument and a purpose; nobody else writes in it."""
    sent = pair.refer()
    await pair.carry()
    pair.city.send("referral.answered", "ecole", ANSWER, case_id=sent.case_id)
    if changed:
        pair.school.write(lambda tx: tx.execute(update(tables.cases).values(**changed)))
    await pair.school.take(pair.city.outgoing())
    assert statuses(pair.school) == [status]


# -- the version of the text -------------------------------------------------------------------

SWITCH = date(2026, 11, 23)
"""From this day a second version of the convention applies."""


@pytest.mark.parametrize(
    ("written", "version", "arrives", "status"),
    [
        (timedelta(seconds=-30), 1, timedelta(seconds=30), "received"),
        (timedelta(seconds=10), 1, timedelta(seconds=30), "not_open"),
        (timedelta(seconds=10), 2, timedelta(seconds=30), "received"),
        (timedelta(seconds=30), 2, timedelta(seconds=-30), "not_open"),
        (timedelta(seconds=30), 1, timedelta(seconds=-30), "received"),
    ],
)
async def test_the_version_that_counts_is_that_of_the_day_it_was_written(
    pair: Pair, written: timedelta, version: int, arrives: timedelta, status: str
) -> None:
    """A-11.1: at emission, and never later than the receiver's own day says."""
    pair.publish(Bundle(terms=(pair.sign_terms(2, effective_on=SWITCH),)))
    pair.clock.at = midnight(SWITCH) - timedelta(hours=1)
    pair.refer()
    (ready,) = pair.school.waiting()
    at = (midnight(SWITCH) + written).isoformat()
    letter = packed(pair.school, saying(ready, time=at, version=version))
    pair.clock.at = midnight(SWITCH) + arrives
    await pair.city.take(letter)
    assert statuses(pair.city) == [status]


# -- opening -----------------------------------------------------------------------------------


def withdrawing(pair: Pair) -> Ready:
    """A control letter of the school's: no flow is there to tell that its words were changed."""
    agreement_id = pair.agreement()
    core = pair.school.node.core
    pair.school.write(lambda tx: withdraw(tx, core, agreement_id, "agent-1", START))
    (control,) = pair.school.waiting()
    return control


@pytest.mark.parametrize(
    ("change", "believed"),
    [
        ({}, True),
        ({"source": OTHER}, False),
        ({"to": OTHER}, False),
        ({"instrument": "a-autre-ville"}, False),
        ({"type": "referral.submitted"}, False),
    ],
)
async def test_what_an_envelope_says_agrees_with_the_subject_that_the_broker_stamped(
    pair: Pair, change: dict[str, str], *, believed: bool
) -> None:
    """Design: subject, directory and signature must agree before anything is believed."""
    control = withdrawing(pair)
    await pair.city.take(packed(pair.school, saying(control, **change)))
    assert statuses(pair.city) == (["received"] if believed else [])
    assert len(pair.city.rows(tables.tombstones)) == believed
    reasons = [row.reason for row in pair.city.rows(tables.dead_letters)]
    assert reasons == ([] if believed else ["unverified"])


@pytest.mark.parametrize(
    ("change", "believed"), [({}, True), ({"source": OTHER}, False), ({"to": OTHER}, False)]
)
async def test_receipts_are_from_and_to_whom_the_subject_says(
    pair: Pair, change: dict[str, str], *, believed: bool
) -> None:
    """Design: proof of delivery that neither can deny names both, truly."""
    sent = pair.refer()
    await pair.city.take(pair.school.outgoing())
    (ready,) = [one for one in pair.city.waiting() if one.kind == letters.RECEIPT]
    await pair.school.take(packed(pair.city, saying(ready, **change)))
    assert len(pair.school.rows(tables.receipts)) == believed
    assert pair.school.state(sent.message_id) == (letters.ACCEPTED if believed else letters.QUEUED)


@pytest.mark.parametrize("named", [None, Suite.X25519.value, "none"])
async def test_a_letter_names_the_suite_of_the_key_it_is_sealed_to(
    pair: Pair, named: str | None
) -> None:
    """Design: the suite is named in clear, and no weaker one is accepted under a stronger key."""
    pair.refer()
    (letter,) = pair.school.outgoing()
    if named is not None:
        letter = replace(letter, headers={**letter.headers, SUITE_HEADER: named})
    await pair.city.take([letter])
    assert statuses(pair.city) == (["received"] if named is None else [])


# -- receipts ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("receiver", "broken", "state"),
    [
        ("ville", False, letters.ACCEPTED),
        (OTHER, False, letters.DELIVERED),
        ("ville", True, letters.QUEUED),
        (OTHER, True, letters.DELIVERED),
    ],
)
async def test_a_receipt_moves_only_letters_to_whoever_signs_it(
    pair: Pair, receiver: str, state: str, *, broken: bool
) -> None:
    """Design: a third partner neither closes another's letters nor has them sent again."""
    sent = pair.refer()
    (letter,) = pair.school.outgoing()
    values = {"receiver": receiver, "state": letters.DELIVERED}
    pair.school.write(lambda tx: tx.execute(update(tables.outbox).values(**values)))
    await pair.city.take([replace(letter, body=b"?") if broken else letter])
    await pair.school.take(pair.city.outgoing())
    assert pair.school.state(sent.message_id) == state


# -- control -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("partner", "outcome"), [("ecole", "deleted"), (OTHER, "unknown")])
async def test_a_case_is_erased_for_its_own_partner_alone(
    pair: Pair, partner: str, outcome: str
) -> None:
    """GDPR art. 17: whoever guesses a case's id destroys nothing, and learns nothing."""
    sent = pair.refer()
    await pair.carry()
    pair.city.write(lambda tx: tx.execute(update(tables.cases).values(partner=partner)))
    pair.school.write(lambda tx: _ask_erasure(tx, pair.school.node, str(sent.case_id)))
    await pair.carry()
    (certificate,) = [row for row in pair.school.rows(tables.certificates) if row.org == "ville"]
    assert certificate.outcome == outcome
    (case,) = pair.city.rows(tables.cases)
    assert (case.state == "erased") == (outcome == "deleted")
    assert (pair.city.rows(tables.persons) == []) == (outcome == "deleted")


@pytest.mark.parametrize(("recipient", "withdrawn"), [("ville", True), (OTHER, False)])
async def test_a_withdrawal_is_passed_on_by_a_recipient_alone(
    pair: Pair, recipient: str, *, withdrawn: bool
) -> None:
    """A-2.11: a reference is random for each recipient, and means nothing in another's mouth."""
    pair.refer()
    await pair.carry()
    table = tables.agreement_recipients
    (row,) = pair.school.rows(table)
    pair.school.write(lambda tx: tx.execute(update(table).values(recipient=recipient)))
    asked = WithdrawalRequested(reference=row.reference, asked_at=START)
    core = pair.city.node.core
    pair.city.write(
        lambda tx: send_control(tx, core, "withdrawal.requested", asked, "ecole", CONVENTION, START)
    )
    await pair.carry()
    (agreement,) = pair.school.rows(tables.agreements)
    assert (agreement.withdrawn_at is not None) == withdrawn


async def test_an_organisation_certifies_a_withdrawal_for_itself_alone(pair: Pair) -> None:
    """A-2.11: the others' own certificates are still awaited."""
    agreement_id = pair.agreement()
    pair.refer(agreement_id)
    await pair.carry()
    core = pair.school.node.core
    pair.school.write(lambda tx: withdraw(tx, core, agreement_id, "agent-1", START))
    (told,) = pair.school.rows(tables.withdrawals)
    also = {"reference": told.reference, "org": OTHER, "told_at": START}
    pair.school.write(lambda tx: tx.insert(tables.withdrawals, also))
    await pair.carry()
    answers = {row.org: row.outcome for row in pair.school.rows(tables.withdrawals)}
    assert answers == {"ville": "stopped", OTHER: None}


async def test_a_tombstone_is_no_later_than_the_receiver_s_own_clock(pair: Pair) -> None:
    """A-2.11: a withdrawal holds at once, whatever instant its sender gives it."""
    pair.refer()
    await pair.carry()
    (row,) = pair.city.rows(tables.held_proofs)
    core = pair.school.node.core
    content = AgreementChanged(
        reference=row.reference,
        case_ids=(),
        state="withdrawn",
        effective_at=START + timedelta(days=365),
    )
    pair.school.write(
        lambda tx: send_control(tx, core, "agreement.changed", content, "ville", CONVENTION, START)
    )
    await pair.carry()
    (tombstone,) = pair.city.rows(tables.tombstones)
    assert tombstone.withdrawn_at == START


# -- the school that sends ---------------------------------------------------------------------


@pytest.mark.parametrize(("uai", "status"), [("0999999A", "received"), ("0999998Z", "not_open")])
async def test_a_school_names_no_other_school_than_itself(
    pair: Pair, uai: str, status: str
) -> None:
    """A-1.2: the code in the content is that of the sender's own directory entry."""
    pair.refer()
    (ready,) = pair.school.waiting()
    data = {**json.loads(ready.content or b"")["data"], "uai": uai}
    await pair.city.take(packed(pair.school, saying(ready, data=data)))
    assert statuses(pair.city) == [status]
    assert ("A-1.2" in articles(pair.city)) == (status == "not_open")
