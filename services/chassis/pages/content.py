"""What an organisation holds about a case, in words: labels for names, words for values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from services.chassis.core import Core
from services.chassis.directory import Directory
from services.chassis.pages.rendering import day_in_words, instant_in_words
from services.chassis.words import titles

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT.+")
_NUMBER: Final = re.compile(r"[0-9a-f]{32}")
_FRENCH_LINE: Final = re.compile(r"\+33([1-9])(\d\d)(\d\d)(\d\d)(\d\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One thing that is held: a value in words, or a block of others under its label."""

    label: str
    value: str = ""
    parts: tuple[Told, ...] = ()


def readable(text: str) -> str:
    """The same, a French telephone number as it is dialled: ``01 99 00 12 34``."""
    return _FRENCH_LINE.sub(r"0\1 \2 \3 \4 \5", text)


def name_of(core: Core, org: str) -> str:
    """What people call an organisation; its id where the directory does not know it."""
    entry = core.directory.entry(org)
    return org if entry is None else entry.name


class Telling:
    """Says what is held under one instrument. instrument: its code."""

    def __init__(self, core: Core, instrument: str) -> None:
        self._core = core
        self._instrument = instrument
        self._labels = {
            **titles(core.registry, instrument),
            **_NAMES,
            **core.partner.side(instrument).labels,
        }

    def told(self, content: Mapping[str, Any]) -> tuple[Told, ...]:
        """What is held, without what is empty and without what only machines name."""
        found = (self._one(self._label(name), value) for name, value in content.items())
        return tuple(one for one in found if one is not None)

    def _label(self, name: str) -> str:
        """A field's label, an organisation's name, or a code's word."""
        known = self._labels.get(name)
        if known is not None:
            return known
        entry = self._core.directory.entry(name)
        return self._word(name) if entry is None else entry.name

    def _one(self, label: str, value: Any) -> Told | None:  # noqa: ANN401 -- any JSON value
        if isinstance(value, Mapping) and set(value) == {
            "kind",
            "value",
        }:  # a way to reach somebody
            return Told(label=label, value=readable(str(value["value"])))
        if isinstance(value, Mapping):
            parts = self.told(value)
            return Told(label=label, parts=parts) if parts else None
        if isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value):
            return self._listed(label, value)
        said = self._value(value)
        return Told(label=label, value=said) if said else None

    def _listed(self, label: str, values: Sequence[Any]) -> Told | None:
        rows = (self._one(str(place), one) for place, one in enumerate(values, 1))
        parts = tuple(one for one in rows if one is not None)
        return Told(label=label, parts=parts) if parts else None

    def _value(self, value: Any) -> str:  # noqa: ANN401 -- any JSON value
        if isinstance(value, bool):
            return "Oui" if value else "Non"
        if isinstance(value, list | tuple):
            return self._all(value)
        if value is None or (isinstance(value, str) and _NUMBER.fullmatch(value)):
            return ""
        text = str(value)
        if _DAY.fullmatch(text):
            return day_in_words(date.fromisoformat(text))
        if _INSTANT.fullmatch(text):
            return instant_in_words(datetime.fromisoformat(text))
        return self._organisation(text) or readable(self._word(text))

    def _organisation(self, text: str) -> str:
        """Name of an organisation, by its id or a school's code; empty where it is none."""
        entry = self._core.directory.entry(text)
        if entry is not None:
            return entry.name
        school = self._core.once("schools", _schools).get(text)
        return "" if school is None else f"{school} ({text})"

    def _word(self, code: str) -> str:
        """What people call a code, or how far something is."""
        word = self._core.registry.word(self._instrument, code)
        return self._labels.get(code, code) if word == code else word

    def _all(self, values: Iterable[Any]) -> str:
        return ", ".join(filter(None, (self._value(one) for one in values)))


def _schools(known: Directory) -> dict[str, str]:
    """Names of schools, by the code under which the State knows each."""
    return {one.uai: one.name for one in known.entries.values() if one.uai is not None}


_NAMES: Final = {
    "answer": "Réponse",
    "closed": "Clos",
    "open": "Ouvert",
    "received": "Reçu",
    "sent": "Envoyé",
    "stopped": "Arrêté",
    "waiting": "En attente",
    "at": "Date",
    "code": "Nature",
    "contact": "Contact",
    "data": "Contenu",
    "days": "Dates",
    "ended_on": "Terminé le",
    "outcome": "Issue",
    "person": "Personne",
    "records": "Faits enregistrés",
    "referent": "Référent",
    "referents": "Référents",
    "signatures": "Signatures",
    "state": "État",
    "status": "Situation",
    "what": "Fait",
}
"""Names that the views of several conventions use; a side's own labels come before."""
