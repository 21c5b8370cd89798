"""What pages of those who answer for an organisation share: instants, lengths, and a form's faults.

A fault stands twice: at the top of the form, with a link to its field, and beside the field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from contracts.kernel.paris import PARIS
from services.chassis import words
from services.chassis.pages.own_api import Answer

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86400


def to_the_second(at: datetime) -> str:
    """An instant of Paris to the second, where lines follow each other: ``26/11/2026 14:05:31``."""
    return f"{at.astimezone(PARIS):%d/%m/%Y %H:%M:%S}"


def length_in_words(length: timedelta) -> str:
    """How long, roughly: ``moins d'une minute``, ``12 minutes``, ``3 h 20``, ``5 jours``."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < _MINUTE:
        return "moins d'une minute"
    if seconds < _HOUR:
        return counted(seconds // _MINUTE, "minute")
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR} h {seconds % _HOUR // _MINUTE:02}"
    return counted(seconds // _DAY, "jour")


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number and what it counts: ``1 jour``, ``2 jours``."""
    return f"{number} {noun if number < 2 else plural or noun + 's'}"  # noqa: PLR2004 -- French has a plural from two on


@dataclass(frozen=True, slots=True)
class Faults:
    """Why a form did not do what it was for. fields: what is wrong with each, by its name."""

    sentence: str
    articles: Sequence[str]
    fields: Mapping[str, str]


def faults_of(answer: Answer, said: Mapping[str, str] | None = None) -> Faults:
    """A problem of the API as its form shows it. said: what to write beside a field, by name."""
    problem: Mapping[str, Any] = answer.content if isinstance(answer.content, dict) else {}
    fields = {
        str(one["path"]).rpartition(".")[2]: words.CODES.get(one["code"], one["code"])
        for one in problem.get("fields", ())
    }
    known = {name: (said or {}).get(name, text) for name, text in fields.items()}
    sentence = str(problem.get("detail") or "La demande n'a pas abouti.")
    return Faults(sentence, tuple(problem.get("articles", ())), known)
