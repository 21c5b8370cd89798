"""What a page says when the API refused: what is missing, on which article, where to obtain it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from services.chassis.pages.forms import Field, Typed, filled, placed
from services.chassis.pages.own_api import Answer
from services.chassis.pages.rendering import ROOT
from services.chassis.words import CODES


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A page on which what is missing may be obtained."""

    path: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One reason of a refusal."""

    sentence: str
    article: str = ""
    way: Way | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A refusal as a page says it, above the form that was refused.

    number: under which it is in the journal, of a message.
    """

    title: str
    reasons: Sequence[Said]
    number: str = ""

    def wrong(self, fields: Iterable[Field]) -> list[Field]:
        """The fields of a form that are to be corrected."""
        return list(_wrong(fields))


def _wrong(fields: Iterable[Field]) -> Iterator[Field]:
    for field in fields:
        if field.fault:
            yield field
        yield from _wrong(field.parts)


_AGREEMENT: Final = frozenset(
    {
        "agreement_expired",
        "agreement_giver",
        "agreement_later",
        "agreement_recipient",
        "agreement_scope",
        "agreement_suspended",
        "agreement_withdrawn",
        "no_agreement",
        "no_assent",
        "no_notice",
    }
)
_CONVENTION: Final = frozenset(
    {
        "no_evidence",
        "no_new_case",
        "parties",
        "suspended",
        "term",
        "terminated",
        "unbound",
        "version",
    }
)
_CHARTER: Final = frozenset({"charter_not_accepted", "missing_charter"})


def way_of(code: str, person_id: str | None = None) -> Way | None:
    """Where what a reason misses may be obtained. person_id: whom it is about."""
    if code in _AGREEMENT:
        where = f"{ROOT}/agreements" if person_id is None else f"{ROOT}/people/{person_id}"
        return Way(path=where, label="Voir ce que la personne a accepté, ou recueillir son accord")
    if code in _CONVENTION:
        return Way(path=f"{ROOT}/conventions", label="Voir où en est la convention")
    if code in _CHARTER:
        return Way(path=f"{ROOT}/charter", label="Lire et accepter la charte")
    return None


def refused(
    answer: Answer, fields: Sequence[Field], typed: Typed, person_id: str | None = None
) -> tuple[Refusal, tuple[Field, ...]]:
    """What to say of an answer that is a problem, and the form again, with its faults in place."""
    problem: Mapping[str, Any] = answer.content if isinstance(answer.content, dict) else {}
    faults, elsewhere = placed(fields, problem.get("fields", ()), CODES)
    reasons = [
        Said(
            sentence=one["sentence"],
            article=one["article"],
            way=way_of(one["code"], person_id),
        )
        for one in problem.get("reasons", ())
    ]
    if not reasons:
        articles = ", ".join(problem.get("articles", ()))
        detail = str(problem.get("detail") or "Le nœud n'a pas répondu comme attendu : réessayez.")
        way = way_of(str(problem.get("code", "")), person_id)
        reasons = [Said(sentence=detail, article=articles, way=way)]
    if fields and not faults:  # what is on the page comes first, and often brings the rest
        reasons += [Said(sentence=f"Hors de cette page : {one}.") for one in elsewhere]
    title = "À corriger" if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY else "Refusé"
    number = str(problem.get("message_id") or "")
    refusal = Refusal(title=title, reasons=reasons, number=number)
    return refusal, filled(fields, typed, faults)
