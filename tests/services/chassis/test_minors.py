"""What a minor is owed: to be heard, to decide at majority, and that an objection is waited for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest

from contracts.gate import Refused
from contracts.kernel.control import AgreementChanged
from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.paris import add_years, midnight
from services.chassis import tables
from services.chassis.agreement_clocks import HEARING, MAJORITY, OBJECTION
from services.chassis.agreements import withdraw
from services.chassis.controls import send_control
from services.chassis.letters import Ready
from services.chassis.minors import (
    Hearing,
    NotGiven,
    Objection,
    ObjectionAnswer,
    answer_objection,
    hear,
    suspend,
)
from services.chassis.posting import Outcome
from services.chassis.schema import journal
from tests.pair import ANSWER, CONVENTION, PUPIL, START, Pair

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
PARENT = Objection(raised_by="representative")
IDENTITY: Any = PUPIL["identity"]


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


def born(pair: Pair, birth: date) -> str:
    """A pupil of the school, born on that day."""
    return pair.person({**PUPIL, "identity": {**IDENTITY, "birth_date": birth.isoformat()}})


def aged(pair: Pair, years: int) -> str:
    """A pupil whose birthday is today."""
    return born(pair, add_years(pair.clock.at.date(), -years))


def waiting(pair: Pair, kind: str) -> list[str]:
    """Agreements about which something of a kind waits at the school."""
    table = tables.deadlines
    waits = (table.c.kind == kind) & table.c.state.in_(("pending", "missed"))
    return [row.subject for row in pair.school.rows(table, waits)]


def write(pair: Pair, act: Callable[..., Any], agreement_id: str, *said: Any) -> Any:
    """An act on an agreement, at the school."""
    core, at = pair.school.node.core, pair.clock.now()
    return pair.school.write(lambda tx: act(tx, core, agreement_id, *said, "agent-1", at))


def refusals(pair: Pair, agreement_id: str) -> set[str]:
    """Codes with which the school's own gate refuses a referral; none where it passes."""
    outcome = pair.refer(agreement_id)
    decision = outcome.decision
    return {one.code for one in decision.reasons} if isinstance(decision, Refused) else set()


def answered(pair: Pair, opened: Outcome) -> Outcome:
    """The city answers a referral, if it may."""
    return pair.city.send("referral.answered", "ecole", ANSWER, case_id=opened.case_id)


# -- who holds authority, and what the young person says


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"authority": None}, ("authority", "missing")),
        ({"giver": "both", "authority": None}, ("authority", "missing")),
        (
            {"giver": "young_person", "authority": "parental"},
            ("authority", "representative_only"),
        ),
        ({"giver": "both", "assent": "no"}, ("assent", "contradicts")),
        ({"giver": "young_person", "assent": "no"}, ("assent", "contradicts")),
    ],
)
def test_authority_is_recorded_and_never_guessed(
    pair: Pair, changes: dict[str, Any], fault: tuple[str, str]
) -> None:
    """Beside the same record that says it, or that does not contradict itself."""
    with pytest.raises(InvalidPayload) as refused:
        pair.agreement(**changes)
    assert refused.value.fields == (fault,)
    sound = {**changes, fault[0]: {"authority": "guardianship", "assent": "yes"}[fault[0]]}
    if sound.get("giver") == "young_person":
        sound.pop("authority", None)
    agreement_id = pair.agreement(**sound)
    (row,) = pair.school.rows(tables.agreements, tables.agreements.c.agreement_id == agreement_id)
    assert row.authority == (None if row.giver == "young_person" else row.authority)
    assert (row.authority is None) is (row.giver == "young_person")


@pytest.mark.parametrize(
    ("years", "changes", "owed"),
    [
        (14, {"assent": "not_asked"}, 0),
        (15, {"assent": "not_asked"}, 1),
        (15, {"assent": "yes"}, 0),
        (9, {"assent": "no"}, 1),
        (15, {"assent": "no", "granted": False}, 0),
        (15, {"giver": "both", "assent": "yes"}, 0),
    ],
)
def test_a_no_or_a_silence_from_fifteen_raises_a_human_step(
    pair: Pair, years: int, changes: dict[str, Any], owed: int
) -> None:
    """Obligation of A: the representatives agree, and somebody hears the young person (A-2.11)."""
    agreement_id = pair.agreement(aged(pair, years), **changes)
    assert waiting(pair, HEARING) == [agreement_id] * owed


async def test_who_said_no_is_heard_and_it_goes_on_or_ends(pair: Pair) -> None:
    """In A a no decides nothing by itself: whoever heard it says whether it goes on."""
    on, over = (pair.agreement(aged(pair, 16), assent="no") for _ in range(2))
    assert refusals(pair, on) == set()
    assert write(pair, hear, on, Hearing(assent="no", continues=True)) == ("given", ())
    state, told = write(pair, hear, over, Hearing(assent="no", continues=False))
    assert (state, told) == ("withdrawn", ("ville",))
    assert waiting(pair, HEARING) == []
    assert refusals(pair, on) == set()
    assert refusals(pair, over) == {"agreement_withdrawn"}
    lines = pair.school.rows(journal, journal.c.event == "agreement.heard")
    assert [tuple(row.articles) for row in lines] == [("CC 371-1",)] * 2


# -- majority


async def test_at_majority_everything_stops_and_the_young_person_is_asked(pair: Pair) -> None:
    """Code civil 414, at Paris midnight: the agreement ends, what waited stops, somebody asks."""
    birthday = START.date() + 40 * DAY
    person_id = born(pair, add_years(birthday, -18))
    agreement_id = pair.agreement(person_id)
    assert waiting(pair, MAJORITY) == [agreement_id]
    pair.clock.at = midnight(birthday) - SECOND
    waits = pair.refer(agreement_id)
    pair.clock.at = midnight(birthday)
    await pair.school.node.scheduler.look()
    assert pair.school.state(waits.message_id) == "stopped"
    assert "agreement_expired" in refusals(pair, agreement_id)
    table = tables.deadlines
    (row,) = pair.school.rows(table, table.c.kind == MAJORITY)
    assert (row.state, row.due_at, row.article) == ("missed", midnight(birthday), "CC 414")
    own = pair.agreement(person_id, giver="young_person", assent="yes")
    assert waiting(pair, MAJORITY) == []
    assert refusals(pair, own) == set()


def test_nobody_is_asked_where_the_agreement_ends_before_majority(pair: Pair) -> None:
    pair.agreement(aged(pair, 14))
    pair.agreement(aged(pair, 17), giver="young_person", assent="yes")
    assert waiting(pair, MAJORITY) == []


# -- objection


async def test_one_parent_s_objection_suspends_everywhere_until_it_is_answered(pair: Pair) -> None:
    """GDPR 21 and Code civil 372-2: both gates refuse; lifted, both let pass again."""
    agreement_id = pair.agreement()
    opened, held = pair.refer(agreement_id), pair.refer(agreement_id)
    await pair.carry()
    waits = pair.refer(agreement_id)
    pair.clock.at += SECOND
    assert write(pair, suspend, agreement_id, PARENT) == ("ville",)
    assert write(pair, suspend, agreement_id, PARENT) == ()
    assert pair.school.state(waits.message_id) == "stopped"
    assert refusals(pair, agreement_id) == {"agreement_suspended"}
    await pair.carry()
    refused = answered(pair, opened)
    assert isinstance(refused.decision, Refused)
    assert {one.code for one in refused.decision.reasons} == {"agreement_suspended"}
    (row,) = pair.city.rows(tables.cases, tables.cases.c.case_id == opened.case_id)
    assert row.state == "open"
    assert told(pair) == "suspended"
    pair.clock.at += SECOND
    lifted = ObjectionAnswer(outcome="lifted")
    assert write(pair, answer_objection, agreement_id, lifted) == ("given", ("ville",))
    await pair.carry()
    assert refusals(pair, agreement_id) == set()
    assert not isinstance(answered(pair, held).decision, Refused)
    assert told(pair) == "resumed"
    assert waiting(pair, OBJECTION) == []


def told(pair: Pair) -> str | None:
    """What the city last certified of the agreement."""
    (row,) = pair.school.rows(tables.withdrawals)
    outcome: str | None = row.outcome
    return outcome


async def test_an_objection_that_is_upheld_withdraws(pair: Pair) -> None:
    agreement_id = pair.agreement()
    opened = pair.refer(agreement_id)
    await pair.carry()
    write(pair, suspend, agreement_id, Objection(raised_by="young_person"))
    upheld = ObjectionAnswer(outcome="upheld")
    assert write(pair, answer_objection, agreement_id, upheld)[0] == "withdrawn"
    await pair.carry()
    assert refusals(pair, agreement_id) == {"agreement_withdrawn"}
    (row,) = pair.city.rows(tables.cases, tables.cases.c.case_id == opened.case_id)
    assert row.state == "stopped"
    assert told(pair) == "stopped"
    articles = [
        tuple(row.articles)
        for row in pair.school.rows(journal, journal.c.event.in_(["agreement.suspended"]))
    ]
    assert articles == [("RGPD 21",)]


@pytest.mark.parametrize(("outcome", "stands"), [("upheld", "stopped"), ("lifted", "resumed")])
async def test_of_two_certificates_the_later_one_counts_however_they_arrive(
    pair: Pair, outcome: Literal["upheld", "lifted"], stands: str
) -> None:
    agreement_id = pair.agreement()
    pair.refer(agreement_id)
    await pair.carry()
    write(pair, suspend, agreement_id, PARENT)
    await pair.city.take(pair.school.outgoing())
    (early,) = certificates(pair)
    pair.clock.at += SECOND
    write(pair, answer_objection, agreement_id, ObjectionAnswer(outcome=outcome))
    await pair.city.take(pair.school.outgoing())
    (late,) = [one for one in certificates(pair) if one.message_id != early.message_id]
    await pair.school.take(pair.city.packed([[late]]))
    assert told(pair) == stands
    await pair.school.take(pair.city.packed([[early]]))
    assert told(pair) == stands


async def test_an_end_is_for_good_where_two_certificates_are_of_one_instant(pair: Pair) -> None:
    agreement_id = pair.agreement()
    pair.refer(agreement_id)
    await pair.carry()
    write(pair, suspend, agreement_id, PARENT)
    write(pair, answer_objection, agreement_id, ObjectionAnswer(outcome="upheld"))
    suspended, upheld = (one for one in pair.school.waiting() if one.type == "agreement.changed")
    assert suspended.created_at == upheld.created_at
    await pair.city.take(pair.school.outgoing())
    for one in sorted(certificates(pair), key=lambda one: b"stopped" not in (one.content or b"")):
        await pair.school.take(pair.city.packed([[one]]))
    assert told(pair) == "stopped"


def certificates(pair: Pair) -> list[Ready]:
    """What the city has yet to certify of an agreement that changed."""
    return [one for one in pair.city.waiting() if one.type == "withdrawal.done"]


async def test_an_objection_waits_a_month_and_is_then_late(pair: Pair) -> None:
    """GDPR 12.3; nothing resumes by itself."""
    agreement_id = pair.agreement()
    write(pair, suspend, agreement_id, PARENT)
    table = tables.deadlines
    (row,) = pair.school.rows(table, table.c.kind == OBJECTION)
    pair.clock.at = row.due_at - SECOND
    await pair.school.node.scheduler.look()
    assert [one.state for one in pair.school.rows(table, table.c.kind == OBJECTION)] == ["pending"]
    pair.clock.at = row.due_at
    await pair.school.node.scheduler.look()
    assert [one.state for one in pair.school.rows(table, table.c.kind == OBJECTION)] == ["missed"]
    assert "agreement_suspended" in refusals(pair, agreement_id)


def test_what_is_not_given_is_neither_heard_nor_suspended(pair: Pair) -> None:
    refused = pair.agreement(granted=False)
    over = pair.agreement()
    core, at = pair.school.node.core, pair.clock.now()
    pair.school.write(lambda tx: withdraw(tx, core, over, "agent-1", at))
    for agreement_id in (refused, over):
        with pytest.raises(NotGiven):
            write(pair, suspend, agreement_id, PARENT)
        with pytest.raises(NotGiven):
            write(pair, hear, agreement_id, Hearing(assent="yes", continues=True))
    with pytest.raises(NotGiven):
        write(pair, answer_objection, pair.agreement(), ObjectionAnswer(outcome="lifted"))
    with pytest.raises(UnknownName):
        write(pair, suspend, "0" * 32, PARENT)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_of_a_suspension_and_its_end_the_later_counts_in_whatever_order_they_come(
    pair: Pair, order: tuple[int, int]
) -> None:
    """Design §10.7: control applies on arrival; an older word never undoes a newer one."""
    agreement_id = pair.agreement()
    opened = pair.refer(agreement_id)
    await pair.carry()
    (row,) = pair.school.rows(tables.agreement_recipients)
    for index in order:
        content = AgreementChanged(
            reference=row.reference,
            case_ids=(),
            state="resumed" if index else "suspended",
            effective_at=START + (index + 1) * SECOND,
        )
        say(pair, content, START + 9 * SECOND)
        await pair.carry()
    (kept,) = pair.city.rows(tables.tombstones)
    assert kept.state == "resumed"
    assert not isinstance(answered(pair, opened).decision, Refused)


def say(pair: Pair, content: AgreementChanged, at: datetime) -> None:
    """The school tells the city, beside what its own records say."""
    core, pair.clock.at = pair.school.node.core, at
    pair.school.write(
        lambda tx: send_control(tx, core, "agreement.changed", content, "ville", CONVENTION, at)
    )
