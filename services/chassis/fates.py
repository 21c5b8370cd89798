"""What becomes of every row once the case, the person or the convention behind it is over.

Each module of tables decides it for its own, right beside them. A row that goes takes all of its
columns along; of one that stays, every column is named, as emptied or as kept, with the reason. So
a new table or column is decided before it can be used: nothing is kept by omission. Retention
destroys by what is said here, and the register of processing shows it (GDPR 5.1.e, 30.1.f).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Table

from contracts.kernel.errors import InvalidDocument, UnknownName


class Goes(StrEnum):
    """With what a row is destroyed.

    age: by its own date, whatever becomes of the rest. never: it tells of nobody by then.
    """

    CASE = "case"
    PERSON = "person"
    CONVENTION = "convention"
    AGE = "age"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """The decision for one table.

    convention: code of the convention with which the rows go at the latest. since: of rows that go
    by age, the column from which the time of proof runs, where no rule of the chassis names it.
    why: one French sentence that says why a row stays when its case or person has gone; with it,
    kept and emptied name all columns, separated by spaces.
    """

    goes: Goes
    convention: str = ""
    since: str = ""
    why: str = ""
    kept: str = ""
    emptied: str = ""

    def fits(self, table: Table) -> bool:
        """Whether every column of the table is decided, once, and the reason given."""
        named = [*self.kept.split(), *self.emptied.split()]
        if self.goes in {Goes.CASE, Goes.PERSON}:
            return not named and not self.why
        columns = {column.name for column in table.columns}
        there = not self.since or self.since in columns
        return bool(self.why) and there and len(named) == len(columns) and set(named) == columns


WITH_CASE: Final = Fate(goes=Goes.CASE)
"""Destroyed with the case, every column of it."""

WITH_PERSON: Final = Fate(goes=Goes.PERSON)
"""Destroyed with the person of one's own register, every column of it."""

OF_AGENTS: Final = "agents de l'organisme, sous leur identifiant, le temps de la preuve (RGPD 5.2)"
"""Why what says which agent did something is kept."""

_KEY: Final = "fate"


def decide(fates: Mapping[Table, Fate]) -> None:
    """Lay down what becomes of tables. Raises InvalidDocument where a column has no decision."""
    for table, fate in fates.items():
        if not fate.fits(table):
            raise InvalidDocument(f"What becomes of each column of {table.name} is not decided.")
        table.info[_KEY] = fate


def fate_of(table: Table) -> Fate:
    """The decision for a table. Raises UnknownName where there is none."""
    found = table.info.get(_KEY)
    if not isinstance(found, Fate):
        raise UnknownName(f"Nobody decided what becomes of {table.name}.")
    return found
