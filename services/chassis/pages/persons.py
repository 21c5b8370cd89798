"""Whom a page speaks of: the person of a case or of the register, opened to be shown."""

from __future__ import annotations

from collections.abc import Sequence

from services.chassis import standing
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.standing import KnownPerson


def person_of_case(tx: Tx, core: Core, case_id: str) -> KnownPerson | None:
    """The person of a case; None where nobody is named here, or the case is erased."""
    row = tx.get(standing.CASES, case_id)
    if row is None or row.state == standing.ERASED:
        return None
    found = standing.person_of(tx, core, standing.of_case(tx, case_id, core.org))
    if found is not None or row.person_id is None:
        return found
    held = tx.get(standing.PERSONS, row.person_id)
    return None if held is None else standing.opened_person(tx, core, held.scope, held.sealed)


def read_persons(tx: Tx, case_ids: Sequence[str]) -> None:
    """Read the cases of a list and whom they are about at once, rather than one after another."""
    tx.preload(standing.CASES, case_ids)
    cases = [one for one in (tx.get(standing.CASES, case_id) for case_id in case_ids) if one]
    tx.preload(standing.PERSONS, [one.person_id for one in cases if one.person_id is not None])


def person_in_words(tx: Tx, core: Core, case_id: str) -> str:
    """Name of the person of a case; empty where nobody is named here."""
    person = person_of_case(tx, core, case_id)
    return "" if person is None else name_in_words(person)


def name_in_words(person: KnownPerson) -> str:
    """First name and family name."""
    return f"{person.identity.first_name} {person.identity.family_name}"
