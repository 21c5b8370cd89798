"""What each side keeps after an end is what its flows say: one number, in one place (A-5.1)."""

from __future__ import annotations

from contracts import registry
from contracts.kernel.instrument import Flow
from services.conventions.a_city_school import clocks as a_clocks
from services.conventions.a_city_school import store as a_store
from services.conventions.b_city_mission_locale import store as b_store
from services.conventions.c_employment_city_ccas import store as c_store
from services.conventions.d_department_mission_locale import store as d_store

KNOWN = registry.load()


def months(code: str, event: str, *, but: str = "") -> set[int | None]:
    """Months after an event for which a convention's flows are kept; but: a type left out."""
    flows: tuple[Flow, ...] = KNOWN.conventions[code].flows
    return {
        one.retention.months
        for one in flows
        if one.retention.event == event and not one.retention.transient and one.type != but
    }


def test_convention_a_keeps_as_long_as_its_flows_say() -> None:
    """A-5.1."""
    code, alert = "a_city_school", "alternative.alert"
    assert months(code, "pathway_closed") == {a_clocks.KEPT_MONTHS}
    assert months(code, "measure_ended", but=alert) == {a_clocks.KEPT_MONTHS}
    alerts = {one.retention.months for one in KNOWN.conventions[code].flows if one.type == alert}
    assert alerts == {a_clocks.KEPT_ALERT_MONTHS}
    assert months(code, "meeting_held") == {a_store.CELL_MONTHS}
    assert months(code, "school_year_ended") == {0}


def test_convention_b_keeps_as_long_as_its_flows_say() -> None:
    """B-3.1."""
    code = "b_city_mission_locale"
    for event in ("orientation_answered", "cosupport_closed", "immersion_ended", "offer_ended"):
        assert months(code, event) == {b_store.KEPT_MONTHS}, event


def test_convention_c_keeps_as_long_as_its_flows_say() -> None:
    """C-6.5."""
    code = "c_employment_city_ccas"
    for event in ("candidacy_decided", "contract_ended", "immersion_ended"):
        assert months(code, event) == {c_store.KEPT_MONTHS}, event
    at_once = {"offer_closed", "trades_replaced", "opportunity_closed", "campaign_ended"}
    for event in at_once | {"table_replaced", "referent_replaced", "communication_published"}:
        assert months(code, event) == {0}, event


def test_convention_d_keeps_as_long_as_its_flows_say() -> None:
    """D-8.1."""
    code = "d_department_mission_locale"
    for event in ("contact_answered", "case_closed", "interview_held", "youth_contract_answered"):
        assert months(code, event) == {d_store.KEPT_MONTHS}, event
    assert months(code, "project_ended") == {0}
    assert months(code, "convention_ended") == {KNOWN.conventions[code].purge_months}
