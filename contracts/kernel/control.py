"""Control types: what must still travel when nothing else may.

A withdrawal, a right and its answer, an erasure and its certificate, a change of agreement or of a
convention need no open convention, or nobody could withdraw, erase or certify after the end. They
carry ids and dates, never a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from contracts.kernel.fields import ConventionRef, Day, Instant, Payload, said

Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
"""Random id in hexadecimal."""

_ids = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)
Ids = Annotated[tuple[Id, ...], _ids]

Article = Annotated[str, Field(pattern=r"^[A-Z]{1,2}-?[0-9]{1,4}[a-z]?(?:[.\-][0-9]{1,2}){0,2}$")]
"""An obligation (``A-5.1``) or an article of a law (``R511-13``); no room for anything else."""

Count = Annotated[int, Field(ge=0, le=1_000_000)]
"""How many."""

ConventionState = Literal[
    "draft", "signed", "in_force", "notice_given", "suspended", "ended", "purging", "purged"
]
"""State of a signed convention (`kernel.signed.State`)."""


class AgreementChanged(Payload):
    """The collector tells a recipient that an agreement ended, or that an objection suspends it."""

    reference: Id = said("Accord", why="Désigne l'accord sans nommer personne.", source="A-2.11")
    case_ids: Ids = said("Dossiers", why="Dit ce qui doit s'arrêter.", source="A-2.11")
    state: Literal["withdrawn", "expired", "suspended", "resumed"] = said(
        "État", why="Dit si l'accord est retiré, échu, suspendu ou repris.", source="A-2.11"
    )
    effective_at: Instant = said("Effet", why="L'arrêt vaut dès cet instant.", source="A-2.11")


class WithdrawalRequested(Payload):
    """A holder passes on a person's withdrawal to the collector."""

    reference: Id = said("Accord", why="Désigne l'accord sans nommer personne.", source="A-2.11")
    asked_at: Instant = said("Demande", why="Le retrait vaut dès cet instant.", source="A-2.11")


class WithdrawalDone(Payload):
    """A recipient certifies what it did when an agreement changed."""

    reference: Id = said("Accord", why="Désigne l'accord retiré.", source="A-2.11")
    case_ids: Ids = said("Dossiers", why="Dit ce qui a été arrêté.", source="A-2.11")
    outcome: Literal["stopped", "deleted", "kept", "suspended", "resumed"] = said(
        "Suite", why="Prouve ce qui a été fait.", source="A-2.11"
    )
    article: Article | None = said(
        "Article", why="Fonde la conservation, s'il y en a une.", source="A-5.1"
    )
    retain_until: Day | None = said(
        "Destruction au plus tard", why="Borne la conservation.", source="A-5.1"
    )
    done_at: Instant = said("Fait le", why="Date la preuve.", source="A-2.11")


class ErasureRequested(Payload):
    """A partner asks for the erasure of a case (GDPR art. 17 and 19)."""

    case_id: Id = said("Dossier", why="Désigne ce qui doit être effacé.", source="A-5.1")
    due_on: Day = said("Échéance", why="Un mois au plus (RGPD art. 12.3).", source="A-5.1")


class ErasureDone(Payload):
    """Certificate of erasure: what was destroyed, when, and the commitment that stays."""

    case_id: Id = said("Dossier", why="Désigne ce qui a été effacé.", source="A-5.1")
    certificate: Id = said("Certificat", why="Numéro de la preuve.", source="A-5.1")
    outcome: Literal["deleted", "kept", "unknown"] = said(
        "Suite", why="Dit ce qui a été fait.", source="A-5.1"
    )
    article: Article | None = said("Article", why="Fonde une conservation.", source="A-5.1")
    records: Count = said("Pièces", why="Nombre de pièces détruites.", source="A-5.1")
    done_at: Instant = said("Fait le", why="Date la preuve.", source="A-5.1")


class ConventionStateChanged(Payload):
    """A party tells the others that a signed convention changed."""

    convention_id: ConventionRef = said(
        "Convention", why="Désigne la convention signée.", source="A-10.1"
    )
    version: Count = said("Version", why="Les deux côtés tiennent le même texte.", source="A-11.1")
    state: ConventionState = said("État", why="État calculé chez l'émetteur.", source="A-10.1")
    effective_at: Instant = said("Effet", why="Date du changement.", source="A-10.1")


EphemeralKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]
"""Public half of a key made for one request and kept in memory alone: 32 bytes in base64url."""

Closed = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{128,16384}$")]
"""Content closed to an ephemeral key, in base64url: nothing on its way can be opened later."""


class ContentRequested(Payload):
    """A receiver that keeps no file asks again to see the content of a message (C-5.1)."""

    request_id: Id = said("Demande", why="Relie la réponse à sa demande.", source="C-5.1")
    message_id: Id = said("Message", why="Dit quel contenu revoir.", source="C-5.1")
    key: EphemeralKey = said(
        "Clé d'un instant", why="Elle n'est écrite nulle part : nul ne relit après.", source="C-5.1"
    )


class ContentShown(Payload):
    """The sender, having decided anew, shows the content once more, or does not (C-5.1)."""

    request_id: Id = said("Demande", why="Relie la réponse à sa demande.", source="C-5.1")
    message_id: Id = said("Message", why="Dit de quel contenu il s'agit.", source="C-5.1")
    closed: Closed | None = said(
        "Contenu", why="Fermé à la clé de la demande ; absent si c'est non.", source="C-5.1"
    )


About = Annotated[
    tuple[Literal["identity", "contact", "representative", "content"], ...],
    Field(max_length=4),
    _ids,
]
"""What is said to be wrong, by kind: no room for the words of whoever says it."""


class RightsRequested(Payload):
    """A person exercises a right at one organisation, which passes it on (GDPR 12, 15, 16, 21).

    An erasure travels case by case, as `ErasureRequested`.
    """

    request_id: Id = said("Demande", why="Relie la réponse à sa demande.", source="RGPD 12")
    right: Literal["access", "rectification", "objection"] = said(
        "Droit", why="Dit ce qui est demandé.", source="RGPD 12"
    )
    about: About = said("Objet", why="Dit ce qui est à corriger.", source="RGPD 16")
    case_ids: Ids = said("Dossiers", why="Dit de quoi il s'agit.", source="RGPD 19")
    asked_at: Instant = said("Demandé le", why="Le délai court de ce jour.", source="RGPD 12")
    due_on: Day = said("Échéance", why="Un mois au plus.", source="RGPD 12")


class RightsAnswered(Payload):
    """What a recipient answers to a right that was passed on to it."""

    request_id: Id = said("Demande", why="Dit à quoi il est répondu.", source="RGPD 12")
    outcome: Literal["done", "partly", "refused", "unknown"] = said(
        "Suite", why="Prouve ce qui a été fait.", source="RGPD 12"
    )
    article: Article | None = said(
        "Article", why="Fonde un refus, s'il y en a un.", source="RGPD 12"
    )
    done_at: Instant = said("Fait le", why="Date la preuve.", source="RGPD 12")


Content = type[Payload]


@dataclass(frozen=True, slots=True)
class ControlType:
    """One control type: its name, its French label and its content."""

    type: str
    label: str
    payload: Content
    article: str


CONTROL_TYPES: dict[str, ControlType] = {
    one.type: one
    for one in (
        ControlType(
            "agreement.changed", "accord retiré, échu ou suspendu", AgreementChanged, "A-2.11"
        ),
        ControlType("withdrawal.requested", "retrait demandé", WithdrawalRequested, "A-2.11"),
        ControlType("withdrawal.done", "retrait appliqué", WithdrawalDone, "A-2.11"),
        ControlType("erasure.requested", "effacement demandé", ErasureRequested, "A-5.1"),
        ControlType("erasure.done", "effacement certifié", ErasureDone, "A-5.1"),
        ControlType("content.requested", "contenu redemandé", ContentRequested, "C-5.1"),
        ControlType("content.shown", "contenu montré", ContentShown, "C-5.1"),
        ControlType("rights.requested", "droit exercé", RightsRequested, "RGPD 12"),
        ControlType("rights.answered", "réponse à un droit exercé", RightsAnswered, "RGPD 12"),
        ControlType(
            "convention.state_changed", "état de la convention", ConventionStateChanged, "A-10.1"
        ),
    )
}
