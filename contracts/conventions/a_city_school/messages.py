"""Messages of convention A: the strictly necessary fields, each with its reason (A-5.1).

Never here: absence counts, the offence behind a sanction, appraisals, siblings, what was said, why
a request was declined, any amount of money (A-4.6).
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import Field

from contracts.kernel.fields import Day, Instant, Listed, Payload, Phone, ShortText, Uai, said
from contracts.kernel.messages import Identity, ProfessionalContact, Representative

SIGNATORIES: Final = ("head_teacher", "youth_service", "pupil", "representative")
"""Who signs the commitment contract, all four before the first day (A-3.6)."""

Concern = Literal["absences", "motivation", "climate", "orientation", "other"]
"""What worries the school, as a code: absences, motivation, climat, orientation, autre."""

Help = Literal["support", "activities", "mediation", "orientation_advice"]
"""What the school hopes for: accompagnement, activités, médiation, conseil d'orientation."""

Level = Literal["6e", "5e", "4e", "3e", "2de", "1re", "terminale", "cap1", "cap2"]
"""Class level, never the class."""


Situations = Annotated[int, Field(ge=1, le=99)]
"""How many situations a watch cell examines; one at least, or it does not meet."""

Participant = Literal[
    "family", "school", "social_medical_centre", "educator", "activity_leader", "referent"
]
"""Who comes to a meeting: famille, établissement, CMS, éducateur, animateur, référent."""

Responsible = Literal["school", "city"]
"""Who answers for the young person at an instant (A-7.1, A-7.2)."""


class ReferralSubmitted(Payload):
    """Fiche de repérage: a school asks the city's youth service to meet a pupil (A-4.3)."""

    pupil: Identity = said(
        "Élève",
        why="Désigne le jeune à rencontrer, une seule fois.",
        source="A-4.3",
        filled="identity",
    )
    representative: Representative | None = said(
        "Représentant légal",
        why="Permet d'associer la famille à chaque étape ; absent si l'élève est majeur.",
        source="A-2.12",
        filled="representative",
    )
    uai: Uai = said(
        "Établissement", why="Dit où l'élève est scolarisé.", source="A-1.2", filled="uai"
    )
    level: Level = said(
        "Niveau", why="Situe l'âge scolaire, sans nommer la classe.", source="A-4.3"
    )
    concerns: Annotated[tuple[Concern, ...], Listed(3)] = said(
        "Signes repérés", why="Trois signes au plus, choisis dans une liste.", source="A-0.2"
    )
    hoped_help: Help = said("Aide espérée", why="Oriente la première réponse.", source="A-2.6")


class ReferralAnswered(Payload):
    """The city answers a referral and, when it accepts, names the pathway referent (A-2.5)."""

    decision: Literal["accepted", "declined", "more_contact_needed"] = said(
        "Réponse", why="Dit si le service Jeunesse accompagne, jamais pourquoi non.", source="A-4.2"
    )
    referent: ProfessionalContact | None = said(
        "Référent de parcours", why="Dit à qui s'adresser.", source="A-2.5"
    )
    next_date: Day | None = said(
        "Prochaine date", why="Date du premier rendez-vous.", source="A-2.4"
    )


# --- the watch cell and the pathway (article 2)


class WatchCellConvened(Payload):
    """The school calls its watch cell and invites the youth service: no pupil is named (A-2.2)."""

    at: Instant = said("Date et heure", why="Dit quand venir.", source="A-2.2")
    place: ShortText = said("Lieu", why="Dit où venir.", source="A-2.2")
    situations: Situations = said(
        "Nombre de situations",
        why="Dit combien de temps prévoir ; jamais qui est concerné.",
        source="A-2.3",
    )


Objective = Literal["attendance", "motivation", "guidance", "relations", "self_confidence"]
"""What the pathway pursues: assiduité, motivation, orientation, relations, confiance en soi."""

Strategy = Literal["individual_support", "group_activity", "family_meeting", "outside_partner"]
"""How: suivi individuel, activité collective, rencontre familiale, partenaire du territoire."""


class PathwayOpened(Payload):
    """What the watch cell settled for a young person, as codes and dates (A-2.4)."""

    opened_on: Day = said("Ouvert le", why="Date le début du parcours.", source="A-2.1")
    objectives: Annotated[tuple[Objective, ...], Listed(5)] = said(
        "Objectifs", why="Les deux côtés poursuivent les mêmes objectifs.", source="A-2.4"
    )
    strategy: Annotated[tuple[Strategy, ...], Listed(4)] = said(
        "Stratégie", why="Dit par quels moyens, choisis dans une liste.", source="A-2.4"
    )
    review_on: Day | None = said(
        "Prochain point", why="Fixe le prochain point commun.", source="A-2.4"
    )


class PathwayProgress(Payload):
    """The referent tells how far the pathway has come, never what was said (A-2.7)."""

    stage: Literal["contact_made", "engaged", "in_progress", "on_hold", "nearly_done"] = said(
        "Étape", why="Dit où en est le parcours.", source="A-2.7"
    )
    engaged: bool = said("Le jeune s'engage", why="Oui ou non, sans commentaire.", source="A-2.7")
    next_date: Day | None = said("Prochaine date", why="Annonce le prochain point.", source="A-2.7")


class PathwayNewElement(Payload):
    """The school tells the referent an important new element, as a code (A-2.8)."""

    element: Literal[
        "timetable", "school_change", "class_council", "exclusion", "schooling_end"
    ] = said(
        "Élément", why="Dit ce qui change pour l'accompagnement, jamais pourquoi.", source="A-2.8"
    )
    on: Day = said("Date", why="Date ce changement.", source="A-2.8")


class PathwayClosed(Payload):
    """The pathway ends; retention begins (A-2.4)."""

    closed_on: Day = said("Clos le", why="Fait courir la conservation.", source="A-5.1")
    outcome: Literal["objectives_met", "handed_over", "left_school", "no_answer"] = said(
        "Issue", why="Dit comment finit le parcours, sans appréciation.", source="A-2.4"
    )


class ReferentChanged(Payload):
    """A pathway has a new referent; whoever kept it before has no access any more (A-2.5)."""

    referent: ProfessionalContact = said(
        "Nouveau référent", why="Dit à qui s'adresser désormais.", source="A-2.5"
    )
    since: Day = said("Depuis le", why="Date le changement.", source="A-2.5")


class MeetingCalled(Payload):
    """The youth service brings family, school and partners together (A-2.9)."""

    at: Instant = said("Date et heure", why="Dit quand venir.", source="A-2.9")
    place: ShortText = said("Lieu", why="Dit où venir.", source="A-2.9")
    participants: Annotated[tuple[Participant, ...], Listed(6)] = said(
        "Participants", why="Dit qui est invité ; la famille l'est toujours.", source="A-2.9"
    )
    responsible: Responsible = said(
        "Responsable du jeune",
        why="Dit qui répond du jeune à cet instant.",
        source="A-7.1",
        filled="responsible",
    )

    @property
    def family_invited(self) -> int:
        """1 where the family is among those invited, else 0 (A-2.12)."""
        return int("family" in self.participants)


# --- the alternative to a temporary exclusion (article 3)


def _days(first: date, last: date) -> int:
    """Calendar days from the first to the last, both counted; 0 or less where they cross."""
    return (last - first).days + 1


class AlternativeRequested(Payload):
    """A school asks the city to receive a pupil during a temporary exclusion (A-3.1)."""

    pupil: Identity = said(
        "Élève",
        why="Désigne l'élève à accueillir, une seule fois.",
        source="A-3.1",
        filled="identity",
    )
    representative: Representative | None = said(
        "Représentant légal",
        why="Signe le contrat et vient le premier jour ; absent si l'élève est majeur.",
        source="A-3.7",
        filled="representative",
    )
    uai: Uai = said(
        "Établissement", why="Dit où l'élève est scolarisé.", source="A-1.2", filled="uai"
    )
    exclusion_first_day: Day = said(
        "Exclu du", why="Borne la mesure ; jamais le motif.", source="A-3.1"
    )
    exclusion_last_day: Day = said(
        "Exclu jusqu'au", why="Borne la mesure ; jamais le motif.", source="A-3.1"
    )
    wanted_first_day: Day = said(
        "Disponible du", why="Dit quand l'élève peut être accueilli.", source="A-3.1"
    )
    wanted_last_day: Day = said(
        "Disponible jusqu'au", why="Dit quand l'élève peut être accueilli.", source="A-3.1"
    )

    @property
    def exclusion_days(self) -> int:
        """Calendar days of the exclusion, both ends counted."""
        return _days(self.exclusion_first_day, self.exclusion_last_day)

    @property
    def days_outside(self) -> int:
        """Wanted days that the exclusion does not cover."""
        wanted = (self.wanted_first_day, self.wanted_last_day)
        return days_outside(wanted, (self.exclusion_first_day, self.exclusion_last_day))


def days_outside(inner: tuple[date, date], outer: tuple[date, date]) -> int:
    """Days of one span that lie outside another; an inner span that ends before it starts is one.

    inner, outer: first and last day, both counted.
    """
    if inner[1] < inner[0]:
        return 1
    return max(0, (outer[0] - inner[0]).days) + max(0, (inner[1] - outer[1]).days)


class AlternativeAnswered(Payload):
    """The city says whether it can receive the pupil (A-3.3)."""

    decision: Literal["accepted", "declined"] = said(
        "Réponse", why="Dit si l'accueil est possible, jamais pourquoi non.", source="A-3.3"
    )
    contact: ProfessionalContact | None = said(
        "Contact", why="Dit qui prépare le contrat.", source="A-3.6"
    )


class ContractStatus(Payload):
    """Where the commitment contract stands: who signed when, from when to when, where (A-3.6).

    A day says that the signature is on paper; the paper never travels.
    """

    head_teacher: Day | None = said(
        "Signé par le chef d'établissement", why="Quatre signatures.", source="A-3.6"
    )
    youth_service: Day | None = said(
        "Signé par le service Jeunesse", why="Quatre signatures.", source="A-3.6"
    )
    pupil: Day | None = said("Signé par l'élève", why="Quatre signatures.", source="A-3.6")
    representative: Day | None = said(
        "Signé par le représentant légal", why="Quatre signatures.", source="A-3.6"
    )
    first_day: Day = said("Premier jour", why="Le contrat précède la mesure.", source="A-3.5")
    last_day: Day = said("Dernier jour", why="Borne la mesure.", source="A-3.1")
    host: ShortText | None = said(
        "Structure d'accueil", why="Dit où se fait la mission.", source="A-3.9"
    )
    task_tutor: ProfessionalContact | None = said(
        "Tuteur de mission", why="Dit qui encadre l'élève.", source="A-3.10"
    )

    @property
    def signatures(self) -> dict[str, date]:
        """Days of the signatures that are there, by role."""
        found = {role: getattr(self, role) for role in SIGNATORIES}
        return {role: day for role, day in found.items() if day is not None}

    @property
    def measure_days(self) -> int:
        """Calendar days of the measure, both ends counted."""
        return _days(self.first_day, self.last_day)

    @property
    def late_signatures(self) -> int:
        """Signatures that do not precede the first day."""
        return sum(day >= self.first_day for day in self.signatures.values())


class AlternativeStatus(Payload):
    """Head teacher and youth service keep each other informed of the measure (A-3.13)."""

    status: Literal["attending", "absent", "late", "difficulty", "contact_wanted"] = said(
        "Situation", why="Dit ce que l'autre doit savoir, en un code.", source="A-3.13"
    )
    on: Day = said("Date", why="Date l'information.", source="A-3.13")


class AlternativeAlert(Payload):
    """The youth service warns the head teacher without delay; no detail, a number to call.

    A breach, an incident or an absence (A-3.15), or an accident, without a word on health (A-3.16).
    """

    kind: Literal["absence", "breach", "incident", "accident"] = said(
        "Nature", why="Dit l'urgence, en un code.", source="A-3.15"
    )
    at: Instant = said("Survenu à", why="Dit quand.", source="A-3.15")
    call_back: Phone = said("À rappeler", why="Le reste se dit de vive voix.", source="A-3.16")
    responsible: Responsible = said(
        "Responsable de l'élève",
        why="Rappelle qui répond de l'élève pendant la mesure.",
        source="A-7.2",
        filled="responsible",
    )


class AlternativeEnded(Payload):
    """The measure is over: completed, or ended by the head teacher on one of three grounds."""

    outcome: Literal["completed", "ended_hygiene", "ended_safety", "ended_morality"] = said(
        "Issue", why="Allée à son terme, ou arrêtée pour l'un des trois motifs.", source="A-3.14"
    )
    ended_on: Day = said("Terminée le", why="Fait courir la conservation.", source="A-5.1")
    booklet_handed: bool = said(
        "Livret remis", why="L'élève le présente à son retour.", source="A-3.11"
    )

    @property
    def interruptions(self) -> int:
        """1 where the measure was interrupted, else 0."""
        return int(self.outcome != "completed")


# --- the mayor's information


class AttendanceNotice(Payload):
    """A school tells the mayor of a pupil's attendance, as the law asks (L131-6, R131-10-2).

    Only what the duty needs here: no address, profession or benefit, though the law's list is
    longer, and no word of any support.
    """

    pupil: Identity = said(
        "Élève", why="Désigne l'enfant soumis à l'obligation.", source="L131-6", filled="identity"
    )
    representative: Representative | None = said(
        "Personne responsable",
        why="Le maire s'adresse à la personne responsable de l'enfant.",
        source="L131-6",
        filled="representative",
    )
    uai: Uai = said(
        "Établissement", why="Dit où l'enfant est inscrit.", source="L131-6", filled="uai"
    )
    event: Literal[
        "enrolled", "left", "attendance_warning", "temporary_exclusion", "definitive_exclusion"
    ] = said("Événement", why="Seuls ceux que le texte énumère.", source="R131-10-2")
    on: Day = said("Date", why="Date l'événement.", source="R131-10-2")
