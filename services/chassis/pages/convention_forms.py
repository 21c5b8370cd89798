"""What a manager may ask of the API about a convention, as forms: their fields and their bodies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from contracts.kernel.instrument import Convention
from contracts.kernel.signed import SignedConvention, State
from services.chassis.pages.texts import GROUNDS
from services.chassis.pages.wording import Faults

_OVER: Final = frozenset({State.DRAFT, State.ENDED, State.PURGING, State.PURGED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field. kind: of input; `sure` is a box to tick before what cannot be undone."""

    name: str
    label: str
    kind: Literal["date", "text", "choice", "sure"] = "date"
    hint: str = ""
    needed: bool = True
    choices: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One act. path: of its call, under the convention's. done: what its page says afterwards.

    always: what its body says beside its fields. grave: it cannot be undone. article: on which.
    """

    name: str
    title: str
    says: str
    button: str
    path: str
    done: str
    fields: Sequence[Field]
    article: Callable[[Convention], str]
    always: Mapping[str, str]
    grave: bool = False

    def body(self, typed: Mapping[str, str]) -> dict[str, Any]:
        """The call's body: fields left blank are left out."""
        found: dict[str, Any] = dict(self.always)
        for one in self.fields:
            value = typed.get(one.name, "").strip()
            if value and one.kind != "sure":
                found[one.name] = value
        return found

    def missing(self, typed: Mapping[str, str]) -> Faults | None:
        """What is blank and must not be; the rest is for the API to judge."""
        blank = {
            one.name: "Cochez cette case pour confirmer." if one.kind == "sure" else _BLANK
            for one in self.fields
            if one.needed and not typed.get(one.name, "").strip()
        }
        return Faults("Rien n'a été fait : il manque quelque chose.", (), blank) if blank else None


_BLANK: Final = "Remplissez ce champ."

_ALL: Final = (
    Form(
        name="review",
        title="La réunion d'évaluation a eu lieu",
        says="Elle est attendue à chaque échéance du bilan ; la suivante est alors fixée.",
        button="Enregistrer la réunion",
        path="reviews",
        done="La réunion d'évaluation est enregistrée.",
        fields=(Field(name="held_on", label="Jour de la réunion"),),
        article=lambda text: text.review_article,
        always={},
    ),
    Form(
        name="insurance",
        title="Enregistrer l'assurance",
        says="Le contrat d'assurance de cet organisme pour cette convention.",
        button="Enregistrer l'assurance",
        path="insurances",
        done="L'assurance est enregistrée.",
        fields=(
            Field(name="policy", label="Numéro du contrat d'assurance", kind="text"),
            Field(name="first_day", label="Premier jour"),
            Field(name="last_day", label="Dernier jour"),
        ),
        article=lambda text: text.insurance_article or "",
        always={},
    ),
    Form(
        name="hold",
        title="Conserver pour un différend",
        says="Rien de ce qui est conservé n'est détruit tant que le différend n'est pas réglé. "
        "Cela n'ouvre rien : un retrait d'accord arrête toujours tout.",
        button="Conserver",
        path="holds",
        done="La conservation est décidée.",
        fields=(
            Field(name="ground", label="Raison", kind="choice", choices=tuple(GROUNDS.items())),
            Field(
                name="case_id",
                label="Dossier",
                kind="text",
                hint="Son numéro ; laissez vide pour conserver toute la convention.",
                needed=False,
            ),
        ),
        article=lambda text: text.dispute_article,
        always={},
    ),
    Form(
        name="suspension",
        title="Suspendre",
        says="Plus aucun message ne passe, dans aucun sens, jusqu'à la reprise.",
        button="Suspendre la convention",
        path="acts",
        done="La convention est suspendue, et les autres parties en sont informées.",
        fields=(Field(name="sure", label="Je suspends cette convention", kind="sure"),),
        article=lambda text: text.termination.article,
        always={"kind": "suspension"},
    ),
    Form(
        name="resumption",
        title="Reprendre",
        says="Les messages passent de nouveau, si personne d'autre ne la suspend.",
        button="Reprendre la convention",
        path="acts",
        done="La convention reprend, et les autres parties en sont informées.",
        fields=(),
        article=lambda text: text.termination.article,
        always={"kind": "resumption"},
    ),
    Form(
        name="notice",
        title="Résilier",
        says="Le préavis court, puis la convention prend fin et tout ce qu'elle a apporté est "
        "détruit. Cela ne se reprend pas.",
        button="Enregistrer le préavis",
        path="acts",
        done="Le préavis est enregistré, et les autres parties en sont informées.",
        fields=(
            Field(name="sent_on", label="Lettre recommandée envoyée le"),
            Field(
                name="received_on",
                label="Lettre recommandée reçue le",
                hint="Laissez vide tant que l'avis de réception n'est pas revenu.",
                needed=False,
            ),
            Field(
                name="sure",
                label="La lettre est partie, et je mets fin à cette convention",
                kind="sure",
            ),
        ),
        article=lambda text: text.termination.article,
        always={"kind": "termination_notice"},
        grave=True,
    ),
)

FORMS: Final = {one.name: one for one in _ALL}
"""Every form, by name."""


def offered(signed: SignedConvention, at: datetime, *, suspended_by_us: bool) -> list[Form]:
    """Forms that make sense now; the API judges what they say all the same."""
    state, text = signed.state(at), signed.convention
    running = state not in _OVER
    wanted = {
        "review": running and state is not State.SIGNED,
        "insurance": running and text.insurance_article is not None,
        "hold": state is not State.DRAFT,
        "suspension": running and not suspended_by_us,
        "resumption": running and suspended_by_us,
        "notice": running,
    }
    return [one for one in _ALL if wanted[one.name]]
