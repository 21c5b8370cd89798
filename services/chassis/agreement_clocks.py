"""Deadlines that an agreement brings with it: to hear the young person, at majority, to answer."""

from __future__ import annotations

from typing import Final

from services.chassis.deadlines import Clock

HEARING, MAJORITY, OBJECTION = "agreement.hearing", "agreement.majority", "agreement.objection"

CLOCKS: Final = {
    clock.kind: clock
    for clock in (
        Clock(kind=HEARING, article="CC 371-1", label="Écouter le jeune sur cet accord"),
        Clock(kind=MAJORITY, article="CC 414", label="Demander au jeune majeur son propre accord"),
        Clock(kind=OBJECTION, article="RGPD 12.3", label="Répondre à l'opposition"),
    )
}
"""Each on its article of the Code civil or of the GDPR; the subject is the agreement."""
