"""What agents do beside sending: acts recorded about a case, notices, having read an alert.

Each is one transaction with its journal line; whoever may not read a case may not act on it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import Field
from sqlalchemy import Connection, Row, select

from contracts.kernel.errors import InvalidPayload, Refused, UnknownName
from contracts.kernel.fields import Instant, NoticeVersion, Payload, said
from services.chassis import standing, tables
from services.chassis.acquaintance import ConventionUnread, unread
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.journal import Entry
from services.chassis.partner import Doing, LocalAct
from services.chassis.receipting import READ, acknowledge
from services.chassis.scopes import REGISTER_SCOPE, case_scope
from services.chassis.standing import ERASED
from services.chassis.tokens import RIGHTS, Agent, NotPermitted, Right


class NoticeBody(Payload):
    """Information given to a person about a duty of the law, where nobody's agreement is asked."""

    person_id: str = said("Personne", why="Désigne la personne du registre.", source="RGPD 13")
    instrument: str = said("Texte", why="Dit de quel devoir on l'a informée.", source="RGPD 13")
    version: NoticeVersion = said("Version", why="Dit quel texte a été remis.", source="RGPD 13")
    channel: Literal["meeting", "letter", "phone", "email"] = said(
        "Moyen", why="Dit comment la personne a été informée.", source="RGPD 13"
    )
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = said(
        "Langue", why="Une information non comprise n'en est pas une.", source="RGPD 12"
    )
    given_at: Instant = said("Date", why="L'information précède l'envoi.", source="RGPD 13")


def record_notice(
    tx: Tx, core: Core, notice: NoticeBody, notice_id: str, agent_id: str, at: datetime
) -> None:
    """Record that a person was informed. Raises UnknownName, InvalidPayload."""
    if tx.get(standing.PERSONS, notice.person_id) is None:
        raise UnknownName("Cette personne n'est pas dans le registre.", code="unknown_person")
    if notice.instrument not in core.registry.duties:
        raise UnknownName("Aucun devoir légal ne porte ce nom.", code="unknown_duty")
    if notice.given_at > at:
        raise InvalidPayload("Une information ne peut pas être datée du futur.")
    tx.insert(
        tables.notices,
        {"notice_id": notice_id, "agent_id": agent_id, **notice.model_dump()},
    )
    core.journal.note(tx, "notice.recorded", agent_id, at)


def instrument_of(connection: Connection, case_id: str) -> str:
    """Under what a case was opened. Raises UnknownName."""
    cases = tables.cases
    found = connection.execute(select(cases.c.instrument).where(cases.c.case_id == case_id))
    instrument: str | None = found.scalar()
    if instrument is None:
        raise UnknownName("Ce dossier n'est pas connu ici.", code="unknown_case")
    return instrument


def find_act(core: Core, instrument: str, name: str, agent: Agent) -> LocalAct:
    """The act of that name, about cases of an instrument.

    Raises UnknownName; NotPermitted for a role that may not do it.
    """
    acts = core.side(instrument).acts
    found = acts.get(name)
    if found is None:
        known = ", ".join(sorted(acts)) or "aucun"
        raise UnknownName(
            f"Cet acte n'existe pas pour ce dossier. Connus : {known}.", code="unknown_act"
        )
    if found.roles and agent.role.value not in found.roles:
        raise NotPermitted(
            f"Le rôle {agent.role.value} ne permet pas cet acte.", articles=(found.article,)
        )
    return found


_OVER: Final = {"closed": "terminée", "stopped": "arrêtée", ERASED: "détruite"}


def perform(
    tx: Tx,
    core: Core,
    act: tuple[str, LocalAct],
    case_id: str,
    content: Payload,
    agent: Agent,
    at: datetime,
) -> None:
    """Record an act about a case. Raises UnknownName, NotPermitted, and Refused with articles."""
    name, known = act
    before = require_case(tx, core, case_id, agent, at)
    if not known.about(before.purpose):
        text = core.text(before.instrument)
        code = "" if text is None else text.code
        others = ", ".join(core.registry.word(code, one) for one in sorted(known.purposes))
        raise Refused(
            f"Cet acte ne s'enregistre pas dans une situation de ce genre, mais dans : {others}.",
            code="other_purpose",
            articles=(known.article,),
        )
    if before.state not in known.states:
        raise Refused(
            f"Cette situation est {_OVER[before.state]} : cet acte ne s'y enregistre plus.",
            code="case_over",
            articles=(known.article,),
        )
    known.do(
        tx,
        core,
        Doing(
            case_id=case_id,
            content=content,
            agent_id=agent.agent_id,
            role=agent.role.value,
            at=at,
        ),
    )
    case = tx.get(standing.CASES, case_id)
    erased = case is None or case.state == ERASED  # the act may have destroyed it
    core.journal.append(
        tx,
        Entry(
            at=at,
            event="act.recorded",
            flow=name,
            outcome="recorded",
            articles=(known.article,),
            scope=REGISTER_SCOPE if erased else case_scope(case_id),
            case_id=None if erased else case_id,
            agent_id=agent.agent_id,
        ),
    )


class Reach:
    """Which cases one agent may open now; each text is asked for once, however many its cases."""

    def __init__(self, tx: Tx, core: Core, agent: Agent, at: datetime) -> None:
        self._tx = tx
        self._core = core
        self._agent = agent
        self._at = at
        self._unread: dict[str, ConventionUnread | None] = {}

    def refusal(self, case: Row[Any]) -> NotPermitted | ConventionUnread | None:
        """Why this agent may not open a case; None where he may."""
        tx, core, agent, at = self._tx, self._core, self._agent, self._at
        side, text = core.side(case.instrument), case.instrument
        if not side.may_read(tx, case.case_id, agent.agent_id, agent.role.value, at):
            return NotPermitted(
                "Ce dossier n'est pas ouvert à cet agent : adressez-vous à qui le suit.",
                code="not_referent",
                articles=(side.access_article,),
            )
        if text not in self._unread:
            self._unread[text] = unread(tx, core, text, agent, at)
        return self._unread[text]

    def hidden(self, case_id: str) -> NotPermitted | ConventionUnread | None:
        """Why that there is such a case, and what goes on in it, is not this agent's to know."""
        case = self._tx.get(standing.CASES, case_id)
        if case is None or Right.CASES not in RIGHTS[self._agent.role]:
            return NotPermitted("Ce dossier n'est pas ouvert à cet agent.")
        return self.refusal(case)


def require_case(tx: Tx, core: Core, case_id: str, agent: Agent, at: datetime) -> Row[Any]:
    """The case, which is refused where it is not known here, or this agent may not open it.

    Raises UnknownName; NotPermitted, on the article of the case's own instrument; ConventionUnread.
    """
    case = tx.get(standing.CASES, case_id)
    if case is None:
        raise UnknownName("Ce dossier n'est pas connu ici.", code="unknown_case")
    refused = Reach(tx, core, agent, at).refusal(case)
    if refused is not None:
        raise refused
    return case


def read_message(tx: Tx, core: Core, message_id: str, agent: Agent, at: datetime) -> None:
    """Tell the sender that a person has seen a message. Raises UnknownName, NotPermitted."""
    inbox = tables.inbox
    row = tx.execute(
        select(inbox).where((inbox.c.message_id == message_id) & (inbox.c.status == "received"))
    ).first()
    case = None if row is None or row.case_id is None else tx.get(standing.CASES, row.case_id)
    if row is None or case is None:
        raise UnknownName("Aucun message reçu ne porte ce numéro.", code="unknown_message")
    require_case(tx, core, case.case_id, agent, at)
    sender = core.directory.entry(row.sender)
    if sender is None:
        raise Refused("L'émetteur n'est plus à l'annuaire.", code="unknown_sender")
    acknowledge(tx, core, sender, case.instrument, message_id, READ, at)
    handler = core.side(case.instrument).read.get(row.type)
    if handler is not None:
        handler(tx, core, message_id, at)
    core.journal.append(
        tx,
        Entry(
            at=at,
            event="message.read",
            message_id=message_id,
            flow=row.type,
            outcome="read",
            scope=case_scope(case.case_id),
            case_id=case.case_id,
            agent_id=agent.agent_id,
        ),
    )
