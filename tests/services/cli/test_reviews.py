"""The yearly life of a convention at the command line, on a federation that runs."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest

from contracts.kernel.paris import add_months, day_of
from services.chassis.tokens import Role
from services.cli.app import main
from services.cli.reviews import _cell
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


@pytest.fixture
def counted(federation: Federation) -> int:
    """The school year that ended on the day the convention opened, published."""
    year = 2025
    with federation.client(CITY, Role.MANAGER) as client:
        answer = client.post(f"/api/v1/conventions/{CONVENTION}/reports", json={"year": year})
    assert answer.status_code in {HTTPStatus.CREATED, HTTPStatus.CONFLICT}, answer.text
    return year


@pytest.mark.usefixtures("home")
def test_a_year_is_published_once_and_not_while_it_runs(
    capsys: Captured, federation: Federation, counted: int
) -> None:
    """A-8.1."""
    publish = ("convention", "publish", CONVENTION, "--org", CITY, "--year")
    report = ("convention", "report", CONVENTION, "--org", CITY, "--year")
    assert "ne change plus" in refused(capsys, *publish, str(counted))[1]
    ahead = str(day_of(federation.now(CITY)).year)  # its school year ends next summer at the latest
    code, why = refused(capsys, *publish, ahead)
    assert (code, "année finie" in why) == (1, True)
    assert "n'est pas arrêté" in refused(capsys, *report, ahead)[1]
    school = (*publish[:-2], SCHOOL, "--year", str(counted))
    assert "ne change plus" in told(capsys, *school)


@pytest.mark.usefixtures("home", "counted")
def test_a_report_hides_what_is_small(capsys: Captured, tmp_path: Path) -> None:
    """A-8.1: as a table, as JSON and as a page that needs no node."""
    report = ("convention", "report", CONVENTION, "--org", CITY)
    said = told(capsys, *report)
    assert "(A-8.1)" in said
    assert "masqué : moins de 5" in said
    about = [line for line in said.splitlines() if "Mesures terminées" in line]
    assert [line.split()[-1] for line in about] == ["masqué"]
    found = read(capsys, *report, "--year", "2025")
    assert {one["total"] for one in found["tables"] if one["what"] == "alternative.ended"} == {None}
    assert read(capsys, *report, "--public")["threshold"] == 11
    assert refused(capsys, "convention", "report", "a-b-c", "--org", CITY)[0] == 1
    page = tmp_path / "bilan.html"
    assert str(page) in told(capsys, *report, "--page", str(page))
    assert "<h1>Bilan 2025-2026</h1>" in page.read_text("utf-8")
    assert "<style>" in page.read_text("utf-8")
    assert refused(capsys, *report, "--page", str(tmp_path))[0] == 2
    missing = refused(capsys, *report, "--year", "2030", "--page", str(page))
    assert "n'est pas arrêté" in missing[1]


@pytest.mark.usefixtures("home", "counted")
def test_a_report_for_a_spreadsheet_is_bytes(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """A-8.1: as the node sends them, mark and line ends included."""
    assert main(("convention", "report", CONVENTION, "--org", CITY, "--csv")) == 0
    written = capfdbinary.readouterr().out
    assert written.startswith(b"\xef\xbb\xbfConvention;")
    assert "masqué;moins de 5".encode() in written
    assert b"\r\n" in written


@pytest.mark.usefixtures("home")
def test_only_convention_d_has_six_indicators(capsys: Captured, tmp_path: Path) -> None:
    """D-5.7a: a city knows none."""
    six = ("convention", "indicators", CONVENTION, "--org", CITY)
    assert refused(capsys, *six)[0] == 1
    assert refused(capsys, *six, "--page", str(tmp_path / "six.html"))[0] == 1
    assert not (tmp_path / "six.html").exists()


@pytest.mark.parametrize(("cell", "said"), [(34, "34"), ("hidden", "masqué"), (None, "en attente")])
def test_a_count_of_the_six_is_a_number_hidden_or_awaited(
    cell: int | str | None, said: str
) -> None:
    """D-4.3, D-5.7a."""
    assert _cell(cell) == said
