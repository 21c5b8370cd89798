"""The alternative to exclusion, from the request to what is kept of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from contracts.conventions.a_city_school.messages import SIGNATORIES
from contracts.kernel.errors import Refused
from contracts.kernel.paris import midnight
from services.chassis import tables
from services.chassis.agreements import withdraw
from services.chassis.schema import journal
from services.chassis.tokens import Agent, NotPermitted, Role
from services.conventions.a_city_school.models import measures, records
from tests.pair import Pair
from tests.services.conventions.a_city_school.support import CONTACT, Desk, paris


@pytest.fixture
def desk(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Desk]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield Desk(made)


async def test_a_measure_from_request_to_end(desk: Desk) -> None:
    """A-3.1 to A-3.14, all of it in order."""
    await desk.requested()
    assert (desk.status(desk.school), desk.status(desk.city)) == ("requested", "requested")
    assert desk.waiting(desk.city)["measure.answer"] == "pending"
    desk.host()
    await desk.told(desk.city, "alternative.answered", {"decision": "accepted", "contact": CONTACT})
    day = desk.today.isoformat()
    await desk.told(desk.city, "alternative.contract_status", desk.contract(youth_service=day))
    assert desk.status(desk.school) == "accepted"
    signed = desk.contract(head_teacher=day, pupil=day, representative=day)
    await desk.told(desk.school, "alternative.contract_status", signed)
    assert (desk.status(desk.school), desk.status(desk.city)) == ("signed", "signed")
    await desk.on(paris(desk.first_day, 0))
    assert (desk.status(desk.school), desk.status(desk.city)) == ("running", "running")
    on = desk.first_day.isoformat()
    desk.act(desk.city, "reception", on=on, pupil=True, representative=True)
    desk.act(desk.city, "themes", themes=["authority", "peers"])
    desk.act(desk.city, "reflection", on=on)
    desk.act(desk.city, "booklet", on=on)
    assert "measure.reception" not in desk.waiting(desk.city)
    await desk.told(desk.city, "alternative.status", {"status": "attending", "on": on})
    await desk.told(desk.school, "alternative.status", {"status": "contact_wanted", "on": on})
    await desk.on(paris(desk.first_day + timedelta(days=4), 17))
    ended = {
        "outcome": "completed",
        "ended_on": desk.today.isoformat(),
        "booklet_handed": True,
    }
    await desk.told(desk.city, "alternative.ended", ended)
    for side in desk.pair.sides:
        assert desk.status(side) == "completed"
        (case,) = side.rows(tables.cases)
        assert case.state == "closed"
    assert set(desk.waiting(desk.school)) >= {"booklet.shown"}
    desk.act(desk.school, "booklet_shown", on=desk.today.isoformat(), shown=True)
    assert "booklet.shown" not in desk.waiting(desk.school)


async def test_what_each_side_ticks_stays_with_it_and_says_no_more(desk: Desk) -> None:
    """A-3.4, A-3.8, A-3.11 at the city; A-3.12 at the school: codes and days, never a word."""
    await desk.running()
    on = desk.first_day.isoformat()
    desk.act(desk.city, "themes", themes=["authority", "self", "peers"])
    desk.act(desk.city, "reflection", on=on)
    desk.act(desk.city, "booklet", on=on)
    desk.act(desk.school, "booklet_shown", on=on, shown=False)
    await desk.pair.carry()
    ticked = [(row.what, row.code) for row in desk.city.rows(records)]
    assert ticked == [
        ("theme", "authority"),
        ("theme", "self"),
        ("theme", "peers"),
        ("reflection", None),
        ("booklet_handed", None),
    ]
    assert [(row.what, row.code) for row in desk.school.rows(records)] == [("booklet", "not_shown")]
    with pytest.raises(ValidationError):
        desk.act(desk.city, "themes", themes=["behaviour"])


async def test_the_exclusion_lasts_eight_days_at_most(desk: Desk) -> None:
    """A-3.1, one day either side."""
    agreed = {"agreement_id": desk.agreed(), "case_id": None}
    request = "alternative.requested"
    assert desk.refused(desk.school, request, desk.request(8), **agreed) == set()
    assert desk.refused(desk.school, request, desk.request(9), **agreed) == {"A-3.1"}
    assert desk.refused(desk.school, request, desk.request(1), **agreed) == set()
    before = (desk.first_day - timedelta(days=1)).isoformat()
    outside = desk.request(5, wanted_first_day=before)
    assert desk.refused(desk.school, request, outside, **agreed) == {"A-3.1"}
    crossed = desk.request(5, exclusion_last_day=before)
    assert "A-3.1" in desk.refused(desk.school, request, crossed, **agreed)


async def test_pupil_and_representative_both_agree(desk: Desk) -> None:
    """A-4.4: the representative's word is enough for support, and not for the alternative."""
    alone = desk.pair.agreement(giver="representative")
    request = "alternative.requested"
    data = desk.request()
    assert desk.refused(desk.school, request, data, agreement_id=alone, case_id=None) == {"A-4.4"}
    both = desk.agreed()
    assert desk.refused(desk.school, request, data, agreement_id=both, case_id=None) == set()


async def test_support_and_alternative_never_share_a_case(desk: Desk) -> None:
    """A-1.1, A-3.3: each case serves its own purpose."""
    await desk.referred()
    on = desk.today.isoformat()
    found = desk.refused(desk.city, "alternative.status", {"status": "attending", "on": on})
    assert "A-3.3" in found
    await desk.accepted()
    assert "A-1.1" in desk.refused(desk.city, "pathway.opened", desk.opening())


async def test_a_contract_waits_for_the_city_s_word(desk: Desk) -> None:
    """A-3.5: nothing to sign before; A-3.3: one answer, once."""
    await desk.requested()
    desk.host()
    day = desk.today.isoformat()
    status = "alternative.contract_status"
    assert "A-3.5" in desk.refused(desk.city, status, desk.contract(youth_service=day))
    yes = {"decision": "accepted", "contact": CONTACT}
    await desk.told(desk.city, "alternative.answered", yes)
    assert desk.refused(desk.city, "alternative.answered", yes) == {"A-3.3"}
    assert desk.refused(desk.city, status, desk.contract(youth_service=day)) == set()


async def test_a_declined_request_is_over(desk: Desk) -> None:
    """A-3.3."""
    await desk.requested()
    no = {"decision": "declined", "contact": None}
    await desk.told(desk.city, "alternative.answered", no)
    for side in desk.pair.sides:
        assert desk.status(side) == "declined"
    assert desk.refused(desk.city, "alternative.answered", no) >= {"A-1.3", "A-3.3"}


async def test_host_tutor_and_agreement_are_there_before_the_contract(desk: Desk) -> None:
    """A-3.9, A-3.10, A-6.1, A-6.2."""
    await desk.requested()
    yes = {"decision": "accepted", "contact": CONTACT}
    await desk.told(desk.city, "alternative.answered", yes)
    day = desk.today.isoformat()
    status = "alternative.contract_status"
    signed = desk.contract(youth_service=day)
    assert desk.refused(desk.city, status, signed) == {"A-6.1", "A-6.2"}
    desk.host("Trop tôt", last_day=desk.first_day + timedelta(days=3))
    early = {**signed, "host": "Trop tôt"}
    assert desk.refused(desk.city, status, early) == {"A-6.1", "A-6.2"}
    desk.host("Trop tard", first_day=desk.first_day + timedelta(days=1))
    late = {**signed, "host": "Trop tard"}
    assert desk.refused(desk.city, status, late) == {"A-6.1", "A-6.2"}
    desk.host("Juste", first_day=desk.first_day, last_day=desk.first_day + timedelta(days=4))
    assert desk.refused(desk.city, status, {**signed, "host": "Juste"}) == set()
    desk.host()
    assert desk.refused(desk.city, status, {**signed, "task_tutor": None}) == {"A-3.10"}
    assert desk.refused(desk.city, status, signed) == set()


async def test_an_association_is_named_in_the_agreement_and_a_service_need_not_be(
    desk: Desk,
) -> None:
    """A-6.1."""
    await desk.requested(agreement_id=desk.agreed(associated=[]))
    yes = {"decision": "accepted", "contact": CONTACT}
    await desk.told(desk.city, "alternative.answered", yes)
    desk.host()
    desk.host("Espaces verts", nature="service", agreement=None)
    signed = desk.contract(youth_service=desk.today.isoformat())
    status = "alternative.contract_status"
    assert desk.refused(desk.city, status, signed) == {"A-6.1"}
    assert desk.refused(desk.city, status, {**signed, "host": "Espaces verts"}) == set()


@pytest.mark.parametrize("missing", SIGNATORIES)
async def test_three_signatures_start_nothing(desk: Desk, missing: str) -> None:
    """A-3.5, A-3.6: on the first day, at midnight in Paris, the contract is void."""
    await desk.accepted()
    day = desk.today.isoformat()
    city = {"youth_service": day, "pupil": day}
    school = {"head_teacher": day, "representative": day}
    by_city = {role: value for role, value in city.items() if role != missing}
    by_school = {role: value for role, value in school.items() if role != missing}
    status = "alternative.contract_status"
    await desk.told(desk.city, status, desk.contract(**by_city))
    await desk.told(desk.school, status, desk.contract(**by_school))
    await desk.on(midnight(desk.first_day) - timedelta(microseconds=1))
    assert (desk.status(desk.school), desk.status(desk.city)) == ("accepted", "accepted")
    await desk.on(midnight(desk.first_day))
    assert (desk.status(desk.school), desk.status(desk.city)) == ("lapsed", "lapsed")
    on = desk.first_day.isoformat()
    news = {"status": "attending", "on": on}
    assert desk.refused(desk.city, "alternative.status", news) >= {"A-1.3", "A-3.5", "A-3.6"}


async def test_both_sides_keep_each_other_informed_of_a_running_measure(desk: Desk) -> None:
    """A-3.13: either may tell, and the other side keeps what it was told."""
    await desk.running()
    on = desk.first_day.isoformat()
    await desk.told(desk.city, "alternative.status", {"status": "attending", "on": on})
    await desk.told(desk.school, "alternative.status", {"status": "contact_wanted", "on": on})
    told = [("news", "attending"), ("news", "contact_wanted")]
    for side in (desk.school, desk.city):
        kept = [(row.what, row.code) for row in side.rows(records) if row.what == "news"]
        assert kept == told


async def test_a_signature_precedes_the_first_day(desk: Desk) -> None:
    """A-3.6: dated the day before it is in time, dated the first day it is late."""
    await desk.accepted()
    status = "alternative.contract_status"
    eve = desk.contract(youth_service=(desk.first_day - timedelta(days=1)).isoformat())
    late = desk.contract(youth_service=desk.first_day.isoformat())
    assert desk.refused(desk.city, status, late) == {"A-3.6"}
    assert desk.refused(desk.city, status, eve) == set()
    await desk.on(midnight(desk.first_day))
    assert "A-3.5" in desk.refused(desk.city, status, eve)


async def test_nobody_signs_for_another(desk: Desk) -> None:
    """A-3.6: the head at school, the youth service at the city; an agent is no head."""
    await desk.accepted()
    day = desk.today.isoformat()
    status = "alternative.contract_status"
    both = {"youth_service": day, "head_teacher": day}
    assert desk.refused(desk.city, status, desk.contract(**both)) == {"A-3.6"}
    await desk.told(desk.city, status, desk.contract(youth_service=day))
    assert desk.refused(desk.school, status, desk.contract(**both), agent_role="agent") == {"A-3.6"}
    other = desk.contract(youth_service="2026-11-01", head_teacher=day)
    assert desk.refused(desk.school, status, other) == {"A-3.6"}
    assert desk.refused(desk.school, status, desk.contract(**both)) == set()
    longer = desk.contract(
        head_teacher=day, last_day=(desk.first_day + timedelta(days=3)).isoformat()
    )
    assert desk.refused(desk.school, status, longer) == {"A-3.1"}


async def test_two_heads_signing_at_once_make_one_signature(desk: Desk) -> None:
    """A-3.6: letters cross on the way; both sides end with the same contract."""
    await desk.accepted()
    status = "alternative.contract_status"
    day = desk.today.isoformat()
    await desk.told(desk.city, status, desk.contract(youth_service=day))
    before = (desk.today - timedelta(days=1)).isoformat()
    desk.school.charter("agent-2")
    first = desk.send(desk.school, status, desk.contract(head_teacher=day, pupil=day))
    second = desk.send(
        desk.school,
        status,
        desk.contract(head_teacher=before, representative=day),
        agent_id="agent-2",
    )
    third = desk.send(desk.city, status, desk.contract(youth_service=day, pupil=before))
    for one in (first, second, third):
        assert not isinstance(one.decision, Refused), one.decision
    await desk.pair.carry()
    rows = [side.rows(measures)[0] for side in desk.pair.sides]
    days = [{role: str(getattr(row, role)) for role in SIGNATORIES} for row in rows]
    assert days[0] == days[1]
    assert days[0] == {
        "head_teacher": before,
        "youth_service": day,
        "pupil": before,
        "representative": day,
    }
    assert [row.status for row in rows] == ["signed", "signed"]


async def test_a_leap_of_the_clock_over_midnight_starts_the_measure_once(desk: Desk) -> None:
    """A-3.5: a node that slept from the eve to the second day does what was due, once."""
    await desk.signed()
    await desk.on(paris(desk.first_day + timedelta(days=1), 9))
    await desk.look()
    for side in desk.pair.sides:
        assert desk.status(side) == "running"
        table = tables.deadlines
        mine = (table.c.kind == "measure.start") & (table.c.state != "cancelled")
        assert [row.state for row in side.rows(table, mine)] == ["met"]
        assert len(side.rows(journal, journal.c.event == "deadline.struck")) == 1
    assert desk.waiting(desk.city)["measure.reception"] == "missed"


@pytest.mark.parametrize("ground", ["hygiene", "safety", "morality"])
async def test_the_head_alone_ends_it_on_one_of_three_grounds(desk: Desk, ground: str) -> None:
    """A-3.14: at once; the city only tells that it is completed."""
    await desk.running()
    ended = {
        "outcome": f"ended_{ground}",
        "ended_on": desk.today.isoformat(),
        "booklet_handed": False,
    }
    assert desk.refused(desk.city, "alternative.ended", ended) == {"A-3.14"}
    by_agent = desk.refused(desk.school, "alternative.ended", ended, agent_role="agent")
    assert by_agent == {"A-3.14"}
    await desk.told(desk.school, "alternative.ended", ended)
    for side in desk.pair.sides:
        assert desk.status(side) == "interrupted"
    on = desk.today.isoformat()
    news = {"status": "absent", "on": on}
    assert "A-1.3" in desk.refused(desk.city, "alternative.status", news)


async def test_reception_is_due_on_the_first_day_for_both(desk: Desk) -> None:
    """A-3.7: pupil and representative; one of them is not enough."""
    await desk.running()
    on = desk.first_day.isoformat()
    desk.act(desk.city, "reception", on=on, pupil=True, representative=False)
    assert desk.waiting(desk.city)["measure.reception"] == "pending"
    await desk.on(midnight(desk.first_day + timedelta(days=1)))
    assert desk.waiting(desk.city)["measure.reception"] == "missed"
    desk.act(desk.city, "reception", on=on, pupil=True, representative=True)
    assert "measure.reception" not in desk.waiting(desk.city)
    dpo = Agent("dpo-1", Role.DPO)
    with pytest.raises(NotPermitted):
        desk.act(desk.city, "reception", dpo, on=on, pupil=True, representative=True)


async def test_a_withdrawal_stops_a_running_measure(desk: Desk) -> None:
    """A-2.11: by either of those who agreed; everything stops, at both sides."""
    agreement_id = desk.agreed()
    await desk.requested(agreement_id=agreement_id)
    desk.host()
    yes = {"decision": "accepted", "contact": CONTACT}
    await desk.told(desk.city, "alternative.answered", yes)
    core, at = desk.school.node.core, desk.pair.clock.now()
    desk.school.write(lambda tx: withdraw(tx, core, agreement_id, "agent-1", at))
    await desk.pair.carry()
    for side in desk.pair.sides:
        assert desk.status(side) == "stopped"
        assert desk.waiting(side) == {}
    signed = desk.contract(youth_service=desk.today.isoformat())
    found = desk.refused(desk.city, "alternative.contract_status", signed)
    assert found >= {"A-1.3", "A-3.5", "A-4.4"}
