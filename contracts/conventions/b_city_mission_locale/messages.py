"""Messages of convention B: the strictly necessary fields, each with its reason (B-3.1).

Never here: what makes somebody vulnerable, resources, housing, health, origin, an appraisal, what
was said in an interview, why somebody declined, any amount of money (B-0.2, B-0.3, B-2.15).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from contracts.kernel.fields import Day, Listed, Payload, ShortText, said
from contracts.kernel.messages import Identity, ProfessionalContact

Theme = Literal[
    "choisir-un-metier--confirmer-son-choix-de-metier",
    "choisir-un-metier--connaitre-les-opportunites-demploi",
    "choisir-un-metier--decouvrir-un-metier-ou-un-secteur-dactivite",
    "choisir-un-metier--identifier-ses-points-forts-et-ses-competences",
    "mobilite--etre-accompagne-dans-son-parcours-mobilite",
    "mobilite--preparer-un-permis",
    "numerique--maitriser-les-fondamentaux-du-numerique",
    "preparer-sa-candidature--realiser-un-cv-et-ou-une-lettre-de-motivation",
    "preparer-sa-candidature--valoriser-ses-competences",
    "remobilisation--activites-sportives-et-culturelles",
    "remobilisation--benevolat-action-citoyenne",
    "remobilisation--lien-social",
    "se-former--monter-son-dossier-de-formation",
    "se-former--trouver-sa-formation",
    "trouver-un-emploi--convaincre-un-recruteur-en-entretien",
    "trouver-un-emploi--faire-des-candidatures-spontanees",
    "trouver-un-emploi--repondre-a-des-offres-demploi",
]
"""What a service is about, in the codes of the data·inclusion vocabulary (version 1).

Left out with intent: money, housing, health, family, rights. They would say what befalls a person,
and what the Mission Locale does about them stays with it (B-0.2).
"""

ServiceKind = Literal["accompagnement", "atelier", "formation", "information"]
"""What kind of service it is, in the same vocabulary; aids in money or in kind are left out."""

Scheme = Literal["youth_engagement_contract", "civic_service", "city_youth_scheme"]
"""A scheme by its name: CEJ, Service Civique, dispositif jeunesse de la Ville (B-2.10)."""

Objective = Literal["training", "employment", "work_experience", "mobility", "back_to_school"]
"""What a co-support pursues: formation, emploi, expérience, mobilité, retour en formation."""

Adaptation = Literal["pace", "place", "contact_mode", "joint_appointments", "other_service"]
"""How the two teams change their way: rythme, lieu, moyen, rendez-vous communs, autre service."""

YOUNGEST, OLDEST = 16, 17
"""Ages, in years, at which the duty to be in training holds: 16 to the eve of 18 (B-2.2)."""

OfferedAge = Annotated[int, Field(ge=1, le=99)]
"""An age in years; which ages an offer may name is for the gate to say."""

Places = Annotated[int, Field(ge=1, le=99)]
"""How many young people an offer can take."""


# --- orientation, to what either side offers (B-2.4, B-2.10)


class OrientationRequested(Payload):
    """One side asks the other to meet a young person about a service (B-2.10)."""

    person: Identity = said(
        "Jeune",
        why="Désigne le jeune à rencontrer, une seule fois.",
        source="B-2.10",
        filled="identity",
    )
    theme: Theme = said("Besoin", why="Dit vers quel service, par son code.", source="B-2.10")
    scheme: Scheme | None = said(
        "Dispositif", why="Nomme le dispositif quand le jeune en vise un.", source="B-2.10"
    )
    contact_mode: Literal["phone", "email", "on_site"] = said(
        "Moyen préféré", why="Dit comment le jeune veut être joint.", source="B-2.10"
    )
    adapted_reception: bool = said(
        "Accueil adapté", why="Oui ou non, sans dire pourquoi.", source="B-2.4"
    )


class OrientationAnswered(Payload):
    """What came of an orientation, as one word (B-2.10)."""

    outcome: Literal["received", "registered", "declined", "unreachable"] = said(
        "Suite", why="Dit si le jeune a été reçu ou inscrit, jamais pourquoi non.", source="B-2.10"
    )
    on: Day = said("Date", why="Date cette suite.", source="B-2.10")


# --- co-support (B-2.7, B-2.11 to B-2.14)


class CosupportOpened(Payload):
    """Both sides support a young person together, each by a referent (B-2.11, B-2.13)."""

    person: Identity = said(
        "Jeune",
        why="Désigne le jeune accompagné, une seule fois.",
        source="B-2.11",
        filled="identity",
    )
    opened_on: Day = said("Ouvert le", why="Date le début.", source="B-2.11")
    referent: ProfessionalContact = said(
        "Référent de celui qui ouvre", why="Dit à qui s'adresser.", source="B-2.13"
    )
    other_referent: ProfessionalContact | None = said(
        "Référent de l'autre organisme",
        why="Forme la paire, s'il est déjà désigné ; sinon l'autre organisme le nomme.",
        source="B-2.13",
    )
    objectives: Annotated[tuple[Objective, ...], Listed(5)] = said(
        "Objectifs", why="Les deux côtés poursuivent les mêmes objectifs.", source="B-2.11"
    )
    next_date: Day = said("Prochain point", why="Fixe le premier point commun.", source="B-2.14")


class CosupportReferentChanged(Payload):
    """A side names its referent, the first or the next; the former has no access (B-2.13)."""

    referent: ProfessionalContact = said(
        "Nouveau référent", why="Dit à qui s'adresser désormais.", source="B-2.13"
    )
    since: Day = said("Depuis le", why="Date le changement.", source="B-2.13")


class CosupportCheckpoint(Payload):
    """A referent tells the other where things stand, never what was said (B-2.14)."""

    stage: Literal["engaged", "in_progress", "on_hold", "nearly_done"] = said(
        "Étape", why="Dit où en est le parcours.", source="B-2.14"
    )
    next_date: Day = said("Prochain point", why="Fixe le prochain point commun.", source="B-2.14")
    no_answer_since: Day | None = said(
        "Sans réponse depuis", why="Permet de chercher ensemble à renouer.", source="B-2.7"
    )
    adaptations: Annotated[tuple[Adaptation, ...], Listed(5)] | None = said(
        "Modalités adaptées", why="Dit ce qui change dans la façon d'accompagner.", source="B-2.12"
    )


class CosupportClosed(Payload):
    """The co-support ends; retention begins (B-2.11)."""

    closed_on: Day = said("Clos le", why="Fait courir la conservation.", source="B-3.1")
    outcome: Literal["objectives_met", "handed_over", "no_answer", "ended"] = said(
        "Issue", why="Dit comment finit l'accompagnement, sans appréciation.", source="B-2.11"
    )


# --- offers that name nobody (B-2.1 to B-2.3)


class PsadOffer(Payload):
    """The city offers places to the platform for those who left school (B-2.1); names nobody."""

    theme: Theme = said("Offre", why="Dit ce qui est proposé, par son code.", source="B-2.1")
    places: Places = said("Places", why="Dit combien de jeunes.", source="B-2.1")
    youngest: OfferedAge = said("Dès", why="Dit à partir de quel âge.", source="B-2.2")
    oldest: OfferedAge = said("Jusqu'à", why="Dit jusqu'à quel âge, compris.", source="B-2.2")
    last_day: Day = said("Valable jusqu'au", why="Fait courir la conservation.", source="B-3.1")
    contact: ProfessionalContact = said("Contact", why="Dit à qui s'adresser.", source="B-2.1")

    @property
    def ages_outside(self) -> int:
        """Years of age, offered, outside the duty to be in training; 1 where they cross."""
        if self.oldest < self.youngest:
            return 1
        return max(0, YOUNGEST - self.youngest) + max(0, self.oldest - OLDEST)


class ServicePublished(Payload):
    """One side presents a service of its own to the other's professionals (B-2.3)."""

    name: ShortText = said("Service", why="Nomme le service, et personne.", source="B-2.3")
    theme: Theme = said("Thème", why="Le classe dans un vocabulaire commun.", source="B-2.3")
    kind: ServiceKind = said("Forme", why="Dit ce qu'il propose.", source="B-2.3")
    last_day: Day | None = said(
        "Proposé jusqu'au", why="Dit quand il s'arrête, si c'est connu.", source="B-2.3"
    )
    contact: ProfessionalContact = said("Contact", why="Dit à qui s'adresser.", source="B-2.3")
