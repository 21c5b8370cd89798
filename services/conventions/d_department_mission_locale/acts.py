"""What agents of either side record about a case of convention D, beside any message."""

from __future__ import annotations

from typing import Final

from contracts.conventions.d_department_mission_locale.discreet import Colleague
from contracts.conventions.d_department_mission_locale.messages import YouthReferentChanged
from contracts.gate import Refused as GateRefused
from contracts.kernel.errors import Refused
from contracts.kernel.fields import Day, Payload, said
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import day_of
from services.chassis import casefile, standing
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.partner import Doing, LocalAct
from services.chassis.posting import submit
from services.chassis.routing import Request
from services.chassis.tokens import AgentId, Role
from services.conventions.d_department_mission_locale import clocks
from services.conventions.d_department_mission_locale.handlers import NAMED
from services.conventions.d_department_mission_locale.models import youths


class YouthReferent(Payload):
    """Who follows the young person here from now on: an agent, and the contact the other gets."""

    agent_id: AgentId = said("Agent", why="Lui seul aura accès désormais.", source="D-1.4")
    contact: Colleague = said("Contact", why="Dit à qui s'adresser.", source="D-1.4")


class Eligibility(Payload):
    """The adviser checked what is open to the young person; what was found stays with him."""

    on: Day = said(
        "Date", why="Dit que la vérification est faite, pas son résultat.", source="D-1.8"
    )


class CaseClosed(Payload):
    """Nothing more passes between the two about this young person."""

    on: Day = said("Date", why="Fait courir la conservation.", source="D-8.1")


def change_referent(tx: Tx, core: Core, doing: Doing) -> None:
    """Name one's referent and tell the other side, in one go; the former has no access (D-1.4)."""
    content, case = doing.content, tx.get(standing.CASES, doing.case_id)
    if not isinstance(content, YouthReferent) or case is None:
        raise TypeError(type(content).__name__)
    tx.state[NAMED] = content.agent_id
    try:
        outcome = submit(
            tx,
            core,
            Request(
                message_id=core.new_id(),
                new_case_id=core.new_id(),
                type="youth.referent_changed",
                to=case.partner,
                data=YouthReferentChanged(referent=content.contact, since=day_of(doing.at)),
                agent_id=doing.agent_id,
                agent_role=doing.role,
                case_id=doing.case_id,
            ),
            doing.at,
        )
    finally:
        tx.state.pop(NAMED, None)
    if isinstance(outcome.decision, GateRefused):
        sentences = " ".join(reason.sentence for reason in outcome.decision.reasons)
        raise Refused(sentences, articles=outcome.decision.articles)


def check_eligibility(tx: Tx, core: Core, doing: Doing) -> None:
    """Tick that the Mission Locale made its own check; raises Refused at the department (D-1.8)."""
    content = doing.content
    if not isinstance(content, Eligibility):
        raise TypeError(type(content).__name__)
    if core.kind is not Kind.MISSION_LOCALE:
        raise Refused(
            "La Mission Locale vérifie elle-même ce qui est ouvert au jeune.", articles=("D-1.8",)
        )
    casefile.change(tx, youths, doing.case_id, eligibility_checked_on=content.on)


def close(tx: Tx, core: Core, doing: Doing) -> None:
    """End the case here (D-8.1). Raises Refused for a day to come."""
    content = doing.content
    if not isinstance(content, CaseClosed):
        raise TypeError(type(content).__name__)
    if content.on > day_of(doing.at):
        raise Refused("Un dossier ne se clôt pas d'avance.", articles=("D-8.1",))
    clocks.end_case(tx, core, doing.case_id, doing.at)


_WORK: Final = frozenset({Role.AGENT.value, Role.REFERENT.value, Role.MANAGER.value})

ACTS: Final = {
    "youth_referent": LocalAct(
        article="D-1.4",
        label="Nommer ou changer le référent ou le conseiller du jeune",
        payload=YouthReferent,
        do=change_referent,
        roles=frozenset({Role.MANAGER.value, Role.REFERENT.value}),
    ),
    "eligibility_checked": LocalAct(
        article="D-1.8",
        label="Éligibilité aux dispositifs ouverts à tous vérifiée",
        payload=Eligibility,
        do=check_eligibility,
        roles=_WORK,
    ),
    "case_closed": LocalAct(
        article="D-8.1",
        label="Clore le dossier",
        payload=CaseClosed,
        do=close,
        roles=_WORK,
    ),
}
