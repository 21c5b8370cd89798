"""What agents read for the names of what either side keeps of convention B."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LABELS: Final[Mapping[str, str]] = {
    "cosupport": "Co-accompagnement",
    "immersion": "Immersion",
    "orientation": "Orientation",
    "outcome": "Issue",
    "requested": "Demandée",
    "review_on": "Prochain point",
    "tries": "Tentatives sans réponse",
}
