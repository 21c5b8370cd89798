"""Rights as cases: asked, identity checked by a human, passed on, answered within a month.

GDPR 15 (access), 16 (rectification), 17 (erasure), 21 (objection). A request holds ids, codes and
dates; what is copied, or corrected, is handed over by whoever answers. Every partner that the
journal knows of the person's cases is told, and what each answers, signed, is kept beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, select, update

from contracts.kernel.control import About, Article
from contracts.kernel.errors import InvalidPayload, RelaisError, UnknownName
from contracts.kernel.paris import add_months, day_of, midnight
from services.chassis import minors, person_tables, rights_partners
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import Due, meet, move
from services.chassis.person.codes import Holder, Means, majority_of, opened
from services.chassis.rights_clocks import ANSWER
from services.chassis.tokens import Agent, Right

WITHIN_MONTHS: Final = 1
"""Time to answer, from the day on which it was asked (GDPR 12.3)."""
EXTENDED_MONTHS: Final = 3
"""The same, where the number or the difficulty of requests asks for it (GDPR 12.3)."""

ORGANISATION: Final = "organisation"
"""Who raises what nobody asked for."""

Exercised = Literal["access", "rectification", "erasure", "objection"]
"""Rights that are answered here."""
Outcome = Literal["done", "partly", "refused"]
"""How a request was answered."""
Channel = Literal["page", "meeting", "letter", "phone", "email"]
"""How a request came, or how it was answered."""

_Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class RightsBody(BaseModel):
    """Body of ``POST /requests``: who exercises which right; never why.

    also: other local ids of the same person. about: what is to be corrected, of a rectification.
    means: how the agent knows who asks; null where that is still to be checked.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    person_id: _Id
    also: tuple[_Id, ...] = Field(default=(), max_length=20)
    right: Exercised
    about: About = ()
    raised_by: Holder
    channel: Literal["meeting", "letter", "phone", "email"]
    means: Means | None = None


class CheckBody(BaseModel):
    """Body of ``POST /requests/{id}/check``: how the agent knows who asks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    means: Means


class AnswerBody(BaseModel):
    """Body of ``POST /requests/{id}/answer``: what was done, how the person was told.

    article: on which a refusal, or what is kept, rests; it is asked for then.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    outcome: Outcome
    article: Article | None = None
    channel: Channel


class RequestState(RelaisError):
    """The request is not in the state that the act supposes."""

    code = "request_state"
    status = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who exercises which right. checked_by, checked_at, means: who knew who it is, when, how.

    raised_by, channel: `ORGANISATION` where it corrects what it found wrong by itself.
    """

    person_ids: tuple[str, ...]
    right: Exercised
    about: tuple[str, ...]
    raised_by: Holder | Literal["organisation"]
    channel: Channel | Literal["organisation"]
    checked_by: str | None = None
    checked_at: datetime | None = None
    means: Means | Literal["file"] | None = None


def received(
    tx: Tx, core: Core, body: RightsBody, request_id: str, agent: Agent, at: datetime
) -> None:
    """Record a request that an agent received.

    Raises UnknownName, NotPermitted for a case that is not the agent's; InvalidPayload for a
    representative of a person of age, or for what is to be corrected of another right.
    """
    person_ids = tuple(dict.fromkeys((body.person_id, *body.also)))
    known = [opened(tx, core, one, agent, at) for one in person_ids]
    if body.raised_by == "representative":
        majority_of(known[0], at)
    checked = body.means is not None
    asked = Asked(
        person_ids=person_ids,
        right=body.right,
        about=body.about,
        raised_by=body.raised_by,
        channel=body.channel,
        checked_by=agent.agent_id if checked else None,
        checked_at=at if checked else None,
        means=body.means,
    )
    ask(tx, core, asked, request_id, agent.agent_id, at)


def ask(
    tx: Tx, core: Core, asked: Asked, request_id: str, agent_id: str | None, at: datetime
) -> None:
    """Record a request; its month runs from now. Raises InvalidPayload.

    agent_id: None where the person asks at their own page.
    """
    if bool(asked.about) is not (asked.right == "rectification"):
        raise InvalidPayload(
            "Une correction dit ce qui est faux ; les autres demandes n'ont rien à dire.",
            fields=(("about", "rectification_only"),),
            articles=("RGPD 16",),
        )
    due_at = midnight(add_months(day_of(at), WITHIN_MONTHS))
    row = {
        "request_id": request_id,
        "right": asked.right,
        "about": asked.about,
        "raised_by": asked.raised_by,
        "channel": asked.channel,
        "asked_at": at,
        "due_at": due_at,
        "checked_at": asked.checked_at,
        "checked_by": asked.checked_by,
        "means": asked.means,
    }
    rights_partners.keep(tx, core, row, asked.person_ids, at)
    core.journal.note(tx, "rights.asked", agent_id, at, articles=(ARTICLES[asked.right],))
    if asked.checked_at is not None:
        _at_once(tx, core, request_id, at)


ARTICLES: Final = {
    "access": "RGPD 15",
    "rectification": "RGPD 16",
    "erasure": "RGPD 17",
    "objection": "RGPD 21",
}
"""On which article each right rests."""


def check(tx: Tx, core: Core, request_id: str, body: CheckBody, agent: Agent, at: datetime) -> None:
    """Record that an agent knows who asks. Raises UnknownName; RequestState once it is known."""
    row = open_request(tx, request_id)
    if row.checked_at is not None:
        raise RequestState("L'identité de qui demande est déjà vérifiée.")
    _set(tx, request_id, checked_at=at, checked_by=agent.agent_id, means=body.means)
    core.journal.note(tx, "rights.checked", agent.agent_id, at, articles=("RGPD 12.6",))
    _at_once(tx, core, request_id, at)


def _at_once(tx: Tx, core: Core, request_id: str, at: datetime) -> None:
    """An objection waits for nobody: what it is about rests until it is answered (GDPR 18.1 d)."""
    row = open_request(tx, request_id)
    if row.right == "objection":
        rights_partners.pass_on(tx, core, row, at)
        _set(tx, request_id, sent_at=at)


def send(tx: Tx, core: Core, request_id: str, agent: Agent, at: datetime) -> list[str]:
    """Do here what is done at once, and tell every partner; returns whom.

    An erasure destroys, but what a dispute or a duty of the law keeps.
    Raises UnknownName; RequestState where nobody checked who asks, or it was sent; NotPermitted
    for an erasure by a role that erases nothing.
    """
    row = open_request(tx, request_id)
    if row.checked_at is None:
        raise RequestState("Vérifiez d'abord l'identité de qui demande.", articles=("RGPD 12.6",))
    if row.sent_at is not None or row.origin is not None:
        raise RequestState("Cette demande est déjà transmise.")
    if row.right == "erasure":
        agent.require(Right.ERASE)
    told = rights_partners.pass_on(tx, core, row, at)
    _set(tx, request_id, sent_at=at)
    core.journal.note(tx, "rights.sent", agent.agent_id, at, articles=("RGPD 19",))
    return told


def extend(tx: Tx, core: Core, request_id: str, agent: Agent, at: datetime) -> datetime:
    """Take two months more, once, while the first one runs; returns until when (GDPR 12.3).

    The person sees it at their page. Raises UnknownName, RequestState.
    """
    row = open_request(tx, request_id)
    if row.extended_at is not None or at >= row.due_at or row.origin is not None:
        raise RequestState("Ce délai ne se prolonge pas, ou plus.", articles=("RGPD 12.3",))
    due_at = midnight(add_months(day_of(row.asked_at), EXTENDED_MONTHS))
    _set(tx, request_id, extended_at=at, due_at=due_at)
    move(tx, core, Due(kind=ANSWER, subject=request_id, due_at=due_at), at)
    core.journal.note(tx, "rights.extended", agent.agent_id, at, articles=("RGPD 12.3",))
    return due_at


def close(
    tx: Tx, core: Core, request_id: str, body: AnswerBody, agent: Agent, at: datetime
) -> None:
    """Answer a request; a partner who passed it on is told, and an objection is decided.

    Raises UnknownName; InvalidPayload for a refusal without its article; RequestState for one that
    is to be sent first; NotPermitted for an objection by a role that decides none.
    """
    row = open_request(tx, request_id)
    if body.outcome != "done" and body.article is None:
        raise InvalidPayload(
            "Un refus, ou ce qui est gardé, nomme l'article sur lequel il repose.",
            fields=(("article", "missing"),),
            articles=("RGPD 12.4",),
        )
    if row.origin is None and row.sent_at is None and body.outcome != "refused":
        raise RequestState("Transmettez d'abord cette demande aux partenaires.")
    if row.right == "objection":
        agent.require(Right.CONVENTIONS)
        _decide(tx, core, row, body, agent, at)
    _set(
        tx,
        request_id,
        closed_at=at,
        closed_by=agent.agent_id,
        outcome=body.outcome,
        article=body.article,
        answer_channel=body.channel,
    )
    meet(tx, ANSWER, request_id, at)
    core.journal.note(tx, "rights.answered", agent.agent_id, at, articles=("RGPD 12.3",))
    if row.origin is not None:
        rights_partners.answer(tx, core, row, body.outcome, body.article, at)


def _decide(
    tx: Tx, core: Core, row: Row[Any], body: AnswerBody, agent: Agent, at: datetime
) -> None:
    """Upheld, the agreements are withdrawn; refused, they run again."""
    outcome: Literal["upheld", "lifted"] = "lifted" if body.outcome == "refused" else "upheld"
    said = minors.ObjectionAnswer(outcome=outcome)
    for agreement_id in rights_partners.suspended(tx, row):
        minors.answer_objection(tx, core, agreement_id, said, agent.agent_id, at)


def open_request(tx: Tx, request_id: str) -> Row[Any]:
    """A request that is not answered yet. Raises UnknownName, RequestState."""
    table = person_tables.requests
    row = tx.execute(select(table).where(table.c.request_id == request_id)).first()
    if row is None:
        raise UnknownName("Aucune demande ne porte ce numéro.", code="unknown_request")
    if row.closed_at is not None:
        raise RequestState("Cette demande a reçu sa réponse.")
    return row


def _set(tx: Tx, request_id: str, **values: Any) -> None:  # noqa: ANN401 -- columns
    table = person_tables.requests
    tx.execute(update(table).where(table.c.request_id == request_id).values(**values))
