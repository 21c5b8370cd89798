"""Every flow beside the employer's axis: allowed, and refused for want of each fact it asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contracts.kernel.paris import midnight
from services.chassis import tables
from services.conventions.c_employment_city_ccas import territory_models as models
from tests.pair import Side
from tests.services.conventions.c_employment_city_ccas import territory_support as support
from tests.services.conventions.c_employment_city_ccas.territory_support import END, Office, made


@dataclass(frozen=True)
class Flow:
    """One flow: who sends, who stands opposite the agency, which desks each side needs for it."""

    opposite: str
    sender: str
    type: str
    data: dict[str, Any]
    agency: str = ""
    city: str = ""
    staff: bool = False


_CLAUSES: dict[str, Any] = {"agency": "social_clauses", "city": "social_clauses"}
_ZERO: dict[str, Any] = {"agency": "zero_unemployment"}
FLOWS = {
    "m10": Flow("city", "agency", "clause.opportunity", support.OPPORTUNITY, **_CLAUSES),
    "m11": Flow("city", "city", "clause.opportunity", support.OPPORTUNITY, **_CLAUSES),
    "m12": Flow("city", "city", "clause.eligibility_asked", {}, **_CLAUSES),
    "m13": Flow("city", "agency", "clause.eligibility_answered", {"answer": "yes"}, **_CLAUSES),
    "m14": Flow("city", "city", "campaign.requested", support.CAMPAIGN, **_ZERO),
    "m15": Flow("ccas", "ccas", "campaign.requested", support.CAMPAIGN, **_ZERO),
    "m16": Flow("city", "agency", "campaign.sent", support.SENT, **_ZERO),
    "m17": Flow("ccas", "agency", "campaign.sent", support.SENT, **_ZERO),
    "m18": Flow("city", "city", "census.aggregate", support.TABLE, **_ZERO),
    "m19": Flow("city", "agency", "census.aggregate", support.TABLE, **_ZERO),
    "m20": Flow("city", "agency", "volunteer.skills_offered", support.SKILLS, **_ZERO),
    "m21": Flow("city", "agency", "referents.published", support.REFERENT, staff=True),
    "m22": Flow("ccas", "agency", "antenna_referents.published", support.ANTENNA, staff=True),
    "m23": Flow("ccas", "ccas", "antenna_referents.published", support.ANTENNA, staff=True),
    "m24": Flow("city", "agency", "communication.announced", support.ANNOUNCED),
    "m25": Flow("city", "city", "communication.announced", support.ANNOUNCED),
    "m26": Flow("ccas", "ccas", "communication.announced", support.ANNOUNCED),
    "m27": Flow("ccas", "agency", "communication.announced", support.ANNOUNCED),
}
_ARTICLES = {
    ("agency", "social_clauses"): "C-3d.3",
    ("city", "social_clauses"): "C-3d.4",
    ("agency", "zero_unemployment"): "C-3e.1",
}


@dataclass
class Table:
    """One flow, and the two at it."""

    office: Office
    flow: Flow

    @property
    def sender(self) -> Side:
        side: Side = getattr(self.office, self.flow.sender)
        return side

    async def prepared(self) -> dict[str, Any]:
        """What the flow needs besides facts about its parties: a case, or an agreement."""
        office, type_ = self.office, self.flow.type
        if type_ == "clause.eligibility_asked":
            return {"agreement_id": office.agreed(office.city)}
        if type_ == "volunteer.skills_offered":
            person = office.person(office.agency)
            office.resident(person)
            office.volunteers(person)
            return {"agreement_id": office.agreed(office.agency, person)}
        if type_ == "clause.eligibility_answered":
            await office.asks()
            office.person_told()
            return {"case_id": office.case_id}
        return {}

    def refused(self, **more: Any) -> set[str]:
        return self.office.refused(self.sender, self.flow.type, self.flow.data, **more)


@pytest.fixture(params=sorted(FLOWS))
def table(
    request: pytest.FixtureRequest, tmp_path: Path, new_database_url: Callable[[], str]
) -> Iterator[Table]:
    flow = FLOWS[request.param]
    with made(tmp_path, new_database_url, flow.opposite) as office:
        office.ready()
        yield Table(office, flow)


def emptied(side: Side, which: Any) -> None:
    side.write(lambda tx: tx.execute(which.delete()))


async def test_a_flow_passes_and_each_fact_that_misses_refuses_it(table: Table) -> None:
    """C-5.5, C-3d.3, C-3d.4, C-3e.1, C-6.2: at the gate of whoever knows the fact."""
    office, flow, sender = table.office, table.flow, table.sender
    more = await table.prepared()
    receiver = office.other(sender)
    emptied(sender, models.readings)
    assert table.refused(**more) == {"C-5.5"}
    office.read(sender)
    if flow.staff:
        emptied(sender, models.staff_notices)
        assert table.refused(**more) == {"C-6.2"}
        office.tell_staff(sender, "Camille Fictive")
    for party, task in (("agency", flow.agency), ("city", flow.city)):
        if not task:
            continue
        side = getattr(office, party)
        where = None if party == "city" else "saint_sever"
        emptied(side, models.desks)
        if side is sender:
            office.desk(side, task, where, "agent-2")
            assert table.refused(**more) == {_ARTICLES[party, task]}
        else:
            again = await table.prepared() if flow.type != "clause.eligibility_answered" else more
            await office.not_taken(sender, flow.type, flow.data, **again)
            if flow.type == "clause.eligibility_answered":
                return  # the answer has left; that it arrives is told in test_territory_clauses
            more = await table.prepared()
        office.desk(side, task, where)
    await office.told(sender, flow.type, flow.data, **more)
    assert receiver.rows(tables.persons) == []


async def test_no_renewal_without_the_report_at_either_side(table: Table) -> None:
    """C-8.2, C-8.1: the first term holds; the second from the report on, each party's own."""
    office, flow, sender = table.office, table.flow, table.sender
    receiver = office.other(sender)
    office.renewed()
    assert table.refused(**await table.prepared()) == set()
    await office.on(midnight(END))
    for side in office.pair.sides:
        office.read(side, 2)
    if flow.type == "clause.eligibility_answered":
        with pytest.raises(AssertionError, match=r"C-8\.2"):
            await office.asks()
        return
    more = await table.prepared()
    assert table.refused(**more) == {"C-8.2"}
    office.report(sender, END)
    await office.not_taken(sender, flow.type, flow.data, **more)
    office.report(receiver, END)
    await office.told(sender, flow.type, flow.data, **await table.prepared())
