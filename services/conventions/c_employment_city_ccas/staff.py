"""The employer's whole staff, against which the number of supported contracts is judged."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from pydantic import Field

from contracts.conventions.c_employment_city_ccas.convention import CONVENTION
from contracts.kernel.errors import UnknownName
from contracts.kernel.suppression import Audience
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.governance import own_convention
from services.chassis.publishing import AlreadyPublished, read_published, year_of
from services.chassis.tally import tell
from services.conventions.c_employment_city_ccas.territory_store import Body

STAFF: Final = "pec.staff"
"""Code under which the number is kept, beside the counts of its year."""


class StaffNumber(Body):
    """Body of ``POST /staff-numbers`` (C-3a.7): how many work for the employer, in all.

    year: in which the year of the report begins. staff: persons, whatever their contract.
    """

    convention_id: Annotated[str, Field(max_length=64)] = Field(title="Convention")
    year: Annotated[int, Field(ge=2000, le=2200)] = Field(title="Année où commence celle du bilan")
    staff: Annotated[int, Field(ge=1, le=1_000_000)] = Field(title="Effectif total")


def record(tx: Tx, core: Core, body: StaffNumber, agent_id: str, at: datetime) -> None:
    """Keep the number for a year, in the place of what was said before.

    Raises UnknownName; InvalidPayload for a year in which the convention did not run;
    AlreadyPublished.
    """
    signed = own_convention(core, body.convention_id)
    if signed.convention.code != CONVENTION.code:
        raise UnknownName("Cette convention ne porte pas d'effectif.", code="no_staff")
    first = year_of(signed, body.year, at).first
    if read_published(tx.connection, signed.id, Audience.PARTIES, first) is not None:
        raise AlreadyPublished("Cette année est déjà arrêtée : son bilan ne change plus.")
    tell(tx, (signed.id, first, STAFF, "staff"), body.staff)
    core.journal.note(tx, "staff.told", agent_id, at, articles=("C-3a.7",))
