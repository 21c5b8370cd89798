"""What retention destroys, on its very day and not a second before, and what it never touches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select

from contracts.kernel.paris import midnight
from services.chassis import letters, tables
from services.chassis.bundle import Bundle
from services.chassis.erasure import erase_case
from services.chassis.holds import Hold, place_hold, release_hold
from services.chassis.idempotency import keep, slot
from services.chassis.keystore import KeyDestroyed
from services.chassis.register import person_left
from services.chassis.retention import Planned, due, plan, purge
from services.chassis.rules import ANSWERS, REPLAYS
from services.chassis.schema import journal
from services.chassis.scopes import person_scope
from tests.pair import CONVENTION, START, Pair, Side

SECOND = timedelta(seconds=1)


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


YEARS = timedelta(days=3 * 365)
"""How long proof is kept."""


def extended(pair: Pair) -> None:
    """The convention lasts until 2040: what goes after three years goes for its own age."""
    pair.publish(Bundle(terms=(pair.sign_terms(2, until=date(2040, 1, 1)),)))


async def purged(side: Side, at: datetime) -> dict[str, int]:
    """Purge at an instant; what was announced is what is done."""
    core = side.node.core
    planned = side.node.database.read_now(lambda c: due(c, core, at))
    done = await purge(side.node.database, core, at)
    assert done == planned
    rows: dict[str, int] = done.rows
    return rows


async def kept_until(side: Side, table: Table, at: datetime, where: Any = True) -> None:  # noqa: FBT002 -- SQL's own true
    """The rows of a table stay one second before an instant, and are gone at it."""
    query = select(table).where(where)
    count = len(side.node.database.read_now(lambda c: c.execute(query).all()))
    assert count > 0
    await purged(side, at - SECOND)
    assert len(side.node.database.read_now(lambda c: c.execute(query).all())) == count
    assert (await purged(side, at))[table.name] == count
    assert side.node.database.read_now(lambda c: c.execute(query).all()) == []


async def test_the_id_of_a_handled_letter_outlives_it_by_two_months(pair: Pair) -> None:
    """Design: ids outlive the letter's expiry, so that it cannot be replayed."""
    pair.refer()
    (letter,) = pair.school.outgoing()
    await pair.city.take([letter])
    (row,) = pair.city.rows(tables.inbox)
    assert timedelta(days=62) == REPLAYS
    await kept_until(pair.city, tables.inbox, row.expires_at + REPLAYS)
    pair.clock.at = row.expires_at + REPLAYS
    await pair.city.take([letter])  # its own expiry refuses it then
    assert [one.status for one in pair.city.rows(tables.inbox)] == ["expired"]


async def test_a_dead_letter_is_kept_thirty_days(pair: Pair) -> None:
    """Design: what failed technically keeps its ciphertext for so long, and no longer."""
    pair.refer()
    (letter,) = pair.school.outgoing()
    await pair.city.take([replace(letter, body=b"?")])
    (dead,) = pair.city.rows(tables.dead_letters)
    assert dead.body is not None
    await kept_until(pair.city, tables.dead_letters, START + timedelta(days=30))


async def test_what_proves_a_delivery_is_kept_three_years(pair: Pair) -> None:
    """Design: the closed letter and its signed receipt, from the day they were closed."""
    extended(pair)
    sent = pair.refer()
    await pair.carry()
    at = START + YEARS
    await kept_until(pair.school, tables.receipts, at)
    again = pair.school.rows(tables.outbox, tables.outbox.c.message_id == sent.message_id)
    assert again == []


async def test_a_letter_that_is_not_closed_stays_however_old(pair: Pair) -> None:
    """Design: the outbox keeps it until its receipt or its expiry, beside the closed one's end."""
    extended(pair)
    closed = pair.refer()
    await pair.carry()
    waiting = pair.refer()
    only = tables.outbox.c.message_id == closed.message_id
    await kept_until(pair.school, tables.outbox, START + YEARS, only)
    assert pair.school.state(waiting.message_id) == letters.QUEUED


async def test_a_certificate_is_kept_three_years(pair: Pair) -> None:
    """Design: the proof of a destruction lasts as long as any proof."""
    sent = pair.refer()
    core, case_id = pair.school.node.core, str(sent.case_id)
    pair.school.write(lambda tx: erase_case(tx, core, case_id, core.new_id(), START))
    pair.school.write(
        lambda tx: tx.insert(
            tables.certificates,
            {
                "certificate": core.new_id(),
                "case_id": case_id,
                "org": "ville",
                "outcome": "deleted",
                "records": 1,
                "done_at": START,
            },
        )
    )
    await kept_until(pair.school, tables.certificates, START + YEARS)


async def test_an_idempotency_key_is_remembered_a_day(pair: Pair) -> None:
    """The same key again within the day acts once."""
    where = slot("agent-1", "clé")
    pair.school.write(lambda tx: keep(tx, where, "0" * 64, 202, {}, START))
    assert timedelta(days=1) == ANSWERS
    await kept_until(pair.school, tables.idempotency, START + ANSWERS)


async def test_a_journal_line_loses_its_ids_after_three_years_and_still_verifies(
    pair: Pair,
) -> None:
    """Design: then case and agent go, the commitment stays, and so does the chain."""
    extended(pair)
    sent = pair.refer()
    await pair.carry()
    side, at = pair.school, START + YEARS
    named = journal.c.scope.is_not(None) & (journal.c.at <= START)
    before = side.rows(journal, named)
    assert {row.case_id for row in before} >= {sent.case_id}
    await purged(side, at - SECOND)
    assert len(side.rows(journal, named)) == len(before)
    assert (await purged(side, at))["journal"] == len(before)
    assert side.rows(journal, named) == []
    aged = side.rows(journal, journal.c.seq.in_([row.seq for row in before]))
    assert {(row.case_id, row.agent_id, row.facts_sealed) for row in aged} == {(None, None, None)}
    kept = [{row.seq: row.commitment for row in rows} for rows in (aged, before)]
    assert kept[0] == kept[1]
    report = side.node.database.read_now(side.node.journal.verify)
    assert report.ok, report.problems


async def test_a_case_goes_when_its_convention_is_purged_and_its_partner_is_told(
    pair: Pair,
) -> None:
    """A-5.1: three months after the end, whatever the case's own date says."""
    pair.refer()
    await pair.carry()
    signed = pair.city.node.core.directory.conventions[CONVENTION]
    assert signed.purged_on is not None
    at = midnight(signed.purged_on)
    pair.clock.at = at - SECOND
    await purged(pair.city, pair.clock.at)
    (case,) = pair.city.rows(tables.cases)
    assert (case.state, case.retain_until) == ("open", None)
    pair.clock.at = at
    await purged(pair.city, pair.clock.at)
    (case,) = pair.city.rows(tables.cases)
    assert case.state == "erased"
    assert pair.city.rows(tables.persons) == []
    await pair.carry()
    assert "ville" in {row.org for row in pair.school.rows(tables.certificates)}


async def test_a_case_of_a_duty_does_not_go_with_the_convention(pair: Pair) -> None:
    """Design: a duty of the law has its own day; beside the case above."""
    sent = pair.refer()
    await pair.carry()
    duty = {"instrument": "mayor_attendance"}
    pair.city.write(lambda tx: tx.execute(tables.cases.update().values(**duty)))
    signed = pair.city.node.core.directory.conventions[CONVENTION]
    assert signed.purged_on is not None
    await purged(pair.city, midnight(signed.purged_on))
    (case,) = pair.city.rows(tables.cases)
    assert (case.case_id, case.state) == (sent.case_id, "open")
    (rule,) = of_table(pair.city, tables.cases, midnight(signed.purged_on))
    assert (rule.article, rule.due, rule.next_at) == ("L131-6", 0, None)


# --- what a dry run says


def planned(side: Side, at: datetime) -> dict[tuple[str, str], Planned]:
    """Rule by rule at an instant, by table and delay."""
    core = side.node.core
    rules = side.node.database.read_now(lambda c: plan(c, core, at))
    return {(one.table, one.delay): one for one in rules}


def of_table(side: Side, table: Table, at: datetime) -> list[Planned]:
    return [one for (name, _), one in planned(side, at).items() if name == table.name]


async def test_a_dry_run_says_rule_by_rule_what_goes_and_what_is_next(pair: Pair) -> None:
    """GDPR 5.1.e: as many rows as are destroyed then, each rule with its article and delay."""
    extended(pair)
    pair.refer()
    await pair.carry()
    side, at = pair.school, START + YEARS
    (rule,) = of_table(side, tables.outbox, at - SECOND)
    assert (rule.due, rule.held, rule.article) == (0, 0, "RGPD 5.2")
    assert rule.next_at == at
    for when in (START, at - SECOND, at):
        rules = planned(side, when).values()
        assert all(one.article and one.delay for one in rules)
        found = side.node.database.read_now(partial(due, core=side.node.core, at=when))
        for name, count in found.rows.items():
            assert sum(one.due for one in rules if one.table == name) == count, name
    rows = await purged(side, at)
    assert rows["outbox"] > 0


async def test_a_dry_run_shows_what_a_dispute_keeps(pair: Pair) -> None:
    """A-12.1: held beside due, for the case and for its proof; after the release both are due."""
    sent = pair.refer()
    await pair.carry()
    side, core = pair.city, pair.city.node.core
    signed = core.directory.conventions[CONVENTION]
    assert signed.purged_on is not None
    ends = midnight(signed.purged_on)
    (rule,) = of_table(side, tables.cases, START)
    assert (rule.due, rule.held, rule.next_at, rule.article) == (0, 0, ends, "A-5.1")
    hold = Hold(ground="court", case_id=str(sent.case_id))
    side.write(lambda tx: place_hold(tx, core, CONVENTION, hold, "h" * 32, "chef", START))
    (rule,) = of_table(side, tables.cases, ends)
    assert (rule.due, rule.held) == (0, 1)
    late = START + YEARS + SECOND
    (line,) = of_table(side, journal, late)
    assert line.held > 0
    side.write(lambda tx: release_hold(tx, core, CONVENTION, "h" * 32, "chef", START))
    (rule,) = of_table(side, tables.cases, ends)
    assert (rule.due, rule.held) == (1, 0)
    (freed,) = of_table(side, journal, late)
    assert (freed.held, freed.due) == (0, line.due + line.held + 1)  # and the release's own line


async def test_a_person_who_left_goes_with_the_key_and_all_that_is_tied_to_them(
    pair: Pair,
) -> None:
    """CNIL 2021-028: two years after leaving; no backup opens the row then."""
    person, side = pair.person(), pair.school
    left = START + timedelta(days=1)
    side.write(lambda tx: person_left(tx, side.node.core, person, "agent-1", left))
    mine = tables.persons.c.person_id == person
    await kept_until(side, tables.persons, left + timedelta(days=730), mine)
    with pytest.raises(KeyDestroyed):
        side.node.keystore.seal(person_scope(person), b"", b"")
