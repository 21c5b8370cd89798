"""Convention D as data: its clauses and its flows, each with the article that permits it.

The text of 8 October 2024 binds two national associations and no department, no Mission Locale
(D-0.1). Those two sign it for themselves, which gives the bus their keys; their local
implementation and its impact assessment are facts beside, which every flow asks for (D-5.1, D-8.1).

One kind of case: a first contact opens it, and only the department, which knows whom it supports,
can ask for one. Young adults, whom the text puts first, are in it on the same terms; no flow
carries the national figures (D-0.3). The breach of the training obligation is a duty of the law and
no part of it (D-2.3, D-2.4).
"""

from __future__ import annotations

from datetime import date
from functools import partial

from contracts.conventions.d_department_mission_locale import checks, messages
from contracts.conventions.d_department_mission_locale.checks import AGREED, FRAME, PERSON, WITHIN
from contracts.conventions.d_department_mission_locale.indicators import RULE
from contracts.conventions.d_department_mission_locale.obligations import OBLIGATIONS
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
)
from contracts.kernel.organisation import Kind

AUTONOMY = "access_to_autonomy"
"""L'accès à l'autonomie: what every case serves; help early, and never a profile (D-2.1)."""

EVALUATION = "evaluation"
"""The yearly counts, without anybody's data (D-5.4)."""

TRAINING = "training_obligation"
"""What the department is told by law, and for nothing else (R114-7)."""

ENDS_ON = date(2027, 10, 8)
"""First day after the frame: three years from 8 October 2024, whenever it was signed here (D-7.1).

A later end is an amendment's.
"""

KEPT = Retention(event="case_closed", months=3, article="D-8.1")
KEPT_ANSWER = Retention(event="contact_answered", months=3, article="D-8.1")
KEPT_INTERVIEW = Retention(event="interview_held", months=3, article="D-8.1")
KEPT_PROJECT = Retention(event="project_ended", months=0, article="D-8.1")
KEPT_CONTRACT = Retention(event="youth_contract_answered", months=3, article="D-8.1")
KEPT_COUNTS = Retention(event="convention_ended", months=3, article="D-8.1")

_flow = partial(Flow, legal_basis=LegalBasis.PUBLIC_TASK, purpose=AUTONOMY)
_asks = partial(_flow, sender=Kind.DEPARTMENT, receiver=Kind.MISSION_LOCALE)
_tells = partial(_flow, sender=Kind.MISSION_LOCALE, receiver=Kind.DEPARTMENT)
_asks_within = partial(_asks, case=Cardinality.WITHIN)
_tells_within = partial(_tells, case=Cardinality.WITHIN)
_counts = partial(
    Flow,
    type="indicator.yearly",
    label="fiche annuelle des indicateurs",
    article="D-5.7a",
    purpose=EVALUATION,
    legal_basis=LegalBasis.NO_PERSONAL_DATA,
    payload=messages.IndicatorYearly,
    case=Cardinality.NONE,
    checks=(*FRAME, checks.YEAR_END, checks.NO_SMALL_CELL),
    retention=KEPT_COUNTS,
)

_FIRST_CONTACT = (
    _asks(
        type="youth.contact_requested",
        code="m1",
        label="demande de premier contact",
        article="D-1.2",
        payload=messages.YouthContactRequested,
        case=Cardinality.OPENS,
        checks=(*PERSON, checks.FOLLOWED, checks.HOLDER_INFORMED, AGREED),
        retention=KEPT_ANSWER,
    ),
    _tells_within(
        type="youth.contact_answered",
        code="m2",
        label="suite du premier contact",
        article="D-1.2",
        payload=messages.YouthContactAnswered,
        checks=(*WITHIN, AGREED),
        retention=KEPT_ANSWER,
    ),
    _asks_within(
        type="enrolment.proposed",
        code="m3",
        label="inscription proposée",
        article="D-1.3",
        payload=messages.EnrolmentProposed,
        checks=(*WITHIN, AGREED),
        retention=KEPT,
    ),
    _tells_within(
        type="enrolment.outcome",
        code="m4",
        label="suite de l'inscription proposée",
        article="D-1.3",
        payload=messages.EnrolmentOutcome,
        checks=(*WITHIN, AGREED, checks.ENROLMENT_PROPOSED),
        retention=KEPT,
    ),
)

_MAJORITY = (
    _asks_within(
        type="orientation_diagnosis.requested",
        code="m5",
        label="demande de diagnostic d'orientation",
        article="D-1.5",
        payload=messages.OrientationDiagnosisRequested,
        checks=(*WITHIN, AGREED),
        retention=KEPT,
    ),
    _tells_within(
        type="orientation_diagnosis.done",
        code="m6",
        label="diagnostic d'orientation réalisé",
        article="D-1.5",
        payload=messages.OrientationDiagnosisDone,
        checks=(*WITHIN, AGREED, checks.DIAGNOSIS_REQUESTED),
        retention=KEPT,
    ),
    _asks_within(
        type="interview17.invited",
        code="m7",
        label="invitation à l'entretien des 17 ans",
        article="D-1.6",
        payload=messages.InterviewInvited,
        checks=(*checks.BEFORE_MAJORITY, checks.PRESENCE_AGREED),
        retention=KEPT_INTERVIEW,
    ),
    _tells_within(
        type="interview17.answered",
        code="m19",
        label="réponse à l'invitation à l'entretien des 17 ans",
        article="D-1.6",
        payload=messages.InterviewAnswered,
        checks=(*checks.BEFORE_MAJORITY, checks.PRESENCE_AGREED, checks.INVITED),
        retention=KEPT_INTERVIEW,
    ),
    _asks_within(
        type="interview17.held",
        code="m8",
        label="entretien des 17 ans tenu",
        article="D-1.6",
        payload=messages.InterviewHeld,
        checks=(*WITHIN, checks.PRESENCE_AGREED, checks.INVITED),
        retention=KEPT_INTERVIEW,
    ),
    _tells_within(
        type="autonomy_project.contribution",
        code="m9",
        label="contribution au projet d'accès à l'autonomie",
        article="D-1.7",
        payload=messages.AutonomyProjectContribution,
        checks=(*WITHIN, AGREED),
        retention=KEPT_PROJECT,
    ),
)

_CONTRACT = (
    _tells_within(
        type="youth_contract.proposed",
        code="m10",
        label="contrat d'engagement jeune proposé",
        article="D-1.9",
        payload=messages.YouthContractProposed,
        checks=(*WITHIN, AGREED),
        retention=KEPT_CONTRACT,
    ),
    _asks_within(
        type="youth_contract.proposed",
        code="m11",
        label="contrat d'engagement jeune proposé",
        article="D-1.9",
        payload=messages.YouthContractProposed,
        checks=(*WITHIN, AGREED),
        retention=KEPT_CONTRACT,
    ),
    _tells_within(
        type="youth_contract.outcome",
        code="m12",
        label="suite du contrat d'engagement jeune",
        article="D-1.9",
        payload=messages.YouthContractOutcome,
        checks=(*WITHIN, AGREED, checks.CONTRACT_PROPOSED),
        retention=KEPT_CONTRACT,
    ),
)

_TOGETHER = (
    _asks_within(
        type="cosupport.decided",
        code="m13",
        label="co-intervention ou passage de relais",
        article="D-1.4",
        payload=messages.CosupportDecided,
        checks=(*WITHIN, AGREED, checks.NOT_AGAINST),
        retention=KEPT,
    ),
    _tells_within(
        type="cosupport.decided",
        code="m14",
        label="co-intervention ou passage de relais",
        article="D-1.4",
        payload=messages.CosupportDecided,
        checks=(*WITHIN, AGREED, checks.NOT_AGAINST),
        retention=KEPT,
    ),
    _asks_within(
        type="youth.referent_changed",
        code="m15",
        label="changement de référent ou de conseiller",
        article="D-1.4",
        payload=messages.YouthReferentChanged,
        checks=(*WITHIN, AGREED),
        retention=KEPT,
    ),
    _tells_within(
        type="youth.referent_changed",
        code="m16",
        label="changement de référent ou de conseiller",
        article="D-1.4",
        payload=messages.YouthReferentChanged,
        checks=(*WITHIN, AGREED),
        retention=KEPT,
    ),
)

_YEARLY = (
    _counts(code="m17", sender=Kind.DEPARTMENT, receiver=Kind.MISSION_LOCALE),
    _counts(code="m18", sender=Kind.MISSION_LOCALE, receiver=Kind.DEPARTMENT),
)

CONVENTION = Convention(
    code="d_department_mission_locale",
    letter="D",
    version=1,
    title="Département et Mission Locale : l'accès des jeunes à l'autonomie",
    parties=(Kind.DEPARTMENT, Kind.MISSION_LOCALE),
    parties_article="D-0.1",
    purposes={AUTONOMY: "D-8.1", EVALUATION: "D-5.4"},
    term=TermRule(article="D-7.1", until=ENDS_ON),
    termination=Termination(article="D-7.2", months=2, starts=NoticeStarts.SENDING),
    amendment_article="D-7.1",
    evidence_article="D-9.1",
    review_months=12,
    review_article="D-5.5",
    purge_months=3,
    purge_article="D-8.1",
    minimisation_article="D-8.1",
    dispute_article="D-8.1",
    small_cells=RULE,
    flows=(*_FIRST_CONTACT, *_MAJORITY, *_CONTRACT, *_TOGETHER, *_YEARLY),
    obligations=OBLIGATIONS,
)
"""The yearly review is also what is followed and told to the elected members (D-5.3, D-5.5).

The text is silent on disputes: what one needs is kept as the law on data lets it (D-8.1; GDPR
17.3 e). It is silent on purging too: three months, as for each message.
"""

DUTIES = (
    LegalDuty(
        code="training_obligation",
        letter="D",
        version=1,
        title="Transmission au Département sur l'obligation de formation",
        article="R114-7",
        minimisation_article="R114-7",
        sender=Kind.MISSION_LOCALE,
        receiver=Kind.DEPARTMENT,
        starts_on=date(2020, 9, 1),
        repealed_on=None,
        flows=(
            _tells(
                type="training_obligation.breach",
                code="d1",
                label="manquement à l'obligation de formation",
                article="D-2.4",
                purpose=TRAINING,
                legal_basis=LegalBasis.LEGAL_OBLIGATION,
                payload=messages.TrainingObligationBreach,
                case=Cardinality.OPENS,
                checks=(
                    checks.TOLD,
                    checks.CHARTER,
                    checks.DESIGNATED,
                    checks.OBLIGED,
                    checks.FOUND_IN_TIME,
                    checks.SENT_IN_TIME,
                ),
                retention=Retention(event="training_obligation_ended", months=0, article="R114-7"),
            ),
        ),
    ),
)
"""Décret 2020-978 of 5 August 2020, in force from the school year 2020.

How long a department keeps it no text says: until the obligation ends, at majority.
"""
