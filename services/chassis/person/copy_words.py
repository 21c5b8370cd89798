"""A copy of what is held about a person, in words, for a page that prints."""

from __future__ import annotations

from datetime import date
from itertools import groupby
from typing import Any

from contracts.kernel.paris import day_of
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.pages.cases import STATES
from services.chassis.pages.content import Telling, name_of
from services.chassis.pages.rendering import day_in_words, instant_in_words
from services.chassis.person.agreed import agreements_of
from services.chassis.person.copying import Copy, HeldCase
from services.chassis.person.sentences import agreement_seen, sentence
from services.chassis.person.uses import uses_of
from services.chassis.person.visits import Visit
from services.chassis.words import titles


def in_words(tx: Tx, core: Core, visit: Visit, copy: Copy) -> dict[str, Any]:
    """What the printable page of a copy shows."""
    at = copy.made_at
    uses = [sentence(core, visit, one) for one in uses_of(tx, core, visit, at)]
    days = groupby(uses, key=lambda one: day_of(one.at))
    return {
        "copy": copy,
        "made": instant_in_words(at),
        "identities": [_identity(one) for one in copy.identities],
        "agreements": [
            agreement_seen(core, visit, one) for one in agreements_of(tx, core, visit, at)
        ],
        "cases": [_case(core, one) for one in copy.cases],
        "days": [(day_in_words(day), list(ones)) for day, ones in days],
        "recipients": [name_of(core, one) for one in copy.recipients],
    }


def _identity(one: dict[str, Any]) -> list[tuple[str, str]]:
    birth, channel = one.get("birth_date"), one.get("channel")
    return [
        ("Nom de famille", one.get("family_name") or "non dit"),
        ("Prénom", one.get("first_name") or "non dit"),
        ("Date de naissance", day_in_words(date.fromisoformat(birth)) if birth else "non dite"),
        ("Contact", channel["value"] if channel else "aucun"),
    ]


def _case(core: Core, one: HeldCase) -> dict[str, Any]:
    text = core.text(one.instrument)
    code = one.instrument if text is None else text.code
    labels = {**titles(core.registry, code), **core.partner.side(code).labels}
    until = one.retained_until
    return {
        "number": one.case_id[:8],
        "title": "Texte inconnu ici" if text is None else text.title,
        "partner": name_of(core, one.partner),
        "state": STATES.get(one.state, one.state),
        "opened": day_in_words(day_of(one.opened_at)),
        "until": "" if until is None else day_in_words(date.fromisoformat(until)),
        "kept_under": one.kept_under,
        "kept": sorted(set(one.kept.values())),
        "told": Telling(core, code).told(one.content),
        "left_out": [labels.get(name, name) for name in one.left_out],
    }
