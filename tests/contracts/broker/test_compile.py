"""Which subjects a signed convention or a legal duty opens, from when and until when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from contracts.broker.activations import read_activation
from contracts.broker.compile import activations_for, compile_grants, duty_grants, grants_of
from contracts.broker.grants import Grant, GrantKind
from contracts.broker.subjects import parse_subject
from contracts.conventions.a_city_school.convention import CONVENTION as WHOLE
from contracts.kernel.instrument import LegalDuty, subject_token
from contracts.kernel.organisation import DirectoryEntry, Kind
from contracts.kernel.paris import midnight
from contracts.kernel.signed import SignedConvention
from contracts.kernel.terms import Act, ActKind, Signed, Terms
from tests.parties import Organisation, account_key, city, school, text

OPEN = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
SIGNED = date(2026, 4, 30)
END = midnight(date(2029, 4, 30))
PURGED = midnight(date(2029, 7, 30))
LAST = midnight(date(2030, 7, 30))
SECOND = timedelta(seconds=1)
CITY, SCHOOL = city(), school()
TOKEN = subject_token("conv-a")
CONTROLS = {f"lb.{a}.{b}.{TOKEN}.{c}" for a, b in (("c1", "s1"), ("s1", "c1")) for c in "kr"}
CONVENTION = replace(WHOLE, flows=WHOLE.flows[:2])
"""One flow each way is enough here."""

FLOWS = {f"lb.c1.s1.{TOKEN}.m1", f"lb.s1.c1.{TOKEN}.m2"}


def entries(*orgs: Organisation) -> Mapping[str, DirectoryEntry]:
    return {one.org: one.described() for one in (orgs or (CITY, SCHOOL))}


def convention(*acts: Act, terms: Terms | None = None, days: int = 2) -> SignedConvention:
    """Convention A between the city and the school; days: how many of the two signed."""
    signed_on = dict(list({"ville": SIGNED, "college": SIGNED}.items())[:days])
    version = Signed(terms or text(CITY, SCHOOL), signed_on)
    return SignedConvention("conv-a", CONVENTION, (version,), acts)


def act(kind: ActKind, at: datetime, received_on: date | None = None) -> Act:
    return Act(
        id=f"act-{kind.value.replace('_', '-')}",
        convention_id="conv-a",
        kind=kind,
        org="ville",
        at=at,
        received_on=received_on,
    )


def subjects(signed: SignedConvention, at: datetime = OPEN) -> set[str]:
    return {one.subject for one in grants_of(signed, entries(), at)}


def ends(signed: SignedConvention, at: datetime = OPEN) -> dict[GrantKind, datetime]:
    return {one.kind: one.expires_at for one in grants_of(signed, entries(), at)}


def test_an_open_convention_grants_each_flow_once_and_control_and_receipts_both_ways() -> None:
    assert subjects(convention()) == FLOWS | CONTROLS
    assert ends(convention()) == {
        GrantKind.FLOW: END,
        GrantKind.CONTROL: LAST,
        GrantKind.RECEIPT: LAST,
    }


def test_a_subject_names_no_person_no_organisation_and_no_kind() -> None:
    for one in grants_of(convention(), entries(), OPEN):
        assert parse_subject(one.subject).convention == TOKEN
        assert not any(
            word in one.subject for word in ("ville", "college", "city", "school", "ase", "conv")
        )


@pytest.mark.parametrize(
    ("at", "flows", "controls"),
    [
        (midnight(SIGNED), True, True),
        (END - SECOND, True, True),
        (END, False, True),
        (PURGED - SECOND, False, True),
        (PURGED, False, True),
        (LAST - SECOND, False, True),
        (LAST, False, False),
    ],
)
def test_both_sides_of_every_bound(at: datetime, *, flows: bool, controls: bool) -> None:
    expected = (FLOWS if flows else set()) | (CONTROLS if controls else set())
    assert subjects(convention(), at) == expected


def test_before_it_takes_effect_only_control_and_receipts_pass() -> None:
    later = text(CITY, SCHOOL, effective_on=date(2026, 6, 1))
    assert subjects(convention(terms=later)) == CONTROLS
    assert subjects(convention(terms=later), midnight(date(2026, 6, 1))) == FLOWS | CONTROLS


def test_a_draft_grants_nothing() -> None:
    assert subjects(convention(days=1)) == set()
    assert subjects(convention(terms=text(CITY, SCHOOL, evidence=None))) == set()
    assert subjects(convention()) != set()


def test_a_suspension_closes_flows_and_leaves_control() -> None:
    suspended = act(ActKind.SUSPENSION, OPEN)
    assert subjects(convention(suspended), OPEN - SECOND) == FLOWS | CONTROLS
    assert subjects(convention(suspended), OPEN) == CONTROLS
    resumed = act(ActKind.RESUMPTION, OPEN + SECOND)
    assert subjects(convention(suspended, resumed), OPEN + SECOND) == FLOWS | CONTROLS


def test_a_termination_notice_keeps_flows_open_and_brings_every_end_forward() -> None:
    given = convention(act(ActKind.TERMINATION_NOTICE, OPEN, received_on=date(2026, 5, 4)))
    closing = midnight(date(2026, 11, 4))
    assert ends(given)[GrantKind.FLOW] == closing
    assert ends(given)[GrantKind.CONTROL] == midnight(date(2028, 2, 4))
    assert subjects(given, closing - SECOND) == FLOWS | CONTROLS
    assert subjects(given, closing) == CONTROLS


def test_a_party_that_the_directory_does_not_know_gets_and_gives_nothing() -> None:
    assert grants_of(convention(), entries(CITY), OPEN) == []
    assert grants_of(convention(), entries(CITY, SCHOOL), OPEN)


def test_a_code_claimed_twice_stands_for_nobody() -> None:
    liar = Organisation("other", Kind.CCAS, "s1")
    assert compile_grants([convention()], [], entries(CITY, SCHOOL), OPEN)
    assert compile_grants([convention()], [], entries(CITY, SCHOOL, liar), OPEN) == []


def duty(*, repealed_on: date | None = date(2027, 1, 1)) -> LegalDuty:
    flow = replace(CONVENTION.flows[0], type="absence.reported", code="d1")
    return LegalDuty(
        code="absence_duty",
        letter="L",
        version=1,
        title="Devoir légal",
        article="A-1.1",
        minimisation_article="A-5.1",
        sender=Kind.SCHOOL,
        receiver=Kind.CITY,
        starts_on=date(2020, 9, 1),
        repealed_on=repealed_on,
        flows=(flow,),
    )


DUTY_TOKEN = subject_token("absence_duty")
DUTY_FLOW = f"lb.c1.s1.{DUTY_TOKEN}.d1"
DUTY_CONTROLS = {subject.replace(TOKEN, DUTY_TOKEN) for subject in CONTROLS}


@pytest.mark.parametrize(
    ("at", "flow", "controls"),
    [
        (midnight(date(2020, 9, 1)) - SECOND, False, False),
        (midnight(date(2020, 9, 1)), True, True),
        (midnight(date(2027, 1, 1)) - SECOND, True, True),
        (midnight(date(2027, 1, 1)), False, True),
        (midnight(date(2028, 1, 1)), False, False),
    ],
)
def test_a_duty_lives_from_its_start_to_its_repeal(
    at: datetime, *, flow: bool, controls: bool
) -> None:
    made = duty_grants(duty(), SCHOOL.described(), CITY.described(), at)
    expected = ({DUTY_FLOW} if flow else set()) | (DUTY_CONTROLS if controls else set())
    assert {one.subject for one in made} == expected


def test_a_duty_holds_in_its_own_direction_only() -> None:
    assert duty_grants(duty(), SCHOOL.described(), CITY.described(), OPEN)
    assert duty_grants(duty(), CITY.described(), SCHOOL.described(), OPEN) == []


def test_a_duty_without_a_known_end_is_granted_to_the_end_of_next_year() -> None:
    made = duty_grants(duty(repealed_on=None), SCHOOL.described(), CITY.described(), OPEN)
    flows = [one for one in made if one.kind is GrantKind.FLOW]
    assert [one.expires_at for one in flows] == [midnight(date(2028, 1, 1))]


@pytest.mark.parametrize("state", [act(ActKind.SUSPENSION, OPEN), None])
def test_a_duty_outlives_the_convention(state: Act | None) -> None:
    signed = convention(*([state] if state else []))
    at = OPEN if state else END
    made = compile_grants([signed], [duty(repealed_on=None)], entries(), at)
    assert {one.subject for one in made} == CONTROLS | DUTY_CONTROLS | {DUTY_FLOW}


def test_a_duty_asks_for_a_convention_that_was_signed_since_it_pins_the_keys() -> None:
    assert compile_grants([convention(days=1)], [duty()], entries(), OPEN) == []
    assert compile_grants([convention()], [duty()], entries(CITY), OPEN) == []
    assert compile_grants([convention()], [duty()], entries(), OPEN)


SIGNER = account_key()


def signed_by(
    me: str,
    conventions: list[SignedConvention],
    former: dict[tuple[str, str], str] | None = None,
    at: datetime = OPEN,
    signer: object = SIGNER,
    orgs: tuple[Organisation, ...] = (),
) -> dict[tuple[str, str], str]:
    assert isinstance(signer, type(SIGNER))
    return activations_for(me, conventions, entries(*orgs), at, signer, former)


def test_a_receiver_signs_for_what_it_receives_and_only_that() -> None:
    made = signed_by("c1", [convention()])
    assert {subject for _, subject in made} == {
        f"lb.c1.s1.{TOKEN}.m1",
        f"lb.c1.s1.{TOKEN}.k",
        f"lb.c1.s1.{TOKEN}.r",
    }
    flow = read_activation(made["s1", f"lb.c1.s1.{TOKEN}.m1"])
    assert (flow.sender_key, flow.receiver_key) == (SCHOOL.account.public, CITY.account.public)
    assert (flow.issuer, flow.issued_at, flow.expires_at) == (SIGNER.public, OPEN, END)


def test_only_what_is_new_or_ends_otherwise_is_signed_again() -> None:
    first = signed_by("c1", [convention()])
    later = OPEN + timedelta(days=1)
    assert signed_by("c1", [convention()], first, later) == first
    notice = act(ActKind.TERMINATION_NOTICE, later, received_on=date(2026, 5, 5))
    again = signed_by("c1", [convention(notice)], first, later)
    assert again.keys() == first.keys()
    assert all(again[name] != first[name] for name in first)
    suspended = signed_by("c1", [convention(act(ActKind.SUSPENSION, OPEN))], first, later)
    assert suspended == {name: first[name] for name in first if not name[1].endswith("m1")}


def test_a_new_key_on_either_side_is_signed_for_again() -> None:
    first = signed_by("c1", [convention()])
    moved = replace(SCHOOL, account=account_key())
    again = signed_by("c1", [convention()], first, orgs=(CITY, moved))
    assert {read_activation(one).sender_key for one in again.values()} == {moved.account.public}
    mine = signed_by("c1", [convention()], first, signer=account_key())
    assert not set(mine.values()) & set(first.values())


def test_a_former_token_that_is_none_is_replaced() -> None:
    first = signed_by("c1", [convention()])
    assert signed_by("c1", [convention()], dict.fromkeys(first, "junk")) == first


def test_the_same_documents_in_any_order_compile_alike() -> None:
    other = replace(convention(), id="conv-b")
    both: list[list[Grant]] = [
        compile_grants(order, [duty()], entries(), OPEN)
        for order in ([convention(), other], [other, convention()])
    ]
    assert both[0] == both[1]
    assert len({one.subject for one in both[0]}) == len(both[0])
