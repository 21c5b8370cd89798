"""Signing conventions and acts with this organisation's key, inside its own node.

A person has read the text and checked the fingerprints of its annex before asking for this; the
node then trusts the keys that the text pins, and no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from contracts.kernel.control import ConventionStateChanged
from contracts.kernel.documents import add_signature, sign
from contracts.kernel.errors import InvalidDocument, InvalidPayload, UnknownName
from contracts.kernel.fields import Instant, LegalDay
from contracts.kernel.paris import day_of
from contracts.kernel.signed import NOTICE_DAYS, NoticeFault, SignedConvention
from contracts.kernel.terms import Act, ActKind, Terms
from services.chassis.controls import send_control
from services.chassis.database import Tx
from services.chassis.node import Node
from services.chassis.requests import Keep
from services.chassis.routing import fields_at_fault


class SignatureBody(BaseModel):
    """Body of ``POST /conventions``: the text, and the legal day of this party's signature."""

    model_config = ConfigDict(extra="forbid")

    terms: Terms
    signed_on: LegalDay


class ActBody(BaseModel):
    """Body of ``POST /conventions/{id}/acts``."""

    model_config = ConfigDict(extra="forbid")

    kind: ActKind
    at: Instant | None = None
    sent_on: LegalDay | None = None
    received_on: LegalDay | None = None


async def sign_terms(node: Node, content: bytes, keep: Keep) -> dict[str, Any]:
    """Sign a text in which this organisation is named with its present key.

    Raises InvalidPayload for a wrong shape, InvalidDocument when the annex names another key.
    """
    try:
        body = SignatureBody.model_validate_json(content)
    except ValidationError as error:
        raise InvalidPayload(
            "Le texte n'a pas la forme attendue.", fields=fields_at_fault(error)
        ) from None
    party = next((one for one in body.terms.parties if one.org == node.core.org), None)
    if party is None or party.signing_key != node.core.keys.kid:
        raise InvalidDocument("L'annexe ne porte pas l'empreinte de la clé de cet organisme.")
    node.given.registry.convention(body.terms.convention)
    said = {"signed_on": body.signed_on.isoformat()}
    token = add_signature(None, body.terms.to_bytes(), node.core.org, node.core.keys.signing, said)
    await node.post_document("/terms", token)
    answer = {"convention_id": body.terms.id, "version": body.terms.version}
    await node.database.write(lambda tx: keep(tx, answer))
    return answer


async def sign_act(
    node: Node, convention_id: str, content: bytes, name: str, keep: Keep
) -> dict[str, Any]:
    """Sign a unilateral act, publish it and tell the other parties on control.

    name: of the act; one that is published already under it is told again, and not made anew.
    Raises UnknownName, InvalidPayload.
    """
    try:
        body = ActBody.model_validate_json(content)
    except ValidationError as error:
        raise InvalidPayload(
            "L'acte n'a pas la forme attendue.", fields=fields_at_fault(error)
        ) from None
    signed = node.core.directory.conventions.get(convention_id)
    if signed is None:
        raise UnknownName("Cette convention n'est pas connue ici.")
    act = _act(node, convention_id, body, f"act-{name}")
    with node.telemetry.span("convention.act", convention_id=convention_id) as step:
        if act.id not in {one.id for one in signed.acts}:
            _dated(signed, act, node.clock.now())
            token = sign(act.to_bytes(), node.core.keys.signing, typ="act")
            await node.post_document("/acts", token)
        done = await _told(node, act, keep, step.traceparent or None)
        step.set(state="recorded")
    return done


def _act(node: Node, convention_id: str, body: ActBody, act_id: str) -> Act:
    return Act(
        id=act_id,
        convention_id=convention_id,
        kind=body.kind,
        org=node.core.org,
        at=body.at or node.clock.now(),
        sent_on=body.sent_on,
        received_on=body.received_on,
    )


async def _told(node: Node, act: Act, keep: Keep, traceparent: str | None) -> dict[str, Any]:
    at = node.clock.now()
    signed = node.core.directory.conventions[act.convention_id]
    answer = {"act_id": act.id, "state": signed.state(at).value}

    def unit(tx: Tx) -> None:
        _tell(tx, node, signed, at, traceparent)
        keep(tx, answer)

    await node.database.write(unit)
    return answer


_NOTICE_FAULTS: Final[Mapping[NoticeFault, str]] = {
    "before_signature": "La lettre recommandée est antérieure à la première signature.",
    "stale": "La lettre recommandée a plus d'un an : envoyez-en une autre.",
}


def _dated(signed: SignedConvention, act: Act, at: datetime) -> None:
    """Refuse a notice without its letter, or with one that no notice can rest on (A-10.1)."""
    if act.kind is not ActKind.TERMINATION_NOTICE:
        return
    days = [day for day in (act.sent_on, act.received_on) if day is not None]
    if not days or max(days) > day_of(at):
        raise InvalidPayload("Un préavis porte la date, passée, de sa lettre recommandée.")
    if not at - timedelta(days=NOTICE_DAYS) <= act.at <= at:
        raise InvalidPayload(f"Un préavis s'enregistre dans les {NOTICE_DAYS} jours.")
    fault = signed.notice_fault(act)
    if fault is not None:
        raise InvalidPayload(_NOTICE_FAULTS[fault], fields=(("sent_on", fault),))


def _tell(
    tx: Tx, node: Node, signed: SignedConvention, at: datetime, traceparent: str | None
) -> None:
    content = ConventionStateChanged(
        convention_id=signed.id,
        version=signed.version_at(at) or 1,
        state=signed.state(at).value,
        effective_at=at,
    )
    for org in sorted(signed.orgs - {node.core.org}):
        send_control(
            tx,
            node.core,
            "convention.state_changed",
            content,
            org,
            signed.id,
            at,
            traceparent=traceparent,
        )
