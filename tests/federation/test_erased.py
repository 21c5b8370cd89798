"""After a person's erasure nobody can read of them any more, at any partner (GDPR 17, 19).

Not even whoever holds all of an organisation: databases, key store, secret, letterbox, logs. What
stays is what each table says that it keeps, under random ids; and every journal still verifies.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import httpx

from services.chassis.fates import fate_of
from services.chassis.table_fates import tables_of
from services.federation.layout import OBSERVER, REGISTRAR
from tests.federation.leaks import Search, day_spellings, number_spellings
from tests.federation.opened import finds, sealed, tables
from tests.federation.test_privacy import MONITORING, journal, page
from tests.federation.town import CITY, SCHOOL, Town, until

FAMILY, FIRST, PARENT = "Soixantequatorze", "Philiberte", "Hermenegilde"
MAIL, PHONE = "philiberte@logis.example", "+33639987654"
BIRTH: Final = date(2012, 8, 17)
PERSON: Final[dict[str, Any]] = {
    "identity": {
        "family_name": FAMILY,
        "first_name": FIRST,
        "birth_date": BIRTH.isoformat(),
        "channel": {"kind": "email", "value": MAIL},
    },
    "representatives": [
        {
            "family_name": FAMILY,
            "first_name": PARENT,
            "channel": {"kind": "phone", "value": PHONE},
        }
    ],
}
REFERENT: Final = {
    "name": "Cunegonde Referente",
    "role": "référente de parcours",
    "phone": None,
    "email": None,
}
WORDS: Final = tuple(
    word.encode() for word in (FAMILY, FIRST, PARENT, MAIL, PHONE, BIRTH.isoformat(), "Cunegonde")
)
SENT: Final = {word for word in WORDS if word != b"Cunegonde"}


def followed(town: Town) -> tuple[str, str]:
    """A pupil referred to the city, who keeps the pathway; returns person and case."""
    person = town.head.post("/api/v1/persons", json=PERSON).raise_for_status().json()["person_id"]
    case_id = town.accepted(town.agree(person))["case_id"]
    body = {"type": "referral.answered", "to": SCHOOL, "case_id": case_id}
    data = {"decision": "accepted", "referent": REFERENT, "next_date": "2031-12-15"}
    sent = town.youth.post("/api/v1/messages", json={**body, "data": data}).raise_for_status()
    assert town.until(town.youth, sent.json()["message_id"], "accepted")["state"] == "accepted"
    return person, case_id


def erase(town: Town, person: str, case_id: str) -> None:
    """The family asks the school; returns once it holds both certificates."""
    town.dpo[SCHOOL].post(f"/api/v1/persons/{person}/erasure").raise_for_status()

    def certified() -> bool:
        held = town.dpo[SCHOOL].get(f"/api/v1/cases/{case_id}").json()["certificates"]
        return {one["org"] for one in held} == {SCHOOL, CITY}

    until(certified, "somebody has not certified the erasure")
    for org in (SCHOOL, CITY):
        town.dpo[org].post("/api/v1/retention").raise_for_status()


def test_nobody_can_read_of_an_erased_person_anywhere(town: Town) -> None:
    """GDPR 17, 19; beside the same search before, which finds everything at both."""
    before = {org: sealed(town, org) for org in town.fed.layout.orgs}
    person, case_id = followed(town)
    for org in (SCHOOL, CITY):
        assert {word for _, word in finds(town, org, WORDS, before[org])} >= SENT, org
    assert b"Cunegonde" in {word for _, word in finds(town, CITY, WORDS, before[CITY])}

    erase(town, person, case_id)
    for org in town.fed.layout.orgs:
        assert finds(town, org, WORDS, before[org]) == set(), org
    search = Search(
        (
            *(FAMILY, FIRST, PARENT, MAIL, "Cunegonde"),
            *day_spellings(BIRTH),
            *number_spellings(PHONE),
        )
    )
    assert search.in_folder(town.fed.layout.home) == {}
    shown = (*desks(town, person, case_id), *machinery(town))
    assert {name for name, content in shown if search.in_text(content)} == set()
    for org in town.fed.layout.orgs:
        assert kept_against_its_fate(town, org, (person, case_id)) == set()
    assert waiting_letters(town) == 0
    assert unsound_journals(town) == {}


def desks(town: Town, person: str, case_id: str) -> Iterator[tuple[str, str]]:
    """What the agents of both sides are shown of the person and the case."""
    clients = {"head": town.head, "youth": town.youth, **town.dpo}
    paths = (f"/cases/{case_id}", "/cases", "/messages", "/deadlines", "/retention", "/conventions")
    for name, client in clients.items():
        for path in (*paths, f"/persons/{person}"):
            yield f"{name}{path}", client.get(f"/api/v1{path}").text
    for org, dpo in town.dpo.items():
        for lines in journal(dpo):
            yield f"{org}/journal", json.dumps(lines, ensure_ascii=False)


def machinery(town: Town) -> Iterator[tuple[str, str]]:
    """What nodes, registrar and trace page show to whoever watches them."""
    for part in (*town.fed.layout.orgs, REGISTRAR, OBSERVER):
        for path in ("metrics", "readyz", "healthz", "state", "directory", ""):
            yield f"{part}/{path}", httpx.get(f"{town.fed.url(part)}/{path}").text
    for name, port in town.monitoring.items():
        for path in MONITORING:
            yield f"{name}/{path}", json.dumps(page(port, path), ensure_ascii=False)


def kept_against_its_fate(town: Town, org: str, ids: tuple[str, ...]) -> set[str]:
    """Columns that still hold an id of the person or the case, though nobody decided so."""
    kind = town.fed.layout.federation.member(org).kind.value
    fates = {table.name: fate_of(table) for table in tables_of(kind)}
    return {
        f"{table}.{name}"
        for table, row in tables(town.database_urls(org)[0])
        for name, cell in row.items()
        if isinstance(cell, str) and any(one in cell for one in ids)
        if name not in fates[table].kept.split()
    }


def waiting_letters(town: Town) -> int:
    """Letters that any letterbox still holds, each overwritten once it was handled."""

    def count() -> int:
        boxes = (page(port, "jsz")["messages"] for name, port in town.monitoring.items() if port)
        return sum(boxes)

    until(lambda: count() == 0, "a letterbox still holds letters")
    return count()


def unsound_journals(town: Town) -> dict[str, Any]:
    """Journals that do not verify, or not with the heads that their partners hold."""
    found = {}
    for org in town.fed.layout.orgs:
        report = town.dpo[org].get("/api/v1/journal/verification").json()
        if not report["ok"]:
            found[org] = report["problems"]
    for org, other in ((SCHOOL, CITY), (CITY, SCHOOL)):
        held = town.dpo[other].get(f"/api/v1/journal/witnessed/{org}").json()
        assert held
        lines = {one["seq"]: one["hash"] for part in journal(town.dpo[org]) for one in part}
        wrong = [one for one in held if lines.get(one["seq"]) != one["hash"]]
        if wrong:
            found[f"{org} at {other}"] = wrong
    return found
