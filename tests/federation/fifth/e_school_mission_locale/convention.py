"""Convention E as data: two flows, an age bracket, a limit, and nothing else."""

from __future__ import annotations

from contracts.kernel.checks import Age, Agreement, Giver, Limit, NoticeGiven, Recorded
from contracts.kernel.instrument import (
    Cardinality,
    Convention,
    Flow,
    LegalBasis,
    NoticeStarts,
    Retention,
    Termination,
    TermRule,
)
from contracts.kernel.organisation import Kind
from tests.federation.fifth.e_school_mission_locale.messages import (
    DiscoveryAnswered,
    DiscoveryProposed,
)

PURPOSE = "work_discovery"

OF_AGE = Age(
    article="E-1.2", sentence="Seuls les 16-25 ans découvrent un métier.", at_least=16, below=26
)
INFORMED = NoticeGiven(article="E-1.3", sentence="Le jeune n'a pas été informé.")
AGREED = Agreement(
    article="E-1.4",
    recipient_article="E-1.5",
    sentence="L'accord n'est pas enregistré.",
    minor=Giver.REPRESENTATIVE,
    adult=Giver.YOUNG_PERSON,
)
FOUR_WEEKS = Limit(
    article="E-2.2",
    name="weeks",
    at_least=1,
    at_most=4,
    sentence="Une découverte dure de une à quatre semaines.",
)
OPEN_CASE = Recorded(article="E-1.6", name="open_case", sentence="Aucune découverte n'est ouverte.")
KEPT = Retention(event="discovery_ended", months=2, article="E-3.1")

CONVENTION = Convention(
    code="e_school_mission_locale",
    letter="E",
    version=1,
    title="Découverte des métiers",
    parties=(Kind.SCHOOL, Kind.MISSION_LOCALE),
    parties_article="E-0.1",
    purposes={PURPOSE: "E-1.1"},
    term=TermRule(article="E-4.1", years=2),
    termination=Termination(article="E-4.2", months=3, starts=NoticeStarts.SENDING),
    amendment_article="E-4.3",
    evidence_article="E-4.4",
    review_months=6,
    review_article="E-4.5",
    purge_months=1,
    purge_article="E-3.1",
    dispute_article="E-4.6",
    minimisation_article="E-3.2",
    flows=(
        Flow(
            type="discovery.proposed",
            code="m1",
            label="proposition de découverte",
            sender=Kind.SCHOOL,
            receiver=Kind.MISSION_LOCALE,
            article="E-2.1",
            purpose=PURPOSE,
            legal_basis=LegalBasis.PUBLIC_TASK,
            payload=DiscoveryProposed,
            case=Cardinality.OPENS,
            checks=(OF_AGE, INFORMED, AGREED, FOUR_WEEKS),
            retention=KEPT,
        ),
        Flow(
            type="discovery.answered",
            code="m2",
            label="réponse à la proposition",
            sender=Kind.MISSION_LOCALE,
            receiver=Kind.SCHOOL,
            article="E-2.3",
            purpose=PURPOSE,
            legal_basis=LegalBasis.PUBLIC_TASK,
            payload=DiscoveryAnswered,
            case=Cardinality.WITHIN,
            checks=(OPEN_CASE, OF_AGE, INFORMED, AGREED),
            retention=KEPT,
        ),
    ),
)
