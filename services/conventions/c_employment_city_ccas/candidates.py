"""Candidacies: proposed by the agency, seen and not kept at the employer, decided (C-3a.12, C-5.1).

The employer's row says that somebody stands for a post and how far that went, under a random id.
Whoever is hired enters the employer's own register from papers that the person shows.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

from contracts.conventions.c_employment_city_ccas.messages import (
    CandidateOutcome,
    CandidateProposed,
)
from contracts.kernel.errors import Refused
from contracts.kernel.fields import Day, Payload, said
from contracts.kernel.messages import Identity
from contracts.kernel.paris import day_of
from services.chassis import casefile, standing, withheld
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import meet
from services.chassis.partner import Doing, LocalAct, Question
from services.chassis.register import register_person
from services.chassis.standing import Person
from services.conventions.c_employment_city_ccas import clocks, desks, store
from services.conventions.c_employment_city_ccas.models import candidacies, hires
from services.conventions.c_employment_city_ccas.steps import (
    Step,
    content_of,
    counted,
    refuse_future,
)

PROPOSED: Final = "pec.candidate_proposed"


def proposed(tx: Tx, core: Core, step: Step) -> None:
    """Follow a candidacy; who it is and for which offer, the agency alone writes down (C-5.1)."""
    said_ = step.content
    offer = said_.offer_id if step.leaves and isinstance(said_, CandidateProposed) else None
    tx.execute(
        candidacies.insert().values(
            case_id=step.case_id,
            partner=step.partner,
            state=store.WAITING,
            at=step.at,
            person_id=step.person_id if step.leaves else None,
            offer_id=offer,
        )
    )
    clocks.await_outcome(tx, core, step.case_id, step.said_at, step.at)


def decided(tx: Tx, _core: Core, step: Step) -> None:
    """Met is a step; retained or not ends what may be seen of the candidate (C-5.1)."""
    outcome = step.content.outcome
    counted(tx, step.case_id, "pec.candidate_outcome", outcome, step.said_at)
    casefile.change(tx, candidacies, step.case_id, state=outcome, at=step.at)
    if outcome == store.MET:
        return
    meet(tx, clocks.OUTCOME, step.case_id, step.at)
    withheld.forget(tx, (step.case_id,), PROPOSED)
    if outcome == store.NOT_RETAINED:
        store.close_case(tx, step.case_id, step.at)


def known(tx: Tx, asked: Question) -> dict[str, datetime]:
    """How far a candidacy is: still to be decided, or decided well.

    It lapses to the instant, be the round that closes it late, or asleep.
    """
    row = casefile.row_of(tx, candidacies, asked.case_id)
    if row is None:
        return {}
    if row.state in {store.WAITING, store.MET}:
        case = tx.get(standing.CASES, row.case_id)
        if case is None or asked.at >= clocks.outcome_due(case.opened_at):
            return {}
        waits = row.state == store.WAITING or _further(asked.payload)
        return {"awaiting_outcome": row.at} if waits else {}
    return {"retained": row.at} if row.state == store.RETAINED else {}


def _further(content: Payload) -> bool:
    """Whether an outcome says more than that the person was met, which is said once."""
    return isinstance(content, CandidateOutcome) and content.outcome != store.MET


def view(tx: Tx, case_id: str) -> dict[str, Any] | None:
    """A candidacy as agents see it: how far it is, and nobody."""
    row = casefile.row_of(tx, candidacies, case_id)
    return None if row is None else {"state": row.state, "since": row.at.isoformat()}


class Hired(Payload):
    """Somebody is taken on: identity as the person's own papers give it, never as a message did."""

    identity: Identity = said("Identité", why="Recopiée des papiers présentés.", source="C-5.1")
    papers: Literal["identity_card", "passport", "residence_permit"] = said(
        "Papiers", why="Dit de quels papiers la personne s'est servie.", source="C-5.1"
    )
    hired_on: Day = said("Embauché le", why="Date l'entrée au registre.", source="C-5.1")


def hire(tx: Tx, core: Core, doing: Doing) -> None:
    """Enter an accepted hire in the employer's own register, apart from the case (C-5.1).

    It has a key of its own and outlives the case: it is no data of the convention. Raises Refused.
    """
    body = content_of(doing, Hired)
    desks.require(tx, "human_resources", doing.agent_id, doing.at)
    row = casefile.row_of(tx, candidacies, doing.case_id)
    if row is None or row.state != store.RETAINED:
        raise Refused("La personne n'a pas été retenue.", articles=("C-3a.20",))
    refuse_future(body.hired_on, day_of(doing.at), "C-5.1")
    person_id = core.new_id()
    person = Person(identity=body.identity)
    register_person(tx, core, person, person_id, doing.agent_id, doing.at)
    values = {"person_id": person_id, "hired_on": body.hired_on, "papers": body.papers}
    tx.execute(hires.insert().values(agent_id=doing.agent_id, **values))


CITY_ACTS: Final = {
    "hired": LocalAct(
        article="C-5.1",
        label="Inscrire la personne embauchée, d'après ses papiers",
        payload=Hired,
        do=hire,
    ),
}
