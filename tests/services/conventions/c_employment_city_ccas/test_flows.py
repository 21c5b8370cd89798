"""Every flow of the employer axis: allowed, and refused for want of what each of them asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from contracts.conventions.c_employment_city_ccas.convention import CONVENTION, RECRUITMENT
from contracts.kernel.organisation import Kind
from services.chassis.agreements import withdraw
from services.conventions.c_employment_city_ccas.territory_models import readings
from tests.pair import Side
from tests.services.conventions.c_employment_city_ccas.support import OFFER, TUTOR, Desk
from tests.services.conventions.c_employment_city_ccas.test_immersions import (
    LISTED,
    asked,
    requested,
    status,
)


@dataclass(frozen=True)
class Told:
    """One message that is ready to be sent."""

    type: str
    data: dict[str, Any]
    more: dict[str, Any] = field(default_factory=dict)
    agreement: str = ""


async def _offer(desk: Desk) -> Told:
    return Told("pec.offer_published", desk.offer())


async def _proposal(desk: Desk) -> Told:
    await desk.published()
    agreement = desk.agreed()
    more = {"agreement_id": agreement}
    return Told("pec.candidate_proposed", {"offer_id": OFFER}, more, agreement)


async def _outcome(desk: Desk) -> Told:
    _, agreement = await desk.proposed()
    return Told("pec.candidate_outcome", {"outcome": "met"}, agreement=agreement)


async def _commitment(desk: Desk) -> Told:
    await desk.retained()
    desk.act(desk.city, "tutor_named", staff_id=TUTOR.agent_id)
    return Told("pec.commitment_agreed", desk.commitment())


async def _booklet(desk: Desk) -> Told:
    await desk.contract()
    return Told("pec.booklet_due", {"step": "month_1", "due_on": "2025-04-30"})


async def _filled(desk: Desk) -> Told:
    await desk.contract()
    await desk.booklet("month_1", "2025-04-30")
    desk.act(desk.city, "booklet_filled", TUTOR, step="month_1")
    desk.act(desk.agency, "booklet_filled", step="month_1")
    return Told("pec.booklet_filled", {"step": "month_1", "filled": True})


async def _exit(desk: Desk) -> Told:
    await desk.contract()
    await desk.booklet("three_quarters", "2025-08-15")
    desk.act(desk.agency, "booklet_filled", step="three_quarters")
    filled = {"step": "three_quarters", "filled": True}
    await desk.told(desk.agency, "pec.booklet_filled", filled)
    desk.act(desk.agency, "booklet_read", step="three_quarters", prospects=False)
    return Told("pec.exit_interview", {"at": "2025-09-10T10:00:00+02:00"})


async def _certificate(desk: Desk) -> Told:
    await desk.contract()
    return Told("pec.attestation", {"issued_on": "2025-03-03"})


async def _trades(_desk: Desk) -> Told:
    return Told("immersion_trades.published", LISTED)


async def _request(desk: Desk) -> Told:
    await desk.told(desk.city, "immersion_trades.published", LISTED)
    agreement = desk.agreed()
    return Told("immersion.requested", asked(), {"agreement_id": agreement}, agreement)


async def _acceptance(desk: Desk) -> Told:
    agreement = await requested(desk)
    return Told("immersion.status", status(desk, "accepted"), agreement=agreement)


async def _confirmation(desk: Desk) -> Told:
    agreement = await requested(desk)
    await desk.told(desk.city, "immersion.status", status(desk, "accepted"))
    return Told("immersion.status", status(desk, "confirmed"), agreement=agreement)


Make = Callable[[Desk], Awaitable[Told]]
FLOWS: dict[str, Make] = {
    "m1": _offer,
    "m2": _proposal,
    "m3": _outcome,
    "m4": _commitment,
    "m5": _booklet,
    "m6": _filled,
    "m7": _filled,
    "m8": _exit,
    "m9": _certificate,
    "m28": _trades,
    "m29": _request,
    "m30": _acceptance,
    "m31": _confirmation,
}
BY_CODE = {flow.code: flow for flow in CONVENTION.flows}


def ends(desk: Desk, code: str) -> tuple[Side, Side]:
    """Sender and receiver of a flow."""
    from_city = BY_CODE[code].sender is Kind.CITY
    return (desk.city, desk.agency) if from_city else (desk.agency, desk.city)


def article_of(desk: Desk, side: Side) -> str:
    """The article that closes a side's mailbox to others."""
    return "C-3.2" if side is desk.city else "C-3.1"


def test_every_flow_of_the_axis_is_here() -> None:
    """C-1.1."""
    assert set(FLOWS) == {one.code for one in CONVENTION.flows if one.purpose == RECRUITMENT}


@pytest.mark.parametrize("code", FLOWS)
async def test_a_flow_asks_for_its_desks_and_for_the_text_to_be_read(desk: Desk, code: str) -> None:
    """C-3.1, C-3.2, C-5.5: each at its own gate; then the same message passes."""
    made = await FLOWS[code](desk)
    sender, receiver = ends(desk, code)
    await desk.later(seconds=1)
    desk.seated(sender, works=False)
    article = article_of(desk, sender)
    refused = desk.refused(sender, made.type, made.data, **made.more)
    assert article in refused
    assert refused <= {article}
    desk.seated(sender)
    sender.write(lambda tx: tx.execute(readings.delete()))
    assert desk.refused(sender, made.type, made.data, **made.more) == {"C-5.5"}
    desk.read(sender)
    desk.seated(receiver, works=False)
    outcome = desk.send(sender, made.type, made.data, **made.more)
    await desk.pair.carry()
    line = ("message.received", "not_open", (article_of(desk, receiver),))
    assert line in desk.lines(receiver, outcome.message_id)


@pytest.mark.parametrize("code", FLOWS)
async def test_a_flow_passes(desk: Desk, code: str) -> None:
    """C-3a.11 to C-3a.28, C-3b.1, C-3b.4: beside the refusals above."""
    made = await FLOWS[code](desk)
    sender, _ = ends(desk, code)
    await desk.told(sender, made.type, made.data, **made.more)


@pytest.mark.parametrize("code", ["m3", "m30"])
async def test_the_agency_s_gate_answers_for_the_person_s_agreement(desk: Desk, code: str) -> None:
    """C-4.1: withdrawn there, and not heard of here yet."""
    made = await FLOWS[code](desk)
    core, now = desk.agency.node.core, desk.now
    outcome = desk.send(desk.city, made.type, made.data)
    letters = desk.city.outgoing()
    desk.agency.write(lambda tx: withdraw(tx, core, made.agreement, "agent-1", now))
    await desk.agency.take(letters)
    (line,) = [
        one for one in desk.lines(desk.agency, outcome.message_id) if one[0] == "message.received"
    ]
    assert line[1] == "not_open"
    assert "C-4.1" in line[2]


@pytest.mark.parametrize("code", ["m2", "m29", "m31"])
async def test_what_names_a_person_rests_on_its_own_agreement(desk: Desk, code: str) -> None:
    """C-4.1: withdrawn, nothing of it leaves."""
    made = await FLOWS[code](desk)
    core, now = desk.agency.node.core, desk.now
    desk.agency.write(lambda tx: withdraw(tx, core, made.agreement, "agent-1", now))
    assert "C-4.1" in desk.refused(desk.agency, made.type, made.data, **made.more)
