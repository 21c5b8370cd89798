"""The yearly sheet of six counts: counted where the facts lie, joined without anybody crossing.

Each side counts its own three and says of the others that it does not; what is small is hidden
before it leaves, and stays hidden in what both read together (D-4.3, D-5.4, D-5.7a to D-5.7f). The
sheet shows what the report of that year shows, and is told once: see `publishing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from contracts.conventions.d_department_mission_locale.convention import CONVENTION
from contracts.conventions.d_department_mission_locale.indicators import Cell
from contracts.conventions.d_department_mission_locale.messages import IndicatorYearly
from contracts.gate import Refused as GateRefused
from contracts.kernel.errors import InvalidPayload, Refused, UnknownName
from contracts.kernel.paris import day_of
from contracts.kernel.signed import OPEN_STATES, SignedConvention
from contracts.kernel.suppression import Audience
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import meet
from services.chassis.governance import own_convention
from services.chassis.posting import submit
from services.chassis.publishing import AlreadyPublished, Report, publish, read_published
from services.chassis.routing import Request
from services.conventions.d_department_mission_locale.clocks import SHEET
from services.conventions.d_department_mission_locale.indicators import COUNTED_BY
from services.conventions.d_department_mission_locale.models import yearly_cells

HIDDEN: Final = "hidden"
ELSEWHERE: Final = "not_counted"
"""What stands in a cell that is small, or that the other side counts."""


def own(core: Core, convention_id: str) -> SignedConvention:
    """A signed convention D of this organisation. Raises UnknownName."""
    signed = own_convention(core, convention_id)
    if signed.convention.code != CONVENTION.code:
        raise UnknownName("Cette convention n'est pas de ce texte.", code="other_convention")
    return signed


def between(core: Core, partner: str, at: datetime) -> list[SignedConvention]:
    """Open conventions D with a partner."""
    found = [one for one in core.between(partner) if one.convention.code == CONVENTION.code]
    return [one for one in found if one.state(at) in OPEN_STATES]


def sheet(report: Report, year: int) -> IndicatorYearly:
    """The sheet of a year, from this side's report of it between the parties."""
    cells: dict[str, Cell] = dict.fromkeys(COUNTED_BY, ELSEWHERE)
    for table in report["tables"]:
        if table["what"] in COUNTED_BY:
            cells[table["what"]] = HIDDEN if table["total"] is None else table["total"]
    return IndicatorYearly(counted_on=date(year, 12, 31), **cells)


def send(
    tx: Tx, core: Core, convention_id: str, year: int, agent: tuple[str, str], at: datetime
) -> str:
    """Tell the other side a year as its report shows it; returns the message's id.

    The year is counted now if it was not yet. agent: who asks, and in which role. Raises
    UnknownName; InvalidPayload for a year that is not over, or in which the convention did not run;
    AlreadyPublished where it was told; Refused where the gate says no.
    """
    signed, last = own(core, convention_id), date(year, 12, 31)
    opens, ends = signed.opens_on, signed.ends_on
    if opens is None or ends is None or not opens <= last < ends or last > day_of(at):
        raise InvalidPayload(
            "Les indicateurs se comptent au 31 décembre d'une année où la convention courait.",
            fields=(("year", "out_of_range"),),
        )
    if _told(tx, convention_id, core.org, last):
        raise AlreadyPublished("Les indicateurs de cette année sont transmis : ils sont arrêtés.")
    report = read_published(tx.connection, convention_id, Audience.PARTIES, date(year, 1, 1))
    if report is None:
        report = publish(tx, core, convention_id, year, agent[0], at)
    outcome = submit(
        tx,
        core,
        Request(
            message_id=core.new_id(),
            new_case_id=core.new_id(),
            type="indicator.yearly",
            to=next(org for org in sorted(signed.orgs) if org != core.org),
            data=sheet(report, year),
            agent_id=agent[0],
            agent_role=agent[1],
            convention_id=convention_id,
        ),
        at,
    )
    if isinstance(outcome.decision, GateRefused):
        sentences = " ".join(reason.sentence for reason in outcome.decision.reasons)
        raise Refused(sentences, articles=outcome.decision.articles)
    return outcome.message_id


def keep(
    tx: Tx,
    core: Core,
    convention_id: str,
    org: str,
    content: IndicatorYearly,
    at: datetime,
) -> None:
    """Keep the sheet that one side sent of a year (D-5.7a).

    The first stays: from another one the difference would be whom the first forgot (D-4.3).
    """
    if not _told(tx, convention_id, org, content.counted_on):
        key = {"convention_id": convention_id, "counted_on": content.counted_on, "org": org}
        cells = [{**key, "what": one, "cell": str(getattr(content, one))} for one in COUNTED_BY]
        tx.execute(yearly_cells.insert(), cells)
    if org == core.org:
        meet(tx, SHEET, convention_id, at)


def _told(tx: Tx, convention_id: str, org: str, counted_on: date) -> bool:
    table = yearly_cells
    this = (table.c.convention_id == convention_id) & (table.c.counted_on == counted_on)
    return tx.execute(select(table.c.org).where(this & (table.c.org == org))).first() is not None


def joined(connection: Connection, convention_id: str) -> list[Mapping[str, Any]]:
    """Both sides' sheets together, latest year first: each count as the side that counts it shows.

    A cell is None where that side has not sent its sheet yet.
    """
    table = yearly_cells
    query = select(table).where(table.c.convention_id == convention_id)
    years: dict[date, dict[str, Any]] = {}
    for row in connection.execute(query.order_by(table.c.counted_on.desc())):
        cells = years.setdefault(row.counted_on, dict.fromkeys(COUNTED_BY))
        if row.cell != ELSEWHERE:
            cells[row.what] = int(row.cell) if row.cell.isdecimal() else row.cell
    return [{"counted_on": day.isoformat(), "cells": cells} for day, cells in years.items()]
