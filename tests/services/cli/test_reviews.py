"""The yearly life of a convention at the command line, on a federation that runs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.kernel.paris import add_months, day_of
from services.federation.calls import call
from services.federation.federation import Federation
from tests.federations import CITY, CONVENTION, SCHOOL
from tests.services.cli.calling import Captured, read, refused, told


@pytest.mark.usefixtures("home")
def test_a_meeting_is_recorded_and_the_next_one_is_a_year_away(
    capsys: Captured, federation: Federation
) -> None:
    """A-8.1."""
    today = day_of(federation.now(CITY))
    held = ("convention", "review", CONVENTION, "--org", CITY, "--on")
    said = told(capsys, *held, today.isoformat())
    again = add_months(today, 12).isoformat()
    assert said == f"Réunion enregistrée ; la prochaine avant le {again}.\n"
    with federation.client(CITY) as client:
        (found,) = call(client, "GET", "/api/v1/conventions")
    assert found["next_review"] == again
    code, why = refused(capsys, *held, (today + timedelta(days=1)).isoformat())
    assert (code, "a eu lieu" in why) == (1, True)
    assert refused(capsys, *held, "demain")[0] == 2


@pytest.mark.usefixtures("home")
def test_an_insurance_is_recorded(capsys: Captured) -> None:
    """A-7.3."""
    insure = ("convention", "insure", CONVENTION, "--org", SCHOOL, "--policy", "POLICE-1")
    days = ("--first-day", "2026-01-01", "--last-day")
    assert "jusqu'au 2030-12-31" in told(capsys, *insure, *days, "2030-12-31")
    assert refused(capsys, *insure, *days, "2025-12-31")[0] == 1


@pytest.mark.usefixtures("home")
def test_a_report_hides_what_is_small(capsys: Captured) -> None:
    """A-8.1: that nobody's measure was ended says it of each of a few."""
    report = ("convention", "report", CONVENTION, "--org", CITY)
    said = told(capsys, *report)
    assert "(A-8.1)" in said
    assert "— : moins de 5" in said
    assert [line.split()[-1] for line in said.splitlines() if "Mesures terminées" in line] == ["—"]
    found = read(capsys, *report)
    assert {one["total"] for one in found["tables"] if one["what"] == "alternative.ended"} == {None}
    assert refused(capsys, *report, "--public")[0] == 1
    assert read(capsys, *report, "--public", "--year", "2024")["threshold"] == 11
    assert refused(capsys, "convention", "report", "a-b-c", "--org", CITY)[0] == 1
