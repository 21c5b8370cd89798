"""A case may rest on a contract that lasts longer than any agreement: an expiry leaves it open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from contracts.conventions.a_city_school.messages import ReferralSubmitted
from contracts.gate import Refused
from contracts.kernel.checks import Recorded
from contracts.kernel.errors import InvalidDocument
from contracts.kernel.instrument import Cardinality, RestsOn
from contracts.kernel.organisation import Kind
from contracts.registry import build
from services.chassis import tables
from services.chassis.agreements import withdraw
from tests.contracts.instruments import convention_of, flow
from tests.pair import REFERRAL, Pair
from tests.services.chassis.test_identity import Answer

OPEN = flow(
    type="contract.opened",
    sender=Kind.SCHOOL,
    receiver=Kind.CITY,
    payload=ReferralSubmitted,
    case=Cardinality.OPENS,
    rests_on=RestsOn.CONTRACT,
)
SUPPORT = replace(OPEN, type="support.opened", code="m2", rests_on=RestsOn.AGREEMENT)
OPEN_CASE = Recorded(article="C-1.1", name="open_case", sentence="Rien n'est ouvert.")
NEWS = flow(
    OPEN_CASE,
    type="case.news",
    code="m3",
    sender=Kind.CITY,
    receiver=Kind.SCHOOL,
    payload=Answer,
    case=Cardinality.WITHIN,
)
BACK = replace(NEWS, code="m4", sender=Kind.SCHOOL, receiver=Kind.CITY)
TEXT = convention_of(OPEN, parties=(Kind.SCHOOL, Kind.CITY), flows=(OPEN, SUPPORT, NEWS, BACK))


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    urls = (new_database_url(), new_database_url())
    with Pair(tmp_path, urls, registry=build([TEXT]), convention="x_test") as made:
        yield made


def states(pair: Pair, case_id: str | None) -> list[str]:
    cases = tables.cases
    return [side.rows(cases, cases.c.case_id == case_id)[0].state for side in pair.sides]


async def opened(pair: Pair, agreement_id: str, what: str) -> str:
    sent = pair.school.send(what, pair.city.org, REFERRAL, agreement_id=agreement_id)
    assert not isinstance(sent.decision, Refused), sent.decision
    await pair.carry()
    assert pair.school.state(sent.message_id) == "accepted"
    assert states(pair, sent.case_id) == ["open", "open"]
    return sent.case_id or ""


async def test_a_contract_s_case_outlives_the_agreement_it_was_opened_under(pair: Pair) -> None:
    """C-3a.5: twelve months are over; what rests on the agreement alone stops, at both sides."""
    agreement_id = pair.agreement()
    contract = await opened(pair, agreement_id, "contract.opened")
    support = await opened(pair, agreement_id, "support.opened")
    (agreement,) = pair.school.rows(tables.agreements)
    pair.clock.at = agreement.expires_at - timedelta(seconds=1)
    waits = pair.school.send("case.news", pair.city.org, {"outcome": "x"}, case_id=contract)
    lost = pair.school.send("case.news", pair.city.org, {"outcome": "x"}, case_id=support)
    pair.clock.at = agreement.expires_at
    await pair.school.node.scheduler.look()
    assert pair.school.state(lost.message_id) == "stopped"
    assert pair.school.state(waits.message_id) == "queued"
    await pair.carry()
    assert pair.school.state(waits.message_id) == "accepted"
    assert states(pair, support) == ["stopped", "stopped"]
    assert states(pair, contract) == ["open", "open"]
    for side, other in (pair.sides, pair.sides[::-1]):
        sent = side.send("case.news", other.org, {"outcome": "suivi"}, case_id=contract)
        assert not isinstance(sent.decision, Refused), sent.decision
        await pair.carry()
        assert side.state(sent.message_id) == "accepted"
        sent = side.send("case.news", other.org, {"outcome": "suivi"}, case_id=support)
        assert isinstance(sent.decision, Refused)


async def test_a_withdrawal_stops_a_contract_s_case_all_the_same(pair: Pair) -> None:
    """Design: at once, whatever rests on it, and without a reason."""
    agreement_id = pair.agreement()
    contract = await opened(pair, agreement_id, "contract.opened")
    core = pair.school.node.core
    pair.school.write(lambda tx: withdraw(tx, core, agreement_id, None, pair.clock.now()))
    await pair.carry()
    assert states(pair, contract) == ["stopped", "stopped"]


@pytest.mark.parametrize("case", [Cardinality.WITHIN, Cardinality.NONE])
def test_only_what_opens_a_case_says_what_it_rests_on(case: Cardinality) -> None:
    with pytest.raises(InvalidDocument, match=r"contract\.opened"):
        build([convention_of(replace(OPEN, case=case))])
