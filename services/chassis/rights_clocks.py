"""The deadline that a right brings when somebody exercises it: a month to answer."""

from __future__ import annotations

from typing import Final

from services.chassis.deadlines import Clock
from services.chassis.tokens import Right

ANSWER: Final = "rights.answer"

CLOCKS: Final = {
    ANSWER: Clock(
        kind=ANSWER,
        article="RGPD 12.3",
        label="Répondre à une demande de la personne",
        told_to={Right.REVIEW},
    ),
}
"""On its article of the GDPR; the subject is the request."""
