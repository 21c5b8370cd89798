"""A-8.1: a year is counted once, over, and for good; nobody learns by asking again."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.paris import add_months, midnight
from contracts.kernel.suppression import Audience
from contracts.kernel.terms import ActKind
from services.chassis import convention_tables, retention
from services.chassis.publishing import AlreadyPublished, known_report
from services.chassis.schema import journal
from services.chassis.spreadsheet import COLUMNS, HIDDEN, write
from services.chassis.tokens import Role
from tests.attacker import attack, reporter
from tests.pair import CONVENTION, Pair
from tests.reports import ask, counting, happened, numbers, published

PATH = f"/api/v1/conventions/{CONVENTION}"
LAST_DAY = date(2027, 8, 31)
ANSWERS = "referral.answered"


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        happened(made.city, date(2026, 10, 1), {(ANSWERS, "accepted"): 7, (ANSWERS, "declined"): 5})
        yield made


def test_a_year_is_counted_from_its_last_day_on(pair: Pair) -> None:
    """A-8.1, D-5.7a, C-7.2: of a year that runs nothing leaves, to the parties neither."""
    city = pair.city
    pair.clock.at = midnight(LAST_DAY) - timedelta(seconds=1)
    with pytest.raises(InvalidPayload) as refused:
        published(city, 2026)
    assert refused.value.fields == (("year", "not_over"),)
    assert city.rows(convention_tables.reports) == []
    pair.clock.at = midnight(LAST_DAY)
    found = published(city, 2026)
    assert (found["first_day"], found["last_day"]) == ("2026-09-01", "2027-08-31")
    assert numbers(found, ANSWERS)["accepted"] == 7
    (line,) = city.rows(journal, journal.c.event == "report.published")
    assert (line.articles, line.agent_id) == (("A-8.1",), "agent-1")


def test_what_comes_late_changes_no_report_and_a_year_is_counted_once(pair: Pair) -> None:
    """A-8.1: the difference would be whoever came late."""
    city = pair.city
    pair.clock.at = midnight(LAST_DAY)
    first = published(city, 2026)
    happened(city, date(2027, 8, 1), {(ANSWERS, "accepted"): 1})
    assert numbers(counting(city, 2026), ANSWERS)["accepted"] == 8
    pair.clock.at += timedelta(days=30)
    with pytest.raises(AlreadyPublished):
        published(city, 2026)
    signed = city.node.core.directory.conventions[CONVENTION]
    for year in (2026, None):
        kept = city.node.database.read_now(
            partial(known_report, signed=signed, audience=Audience.PARTIES, year=year)
        )
        assert kept == first
    assert len(city.rows(convention_tables.reports)) == len(Audience)


def test_no_two_reports_count_one_month(pair: Pair) -> None:
    """A-8.1: years that overlapped by all but a day would tell that day's people apart."""
    pair.clock.at = datetime(2029, 12, 1, tzinfo=UTC)
    for year in range(2025, 2029):
        published(pair.city, year)
    rows = pair.city.rows(
        convention_tables.reports, convention_tables.reports.c.audience == "parties"
    )
    contents = [json.loads(row.content) for row in rows]
    days = sorted((one["first_day"], one["last_day"]) for one in contents)
    assert len(days) == 4
    assert all(
        date.fromisoformat(last) + timedelta(days=1) == date.fromisoformat(first)
        for (_, last), (first, _) in pairwise(days)
    )


def test_from_all_that_two_years_publish_no_hidden_number_is_found(pair: Pair) -> None:
    """A-8.1: both audiences' reports of both years, by whoever knows the rule."""
    city = pair.city
    years = {2025: (3, 9, 0), 2026: (7, 5, 0)}  # those of 2026 are there since the beginning
    first = dict(zip(CODES, years[2025], strict=True))
    happened(city, date(2026, 6, 1), {(ANSWERS, code): number for code, number in first.items()})
    pair.clock.at = midnight(LAST_DAY)
    rule = city.node.core.directory.conventions[CONVENTION].convention.small_cells
    hidden = 0
    for year, true in years.items():
        published(city, year)
        for audiences in ((Audience.PARTIES, Audience.PUBLIC), (Audience.PUBLIC,)):
            reports = [_read(pair, year, one) for one in audiences]
            cells = [numbers(one, ANSWERS) for one in reports]
            seen = tuple((tuple(one[code] for code in CODES), one["total"]) for one in cells)
            least = rule.threshold(audiences[0])
            left = attack(seen, reporter(rule, audiences), least)
            for position, number in enumerate(true):
                assert number in left[position]
                if seen[0][0][position] is None:
                    hidden += 1
                    assert len(left[position]) >= least - 1
    assert hidden >= 5


CODES = ("accepted", "declined", "more_contact_needed")


def _read(pair: Pair, year: int, audience: Audience) -> dict[str, Any]:
    signed = pair.city.node.core.directory.conventions[CONVENTION]
    return pair.city.node.database.read_now(
        partial(known_report, signed=signed, audience=audience, year=year)
    )


@pytest.mark.parametrize("year", [2024, 2029])
def test_a_year_outside_the_convention_is_none(pair: Pair, year: int) -> None:
    """A-9.1: the years next to them, which it touches, are counted."""
    pair.clock.at = datetime(2031, 1, 1, tzinfo=UTC)
    with pytest.raises(InvalidPayload) as refused:
        published(pair.city, year)
    assert refused.value.fields == (("year", "out_of_range"),)
    published(pair.city, year + 1 if year < 2026 else year - 1)


def test_a_convention_that_ends_ends_its_year(pair: Pair) -> None:
    """A-10.1: its last report is written on its last day."""
    pair.act(pair.city, ActKind.TERMINATION_NOTICE, received_on=date(2026, 11, 20))
    ends = add_months(date(2026, 11, 20), 6)
    pair.clock.at = midnight(ends - timedelta(days=1)) - timedelta(seconds=1)
    with pytest.raises(InvalidPayload):
        published(pair.city, 2026)
    pair.clock.at += timedelta(seconds=1)
    assert published(pair.city, 2026)["last_day"] == "2027-05-19"


def test_a_report_outlives_the_convention_and_all_that_it_counts(pair: Pair) -> None:
    """A-8.1: it names nobody, and counted anew it would differ."""
    pair.clock.at = midnight(LAST_DAY)
    published(pair.city, 2026)
    core = pair.city.node.core
    old = core.policy.proof_days + 3 * 366
    due = pair.city.node.database.read_now(
        lambda c: retention.due(c, core, pair.clock.at + timedelta(days=old))
    )
    assert "reports" not in due.rows


async def test_the_calls(pair: Pair) -> None:
    """A-8.1: whoever answers for the organisation counts; whoever works there reads."""
    city = pair.city
    pair.clock.at = midnight(LAST_DAY)
    body = {"year": 2026}
    path = f"{PATH}/report"
    absent = await ask(city, path)
    assert (absent.status_code, absent.json()["code"]) == (404, "not_published")
    assert (await ask(city, f"{PATH}/reports", method="POST", json=body)).status_code == 403
    said = await ask(city, f"{PATH}/reports", Role.MANAGER, "POST", json=body)
    assert (said.status_code, said.json()["last_day"]) == (201, "2027-08-31")
    again = await ask(city, f"{PATH}/reports", Role.MANAGER, "POST", json=body)
    assert (again.status_code, again.json()["code"]) == (409, "already_published")
    assert (await ask(city, path, None)).status_code == 401
    shown = (await ask(city, path)).json()
    assert (shown["threshold"], shown["parties"]) == (5, ["Organisme s1", "Organisme v1"])
    public = (await ask(city, f"{path}?audience=public&year=2026")).json()
    assert (public["threshold"], numbers(public, ANSWERS)["accepted"]) == (11, None)
    assert (await ask(city, f"{path}?year=2025")).status_code == 404
    assert (await ask(city, f"{path}?month=9")).status_code == 422
    elsewhere = await ask(city, "/api/v1/conventions/b-ailleurs/report")
    assert elsewhere.json()["code"] == "unknown_convention"


async def test_a_report_for_a_spreadsheet_says_that_a_number_is_hidden(pair: Pair) -> None:
    """A-8.1: RFC 4180, semicolons, and never an empty cell or a zero for what is hidden."""
    pair.clock.at = midnight(LAST_DAY)
    published(pair.city, 2026)
    answer = await ask(pair.city, f"{PATH}/report.csv?audience=public")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    text = answer.content.decode("utf-8-sig")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert text.count("\r\n") == text.count("\n")
    head, *lines = csv.reader(StringIO(text, newline=""), delimiter=";")
    assert head == list(COLUMNS)
    found = {(line[4], line[5]): line[6:] for line in lines}
    about = "Réponses aux fiches de repérage"
    assert found[about, "Accompagnement accepté"] == [
        HIDDEN,
        "moins de 11, ou de quoi le retrouver",
    ]
    assert found[about, "Total"] == ["12", ""]
    assert found["Mesures terminées", "Total"][0] == HIDDEN
    assert all(line[6] == HIDDEN or int(line[6]) >= 11 for line in lines)
    assert {line[1] for line in lines} == {"2026-09-01"}


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx"])
def test_a_spreadsheet_computes_nothing_that_a_report_says(cell: str) -> None:
    """A name that begins as a formula is text; what needs quotes is quoted, and read back whole."""
    content = write([[cell, 'a;"b"\r\nc', "x=1"]]).decode("utf-8-sig")
    (line,) = csv.reader(StringIO(content, newline=""), delimiter=";")
    assert line == [f"'{cell}", 'a;"b"\r\nc', "x=1"]


def test_a_report_that_was_not_published_is_not_there(pair: Pair) -> None:
    signed = pair.city.node.core.directory.conventions[CONVENTION]
    with pytest.raises(UnknownName) as absent:
        pair.city.node.database.read_now(lambda c: known_report(c, signed, Audience.PUBLIC, None))
    assert absent.value.code == "not_published"
