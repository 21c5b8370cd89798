"""The gate: decide whether one message may pass, with every reason why not.

Pure: no I/O, no clock, no default that permits. It knows only kinds of check; each convention
declares which ones a flow asks for, and their parameters. A flow is compiled once to small
functions; a decision runs all that its facts call for. What is unknown, expired or late refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import singledispatch

from contracts.kernel import checks
from contracts.kernel.checks import ADULT, MINOR, Check, Giver, OfInstrument, Side
from contracts.kernel.derogation import FAULTS, fault
from contracts.kernel.facts import NOWHERE, Facts, InstrumentFacts
from contracts.kernel.instrument import Cardinality, Convention, Flow, Instrument


@dataclass(frozen=True, slots=True)
class Reason:
    """One no: the obligation it rests on, a code for machines, a French sentence for people."""

    article: str
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Allowed:
    """Every check said yes."""

    rules_version: str


@dataclass(frozen=True, slots=True)
class Refused:
    """At least one check said no; all of them are here."""

    rules_version: str
    reasons: tuple[Reason, ...]

    @property
    def articles(self) -> tuple[str, ...]:
        """Obligations that refuse, in the order of the checks, each once."""
        return tuple(dict.fromkeys(reason.article for reason in self.reasons))


Decision = Allowed | Refused
Test = Callable[[Facts, InstrumentFacts, datetime], "Reason | None"]


@dataclass(frozen=True, slots=True)
class Rules:
    """A flow compiled for one side.

    tests: by whether something binds the two organisations, and whether the message names a
    decision to act without agreement.
    """

    rules_version: str
    tests: Mapping[tuple[bool, bool], tuple[Test, ...]]
    allowed: Allowed


def compile_flow(instrument: Instrument, flow: Flow, side: Side) -> Rules:
    """Compile the checks that hold on one side: the instrument's own, then the flow's."""
    wanted = [
        check
        for check in (*instrument_checks(instrument, flow), *flow.checks)
        if check.side in {side, Side.BOTH}
    ]
    version = instrument.rules_version
    tests = {
        (bound, waived): tuple(_tests(flow, side, wanted, bound=bound, waived=waived))
        for bound in (True, False)
        for waived in (True, False)
    }
    return Rules(version, tests, Allowed(version))


def _tests(
    flow: Flow, side: Side, wanted: Sequence[Check], *, bound: bool, waived: bool
) -> Iterator[Test]:
    stands = _derogation(flow)
    yield _same_flow(flow, side)
    if waived:
        yield stands
    if not bound:
        yield _nothing_binds(wanted)
    for check in wanted:
        if bound or not isinstance(check, OfInstrument):
            test = test_of(check)
            yield _unless(stands, test) if waived and isinstance(check, WAIVED) else test


def decide(rules: Rules, facts: Facts, at: datetime) -> Decision:
    """Allowed, or Refused with all reasons.

    rules: the flow as compiled for one side. facts: what is known, never a guess. at: the instant
    of the decision, aware.
    """
    it = facts.instrument
    tests = rules.tests[it is not None, facts.derogation is not None]
    it = it or NOWHERE
    reasons = [reason for test in tests if (reason := test(facts, it, at)) is not None]
    return Refused(rules.rules_version, tuple(reasons)) if reasons else rules.allowed


def _nothing_binds(wanted: Sequence[Check]) -> Test:
    """The one no of all that ask about what binds the two, where nothing does."""
    asked = next(check for check in wanted if isinstance(check, OfInstrument))
    no = Reason(asked.article, "unbound", _NOTHING)
    return lambda _facts, _it, _at: no


def instrument_checks(instrument: Instrument, flow: Flow) -> tuple[Check, ...]:
    """Checks that every flow of an instrument undergoes, with the instrument's own articles."""
    if not isinstance(instrument, Convention):
        return (
            checks.Parties(article=instrument.article, sentence=_PARTIES),
            checks.Term(
                article=instrument.article,
                sentence=_REPEALED,
                endless=instrument.repealed_on is None,
            ),
            checks.Purpose(article=flow.article, sentence=_PURPOSE, purpose=flow.purpose),
        )
    found: list[Check] = [
        checks.Parties(article=instrument.parties_article, sentence=_PARTIES),
        checks.Evidence(article=instrument.evidence_article, sentence=_EVIDENCE),
        checks.Term(article=instrument.term.article, sentence=_TERM),
        checks.NotTerminated(article=instrument.termination.article, sentence=_TERMINATED),
        checks.NotSuspended(article=instrument.termination.article, sentence=_SUSPENDED),
        checks.Version(article=instrument.amendment_article, sentence=_VERSION),
        checks.Purpose(
            article=instrument.purposes[flow.purpose],
            sentence=_PURPOSE,
            purpose=flow.purpose,
        ),
    ]
    if flow.case is Cardinality.OPENS and not instrument.new_case_during_notice:
        found.append(
            checks.NewCaseAllowed(article=instrument.termination.article, sentence=_NEW_CASE)
        )
    return tuple(found)


_PARTIES = "Cette convention ne lie pas ces deux organismes dans ce sens."
_NOTHING = "Aucune convention signée ne lie ces deux organismes."
_EVIDENCE = "La preuve des signatures n'est pas enregistrée : la convention est fermée."
_TERM = "La convention n'est pas en vigueur à cette date."
_TERMINATED = "La convention a été dénoncée et son préavis est écoulé."
_SUSPENDED = "Un signataire a suspendu la convention."
_VERSION = "Les deux organismes n'appliquent pas la même version de la convention."
_PURPOSE = "Le message ne sert pas la finalité prévue."
_NEW_CASE = "Aucun nouveau dossier ne s'ouvre pendant le préavis."
_REPEALED = "Ce texte n'est pas applicable à cette date."


def _same_flow(flow: Flow, side: Side) -> Test:
    no = Reason(flow.article, "flow", "Ce type de message n'est pas prévu entre ces organismes.")
    sender, receiver, name = flow.sender.value, flow.receiver.value, flow.type

    def test(facts: Facts, _it: InstrumentFacts, _at: datetime) -> Reason | None:
        known = (
            facts.flow == name
            and facts.side is side
            and facts.sender_kind == sender
            and facts.receiver_kind == receiver
            and facts.sender != facts.receiver
        )
        return None if known else no

    return test


WAIVED = (checks.Agreement, checks.Assent, checks.NoticeGiven)
"""Kinds of check that a decision to act without agreement stands in for; it waives no other."""


def _derogation(flow: Flow) -> Test:
    """Whether the decision that a message names, if it names one, stands."""
    unknown = Reason(
        flow.article, "no_derogation", "Ce message ne peut jamais passer sans accord pour ce motif."
    )
    rules = {rule.ground: rule for rule in flow.derogations}

    def test(facts: Facts, _it: InstrumentFacts, _at: datetime) -> Reason | None:
        it = facts.derogation
        if it is None:
            return None
        rule = rules.get(it.ground)
        if rule is None:
            return unknown
        found = fault(rule, it, facts.flow, facts.receiver)
        return None if found is None else Reason(rule.article, found, FAULTS[found])

    return test


def _unless(stands: Test, asked: Test) -> Test:
    """The question, but where a decision to act without agreement stands in for its answer."""

    def test(facts: Facts, it: InstrumentFacts, at: datetime) -> Reason | None:
        if facts.derogation is not None and stands(facts, it, at) is None:
            return None
        return asked(facts, it, at)

    return test


@singledispatch
def test_of(check: Check) -> Test:
    """The function that answers a check; an unknown kind is a programming error, never a yes."""
    raise TypeError(f"the gate knows no check of kind {type(check).__name__}")


@test_of.register
def _(check: checks.Parties) -> Test:
    no = Reason(check.article, "parties", check.sentence)

    def test(facts: Facts, it: InstrumentFacts, _at: datetime) -> Reason | None:
        return None if facts.sender in it.parties and facts.receiver in it.parties else no

    return test


@test_of.register
def _(check: checks.Evidence) -> Test:
    no = Reason(check.article, "no_evidence", check.sentence)
    return lambda _facts, it, _at: None if it.evidence else no


@test_of.register
def _(check: checks.Term) -> Test:
    no = Reason(check.article, "term", check.sentence)
    endless = check.endless

    def test(_facts: Facts, it: InstrumentFacts, at: datetime) -> Reason | None:
        if it.opens_at is None or at < it.opens_at:
            return no
        inside = endless if it.closes_at is None else at < it.closes_at
        return None if inside else no

    return test


@test_of.register
def _(check: checks.NotTerminated) -> Test:
    no = Reason(check.article, "terminated", check.sentence)

    def test(_facts: Facts, it: InstrumentFacts, at: datetime) -> Reason | None:
        return None if it.notice_ends_at is None or at < it.notice_ends_at else no

    return test


@test_of.register
def _(check: checks.NotSuspended) -> Test:
    no = Reason(check.article, "suspended", check.sentence)
    return lambda _facts, it, _at: no if it.suspended else None


@test_of.register
def _(check: checks.NewCaseAllowed) -> Test:
    no = Reason(check.article, "no_new_case", check.sentence)
    return lambda _facts, it, at: None if it.notice_at is None or at < it.notice_at else no


@test_of.register
def _(check: checks.Version) -> Test:
    no = Reason(check.article, "version", check.sentence)

    def test(_facts: Facts, it: InstrumentFacts, _at: datetime) -> Reason | None:
        here = it.version_here
        return None if here is not None and here == it.version_there else no

    return test


@test_of.register
def _(check: checks.Purpose) -> Test:
    no = Reason(check.article, "purpose", check.sentence)
    purpose = check.purpose
    return lambda facts, _it, _at: None if facts.purpose == purpose else no


@test_of.register
def _(check: checks.Age) -> Test:
    no = Reason(check.article, "age", check.sentence)
    bound = check.bound
    return lambda facts, _it, _at: None if bound in facts.bounds else no


@test_of.register
def _(check: checks.Agreement) -> Test:
    missing = Reason(check.article, "no_agreement", check.sentence)
    early = Reason(check.article, "agreement_later", "L'accord est postérieur au message.")
    over = Reason(check.article, "agreement_expired", "L'accord n'est plus valable à cette date.")
    gone = Reason(check.article, "agreement_withdrawn", "L'accord a été retiré.")
    held = Reason(
        check.article,
        "agreement_suspended",
        "Une opposition suspend l'accord : attendez qu'il y soit répondu.",
    )
    scope = Reason(check.article, "agreement_scope", "L'accord ne couvre pas ce type de message.")
    wrong = Reason(check.article, "agreement_giver", "L'accord n'est pas donné par qui le peut.")
    other = Reason(
        check.recipient_article, "agreement_recipient", "L'accord vise un autre destinataire."
    )
    minor, adult = (check.minor, Giver.BOTH), (check.adult, Giver.BOTH)

    def test(facts: Facts, _it: InstrumentFacts, at: datetime) -> Reason | None:  # noqa: PLR0911 -- one return a reason
        it = facts.agreement
        if it is None:
            return missing
        if it.withdrawn_at is not None and at >= it.withdrawn_at:
            return gone
        if it.suspended_at is not None and at >= it.suspended_at:
            return held
        if at >= it.expires_at:
            return over
        if at < it.given_at:
            return early
        if facts.receiver not in it.recipients:
            return other
        if facts.flow not in it.flows:
            return scope
        is_adult = ADULT in facts.bounds
        if is_adult == (MINOR in facts.bounds):
            return wrong  # age unknown, or facts that contradict each other
        return None if it.giver in (adult if is_adult else minor) else wrong

    return test


@test_of.register
def _(check: checks.Assent) -> Test:
    no = Reason(check.article, "no_assent", check.sentence)
    old_enough = checks.age_bound(check.asked_from, None)
    younger = checks.age_bound(None, check.asked_from)

    def test(facts: Facts, _it: InstrumentFacts, _at: datetime) -> Reason | None:
        if facts.assent == "yes" or (facts.assent == "not_asked" and younger in facts.bounds):
            return None if old_enough in facts.bounds or younger in facts.bounds else no
        return no

    return test


@test_of.register
def _(check: checks.NoticeGiven) -> Test:
    no = Reason(check.article, "no_notice", check.sentence)
    return lambda facts, _it, at: (
        None if facts.notice_at is not None and facts.notice_at <= at else no
    )


@test_of.register
def _(check: checks.Signatures) -> Test:
    no = Reason(check.article, "signatures", check.sentence)
    roles = check.roles

    def test(facts: Facts, _it: InstrumentFacts, at: datetime) -> Reason | None:
        signed = facts.signatures
        return None if all(role in signed and signed[role] <= at for role in roles) else no

    return test


@test_of.register
def _(check: checks.Limit) -> Test:
    no = Reason(check.article, "limit", check.sentence)
    name, low, high = check.name, check.at_least, check.at_most

    def test(facts: Facts, _it: InstrumentFacts, _at: datetime) -> Reason | None:
        value = facts.counts.get(name)
        return None if value is not None and low <= value <= high else no

    return test


@test_of.register
def _(check: checks.Recorded) -> Test:
    no = Reason(check.article, f"missing_{check.name}", check.sentence)
    name = check.name

    def test(facts: Facts, _it: InstrumentFacts, at: datetime) -> Reason | None:
        found = facts.records.get(name)
        return None if found is not None and found <= at else no

    return test
