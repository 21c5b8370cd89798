"""Sending a control message: it needs no open convention, only one that was once signed."""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts.broker.subjects import CONTROL
from contracts.kernel.envelope import Envelope
from contracts.kernel.fields import Payload
from services.chassis import letters
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.journal import Entry

LIFETIME = timedelta(days=365)
"""A withdrawal must reach a node that slept for a whole school year."""


def send_control(
    tx: Tx,
    core: Core,
    type_: str,
    content: Payload,
    to: str,
    convention_id: str,
    at: datetime,
    *,
    case_id: str | None = None,
    traceparent: str | None = None,
    lifetime: timedelta = LIFETIME,
) -> str | None:
    """Queue a control message; returns its id, or None when no convention ever joined us.

    It waits where the partner cannot be reached for now, for want of its key too, for as long as
    its lifetime says. traceparent: of the step that it follows from, here or at the partner.
    """
    if not convention_id:
        return None
    message_id = core.new_id()
    envelope = Envelope(
        id=message_id,
        type=type_,
        source=core.org,
        to=to,
        time=at,
        expiresat=at + lifetime,
        instrument=convention_id,
        caseid=case_id,
        traceparent=traceparent,
        data=content.model_dump(mode="json"),
    )
    core.journal.append(tx, _entry(message_id, type_, at))
    draft = letters.Draft(
        kind=letters.CONTROL,
        message_id=message_id,
        type=type_,
        to=to,
        instrument=convention_id,
        code=CONTROL,
        content=lambda: letters.Content(envelope.to_plaintext()),
        expires_at=envelope.expiresat,
        case_id=case_id,
        traceparent=traceparent,
    )
    letters.put(tx, core, draft, at)
    return message_id


def _entry(message_id: str, type_: str, at: datetime) -> Entry:
    return Entry(
        at=at,
        event="control.sent",
        message_id=message_id,
        flow=type_,
        outcome="allowed",
    )
