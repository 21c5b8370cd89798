"""What must hold once a year is over, whatever happened to whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import date
from functools import partial
from typing import Any

from contracts.conventions.a_city_school.convention import ALTERNATIVE
from contracts.conventions.d_department_mission_locale.indicators import may_show
from contracts.kernel.errors import InvalidPayload
from contracts.kernel.paris import add_months, day_of, midnight
from contracts.kernel.suppression import Audience
from services.chassis import convention_tables, letters, migrate, retention, tables
from services.chassis.publishing import counted_report, year_of
from services.chassis.schema import journal
from services.chassis.scopes import case_scope
from services.conventions.d_department_mission_locale import yearly
from services.conventions.d_department_mission_locale.indicators import COUNTED_BY, ONE
from tests.pair import Side
from tests.year.town import Counted, Town

LEGAL = {"mayor_attendance", "training_obligation"}
"""What the law alone has told outlives every text, until its own day."""


def nothing_waits(side: Side, refused: Collection[str]) -> None:
    """Every letter left, arrived and was answered; only what should be was refused."""
    assert side.rows(tables.outbox, tables.outbox.c.due_at.is_not(None)) == []
    sent = side.rows(tables.outbox, tables.outbox.c.kind == letters.LETTER)
    assert {row.state for row in sent if row.message_id not in refused} <= {"accepted"}
    assert {row.state for row in sent if row.message_id in refused} <= {"refused"}
    assert side.rows(tables.dead_letters) == []


def every_deadline_was_met_or_told(side: Side) -> None:
    """What passed unmet was told, and once."""
    now = side.clock.now()
    told = Counter(
        row.message_id for row in side.rows(journal, journal.c.event == "deadline.missed")
    )
    for row in side.rows(tables.deadlines):
        assert row.state != "pending" or row.due_at > now, row
        assert row.state not in {"missed", "late"} or row.deadline_id in told, row
    assert set(told.values()) <= {1}


def nothing_is_due_of_any_case(side: Side) -> None:
    """Of a case that is over nothing waits, nor does anything of one that only the law keeps."""
    waits = tables.deadlines.c.state.in_(("pending", "missed"))
    assert side.rows(tables.deadlines, waits & tables.deadlines.c.case_id.is_not(None)) == []


def kept_cases(side: Side) -> set[str]:
    """Cases that are not destroyed: those of the law alone, each until a day to come."""
    kept = side.rows(tables.cases, tables.cases.c.state != "erased")
    for row in kept:
        assert row.instrument in LEGAL, row
        assert row.retain_until is not None, row
        assert row.retain_until > side.clock.now(), row
    return {row.case_id for row in kept}


KEPT_MONTHS = {"a": 3, "b": 3, "c": 2, "d": 3}
"""Months for which an ended case is kept, by text (A-5.1, B-3.1, C-6.5, D-8.1)."""
SCHOOL_YEAR_MONTHS = 12
"""Of a measure the contract stays until the school year ends, whenever in it that was (A-5.1)."""


def no_ended_case_outlives_its_months(side: Side) -> None:
    """Of what ended nothing is left some months later, while its text still runs."""
    over = tables.cases.c.state.in_(("closed", "stopped"))
    for row in side.rows(tables.cases, over & tables.cases.c.instrument.not_in(LEGAL)):
        measure = row.purpose == ALTERNATIVE
        months = SCHOOL_YEAR_MONTHS if measure else KEPT_MONTHS[row.instrument[0]]
        assert side.clock.now() < midnight(add_months(day_of(row.closed_at), months)), row


PROOF = {"cases", "certificates", "deadlines", "outbox", "journal"}
"""Tables that name a case by its random id and nothing of it, for as long as proof is kept."""


def nothing_is_kept_too_long(side: Side) -> None:
    """No row speaks of a destroyed case, its key is gone, and every register has been emptied."""
    at, core = side.clock.now(), side.node.core
    assert side.node.database.read_now(lambda c: retention.due(c, core, at)).total == 0
    kept = kept_cases(side)
    for branch in migrate.branches_of(core.kind.value):
        for table in branch.metadata.tables.values():
            if "case_id" in table.c and table.name not in PROOF:
                assert {row.case_id for row in side.rows(table)} - {None} <= kept, table.name
    for row in side.rows(tables.cases, tables.cases.c.state == "erased"):
        assert core.keystore.destroyed_at(case_scope(row.case_id)) is not None, row
    scopes = {row.scope for row in side.rows(tables.persons)}
    own = {row.person_id for row in side.rows(tables.cases, tables.cases.c.case_id.in_(kept))}
    followed = {f"person:{person_id}" for person_id in own}
    assert scopes <= {case_scope(case_id) for case_id in kept} | followed


def every_text_is_over_and_proved_so(side: Side) -> None:
    """Each party wrote down what each end of each of its texts destroyed (C-6.5)."""
    core, now = side.node.core, side.clock.now()
    mine = {one.id for one in core.directory.conventions.values() if core.org in one.orgs}
    ends = {(row.convention_id, row.ended_on) for row in side.rows(convention_tables.purges)}
    assert {name for name, _ in ends} == mine
    for row in side.rows(convention_tables.purges):
        assert row.kept == 0, row
        assert row.ended_on < day_of(now), row


def both_sides_hold_the_same_cases(town: Town) -> int:
    """No case at one side alone but one that was refused there; returns how many there are."""
    held = {
        (row.case_id, side.org): (row.partner, row.instrument, row.state)
        for side in town.sides
        for row in side.rows(tables.cases)
    }
    alone = set(town.refused.values())
    for (case_id, org), (partner, instrument, state) in held.items():
        if case_id not in alone:
            assert held.get((case_id, partner)) == (org, instrument, state), (org, instrument)
        else:
            assert state == "erased", instrument
    return len({case_id for case_id, _ in held})


def counted(town: Town) -> Counter[Counted]:
    """What the nodes counted, and the cases that they opened, by month."""
    found: Counter[Counted] = Counter()
    for side in town.sides:
        for row in side.rows(tables.tallies):
            found[side.org, row.convention_id, row.month, row.what, row.code] += row.number
        for row in side.rows(tables.cases):
            month = day_of(row.opened_at).replace(day=1)
            found[side.org, row.instrument, month, "opened", row.purpose] += 1
    return found


def reports_tell_what_was_told(town: Town) -> int:
    """Each number that a review shows is the one that was told; returns how many it shows."""
    shown = 0
    for side in town.sides:
        core = side.node.core
        for signed in core.directory.conventions.values():
            if core.org not in signed.orgs:
                continue
            for year in (2024, 2025, 2026, 2027):
                at = side.clock.now()
                try:
                    period = year_of(signed, year, at)
                except InvalidPayload:  # the text did not run then
                    assert (
                        within(
                            town.counted,
                            side.org,
                            signed.id,
                            date(year, signed.convention.year_begins, 1),
                        ).total()
                        == 0
                    )
                    continue
                truth = within(town.counted, side.org, signed.id, period.first)
                report = side.node.database.read_now(
                    partial(
                        counted_report,
                        core=core,
                        signed=signed,
                        period=period,
                        audience=Audience.PARTIES,
                        at=at,
                    )
                )
                shown += sum(told(table, truth) for table in report["tables"])
    return shown


def within(told: Counter[Counted], org: str, signed_id: str, first: date) -> Counter[Any]:
    """What one party told of one text in the year that begins on a day, by what and code."""
    end = add_months(first, 12)
    found: Counter[Any] = Counter()
    for (one, instrument, month, what, code), number in told.items():
        if (one, instrument) == (org, signed_id) and first <= month < end:
            found[what, code] += number
    return found


def told(table: dict[str, Any], truth: Counter[Any]) -> int:
    """Numbers of one indicator: as told where they are shown; hidden only where some are small."""
    what, shown = table["what"], 0
    true = {cell["code"]: truth[what, cell["code"]] for cell in table["cells"]}
    for cell in table["cells"]:
        if cell["number"] is not None:
            assert cell["number"] == true[cell["code"]], (what, cell)
            shown += cell["number"] > 0
    hidden = any(cell["number"] is None for cell in table["cells"])
    assert not hidden or any(0 < number < 5 for number in true.values()) or sum(true.values()) < 11
    assert table["total"] in {None, sum(true.values())}, table
    assert {code for name, code in truth if name == what} <= true.keys(), what
    return shown


def sheets_tell_what_was_told(town: Town, year: int) -> int:
    """The yearly sheet of D as both sides read it: as told, or hidden (D-4.3, D-5.7a to D-5.7f).

    Returns how many numbers it shows.
    """
    lane = town.lanes["d"]
    read = [
        side.node.database.read_now(lambda c: yearly.joined(c, lane.signed_id))
        for side in lane.sides
    ]
    assert read[0] == read[1]
    (found,) = [one["cells"] for one in read[0] if one["counted_on"] == f"{year}-12-31"]
    truth = {
        what: within(town.counted, side.org, lane.signed_id, date(year, 1, 1))[what, ONE]
        for what, kind in COUNTED_BY.items()
        for side in lane.sides
        if side.node.core.kind is kind
    }
    for what, cell in found.items():
        if what == "requested" or may_show(truth[what], truth["requested"]):
            assert cell in {truth[what], "hidden"}, what
        else:
            assert cell == "hidden", what
    return sum(isinstance(cell, int) for cell in found.values())
