"""Work immersions at the city or the CCAS: asked for, answered, confirmed, ended (C-3b).

The host learns who comes once it accepted, and writes it nowhere (C-5.1): the agency alone counts
whose immersions they are.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, select

from contracts.conventions.c_employment_city_ccas.immersion import (
    ImmersionRequested,
    ImmersionStatus,
    TradesPublished,
)
from contracts.kernel.checks import Side
from contracts.kernel.immersion import Period, used_at_host
from contracts.kernel.paris import day_of, reached
from services.chassis import casefile
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import meet
from services.chassis.partner import Question
from services.conventions.c_employment_city_ccas import clocks, offers, seekers, store
from services.conventions.c_employment_city_ccas.models import immersions, trades
from services.conventions.c_employment_city_ccas.steps import Step, counted

REQUEST, TUTOR = "immersion.requested", "immersion.tutor"
"""What each sealed column holds, bound to the seal."""

STATUS: Final = "immersion.status"
MAJORITY: Final = 18
"""Years from which nobody else signs (D5135-2)."""
CONFIRMED: Final = "confirmed"


def published(tx: Tx, _core: Core, step: Step) -> None:
    """A host's list takes the place of its former one, on either side (C-3b.4)."""
    said: TradesPublished = step.content
    mine = (trades.c.partner == step.partner) & (trades.c.host == said.host)
    tx.execute(delete(trades).where(mine))
    for rome in said.trades:
        values = {"partner": step.partner, "host": said.host, "rome": rome, "since": said.since}
        tx.execute(trades.insert().values(**values))


def requested(tx: Tx, core: Core, step: Step) -> None:
    """Follow a request; whose it is, the agency alone writes down."""
    said: ImmersionRequested = step.content
    tx.execute(
        immersions.insert().values(
            case_id=step.case_id,
            partner=step.partner,
            host=said.host,
            person_id=step.person_id if step.leaves else None,
            status="requested",
            object=said.object,
            rome=said.rome,
            first_day=said.first_day,
            last_day=said.last_day,
            request=casefile.seal(core, step.case_id, said, REQUEST),
        )
    )
    if not step.leaves:
        clocks.owe_immersion_answer(tx, core, step.case_id, step.at)


def told(tx: Tx, core: Core, step: Step) -> None:
    """The host accepts, declines, or says that it is over."""
    said: ImmersionStatus = step.content
    counted(tx, step.case_id, STATUS, said.status, step.said_at)
    meet(tx, clocks.IMMERSION_ANSWER, step.case_id, step.at)
    casefile.change(tx, immersions, step.case_id, status=said.status)
    if said.tutor is not None:
        sealed = casefile.seal(core, step.case_id, said.tutor, TUTOR)
        casefile.change(tx, immersions, step.case_id, tutor=sealed)
    if said.status in {"declined", "completed", "interrupted"}:
        store.close_case(tx, step.case_id, step.at)


def confirmed(tx: Tx, core: Core, step: Step) -> None:
    """The agency confirmed who comes, all that it ever says here; the host keeps that it did."""
    counted(tx, step.case_id, STATUS, CONFIRMED, step.said_at)
    casefile.change(tx, immersions, step.case_id, status=CONFIRMED)
    row = casefile.row_of(tx, immersions, step.case_id)
    if row is not None and not step.leaves:
        clocks.await_immersion_end(tx, core, step.case_id, row.last_day, step.at)


# --- facts


def asking(tx: Tx, asked: Question) -> tuple[dict[str, datetime], dict[str, int]]:
    """Records and counts about a request: its offer, its trade, what the person used up."""
    said, found = asked.payload, {}
    if not isinstance(said, ImmersionRequested) or asked.partner is None:
        return {}, {}
    held = asked.at if said.offer is None else offers.open_offer(tx, asked, said.offer)
    if held is not None:
        found["offer_held"] = held
    table = trades
    mine = (table.c.partner == asked.partner.org) & (table.c.host == said.host)
    listed = mine & (table.c.rome == said.rome) & (table.c.since <= day_of(asked.at))
    if tx.execute(select(table.c.rome).where(listed)).first() is not None:
        found["trade_listed"] = asked.at
    if asked.side is not Side.SENDER or asked.person_id is None:
        return found, {}
    if said.object == "start_recruitment":
        found["questioning"] = asked.at
    return found, _used(tx, asked.person_id, asked.partner.org, said)


def _used(tx: Tx, person_id: str, partner: str, said: ImmersionRequested) -> dict[str, int]:
    """What a person used up at that host; the law counts each employer's own (D5135-3)."""
    table = immersions
    mine = (table.c.person_id == person_id) & (table.c.partner == partner)
    held = mine & (table.c.host == said.host) & table.c.status.not_in(("declined", store.STOPPED))
    rows = tx.execute(select(table).where(held)).all()
    before = [Period(row.object, row.first_day, row.last_day) for row in rows]
    asked = Period(said.object, said.first_day, said.last_day)
    return used_at_host(before, asked, renewal=said.renewal)


_FOLLOWS: Final = {
    "accepted": "requested",
    "declined": "requested",
    "completed": CONFIRMED,
    "interrupted": CONFIRMED,
}
"""After which situation the host may tell each of its own."""


def standing(tx: Tx, core: Core, asked: Question) -> dict[str, datetime]:
    """Which step an immersion is at, and whether everybody who must has signed."""
    row, said = casefile.row_of(tx, immersions, asked.case_id), asked.payload
    status = getattr(said, "status", None)
    if row is None or status is None:
        return {}
    holds = {
        "awaited_step": _FOLLOWS.get(status) == row.status,
        "host_accepted": row.status == "accepted",
        "representative_signed": _signed(tx, core, asked),
    }
    return {name: asked.at for name, held in holds.items() if held}


def _signed(tx: Tx, core: Core, asked: Question) -> bool:
    """An adult signs alone; of a minor the representative has signed too (D5135-2)."""
    if asked.side is not Side.SENDER:
        return False
    birth = seekers.birth_of(tx, core, asked.person_id)
    if birth is None:
        return False
    adult = reached(birth, MAJORITY, day_of(asked.at))
    return adult or getattr(asked.payload, "representative_signed", None) is True


def view(tx: Tx, core: Core, case_id: str) -> dict[str, Any] | None:
    """An immersion as agents see it; who comes is asked for again to be seen."""
    row = casefile.row_of(tx, immersions, case_id)
    if row is None:
        return None
    return {
        "status": row.status,
        "host": row.host,
        "data": casefile.unseal(core, case_id, row.request, REQUEST),
        "tutor": casefile.unseal(core, case_id, row.tutor, TUTOR),
    }
