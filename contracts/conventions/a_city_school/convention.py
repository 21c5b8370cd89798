"""Convention A as data: its clauses and its flows, each with the article that permits it."""

from __future__ import annotations

from contracts.conventions.a_city_school.messages import ReferralAnswered, ReferralSubmitted
from contracts.kernel.checks import Agreement, Giver, NoticeGiven, Recorded, Side
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

PURPOSE = "school_perseverance"
"""Persévérance éducative: the only purpose of the shared support procedure (A-1.1)."""

INFORMED = NoticeGiven(
    article="A-2.10",
    sentence="La famille n'a pas été informée de la démarche avant l'envoi.",
)

AGREED = Agreement(
    article="A-2.11",
    recipient_article="A-4.1",
    sentence="L'accord du représentant légal, ou de l'élève majeur, n'est pas enregistré.",
    minor=Giver.REPRESENTATIVE,
    adult=Giver.YOUNG_PERSON,
)

CHARTER = Recorded(
    article="A-5.2",
    name="charter",
    side=Side.SENDER,
    sentence="L'agent n'a pas accepté la charte de confidentialité en vigueur.",
)

ENROLLED = Recorded(
    article="A-1.2",
    name="enrolled",
    sentence="L'élève ne fréquente pas l'établissement qui envoie la fiche.",
)

OPEN_CASE = Recorded(
    article="A-1.3",
    name="open_case",
    sentence="Aucun accompagnement n'est ouvert pour cette situation.",
)

KEPT = Retention(event="pathway_closed", months=3, article="A-5.1")

CONVENTION = Convention(
    code="a_city_school",
    letter="A",
    version=1,
    title="Persévérance éducative et alternatives à l'exclusion scolaire",
    parties=(Kind.CITY, Kind.SCHOOL),
    parties_article="A-0.1",
    purposes={PURPOSE: "A-1.1"},
    term=TermRule(article="A-9.1", years=3),
    termination=Termination(article="A-10.1", months=6, starts=NoticeStarts.RECEIPT),
    amendment_article="A-11.1",
    evidence_article="A-13.1",
    review_months=12,
    review_article="A-8.1",
    purge_months=3,
    purge_article="A-5.1",
    minimisation_article="A-5.1",
    flows=(
        Flow(
            type="referral.submitted",
            code="m1",
            label="fiche de repérage",
            sender=Kind.SCHOOL,
            receiver=Kind.CITY,
            article="A-4.3",
            purpose=PURPOSE,
            legal_basis=LegalBasis.PUBLIC_TASK,
            payload=ReferralSubmitted,
            case=Cardinality.OPENS,
            checks=(ENROLLED, INFORMED, AGREED, CHARTER),
            retention=KEPT,
        ),
        Flow(
            type="referral.answered",
            code="m2",
            label="réponse à la fiche de repérage",
            sender=Kind.CITY,
            receiver=Kind.SCHOOL,
            article="A-2.5",
            purpose=PURPOSE,
            legal_basis=LegalBasis.PUBLIC_TASK,
            payload=ReferralAnswered,
            case=Cardinality.WITHIN,
            checks=(OPEN_CASE, INFORMED, AGREED, CHARTER),
            retention=KEPT,
        ),
    ),
)
