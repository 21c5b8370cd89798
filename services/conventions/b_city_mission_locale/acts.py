"""What agents of either side record about a case of convention B, beside any message."""

from __future__ import annotations

from typing import Final

from contracts.conventions.b_city_mission_locale.messages import (
    CosupportClosed,
    CosupportReferentChanged,
    OrientationAnswered,
)
from contracts.gate import Refused as GateRefused
from contracts.kernel.errors import Refused
from contracts.kernel.fields import Day, Payload, said
from contracts.kernel.messages import ProfessionalContact
from contracts.kernel.paris import day_of
from services.chassis import casefile, standing
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.partner import Doing, LocalAct
from services.chassis.posting import submit
from services.chassis.routing import Request
from services.chassis.tokens import AgentId, Role
from services.conventions.b_city_mission_locale import store
from services.conventions.b_city_mission_locale.clocks import TRIES
from services.conventions.b_city_mission_locale.handlers import NAMED
from services.conventions.b_city_mission_locale.models import cosupports, orientations


class CosupportReferent(Payload):
    """Who keeps a co-support here from now on: an agent, and the contact the other is given."""

    agent_id: AgentId = said("Agent", why="Lui seul aura accès désormais.", source="B-2.13")
    contact: ProfessionalContact = said("Contact", why="Dit à qui s'adresser.", source="B-2.13")


class SilentTry(Payload):
    """The young person was sought and did not answer; nothing more is said of it (B-2.7)."""

    on: Day = said("Date", why="Compte un essai par jour, sans le décrire.", source="B-2.7")


def change_referent(tx: Tx, core: Core, doing: Doing) -> None:
    """Name one's referent and tell the other side, in one go; the former has no access (B-2.13)."""
    content = doing.content
    if not isinstance(content, CosupportReferent):
        raise TypeError(type(content).__name__)
    tx.state[NAMED] = content.agent_id
    data = CosupportReferentChanged(referent=content.contact, since=day_of(doing.at))
    try:
        _tell(tx, core, doing, "cosupport.referent_changed", data)
    finally:
        tx.state.pop(NAMED, None)


def silent_try(tx: Tx, core: Core, doing: Doing) -> None:
    """Count a silent try; the last one ends the case and tells the other side (B-2.7).

    Raises Refused for a day to come, or one already counted.
    """
    content = doing.content
    if not isinstance(content, SilentTry):
        raise TypeError(type(content).__name__)
    orientation = casefile.row_of(tx, orientations, doing.case_id)
    row = orientation or casefile.row_of(tx, cosupports, doing.case_id)
    seeking = row is not None and row.state in {store.WAITING, store.RECEIVED, store.OPEN}
    if row is None or not seeking or (orientation is not None and orientation.asked_here):
        raise Refused(
            "Seul l'organisme qui cherche le jeune compte ses essais, tant que rien n'est clos.",
            articles=("B-2.7",),
        )
    since = day_of(row.at) if row.tried_on is None else row.tried_on
    counts = content.on > since or (row.tried_on is None and content.on == since)
    if not counts or content.on > day_of(doing.at):
        raise Refused(
            "Un essai se compte une fois par jour, après le dernier et pas d'avance.",
            articles=("B-2.7",),
        )
    table = cosupports if orientation is None else orientations
    casefile.change(tx, table, doing.case_id, tries=row.tries + 1, tried_on=content.on)
    if row.tries + 1 < TRIES:
        return
    if orientation is None:
        closed = CosupportClosed(closed_on=content.on, outcome="no_answer")
        _tell(tx, core, doing, "cosupport.closed", closed)
    else:
        answer = OrientationAnswered(outcome="unreachable", on=content.on)
        _tell(tx, core, doing, "orientation.answered", answer)


def _tell(tx: Tx, core: Core, doing: Doing, type_: str, data: Payload) -> None:
    """Ask to send a message about the case; raises Refused where the gate says no."""
    case = tx.get(standing.CASES, doing.case_id)
    if case is None:
        raise TypeError(type_)
    outcome = submit(
        tx,
        core,
        Request(
            message_id=core.new_id(),
            new_case_id=core.new_id(),
            type=type_,
            to=case.partner,
            data=data,
            agent_id=doing.agent_id,
            agent_role=doing.role,
            case_id=doing.case_id,
        ),
        doing.at,
    )
    if isinstance(outcome.decision, GateRefused):
        sentences = " ".join(reason.sentence for reason in outcome.decision.reasons)
        raise Refused(sentences, articles=outcome.decision.articles)


ACTS: Final = {
    "cosupport_referent": LocalAct(
        article="B-2.13",
        label="Nommer ou changer son référent du co-accompagnement",
        payload=CosupportReferent,
        do=change_referent,
        roles=frozenset({Role.MANAGER.value, Role.REFERENT.value}),
        matters=frozenset({"cosupport"}),
    ),
    "silent_try": LocalAct(
        article="B-2.7",
        label="Jeune cherché, sans réponse",
        payload=SilentTry,
        do=silent_try,
        roles=frozenset({Role.AGENT.value, Role.REFERENT.value, Role.MANAGER.value}),
        matters=frozenset({"orientation", "cosupport"}),
    ),
}
