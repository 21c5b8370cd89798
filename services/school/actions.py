"""What a school's agents record about a case, beside messages."""

from __future__ import annotations

from typing import Final

from contracts.conventions.a_city_school.convention import ALTERNATIVE
from contracts.kernel.fields import Day, Payload, said
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import meet
from services.chassis.partner import ONCE_OVER_TOO, Doing, LocalAct
from services.conventions.a_city_school import acts, store


class Booklet(Payload):
    """The pupil showed the welcome booklet on return, or did not (A-3.12)."""

    on: Day = said("Date", why="Date le retour.", source="A-3.12")
    shown: bool = said("Présenté", why="Oui ou non ; le livret reste à l'élève.", source="A-3.12")


def booklet_shown(tx: Tx, _core: Core, doing: Doing) -> None:
    """Tick the booklet on return (A-3.12)."""
    content = doing.content
    if not isinstance(content, Booklet):
        raise TypeError(type(content).__name__)
    meet(tx, "booklet.shown", doing.case_id, doing.at)
    code = "shown" if content.shown else "not_shown"
    store.note(
        tx, doing.case_id, "booklet", doing.at, code=code, on=content.on, agent_id=doing.agent_id
    )


ACTS: Final = {
    **acts.COMMON,
    "booklet_shown": LocalAct(
        article="A-3.12",
        label="Livret présenté au retour",
        payload=Booklet,
        do=booklet_shown,
        states=ONCE_OVER_TOO,
        purposes=frozenset({ALTERNATIVE}),
    ),
}
