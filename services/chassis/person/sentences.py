"""Uses and agreements as a person reads them: a short sentence, then why, on what, until when.

Names are those of organisations, from the directory; a message is called by the label of its flow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts.kernel.paris import PARIS, day_of
from services.chassis.core import Core
from services.chassis.pages.content import name_of
from services.chassis.pages.rendering import by_in_words, day_in_words
from services.chassis.person import words
from services.chassis.person.agreed import Agreed, Told
from services.chassis.person.uses import Use
from services.chassis.person.visits import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One use in words. hour: in Paris. notes: what else is to be known of it, in order."""

    at: datetime
    hour: str
    said: str
    notes: tuple[str, ...]
    content: tuple[str, ...]
    articles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementSeen:
    """An agreement in words, and what whoever looks may do about it."""

    id: str
    state: str
    running: bool
    giver: str
    since: str
    recipients: tuple[str, ...]
    messages: tuple[str, ...]
    told: tuple[tuple[str, str], ...]
    may_withdraw: bool
    may_object: bool


def sentence(core: Core, visit: Visit, use: Use) -> Sentence:
    """A use in words."""
    local = use.at.astimezone(PARIS)
    return Sentence(
        at=use.at,
        hour=f"{local.hour} h {local.minute:02}",
        said=_SAID[use.kind](name_of(core, use.who), name_of(core, use.receiver), use, visit),
        notes=tuple(_notes(core, use)),
        content=use.content,
        articles=use.articles,
    )


def _sent(who: str, receiver: str, use: Use, _visit: Visit) -> str:
    became = words.LETTERS.get(use.outcome, "")
    return f"{who} a transmis à {receiver} : {use.what}{f' ({became})' if became else ''}."


def _received(who: str, receiver: str, use: Use, _visit: Visit) -> str:
    return f"{who} a transmis à {receiver} : {use.what}."


def _noted(who: str, _receiver: str, use: Use, _visit: Visit) -> str:
    return f"{who} a noté : {use.what}." if use.what else f"{who} a complété son dossier."


def _read(who: str, _receiver: str, use: Use, _visit: Visit) -> str:
    return f"Une personne de {who} a lu : {use.what}."


def _refused(who: str, receiver: str, use: Use, _visit: Visit) -> str:
    return f"{who} voulait transmettre à {receiver} : {use.what}. Refusé : rien n'est passé."


def _told(who: str, receiver: str, use: Use, _visit: Visit) -> str:
    answered = words.ANSWERS.get(use.outcome, words.UNANSWERED)
    return f"{who} a prévenu {receiver} qu'un accord change. Réponse : {answered}."


def _destroyed(who: str, _receiver: str, use: Use, _visit: Visit) -> str:
    if use.outcome == "deleted":
        return f"{who} a détruit ce qui était tenu dans un dossier ({use.records} pièces)."
    if use.outcome == "kept":
        return f"{who} garde encore un dossier, parce qu'un texte le demande."
    return f"{who} n'avait rien à détruire."


def _opened(who: str, _receiver: str, use: Use, visit: Visit) -> str:
    for_whom = "un représentant légal" if use.giver == "representative" else "le jeune"
    if use.giver == visit.holder:
        for_whom = "vous"
    used = "" if use.outcome == "used" else " Il n'a pas servi."
    return f"{who} a remis un code pour ouvrir cette page, pour {for_whom}.{used}"


_SAID: Final[dict[str, Callable[[str, str, Use, Visit], str]]] = {
    "sent": _sent,
    "received": _received,
    "noted": _noted,
    "read": _read,
    "refused": _refused,
    "told": _told,
    "destroyed": _destroyed,
    "opened": _opened,
}


def _notes(core: Core, use: Use) -> list[str]:
    found = []
    if use.purpose in words.PURPOSES:
        found.append(f"Pourquoi : {words.PURPOSES[use.purpose]}.")
    if use.basis == "derogation":
        ground = words.GROUNDS.get(use.ground, "dans l'urgence")
        found.append(
            f"Sans accord : deux personnes de {name_of(core, use.who)} l'ont décidé, {ground}."
        )
    elif use.basis == "duty":
        found.append(words.DUTY)
    elif use.basis == "agreement" and use.given_at is not None:
        giver, day = words.GIVERS[use.giver], day_in_words(day_of(use.given_at))
        found.append(f"Avec l'accord donné le {day} par {giver}.")
    elif use.kind in {"sent", "received"}:
        found.append(words.NO_AGREEMENT)
    if use.sealed_until is not None:
        found.append(words.HIDDEN.format(day=day_in_words(use.sealed_until)))
    return found


def agreement_seen(core: Core, visit: Visit, one: Agreed) -> AgreementSeen:
    """An agreement in words."""
    return AgreementSeen(
        id=one.id,
        state=words.STATES[one.state],
        running=one.state in {"given", "suspended"},
        giver=words.GIVERS[one.giver.value],
        since=_since(one),
        recipients=tuple(name_of(core, org) for org in _between(core, one)),
        messages=tuple(dict.fromkeys(_label(core, type_) for type_ in one.messages)),
        told=tuple((name_of(core, told.org), _answer(told)) for told in one.told),
        may_withdraw=one.may_withdraw(visit),
        may_object=one.may_object(visit),
    )


def _since(one: Agreed) -> str:
    day, giver = day_in_words(day_of(one.given_at)), words.GIVERS[one.giver.value]
    if one.state == "refused":
        return f"Le {day}, {giver} a dit non."
    return f"Donné le {day} par {giver}, pour finir au plus tard le {by_in_words(one.expires_at)}."


def _between(core: Core, one: Agreed) -> list[str]:
    """The organisations that an agreement lets speak, but this one."""
    return sorted({one.collector, *one.recipients} - {core.org})


def _label(core: Core, type_: str) -> str:
    known = core.flows.get(type_, ())
    return known[0][1].label if known else type_


def _answer(told: Told) -> str:
    if told.outcome is None:
        return f"prévenu le {day_in_words(day_of(told.told_at))}, pas encore de réponse"
    said = words.ANSWERS.get(told.outcome, told.outcome)
    on = "" if told.done_at is None else f", le {day_in_words(day_of(told.done_at))}"
    return f"{said}{on}"
