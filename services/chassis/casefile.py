"""A case's file, the same under every instrument: opened, kept under its key, changed, closed.

Opened where its first message arrives: the person, the proof, the key of its content. What each
instrument records of it lies in tables of its own, one row a case.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import Row, Table, delete, select, update

from contracts.kernel.agreement import Proof
from contracts.kernel.envelope import Envelope
from contracts.kernel.fields import Payload
from contracts.kernel.instrument import Flow, RestsOn
from contracts.kernel.messages import Identity, Representative
from contracts.kernel.paris import midnight
from services.chassis import deadlines, standing, tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.filling import filled_by, identity_of
from services.chassis.opening import Opened
from services.chassis.posting import OPEN
from services.chassis.scopes import case_scope
from services.chassis.standing import KnownIdentity, KnownPerson


def open_case(
    tx: Tx,
    core: Core,
    opened: Opened,
    flow: Flow,
    envelope: Envelope,
    case_id: str,
    payload: Payload,
    proof: Proof | None,
    at: datetime,
) -> str | None:
    """Open a case at the receiver: its key, the person in its own register, the proof it rests on.

    case_id: new here, which the caller has seen to. Of a flow that leaves no file neither person
    nor proof is kept, since a proof holds a digest of the identity (C-5.1); what rests on either
    finds none, and is refused.
    """
    filed = not flow.retention.transient
    identity = identity_of(payload) if filed else None
    proof = proof if filed else None
    scope = case_scope(case_id)
    core.keystore.fresh(scope)
    person_id = core.new_id() if filed else None
    if identity is not None and person_id is not None:
        _register(tx, core, person_id, scope, identity, filled_by(payload, "representative"), at)
    if proof is not None and tx.get(standing.PROOFS, proof.reference) is None:
        _hold(tx, core, proof, envelope, opened, at)
        tx.remember(standing.PROOFS, proof.reference, proof)
    tx.insert(
        tables.cases,
        {
            "case_id": case_id,
            "instrument": opened.binding.id,
            "partner": opened.sender.org,
            "purpose": flow.purpose,
            "opened_here": False,
            "person_id": person_id,
            "reference": envelope.agreement,
            "rests_on": flow.rests_on.value,
            "state": OPEN,
            "opened_at": min(envelope.time, at),
            "seq_out": 0,
            "seq_in": 0,
        },
    )
    tx.forget(standing.CASES, case_id)
    return person_id


_LISTS = "proof-lists"


def _hold(
    tx: Tx, core: Core, proof: Proof, envelope: Envelope, opened: Opened, at: datetime
) -> None:
    """Keep a proof, and once for all proofs of its lot the list in which they are signed."""
    known: dict[str | None, str] = tx.state.setdefault(_LISTS, {})
    list_id = known.get(opened.proof_list)
    if list_id is None:
        list_id = known[opened.proof_list] = core.new_id()
        tx.insert(
            tables.proof_lists,
            {
                "list_id": list_id,
                "collector": opened.sender.org,
                "token": opened.proof_list,
                "received_at": at,
            },
        )
    tx.insert(
        tables.held_proofs,
        {
            "reference": proof.reference,
            "collector": opened.sender.org,
            "proof": envelope.proof,
            "list_id": list_id,
            "received_at": at,
        },
    )


def _register(
    tx: Tx,
    core: Core,
    person_id: str,
    scope: str,
    identity: Payload,
    representative: object,
    at: datetime,
) -> None:
    known = (representative,) if isinstance(representative, Representative) else ()
    said = identity if isinstance(identity, Identity) else KnownIdentity(**dict(identity))
    person = KnownPerson(identity=said, representatives=known)
    tx.insert(
        tables.persons,
        {"person_id": person_id, "scope": scope, "created_at": at},
        sealed=partial(standing.sealed_person, core, scope, person),
    )


# --- what an instrument keeps of it: one row in a table of its own, content sealed


def row_of(tx: Tx, table: Table, case_id: str | None) -> Row[Any] | None:
    """The row of a case in a table; None where the case is of another kind."""
    if case_id is None:
        return None
    return tx.execute(select(table).where(table.c.case_id == case_id)).first()


def matter_of(tx: Tx, matters: Mapping[str, Table], case_id: str) -> str:
    """Name of the table that holds the row of a case; empty where none does."""
    held = (name for name, table in matters.items() if row_of(tx, table, case_id) is not None)
    return next(held, "")


def change(tx: Tx, table: Table, case_id: str, **values: Any) -> None:  # noqa: ANN401 -- columns
    """Change the row of a case."""
    tx.execute(update(table).where(table.c.case_id == case_id).values(**values))


def seal(core: Core, case_id: str, content: Payload, what: str) -> bytes:
    """Content under the case's key; what: bound to the seal, so that no other passes for it."""
    plain = content.model_dump_json().encode()
    return core.keystore.seal(case_scope(case_id), plain, what.encode())


def unseal(core: Core, case_id: str, sealed: bytes | None, what: str) -> Any:  # noqa: ANN401 -- JSON
    """What was sealed, as JSON; None where nothing was."""
    if sealed is None:
        return None
    return json.loads(core.keystore.open(case_scope(case_id), sealed, what.encode()))


CLOSED: Final = "closed"
"""State of a case that ended as it should."""


def rest_on_contract(tx: Tx, case_id: str) -> None:
    """From now on a signed contract carries the case: an agreement that expires ends it no more."""
    cases = tables.cases
    tx.execute(update(cases).where(cases.c.case_id == case_id).values(rests_on=RestsOn.CONTRACT))
    tx.forget(standing.CASES, case_id)


def close_case(tx: Tx, case_id: str, retain_until: date, at: datetime) -> None:
    """End a case in good order: nothing flows in it any more, and retention runs (A-5.1).

    retain_until: day from which it is destroyed.
    """
    cases = tables.cases
    tx.execute(
        update(cases)
        .where((cases.c.case_id == case_id) & (cases.c.state == OPEN))
        .values(state=CLOSED, closed_at=at, retain_until=midnight(retain_until))
    )
    tx.forget(standing.CASES, case_id)
    deadlines.cancel_case(tx, case_id, at)


def forget_person(tx: Tx, case_id: str) -> None:
    """Destroy whom a partner's message named, before the rest of the case (A-5.1).

    A person of one's own register stays, and tied to the case: their erasure must reach it.
    """
    persons, cases = tables.persons, tables.cases
    named = delete(persons).where(persons.c.scope == case_scope(case_id))
    if tx.execute(named).rowcount:
        tx.execute(update(cases).where(cases.c.case_id == case_id).values(person_id=None))
        tx.forget(standing.CASES, case_id)
        tx.forget(standing.PERSONS)
