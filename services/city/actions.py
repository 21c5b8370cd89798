"""What the city's agents do beside sending: name a referent, receive a pupil, involve a body."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from contracts.conventions.a_city_school.convention import ALTERNATIVE, PURPOSE
from contracts.conventions.a_city_school.messages import ReferentChanged
from contracts.gate import Refused as GateRefused
from contracts.kernel.errors import Refused
from contracts.kernel.fields import Day, Listed, Payload, said
from contracts.kernel.messages import ProfessionalContact
from contracts.kernel.paris import day_of
from services.chassis import standing
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import meet
from services.chassis.erasure import erase_case
from services.chassis.partner import ONCE_OVER_TOO, UNTIL_ERASED, Doing, LocalAct, concerning
from services.chassis.posting import submit
from services.chassis.routing import Request
from services.chassis.tokens import AgentId, Role
from services.city.handlers import NAMED
from services.conventions.a_city_school import acts, store

_WORK: Final = frozenset({Role.AGENT.value, Role.REFERENT.value, Role.MANAGER.value})


class NewReferent(Payload):
    """Who keeps a pathway from now on: a local agent, and the contact that the school is given."""

    agent_id: AgentId = said("Agent", why="Lui seul aura accès désormais.", source="A-2.5")
    contact: ProfessionalContact = said("Contact", why="Dit à qui s'adresser.", source="A-2.5")


class Reception(Payload):
    """On the first day the youth service received pupil and representative, or one of them."""

    on: Day = said("Date", why="Premier jour de la mesure.", source="A-3.7")
    pupil: bool = said("Élève présent", why="Les deux sont reçus.", source="A-3.7")
    representative: bool = said("Représentant présent", why="Les deux sont reçus.", source="A-3.7")


class Themes(Payload):
    """What the work with the pupil bears on: three codes, and no appraisal (A-3.4)."""

    themes: Annotated[tuple[Literal["authority", "self", "peers"], ...], Listed(3)] = said(
        "Thèmes", why="Dit sur quoi porte le travail, sans appréciation.", source="A-3.4"
    )


class Involvement(Payload):
    """Another body takes part in the support, which the family's agreement must name.

    The prevention association is one of them: no party, so it sends and receives nothing (A-3.2).
    """

    body: Literal["prevention_association", "social_medical_centre", "host_association"] = said(
        "Organisme", why="Chacun doit être nommé dans l'accord.", source="A-4.1"
    )
    on: Day = said("Date", why="Date le début.", source="A-6.1")


def change_referent(tx: Tx, core: Core, doing: Doing) -> None:
    """Name another referent and tell the school, in one go; the former has no access (A-2.5)."""
    content, case = doing.content, tx.get(standing.CASES, doing.case_id)
    if not isinstance(content, NewReferent) or case is None:
        raise TypeError(type(content).__name__)
    tx.state[NAMED] = content.agent_id
    outcome = submit(
        tx,
        core,
        Request(
            message_id=core.new_id(),
            new_case_id=core.new_id(),
            type="referent.changed",
            to=case.partner,
            data=ReferentChanged(referent=content.contact, since=day_of(doing.at)),
            agent_id=doing.agent_id,
            agent_role=doing.role,
            case_id=doing.case_id,
        ),
        doing.at,
    )
    tx.state.pop(NAMED, None)
    if isinstance(outcome.decision, GateRefused):
        said_ = " ".join(reason.sentence for reason in outcome.decision.reasons)
        raise Refused(said_, articles=outcome.decision.articles)


def receive(tx: Tx, _core: Core, doing: Doing) -> None:
    """Record who was received on the first day (A-3.7)."""
    content = doing.content
    if not isinstance(content, Reception):
        raise TypeError(type(content).__name__)
    if content.pupil and content.representative:
        meet(tx, "measure.reception", doing.case_id, doing.at)
    present = {
        (True, True): "both",
        (True, False): "pupil",
        (False, True): "representative",
        (False, False): "nobody",
    }[content.pupil, content.representative]
    _note(tx, doing, "reception", present, content.on)


def work_on(tx: Tx, _core: Core, doing: Doing) -> None:
    """Record what the work bears on (A-3.4)."""
    content = doing.content
    if not isinstance(content, Themes):
        raise TypeError(type(content).__name__)
    for theme in content.themes:
        _note(tx, doing, "theme", theme, None)


def reflect(tx: Tx, _core: Core, doing: Doing) -> None:
    """Tick that the pupil's own reflective work is done; its content stays the pupil's (A-3.8)."""
    _ticked(tx, doing, "reflection")


def hand_booklet(tx: Tx, _core: Core, doing: Doing) -> None:
    """Tick that the welcome booklet was handed over; it is the pupil's (A-3.11)."""
    _ticked(tx, doing, "booklet_handed")


def involve(tx: Tx, core: Core, doing: Doing) -> None:
    """Let another body take part where that is needed (A-2.6).

    Raises Refused unless the family's agreement names it (A-4.1).
    """
    content = doing.content
    if not isinstance(content, Involvement):
        raise TypeError(type(content).__name__)
    known = standing.of_case(tx, doing.case_id, core.org)
    agreement = known.agreement
    live = agreement is not None and agreement.given_at <= doing.at < agreement.expires_at
    withdrawn = agreement is None or agreement.withdrawn_at is not None
    if not live or withdrawn or agreement is None or content.body not in agreement.associated:
        article = "A-6.1" if content.body == "prevention_association" else "A-4.1"
        raise Refused("L'accord de la famille ne nomme pas cet organisme.", articles=(article,))
    _note(tx, doing, "involved", content.body, content.on)


def child_left(tx: Tx, core: Core, doing: Doing) -> None:
    """The child has left the commune: the notice is erased at once (R131-10-1)."""
    erase_case(tx, core, doing.case_id, core.new_id(), doing.at)


def _ticked(tx: Tx, doing: Doing, what: str) -> None:
    content = doing.content
    if not isinstance(content, acts.OnDay):
        raise TypeError(type(content).__name__)
    _note(tx, doing, what, None, content.on)


def _note(tx: Tx, doing: Doing, what: str, code: str | None, on: object) -> None:
    store.note(tx, doing.case_id, what, doing.at, code=code, on=on, agent_id=doing.agent_id)


_IN_A_PATHWAY: Final = {
    "referent": LocalAct(
        article="A-2.5",
        label="Changer de référent",
        payload=NewReferent,
        do=change_referent,
        roles=frozenset({Role.MANAGER.value, Role.REFERENT.value}),
    ),
}
_IN_A_MEASURE: Final = {
    "reception": LocalAct(
        article="A-3.7",
        label="Premier jour : élève et représentant reçus",
        payload=Reception,
        do=receive,
        roles=_WORK,
        states=ONCE_OVER_TOO,
    ),
    "themes": LocalAct(
        article="A-3.4",
        label="Thèmes du travail",
        payload=Themes,
        do=work_on,
        roles=_WORK,
    ),
    "reflection": LocalAct(
        article="A-3.8",
        label="Travail de réflexion fait",
        payload=acts.OnDay,
        do=reflect,
        roles=_WORK,
        states=ONCE_OVER_TOO,
    ),
    "booklet": LocalAct(
        article="A-3.11",
        label="Livret d'accueil remis",
        payload=acts.OnDay,
        do=hand_booklet,
        roles=_WORK,
        states=ONCE_OVER_TOO,
    ),
}
ACTS: Final = {
    **acts.COMMON,
    **concerning(PURPOSE, _IN_A_PATHWAY),
    **concerning(ALTERNATIVE, _IN_A_MEASURE),
    "involvement": LocalAct(
        article="A-4.1",
        label="Faire intervenir un organisme nommé dans l'accord",
        payload=Involvement,
        do=involve,
        roles=_WORK,
    ),
}
"""Acts about a pathway or a measure."""

ATTENDANCE_ACTS: Final = {
    "child_left": LocalAct(
        article="R131-10-1",
        label="L'enfant a quitté la commune",
        payload=acts.OnDay,
        do=child_left,
        states=UNTIL_ERASED,
    ),
}
"""Acts about an attendance notice."""
