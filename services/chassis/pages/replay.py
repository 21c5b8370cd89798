"""A decision replayed, in words: what the same rules say today of what was before them then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.chassis.views import ERASED_INPUTS


@dataclass(frozen=True, slots=True)
class Replay:
    """What a page says of a replay. kind: `same`, `different`, `erased`, `gone` or `none`.

    reasons: article and sentence of each. certificate: number of the erasure's.
    """

    kind: str
    title: str
    sentence: str
    reasons: Sequence[tuple[str, str]] = ()
    certificate: str | None = None


_ALLOWED = "rien ne s'y opposait, et le message pouvait passer"
_REFUSED = "il était refusé, pour les raisons qui suivent"


def replayed(told: Mapping[str, Any]) -> Replay:
    """The answer of `views.explain` as a page says it."""
    kind = told.get("replay")
    if kind == ERASED_INPUTS:
        return Replay(
            "erased",
            "Éléments effacés",
            "Ce sur quoi cette décision reposait a été détruit : elle ne peut plus être rejouée. "
            "La ligne et son empreinte restent, et la chaîne se vérifie toujours.",
            certificate=told.get("certificate"),
        )
    if kind == "rules gone":
        return Replay(
            "gone",
            "Règles absentes",
            "Les règles par lesquelles elle a été prise ne sont plus installées ici.",
        )
    reasons = [(one["article"], one["sentence"]) for one in told.get("reasons", ())]
    now = _REFUSED if reasons else _ALLOWED
    if kind == "same":
        sentence = f"Rejouée sur les mêmes éléments par les mêmes règles, elle est la même : {now}."
        return Replay("same", "Même décision", sentence, reasons)
    if kind == "different":
        sentence = (
            f"Rejouée sur les mêmes éléments, elle est autre que ce que le journal dit : {now}. "
            "Signalez-le : le journal ou les règles ont changé."
        )
        return Replay("different", "Décision différente", sentence, reasons)
    return Replay("none", "Rien à rejouer", "Cette ligne enregistre un fait : rien n'y est décidé.")
