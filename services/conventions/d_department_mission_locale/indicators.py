"""What convention D counts, once a case and where the facts lie; never anybody's data (D-5.4).

The department knows whom it asked for, which interviews were held together and which projects were
made together; the Mission Locale knows diagnoses, enrolments and youth contracts. Of the last three
only what went through these cases is counted, not what the Mission Locale does beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from contracts.conventions.d_department_mission_locale.convention import AUTONOMY
from contracts.kernel.organisation import Kind
from services.chassis import casefile, standing
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.tally import OPENED, Indicator, count
from services.conventions.d_department_mission_locale.models import youths

COUNTED_BY: Final[Mapping[str, Kind]] = {
    "requested": Kind.DEPARTMENT,
    "interviews": Kind.DEPARTMENT,
    "diagnoses": Kind.MISSION_LOCALE,
    "enrolled": Kind.MISSION_LOCALE,
    "projects": Kind.DEPARTMENT,
    "youth_contracts": Kind.MISSION_LOCALE,
}
"""The six counts of the yearly sheet, by field, and who counts each (D-5.7a to D-5.7f)."""

ONE: Final = "one"
"""Code under which each is counted: six counts of their own, and no parts of one whole (D-4.3)."""

PROPOSALS: Final = "youth_contract.proposal"
"""D-1.9: whether the youth contract was proposed before a case ended, as the department knows."""


def _yearly(what: str, article: str, label: str) -> Indicator:
    of = None if what == "requested" else "requested"
    return Indicator(what=what, article=article, label=label, labels={ONE: "Jeunes"}, of=of)


_OPENED: Final = Indicator(
    what=OPENED,
    article="D-1.2",
    label="Dossiers ouverts",
    labels={AUTONOMY: "Accès à l'autonomie"},
)

DEPARTMENT: Final = (
    _OPENED,
    _yearly("requested", "D-5.7a", "Jeunes pour qui la Mission Locale a été sollicitée"),
    _yearly("interviews", "D-5.7b", "Entretiens des 17 ans tenus en binôme"),
    _yearly("projects", "D-5.7e", "Projets d'accès à l'autonomie faits ensemble"),
    Indicator(
        what=PROPOSALS,
        article="D-1.9",
        label="Contrats d'engagement jeune proposés",
        labels={"proposed": "Proposés", "not_proposed": "Dossiers clos sans proposition"},
    ),
)
MISSION: Final = (
    _OPENED,
    _yearly("diagnoses", "D-5.7c", "Diagnostics d'orientation, dans ces dossiers"),
    _yearly("enrolled", "D-5.7d", "Jeunes inscrits, dans ces dossiers"),
    _yearly("youth_contracts", "D-5.7f", "Contrats d'engagement jeune, dans ces dossiers"),
)
"""What the yearly review shows at each side."""


def counted(tx: Tx, core: Core, case_id: str, what: str, at: datetime) -> None:
    """Count one of the six for a case, the first time it happens, at the side that counts it."""
    if COUNTED_BY[what] is core.kind and _first(tx, case_id, what):
        _count(tx, case_id, what, ONE, at)


def proposed(tx: Tx, core: Core, case_id: str, at: datetime) -> None:
    """Either side proposed the youth contract: the department counts it once (D-1.9)."""
    if _first(tx, case_id, "proposed") and core.kind is Kind.DEPARTMENT:
        _count(tx, case_id, PROPOSALS, "proposed", at)


def ended(tx: Tx, core: Core, case_id: str, at: datetime) -> None:
    """A case ends: nobody proposed the youth contract in it, and that is counted too (D-1.9)."""
    row = casefile.row_of(tx, youths, case_id)
    if row is not None and core.kind is Kind.DEPARTMENT and "proposed" not in row.counted:
        _count(tx, case_id, PROPOSALS, "not_proposed", at)


def _first(tx: Tx, case_id: str, code: str) -> bool:
    row = casefile.row_of(tx, youths, case_id)
    if row is None or code in row.counted:
        return False
    casefile.change(tx, youths, case_id, counted=(*row.counted, code))
    return True


def _count(tx: Tx, case_id: str, what: str, code: str, at: datetime) -> None:
    case = tx.get(standing.CASES, case_id)
    if case is not None:
        count(tx, case.instrument, what, code, at)
