"""What the city alone records when a message leaves or arrives."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update

from contracts.conventions.a_city_school.messages import (
    AttendanceNotice,
    ReferentChanged,
    ReferralAnswered,
)
from contracts.kernel.messages import ProfessionalContact
from services.chassis import casefile
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.partner import Received, Sent
from services.city.models import attendance, pathway_referents
from services.conventions.a_city_school import handlers as common
from services.conventions.a_city_school import store


def answer_sent(tx: Tx, core: Core, sent: Sent) -> None:
    """Record the answer; whoever accepts keeps the pathway (A-2.5)."""
    common.SENT["referral.answered"](tx, core, sent)
    if isinstance(sent.payload, ReferralAnswered) and sent.payload.referent is not None:
        keep(tx, core, sent.case_id, sent.agent_id, sent.payload.referent, sent.at)


def referent_sent(tx: Tx, core: Core, sent: Sent) -> None:
    """Whoever announces the change takes the pathway over, unless an act has just named another."""
    common.SENT["referent.changed"](tx, core, sent)
    if isinstance(sent.payload, ReferentChanged):
        agent_id = tx.state.pop(NAMED, sent.agent_id)
        keep(tx, core, sent.case_id, agent_id, sent.payload.referent, sent.at)


NAMED = "named-referent"


def keep(
    tx: Tx,
    core: Core,
    case_id: str | None,
    agent_id: str,
    contact: ProfessionalContact,
    at: datetime,
) -> None:
    """Make an agent the one referent; the former one has no access from now on (A-2.5)."""
    if case_id is None:
        return
    table = pathway_referents
    present = (table.c.case_id == case_id) & table.c.active
    tx.execute(update(table).where(present).values(active=False, until=at))
    tx.execute(
        table.insert().values(
            case_id=case_id,
            since=at,
            agent_id=agent_id,
            active=True,
            contact=casefile.seal(core, case_id, contact, common.REFERENT),
        )
    )


def attendance_received(tx: Tx, core: Core, received: Received) -> None:
    """Keep a notice apart, no later than the school year of the sixteenth birthday (A-0.3)."""
    case_id, notice = received.envelope.caseid, received.payload
    if case_id is None or not isinstance(notice, AttendanceNotice):
        return
    tx.insert(
        attendance,
        {
            "case_id": case_id,
            "school": received.sender.org,
            "event": notice.event,
            "on": notice.on,
            "received_at": received.at,
            "sealed": casefile.seal(core, case_id, notice, "attendance"),
        },
    )
    store.keep_notice(tx, case_id, notice.pupil.birth_date)
