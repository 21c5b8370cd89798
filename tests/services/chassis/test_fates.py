"""Each column of each table of each kind of node has its fate, and meets it (GDPR 5.1.e, 17)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Date, Integer, LargeBinary, MetaData, Row, Table, Text
from sqlalchemy.types import BigInteger, Boolean

from contracts.kernel.checks import Giver
from contracts.kernel.errors import InvalidDocument, UnknownName
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import midnight
from services.ccas.partner import PARTNER as CCAS
from services.chassis import letters, person_tables, schema, tables
from services.chassis.bundle import Bundle
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.erasure import erase_case, erase_person
from services.chassis.fates import WITH_CASE, WITH_PERSON, Fate, Goes, decide, fate_of
from services.chassis.keystore import KeyDestroyed
from services.chassis.retention import purge
from services.chassis.schema import Chars, Codes, UtcDateTime
from services.chassis.scopes import case_scope, person_scope
from services.chassis.table_fates import tables_of
from services.city.partner import PARTNER as CITY
from services.department.partner import PARTNER as DEPARTMENT
from services.employment_agency.partner import PARTNER as AGENCY
from services.mission_locale.partner import PARTNER as MISSION
from tests.pair import START, Pair, Side
from tests.parties import Organisation
from tests.services.conventions.c_employment_city_ccas.trio import Trio

SECOND = timedelta(seconds=1)
TABLES = sorted({t for kind in Kind for t in tables_of(kind.value)}, key=lambda t: t.name)


# --- every table and every column is decided


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_is_decided(table: Table) -> None:
    """What goes takes all its columns along; of what stays each is named, with the reason."""
    assert fate_of(table).fits(table)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_what_is_sealed_goes_with_its_key(table: Table) -> None:
    """No sealed content stays when its case or its person has gone, but signed proof."""
    fate = fate_of(table)
    sealed = {column.name for column in table.columns if isinstance(column.type, LargeBinary)}
    if fate.goes not in {Goes.CASE, Goes.PERSON}:
        signed = {"receipts.token", "witnessed_heads.proof", "sessions.id_token"}
        staying = sealed & set(fate.kept.split())
        assert {f"{table.name}.{name}" for name in staying} <= signed


def test_a_table_without_decision_is_found() -> None:
    with pytest.raises(UnknownName, match="new_ones"):
        fate_of(Table("new_ones", MetaData(), Column("one", Text)))


@pytest.mark.parametrize(
    "fate",
    [
        Fate(goes=Goes.AGE, why="preuve", kept="one"),
        Fate(goes=Goes.AGE, why="preuve", kept="one two", emptied="two"),
        Fate(goes=Goes.AGE, why="preuve", kept="one two three"),
        Fate(goes=Goes.NEVER, kept="one two"),
        Fate(goes=Goes.AGE, since="three", why="preuve", kept="one two"),
        Fate(goes=Goes.CASE, why="preuve", kept="one two"),
    ],
)
def test_a_column_without_decision_is_refused(fate: Fate) -> None:
    table = Table("new_ones", MetaData(), Column("one", Text), Column("two", Text))
    with pytest.raises(InvalidDocument, match="new_ones"):
        decide({table: fate})
    decide({table: Fate(goes=Goes.AGE, since="one", why="preuve", kept="one", emptied="two")})


# --- rows in every table, about two persons


@dataclass(frozen=True)
class About:
    """One person of a test, and all that a row can be tied to."""

    number: int

    @property
    def id(self) -> str:
        """Case, person and reference alike."""
        return f"{self.number:032x}"

    @property
    def at(self) -> datetime:
        return START - timedelta(days=self.number)


GOING, STAYING = About(1), About(2)
FAR = START + timedelta(days=20 * 365)
"""A case of the test goes by no date of its own, but in the end."""


def value(other: str, signed: str, about: About, column: Column[Any]) -> Any:
    """What a column holds of somebody: by its name, else by its type."""
    named = {
        "instrument": signed,
        "convention_id": signed,
        "scope": case_scope(about.id),
        "giver": Giver.YOUNG_PERSON.value,
        **dict.fromkeys(("partner", "receiver", "recipient"), other),
    }
    if column.table is tables.persons:
        named["scope"] = person_scope(about.id)
    if column.table is tables.outbox:
        named |= {"kind": letters.LETTER, "state": letters.QUEUED}
    if (column.table, column.name) == (tables.cases, "retain_until"):
        return FAR
    if column.table is tables.deadlines:
        named["subject"] = about.id
    if column.table is person_tables.destructions:  # its own case has yet to be destroyed
        named["case_id"] = f"f{about.id[1:]}"
    if column.name in named:
        return named[column.name]
    kinds: tuple[tuple[Any, Any], ...] = (
        (UtcDateTime, about.at),
        (Date, about.at.date()),
        (Boolean, True),
        ((Integer, BigInteger), about.number),
        (LargeBinary, b"sealed"),
        (Codes, ("code",)),
        (Text, "{}"),
    )
    if isinstance(column.type, Chars):
        return about.id[-column.type.length :]
    return next(content for kind, content in kinds if isinstance(column.type, kind))


def filled(side: Side, other: str, signed: str) -> None:
    """One row about each of two persons in every table of a node."""
    scopes = [scope(one.id) for scope in (case_scope, person_scope) for one in (GOING, STAYING)]
    side.node.keystore.ensure(scopes)
    for table in tables_of(side.node.core.kind.value):
        for about in (GOING, STAYING):
            row = {c.name: value(other, signed, about, c) for c in table.columns}
            side.write(partial(_insert, table=table, row=row))


def _insert(tx: Tx, *, table: Table, row: dict[str, Any]) -> None:
    tx.execute(table.insert().values(**row))


def row_of(side: Side, table: Table, about: About) -> Row[Any] | None:
    """The row about somebody, by the columns of its key that tell the two persons apart."""
    where = []
    for column in table.primary_key.columns:
        content = value("", "", about, column)
        if content != value("", "", STAYING if about is GOING else GOING, column):
            where.append(column == content)
    found = side.rows(table, *where)
    assert len(found) <= 1, table.name
    return found[0] if found else None


@contextmanager
def _pair(folder: Path, urls: tuple[str, str], name: str) -> Iterator[Pair]:
    made: dict[str, Callable[[], Pair]] = {
        "a": lambda: Pair(folder, urls),
        "b": lambda: Pair(
            folder, urls, partners=(CITY, MISSION), convention="b_city_mission_locale"
        ),
        "c": lambda: Trio(
            folder,
            urls,
            partners=(AGENCY, CITY),
            convention="c_employment_city_ccas",
            signed_on=date(2025, 1, 6),
        ),
        "c_ccas": lambda: Trio(
            folder,
            urls,
            partners=(AGENCY, CCAS),
            convention="c_employment_city_ccas",
            signed_on=date(2025, 1, 6),
            third=Organisation("commune", Kind.CITY, "x1"),
        ),
        "d": lambda: Pair(
            folder, urls, partners=(DEPARTMENT, MISSION), convention="d_department_mission_locale"
        ),
    }
    with made[name]() as pair:
        if isinstance(pair, Trio):
            pair.publish(Bundle(entries=(pair.third.entry(),)))
        for side, other in (pair.sides, pair.sides[::-1]):
            filled(side, other.org, pair.signed_id)
        yield pair


@pytest.fixture(params=["a", "b", "c", "c_ccas", "d"])
def pair(
    request: pytest.FixtureRequest, tmp_path: Path, new_database_url: Callable[[], str]
) -> Iterator[Pair]:
    """Both parties of each convention, every table of theirs filled."""
    urls = (new_database_url(), new_database_url())
    with _pair(tmp_path, urls, request.param) as made:
        yield made


CLOSED_AT_ONCE = {"due_at", "retry_at"}
"""Columns of what still waits, empty once it waits no more."""


def met(side: Side, table: Table, *gone: Goes) -> None:
    """What goes has gone, what stays holds what was decided, and nobody else is touched."""
    fate, row = fate_of(table), row_of(side, table, GOING)
    other = row_of(side, table, STAYING)
    assert other is not None, table.name
    assert None not in other, table.name
    if fate.goes in gone:
        assert row is None, table.name
    elif fate.goes not in {Goes.CASE, Goes.PERSON}:
        assert row is not None, table.name
        held = row._asdict()
        assert [name for name in fate.emptied.split() if held[name] is not None] == [], table.name
        lost = {name for name in fate.kept.split() if held[name] is None}
        assert lost <= CLOSED_AT_ONCE, table.name


def _erase(tx: Tx, *, core: Core, at: datetime) -> None:
    erase_case(tx, core, GOING.id, core.new_id(), at)


def test_each_column_is_as_decided_once_a_case_is_erased(pair: Pair) -> None:
    """GDPR 17: at both parties of each convention, in every table they have."""
    for side in pair.sides:
        core, at = side.node.core, side.clock.now()
        side.write(partial(_erase, core=core, at=at))
        for table in tables_of(core.kind.value):
            met(side, table, Goes.CASE)
        with pytest.raises(KeyDestroyed):
            side.node.keystore.seal(case_scope(GOING.id), b"", b"")
        assert side.node.keystore.seal(case_scope(STAYING.id), b"", b"")


def test_each_column_is_as_decided_once_a_person_is_erased(pair: Pair) -> None:
    """GDPR 17: the same, with all that one's own register ties to the person."""
    for side in pair.sides:
        core, at = side.node.core, side.clock.now()
        side.write(partial(erase_person, core=core, person_id=GOING.id, at=at))
        for table in tables_of(core.kind.value):
            if table is not tables.deadlines:  # what was due of the person is due no more
                met(side, table, Goes.CASE, Goes.PERSON)
        assert row_of(side, tables.deadlines, GOING) is None
        with pytest.raises(KeyDestroyed):
            side.node.keystore.seal(person_scope(GOING.id), b"", b"")


async def test_nothing_that_goes_with_a_convention_is_left_at_its_day(pair: Pair) -> None:
    """C-6.5, A-5.1, B-3.1, D-8.1: not a second before, and proof alone after."""
    for side in pair.sides:
        core = side.node.core
        signed = core.directory.conventions[pair.signed_id]
        assert signed.purged_on is not None
        at = midnight(signed.purged_on)
        brought = [
            table
            for table in tables_of(core.kind.value)
            if fate_of(table).convention == pair.convention or fate_of(table) is WITH_CASE
        ]
        await purge(side.node.database, core, at - SECOND)
        for table in brought:
            assert row_of(side, table, STAYING) is not None or _aged(table), table.name
        await purge(side.node.database, core, at)
        for table in brought:
            assert row_of(side, table, GOING) is None, table.name
            assert row_of(side, table, STAYING) is None, table.name


def _aged(table: Table) -> bool:
    """Whether a row of the test may have gone for its own age before the convention's end."""
    return table is tables.withheld or fate_of(table).goes is Goes.PERSON


async def test_what_goes_by_age_is_gone_in_the_end(pair: Pair) -> None:
    """GDPR 5.1.e: no rule is missing; what is left after decades is decided to be kept for good."""
    for side in pair.sides:
        core = side.node.core
        for years in (40, 44):  # what the end of a case closed is proof for three years more
            late = START + timedelta(days=years * 365)
            side.write(partial(core.partner.daily, core=core, at=late))
            await purge(side.node.database, core, late)
        for table in tables_of(core.kind.value):
            kept = fate_of(table).goes is Goes.NEVER
            ours = fate_of(table).convention in {"", pair.convention}
            if ours and table is not tables.charters:  # the charter in force has no end
                assert (row_of(side, table, GOING) is not None) is kept, table.name
        assert None not in {row.hash for row in side.rows(schema.journal)}


def test_with_what_a_row_goes_is_said_by_one_of_its_columns() -> None:
    """A row can only be found by the id of what it goes with."""
    for table in TABLES:
        fate = fate_of(table)
        if fate is WITH_CASE and table is not tables.held_proofs:  # found by the case's reference
            assert "case_id" in table.c, table.name
        if fate.goes is Goes.PERSON or fate is WITH_PERSON:
            assert "person_id" in table.c, table.name
