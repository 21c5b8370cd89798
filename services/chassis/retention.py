"""Retention: what must be destroyed today, and its destruction with a certificate.

A case goes when its own date comes (A-5.1), or when the convention under which it was received is
purged; the partner is told. Working rows go when nothing can need them any more; proof goes last.
What a dispute keeps stays, with its proof, until the hold is released (A-12.1).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    delete,
    exists,
    func,
    select,
    update,
)

from contracts.kernel.paris import day_of
from contracts.kernel.signed import State
from services.chassis import convention_tables, person_tables, schema, standing, tables
from services.chassis.controls import send_control
from services.chassis.core import Core
from services.chassis.database import Database, Tx
from services.chassis.erasure import erase_case
from services.chassis.holds import any_hold, held_cases, held_references
from services.chassis.person.codes import WINDOW
from services.chassis.person.links import TIES
from services.chassis.person.visits import LONGEST as VISIT
from services.chassis.purges import record_purges
from services.chassis.sign_in.sessions import AWAY, LONGEST
from services.chassis.standing import ERASED

REPLAYS = timedelta(days=62)
"""Ids of handled letters outlive the letters by this, so that none can be replayed."""

LEFT = timedelta(days=730)
"""How long a person of one's own register is kept after the last contact (CNIL 2021-028)."""

ANSWERS = timedelta(days=1)
"""How long an Idempotency-Key is remembered."""


_log = logging.getLogger("relais.retention")


@dataclass(frozen=True, slots=True)
class Purge:
    """What is due, or what was destroyed: ids of cases, and rows by table.

    held: cases that would be due, were they not on hold.
    """

    cases: tuple[str, ...]
    rows: dict[str, int]
    held: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Everything counted once."""
        return len(self.cases) + sum(self.rows.values())


def due(connection: Connection, core: Core, at: datetime) -> Purge:
    """What `purge` would destroy at that instant; changes nothing."""
    rows = {
        table.name: int(
            connection.execute(select(func.count()).select_from(table).where(where)).scalar() or 0
        )
        for table, where in _old(core, at)
    }
    rows["journal"] = int(
        connection.execute(
            select(func.count()).select_from(schema.journal).where(_old_lines(core, at))
        ).scalar()
        or 0
    )
    return Purge(
        tuple(row.case_id for row in _cases(connection, core, at)),
        rows,
        tuple(row.case_id for row in _cases(connection, core, at, held=True)),
    )


async def purge(database: Database, core: Core, at: datetime) -> Purge:
    """Destroy what is due; certificates for cases, and word of it to the partner who holds one.

    Each case goes by itself, so that one that fails holds up no other; it is logged, and tried
    again at the next round.
    """
    found = await database.read(lambda c: _cases(c, core, at))
    held = await database.read(lambda c: _cases(c, core, at, held=True))
    gone = []
    for row in found:
        try:
            await database.write(partial(_purge_case, core=core, row=row, at=at))
            gone.append(row.case_id)
        except Exception as error:  # noqa: BLE001 -- see above
            _log.error("case_not_purged: %s", type(error).__name__)
    rows = await database.write(partial(_purge_rows, core=core, at=at))
    return Purge(tuple(gone), rows, tuple(row.case_id for row in held))


def _purge_case(tx: Tx, *, core: Core, row: Row[Any], at: datetime) -> None:
    done = erase_case(tx, core, row.case_id, core.new_id(), at)
    send_control(tx, core, "erasure.done", done, row.partner, row.instrument, at)


def _purge_rows(tx: Tx, *, core: Core, at: datetime) -> dict[str, int]:
    rows = {
        table.name: tx.execute(delete(table).where(where)).rowcount
        for table, where in _old(core, at)
    }
    # The chain stays whole: the hash covers a commitment, not the ids (design: retention of proof).
    removed = dict.fromkeys(("scope", "case_id", "agent_id", "facts_sealed"))
    aged = update(schema.journal).where(_old_lines(core, at)).values(removed)
    rows["journal"] = tx.execute(aged).rowcount
    record_purges(tx, core, at)
    tx.forget(standing.CASES)
    tx.forget(standing.PROOFS)
    tx.forget(standing.TOMBSTONES)
    tx.forget(standing.AGREEMENTS)
    tx.forget(standing.PERSONS)
    return rows


def _cases(
    connection: Connection, core: Core, at: datetime, *, held: bool = False
) -> Sequence[Any]:
    cases = tables.cases
    on_hold = cases.c.case_id.in_(held_cases())
    purged = [
        name
        for name, signed in core.directory.conventions.items()
        if signed.state(at) is State.PURGED
    ]
    late = (cases.c.retain_until <= at) | cases.c.instrument.in_(purged)
    query = select(cases.c.case_id, cases.c.partner, cases.c.instrument)
    there = (cases.c.state != ERASED) & (on_hold if held else ~on_hold)
    return connection.execute(query.where(late & there)).all()


def _old(core: Core, at: datetime) -> list[tuple[Table, ColumnElement[bool]]]:
    proof = at - timedelta(days=core.policy.proof_days)
    outbox, inbox, dead = tables.outbox, tables.inbox, tables.dead_letters
    lists, held = tables.proof_lists, tables.held_proofs
    unused = ~exists().where(held.c.list_id == lists.c.list_id)
    persons, agreements, cases = tables.persons, tables.agreements, tables.cases
    followed = exists().where(
        (cases.c.person_id == persons.c.person_id) & (cases.c.state != ERASED)
    )
    recipients, orphan = (
        tables.agreement_recipients,
        ~exists().where(agreements.c.agreement_id == tables.agreement_recipients.c.agreement_id),
    )
    kept, references = held_cases(), held_references()
    witnessed, receipts = schema.witnessed_heads, tables.receipts
    staying = (
        outbox.c.closed_at.is_(None) | (outbox.c.closed_at > proof) | outbox.c.case_id.in_(kept)
    )
    cited = exists().where((outbox.c.receipt_id == receipts.c.receipt_id) & staying)
    agreed = exists().where(
        (recipients.c.agreement_id == agreements.c.agreement_id)
        & recipients.c.reference.in_(references)
    )
    return [
        (inbox, inbox.c.expires_at <= at - REPLAYS),
        (dead, dead.c.keep_until <= at),
        (tables.withheld, tables.withheld.c.until <= at),
        (tables.departures, tables.departures.c.left_at <= at - AWAY),
        (tables.sessions, tables.sessions.c.began_at <= at - LONGEST),
        (person_tables.visits, person_tables.visits.c.began_at <= at - VISIT),
        (person_tables.attempts, person_tables.attempts.c.at <= at - WINDOW),
        (person_tables.codes, person_tables.codes.c.given_at <= proof),
        (person_tables.requests, person_tables.requests.c.closed_at <= proof),
        (person_tables.answers, _of_no_request(person_tables.answers)),
        (tables.authorisations, _ended(proof)),
        (tables.idempotency, tables.idempotency.c.created_at <= at - ANSWERS),
        (tables.proof_lists, (lists.c.received_at <= proof) & unused),
        (outbox, ~staying),
        (receipts, (receipts.c.received_at <= proof) & ~cited),
        *(
            (table, (done_at <= proof) & _unless(table.c.case_id, kept))
            for table, done_at in (
                (tables.certificates, tables.certificates.c.done_at),
                (tables.deadlines, tables.deadlines.c.closed_at),
                (tables.derogations, tables.derogations.c.asked_at),
            )
        ),
        (convention_tables.holds, convention_tables.holds.c.released_at <= proof),
        (convention_tables.reviews, convention_tables.reviews.c.held_on <= day_of(proof)),
        (convention_tables.insurances, convention_tables.insurances.c.last_day <= day_of(proof)),
        *(
            (table, (told_at <= proof) & _unless(table.c.reference, references))
            for table, told_at in (
                (tables.withdrawals, tables.withdrawals.c.told_at),
                (tables.tombstones, tables.tombstones.c.withdrawn_at),
            )
        ),
        (witnessed, (witnessed.c.at <= proof) & ~any_hold()),
        (agreements, (agreements.c.expires_at <= proof) & ~agreed),
        (recipients, orphan),
        (persons, (persons.c.left_at <= at - LEFT) & ~followed),
        *_ties(proof),
    ]


def _old_lines(core: Core, at: datetime) -> ColumnElement[bool]:
    lines = schema.journal
    old = (lines.c.at <= at - timedelta(days=core.policy.proof_days)) & lines.c.scope.is_not(None)
    return old & _unless(lines.c.case_id, held_cases())


def _ended(proof: datetime) -> ColumnElement[bool]:
    """Condition: an authorisation that ended so long ago that no line of the journal names it."""
    given = tables.authorisations
    over = (given.c.ended_at <= proof) | (given.c.last_day <= day_of(proof))
    return over & ~exists().where(tables.sessions.c.authorisation_id == given.c.authorisation_id)


def _ties(proof: datetime) -> list[tuple[Table, ColumnElement[bool]]]:
    """What ties something to a person: it goes with that thing, or with the person before it."""
    codes, given = person_tables.codes, person_tables.code_persons
    refusals, destructions = person_tables.refusals, person_tables.destructions
    asked = person_tables.request_persons
    over: dict[Table, ColumnElement[bool]] = {
        given: ~exists().where(codes.c.code_id == given.c.code_id),
        refusals: refusals.c.at <= proof,
        destructions: destructions.c.at <= proof,
        asked: _of_no_request(asked),
    }
    persons = tables.persons
    return [
        (table, over[table] | ~exists().where(persons.c.person_id == table.c.person_id))
        for table in TIES
    ]


def _of_no_request(table: Table) -> ColumnElement[bool]:
    """Condition: it belongs to a request that is kept no more."""
    requests = person_tables.requests
    return ~exists().where(requests.c.request_id == table.c.request_id)


def _unless(column: Column[Any], kept: Select[Any]) -> ColumnElement[bool]:
    """Condition: the column names nothing that is on hold."""
    return column.is_(None) | column.not_in(kept)
