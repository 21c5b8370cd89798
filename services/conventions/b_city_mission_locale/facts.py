"""What either side knows that the checks of convention B ask for; the unknown is left out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row

from contracts.kernel.checks import Side
from contracts.kernel.immersion import Period, used_at_host
from contracts.kernel.messages import ImmersionRequested, ImmersionStatus
from contracts.kernel.paris import day_of, midnight, reached
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
        return Known(records=_opening(tx, core, asked), counts=_used(tx, asked))
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


def _used(tx: Tx, asked: Question) -> Mapping[str, int]:
    """What a person uses up at this host, this immersion included (D5135-3)."""
    said, to = asked.payload, asked.partner
    if not isinstance(said, ImmersionRequested) or to is None or asked.person_id is None:
        return {}
    rows = store.immersions_at(tx, asked.person_id, to.org)
    before = [Period(row.object, row.first_day, row.last_day) for row in rows]
    wanted = Period(said.object, said.first_day, said.last_day)
    return used_at_host(before, wanted, renewal=said.renewal)


def _orientation(tx: Tx, asked: Question) -> Mapping[str, datetime]:
    row = casefile.row_of(tx, orientations, asked.case_id)
    return {"awaiting": row.at} if row is not None and _owes(row, asked.side) else {}


def _owes(orientation: Row[Any], side: Side) -> bool:
    """Whoever was asked answers, while an answer is owed (B-2.10)."""
    still = orientation.state in {store.WAITING, store.RECEIVED}
    return still and orientation.asked_here is (side is Side.RECEIVER)


def not_ours(tx: Tx, case_id: str) -> frozenset[str]:
    """An orientation's answer and silent tries, but at the side that owes it (B-2.10, B-2.7)."""
    row = casefile.row_of(tx, orientations, case_id)
    if row is None or _owes(row, Side.SENDER):
        return frozenset()
    return frozenset({"orientation.answered", "silent_try"})


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
