"""Deadlines that a decision to act without agreement brings: to tell the family, to review it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from services.chassis.deadlines import Clock, Due, again, arm
from services.chassis.tokens import Right

if TYPE_CHECKING:
    from datetime import datetime

    from services.chassis.core import Core
    from services.chassis.database import Tx

TELLING, REVIEW = "derogation.telling", "derogation.review"

REMINDED_AFTER: Final = timedelta(days=7)
"""After which time what was not done is asked for again."""


def _until_done(tx: Tx, core: Core, due: Due, at: datetime) -> None:
    """Ask again, one level up, until somebody has done it."""
    arm(tx, core, again(due, REMINDED_AFTER, at), at)


CLOCKS: Final = {
    clock.kind: clock
    for clock in (
        Clock(
            kind=TELLING,
            article="RGPD 14",
            label="Informer la famille du message envoyé sans son accord",
            missed=_until_done,
        ),
        Clock(
            kind=REVIEW,
            article="RGPD 5.2",
            label="Revoir la décision d'agir sans accord",
            told_to={Right.REGISTER, Right.REVIEW},
            missed=_until_done,
        ),
    )
}
"""Each on its article of the GDPR; the subject is the decision, which outlives its case."""
