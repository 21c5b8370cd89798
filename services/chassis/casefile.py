"""Opening a case where its first message arrives: the person, the proof, the key of its content."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from contracts.kernel.agreement import Proof
from contracts.kernel.envelope import Envelope
from contracts.kernel.fields import Payload, node_fields
from contracts.kernel.instrument import Flow
from contracts.kernel.messages import Identity, Representative
from services.chassis import standing, tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.opening import Opened
from services.chassis.posting import OPEN
from services.chassis.scopes import case_scope
from services.chassis.standing import Person


def filled_by(payload: Payload, kind: str) -> Any:  # noqa: ANN401 -- the field's own type
    """Value of the field that the sender's node filled from that part of its register."""
    for name, filled in node_fields(type(payload)).items():
        if filled == kind:
            return getattr(payload, name)
    return None


def identity_of(payload: Payload) -> Identity | None:
    """Identity that an opening message carries, if its type carries one."""
    found = filled_by(payload, "identity")
    return found if isinstance(found, Identity) else None


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
            "state": OPEN,
            "opened_at": at,
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
    identity: Identity,
    representative: object,
    at: datetime,
) -> None:
    known = (representative,) if isinstance(representative, Representative) else ()
    person = Person(identity=identity, representatives=known)
    tx.insert(
        tables.persons,
        {"person_id": person_id, "scope": scope, "created_at": at},
        sealed=partial(standing.sealed_person, core, scope, person),
    )
