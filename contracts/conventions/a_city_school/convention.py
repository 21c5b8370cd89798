"""Convention A as data: its clauses and its flows, each with the article that permits it.

Two kinds of case hang on it, each under a purpose of its own: shared support, which a referral
opens, and the alternative to a temporary exclusion. The mayor's information on attendance is a duty
of the law and no part of either; it stands here because the text recalls it (A-0.3).
"""

from __future__ import annotations

from datetime import date
from functools import partial

from contracts.conventions.a_city_school import checks, messages
from contracts.conventions.a_city_school.checks import CHARTER, MEASURE, SUPPORT
from contracts.conventions.a_city_school.obligations import OBLIGATIONS
from contracts.kernel.derogation import DerogationRule, Ground
from contracts.kernel.instrument import (
    Cardinality,
    Convention,
    Flow,
    LegalBasis,
    LegalDuty,
    NoticeStarts,
    Retention,
    Termination,
    TermRule,
    Urgency,
)
from contracts.kernel.organisation import Kind

PURPOSE = "school_perseverance"
"""Persévérance éducative: the purpose of the shared support procedure (A-1.1)."""

ALTERNATIVE = "exclusion_alternative"
"""Réponse éducative to a temporary exclusion: a purpose apart, with cases of its own (A-3.3)."""

ATTENDANCE = "school_attendance"
"""Assiduité: what the mayor is told by law, and for nothing else (L131-6)."""

KEPT = Retention(event="pathway_closed", months=3, article="A-5.1")
KEPT_MEASURE = Retention(event="measure_ended", months=3, article="A-5.1")
KEPT_ALERT = Retention(event="measure_ended", months=1, article="A-5.1")
KEPT_CONTRACT = Retention(event="school_year_ended", months=0, article="A-5.1")

_IN_DANGER = DerogationRule(
    ground=Ground.VITAL_INTERESTS, article="A-3.15", hours=4, sealed_days=30
)
"""A pupil who is at the host when an objection suspends the agreement may have an accident there.

The school, alone responsible (A-7.2), is then told without delay all the same. Hours and days are a
proposal.
"""

_flow = partial(Flow, legal_basis=LegalBasis.PUBLIC_TASK)
_support = partial(_flow, purpose=PURPOSE, case=Cardinality.WITHIN, retention=KEPT)
_measure = partial(_flow, purpose=ALTERNATIVE, case=Cardinality.WITHIN, retention=KEPT_MEASURE)

_REFERRAL = (
    _flow(
        type="referral.submitted",
        code="m1",
        label="fiche de repérage",
        sender=Kind.SCHOOL,
        receiver=Kind.CITY,
        article="A-4.3",
        purpose=PURPOSE,
        payload=messages.ReferralSubmitted,
        case=Cardinality.OPENS,
        checks=(checks.ENROLLED, checks.INFORMED, checks.AGREED, CHARTER),
        retention=KEPT,
    ),
    _support(
        type="referral.answered",
        code="m2",
        label="réponse à la fiche de repérage",
        sender=Kind.CITY,
        receiver=Kind.SCHOOL,
        article="A-2.5",
        payload=messages.ReferralAnswered,
        checks=SUPPORT,
    ),
)

_PATHWAY = (
    _flow(
        type="watch_cell.convened",
        code="m3",
        label="convocation de la cellule de veille",
        sender=Kind.SCHOOL,
        receiver=Kind.CITY,
        article="A-2.2",
        purpose=PURPOSE,
        legal_basis=LegalBasis.NO_PERSONAL_DATA,
        payload=messages.WatchCellConvened,
        case=Cardinality.NONE,
        checks=(CHARTER,),
        retention=Retention(event="meeting_held", months=1, article="A-5.1"),
    ),
    _support(
        type="pathway.opened",
        code="m4",
        label="ouverture du parcours",
        sender=Kind.CITY,
        receiver=Kind.SCHOOL,
        article="A-2.4",
        payload=messages.PathwayOpened,
        checks=(*SUPPORT, checks.REFERENT),
    ),
    _support(
        type="pathway.opened",
        code="m5",
        label="ouverture du parcours",
        sender=Kind.SCHOOL,
        receiver=Kind.CITY,
        article="A-2.4",
        payload=messages.PathwayOpened,
        checks=(*SUPPORT, checks.REFERENT),
    ),
    _support(
        type="pathway.progress",
        code="m6",
        label="avancement du parcours",
        sender=Kind.CITY,
        receiver=Kind.SCHOOL,
        article="A-2.7",
        payload=messages.PathwayProgress,
        checks=(*SUPPORT, checks.PATHWAY, checks.BY_REFERENT),
    ),
    _support(
        type="pathway.new_element",
        code="m7",
        label="élément nouveau",
        sender=Kind.SCHOOL,
        receiver=Kind.CITY,
        article="A-2.8",
        payload=messages.PathwayNewElement,
        checks=(*SUPPORT, checks.PATHWAY),
    ),
    _support(
        type="meeting.called",
        code="m8",
        label="rencontre avec la famille",
        sender=Kind.CITY,
        receiver=Kind.SCHOOL,
        article="A-2.9",
        payload=messages.MeetingCalled,
        checks=(*SUPPORT, checks.PATHWAY, checks.BY_REFERENT, checks.FAMILY_INVITED),
    ),
    _support(
        type="referent.changed",
        code="m9",
        label="changement de référent",
        sender=Kind.CITY,
        receiver=Kind.SCHOOL,
        article="A-2.5",
        payload=messages.ReferentChanged,
        checks=(*SUPPORT, checks.REFERENT),
    ),
    _support(
        type="pathway.closed",
        code="m10",
        label="fin du parcours",
        sender=Kind.CITY,
        receiver=Kind.SCHOOL,
        article="A-2.4",
        payload=messages.PathwayClosed,
        checks=(*SUPPORT, checks.PATHWAY, checks.BY_REFERENT),
    ),
    _support(
        type="pathway.closed",
        code="m11",
        label="fin du parcours",
        sender=Kind.SCHOOL,
        receiver=Kind.CITY,
        article="A-2.4",
        payload=messages.PathwayClosed,
        checks=(*SUPPORT, checks.PATHWAY),
    ),
)

_CONTRACT = (
    *MEASURE,
    checks.ACCEPTED,
    checks.MEASURE_DAYS,
    checks.INSIDE_EXCLUSION,
    checks.SIGNED_BEFORE,
    checks.OWN_SIGNATURES,
)

_MEASURE = (
    _flow(
        type="alternative.requested",
        code="m12",
        label="demande d'alternative à l'exclusion",
        sender=Kind.SCHOOL,
        receiver=Kind.CITY,
        article="A-3.1",
        purpose=ALTERNATIVE,
        payload=messages.AlternativeRequested,
        case=Cardinality.OPENS,
        checks=(
            checks.ENROLLED,
            checks.INFORMED,
            checks.BOTH_AGREED,
            CHARTER,
            checks.EXCLUSION_DAYS,
            checks.INSIDE_EXCLUSION,
        ),
        retention=KEPT_MEASURE,
    ),
    _measure(
        type="alternative.answered",
        code="m13",
        label="réponse à la demande d'alternative",
        sender=Kind.CITY,
        receiver=Kind.SCHOOL,
        article="A-3.3",
        payload=messages.AlternativeAnswered,
        checks=(*MEASURE, checks.AWAITING),
    ),
    _measure(
        type="alternative.contract_status",
        code="m14",
        label="contrat d'engagement",
        sender=Kind.CITY,
        receiver=Kind.SCHOOL,
        article="A-3.6",
        payload=messages.ContractStatus,
        checks=(*_CONTRACT, checks.HOST, checks.HOST_AGREED, checks.TUTOR),
        retention=KEPT_CONTRACT,
    ),
    _measure(
        type="alternative.contract_status",
        code="m15",
        label="contrat d'engagement",
        sender=Kind.SCHOOL,
        receiver=Kind.CITY,
        article="A-3.6",
        payload=messages.ContractStatus,
        checks=_CONTRACT,
        retention=KEPT_CONTRACT,
    ),
    _measure(
        type="alternative.status",
        code="m16",
        label="nouvelles de la mesure",
        sender=Kind.CITY,
        receiver=Kind.SCHOOL,
        article="A-3.13",
        payload=messages.AlternativeStatus,
        checks=(*MEASURE, checks.SIGNED, checks.RUNNING),
    ),
    _measure(
        type="alternative.status",
        code="m17",
        label="nouvelles de la mesure",
        sender=Kind.SCHOOL,
        receiver=Kind.CITY,
        article="A-3.13",
        payload=messages.AlternativeStatus,
        checks=(*MEASURE, checks.SIGNED, checks.RUNNING),
    ),
    _measure(
        type="alternative.alert",
        code="m18",
        label="information sans délai",
        sender=Kind.CITY,
        receiver=Kind.SCHOOL,
        article="A-3.15",
        payload=messages.AlternativeAlert,
        checks=(*MEASURE, checks.SIGNED, checks.RUNNING),
        retention=KEPT_ALERT,
        urgency=Urgency.WITHOUT_DELAY,
        lifetime_days=8,
        derogations=(_IN_DANGER,),
    ),
    _measure(
        type="alternative.ended",
        code="m19",
        label="fin de la mesure",
        sender=Kind.SCHOOL,
        receiver=Kind.CITY,
        article="A-3.14",
        payload=messages.AlternativeEnded,
        checks=(*MEASURE, checks.SIGNED, checks.ENDABLE, checks.BY_HEAD),
        retention=KEPT_CONTRACT,
    ),
    _measure(
        type="alternative.ended",
        code="m20",
        label="fin de la mesure",
        sender=Kind.CITY,
        receiver=Kind.SCHOOL,
        article="A-3.14",
        payload=messages.AlternativeEnded,
        checks=(*MEASURE, checks.SIGNED, checks.ENDABLE, checks.NO_INTERRUPTION),
        retention=KEPT_CONTRACT,
    ),
)

CONVENTION = Convention(
    code="a_city_school",
    letter="A",
    version=1,
    title="Persévérance éducative et alternatives à l'exclusion scolaire",
    parties=(Kind.CITY, Kind.SCHOOL),
    parties_article="A-0.1",
    purposes={PURPOSE: "A-1.1", ALTERNATIVE: "A-3.3"},
    term=TermRule(article="A-9.1", years=3),
    termination=Termination(article="A-10.1", months=6, starts=NoticeStarts.RECEIPT),
    amendment_article="A-11.1",
    evidence_article="A-13.1",
    review_months=12,
    review_article="A-8.1",
    purge_months=3,
    purge_article="A-5.1",
    minimisation_article="A-5.1",
    dispute_article="A-12.1",
    insurance_article="A-7.3",
    year_begins=9,
    flows=(*_REFERRAL, *_PATHWAY, *_MEASURE),
    obligations=OBLIGATIONS,
)

DUTIES = (
    LegalDuty(
        code="mayor_attendance",
        letter="A",
        version=1,
        title="Information du maire sur l'assiduité scolaire",
        article="L131-6",
        minimisation_article="R131-10-2",
        sender=Kind.SCHOOL,
        receiver=Kind.CITY,
        starts_on=date(2008, 2, 16),
        repealed_on=None,
        flows=(
            _flow(
                type="attendance.municipal_notice",
                code="d1",
                label="avis d'assiduité au maire",
                sender=Kind.SCHOOL,
                receiver=Kind.CITY,
                article="A-0.3",
                purpose=ATTENDANCE,
                legal_basis=LegalBasis.LEGAL_OBLIGATION,
                payload=messages.AttendanceNotice,
                case=Cardinality.OPENS,
                checks=(checks.TOLD, CHARTER, checks.DESIGNATED),
                retention=Retention(event="school_year_of_age_16", months=0, article="R131-10-1"),
            ),
        ),
    ),
)
"""Décret 2008-139 of 14 February 2008, in force from the day after its publication."""
