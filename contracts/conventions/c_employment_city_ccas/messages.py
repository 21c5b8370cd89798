"""Messages of convention C: the strictly necessary fields, each with its reason (C-4.1).

Never here: eligibility or its reasons, an administrative category, how long somebody has been
without a job, the diagnosis, which stays with the job counsellor (C-3a.3, C-3a.15), whether one
lives in a priority district, an answer of the booklet, a list of job seekers (C-5.1), a comment.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Final, Literal

from dateutil.relativedelta import relativedelta
from pydantic import Field, model_validator

from contracts.conventions.c_employment_city_ccas.course import Step
from contracts.kernel.fields import Day, Instant, Listed, Payload, PersonName, ShortText, said
from contracts.kernel.messages import (
    Channel,
    Identity,
    OfferId,
    ProfessionalContact,
    Rome,
    WeeklyHours,
)

SIGNATORIES: Final = ("job_counsellor", "employee", "workplace_tutor")
"""Who signs the request for aid at the end of the interview of three (C-3a.20)."""

LEAST: Final = 11
"""Smallest number of job seekers that is told: the text sets none, this is the strict one."""

Skill = Annotated[str, Field(pattern=r"^[0-9]{5,6}$")]
"""A skill of the agency's reference list: its number, of five or six digits (C-3a.18)."""

Number = Annotated[int, Field(ge=0, le=1_000_000)]
"""How many people."""

Agency = Literal["saint_sever", "luciline", "aubette", "beauvoisine"]
"""Local agencies that take part (C-0.2)."""


class _PartOfIdentity(Payload):
    """What one message needs of an identity, and no more: taken by the node from its register."""

    @model_validator(mode="before")
    @classmethod
    def _taken(cls, value: Any) -> Any:  # noqa: ANN401 -- whatever came
        if isinstance(value, Identity):
            return {name: getattr(value, name) for name in cls.model_fields}
        return value


class Candidate(_PartOfIdentity):
    """A name and the one way to be reached that the person chose; no age, so that none counts."""

    family_name: PersonName = said(
        "Nom de famille", why="Dit qui se présente, sans rien d'autre.", source="C-3a.13"
    )
    first_name: PersonName = said(
        "Prénom", why="Dit qui se présente, sans rien d'autre.", source="C-3a.13"
    )
    channel: Channel = said(
        "Contact choisi", why="Permet d'inviter la personne à un entretien.", source="C-3a.12"
    )


class AskedPerson(_PartOfIdentity):
    """A name and a birth date, for one question only: the agency finds the person by them."""

    family_name: PersonName = said(
        "Nom de famille", why="Sert à la question, puis est oublié.", source="C-3d.4"
    )
    first_name: PersonName = said(
        "Prénom", why="Sert à la question, puis est oublié.", source="C-3d.4"
    )
    birth_date: Day = said(
        "Date de naissance", why="Écarte les homonymes, puis est oubliée.", source="C-3d.4"
    )


# --- supported contracts (article 3, 1 a)


class OfferPublished(Payload):
    """The city makes an offer of a supported contract known, as it does for all (C-3a.11)."""

    offer_id: OfferId = said("Offre", why="Désigne l'offre à laquelle répondre.", source="C-3a.11")
    post: ShortText = said("Poste", why="Dit de quel poste il s'agit.", source="C-3a.11")
    trade: Rome = said("Métier", why="Situe le poste dans le référentiel.", source="C-3a.11")
    weekly_hours: WeeklyHours = said(
        "Heures par semaine", why="Dit le temps de travail.", source="C-3a.11"
    )
    starts_on: Day = said("À partir du", why="Dit quand le contrat commence.", source="C-3a.11")
    closes_on: Day = said("Close le", why="Dit jusqu'à quand proposer quelqu'un.", source="C-3a.13")
    eligible_tutor: bool = said(
        "Tuteur éligible", why="Oui ou non ; jamais qui il est.", source="C-3a.6"
    )
    may_become_permanent: bool = said(
        "Poste pérennisable", why="Dit si l'emploi peut durer.", source="C-3a.10"
    )


class CandidateProposed(Payload):
    """The agency proposes a person for an offer: seen, never kept (C-3a.13, C-5.1)."""

    candidate: Candidate = said(
        "Candidat", why="Dit qui recevoir, une seule fois.", source="C-3a.13", filled="identity"
    )
    offer_id: OfferId = said("Offre", why="Dit pour quel poste.", source="C-3a.13")


class CandidateOutcome(Payload):
    """What came of a candidate, without a word on why (C-3a.12)."""

    outcome: Literal["met", "retained", "not_retained"] = said(
        "Suite", why="Dit où en est la candidature, jamais pourquoi.", source="C-3a.12"
    )


Training = Literal[
    "refresher", "pre_qualification", "professionalisation", "new_skills", "prior_learning"
]
"""Remise à niveau, pré-qualification, professionnalisation, nouvelles compétences, VAE."""

Support = Literal[
    "taking_up_the_post", "skills_assessment", "work_immersion", "career_plan", "job_search"
]
"""Prise de poste, évaluation des compétences, immersion, projet professionnel, recherche."""


class CommitmentAgreed(Payload):
    """What counsellor, employee and tutor agreed and signed, all three (C-3a.20).

    A job, training and support, the three together (C-3a.2), written down so that they can be
    followed up (C-3a.4). A day says that a signature is on paper; the paper never travels.
    """

    skills: Annotated[tuple[Skill, ...], Listed(10)] = said(
        "Compétences visées", why="Fixe ce que le contrat doit apporter.", source="C-3a.18"
    )
    training: Annotated[tuple[Training, ...], Listed(5)] = said(
        "Formation", why="Engage l'employeur sur des actions.", source="C-3a.8"
    )
    support: Annotated[tuple[Support, ...], Listed(5)] = said(
        "Accompagnement", why="Engage l'employeur sur des actions.", source="C-3a.19"
    )
    first_day: Day = said("Premier jour", why="Fixe les points du livret.", source="C-3a.23")
    last_day: Day = said("Dernier jour", why="Fixe les points du livret.", source="C-3a.23")
    job_counsellor: Day = said(
        "Signé par le conseiller référent", why="Trois signatures.", source="C-3a.20"
    )
    employee: Day = said("Signé par le salarié", why="Trois signatures.", source="C-3a.20")
    workplace_tutor: Day = said("Signé par le tuteur", why="Trois signatures.", source="C-3a.20")

    @property
    def signatures(self) -> dict[str, date]:
        """Days of the three signatures, by role."""
        return {role: getattr(self, role) for role in SIGNATORIES}

    @property
    def contract_months(self) -> int:
        """Whole months of the contract, both ends counted; negative where they cross."""
        length = relativedelta(self.last_day + timedelta(days=1), self.first_day)
        return length.years * 12 + length.months


class BookletDue(Payload):
    """The follow-up booklet is to be filled in: which of its three times, and until when."""

    step: Step = said("Point", why="Dit lequel des trois points.", source="C-3a.23")
    due_on: Day = said("À remplir le", why="Rappelle l'échéance.", source="C-3a.23")


class BookletFilled(Payload):
    """One side has filled in its booklet: the tutor's if the city says so, else the employee's.

    One bit, never an answer: the counsellor alone reads both (C-3a.22). What follows, a talk or a
    mediation, is between persons (C-3a.24, C-3a.25), and so are the support through the whole
    contract (C-3a.5) and the actions that the counsellor proposes meanwhile (C-3a.17).
    """

    step: Step = said("Point", why="Dit lequel des trois points.", source="C-3a.23")
    filled: bool = said("Rempli", why="Oui ou non ; jamais une réponse.", source="C-3a.22")


class ExitInterview(Payload):
    """The agency calls counsellor, tutor and employee together before the exit (C-3a.26).

    Its four subjects are spoken of there, and have no field (C-3a.27).
    """

    at: Instant = said("Date et heure", why="Dit quand venir.", source="C-3a.26")


class CertificateIssued(Payload):
    """The employer gave the employee the certificate of experience: its day, not its content."""

    issued_on: Day = said("Remise le", why="Prouve qu'elle est remise à temps.", source="C-3a.28")


# --- social clauses (article 3, 2 a)


class ClauseOpportunity(Payload):
    """A place for inclusion in public works: which site, which trade, when; nobody is named.

    Told both ways, for the process is a common one (C-3d.1): by the agency to the city's referent
    (C-3d.2), and by the city to the agency that finds the job seekers.
    """

    site: ShortText = said("Chantier", why="Dit où.", source="C-3d.2")
    trade: Rome = said("Métier", why="Dit pour quel poste.", source="C-3d.2")
    first_day: Day = said("Du", why="Dit quand.", source="C-3d.2")
    last_day: Day = said("Au", why="Dit quand.", source="C-3d.2")


class EligibilityAsked(Payload):
    """The city's referent asks whether a candidate counts as inclusion (C-3d.4)."""

    person: AskedPerson = said(
        "Personne", why="Pour cette seule question.", source="C-3d.4", filled="identity"
    )


class EligibilityAnswered(Payload):
    """The agency's referent answers, and both forget the next day (C-3d.4)."""

    answer: Literal["yes", "no", "unknown"] = said(
        "Réponse", why="Dit si la candidature relève de l'insertion, sans motif.", source="C-3d.4"
    )


# --- zero long-term unemployment (article 3, 2 b)


class CampaignRequested(Payload):
    """A partner asks the agency to spread word of an event; the agency alone knows to whom."""

    event: Literal["drop_in", "presentation"] = said(
        "Sujet", why="Permanence ou réunion de présentation.", source="C-3e.4"
    )
    at: Instant = said("Date et heure", why="Dit quand venir.", source="C-3e.4")
    place: ShortText = said("Lieu", why="Dit où venir.", source="C-3e.4")
    means: Literal["email", "text_message"] = said(
        "Envoi", why="Courriel ou SMS, par l'agence.", source="C-3e.4"
    )
    priority_districts_only: bool = said(
        "Quartiers prioritaires seuls", why="Cible l'envoi ; l'agence en juge.", source="C-2.1"
    )


class CampaignSent(Payload):
    """The agency sent it: when, and to how many if they are enough not to be found (C-3e.4)."""

    sent_on: Day = said("Envoyé le", why="Dit que c'est fait.", source="C-3e.4")
    reached: Number | None = said(
        "Destinataires", why="Leur nombre, à partir de onze ; jamais leur liste.", source="C-3e.4"
    )

    @property
    def too_few(self) -> int:
        """1 where a number is told that is too small to be, else 0."""
        return int(self.reached is not None and self.reached < LEAST)


_CELLS: Final = ("under_one_year", "from_one_to_two", "from_two_to_three", "over_three_years")


class CensusAggregate(Payload):
    """Job seekers of the territory by time without a job: one table of one day (C-3e.3, C-2.2).

    A number that is hidden is absent; no other may give it away.
    """

    table: Literal["job_seekers", "long_term_excluded"] = said(
        "Tableau", why="Dit qui est compté.", source="C-2.2"
    )
    counted_on: Day = said("Compté le", why="Date le tableau.", source="C-2.2")
    under_one_year: Number | None = said("Moins d'un an", why="Un nombre.", source="C-3e.3")
    from_one_to_two: Number | None = said("D'un à deux ans", why="Un nombre.", source="C-3e.3")
    from_two_to_three: Number | None = said(
        "De deux à trois ans", why="Un nombre.", source="C-3e.3"
    )
    over_three_years: Number | None = said("Plus de trois ans", why="Un nombre.", source="C-3e.3")
    total: Number | None = said("Total", why="Un nombre.", source="C-3e.3")

    @property
    def small_cells(self) -> int:
        """Numbers told that are too small to be."""
        return sum(count < LEAST for count in self._told.values())

    @property
    def exposed_cells(self) -> int:
        """Hidden numbers that the others and the total give away, alone or nearly (C-3e.3)."""
        told = self._told
        total = told.pop("total", None)
        hidden = len(_CELLS) - len(told)
        if total is None:
            return 0
        rest = total - sum(told.values())
        found_again = rest != 0 if hidden == 0 else hidden == 1 or rest < LEAST
        return max(1, hidden) if found_again else 0

    @property
    def _told(self) -> dict[str, int]:
        found = {name: getattr(self, name) for name in (*_CELLS, "total")}
        return {name: count for name, count in found.items() if count is not None}


class SkillsOffered(Payload):
    """A volunteer makes own skills and wishes known to the project, through the agency (C-3e.5).

    The agency goes on with its support, whatever comes of it (C-3e.6).
    """

    volunteer: Candidate = said(
        "Volontaire",
        why="La personne a demandé à être jointe.",
        source="C-3e.5",
        filled="identity",
    )
    skills: Annotated[tuple[Skill, ...], Listed(10)] = said(
        "Compétences", why="Ce que la personne propose.", source="C-3e.5"
    )
    needs: Annotated[
        tuple[Literal["training", "part_time", "near_home", "tutoring"], ...], Listed(4)
    ] = said("Besoins", why="Ce que la personne demande pour un emploi.", source="C-3e.5")


# --- who answers for what, and what is told outside (articles 3 and 5)


class ReferentsPublished(Payload):
    """Who at the agency answers for what: professional contacts, a second one for absences.

    For employers (C-3a.14), for the clauses in each agency (C-3d.3), in the management for zero
    unemployment (C-3e.2), for the Hauts de Rouen (C-3f.5) and for France Services (C-3f.6).
    """

    agency: Agency = said("Agence", why="Dit de quelle agence.", source="C-0.2")
    task: Literal[
        "employer", "social_clauses", "zero_unemployment", "hauts_de_rouen", "france_services"
    ] = said("Mission", why="Dit pour quoi s'adresser à cette personne.", source="C-3d.3")
    first: ProfessionalContact = said("Référent", why="Dit à qui s'adresser.", source="C-3a.14")
    second: ProfessionalContact | None = said(
        "Second", why="Dit à qui s'adresser en son absence.", source="C-3a.14"
    )
    since: Day = said("Depuis le", why="Date la désignation.", source="C-6.1")

    @property
    def seconds_missing(self) -> int:
        """1 where the counsellor for employers has no second, else 0 (C-3a.14)."""
        return int(self.task == "employer" and self.second is None)


Unit = Annotated[int, Field(ge=1, le=3)]
"""Which of the three social work units of the CCAS (C-3f.1)."""


class AntennaReferents(Payload):
    """Who answers at a social work unit, or at the agency of its area (C-3f.1, C-3f.3)."""

    unit: Unit = said("Unité de travail social", why="Dit de quelle équipe.", source="C-3f.1")
    agency: Literal["aubette", "beauvoisine", "saint_sever"] = said(
        "Agence", why="Dit avec quelle agence.", source="C-3f.1"
    )
    referent: ProfessionalContact = said("Référent", why="Dit à qui s'adresser.", source="C-3f.3")
    since: Day = said("Depuis le", why="Date la désignation.", source="C-6.1")


class CommunicationAnnounced(Payload):
    """A party tells the other before it speaks of their actions outside (C-5.4)."""

    subject: Literal["recruitment", "zero_unemployment", "inclusion"] = said(
        "Sujet", why="Dit de quel axe il sera question.", source="C-5.4"
    )
    medium: Literal["press", "website", "social_media", "poster", "event"] = said(
        "Support", why="Dit où.", source="C-5.4"
    )
    on: Day = said("Prévue le", why="Laisse le temps de réagir.", source="C-5.4")
