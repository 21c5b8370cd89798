"""Columns as data: what a caller may write is as long as its column, on either database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy import Column, String, Text, TypeDecorator

from contracts.kernel.organisation import Kind
from contracts.kernel.receipts import Head
from services.chassis import migrate, schema, tables
from services.chassis.acts import NoticeBody
from services.chassis.api import MessageBody
from services.chassis.engines import UnfitText
from services.chassis.people import CharterBody
from services.chassis.register import NoticeRecord
from services.chassis.schema import Chars
from services.city import models as city
from services.city.actions import NewReferent
from services.city.routes import Designation, Host
from services.conventions.b_city_mission_locale import models as mission
from services.conventions.b_city_mission_locale.acts import CosupportReferent
from services.conventions.b_city_mission_locale.routes import (
    CommonEvent,
    RepresentativeNotice,
)
from services.conventions.c_employment_city_ccas import models as employer
from services.conventions.c_employment_city_ccas import territory_models as employment
from services.conventions.c_employment_city_ccas.contracts import TutorNamed
from services.conventions.c_employment_city_ccas.desks import Desk
from services.conventions.c_employment_city_ccas.governance import FinalReport, Reading
from services.conventions.c_employment_city_ccas.seekers import Seeker
from services.conventions.c_employment_city_ccas.territory_actions import CollectiveAction
from services.conventions.c_employment_city_ccas.territory_referents import StaffNotice
from services.conventions.c_employment_city_ccas.tutors import Tutor
from services.conventions.d_department_mission_locale import models as autonomy
from services.conventions.d_department_mission_locale.acts import YouthReferent
from services.conventions.d_department_mission_locale.department_routes import HolderNotice
from services.conventions.d_department_mission_locale.routes import Foundation
from services.department import models as department
from services.department.routes import Designation as DepartmentDesignation

BRANCHES = {branch for kind in Kind for branch in migrate.branches_of(kind.value)}
COLUMNS = [
    column
    for branch in BRANCHES
    for table in branch.metadata.sorted_tables
    for column in table.columns
]
"""Of every node, whatever its kind."""


def limit(model: type[BaseModel], field: str) -> int | None:
    """Most characters that a field takes, from its JSON Schema; None where it sets none."""
    said = model.model_json_schema()["properties"][field]
    found = [one.get("maxLength", _in_pattern(one)) for one in said.get("anyOf", [said])]
    lengths = [length for length in found if length is not None]
    return max(lengths, default=None)


def _in_pattern(said: dict[str, Any]) -> int | None:
    tail = str(said.get("pattern", "")).rpartition(",")[2]
    number = tail.removesuffix("$").removesuffix("}")
    return int(number) if number.isdecimal() else None


WRITTEN: list[tuple[type[BaseModel], str, Column[Any]]] = [
    (NoticeRecord, "version", tables.agreements.c.notice_version),
    (NoticeBody, "version", tables.notices.c.version),
    (CharterBody, "version", tables.charters.c.version),
    (MessageBody, "type", tables.outbox.c.type),
    (MessageBody, "convention_id", tables.outbox.c.instrument),
    (Head, "chain", schema.witnessed_heads.c.chain),
    (Head, "hash", schema.witnessed_heads.c.hash),
    (NewReferent, "agent_id", city.pathway_referents.c.agent_id),
    (Designation, "agent_id", city.designations.c.agent_id),
    (Designation, "decision", city.designations.c.decision),
    (Host, "name", city.hosts.c.name),
    (Host, "agreement", city.hosts.c.agreement),
    (CosupportReferent, "agent_id", mission.referents.c.agent_id),
    (CommonEvent, "convention_id", mission.common_events.c.convention_id),
    (RepresentativeNotice, "version", mission.representative_notices.c.version),
    (YouthReferent, "agent_id", autonomy.referents.c.agent_id),
    (HolderNotice, "version", autonomy.holder_notices.c.version),
    (Foundation, "convention_id", autonomy.foundations.c.convention_id),
    (DepartmentDesignation, "agent_id", department.designations.c.agent_id),
    (DepartmentDesignation, "decision", department.designations.c.decision),
    (Reading, "convention_id", employment.readings.c.convention_id),
    (FinalReport, "convention_id", employment.final_reports.c.convention_id),
    (CollectiveAction, "convention_id", employment.collective_actions.c.convention_id),
    (Desk, "agent_id", employment.desks.c.agent_id),
    (StaffNotice, "name", employment.staff_notices.c.name),
    (Seeker, "counsellor", employer.seekers.c.counsellor),
    (Tutor, "staff_id", employer.tutors.c.staff_id),
    (TutorNamed, "staff_id", employer.tutorships.c.staff_id),
]
"""What somebody types or sends as a text, and where it is kept."""


@pytest.mark.parametrize(
    ("model", "field", "column"),
    WRITTEN,
    ids=lambda one: getattr(one, "__name__", None) or str(one),
)
def test_a_field_is_no_longer_than_its_column(
    model: type[BaseModel], field: str, column: Column[Any]
) -> None:
    """Else its caller is told of a table instead of a field."""
    longest = limit(model, field)
    assert isinstance(column.type, Chars)
    if model is Head and field == "hash":  # a digest: its pattern gives the length exactly
        assert longest is None
        longest = schema.HASH_LENGTH
    assert longest is not None
    assert longest <= column.type.length


def texts() -> Iterator[Column[Any]]:
    for column in COLUMNS:
        kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
        if isinstance(kind, String) and not isinstance(kind, Text):
            yield column


def test_every_text_of_limited_length_checks_it_itself() -> None:
    """SQLite keeps any length: what passes there must not fail on PostgreSQL."""
    assert [str(column) for column in texts() if not isinstance(column.type, Chars)] == []
    assert len(list(texts())) > 50


def test_a_text_that_does_not_fit_is_refused_before_any_database() -> None:
    kind: Any = Chars(3)
    bind = kind.process_bind_param
    assert bind("abc", None) == "abc"
    assert bind(None, None) is None
    for wrong in ("abcd", "a\0"):
        with pytest.raises(UnfitText):
            bind(wrong, None)
