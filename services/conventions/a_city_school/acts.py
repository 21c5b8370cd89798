"""What agents of either side record about a case of convention A, beside any message."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import select

from contracts.kernel.errors import Refused
from contracts.kernel.fields import Day, Payload, said
from services.chassis import tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import MISSED, PENDING, meet
from services.chassis.pages.messages import named
from services.chassis.partner import ONCE_OVER_TOO, Chooser, Doing, LocalAct
from services.conventions.a_city_school import store


class FamilyTold(Payload):
    """The family heard of a step, by whom and how (A-2.12)."""

    message_id: str = said("Étape", why="Désigne le message annoncé.", source="A-2.12")
    channel: Literal["meeting", "letter", "phone", "email"] = said(
        "Moyen", why="Dit comment la famille l'a appris.", source="A-2.12"
    )


class OnDay(Payload):
    """Something happened on a day, and no more is said of it."""

    on: Day = said("Date", why="Date le fait, sans le décrire.", source="A-5.1")


def family_told(tx: Tx, _core: Core, doing: Doing) -> None:
    """Close the step that was to be told. Raises Refused where none waits."""
    content = doing.content
    if not isinstance(content, FamilyTold):
        raise TypeError(type(content).__name__)
    if not meet(tx, "family.told", content.message_id, doing.at):
        raise Refused("Aucune étape de ce numéro n'attend d'être dite.", articles=("A-2.12",))
    store.note(
        tx,
        doing.case_id,
        "family_told",
        doing.at,
        code=content.channel,
        message_id=content.message_id,
        agent_id=doing.agent_id,
    )


def untold(tx: Tx, core: Core, case_id: str | None, _at: datetime) -> list[tuple[str, str]]:
    """Steps of a case that the family has still to hear of, the most urgent first."""
    table = tables.deadlines
    waits = (table.c.kind == "family.told") & table.c.state.in_((PENDING, MISSED))
    mine = select(table.c.subject).where(waits & (table.c.case_id == case_id))
    numbers = list(tx.execute(mine.order_by(table.c.due_at)).scalars())
    words = named(tx, core, numbers)
    return [(one, words[one]) for one in numbers if one in words]


CHOICES: Final[Mapping[tuple[str, str], Chooser]] = {("family_told", "message_id"): untold}

COMMON: Final = {
    "family_told": LocalAct(
        article="A-2.12",
        label="Famille informée d'une étape",
        payload=FamilyTold,
        do=family_told,
        states=ONCE_OVER_TOO,
    ),
}
