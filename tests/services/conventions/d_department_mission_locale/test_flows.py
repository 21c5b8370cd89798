"""Every flow within a case: allowed with all its facts, refused for want of each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contracts.kernel.paris import add_months
from services.chassis.agreements import withdraw
from services.conventions.d_department_mission_locale.models import foundations, youths
from services.conventions.d_department_mission_locale.routes import DPIA, LOCAL
from tests.pair import Side
from tests.services.conventions.d_department_mission_locale.support import (
    ANSWERED,
    COMING,
    CONTACT,
    CONTACTED,
    DECIDED,
    DIAGNOSED,
    DIAGNOSIS,
    ENROLLED,
    ENROLMENT,
    HELD,
    INVITED,
    MET,
    OTHER,
    OUTCOME,
    PROJECT,
    PROPOSED,
    REFERENT,
    REQUEST,
    Desk,
)

Data = Callable[[Desk], dict[str, Any]]
FLOWS: list[tuple[str, str, Data, str | None, str | None]] = [
    ("mission", ANSWERED, lambda _: MET, None, None),
    ("department", ENROLMENT, lambda d: {"proposed_on": d.day()}, None, None),
    (
        "mission",
        ENROLLED,
        lambda d: {"outcome": "accepted", "on": d.day()},
        "enrolment_proposed_at",
        "D-1.3",
    ),
    ("department", DIAGNOSIS, lambda _: {"review_on": None}, None, None),
    (
        "mission",
        DIAGNOSED,
        lambda d: {"done_on": d.day(), "handed_over": True},
        "diagnosis_requested_at",
        "D-1.5",
    ),
    ("department", INVITED, lambda d: d.invitation(), None, None),
    (
        "mission",
        COMING,
        lambda _: {"attends": True, "adviser": OTHER},
        "interview_invited_at",
        "D-1.6",
    ),
    (
        "department",
        HELD,
        lambda d: {"held_on": d.day(), "together": True},
        "interview_invited_at",
        "D-1.6",
    ),
    ("mission", PROJECT, lambda d: d.project(), None, None),
    ("mission", PROPOSED, lambda d: {"proposed_on": d.day()}, None, None),
    ("department", PROPOSED, lambda d: {"proposed_on": d.day()}, None, None),
    (
        "mission",
        OUTCOME,
        lambda d: {"outcome": "entered", "on": d.day()},
        "contract_proposed_at",
        "D-1.9",
    ),
    ("department", DECIDED, lambda d: d.decision(), None, None),
    ("mission", DECIDED, lambda d: d.decision(), None, None),
    ("department", REFERENT, lambda d: {"referent": CONTACT, "since": d.day()}, None, None),
    ("mission", REFERENT, lambda d: {"referent": OTHER, "since": d.day()}, None, None),
]
"""Who sends what; the column without which it is refused, and on which article."""


async def ready(desk: Desk) -> str:
    """A case in which everything that precedes anything was done; returns the agreement."""
    agreement = desk.agreed()
    await desk.told(desk.department, CONTACTED, REQUEST, agreement_id=agreement)
    today = desk.day()
    await desk.told(desk.department, ENROLMENT, {"proposed_on": today})
    await desk.told(desk.department, DIAGNOSIS, {"review_on": None})
    await desk.told(desk.department, INVITED, desk.invitation())
    await desk.told(desk.department, PROPOSED, {"proposed_on": today})
    return agreement


def without(desk: Desk, side: Side, what: str) -> Callable[[], None]:
    """Take one foundation away from a side; returns what brings it back."""
    gone = foundations.delete().where(foundations.c.what == what)
    side.write(lambda tx: tx.execute(gone))
    return lambda: desk.found(side, what)


@pytest.mark.parametrize(
    ("which", "type_", "data", "column", "article"),
    FLOWS,
    ids=[f"{which}-{type_}" for which, type_, *_ in FLOWS],
)
async def test_a_message_passes_with_all_its_facts_and_not_without_one(
    desk: Desk, which: str, type_: str, data: Data, column: str | None, article: str | None
) -> None:
    """D-5.1, D-8.1, D-1.2 to D-1.9: D-1.3, D-1.4, D-1.5, D-1.6, D-1.7, D-1.9.

    The Mission Locale has named no adviser yet: there whoever answers for it may write.
    """
    side = getattr(desk, which)
    agreement = await ready(desk)
    content = data(desk)
    for what, asked in ((LOCAL, "D-5.1"), (DPIA, "D-8.1")):
        back = without(desk, side, what)
        assert desk.refused(side, type_, content) == {asked}
        back()
    stranger = {"agent_id": "stranger", "agent_role": "manager"}
    followed = side is desk.department and type_ not in {CONTACTED, REFERENT}
    of_stranger = {"D-8.1", "D-1.4"} if followed else {"D-8.1"}
    assert desk.refused(side, type_, content, **stranger) == of_stranger
    assert "D-1.2" in desk.refused(side, type_, content, case_id="0" * 32)
    if column is not None:
        known = getattr(desk.row(side), column)
        side.write(lambda tx: tx.execute(youths.update().values({column: None})))
        assert desk.refused(side, type_, content) == {article}
        side.write(lambda tx: tx.execute(youths.update().values({column: known})))
    await desk.told(side, type_, content)
    await withdrawn(desk, agreement)
    assert desk.refused(side, type_, content) & {"D-1.4", "D-1.6"}
    assert "D-1.2" in desk.refused(side, type_, content)


async def withdrawn(desk: Desk, agreement: str) -> None:
    core, at = desk.department.node.core, desk.pair.clock.now()
    desk.department.write(lambda tx: withdraw(tx, core, agreement, "agent-1", at))
    await desk.pair.carry()


@pytest.mark.parametrize(("which", "type_", "data"), [one[:3] for one in FLOWS[:2]])
async def test_the_receiver_asks_for_its_own_foundations(
    desk: Desk, which: str, type_: str, data: Data
) -> None:
    """D-5.1, D-8.1: at both sides, or nothing passes."""
    side = getattr(desk, which)
    await ready(desk)
    without(desk, desk.other(side), DPIA)
    outcome = desk.send(side, type_, data(desk))
    await desk.pair.carry()
    assert side.state(outcome.message_id) == "refused"


async def test_nothing_opens_on_the_national_text_alone(bare: Desk) -> None:
    """D-0.1, D-5.1, D-8.1: each of the four records is needed."""
    agreement = bare.agreed()

    def asked() -> set[str]:
        return bare.refused(bare.department, CONTACTED, REQUEST, agreement_id=agreement)

    assert asked() == {"D-5.1", "D-8.1"}
    bare.found(bare.department, LOCAL)
    assert asked() == {"D-8.1"}
    bare.found(bare.department, DPIA)
    for missing in ((), (LOCAL,)):
        for what in missing:
            bare.found(bare.mission, what)
        outcome = bare.send(bare.department, CONTACTED, REQUEST, agreement_id=agreement)
        await bare.pair.carry()
        assert bare.department.state(outcome.message_id) == "refused"
    bare.found(bare.mission, DPIA)
    await bare.told(bare.department, CONTACTED, REQUEST, agreement_id=agreement)


async def test_a_foundation_of_another_convention_opens_nothing(bare: Desk) -> None:
    """D-5.1: each department with each Mission Locale."""
    bare.founded()
    other = foundations.update().values(convention_id="another")
    bare.department.write(lambda tx: tx.execute(other))
    agreement = bare.agreed()
    refused = bare.refused(bare.department, CONTACTED, REQUEST, agreement_id=agreement)
    assert refused == {"D-5.1", "D-8.1"}


async def test_the_frame_is_over_three_years_after_it_was_signed(desk: Desk) -> None:
    """D-7.1: 8 October 2027, whenever the two signed."""
    await ready(desk)
    assert add_months(desk.today, 10).year == 2027
    signed = next(iter(desk.department.node.core.directory.conventions.values()))
    assert str(signed.ends_on) == "2027-10-08"
