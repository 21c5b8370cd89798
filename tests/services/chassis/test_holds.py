"""What a dispute keeps is not destroyed, by nobody and for no reason, until it is settled (A-12.1).

Each test beside the same destruction without a hold, or after its release.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from contracts.kernel.errors import UnknownName
from contracts.kernel.paris import midnight
from services.chassis import standing, tables
from services.chassis.agreements import withdraw
from services.chassis.bundle import Bundle
from services.chassis.clock import new_id
from services.chassis.erasure import ask_erasure, erase_person
from services.chassis.holds import Hold, OnHold, holds_of, place_hold, release_hold
from services.chassis.retention import Purge, due, purge
from services.chassis.schema import journal
from tests.pair import CONVENTION, START, Pair, Side

YEARS = timedelta(days=3 * 365)
"""How long proof is kept."""


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


def place(side: Side, case_id: str | None = None, convention: str = CONVENTION) -> str:
    hold_id, core, at = new_id(), side.node.core, side.clock.now()
    hold = Hold(ground="court", case_id=case_id)
    side.write(lambda tx: place_hold(tx, core, convention, hold, hold_id, "chef", at))
    return hold_id


def release(side: Side, hold_id: str, convention: str = CONVENTION) -> None:
    core, at = side.node.core, side.clock.now()
    side.write(lambda tx: release_hold(tx, core, convention, hold_id, "chef", at))


async def purged(side: Side, at: datetime) -> Purge:
    """Purge at an instant; what was announced is what is done."""
    core = side.node.core
    planned = side.node.database.read_now(lambda c: due(c, core, at))
    assert await purge(side.node.database, core, at) == planned
    return planned


def states(side: Side) -> dict[str, str]:
    return {row.case_id: row.state for row in side.rows(tables.cases)}


def after_the_convention(pair: Pair) -> datetime:
    signed = pair.city.node.core.directory.conventions[CONVENTION]
    assert signed.purged_on is not None
    return midnight(signed.purged_on)


async def test_a_held_case_outlives_its_day_and_goes_at_the_first_round_after_the_release(
    pair: Pair,
) -> None:
    """A-12.1: the other one, which nothing keeps, goes on its day."""
    kept, other = pair.refer(), pair.refer()
    await pair.carry()
    hold_id = place(pair.city, str(kept.case_id))
    pair.clock.at = after_the_convention(pair)
    done = await purged(pair.city, pair.clock.at)
    assert (done.cases, done.held) == ((other.case_id,), (kept.case_id,))
    assert states(pair.city) == {kept.case_id: "open", other.case_id: "erased"}
    assert len(pair.city.rows(tables.persons)) == 1
    release(pair.city, hold_id)
    done = await purged(pair.city, pair.clock.at)
    assert (done.cases, done.held) == ((kept.case_id,), ())
    await pair.carry()
    told = pair.school.rows(tables.certificates, tables.certificates.c.case_id == kept.case_id)
    assert [(row.org, row.outcome) for row in told] == [("ville", "deleted")]


async def test_a_hold_on_a_convention_keeps_all_its_cases_and_those_of_no_other(
    pair: Pair,
) -> None:
    """A-12.1."""
    sent = [pair.refer().case_id, pair.refer().case_id]
    await pair.carry()
    place(pair.city)
    duty = {"instrument": "another"}
    pair.city.write(
        lambda tx: tx.execute(
            tables.cases.update().where(tables.cases.c.case_id == sent[0]).values(**duty)
        )
    )
    pair.city.write(lambda tx: tx.execute(tables.cases.update().values(retain_until=START)))
    done = await purged(pair.city, START)
    assert (done.cases, done.held) == ((sent[0],), (sent[1],))


async def test_a_partner_who_asks_for_erasure_is_told_what_keeps_it_and_later_that_it_is_done(
    pair: Pair,
) -> None:
    """A-12.1; GDPR art. 17.3 e: kept while the dispute lasts, and not a round longer."""
    sent = pair.refer()
    await pair.carry()
    hold_id = place(pair.city, str(sent.case_id))
    core, at = pair.school.node.core, pair.clock.now()
    pair.school.write(
        lambda tx: ask_erasure(tx, core, tx.get(standing.CASES, sent.case_id), new_id(), at)
    )
    await pair.carry()
    assert states(pair.city) == {sent.case_id: "open"}
    assert states(pair.school) == {sent.case_id: "erased"}
    mine = tables.certificates.c.org == "ville"
    (told,) = pair.school.rows(tables.certificates, mine)
    assert (told.outcome, told.article, told.records) == ("kept", "A-12.1", 0)
    release(pair.city, hold_id)
    await purged(pair.city, pair.clock.now())
    await pair.carry()
    assert [row.outcome for row in pair.school.rows(tables.certificates, mine)] == [
        "kept",
        "deleted",
    ]


async def test_nobody_here_destroys_a_held_case_or_the_person_behind_it(pair: Pair) -> None:
    """A-12.1: both are refused with the article, nothing is sent; both pass after the release."""
    sent = pair.refer()
    await pair.carry()
    hold_id = place(pair.school)
    core, at = pair.school.node.core, pair.clock.now()
    (person,) = pair.school.rows(tables.persons)
    letters_before = len(pair.school.rows(tables.outbox))

    def erase() -> None:
        pair.school.write(
            lambda tx: ask_erasure(tx, core, tx.get(standing.CASES, sent.case_id), new_id(), at)
        )

    def forget() -> None:
        pair.school.write(lambda tx: erase_person(tx, core, person.person_id, at))

    for destroy in (erase, forget):
        with pytest.raises(OnHold) as refused:
            destroy()
        assert refused.value.articles == ("A-12.1",)
    assert states(pair.school) == {sent.case_id: "open"}
    assert pair.school.rows(tables.persons) == [person]
    assert len(pair.school.rows(tables.outbox)) == letters_before
    assert [row.withdrawn_at for row in pair.school.rows(tables.agreements)] == [None]
    release(pair.school, hold_id)
    forget()
    assert states(pair.school) == {sent.case_id: "erased"}
    assert pair.school.rows(tables.persons) == []


async def test_a_withdrawal_stops_a_held_case_as_any_other(pair: Pair) -> None:
    """A-2.11 before A-12.1: keeping is not using."""
    sent = pair.refer()
    await pair.carry()
    for side in pair.sides:
        place(side)
    core, at = pair.school.node.core, pair.clock.now()
    (agreement,) = pair.school.rows(tables.agreements)
    pair.school.write(lambda tx: withdraw(tx, core, agreement.agreement_id, "agent-1", at))
    await pair.carry()
    assert states(pair.city) == {sent.case_id: "stopped"}


async def test_the_proof_of_a_held_case_outlasts_three_years(pair: Pair) -> None:
    """A-12.1: letters, receipts, journal lines and agreement; they age once it is released."""
    pair.publish(Bundle(terms=(pair.sign_terms(2, until=date(2040, 1, 1)),)))
    sent = pair.refer()
    await pair.carry()
    side, at = pair.school, START + 2 * YEARS
    hold_id = place(side, str(sent.case_id))
    mine = tables.outbox.c.case_id == sent.case_id
    lines = journal.c.case_id == sent.case_id

    def proof() -> list[int]:
        return [
            len(side.rows(tables.outbox, mine)),
            len(side.rows(tables.receipts)),
            len(side.rows(journal, lines)),
            len(side.rows(tables.agreements)),
            len(side.rows(tables.agreement_recipients)),
        ]

    before = proof()
    assert min(before) > 0
    await purged(side, at)
    assert proof() == before
    pair.clock.at = at
    release(side, hold_id)
    for _ in range(2):  # a recipient goes a round after its agreement
        await purge(side.node.database, side.node.core, at)
    assert proof() == [0, 0, 0, 0, 0]
    assert side.node.database.read_now(side.node.journal.verify).ok


async def test_a_hold_names_what_is_known_here(pair: Pair) -> None:
    """An unknown convention, case or hold is said to be so, and nothing is kept for it."""
    sent = pair.refer()
    for case_id, convention in (
        (new_id(), CONVENTION),
        (str(sent.case_id), "another"),
        (None, "x"),
    ):
        with pytest.raises(UnknownName):
            place(pair.school, case_id, convention)
    hold_id = place(pair.school, str(sent.case_id))
    for unknown, convention in ((new_id(), CONVENTION), (hold_id, "another")):
        with pytest.raises(UnknownName):
            release(pair.school, unknown, convention)
    release(pair.school, hold_id)
    pair.clock.at += timedelta(days=1)
    release(pair.school, hold_id)  # twice is once
    (told,) = pair.school.node.database.read_now(lambda c: holds_of(c, CONVENTION))
    assert told == {
        "hold_id": hold_id,
        "case_id": sent.case_id,
        "ground": "court",
        "placed_at": START.isoformat(),
        "released_at": START.isoformat(),
    }
    events = [row for row in pair.school.rows(journal) if row.event.startswith("hold.")]
    assert [(row.event, list(row.articles), row.agent_id) for row in events] == [
        ("hold.placed", ["A-12.1"], "chef"),
        ("hold.released", ["A-12.1"], "chef"),
    ]
