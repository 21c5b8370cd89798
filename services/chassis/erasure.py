"""Destroying a case: its key, its rows, its traces beside the journal; and the certificate of it.

The key is destroyed right before the transaction that records it commits: should the commit then
fail, the content is gone and the next try records it. The journal keeps its commitments, so its
chain still verifies.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update

from contracts.kernel.control import ErasureDone
from services.chassis import standing, tables
from services.chassis.agreements import stop_letters
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.journal import Entry
from services.chassis.scopes import case_scope

ERASED = "erased"


def erase_case(tx: Tx, core: Core, case_id: str, certificate: str, at: datetime) -> ErasureDone:
    """Destroy what is held about a case and record the certificate; twice destroys nothing more."""
    scope = case_scope(case_id)
    records = core.partner.erase(tx, case_id)
    records += tx.execute(delete(tables.persons).where(tables.persons.c.scope == scope)).rowcount
    records += _drop_proof(tx, case_id)
    stop_letters(tx, core, tables.outbox.c.case_id == case_id, at)
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
            "state": ERASED,
            "opened_at": at,
            "closed_at": at,
            "seq_out": 0,
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
