"""The sender's own wall: until when a letter holds, in which order, under which convention."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from contracts.gate import Refused
from contracts.kernel.documents import add_signature
from contracts.kernel.errors import Ambiguous, InvalidPayload
from contracts.kernel.paris import midnight
from contracts.kernel.terms import ActKind
from services.chassis import letters, tables
from services.chassis.bundle import Bundle
from services.city.models import pathway_referents
from services.conventions.a_city_school.models import pathways
from tests.pair import ANSWER, CONVENTION, REFERRAL, START, Pair, Side
from tests.services.conventions.a_city_school.support import CONTACT, YOUTH, Desk


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with Pair(tmp_path) as made:
        yield made


def refused_on(pair: Pair, agreement_id: str) -> set[str]:
    """Articles on which a referral is refused; empty where it leaves."""
    decision = pair.refer(agreement_id).decision
    return set(decision.articles) if isinstance(decision, Refused) else set()


# -- until when --------------------------------------------------------------------------------


async def test_a_letter_expires_with_its_flow_s_lifetime_where_nothing_ends_before(
    pair: Pair,
) -> None:
    """Design: after that instant it must not be read; beside the two bounds below."""
    pair.refer()
    (row,) = pair.school.rows(tables.outbox)
    ((_, flow),) = pair.school.node.core.flows["referral.submitted"]
    assert row.expires_at == START + timedelta(days=flow.lifetime_days)


async def test_a_letter_expires_no_later_than_the_agreement_it_rests_on(pair: Pair) -> None:
    """A-2.11: an agreement of a year ago less three days carries a letter for three days."""
    given = START - timedelta(days=362)
    before = (given - timedelta(hours=1)).isoformat()
    notice = {"version": "1", "channel": "meeting", "language": "fr", "given_at": before}
    pair.refer(pair.agreement(given_at=given.isoformat(), notice=notice))
    (agreement,) = pair.school.rows(tables.agreements)
    (row,) = pair.school.rows(tables.outbox)
    assert row.expires_at == agreement.expires_at == midnight(date(2026, 11, 25))


async def test_a_letter_expires_no_later_than_its_convention(pair: Pair) -> None:
    """A-10.1: what a notice ends, no letter outlives, though the agreement would."""
    agreement_id = pair.agreement()
    pair.act(pair.city, ActKind.TERMINATION_NOTICE, received_on=date(2026, 11, 20))
    pair.clock.at = midnight(date(2027, 5, 18))
    pair.refer(agreement_id)
    (agreement,) = pair.school.rows(tables.agreements)
    (row,) = pair.school.rows(tables.outbox, tables.outbox.c.kind == letters.LETTER)
    assert row.expires_at == midnight(date(2027, 5, 20)) < agreement.expires_at


# -- in which order ----------------------------------------------------------------------------


async def test_the_number_of_a_letter_grows_by_one_in_its_case_for_each_sender(
    pair: Pair,
) -> None:
    """Design: a signed order per case and sender, so that a missing letter shows."""
    desk = Desk(pair)
    said: dict[str, list[tuple[str, int]]] = {"ecole": [], "ville": []}

    def note(side: Side) -> None:
        for one in side.waiting():
            if one.kind == letters.LETTER:
                content = json.loads(one.content or b"")
                (row,) = side.rows(tables.outbox, tables.outbox.c.message_id == one.message_id)
                assert row.seq == content["seq"]
                said[side.org].append((content["caseid"], content["seq"]))

    for _ in range(2):
        first = pair.refer()
        note(pair.school)
        desk.case_id = str(first.case_id)
        await pair.carry()
        desk.send(pair.city, "referral.answered", ANSWER)
        note(pair.city)
        await pair.carry()
        desk.send(pair.city, "pathway.opened", desk.opening())
        note(pair.city)
        await pair.carry()
        element = {"element": "timetable", "on": desk.today.isoformat()}
        desk.send(pair.school, "pathway.new_element", element)
        note(pair.school)
        await pair.carry()
    cases = {case: None for case, _ in said["ecole"]}
    assert len(cases) == 2
    for numbers in said.values():
        for case_id in cases:
            assert [seq for case, seq in numbers if case == case_id] == [1, 2]


# -- under which convention --------------------------------------------------------------------


def sign_another(pair: Pair, name: str) -> None:
    """A second convention of the same kind between the same two."""
    content = pair.terms(1).model_copy(update={"id": name}).to_bytes()
    said, token = {"signed_on": pair.signed_on.isoformat()}, None
    for side in pair.sides:
        token = add_signature(token, content, side.org, side.node.keys.signing, said)
    pair.publish(Bundle(terms=(token or "",)))


async def test_of_two_open_conventions_none_is_guessed(pair: Pair) -> None:
    """Design: more than one candidate lists them, and the caller names one."""
    agreement_id = pair.agreement()
    assert refused_on(pair, agreement_id) == set()
    sign_another(pair, "a-autre-annee")
    with pytest.raises(Ambiguous) as error:
        pair.refer(agreement_id)
    assert {CONVENTION, "a-autre-annee"} <= set(
        error.value.sentence.rstrip(".").replace(",", "").split()
    )
    named = pair.school.send(
        "referral.submitted",
        "ville",
        REFERRAL,
        agreement_id=agreement_id,
        convention_id=CONVENTION,
    )
    assert named.state == letters.QUEUED


@pytest.mark.parametrize("name", ["a-autre-annee", "z-autre-annee"])
async def test_of_two_conventions_the_one_that_is_open_carries(pair: Pair, name: str) -> None:
    """Beside the refusal above: what is suspended is no candidate, in whatever order they come."""
    sign_another(pair, name)
    agreement_id = pair.agreement()
    pair.act(pair.city, ActKind.SUSPENSION)
    assert refused_on(pair, agreement_id) == set()
    assert {row.instrument for row in pair.school.rows(tables.outbox)} == {name}


# -- agreements and persons --------------------------------------------------------------------


async def test_an_agreement_is_dated_neither_itself_nor_its_notice_in_the_future(
    pair: Pair,
) -> None:
    """A-2.10, A-4.4: both come before what they permit; at this very instant is in time."""
    later = (START + timedelta(seconds=1)).isoformat()
    notice = {"version": "1", "channel": "meeting", "language": "fr"}
    for wrong in ({"given_at": later}, {"notice": {**notice, "given_at": later}}):
        with pytest.raises(InvalidPayload):
            pair.agreement(**wrong)
    assert pair.school.rows(tables.agreements) == []
    now = START.isoformat()
    pair.agreement(given_at=now, notice={**notice, "given_at": now})
    assert len(pair.school.rows(tables.agreements)) == 1


async def test_a_pupil_who_left_is_no_longer_referred(pair: Pair) -> None:
    """A-1.2: only who attends the school that writes."""
    agreement_id = pair.agreement()
    assert refused_on(pair, agreement_id) == set()
    pair.school.write(lambda tx: tx.execute(update(tables.persons).values(left_at=START)))
    assert refused_on(pair, agreement_id) == {"A-1.2"}
    pair.school.write(lambda tx: tx.execute(update(tables.persons).values(left_at=None)))
    assert refused_on(pair, agreement_id) == set()


# -- one referent ------------------------------------------------------------------------------


async def test_one_referent_at_a_time_in_this_case_and_history_stays_as_it_was(
    pair: Pair,
) -> None:
    """A-2.5: naming another ends the present one alone, and here alone."""
    pair.city.charter("agent-2")
    other, desk = Desk(pair), Desk(pair)
    await other.opened()
    await desk.opened()
    for hour, agent in ((1, "agent-2"), (2, "agent-1")):
        pair.clock.at = START + timedelta(hours=hour)
        acting = replace(YOUTH, agent_id="agent-1" if hour == 1 else "agent-2")
        desk.act(pair.city, "referent", acting, agent_id=agent, contact=CONTACT)
        await pair.carry()
    table = pathway_referents
    rows = sorted(pair.city.rows(table, table.c.case_id == desk.case_id), key=lambda r: r.since)
    hours: list[Any] = [START, START + timedelta(hours=1), START + timedelta(hours=2)]
    assert [row.since for row in rows] == hours
    assert [row.until for row in rows] == [*hours[1:], None]
    assert [(row.agent_id, row.active) for row in rows] == [
        ("agent-1", False),
        ("agent-2", False),
        ("agent-1", True),
    ]
    (untouched,) = pair.city.rows(table, table.c.case_id == other.case_id)
    assert (untouched.active, untouched.until) == (True, None)
    assert len(pair.city.rows(pathways)) == 2
