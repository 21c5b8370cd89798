"""The gate: each kind of check says yes and no, what is unknown refuses, all reasons come back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest

from contracts import gate
from contracts.gate import Allowed, Reason, Refused, compile_flow, decide, instrument_checks
from contracts.kernel import checks
from contracts.kernel.checks import ADULT, MINOR, Check, Giver, OfInstrument, Side, age_bound
from contracts.kernel.derogation import DerogationFacts, DerogationRule, Ground
from contracts.kernel.facts import NOWHERE, Facts
from contracts.kernel.instrument import Cardinality
from contracts.kernel.paris import midnight
from tests.contracts.instruments import (
    AFTER,
    AGREEMENT,
    AT,
    BEFORE,
    FACTS,
    INSTRUMENT,
    ask,
    codes,
    convention_of,
    duty_of,
    flow,
)
from tests.contracts.world import allowed

SOON = timedelta(microseconds=1)
UNKNOWN = Facts(
    side=Side.SENDER, flow="", sender="", receiver="", sender_kind=None, receiver_kind=None
)

AGE = checks.Age(article="A-1.1", sentence="Non.", at_least=16, below=26)
ASSENT = checks.Assent(article="A-1.1", sentence="Non.", asked_from=15)
SIGNATURES = checks.Signatures(article="A-3.6", sentence="Non.", roles=("head", "pupil"))
LIMIT = checks.Limit(article="A-3.1", sentence="Non.", name="days", at_least=1, at_most=8)
RECORDED = checks.Recorded(article="A-5.2", sentence="Non.", name="charter")
NOTICE = checks.NoticeGiven(article="A-2.10", sentence="Non.")
AGREED = checks.Agreement(
    article="A-2.11",
    sentence="Non.",
    recipient_article="A-4.1",
    minor=Giver.BOTH,
    adult=Giver.YOUNG_PERSON,
)
EVERY_KIND = (
    checks.Parties(article="A-0.1", sentence="Non."),
    checks.Evidence(article="A-13.1", sentence="Non."),
    checks.Term(article="A-9.1", sentence="Non."),
    checks.NotTerminated(article="A-10.1", sentence="Non."),
    checks.NotSuspended(article="A-10.1", sentence="Non."),
    checks.NewCaseAllowed(article="A-10.1", sentence="Non."),
    checks.Version(article="A-11.1", sentence="Non."),
    checks.Purpose(article="A-1.1", sentence="Non.", purpose="census"),
    AGE,
    AGREED,
    ASSENT,
    NOTICE,
    SIGNATURES,
    LIMIT,
    RECORDED,
)
OF_INSTRUMENT = [check for check in EVERY_KIND if isinstance(check, OfInstrument)]


def test_the_list_of_kinds_is_whole() -> None:
    assert {type(check) for check in EVERY_KIND} == {
        one
        for one in vars(checks).values()
        if isinstance(one, type) and issubclass(one, Check) and one not in {Check, OfInstrument}
    }
    assert {type(check).__name__ for check in OF_INSTRUMENT} == {
        "Parties",
        "Evidence",
        "Term",
        "NotTerminated",
        "NotSuspended",
        "NewCaseAllowed",
        "Version",
    }


@pytest.mark.parametrize("check", EVERY_KIND, ids=lambda check: type(check).__name__)
def test_what_is_unknown_refuses_with_its_article_and_sentence(check: Check) -> None:
    """Of what binds the two, it is said once that nothing does."""
    decision = ask(flow(check), UNKNOWN)
    assert isinstance(decision, Refused)
    told = [(one.article, one.code) for one in decision.reasons if one.sentence == "Non."]
    nothing = [one.sentence for one in decision.reasons if one.code == "unbound"]
    assert [article for article, _ in told] == [check.article] * (check not in OF_INSTRUMENT)
    assert nothing == ["Aucune convention signée ne lie ces deux organismes."]


@pytest.mark.parametrize("check", OF_INSTRUMENT, ids=lambda check: type(check).__name__)
def test_where_nothing_binds_the_two_no_check_says_anything_else(check: Check) -> None:
    """A suspension, a notice or a version of what does not exist would be a falsehood."""
    assert codes(ask(flow(check), replace(FACTS, instrument=None))) == ["unbound"]


def test_what_binds_nobody_lets_nothing_pass() -> None:
    """Should it ever be asked of: a kind of check that nobody marked as one of the instrument's."""
    told = codes(ask(flow(), replace(FACTS, instrument=NOWHERE)))
    assert told == ["parties", "no_evidence", "term", "version"]


def test_an_unknown_kind_of_check_is_an_error_and_never_a_yes() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Horoscope(Check):
        pass

    assert codes(ask(flow())) == []
    with pytest.raises(TypeError, match="Horoscope"):
        ask(flow(Horoscope(article="A-1.1", sentence="Non.")))
    with pytest.raises(TypeError, match="Check"):
        gate.test_of(Check(article="A-1.1", sentence="Non."))


def test_the_base_of_these_tests_is_allowed() -> None:
    assert ask(flow()) == Allowed("x_test/1")


@pytest.mark.parametrize(
    ("bounds", "yes"),
    [
        (frozenset({"age_16_26"}), True),
        (frozenset({"age_16_26", ADULT}), True),
        (frozenset({"age_16_18", ADULT}), False),
        (frozenset[str](), False),
    ],
)
def test_age_is_a_named_bound(*, bounds: frozenset[str], yes: bool) -> None:
    assert AGE.bound == "age_16_26"
    assert codes(ask(flow(AGE), replace(FACTS, bounds=bounds))) == ([] if yes else ["age"])


@pytest.mark.parametrize(
    ("assent", "age", "yes"),
    [
        ("yes", 14, True),
        ("yes", 15, True),
        ("not_asked", 14, True),
        ("not_asked", 15, False),
        ("no", 14, False),
        ("no", 15, False),
        (None, 14, False),
        (None, 15, False),
        ("yes", None, False),
        ("not_asked", None, False),
        ("maybe", 14, False),
    ],
)
def test_assent_is_asked_from_its_age_and_a_no_always_refuses(
    *, assent: str | None, age: int | None, yes: bool
) -> None:
    bounds: frozenset[str] = frozenset()
    if age is not None:
        bounds = frozenset({age_bound(15, None) if age >= 15 else age_bound(None, 15)})
    found = ask(flow(ASSENT), replace(FACTS, assent=assent, bounds=bounds))
    assert codes(found) == ([] if yes else ["no_assent"])


def test_signatures_must_all_be_there_and_not_later() -> None:
    both = {"head": AT, "pupil": BEFORE}
    assert codes(ask(flow(SIGNATURES), replace(FACTS, signatures=both))) == []
    assert codes(ask(flow(SIGNATURES), replace(FACTS, signatures={**both, "city": AFTER}))) == []
    for wrong in ({"head": AT}, {**both, "head": AT + SOON}, {"city": AT, "pupil": AT}):
        assert codes(ask(flow(SIGNATURES), replace(FACTS, signatures=wrong))) == ["signatures"]


@pytest.mark.parametrize(
    ("days", "yes"), [(0, False), (1, True), (8, True), (9, False), (None, False)]
)
def test_a_limit_includes_both_its_ends(*, days: int | None, yes: bool) -> None:
    counts = {"hours": 4} if days is None else {"days": days}
    assert codes(ask(flow(LIMIT), replace(FACTS, counts=counts))) == ([] if yes else ["limit"])


def test_a_recorded_fact_counts_from_its_instant() -> None:
    assert codes(ask(flow(RECORDED), replace(FACTS, records={"charter": AT}))) == []
    late = replace(FACTS, records={"charter": AT + SOON})
    assert codes(ask(flow(RECORDED), late)) == ["missing_charter"]
    assert codes(ask(flow(RECORDED), replace(FACTS, records={"other": AT}))) == ["missing_charter"]


def test_notice_counts_from_its_instant() -> None:
    assert codes(ask(flow(NOTICE), replace(FACTS, notice_at=AT))) == []
    assert codes(ask(flow(NOTICE), replace(FACTS, notice_at=AT + SOON))) == ["no_notice"]


@pytest.mark.parametrize(
    ("giver", "bound", "yes"),
    [
        (Giver.BOTH, MINOR, True),
        (Giver.REPRESENTATIVE, MINOR, False),
        (Giver.YOUNG_PERSON, MINOR, False),
        (Giver.YOUNG_PERSON, ADULT, True),
        (Giver.BOTH, ADULT, True),
        (Giver.REPRESENTATIVE, ADULT, False),
    ],
)
def test_who_may_agree_depends_on_majority(*, giver: Giver, bound: str, yes: bool) -> None:
    facts = replace(FACTS, bounds=frozenset({bound}), agreement=replace(AGREEMENT, giver=giver))
    assert codes(ask(flow(AGREED), facts)) == ([] if yes else ["agreement_giver"])


@pytest.mark.parametrize("bounds", [frozenset[str](), frozenset({MINOR, ADULT})])
def test_an_age_unknown_or_contradictory_lets_nobody_agree(bounds: frozenset[str]) -> None:
    both = replace(FACTS, agreement=replace(AGREEMENT, giver=Giver.BOTH))
    assert codes(ask(flow(AGREED), both)) == []
    assert codes(ask(flow(AGREED), replace(both, bounds=bounds))) == ["agreement_giver"]


def test_a_new_case_during_notice_is_a_setting_of_the_text() -> None:
    opening = flow(case=Cardinality.OPENS)
    noticed = replace(FACTS, instrument=replace(INSTRUMENT, notice_at=AT))
    strict = convention_of(opening, new_case_during_notice=False)
    assert codes(ask(opening, noticed)) == []
    told = ask(opening, noticed, instrument=strict)
    assert isinstance(told, Refused)
    assert told.reasons == (
        Reason("A-10.1", "no_new_case", "Aucun nouveau dossier ne s'ouvre pendant le préavis."),
    )
    later = replace(FACTS, instrument=replace(INSTRUMENT, notice_at=AT + SOON))
    assert codes(ask(opening, later, instrument=strict)) == []
    assert codes(ask(opening, FACTS, instrument=strict)) == []


def test_a_decision_to_act_without_agreement_waives_three_kinds_of_check_and_no_other() -> None:
    """A-3.15: the agreement, the young person's own yes, and that they were told."""
    rule = DerogationRule(ground=Ground.VITAL_INTERESTS, article="A-3.15", hours=4, sealed_days=30)
    named = DerogationFacts(
        ground=Ground.VITAL_INTERESTS,
        flow=FACTS.flow,
        receiver=FACTS.receiver,
        asked_at=BEFORE,
        confirmed_at=BEFORE,
        expires_at=BEFORE + timedelta(hours=4),
        used_at=BEFORE,
    )
    asked = flow(AGREED, ASSENT, NOTICE, RECORDED, LIMIT, derogations=(rule,))
    alone = ["no_agreement", "no_assent", "no_notice"]
    assert codes(ask(asked)) == [*alone, "missing_charter", "limit"]
    assert codes(ask(asked, replace(FACTS, derogation=named))) == ["missing_charter", "limit"]


@pytest.mark.parametrize("case", [Cardinality.WITHIN, Cardinality.NONE])
def test_notice_given_lets_running_cases_go_on(case: Cardinality) -> None:
    running = flow(case=case)
    noticed = replace(FACTS, instrument=replace(INSTRUMENT, notice_at=BEFORE))
    strict = convention_of(running, new_case_during_notice=False)
    assert codes(ask(running, noticed, instrument=strict)) == []


def test_a_legal_duty_needs_no_signature_and_no_version() -> None:
    one = flow()
    bare = replace(INSTRUMENT, evidence=False, version_here=None, version_there=None)
    facts = replace(FACTS, instrument=bare)
    assert codes(ask(one, facts, instrument=duty_of(one))) == []
    assert codes(ask(one, facts)) == ["no_evidence", "version"]


def test_a_legal_duty_holds_between_its_start_and_its_repeal() -> None:
    one = flow()
    start, end = date(2020, 1, 1), date(2030, 1, 1)
    instrument = replace(INSTRUMENT, opens_at=midnight(start), closes_at=midnight(end))
    duty, facts = duty_of(one, repealed_on=end), replace(FACTS, instrument=instrument)
    assert codes(ask(one, facts, midnight(start), duty)) == []
    assert codes(ask(one, facts, midnight(start) - SOON, duty)) == ["term"]
    assert codes(ask(one, facts, midnight(end) - SOON, duty)) == []
    assert codes(ask(one, facts, midnight(end), duty)) == ["term"]


def test_only_a_law_without_repeal_has_no_end() -> None:
    one = flow()
    endless = replace(FACTS, instrument=replace(INSTRUMENT, closes_at=None))
    assert codes(ask(one, endless, instrument=duty_of(one))) == []
    assert codes(ask(one, endless, instrument=duty_of(one, repealed_on=date(2030, 1, 1)))) == [
        "term"
    ]
    assert codes(ask(one, endless)) == ["term"]
    unopened = replace(FACTS, instrument=replace(INSTRUMENT, closes_at=None, opens_at=None))
    assert codes(ask(one, unopened, instrument=duty_of(one))) == ["term"]


def test_a_legal_duty_knows_its_parties_and_its_purpose() -> None:
    one = flow()
    duty = duty_of(one)
    assert codes(ask(one, FACTS, instrument=duty)) == []
    assert codes(ask(one, replace(FACTS, sender="ccas"), instrument=duty)) == ["parties"]
    assert codes(ask(one, replace(FACTS, purpose="other"), instrument=duty)) == ["purpose"]
    assert codes(ask(one, replace(FACTS, instrument=None), instrument=duty)) == ["unbound"]


def test_all_reasons_come_back_in_the_order_of_the_checks() -> None:
    base = allowed()
    facts = replace(base.facts, agreement=None, notice_at=None, records={}, purpose=None)
    assert decide(base.rules, base.facts, base.at) == Allowed("a_city_school/1")
    decision = decide(base.rules, facts, base.at)
    assert isinstance(decision, Refused)
    assert decision.rules_version == "a_city_school/1"
    assert decision.articles == ("A-1.1", "A-1.2", "A-2.10", "A-2.11", "A-5.2")


def test_each_article_is_named_once() -> None:
    suspended = replace(INSTRUMENT, suspended=True, notice_ends_at=BEFORE)
    decision = ask(flow(), replace(FACTS, instrument=suspended))
    assert isinstance(decision, Refused)
    assert codes(decision) == ["terminated", "suspended"]
    assert decision.articles == ("A-10.1",)


def test_the_order_of_the_checks_changes_nothing_but_the_order_of_the_reasons() -> None:
    wanted = (AGREED, NOTICE, RECORDED, LIMIT)
    good = replace(
        FACTS, agreement=AGREEMENT, notice_at=AT, records={"charter": AT}, counts={"days": 3}
    )
    for order in permutations(wanted):
        assert isinstance(ask(flow(*order), good), Allowed)
        assert sorted(codes(ask(flow(*order), FACTS))) == sorted(codes(ask(flow(*wanted), FACTS)))


def test_a_side_has_the_name_that_integrators_read() -> None:
    assert [side.value for side in Side] == ["sender", "receiver", "both"]


def test_a_side_runs_its_own_checks_and_those_of_both() -> None:
    sent = replace(RECORDED, side=Side.SENDER)
    one = flow(sent, NOTICE)
    convention = convention_of(one)
    receiving = replace(FACTS, side=Side.RECEIVER, notice_at=AT)
    assert codes(ask(one, replace(FACTS, notice_at=AT))) == ["missing_charter"]
    assert codes(decide(compile_flow(convention, one, Side.RECEIVER), receiving, AT)) == []


def test_the_instrument_asks_its_own_checks_with_its_own_articles() -> None:
    one = flow()
    articles = {type(check): check.article for check in instrument_checks(convention_of(one), one)}
    assert articles == {
        checks.Parties: "A-0.1",
        checks.Evidence: "A-13.1",
        checks.Term: "A-9.1",
        checks.NotTerminated: "A-10.1",
        checks.NotSuspended: "A-10.1",
        checks.Version: "A-11.1",
        checks.Purpose: "A-1.1",
    }


def test_the_instrument_says_no_in_words_an_agent_reads() -> None:
    opening = flow(case=Cardinality.OPENS)
    strict = convention_of(opening, new_case_during_notice=False)
    found = {type(one): one for one in instrument_checks(strict, opening)}
    new_case = found[checks.NewCaseAllowed]
    assert new_case.article == strict.termination.article
    assert new_case.sentence == "Aucun nouveau dossier ne s'ouvre pendant le préavis."
    duty = duty_of(opening)
    by_law = {type(one): one for one in instrument_checks(duty, opening)}
    assert by_law[checks.Parties] == replace(found[checks.Parties], article=duty.article)
    assert by_law[checks.Purpose] == replace(found[checks.Purpose], article=opening.article)
    assert by_law[checks.Term].sentence == "Ce texte n'est pas applicable à cette date."


def test_a_purpose_that_the_text_does_not_set_is_a_programming_error() -> None:
    with pytest.raises(KeyError):
        instrument_checks(convention_of(flow(), purposes={}), flow())


def test_age_bounds_have_one_name_each() -> None:
    assert (MINOR, ADULT, age_bound(16, 18)) == ("age__18", "age_18_", "age_16_18")
    assert datetime(2026, 1, 1, tzinfo=UTC) < AT


def test_that_nothing_binds_the_two_is_told_once_and_where_it_was_met() -> None:
    facts = replace(FACTS, instrument=None, sender_kind="school", purpose="other")
    assert codes(ask(flow(), facts)) == ["flow", "unbound", "purpose"]
