"""The deadline that a right brings when somebody exercises it: a month to answer."""

from __future__ import annotations

from typing import Final

from services.chassis.deadlines import Clock

ANSWER: Final = "rights.answer"

CLOCKS: Final = {
    ANSWER: Clock(kind=ANSWER, article="RGPD 12.3", label="Répondre à une demande de la personne"),
}
"""On its article of the GDPR; the subject is the request."""
