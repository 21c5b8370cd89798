"""What holds of the gate for any facts at all (hypothesis)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.gate import Allowed, Refused, Rules, decide
from contracts.kernel.checks import ADULT, MINOR, Giver, Side
from contracts.kernel.derogation import DerogationFacts, Ground
from contracts.kernel.facts import AgreementFacts, Facts, InstrumentFacts, from_json, to_json
from tests.contracts.world import KEYS, Key, allowed, asked

FIRST, LAST = datetime(2026, 1, 1), datetime(2030, 1, 1)  # noqa: DTZ001 -- hypothesis adds the zone
INSTANTS = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
ORGS = st.sampled_from(["ville", "college", "lycee"])
KINDS = st.sampled_from(["city", "school", "ccas", None])
TYPES = st.sampled_from(["referral.submitted", "referral.answered", "census.aggregate"])
VERSIONS = st.none() | st.integers(1, 3)
MAYBE = st.none() | INSTANTS

INSTRUMENTS = st.builds(
    InstrumentFacts,
    id=st.just("conv-a-1"),
    parties=st.frozensets(ORGS),
    evidence=st.booleans(),
    version_here=VERSIONS,
    version_there=VERSIONS,
    opens_at=MAYBE,
    closes_at=MAYBE,
    notice_at=MAYBE,
    notice_ends_at=MAYBE,
    suspended=st.booleans(),
)
AGREEMENTS = st.builds(
    AgreementFacts,
    reference=st.just("a" * 32),
    giver=st.sampled_from(Giver),
    flows=st.frozensets(TYPES),
    recipients=st.frozensets(ORGS),
    given_at=INSTANTS,
    expires_at=INSTANTS,
    withdrawn_at=MAYBE,
    suspended_at=MAYBE,
)
DEROGATIONS = st.builds(
    DerogationFacts,
    ground=st.sampled_from(Ground),
    flow=TYPES | st.just("alternative.alert"),
    receiver=ORGS,
    asked_at=INSTANTS,
    confirmed_at=MAYBE,
    expires_at=MAYBE,
    used_at=INSTANTS,
    sealed_days=st.integers(-1, 40),
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "side": st.sampled_from([Side.SENDER, Side.RECEIVER]),
    "flow": TYPES,
    "sender": ORGS,
    "receiver": ORGS,
    "sender_kind": KINDS,
    "receiver_kind": KINDS,
    "purpose": st.sampled_from(["school_perseverance", "other", None]),
    "opens_case": st.booleans(),
    "instrument": st.none() | INSTRUMENTS,
    "bounds": st.frozensets(st.sampled_from([MINOR, ADULT, "age_16_26"])),
    "agreement": st.none() | AGREEMENTS,
    "assent": st.sampled_from(["yes", "no", "not_asked", None]),
    "notice_at": MAYBE,
    "signatures": st.dictionaries(st.sampled_from(["head", "pupil"]), INSTANTS),
    "counts": st.dictionaries(st.just("days"), st.integers(-3, 12)),
    "records": st.dictionaries(st.sampled_from(["charter", "enrolled", "open_case"]), INSTANTS),
    "derogation": st.none() | DEROGATIONS,
}
ANY = st.builds(Facts, **FIELDS)

BASES = {key: allowed(*key) for key in KEYS}
AGREED = [key for key in KEYS if "Agreement" in asked(BASES[key].flow, key[1])]
"""All but what names nobody."""


def _near(base: Facts) -> st.SearchStrategy[Facts]:
    """Facts that pass but for a few: any facts at all would nearly always be refused."""
    wrong = st.sets(st.sampled_from(sorted(FIELDS)), max_size=2)
    drawn = wrong.flatmap(
        lambda names: st.fixed_dictionaries({n: FIELDS[n] for n in sorted(names)})
    )
    return drawn.map(lambda changes: replace(base, **changes))


def test_every_fact_is_drawn() -> None:
    assert set(FIELDS) == {field.name for field in fields(Facts)}


@st.composite
def questions(draw: st.DrawFn) -> tuple[Rules, Facts, datetime]:
    """Rules of a flow that names a person, facts that are often right, and an instant."""
    key = draw(st.sampled_from(AGREED))
    base = BASES[key]
    facts = draw(st.one_of(st.just(base.facts), _near(base.facts), ANY))
    at = draw(st.one_of(st.just(base.at), INSTANTS))
    return base.rules, facts, at


@given(questions())
def test_without_an_agreement_nothing_is_ever_allowed(drawn: tuple[Rules, Facts, datetime]) -> None:
    """Nor a decision to do without one, of which the next test tells."""
    rules, facts, at = drawn
    decision = decide(rules, replace(facts, agreement=None, derogation=None), at)
    assert isinstance(decision, Refused)
    assert "no_agreement" in {reason.code for reason in decision.reasons}


@given(questions(), DEROGATIONS)
def test_a_decision_to_do_without_helps_where_its_flow_has_that_road_and_nowhere_else(
    drawn: tuple[Rules, Facts, datetime], derogation: DerogationFacts
) -> None:
    """A-3.15: confirmed by a second person, in its hours, for that message; else it refuses."""
    rules, facts, at = drawn
    decision = decide(rules, replace(facts, agreement=None, derogation=derogation), at)
    if isinstance(decision, Allowed):
        assert facts.flow == derogation.flow == "alternative.alert"
        assert facts.receiver == derogation.receiver
        assert derogation.confirmed_at is not None
        assert derogation.expires_at is not None
        assert derogation.confirmed_at <= derogation.used_at < derogation.expires_at
        assert derogation.expires_at - derogation.confirmed_at <= timedelta(hours=4)
        return
    codes = {reason.code for reason in decision.reasons}
    if facts.flow != "alternative.alert" and "flow" not in codes:
        assert "no_derogation" in codes


@given(questions(), st.timedeltas(timedelta(0), timedelta(days=3000)), AGREEMENTS)
def test_a_withdrawal_refuses_from_its_instant_on(
    drawn: tuple[Rules, Facts, datetime], later: timedelta, other: AgreementFacts
) -> None:
    rules, facts, at = drawn
    withdrawn = replace(facts.agreement or other, withdrawn_at=at)
    facts = replace(facts, agreement=withdrawn, derogation=None)
    decision = decide(rules, facts, at + later)
    assert isinstance(decision, Refused)
    assert "agreement_withdrawn" in {reason.code for reason in decision.reasons}


@given(questions(), st.timedeltas(timedelta(0), timedelta(days=3000)), AGREEMENTS)
def test_an_objection_refuses_from_its_instant_on(
    drawn: tuple[Rules, Facts, datetime], later: timedelta, other: AgreementFacts
) -> None:
    rules, facts, at = drawn
    agreement = replace(facts.agreement or other, suspended_at=at)
    facts = replace(facts, agreement=agreement, derogation=None)
    assert isinstance(decide(rules, facts, at + later), Refused)


@pytest.mark.parametrize("key", AGREED, ids=str)
def test_a_withdrawal_changes_nothing_before_its_instant(key: Key) -> None:
    base = BASES[key]
    assert base.facts.agreement is not None
    soon = base.at + timedelta(microseconds=1)
    facts = replace(base.facts, agreement=replace(base.facts.agreement, withdrawn_at=soon))
    assert isinstance(decide(base.rules, facts, base.at), Allowed)
    assert isinstance(decide(base.rules, facts, soon), Refused)


@given(questions())
def test_facts_survive_json_and_the_decision_replays(drawn: tuple[Rules, Facts, datetime]) -> None:
    rules, facts, at = drawn
    again = from_json(to_json(facts))
    assert again == facts
    assert decide(rules, again, at) == decide(rules, facts, at)


@given(questions())
def test_asking_twice_gives_one_answer(drawn: tuple[Rules, Facts, datetime]) -> None:
    assert decide(*drawn) == decide(*drawn)


def _in_instrument(**gone: Any) -> Callable[[Facts], Facts]:
    return lambda facts: (
        facts
        if facts.instrument is None
        else replace(facts, instrument=replace(facts.instrument, **gone))
    )


def _in_agreement(**gone: Any) -> Callable[[Facts], Facts]:
    return lambda facts: (
        facts
        if facts.agreement is None
        else replace(facts, agreement=replace(facts.agreement, **gone))
    )


def _record(name: str) -> Callable[[Facts], Facts]:
    return lambda facts: replace(
        facts, records={key: at for key, at in facts.records.items() if key != name}
    )


# What may go missing. Left out are the facts that only ever forbid (a withdrawal, a suspension, a
# termination notice): they are recorded acts, and nothing distinguishes their absence.
LOSSES: dict[str, Callable[[Facts], Facts]] = {
    "sender_kind": lambda facts: replace(facts, sender_kind=None),
    "receiver_kind": lambda facts: replace(facts, receiver_kind=None),
    "purpose": lambda facts: replace(facts, purpose=None),
    "opens_case": lambda facts: replace(facts, opens_case=False),
    "instrument": lambda facts: replace(facts, instrument=None),
    "parties": _in_instrument(parties=frozenset()),
    "evidence": _in_instrument(evidence=False),
    "version_here": _in_instrument(version_here=None),
    "version_there": _in_instrument(version_there=None),
    "opens_at": _in_instrument(opens_at=None),
    "closes_at": _in_instrument(closes_at=None),
    "bounds": lambda facts: replace(facts, bounds=frozenset()),
    "agreement": lambda facts: replace(facts, agreement=None),
    "flows": _in_agreement(flows=frozenset()),
    "recipients": _in_agreement(recipients=frozenset()),
    "assent": lambda facts: replace(facts, assent=None),
    "notice_at": lambda facts: replace(facts, notice_at=None),
    "signatures": lambda facts: replace(facts, signatures={}),
    "counts": lambda facts: replace(facts, counts={}),
    "charter": _record("charter"),
    "enrolled": _record("enrolled"),
    "open_case": _record("open_case"),
}


@pytest.mark.parametrize("loss", LOSSES)
@given(drawn=questions())
def test_losing_a_fact_never_opens_anything(
    loss: str, drawn: tuple[Rules, Facts, datetime]
) -> None:
    rules, facts, at = drawn
    if isinstance(decide(rules, facts, at), Refused):
        assert isinstance(decide(rules, LOSSES[loss](facts), at), Refused)


MATTERS = sorted(set(LOSSES) - {"opens_case", "assent", "signatures", "counts"})


@pytest.mark.parametrize("loss", MATTERS)
def test_each_fact_is_needed_somewhere(loss: str) -> None:
    decisions = [decide(base.rules, LOSSES[loss](base.facts), base.at) for base in BASES.values()]
    assert any(isinstance(decision, Refused) for decision in decisions)
