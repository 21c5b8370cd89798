"""Convention B as data: its clauses and its flows, each with the article that permits it.

Three kinds of case hang on it: an orientation, a co-support by two referents, an immersion. What
names nobody (an offer to the platform for dropouts, a service presented) belongs to no case.
"""

from __future__ import annotations

from functools import partial

from contracts.conventions.b_city_mission_locale import checks, messages
from contracts.conventions.b_city_mission_locale.checks import (
    CHARTER,
    COSUPPORTED,
    OPEN_CASE,
    OPENING,
    PERSON,
    REPRESENTATIVE_INFORMED,
    SUPPORT,
    on,
)
from contracts.conventions.b_city_mission_locale.obligations import OBLIGATIONS
from contracts.kernel.checks import Side
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
from contracts.kernel.messages import ImmersionRequested, ImmersionStatus
from contracts.kernel.organisation import Kind

PERSEVERANCE = "school_perseverance"
"""Persévérance éducative: what the platform for dropouts is offered (B-1.1)."""

INCLUSION = "social_and_work_inclusion"
"""Insertion sociale et professionnelle: everything that concerns one young person (B-1.1)."""


def _kept(event: str) -> Retention:
    """Three months after an end: the text is silent, and strict necessity sets it (B-3.1)."""
    return Retention(event=event, months=3, article="B-3.1")


KEPT_ORIENTATION = _kept("orientation_answered")
KEPT_COSUPPORT = _kept("cosupport_closed")
KEPT_IMMERSION = _kept("immersion_ended")
KEPT_OFFER = _kept("offer_ended")

_flow = partial(Flow, legal_basis=LegalBasis.PUBLIC_TASK, purpose=INCLUSION)
_TO_CITY = {"sender": Kind.MISSION_LOCALE, "receiver": Kind.CITY}
_TO_MISSION = {"sender": Kind.CITY, "receiver": Kind.MISSION_LOCALE}

_orientation_requested = partial(
    _flow,
    type="orientation.requested",
    label="demande d'orientation",
    article="B-2.10",
    payload=messages.OrientationRequested,
    case=Cardinality.OPENS,
    checks=OPENING,
    retention=KEPT_ORIENTATION,
)
_orientation_answered = partial(
    _flow,
    type="orientation.answered",
    label="suite donnée à l'orientation",
    article="B-2.10",
    payload=messages.OrientationAnswered,
    case=Cardinality.WITHIN,
    checks=(*SUPPORT, checks.AWAITING),
    retention=KEPT_ORIENTATION,
)
_ORIENTATION = (
    _orientation_requested(code="m1", **_TO_MISSION),
    _orientation_requested(code="m2", **_TO_CITY),
    _orientation_answered(code="m3", **_TO_CITY),
    _orientation_answered(code="m4", **_TO_MISSION),
)

_cosupport_opened = partial(
    _flow,
    type="cosupport.opened",
    label="ouverture du co-accompagnement",
    article="B-2.11",
    payload=messages.CosupportOpened,
    case=Cardinality.OPENS,
    checks=OPENING,
    retention=KEPT_COSUPPORT,
)
_cosupport = partial(_flow, case=Cardinality.WITHIN, retention=KEPT_COSUPPORT)
_referent_changed = partial(
    _cosupport,
    type="cosupport.referent_changed",
    label="changement de référent du co-accompagnement",
    article="B-2.13",
    payload=messages.CosupportReferentChanged,
    checks=COSUPPORTED,
)
_checkpoint = partial(
    _cosupport,
    type="cosupport.checkpoint",
    label="point sur le co-accompagnement",
    article="B-2.14",
    payload=messages.CosupportCheckpoint,
    checks=(*COSUPPORTED, checks.REFERENTS, checks.BY_REFERENT),
)
_cosupport_closed = partial(
    _cosupport,
    type="cosupport.closed",
    label="fin du co-accompagnement",
    article="B-2.11",
    payload=messages.CosupportClosed,
    checks=(*COSUPPORTED, checks.BY_REFERENT),
)
_COSUPPORT = (
    _cosupport_opened(code="m5", **_TO_MISSION),
    _cosupport_opened(code="m6", **_TO_CITY),
    _referent_changed(code="m7", **_TO_MISSION),
    _referent_changed(code="m8", **_TO_CITY),
    _checkpoint(code="m9", **_TO_MISSION),
    _checkpoint(code="m10", **_TO_CITY),
    _cosupport_closed(code="m11", **_TO_MISSION),
    _cosupport_closed(code="m12", **_TO_CITY),
)

_immersion = partial(
    _flow,
    type="immersion.status",
    label="situation de l'immersion",
    article="B-2.9",
    payload=ImmersionStatus,
    case=Cardinality.WITHIN,
    retention=KEPT_IMMERSION,
)
_IMMERSION = (
    _flow(
        type="immersion.requested",
        code="m13",
        label="demande d'immersion",
        article="B-2.9",
        payload=ImmersionRequested,
        case=Cardinality.OPENS,
        checks=(
            *on(Side.SENDER, *PERSON),
            REPRESENTATIVE_INFORMED,
            CHARTER,
            checks.ONE_MONTH,
            checks.ONE_RENEWAL,
            checks.RENEWAL_NAMED,
            checks.TWO_AT_HOST,
            checks.DAYS_AT_HOST,
            checks.OFFER,
        ),
        retention=KEPT_IMMERSION,
        sender=Kind.MISSION_LOCALE,
        receiver=Kind.CITY,
    ),
    _immersion(
        code="m14",
        checks=(
            OPEN_CASE,
            *on(Side.SENDER, *PERSON),
            CHARTER,
            checks.HOST_SPEAKS,
            checks.HOST_ACCEPTED,
            checks.REPRESENTATIVE_SIGNED,
        ),
        **_TO_CITY,
    ),
    _immersion(
        code="m15",
        checks=(
            OPEN_CASE,
            *on(Side.RECEIVER, *PERSON),
            CHARTER,
            checks.HOST_NAMES_NOBODY,
            checks.AWAITED_STEP,
        ),
        **_TO_MISSION,
    ),
)

_offer = partial(
    _flow,
    legal_basis=LegalBasis.NO_PERSONAL_DATA,
    case=Cardinality.NONE,
    retention=KEPT_OFFER,
)
_published = partial(
    _offer,
    type="service_catalogue.published",
    label="service présenté",
    article="B-2.3",
    payload=messages.ServicePublished,
    checks=(CHARTER,),
)
_OFFERS = (
    _offer(
        type="psad.offer",
        code="m16",
        label="proposition à la PSAD",
        article="B-2.1",
        purpose=PERSEVERANCE,
        payload=messages.PsadOffer,
        checks=(CHARTER, checks.PSAD_CHARTER, checks.OFFERED_AGES),
        **_TO_MISSION,
    ),
    _published(code="m17", **_TO_MISSION),
    _published(code="m18", **_TO_CITY),
)

CONVENTION = Convention(
    code="b_city_mission_locale",
    letter="B",
    version=1,
    title="Persévérance éducative et insertion avec la Mission Locale",
    parties=(Kind.CITY, Kind.MISSION_LOCALE),
    parties_article="B-0.1",
    purposes={PERSEVERANCE: "B-1.1", INCLUSION: "B-1.1"},
    term=TermRule(article="B-5.1", years=3),
    termination=Termination(article="B-6.1", months=6, starts=NoticeStarts.RECEIPT),
    amendment_article="B-7.1",
    evidence_article="B-9.1",
    review_months=6,
    review_article="B-4.1",
    purge_months=3,
    purge_article="B-3.1",
    minimisation_article="B-3.1",
    dispute_article="B-8.1",
    flows=(*_ORIENTATION, *_COSUPPORT, *_IMMERSION, *_OFFERS),
    obligations=OBLIGATIONS,
)
