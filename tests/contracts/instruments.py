"""Small conventions and duties for tests that no real text carries yet."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from contracts.conventions.a_city_school.convention import CONVENTION
from contracts.conventions.a_city_school.messages import ReferralSubmitted
from contracts.gate import Allowed, Decision, compile_flow, decide
from contracts.kernel.checks import ADULT, Check, Giver, Side
from contracts.kernel.facts import AgreementFacts, Facts, InstrumentFacts
from contracts.kernel.instrument import (
    Cardinality,
    Convention,
    Flow,
    Instrument,
    LegalBasis,
    LegalDuty,
    Retention,
)
from contracts.kernel.organisation import Kind

AT = datetime(2026, 11, 12, 9, 0, tzinfo=UTC)
BEFORE = datetime(2026, 5, 1, tzinfo=UTC)
AFTER = datetime(2029, 5, 1, tzinfo=UTC)


def flow(*checks: Check, **more: Any) -> Flow:
    """A flow from a city to a Mission Locale that asks these checks."""
    given: dict[str, Any] = {
        "type": "census.aggregate",
        "code": "m1",
        "label": "recensement",
        "sender": Kind.CITY,
        "receiver": Kind.MISSION_LOCALE,
        "article": "A-1.1",
        "purpose": "census",
        "legal_basis": LegalBasis.NO_PERSONAL_DATA,
        "payload": ReferralSubmitted,
        "case": Cardinality.NONE,
        "checks": checks,
        "retention": Retention(event="received", months=1, article="A-5.1"),
    }
    return Flow(**{**given, **more})


def convention_of(one: Flow, **more: Any) -> Convention:
    """A convention with that one flow, its clauses those of A."""
    given: dict[str, Any] = {
        "code": "x_test",
        "letter": "X",
        "parties": (one.sender, one.receiver),
        "purposes": {one.purpose: one.article},
        "flows": (one,),
    }
    return replace(CONVENTION, **{**given, **more})


def duty_of(one: Flow, *, repealed_on: date | None = None) -> LegalDuty:
    """A legal duty with that one flow."""
    return LegalDuty(
        code="x_duty",
        letter="X",
        version=1,
        title="Devoir",
        article="A-0.3",
        minimisation_article="A-5.1",
        sender=one.sender,
        receiver=one.receiver,
        starts_on=date(2020, 1, 1),
        repealed_on=repealed_on,
        flows=(one,),
    )


INSTRUMENT = InstrumentFacts(
    id="conv-x",
    parties=frozenset({"ville", "mission"}),
    evidence=True,
    version_here=1,
    version_there=1,
    opens_at=BEFORE,
    closes_at=AFTER,
)

AGREEMENT = AgreementFacts(
    reference="a" * 32,
    giver=Giver.YOUNG_PERSON,
    flows=frozenset({"census.aggregate"}),
    recipients=frozenset({"mission"}),
    given_at=BEFORE,
    expires_at=AFTER,
)

FACTS = Facts(
    side=Side.SENDER,
    flow="census.aggregate",
    sender="ville",
    receiver="mission",
    sender_kind="city",
    receiver_kind="mission_locale",
    purpose="census",
    instrument=INSTRUMENT,
    bounds=frozenset({ADULT}),
)


def ask(
    one: Flow, facts: Facts = FACTS, at: datetime = AT, instrument: Instrument | None = None
) -> Decision:
    """What the sender's gate says."""
    return decide(compile_flow(instrument or convention_of(one), one, Side.SENDER), facts, at)


def codes(decision: Decision) -> list[str]:
    """Codes of a refusal; none when allowed."""
    return [] if isinstance(decision, Allowed) else [reason.code for reason in decision.reasons]
