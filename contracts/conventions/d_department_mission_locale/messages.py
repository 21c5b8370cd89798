"""Messages of convention D: codes and dates about a first contact and a way to autonomy.

Never here: on what ground the department supports a young person, where the person lives, the
family, what was said, why something was declined, any amount of money. The frailties that the text
lists are no fields: nothing assesses mobility, home, body, family or its resources, and there is no
score; early help is asked for, never computed (D-2.1). Only the Mission Locale's own actions on
work and training have codes (D-1.7).
"""

from __future__ import annotations

from typing import Annotated, Literal

from contracts.conventions.d_department_mission_locale.deadlines import days_outside
from contracts.conventions.d_department_mission_locale.discreet import Colleague
from contracts.conventions.d_department_mission_locale.indicators import Cell, may_show
from contracts.kernel.fields import Day, Instant, Listed, Payload, said
from contracts.kernel.messages import Identity, Representative

Place = Literal["mission_locale", "department", "elsewhere"]
"""Where to meet, as a code: an address could tell where a young person lives."""

View = Literal["asked", "agrees", "undecided", "against"]
"""The young person's own view: le demande, est d'accord, hésite, s'y oppose."""

Action = Literal[
    "employment_search",
    "employment_discovery",
    "employment_contract",
    "training_search",
    "training_entry",
    "training_apprenticeship",
]
"""Recherche d'emploi, découverte d'un métier, contrat ; recherche, entrée en formation,
apprentissage: the two headings of the project that the Mission Locale knows, of six."""


# --- a first contact, and enrolment (axis 1, from 16)


class YouthContactRequested(Payload):
    """The department asks that an adviser meet a young person for the first time (D-1.2)."""

    young_person: Identity = said(
        "Jeune",
        why="Désigne le jeune à rencontrer, une seule fois.",
        source="D-1.2",
        filled="identity",
    )
    place: Literal[Place, "by_phone"] = said(
        "Lieu souhaité", why="Le jeune choisit où il préfère être reçu.", source="D-1.2"
    )
    priority: bool = said("Prioritaire", why="Oui ou non, jamais à quel titre.", source="D-1.1")
    referent: Colleague = said("Référent au Département", why="Dit à qui répondre.", source="D-1.4")


class YouthContactAnswered(Payload):
    """The Mission Locale says what became of the first contact (D-1.2)."""

    outcome: Literal["met", "registered", "declined", "unreachable"] = said(
        "Suite", why="Dit si la rencontre a eu lieu, jamais ce qui s'y est dit.", source="D-1.2"
    )
    adviser: Colleague | None = said(
        "Conseiller", why="Dit à qui s'adresser, si le jeune est accompagné.", source="D-1.4"
    )


class EnrolmentProposed(Payload):
    """The department proposed to the young person to enrol at the Mission Locale (D-1.3)."""

    proposed_on: Day = said("Proposée le", why="Date la proposition.", source="D-1.3")


class EnrolmentOutcome(Payload):
    """The Mission Locale says whether the young person enrolled (D-1.3)."""

    outcome: Literal["accepted", "declined"] = said(
        "Suite", why="Oui ou non, jamais pourquoi non.", source="D-1.3"
    )
    on: Day = said("Date", why="Date la suite.", source="D-1.3")


# --- towards majority


class OrientationDiagnosisRequested(Payload):
    """The department asks for an orientation diagnosis, for the review of the path (D-1.5)."""

    review_on: Day | None = said(
        "Bilan de parcours le", why="Dit pour quand le diagnostic est utile.", source="D-1.5"
    )


class OrientationDiagnosisDone(Payload):
    """The diagnosis was made; it is the young person's and never crosses (D-1.5)."""

    done_on: Day = said("Réalisé le", why="Date le diagnostic, sans son contenu.", source="D-1.5")
    handed_over: bool = said("Remis au jeune", why="Le diagnostic est le sien.", source="D-1.5")


class InterviewInvited(Payload):
    """The department invites an adviser to the interview of the seventeenth year (D-1.6)."""

    at: Instant = said("Date et heure", why="Dit quand venir.", source="D-1.6")
    place: Place = said("Lieu", why="Dit où venir, sans adresse.", source="D-1.6")
    contact: Colleague = said(
        "Contact", why="Dit qui reçoit, et précise de vive voix.", source="D-1.6"
    )


class InterviewAnswered(Payload):
    """The Mission Locale says whether an adviser comes to the interview, and who (D-1.6)."""

    attends: bool = said("Présence", why="Oui ou non, jamais pourquoi non.", source="D-1.6")
    adviser: Colleague | None = said(
        "Conseiller", why="Dit qui le jeune rencontrera, si quelqu'un vient.", source="D-1.6"
    )


class InterviewHeld(Payload):
    """The interview took place, in the adviser's presence or not; nothing of it crosses (D-1.6)."""

    held_on: Day = said("Tenu le", why="Fait courir la conservation.", source="D-1.6")
    together: bool = said("En binôme", why="Compté chaque année.", source="D-5.7b")


class AutonomyProjectContribution(Payload):
    """What the Mission Locale brings to the project of access to autonomy (D-1.7).

    Work and training alone: the other headings are not its own.
    """

    actions: Annotated[tuple[Action, ...], Listed(6)] = said(
        "Actions", why="Emploi et formation seulement, choisis dans une liste.", source="D-1.7"
    )
    starts_on: Day = said("Début", why="Date les actions.", source="D-1.7")
    ends_on: Day | None = said("Fin prévue", why="Date les actions.", source="D-1.7")


class YouthContractProposed(Payload):
    """The youth engagement contract was proposed, as it is to each (D-1.9)."""

    proposed_on: Day = said("Proposé le", why="Date la proposition.", source="D-1.9")


class YouthContractOutcome(Payload):
    """What became of the proposal (D-1.9); eligibility is the Mission Locale's own check (D-1.8).

    Declining is no fault: nobody is told why, and nothing follows from it.
    """

    outcome: Literal["entered", "declined", "not_eligible"] = said(
        "Suite", why="Dit la suite, jamais pourquoi.", source="D-1.9"
    )
    on: Day = said("Date", why="Date la suite.", source="D-1.9")


class CosupportDecided(Payload):
    """Both go on together, or one hands over to the other, with the young person's view (D-1.4)."""

    mode: Literal["together", "handover"] = said(
        "Décision", why="Co-intervention ou passage de relais.", source="D-1.4"
    )
    since: Day = said("À partir du", why="Date la décision.", source="D-1.4")
    view: View = said("Avis du jeune", why="Sa propre parole, en un code.", source="D-1.4")
    contact: Colleague = said("Contact", why="Dit à qui s'adresser désormais.", source="D-1.4")

    @property
    def against(self) -> int:
        """1 where the young person is against it, else 0 (D-1.4)."""
        return int(self.view == "against")


class YouthReferentChanged(Payload):
    """A young person has a new referent or adviser; the former one has no access (D-1.4)."""

    referent: Colleague = said(
        "Nouveau référent", why="Dit à qui s'adresser désormais.", source="D-1.4"
    )
    since: Day = said("Depuis le", why="Date le changement.", source="D-1.4")


# --- the yearly sheet (axis 5)


class IndicatorYearly(Payload):
    """Six counts at 31 December of what passed through these cases, and nobody's data.

    The department counts a, b and e, the Mission Locale c, d and f, as far as their common cases
    tell; the other's are not counted. Studies of paths get no more than this (D-4.3, D-5.4).
    """

    counted_on: Day = said("Au 31 décembre", why="Date le décompte.", source="D-5.7a")
    requested: Cell = said("Sollicitations", why="Premier indicateur.", source="D-5.7a")
    interviews: Cell = said("Entretiens en binôme", why="Deuxième indicateur.", source="D-5.7b")
    diagnoses: Cell = said("Diagnostics", why="Troisième indicateur.", source="D-5.7c")
    enrolled: Cell = said("Inscrits", why="Quatrième indicateur.", source="D-5.7d")
    projects: Cell = said("Projets conjoints", why="Cinquième indicateur.", source="D-5.7e")
    youth_contracts: Cell = said(
        "Contrats d'engagement jeune", why="Sixième indicateur.", source="D-5.7f"
    )

    @property
    def off_year_end(self) -> int:
        """0 on 31 December, else 1 (D-5.7a)."""
        return int((self.counted_on.month, self.counted_on.day) != (12, 31))

    @property
    def small_cells(self) -> int:
        """Counts shown that are too small to be (D-4.3)."""
        cells = (
            self.requested,
            self.interviews,
            self.diagnoses,
            self.enrolled,
            self.projects,
            self.youth_contracts,
        )
        counts = [one for one in cells if isinstance(one, int)]
        return sum(not may_show(one, self.requested) for one in counts)


# --- the training obligation (D-2.3, D-2.4)


class TrainingObligationBreach(Payload):
    """The Mission Locale tells the department of a breach of the training obligation (R114-7).

    The young person, the representative convened with him, one ground of three and two days; no
    word of any support, and nothing else that a file holds.
    """

    young_person: Identity = said(
        "Jeune", why="Désigne le jeune soumis à l'obligation.", source="R114-7", filled="identity"
    )
    representative: Representative | None = said(
        "Représentant légal",
        why="Convoqué avec le jeune ; le Département s'adresse à lui.",
        source="R114-7",
        filled="representative",
    )
    convened_on: Day = said("Convoqué le", why="Ouvre le délai de deux mois.", source="R114-7")
    ground: Literal["absent_from_interview", "left_early", "no_answer"] = said(
        "Motif de la convocation", why="L'un des trois que le texte énumère.", source="R114-7"
    )
    not_met_on: Day = said(
        "Obligation non respectée au", why="Date le constat, sans appréciation.", source="D-2.4"
    )

    @property
    def days_outside(self) -> int:
        """Days by which the finding misses the two months after the convening."""
        return days_outside(self.convened_on, self.not_met_on)
