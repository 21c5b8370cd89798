"""Signed conventions: every state, computed from dates and acts alone (A-9.1, A-10.1, A-11.1)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from contracts.kernel.errors import InvalidDocument
from contracts.kernel.instrument import NoticeEnds, NoticeStarts, TermRule
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import PARIS, midnight
from contracts.kernel.signed import OPEN_STATES, SignedConvention, State, assemble
from contracts.kernel.terms import ActKind, Signed
from tests.contracts.signing import act, convention, instant, signed_convention, terms

SIGNED: dict[str, Any] = {"city_signed_on": "2026-04-30", "school_signed_on": "2026-06-15"}
SOON = timedelta(microseconds=1)
NOON = datetime(2026, 11, 12, 12, tzinfo=PARIS)


def signed(**more: Any) -> SignedConvention:
    return signed_convention({**SIGNED, **more})


def at(day: str) -> datetime:
    return midnight(date.fromisoformat(day))


@pytest.mark.parametrize(
    ("day", "state"),
    [
        ("2026-04-30", State.SIGNED),
        ("2026-06-14", State.SIGNED),
        ("2026-06-15", State.IN_FORCE),
        ("2029-06-14", State.IN_FORCE),
        ("2029-06-15", State.ENDED),
        ("2029-06-16", State.PURGING),
        ("2029-09-14", State.PURGING),
        ("2029-09-15", State.PURGED),
        ("2040-01-01", State.PURGED),
    ],
)
def test_states_follow_from_the_last_signature(day: str, state: State) -> None:
    assert signed().state(at(day)) is state


@pytest.mark.parametrize(
    ("day", "state"),
    [
        ("2026-10-31", State.IN_FORCE),
        ("2026-11-01", State.NOTICE_GIVEN),
        ("2027-04-30", State.NOTICE_GIVEN),
        ("2027-05-01", State.ENDED),
        ("2027-05-02", State.PURGING),
        ("2027-08-01", State.PURGED),
    ],
)
def test_states_follow_from_a_notice_received_on_1_november(day: str, state: State) -> None:
    assert signed(notice_received_on="2026-11-01").state(at(day)) is state


@pytest.mark.parametrize("missing", ["city_signed_on", "school_signed_on"])
def test_an_incomplete_signature_leaves_a_draft_for_ever(missing: str) -> None:
    assert signed().state(NOON) is State.IN_FORCE
    draft = signed(**{missing: None})
    assert {draft.state(at(f"{year}-01-01")) for year in (2026, 2027, 2035)} == {State.DRAFT}
    assert draft.opens_on is draft.ends_on is draft.purged_on is None
    assert draft.version_at(NOON) is None
    told = draft.facts(NOON, 1)
    assert (told.evidence, told.opens_at, told.closes_at) == (False, None, None)


def test_without_evidence_it_stays_a_draft() -> None:
    assert signed(evidence=True).state(NOON) is State.IN_FORCE
    assert signed(evidence=False).state(NOON) is State.DRAFT


def test_the_tables_above_show_every_state() -> None:
    suspended = signed(suspended_at="2026-11-01T00:00:00+01:00")
    shown = {
        signed(city_signed_on=None).state(NOON),
        suspended.state(NOON),
        signed(notice_received_on="2026-11-01").state(NOON),
        *(signed().state(at(day)) for day in ("2026-05-01", "2027-01-01", "2029-06-15")),
        *(signed().state(at(day)) for day in ("2029-07-01", "2030-01-01")),
    }
    assert shown == set(State)
    assert {State.IN_FORCE, State.NOTICE_GIVEN} == OPEN_STATES


def test_the_term_is_three_years_from_the_last_signature() -> None:
    one = signed_convention({"city_signed_on": "2026-04-30", "school_signed_on": "2026-04-30"})
    assert one.term_ends_on == date(2029, 4, 30)
    assert one.facts(NOON, 1).closes_at == datetime(2029, 4, 30, tzinfo=PARIS)
    assert signed().term_ends_on == date(2029, 6, 15)


def test_signed_on_29_february_it_ends_on_28_february() -> None:
    one = signed_convention({"city_signed_on": "2028-02-29", "school_signed_on": "2028-02-29"})
    assert one.term_ends_on == date(2031, 2, 28)


def test_a_named_day_may_delay_the_entry_into_force_but_not_precede_the_signature() -> None:
    days = {"ville": date(2026, 4, 30), "college": date(2026, 6, 15)}
    for named, opens in ((date(2026, 9, 1), date(2026, 9, 1)), (date(2026, 1, 1), days["college"])):
        one = Signed(terms().model_copy(update={"effective_on": named}), days)
        found = assemble(convention(), [one], [])
        assert found.opens_on == opens
        assert found.term_ends_on == date(2029, 6, 15)
        assert found.state(midnight(opens)) is State.IN_FORCE
        assert found.state(midnight(opens) - SOON) is State.SIGNED


def test_a_text_with_a_fixed_end_needs_no_counting() -> None:
    until = replace(convention(), term=TermRule(article="A-9.1", until=date(2027, 1, 1)))
    one = replace(signed(), convention=until)
    assert one.state(at("2026-12-31")) is State.IN_FORCE
    assert one.state(at("2027-01-01")) is State.ENDED


def test_a_text_without_term_never_opens() -> None:
    endless = replace(convention(), term=TermRule(article="A-9.1"))
    assert replace(signed(), convention=endless).state(NOON) is State.DRAFT


@pytest.mark.parametrize(
    ("received", "ends"),
    [
        ("2026-10-30", date(2027, 4, 30)),
        ("2026-08-31", date(2027, 2, 28)),
        ("2027-08-31", date(2028, 2, 29)),
        ("2029-05-01", date(2029, 6, 15)),
    ],
)
def test_a_notice_ends_it_six_months_after_its_receipt_and_never_later_than_the_term(
    received: str, ends: date
) -> None:
    assert signed(notice_received_on=received).ends_on == ends


def test_a_notice_that_was_not_received_starts_nothing() -> None:
    assert signed(notice_sent_on="2026-10-01").notice_ends_on is None
    assert signed(notice_sent_on="2026-10-01").state(NOON) is State.IN_FORCE


def test_the_earliest_receipt_counts_in_any_order_of_the_acts() -> None:
    one = signed(notice_sent_on="2026-10-01", second_notice_received_on="2026-11-01")
    assert one.notice_ends_on == date(2027, 5, 1)
    two = signed(notice_received_on="2026-12-01", second_notice_received_on="2026-11-01")
    assert two.notice_ends_on == date(2027, 5, 1)
    assert replace(two, acts=two.acts[::-1]).notice_ends_on == date(2027, 5, 1)


def test_a_text_may_count_from_the_sending() -> None:
    rule = replace(convention().termination, starts=NoticeStarts.SENDING)
    one = signed(notice_sent_on="2026-10-01", notice_received_on="2026-10-05")
    assert one.notice_ends_on == date(2027, 4, 5)
    sent = replace(one, convention=replace(convention(), termination=rule))
    assert sent.notice_ends_on == date(2027, 4, 1)


@pytest.mark.parametrize(
    ("received", "ends"),
    [
        ("2026-06-15", "2027-06-15"),
        ("2027-03-14", "2027-06-15"),
        ("2027-03-15", "2027-06-15"),
        ("2027-03-16", "2028-06-15"),
        ("2028-03-15", "2028-06-15"),
        ("2028-03-16", "2029-06-15"),
    ],
)
def test_a_text_may_end_by_notice_on_its_yearly_date_alone(received: str, ends: str) -> None:
    """C-8.3: three months before it, that very day included; later, the next one."""
    rule = replace(convention().termination, months=3, ends=NoticeEnds.YEARLY_DATE)
    yearly = replace(convention(), termination=rule)
    one = replace(signed(notice_received_on=received), convention=yearly)
    assert one.notice_ends_on == date.fromisoformat(ends)
    before = midnight(date.fromisoformat(ends)) - SOON
    assert one.state(before) is State.NOTICE_GIVEN
    assert one.state(at(ends)) is State.ENDED
    assert replace(one, acts=()).notice_ends_on is None


def test_a_suspension_holds_from_its_instant_until_its_own_author_resumes() -> None:
    start, stop = instant("2026-11-01T09:00:00+01:00"), instant("2026-11-02T09:00:00+01:00")
    acts = [
        act(ActKind.RESUMPTION, stop, "ville"),
        act(ActKind.SUSPENSION, start, "ville"),
    ]
    one = replace(signed(), acts=tuple(acts))
    assert [one.suspended(t) for t in (start - SOON, start, stop - SOON, stop)] == [
        False,
        True,
        True,
        False,
    ]
    assert one.state(start) is State.SUSPENDED
    assert one.facts(start, 1).suspended
    both = replace(one, acts=(*acts, act(ActKind.SUSPENSION, start + SOON, "college")))
    assert both.suspended(stop)
    assert both.state(stop) is State.SUSPENDED


def test_a_suspension_does_not_hide_the_end() -> None:
    one = signed(suspended_at="2026-11-01T09:00:00+01:00")
    assert one.state(at("2029-06-15")) is State.ENDED


def test_an_amendment_switches_on_its_day_and_may_move_the_end() -> None:
    one = signed(amended_on="2027-03-01", until="2030-01-01")
    assert one.version_at(at("2027-03-01") - SOON) == 1
    assert one.version_at(at("2027-03-01")) == 2
    assert one.version_at(at("2026-06-15") - SOON) is None
    assert one.term_ends_on == date(2030, 1, 1)
    assert one.facts(at("2027-03-01"), 2).version_here == 2


def test_an_amendment_reopens_what_is_over_on_its_own_day_and_not_before() -> None:
    """A-11.1, A-9.1: signed in between, it changes nothing yet, nor ever what was over then."""
    over = signed()
    end, opens, until = date(2029, 6, 15), date(2030, 1, 1), date(2035, 1, 1)
    second = terms(2, until=until).model_copy(update={"effective_on": opens})
    both = dict.fromkeys(over.orgs, date(2029, 7, 1))
    one = replace(over, versions=(*over.versions, Signed(second, both)))
    for when in (midnight(end), at("2029-08-01"), at("2029-12-01"), midnight(opens) - SOON):
        assert one.state(when) is over.state(when)
        assert not one.open_at(when)
        assert one.facts(when, 1).closes_at == midnight(end)
        assert one.ends_at(when) == end
    assert one.open_at(midnight(end) - SOON)
    assert one.open_at(midnight(opens))
    assert one.facts(midnight(opens), 2).closes_at == midnight(until)
    assert one.ends_on == until


def test_an_amendment_that_not_all_signed_changes_nothing() -> None:
    partial = Signed(terms(2, until=date(2030, 1, 1)), {"ville": date(2027, 3, 1)})
    one = assemble(convention(), [*signed().versions, partial], [])
    assert one.version_at(at("2028-01-01")) == 1
    assert one.term_ends_on == date(2029, 6, 15)
    found = one.party("ville")
    assert found is one.versions[0].terms.parties[0]


def test_the_annex_is_that_of_the_latest_complete_version() -> None:
    one = signed(amended_on="2027-03-01")
    assert one.party("ville") is one.versions[1].terms.parties[0]
    assert one.party("lycee") is None
    draft = signed(city_signed_on=None)
    assert draft.party("college") is draft.versions[0].terms.parties[1]


def test_it_names_its_organisations() -> None:
    one = signed()
    assert one.orgs == {"ville", "college"}
    assert one.org_of(Kind.CITY) == "ville"
    assert one.org_of(Kind.CCAS) is None
    told = one.facts(NOON, 3)
    assert (told.id, told.parties, told.version_there) == ("conv-a-1", one.orgs, 3)
    assert told.notice_at is told.notice_ends_at is None


def test_facts_carry_the_notice() -> None:
    told = signed(notice_received_on="2026-11-01").facts(NOON, 1)
    assert told.notice_at == at("2026-11-01")
    assert told.notice_ends_at == at("2027-05-01")
    assert told.closes_at == at("2029-06-15")


def test_versions_come_in_order_whatever_the_order_they_arrive_in() -> None:
    one = signed(amended_on="2027-03-01")
    assert assemble(convention(), one.versions[::-1], []).versions == one.versions


BASE = Signed(terms(), {"ville": date(2026, 4, 30), "college": date(2026, 4, 30)})


def _other(**changes: Any) -> Signed:
    return Signed(BASE.terms.model_copy(update=changes), BASE.signed_on)


@pytest.mark.parametrize(
    ("versions", "why"),
    [
        ([], "needs a text"),
        ([BASE, BASE], "two texts"),
        ([_other(convention="b_city_mission_locale")], "another convention"),
        ([BASE, _other(version=2, id="conv-a-2")], "another convention"),
        ([_other(parties=BASE.terms.parties[:1])], "parties are not those"),
        ([_other(parties=(*BASE.terms.parties, BASE.terms.parties[0]))], "parties are not those"),
        (
            [_other(parties=tuple(p.model_copy(update={"org": "x1"}) for p in BASE.terms.parties))],
            "parties are not those",
        ),
        (
            [
                BASE,
                _other(
                    version=2,
                    parties=(
                        BASE.terms.parties[0].model_copy(update={"org": "autre"}),
                        BASE.terms.parties[1],
                    ),
                ),
            ],
            "cannot change the parties",
        ),
    ],
)
def test_texts_that_do_not_belong_together_are_refused(versions: list[Signed], why: str) -> None:
    assert assemble(convention(), [BASE, _other(version=2)], [])
    with pytest.raises(InvalidDocument, match=why):
        assemble(convention(), versions, [])


def test_an_act_by_a_stranger_or_about_another_convention_is_refused() -> None:
    mine = act(ActKind.SUSPENSION, NOON)
    assert assemble(convention(), [BASE], [mine]).acts == (mine,)
    for wrong in ({"org": "lycee"}, {"convention_id": "conv-b-1"}):
        with pytest.raises(InvalidDocument, match="no party"):
            assemble(convention(), [BASE], [mine.model_copy(update=wrong)])
