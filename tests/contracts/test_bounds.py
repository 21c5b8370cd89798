"""Days, instants and numbers that nobody can have meant stop at the door, whoever signed them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from contracts.broker.compile import compile_grants, grants_of
from contracts.broker.subjects import CONTROL, RECEIPT
from contracts.kernel.agreement import Proof
from contracts.kernel.documents import add_signature, new_key
from contracts.kernel.envelope import Envelope
from contracts.kernel.errors import InvalidDocument
from contracts.kernel.fields import LAST_NUMBER, Day, Instant, LegalDay
from contracts.kernel.paris import add_months, midnight
from contracts.kernel.receipts import Head
from contracts.kernel.signed import SignedConvention, State
from contracts.kernel.terms import Act, ActKind, Signed, Terms, read_terms
from tests.contracts.signing import act, convention, signed_convention, terms
from tests.parties import city, school, text

FAR_EAST = "0001-01-01T00:00:00+14:00"
"""An instant that no computer can put on a Paris day: it is before the year 1."""

NOW = datetime(2027, 6, 1, 10, tzinfo=UTC)
SIGNED: dict[str, Any] = {"city_signed_on": "2026-04-30", "school_signed_on": "2026-06-15"}


@pytest.mark.parametrize(
    ("kind", "outside", "inside"),
    [
        (Day, "1899-12-31", "1900-01-01"),
        (Day, "9990-01-01", "2199-12-31"),
        (LegalDay, "1999-12-31", "2000-01-01"),
        (LegalDay, "9999-12-31", "2199-12-31"),
        (Instant, FAR_EAST, "1900-01-01T00:00:00Z"),
        (Instant, "9999-12-31T23:59:59-14:00", "2199-12-31T23:59:59Z"),
        (Instant, "2200-01-01T00:00:00Z", "2200-01-01T00:30:00+01:00"),
    ],
)
def test_a_day_and_an_instant_lie_in_these_centuries(kind: Any, outside: str, inside: str) -> None:
    """Everything that is counted from them (a term, a purge, eighteen years) is then a date."""
    adapter: TypeAdapter[object] = TypeAdapter(kind)
    assert adapter.validate_python(inside)
    with pytest.raises(ValidationError):
        adapter.validate_python(outside)


DOCUMENTS: list[tuple[Any, dict[str, Any], dict[str, Any]]] = [
    (Terms, terms().model_dump(mode="json"), {"until": "9999-12-31"}),
    (Terms, terms().model_dump(mode="json"), {"effective_on": "0001-01-01"}),
    (Act, act(ActKind.SUSPENSION, NOW).model_dump(mode="json"), {"at": "0001-01-01T00:00:00Z"}),
    (Act, act(ActKind.SUSPENSION, NOW).model_dump(mode="json"), {"at": FAR_EAST}),
    (Act, act(ActKind.SUSPENSION, NOW).model_dump(mode="json"), {"sent_on": "9999-12-31"}),
    (
        Proof,
        {
            "reference": "a" * 32,
            "collector": "college",
            "receiver": "ville",
            "convention_id": "conv-a-1",
            "identity": "0" * 64,
            "flows": ["referral.submitted"],
            "giver": "both",
            "assent": "yes",
            "notice_version": "2026-1",
            "notice_at": "2026-11-01T10:00:00Z",
            "given_at": "2026-11-02T10:00:00Z",
            "expires_at": "2027-11-01T10:00:00Z",
        },
        {"given_at": FAR_EAST},
    ),
    (
        Envelope,
        {
            "id": "a" * 32,
            "type": "referral.submitted",
            "source": "college",
            "to": "ville",
            "time": "2026-11-02T10:00:00Z",
            "expiresat": "2026-12-02T10:00:00Z",
            "instrument": "conv-a-1",
            "data": {},
        },
        {"time": FAR_EAST},
    ),
    (Head, {"chain": "ville/1", "seq": 1, "hash": "0" * 64}, {"seq": LAST_NUMBER + 1}),
    (Head, {"chain": "ville/1", "seq": 1, "hash": "0" * 64}, {"chain": "v" * 101}),
    (Head, {"chain": "ville/1", "seq": 1, "hash": "0" * 64}, {"hash": "0" * 65}),
]


@pytest.mark.parametrize(("kind", "good", "change"), DOCUMENTS)
def test_a_document_states_no_day_instant_or_number_outside_them(
    kind: Any, good: dict[str, Any], change: dict[str, Any]
) -> None:
    """One pair's document must not stop whoever reads it."""
    assert kind.model_validate(good)
    with pytest.raises(ValidationError):
        kind.model_validate({**good, **change})


@pytest.mark.parametrize(("day", "holds"), [("2026-04-30", True), ("9999-12-31", False)])
def test_a_day_of_signature_is_bounded_as_the_text_is(day: str, *, holds: bool) -> None:
    """It stands in the signature's header, beside the text."""
    key, one, other = new_key(), city(), school()
    pinned = text(one, other)
    parties = tuple(
        party.model_copy(update={"signing_key": key.thumbprint()}) for party in pinned.parties
    )
    content = pinned.model_copy(update={"parties": parties}).to_bytes()
    token = add_signature(None, content, one.org, key, {"signed_on": day})
    if holds:
        assert read_terms(token, lambda _org, _kid: key).signed_on == {
            one.org: date.fromisoformat(day)
        }
    else:
        with pytest.raises(InvalidDocument):
            read_terms(token, lambda _org, _kid: key)


def test_at_the_last_day_everything_is_still_computed() -> None:
    """Design: a state is computed from dates, so each date it is computed from must exist."""
    last = signed_convention({**SIGNED, "amended_on": "2027-03-01", "until": "2199-12-31"})
    assert last.state(NOW) is State.IN_FORCE
    assert last.facts(NOW, 2).closes_at == midnight(date(2199, 12, 31))
    entries = {one.org: one.described() for one in (city(), school())}
    assert grants_of(last, entries, NOW)


def _endless(one: SignedConvention) -> SignedConvention:
    """What a document that slipped through would make."""
    version = one.versions[0]
    until = version.terms.model_copy(update={"until": date(9999, 12, 31)})
    return replace(one, id="conv-z", versions=(Signed(until, version.signed_on),))


def test_a_convention_that_cannot_be_compiled_costs_nobody_else_its_grants() -> None:
    """The registrar compiles for everybody at once: one pair must not close all the others."""
    good = signed_convention(SIGNED)
    entries = {one.org: one.described() for one in (city(), school())}
    bad = _endless(good)
    with pytest.raises((ValueError, OverflowError)):
        grants_of(bad, entries, NOW)
    alone = compile_grants([good], [], entries, NOW)
    assert alone
    assert compile_grants([bad, good], [], entries, NOW) == alone


# -- termination notices -----------------------------------------------------------------------


def _notice(at: datetime, **letter: date) -> SignedConvention:
    one = signed_convention(SIGNED)
    return replace(one, acts=(act(ActKind.TERMINATION_NOTICE, at, "college", **letter),))


@pytest.mark.parametrize(
    ("letter", "fault"),
    [
        ({"received_on": date(2026, 4, 29)}, "before_signature"),
        ({"sent_on": date(2026, 4, 29), "received_on": date(2027, 5, 31)}, "before_signature"),
        ({"received_on": date(2026, 5, 31)}, "stale"),
        ({"sent_on": date(2026, 5, 31), "received_on": date(2027, 5, 31)}, "stale"),
        ({"received_on": date(2026, 6, 1)}, None),
        ({"sent_on": date(2026, 6, 1), "received_on": date(2027, 5, 31)}, None),
    ],
)
def test_a_notice_rests_on_no_letter_older_than_the_text_or_than_a_year(
    letter: dict[str, date], fault: str | None
) -> None:
    """A-10.1: a notice takes six months; an old date must not end and destroy all at once."""
    found = _notice(NOW, **letter)
    assert found.notice_fault(found.acts[0]) == fault
    assert (found.notice_ends_on is None) == (fault is not None)
    assert found.state(NOW) is (State.NOTICE_GIVEN if fault is None else State.IN_FORCE)
    assert found.state(NOW + timedelta(days=1)) not in {State.ENDED, State.PURGING, State.PURGED}


def test_a_notice_counts_from_no_earlier_than_a_month_before_its_act() -> None:
    """A-10.1: whoever learns of it now keeps at least five of the six months."""
    of_the_day = NOW.date()
    late = _notice(NOW, received_on=of_the_day - timedelta(days=300))
    assert late.notice_ends_on == add_months(of_the_day - timedelta(days=31), 6)
    on_time = _notice(NOW, received_on=of_the_day - timedelta(days=30))
    assert on_time.notice_ends_on == add_months(of_the_day - timedelta(days=30), 6)


@pytest.mark.parametrize("received", [date(2000, 1, 1), date(2026, 8, 1), date(2027, 5, 1)])
def test_control_and_receipts_stay_granted_whatever_a_notice_says(received: date) -> None:
    """Or nobody could withdraw, erase or certify: until a year after the purge."""
    found = _notice(NOW, received_on=received)
    entries = {one.org: one.described() for one in (city(), school())}
    ends = found.ends_on
    assert ends is not None
    for at in (NOW, midnight(ends), midnight(add_months(ends, 14))):
        codes = {one.subject.rsplit(".", 1)[1] for one in grants_of(found, entries, at)}
        assert {CONTROL, RECEIPT} <= codes
        assert (codes == {CONTROL, RECEIPT}) == (at > NOW)
    assert convention().purge_months == 3
