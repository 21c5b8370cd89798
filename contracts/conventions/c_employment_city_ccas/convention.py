"""Convention C as data: its clauses and its flows, each with the article that permits it.

Three parties, but each message joins two: the agency and the city, or the agency and the CCAS. City
and CCAS tell each other nothing here; they recruit through one department, which is the city's.
Rights are exercised with each party's own data protection officer, whose address its directory
entry carries: the text gives a stale one for the agency (C-6.3), none for the CCAS (C-6.4).

What a person was told and agreed to is asked at the gate of whoever recorded it, both ways: the
other one is given no age, so that it could not say who may agree (C-4.1, C-5.1).
A type has one receiver for each kind of sender, so what the agency tells the CCAS as well as the
city has a type of its own there.
"""

from __future__ import annotations

from datetime import date
from functools import partial

from contracts.conventions.c_employment_city_ccas import checks, immersion, messages
from contracts.conventions.c_employment_city_ccas.checks import EVERY, from_agency, on, to_agency
from contracts.conventions.c_employment_city_ccas.obligations import OBLIGATIONS
from contracts.kernel.checks import Check, Side
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

RECRUITMENT = "recruitment"
"""First axis: city and CCAS as employers (C-1.1)."""

ZERO_UNEMPLOYMENT = "zero_long_term_unemployment"
"""Second axis: the zero long-term unemployment territory (C-1.1)."""

INCLUSION = "social_and_work_inclusion"
"""Third axis: inclusion of the job seekers of Rouen (C-1.1)."""

FOLLOW_UP = "convention_follow_up"
"""What colleagues must know of each other to carry the convention out; no job seeker (C-6.1)."""

_AGENCY, _CITY, _CCAS = Kind.EMPLOYMENT_AGENCY, Kind.CITY, Kind.CCAS

_FORGOTTEN = Retention(event="eligibility_answered", article="C-5.1", transient=True)
"""Never written where it arrives, and shown again only while the message itself lives."""

_CONTRACT_KEPT = Retention(event="contract_ended", months=2, article="C-6.5")


def _until(event: str) -> Retention:
    return Retention(event=event, months=0, article="C-6.5")


_nobody_named = partial(Flow, legal_basis=LegalBasis.NO_PERSONAL_DATA, case=Cardinality.NONE)
_named = partial(Flow, legal_basis=LegalBasis.PUBLIC_TASK)

# --- recruitment (article 3, 1 a): every desk is the lead agency's and human resources'

_TO_HR = from_agency(checks.LEAD_EMPLOYER, checks.HR_DESK)
_FROM_HR = to_agency(checks.LEAD_EMPLOYER, checks.HR_DESK)
_PERSON = on(Side.SENDER, checks.TOLD_BY_AGENCY, checks.AGREED)
_ANSWERED = on(Side.RECEIVER, checks.TOLD_BY_AGENCY, checks.AGREED)
_CONTRACT: tuple[Check, ...] = (*EVERY, checks.OPEN_CASE, checks.SIGNED)
"""From the contract on, the employee's own signature stands where the agreement stood."""

_TO_HR_ON_IT = (*_CONTRACT, *on(Side.SENDER, checks.TOLD_BY_AGENCY), *_TO_HR)
_FROM_HR_ON_IT = (*_CONTRACT, *on(Side.RECEIVER, checks.TOLD_BY_AGENCY), *_FROM_HR)

_contract = partial(_named, purpose=RECRUITMENT, case=Cardinality.WITHIN, retention=_CONTRACT_KEPT)

_RECRUITMENT = (
    _nobody_named(
        type="pec.offer_published",
        code="m1",
        label="offre en parcours emploi compétences",
        sender=_CITY,
        receiver=_AGENCY,
        article="C-3a.11",
        purpose=RECRUITMENT,
        payload=messages.OfferPublished,
        checks=(*EVERY, *_FROM_HR, checks.INTERVIEWED),
        retention=_until("offer_closed"),
    ),
    _named(
        type="pec.candidate_proposed",
        code="m2",
        label="candidature proposée",
        sender=_AGENCY,
        receiver=_CITY,
        article="C-3a.13",
        purpose=RECRUITMENT,
        payload=messages.CandidateProposed,
        case=Cardinality.OPENS,
        checks=(
            *EVERY,
            *_PERSON,
            *_TO_HR,
            checks.RESIDENT,
            checks.ELIGIBLE,
            checks.BY_COUNSELLOR,
            checks.EXPLAINED,
            checks.OFFER_OPEN,
            checks.NO_FILE,
        ),
        retention=Retention(event="candidacy_decided", article="C-5.1", transient=True),
    ),
    _named(
        type="pec.candidate_outcome",
        code="m3",
        label="suite de la candidature",
        sender=_CITY,
        receiver=_AGENCY,
        article="C-3a.12",
        purpose=RECRUITMENT,
        payload=messages.CandidateOutcome,
        case=Cardinality.WITHIN,
        checks=(*EVERY, checks.OPEN_CASE, *_ANSWERED, *_FROM_HR, checks.AWAITING_OUTCOME),
        retention=Retention(event="candidacy_decided", months=2, article="C-6.5"),
    ),
    _contract(
        type="pec.commitment_agreed",
        code="m4",
        label="engagements à trois",
        sender=_CITY,
        receiver=_AGENCY,
        article="C-3a.20",
        payload=messages.CommitmentAgreed,
        checks=(*_FROM_HR_ON_IT, checks.RETAINED, *checks.TUTOR, checks.CONTRACT_MONTHS),
    ),
    _contract(
        type="pec.booklet_due",
        code="m5",
        label="livret de suivi à remplir",
        sender=_AGENCY,
        receiver=_CITY,
        article="C-3a.23",
        payload=messages.BookletDue,
        checks=(*_TO_HR_ON_IT, checks.BY_COUNSELLOR, checks.ON_SCHEDULE),
    ),
    _contract(
        type="pec.booklet_filled",
        code="m6",
        label="livret de suivi rempli",
        sender=_CITY,
        receiver=_AGENCY,
        article="C-3a.21",
        payload=messages.BookletFilled,
        checks=(*_FROM_HR_ON_IT, checks.BOOKLET_ASKED, checks.FILLED_ALONE),
    ),
    _contract(
        type="pec.booklet_filled",
        code="m7",
        label="livret de suivi rempli",
        sender=_AGENCY,
        receiver=_CITY,
        article="C-3a.21",
        payload=messages.BookletFilled,
        checks=(*_TO_HR_ON_IT, checks.BOOKLET_ASKED, checks.FILLED_ALONE),
    ),
    _contract(
        type="pec.exit_interview",
        code="m8",
        label="entretien préalable à la sortie",
        sender=_AGENCY,
        receiver=_CITY,
        article="C-3a.26",
        payload=messages.ExitInterview,
        checks=(*_TO_HR_ON_IT, checks.BY_COUNSELLOR, checks.NO_PROSPECTS),
    ),
    _contract(
        type="pec.attestation",
        code="m9",
        label="attestation d'expérience remise",
        sender=_CITY,
        receiver=_AGENCY,
        article="C-3a.28",
        payload=messages.CertificateIssued,
        checks=_FROM_HR_ON_IT,
    ),
)

_IMMERSION = immersion.flows(RECRUITMENT)

# --- inclusion: the social clauses (article 3, 2 a)

_ASKING: tuple[Check, ...] = (checks.TOLD_BY_CITY, checks.AGREED)

_INCLUSION = (
    _nobody_named(
        type="clause.opportunity",
        code="m10",
        label="opportunité des clauses sociales",
        sender=_AGENCY,
        receiver=_CITY,
        article="C-3d.2",
        purpose=INCLUSION,
        payload=messages.ClauseOpportunity,
        checks=(*EVERY, *from_agency(checks.CLAUSE_DESK, checks.CITY_CLAUSE_REFERENT)),
        retention=_until("opportunity_closed"),
    ),
    _nobody_named(
        type="clause.opportunity",
        code="m11",
        label="opportunité des clauses sociales",
        sender=_CITY,
        receiver=_AGENCY,
        article="C-3d.2",
        purpose=INCLUSION,
        payload=messages.ClauseOpportunity,
        checks=(*EVERY, *to_agency(checks.CLAUSE_DESK, checks.CITY_CLAUSE_REFERENT)),
        retention=_until("opportunity_closed"),
    ),
    _named(
        type="clause.eligibility_asked",
        code="m12",
        label="question sur une candidature d'insertion",
        sender=_CITY,
        receiver=_AGENCY,
        article="C-3d.4",
        purpose=INCLUSION,
        payload=messages.EligibilityAsked,
        case=Cardinality.OPENS,
        checks=(
            *EVERY,
            *on(Side.SENDER, *_ASKING),
            *to_agency(checks.CLAUSE_DESK, checks.CITY_CLAUSE_REFERENT),
            checks.NO_FILE,
        ),
        retention=_FORGOTTEN,
        lifetime_days=1,
    ),
    _named(
        type="clause.eligibility_answered",
        code="m13",
        label="réponse sur une candidature d'insertion",
        sender=_AGENCY,
        receiver=_CITY,
        article="C-3d.4",
        purpose=INCLUSION,
        payload=messages.EligibilityAnswered,
        case=Cardinality.WITHIN,
        checks=(
            *EVERY,
            checks.OPEN_CASE,
            *on(Side.RECEIVER, *_ASKING),
            *from_agency(checks.CLAUSE_DESK, checks.CITY_CLAUSE_REFERENT),
            checks.AGENCY_TOLD,
            checks.AWAITING_ANSWER,
            checks.NO_FILE,
        ),
        retention=_FORGOTTEN,
        lifetime_days=1,
    ),
)

# --- zero long-term unemployment (article 3, 2 b)

_LEAD_SENDS = from_agency(checks.LEAD_ZERO_UNEMPLOYMENT)
_LEAD_RECEIVES = to_agency(checks.LEAD_ZERO_UNEMPLOYMENT)

_zero = partial(_nobody_named, purpose=ZERO_UNEMPLOYMENT)
_campaign = partial(
    _zero,
    article="C-3e.4",
    label="campagne d'information demandée",
    receiver=_AGENCY,
    payload=messages.CampaignRequested,
    checks=(*EVERY, *_LEAD_RECEIVES),
    retention=_until("campaign_ended"),
)
_sent = partial(
    _zero,
    article="C-3e.4",
    label="campagne d'information envoyée",
    sender=_AGENCY,
    payload=messages.CampaignSent,
    checks=(*EVERY, *_LEAD_SENDS, checks.NOT_TOO_FEW),
    retention=_until("campaign_ended"),
)
_census = partial(
    _zero,
    type="census.aggregate",
    label="recensement statistique",
    article="C-3e.3",
    payload=messages.CensusAggregate,
    retention=_until("table_replaced"),
)
_TABLE: tuple[Check, ...] = (*EVERY, checks.CELLS_LARGE, checks.CELLS_SAFE)

_ZERO_UNEMPLOYMENT = (
    _campaign(type="campaign.requested", code="m14", sender=_CITY),
    _campaign(type="campaign.requested", code="m15", sender=_CCAS),
    _sent(type="campaign.sent", code="m16", receiver=_CITY),
    _sent(type="campaign.sent", code="m17", receiver=_CCAS),
    _census(code="m18", sender=_CITY, receiver=_AGENCY, checks=(*_TABLE, *_LEAD_RECEIVES)),
    _census(code="m19", sender=_AGENCY, receiver=_CITY, checks=(*_TABLE, *_LEAD_SENDS)),
    _named(
        type="volunteer.skills_offered",
        code="m20",
        label="compétences proposées par un volontaire",
        sender=_AGENCY,
        receiver=_CITY,
        article="C-3e.5",
        purpose=ZERO_UNEMPLOYMENT,
        payload=messages.SkillsOffered,
        case=Cardinality.OPENS,
        checks=(
            *EVERY,
            *_PERSON,
            *_LEAD_SENDS,
            checks.RESIDENT,
            checks.VOLUNTEERED,
            checks.NO_FILE,
        ),
        retention=Retention(event="volunteer_answered", article="C-5.1", transient=True),
    ),
)

# --- follow-up: colleagues, and what is told outside (articles 3, 5 and 6)

_staff = partial(
    _named,
    purpose=FOLLOW_UP,
    case=Cardinality.NONE,
    retention=Retention(event="referent_replaced", months=0, article="C-6.1"),
)
_antenna = partial(
    _staff,
    type="antenna_referents.published",
    label="référents d'une unité de travail social et de son agence",
    article="C-3f.3",
    payload=messages.AntennaReferents,
    checks=(*EVERY, checks.STAFF_TOLD),
)
_announced = partial(
    _nobody_named,
    label="communication annoncée",
    article="C-5.4",
    purpose=FOLLOW_UP,
    payload=messages.CommunicationAnnounced,
    checks=EVERY,
    retention=_until("communication_published"),
)

_FOLLOW_UP = (
    _staff(
        type="referents.published",
        code="m21",
        label="référents de l'agence",
        sender=_AGENCY,
        receiver=_CITY,
        article="C-3a.14",
        payload=messages.ReferentsPublished,
        checks=(*EVERY, checks.STAFF_TOLD, checks.SECOND_NAMED),
    ),
    _antenna(code="m22", sender=_AGENCY, receiver=_CCAS),
    _antenna(code="m23", sender=_CCAS, receiver=_AGENCY),
    _announced(type="communication.announced", code="m24", sender=_AGENCY, receiver=_CITY),
    _announced(type="communication.announced", code="m25", sender=_CITY, receiver=_AGENCY),
    _announced(type="communication.announced", code="m26", sender=_CCAS, receiver=_AGENCY),
    _announced(type="communication.announced", code="m27", sender=_AGENCY, receiver=_CCAS),
)

CONVENTION = Convention(
    code="c_employment_city_ccas",
    letter="C",
    version=1,
    title="Emploi et insertion : France Travail, Ville et CCAS",
    parties=(_AGENCY, _CITY, _CCAS),
    parties_article="C-0.1",
    purposes={
        RECRUITMENT: "C-1.1",
        ZERO_UNEMPLOYMENT: "C-1.1",
        INCLUSION: "C-1.1",
        FOLLOW_UP: "C-6.1",
    },
    term=TermRule(article="C-8.1", until=date(2026, 1, 1)),
    termination=Termination(article="C-8.3", months=3, starts=NoticeStarts.RECEIPT),
    amendment_article="C-7.4",
    evidence_article="C-9.1",
    review_months=12,
    review_article="C-7.1",
    purge_months=2,
    purge_article="C-6.5",
    minimisation_article="C-4.1",
    dispute_article="C-6.5",
    flows=(*_RECRUITMENT, *_IMMERSION, *_INCLUSION, *_ZERO_UNEMPLOYMENT, *_FOLLOW_UP),
    obligations=OBLIGATIONS,
)
"""Its last day is 31 December 2025: `until` is the first day on which it holds no more.

Termination: the text asks for three months before a yearly date that it does not define. Said here
are three months from the receipt of the letter: the convention may close before that date, and
never after.
"""
