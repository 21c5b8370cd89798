"""Destroying a case or a person: key, rows, traces; and the certificate of it.

The key is destroyed right before the transaction that records it commits: should the commit then
fail, the content is gone and the next try records it. The journal keeps its commitments, so its
chain still verifies.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select, update

from contracts.kernel.control import ErasureDone, ErasureRequested
from contracts.kernel.instrument import RestsOn
from contracts.kernel.paris import add_months, day_of
from services.chassis import dead_letters, standing, tables
from services.chassis.agreements import stop_letters, withdraw
from services.chassis.controls import send_control
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import cancel_case
from services.chassis.fates import Goes
from services.chassis.holds import OnHold, kept_under
from services.chassis.journal import Entry
from services.chassis.person import links
from services.chassis.scopes import case_scope, person_scope
from services.chassis.standing import ERASED
from services.chassis.table_fates import tables_with


def erase_case(tx: Tx, core: Core, case_id: str, certificate: str, at: datetime) -> ErasureDone:
    """Destroy what is held about a case and record the certificate; twice destroys nothing more.

    Raises OnHold, and destroys nothing, where a dispute keeps it.
    """
    case = tx.get(standing.CASES, case_id)
    article = None if case is None else kept_under(tx, core, case)
    if article is not None:
        raise OnHold(
            "Ce dossier est conservé le temps d'un différend : il sera détruit après.",
            articles=(article,),
        )
    scope = case_scope(case_id)
    if case is not None:
        links.destroyed(tx, case, core.org, at)
    records = sum(
        tx.execute(delete(table).where(table.c.case_id == case_id)).rowcount
        for table in tables_with(core.kind.value, Goes.CASE)
        if "case_id" in table.c
    )
    records += core.partner.erase(tx, case_id)
    records += tx.execute(delete(tables.persons).where(tables.persons.c.scope == scope)).rowcount
    records += _drop_proof(tx, case_id)
    records += dead_letters.forget(tx, case_id)
    stop_letters(tx, core, tables.outbox.c.case_id == case_id, at)
    cancel_case(tx, case_id, at)
    tx.on_commit(lambda: core.erased.add(case_id))
    tx.execute(
        update(tables.cases)
        .where(tables.cases.c.case_id == case_id)
        .values(state=ERASED, closed_at=at, person_id=None, reference=None)
    )
    tx.forget(standing.CASES)
    tx.forget(standing.PERSONS)
    core.journal.erase_inputs(tx, scope)
    core.journal.append(tx, _entry(certificate, at))
    core.keystore.destroy(scope, at)
    done = ErasureDone(
        case_id=case_id,
        certificate=certificate,
        outcome="deleted",
        article=None,
        records=records,
        done_at=at,
    )
    keep_certificate(tx, core.org, done)
    return done


def bury_unknown_case(
    tx: Tx, core: Core, case_id: str, partner: str, instrument: str, at: datetime
) -> None:
    """Remember that a case was erased before it was ever opened: its letter may come yet."""
    tx.insert(
        tables.cases,
        {
            "case_id": case_id,
            "instrument": instrument,
            "partner": partner,
            "purpose": "",
            "opened_here": False,
            "person_id": None,
            "reference": None,
            "rests_on": RestsOn.AGREEMENT.value,
            "state": ERASED,
            "opened_at": at,
            "closed_at": at,
            "seq_out": 0,
            "seq_in": 0,
        },
    )
    tx.forget(standing.CASES, case_id)
    tx.on_commit(lambda: core.erased.add(case_id))


def _drop_proof(tx: Tx, case_id: str) -> int:
    cases, proofs = tables.cases, tables.held_proofs
    reference = tx.execute(select(cases.c.reference).where(cases.c.case_id == case_id)).scalar()
    shared = tx.execute(
        select(cases.c.case_id).where(
            (cases.c.reference == reference) & (cases.c.case_id != case_id)
        )
    ).first()
    if reference is None or shared is not None:
        return 0
    tx.forget(standing.PROOFS)
    return tx.execute(delete(proofs).where(proofs.c.reference == reference)).rowcount


def keep_certificate(tx: Tx, org: str, done: ErasureDone) -> None:
    """Record a certificate, one's own or a partner's."""
    tx.insert(
        tables.certificates,
        {
            "certificate": done.certificate,
            "case_id": done.case_id,
            "org": org,
            "outcome": done.outcome,
            "article": done.article,
            "records": done.records,
            "done_at": done.done_at,
        },
    )


def _entry(certificate: str, at: datetime) -> Entry:
    return Entry(
        at=at,
        event="case.erased",
        message_id=certificate,
        outcome="deleted",
    )


def ask_erasure(
    tx: Tx,
    core: Core,
    case: Row[Any],
    certificate: str,
    at: datetime,
    traceparent: str | None = None,
) -> dict[str, Any]:
    """Destroy a case, and ask the partner to within a month (GDPR art. 12.3, 17, 19)."""
    due = add_months(day_of(at), 1)
    asked = ErasureRequested(case_id=case.case_id, due_on=due)
    message_id = send_control(
        tx,
        core,
        "erasure.requested",
        asked,
        case.partner,
        case.instrument,
        at,
        traceparent=traceparent,
    )
    erase_case(tx, core, case.case_id, certificate, at)
    return {"message_id": message_id, "due_on": due.isoformat(), "certificate": certificate}


def erase_person(tx: Tx, core: Core, person_id: str, at: datetime) -> dict[str, Any]:
    """Destroy a person of one's own register: cases here and at partners, agreements, the key.

    An agreement still given is withdrawn first, so that every recipient stops.
    """
    agreements, cases = tables.agreements, tables.cases
    mine = agreements.c.person_id == person_id
    for agreement_id in tx.execute(select(agreements.c.agreement_id).where(mine)).scalars().all():
        withdraw(tx, core, agreement_id, None, at)
    open_ = (cases.c.person_id == person_id) & (cases.c.state != ERASED)
    asked = [
        ask_erasure(tx, core, row, core.new_id(), at)
        for row in tx.execute(select(cases).where(open_)).all()
    ]
    forget_person(tx, core, person_id, at)
    core.journal.append(tx, Entry(at=at, event="person.erased", outcome="deleted"))
    return {"person_id": person_id, "cases": asked}


def forget_person(tx: Tx, core: Core, person_id: str, at: datetime) -> None:
    """Destroy a person's row, all that goes with it, what is due of it, and its key."""
    for table in (*tables_with(core.kind.value, Goes.PERSON), tables.persons):
        gone = tx.execute(delete(table).where(table.c.person_id == person_id))
    due = tables.deadlines
    tx.execute(delete(due).where(due.c.subject == person_id))
    tx.forget(standing.PERSONS)
    tx.forget(standing.AGREEMENTS)
    core.journal.erase_inputs(tx, person_scope(person_id))
    if gone.rowcount:  # else it lay under a case's key, and went with it
        core.keystore.destroy(person_scope(person_id), at)
