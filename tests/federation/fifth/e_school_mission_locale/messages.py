"""Messages of convention E: a discovery of work is proposed, then answered."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from contracts.kernel.fields import Day, Payload, said
from contracts.kernel.messages import Identity

Weeks = Annotated[int, Field(ge=0, le=52)]
"""How long the discovery lasts, in weeks; the convention's own limit is narrower."""


class DiscoveryProposed(Payload):
    """A school proposes a young person for a discovery of work."""

    young_person: Identity = said(
        "Jeune", why="Désigne le jeune, une seule fois.", source="E-2.1", filled="identity"
    )
    weeks: Weeks = said("Semaines", why="Quatre semaines au plus.", source="E-2.2")
    trade: Literal["catering", "care", "woodwork"] = said(
        "Métier", why="Oriente la recherche d'un lieu.", source="E-2.1"
    )


class DiscoveryAnswered(Payload):
    """The Mission Locale says whether it found a place."""

    decision: Literal["found", "not_found"] = said("Réponse", why="Dit la suite.", source="E-2.3")
    starts_on: Day | None = said("Début", why="Premier jour, s'il y en a un.", source="E-2.3")
