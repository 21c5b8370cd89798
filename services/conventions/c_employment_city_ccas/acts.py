"""What agents of each side record about a case of the employer axis, beside any message."""

from __future__ import annotations

from typing import Final

from contracts.conventions.c_employment_city_ccas.convention import RECRUITMENT
from services.chassis.partner import concerning
from services.conventions.c_employment_city_ccas import booklets, candidates, contracts, store

CITY_ACTS: Final = concerning(
    RECRUITMENT,
    {**candidates.CITY_ACTS, **contracts.CITY_ACTS, **booklets.CITY_ACTS},
    store.PEC,
)
AGENCY_ACTS: Final = concerning(RECRUITMENT, {**contracts.ACTS, **booklets.AGENCY_ACTS}, store.PEC)
