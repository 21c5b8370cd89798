"""Shapes that several conventions put in their messages: who a person is, how to reach a colleague.

Identity travels once, encrypted, in the message that opens a case; afterwards the case id is
enough. Nothing else about a person has a shape here, by design (A-5.1).
"""

from __future__ import annotations

from typing import Literal

from contracts.kernel.fields import Day, Email, Payload, PersonName, Phone, ShortText, said


class EmailChannel(Payload):
    """One way to reach a person: an e-mail address."""

    kind: Literal["email"] = said("Moyen", why="Dit comment joindre la personne.", source="A-5.1")
    value: Email = said("Adresse", why="Seul moyen de contact transmis.", source="A-5.1")


class PhoneChannel(Payload):
    """One way to reach a person: a phone number."""

    kind: Literal["phone"] = said("Moyen", why="Dit comment joindre la personne.", source="A-5.1")
    value: Phone = said("Numéro", why="Seul moyen de contact transmis.", source="A-5.1")


Channel = EmailChannel | PhoneChannel
"""Exactly one contact channel."""


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
