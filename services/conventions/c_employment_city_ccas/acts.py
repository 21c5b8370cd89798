"""What agents of each side record about a case of the employer axis, beside any message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.chassis.partner import LocalAct
from services.conventions.c_employment_city_ccas import booklets, candidates, contracts

CITY_ACTS: Final[Mapping[str, LocalAct]] = {
    **candidates.CITY_ACTS,
    **contracts.CITY_ACTS,
    **booklets.CITY_ACTS,
}
AGENCY_ACTS: Final[Mapping[str, LocalAct]] = {**contracts.ACTS, **booklets.AGENCY_ACTS}
