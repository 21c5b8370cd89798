"""What either side knows that the checks of convention B ask for; the unknown is left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Final

from contracts.kernel.checks import Side
from contracts.kernel.messages import ImmersionRequested, ImmersionStatus
from contracts.kernel.paris import add_months, day_of, midnight, reached
from services.chassis import casefile
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.partner import Known, Question
from services.conventions.b_city_mission_locale import store
from services.conventions.b_city_mission_locale.models import (
    cosupports,
    immersions,
    orientations,
)

MAJORITY: Final = 18
"""Years from which nobody but the young person need be told, and nobody else signs."""

_OPENING: Final = {"orientation.requested", "cosupport.opened", "immersion.requested"}


def facts(tx: Tx, core: Core, asked: Question) -> Known:
    """Facts about a message of convention B."""
    if asked.type in _OPENING:
        return Known(records=_opening(tx, core, asked), counts=_spent(tx, asked))
    if asked.type == "orientation.answered":
        return Known(records=_orientation(tx, asked))
    if asked.type.startswith("cosupport."):
        return Known(records=_cosupport(tx, core, asked))
    if asked.type == "immersion.status":
        return Known(records=_immersion(tx, core, asked))
    signed = store.charter_signed(tx, day_of(asked.at))
    return Known(records={} if signed is None else {"psad_charter": midnight(signed)})


def _opening(tx: Tx, core: Core, asked: Question) -> Mapping[str, datetime]:
    """Whether the representative of a minor was informed; of an adult nobody need be."""
    if asked.side is not Side.SENDER or asked.person_id is None:
        return {}
    birth = store.birth_of(tx, core, asked.person_id)
    if birth is None:
        return {}
    adult = reached(birth, MAJORITY, day_of(asked.at))
    told = asked.at if adult else store.informed_at(tx, asked.person_id, asked.at)
    return {} if told is None else {"representative_informed": told}


def _spent(tx: Tx, asked: Question) -> Mapping[str, int]:
    """What a person uses up at this host, this immersion included (D5135-3).

    host_days: the most days in any twelve months that this one takes part in: those that end with
    its last day, or with the last day of one that was asked for before and comes later. renewals:
    immersions with the same object in the twelve months before its end, since one more of the same
    is what a renewal is.
    """
    said, to = asked.payload, asked.partner
    if not isinstance(said, ImmersionRequested) or to is None or asked.person_id is None:
        return {}
    before = store.immersions_at(tx, asked.person_id, to.org)
    days = [(row.first_day, row.last_day) for row in before] + [(said.first_day, said.last_day)]
    ends = {last for _, last in days if _year_until(last) <= said.last_day <= last}
    return {
        "host_days": max(_days_until(end, days) for end in ends),
        "renewals": sum(
            row.object == said.object and row.last_day >= _year_until(said.last_day)
            for row in before
        ),
    }


def _year_until(last: date) -> date:
    """First day of the twelve months that end with a day."""
    return add_months(last, -12) + timedelta(days=1)


def _days_until(end: date, periods: Iterable[tuple[date, date]]) -> int:
    """Days of some periods in the twelve months that end with a day."""
    since = _year_until(end)
    spans = ((max(first, since), min(last, end)) for first, last in periods)
    return sum(max(0, (last - first).days + 1) for first, last in spans)


def _orientation(tx: Tx, asked: Question) -> Mapping[str, datetime]:
    """Whoever was asked answers, while an answer is owed."""
    row = casefile.row_of(tx, orientations, asked.case_id)
    if row is None or row.state not in {store.WAITING, store.RECEIVED}:
        return {}
    owed = row.asked_here is (asked.side is Side.RECEIVER)
    return {"awaiting": row.at} if owed else {}


def _cosupport(tx: Tx, core: Core, asked: Question) -> Mapping[str, datetime]:
    row = casefile.row_of(tx, cosupports, asked.case_id)
    if row is None or row.state != store.OPEN:
        return {}
    found = {"cosupport": row.at}
    pair = store.referents_of(tx, row.case_id)
    if {core.org, row.partner} <= pair.keys():
        found["referents"] = max(one.since for one in pair.values())
    mine = pair.get(core.org)
    if asked.side is Side.SENDER and mine is not None and mine.agent_id == asked.agent_id:
        found["by_referent"] = mine.since
    return found


_FOLLOWS: Final = {
    "accepted": "requested",
    "declined": "requested",
    "completed": "confirmed",
    "interrupted": "confirmed",
}
"""After which situation the host may tell each of its own."""


def _immersion(tx: Tx, core: Core, asked: Question) -> Mapping[str, datetime]:
    row, said = casefile.row_of(tx, immersions, asked.case_id), asked.payload
    status = getattr(said, "status", None)
    if row is None or status is None:
        return {}
    known = {
        "awaited_step": _FOLLOWS.get(status) == row.status,
        "host_accepted": row.status == "accepted",
        "representative_signed": _signed(tx, core, asked),
    }
    return {name: asked.at for name, holds in known.items() if holds}


def _signed(tx: Tx, core: Core, asked: Question) -> bool:
    """An adult signs alone; of a minor the representative has signed too."""
    said = asked.payload
    if asked.side is Side.SENDER:
        birth = store.birth_of(tx, core, asked.person_id)
    else:
        named = said.person if isinstance(said, ImmersionStatus) else None
        birth = None if named is None else named.birth_date
    if birth is None:
        return False
    adult = reached(birth, MAJORITY, day_of(asked.at))
    return adult or getattr(said, "representative_signed", None) is True
