"""Shapes that several conventions put in their messages: who a person is, how to reach a colleague.

Identity travels once, encrypted, in the message that opens a case; afterwards the case id is
enough. Nothing else about a person has a shape here, by design (A-5.1).
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal, get_args

from pydantic import Field

from contracts.kernel.errors import InvalidDocument
from contracts.kernel.fields import (
    Day,
    Email,
    Payload,
    PersonName,
    Phone,
    ShortText,
    node_fields,
    said,
)
from contracts.kernel.paris import add_months


class EmailChannel(Payload):
    """One way to reach a person: an e-mail address."""

    kind: Literal["email"] = said("Moyen", why="Dit comment joindre la personne.", source="A-5.1")
    value: Email = said("Adresse", why="Seul moyen de contact transmis.", source="A-5.1")


class PhoneChannel(Payload):
    """One way to reach a person: a phone number."""

    kind: Literal["phone"] = said("Moyen", why="Dit comment joindre la personne.", source="A-5.1")
    value: Phone = said("Numéro", why="Seul moyen de contact transmis.", source="A-5.1")


Channel = Annotated[EmailChannel | PhoneChannel, Field(union_mode="left_to_right")]
"""Exactly one contact channel; once it is of the first kind, it is not tried as the second."""


class Identity(Payload):
    """The identity block that opens a case: three facts and one channel, nothing more."""

    family_name: PersonName = said(
        "Nom de famille", why="Identifie le jeune une seule fois, à l'ouverture.", source="A-4.3"
    )
    first_name: PersonName = said(
        "Prénom", why="Identifie le jeune une seule fois, à l'ouverture.", source="A-4.3"
    )
    birth_date: Day = said(
        "Date de naissance", why="Dit qui peut donner l'accord, et jusqu'à quand.", source="A-2.11"
    )
    channel: Channel | None = said(
        "Contact du jeune", why="Permet de proposer un premier rendez-vous.", source="A-4.3"
    )


@cache
def identity_block(payload: type[Payload]) -> type[Payload] | None:
    """The block of a content in which the node says who the person is; None where it says not.

    It has the fields of `Identity`, or some of them: nothing else of the person travels, and the
    proof of agreement binds those alone. Raises InvalidDocument for a block with any other field.
    """
    for name, filled in node_fields(payload).items():
        if filled == "identity":
            annotation = payload.model_fields[name].annotation
            for one in (annotation, *get_args(annotation)):
                if isinstance(one, type) and issubclass(one, Payload):
                    return _narrower(one)
            raise InvalidDocument(f"{payload.__name__}.{name} is no block of an identity.")
    return None


def _narrower(block: type[Payload]) -> type[Payload]:
    if not block.model_fields or block.model_fields.keys() - Identity.model_fields.keys():
        raise InvalidDocument(f"{block.__name__} says more than an identity, or nothing.")
    return block


class Representative(Payload):
    """A legal representative: a name and one channel, so that the family is met at each step."""

    family_name: PersonName = said(
        "Nom de famille", why="Nomme la personne associée à chaque étape.", source="A-2.12"
    )
    first_name: PersonName = said(
        "Prénom", why="Nomme la personne associée à chaque étape.", source="A-2.12"
    )
    channel: Channel = said(
        "Contact", why="Permet d'associer la famille à chaque étape.", source="A-2.12"
    )


class ProfessionalContact(Payload):
    """A colleague in another organisation: professional data only."""

    name: PersonName = said("Nom", why="Dit à qui s'adresser.", source="A-2.5")
    role: ShortText = said("Fonction", why="Dit à quel titre il agit.", source="A-2.5")
    phone: Phone | None = said("Téléphone", why="Ligne professionnelle.", source="A-2.5")
    email: Email | None = said("Courriel", why="Adresse professionnelle.", source="A-2.5")


# --- work immersion (PMSMP), which a convention may offer with any host

ImmersionObject = Literal["discover_trade", "confirm_project", "start_recruitment"]
"""The three objects of an immersion, one at a time (L5135-1): découvrir un métier ou un secteur,
confirmer un projet, engager un recrutement."""

Rome = Annotated[str, Field(pattern=r"^[A-N][0-9]{4}$")]
"""Code of a trade in the public directory of trades (ROME): a letter and four digits."""

OfferRef = Annotated[str, Field(pattern=r"^[0-9A-Z]{4,8}$")]
"""Public number of a job offer; too short to hide a number that identifies or reaches a person."""

OfferId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
"""Random id of an offer that its employer made known on the bus, so that both sides hold it; no
public number is of that form."""

WeeklyHours = Annotated[int, Field(ge=1, le=35)]
"""Hours a week at the host, never above the legal week (L3121-27)."""


class ImmersionRequested(Payload):
    """Someone asks a host for an immersion, for a person who is not named yet (L5135-1)."""

    object: ImmersionObject = said(
        "Objet", why="Un objet parmi trois, et un seul à la fois.", source="L5135-1"
    )
    rome: Rome = said("Métier", why="Dit quel métier accueille, par son code.", source="D5135-2")
    first_day: Day = said("Premier jour", why="Borne la période.", source="D5135-2")
    last_day: Day = said("Dernier jour", why="Borne la période.", source="D5135-2")
    weekly_hours: WeeklyHours = said(
        "Heures par semaine", why="Dit combien de temps prévoir.", source="D5135-2"
    )
    referent: ProfessionalContact = said(
        "Conseiller référent", why="Dit qui suit la période.", source="D5135-2"
    )
    offer: OfferRef | None = said(
        "Numéro de l'offre",
        why="Désigne l'offre qu'un recrutement suppose ; absent pour tout autre objet.",
        source="L5135-1",
    )
    renewal: bool = said(
        "Renouvellement", why="Une période se renouvelle une seule fois.", source="D5135-3"
    )

    @property
    def days_beyond_month(self) -> int:
        """Days after one month from date to date; 1 where the last day precedes the first."""
        if self.last_day < self.first_day:
            return 1
        return max(0, (self.last_day - add_months(self.first_day, 1)).days + 1)

    @property
    def misplaced_offers(self) -> int:
        """1 where an offer lacks for a recruitment, or stands beside another object; else 0."""
        return int((self.offer is None) is (self.object == "start_recruitment"))


class ImmersionSituation(Payload):
    """Where an immersion stands; each convention adds in what words the person is named, once."""

    status: Literal["accepted", "declined", "confirmed", "completed", "interrupted"] = said(
        "Situation", why="Dit où en est l'immersion, jamais pourquoi.", source="L5135-1"
    )
    on: Day = said("Date", why="Date cette situation.", source="L5135-1")
    tutor: ProfessionalContact | None = said(
        "Tuteur", why="Dit qui accueille, une fois l'accueil accepté.", source="D5135-2"
    )
    representative_signed: bool | None = said(
        "Signé par le représentant légal",
        why="Oui ou non pour un mineur ; sans objet pour un majeur.",
        source="D5135-2",
    )

    @property
    def confirmations(self) -> int:
        """1 where the sender confirms who comes, else 0: what the host never does."""
        return int(self.status == "confirmed")

    @property
    def host_steps(self) -> int:
        """1 where the sender speaks as the host (accepts, declines, ends), else 0."""
        return int(self.status != "confirmed")


class ImmersionStatus(ImmersionSituation):
    """Where an immersion stands; the person is named once, when a host that accepted is told."""

    person: Identity | None = said(
        "Jeune accueilli",
        why="Nommé une seule fois, à un hôte qui a accepté.",
        source="D5135-2",
        filled="identity",
    )
