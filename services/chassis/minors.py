"""What a minor is owed beside the agreement of a representative.

To be heard where the young person said no, or is old enough to be asked and was not (Code civil,
art. 371-1). To decide at majority, when whatever a representative agreed to has ended (art. 414).
And that an objection of the other holder of authority, or their own, is waited for: it suspends
the agreement, at every recipient, until somebody has answered it (GDPR art. 12.3, 21; art. 372-2).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Row, select, update

from contracts.kernel.checks import Agreement, Assent, Giver
from contracts.kernel.errors import InvalidPayload, RelaisError, UnknownName
from contracts.kernel.fields import said
from contracts.kernel.paris import add_months, birthday, day_of, midnight, reached
from services.chassis import standing, tables
from services.chassis.agreement_clocks import HEARING, MAJORITY, OBJECTION
from services.chassis.agreements import suspend_reference, withdraw
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import Due, arm, cancel, keep_one, meet, move

ASKED_FROM: Final = 15
"""Years from which a young person is asked (obligation of every convention here)."""
HEARD_WITHIN: Final = timedelta(days=7)
"""Time to hear a young person; a proposal, since no text sets one."""
MAJORITY_AGE: Final = 18
"""Years (Code civil, art. 414)."""


class NotGiven(RelaisError):
    """The agreement is refused, withdrawn, over, or not in the state that the act supposes."""

    code = "not_given"
    status = 409


class Hearing(BaseModel):
    """Body of ``POST /agreements/{id}/hearing``: the young person's word, and what follows.

    assent: yes or no, in their own words. continues: whether the agreement goes on all the same; a
    no ends it wherever the convention rests on the young person's word.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    assent: Literal["yes", "no"] = said(
        "Ce que dit le jeune", why="Sa propre parole, entendue à part.", source="CC 371-1"
    )
    continues: bool = said(
        "L'accord continue",
        why="Oui ou non ; un non l'arrête partout, tout de suite.",
        source="CC 371-1",
    )


class Objection(BaseModel):
    """Body of ``POST /agreements/{id}/objection``: who objects; never why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    raised_by: Literal["representative", "young_person"] = said(
        "Qui s'oppose", why="Dit à qui répondre, jamais pourquoi.", source="RGPD 21"
    )


class ObjectionAnswer(BaseModel):
    """Body of ``POST /agreements/{id}/objection/answer``: upheld, the agreement is withdrawn."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outcome: Literal["upheld", "lifted"] = said(
        "Réponse", why="Admise, l'accord est retiré ; levée, il reprend.", source="RGPD 12.3"
    )


def owe(tx: Tx, core: Core, agreement_id: str, birth: date, at: datetime) -> None:
    """Set what an agreement that has just been recorded makes due."""
    row = _row(tx, agreement_id)
    if row.refused:
        return
    if row.giver != Giver.REPRESENTATIVE.value and reached(birth, MAJORITY_AGE, day_of(at)):
        _asked(tx, row.person_id, at)
    if row.giver == Giver.YOUNG_PERSON.value:
        return
    unheard = row.assent == "not_asked" and reached(birth, ASKED_FROM, day_of(row.given_at))
    if row.giver == Giver.REPRESENTATIVE.value and (row.assent == "no" or unheard):
        due = Due(kind=HEARING, subject=agreement_id, due_at=at + HEARD_WITHIN)
        arm(tx, core, due, at)
    majority = midnight(birthday(birth, MAJORITY_AGE))
    if row.expires_at == majority:
        arm(tx, core, Due(kind=MAJORITY, subject=agreement_id, due_at=majority), at)


def owe_again(tx: Tx, core: Core, agreement_id: str, birth: date, at: datetime) -> None:
    """Set anew what an agreement makes due, under another day of birth."""
    row = _row(tx, agreement_id)
    if row.assent == "not_asked" and not reached(birth, ASKED_FROM, day_of(row.given_at)):
        cancel(tx, HEARING, agreement_id, at)
    majority = midnight(birthday(birth, MAJORITY_AGE))
    if row.giver != Giver.YOUNG_PERSON.value and row.expires_at == majority:
        keep_one(tx, core, Due(kind=MAJORITY, subject=agreement_id, due_at=majority), at)
    else:
        cancel(tx, MAJORITY, agreement_id, at)
    owe(tx, core, agreement_id, birth, at)


def _asked(tx: Tx, person_id: str, at: datetime) -> None:
    """The person, of age, has decided: nobody need ask any more."""
    agreements = tables.agreements
    theirs = select(agreements.c.agreement_id).where(agreements.c.person_id == person_id)
    for former in tx.execute(theirs).scalars().all():
        meet(tx, MAJORITY, former, at)


def hear(
    tx: Tx, core: Core, agreement_id: str, said: Hearing, agent_id: str, at: datetime
) -> tuple[str, tuple[str, ...]]:
    """Record the young person's word, and end the agreement where it does not go on.

    Returns the agreement's state, and who is told. Raises UnknownName, NotGiven; InvalidPayload for
    a no that would go on although the convention rests on the young person's word.
    """
    row = _live(tx, agreement_id, at)
    if said.assent == "no" and said.continues and _decisive(core, row.flows):
        raise InvalidPayload(
            "Le non du jeune arrête cet accord : la convention repose sur sa parole.",
            fields=(("continues", "decisive_no"),),
            articles=("CC 371-1",),
        )
    _set(tx, agreement_id, assent=said.assent)
    meet(tx, HEARING, agreement_id, at)
    core.journal.note(tx, "agreement.heard", agent_id, at, articles=("CC 371-1",))
    if said.continues:
        return "given", ()
    return "withdrawn", withdraw(tx, core, agreement_id, agent_id, at).told


def _decisive(core: Core, types: tuple[str, ...]) -> bool:
    """Whether one of these messages rests on the young person's own word, whoever else agrees."""
    checks = (c for _, flow in core.registry.flows() if flow.type in types for c in flow.checks)
    return any(
        isinstance(check, Assent)
        or (isinstance(check, Agreement) and check.minor is Giver.YOUNG_PERSON)
        for check in checks
    )


def suspend(
    tx: Tx, core: Core, agreement_id: str, raised: Objection, agent_id: str | None, at: datetime
) -> tuple[str, ...]:
    """Suspend an agreement at every recipient until the objection is answered.

    What waited to be sent is stopped; cases rest. agent_id: None where the person did it. Returns
    who is told; twice is once. Raises UnknownName, NotGiven.
    """
    row = _live(tx, agreement_id, at)
    if row.suspended_at is not None:
        return ()
    _set(tx, agreement_id, suspended_at=at)
    told: list[str] = []
    for one in _recipients(tx, agreement_id):
        suspend_reference(tx, core, one, "suspended", at, told)
    due = Due(kind=OBJECTION, subject=agreement_id, due_at=midnight(add_months(day_of(at), 1)))
    move(tx, core, due, at)
    article = "CC 372-2" if raised.raised_by == "representative" else "RGPD 21"
    core.journal.note(tx, "agreement.suspended", agent_id, at, articles=(article,))
    return tuple(told)


def answer_objection(
    tx: Tx, core: Core, agreement_id: str, said: ObjectionAnswer, agent_id: str, at: datetime
) -> tuple[str, tuple[str, ...]]:
    """Answer an objection: upheld, the agreement is withdrawn; lifted, it runs again.

    Returns the agreement's state, and who is told. Raises UnknownName; NotGiven where none waits.
    """
    row = _live(tx, agreement_id, at)
    if row.suspended_at is None:
        raise NotGiven("Aucune opposition n'attend de réponse sur cet accord.")
    meet(tx, OBJECTION, agreement_id, at)
    core.journal.note(tx, f"objection.{said.outcome}", agent_id, at, articles=("RGPD 12.3",))
    if said.outcome == "upheld":
        return "withdrawn", withdraw(tx, core, agreement_id, agent_id, at).told
    _set(tx, agreement_id, suspended_at=None)
    told: list[str] = []
    for one in _recipients(tx, agreement_id):
        suspend_reference(tx, core, one, "resumed", at, told)
    return "given", tuple(told)


def _row(tx: Tx, agreement_id: str) -> Row[Any]:
    agreements = tables.agreements
    same = agreements.c.agreement_id == agreement_id
    row = tx.execute(select(agreements).where(same)).first()
    if row is None:
        raise UnknownName("Cet accord n'est pas connu ici.", code="unknown_agreement")
    return row


def _live(tx: Tx, agreement_id: str, at: datetime) -> Row[Any]:
    row = _row(tx, agreement_id)
    if row.refused or row.withdrawn_at is not None or at >= row.expires_at:
        raise NotGiven("Cet accord n'est pas, ou plus, donné.")
    return row


def _set(tx: Tx, agreement_id: str, **values: Any) -> None:  # noqa: ANN401 -- columns
    agreements = tables.agreements
    same = agreements.c.agreement_id == agreement_id
    tx.execute(update(agreements).where(same).values(**values))
    tx.forget(standing.AGREEMENTS)


def _recipients(tx: Tx, agreement_id: str) -> list[Row[Any]]:
    recipients = tables.agreement_recipients
    mine = recipients.c.agreement_id == agreement_id
    return list(tx.execute(select(recipients).where(mine)).all())
