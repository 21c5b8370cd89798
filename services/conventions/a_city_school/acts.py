"""What agents of either side record about a case of convention A, beside any message."""

from __future__ import annotations

from typing import Final, Literal

from contracts.kernel.errors import Refused
from contracts.kernel.fields import Day, Payload, said
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import meet
from services.chassis.partner import Doing, LocalAct
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


COMMON: Final = {
    "family_told": LocalAct(
        article="A-2.12",
        label="Famille informée d'une étape",
        payload=FamilyTold,
        do=family_told,
    ),
}
