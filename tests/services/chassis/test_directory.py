"""What a node holds for true: proven documents only, whatever comes beside them."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.kernel.documents import sign
from contracts.kernel.errors import UnknownKey
from contracts.kernel.keyring import OVERLAP
from contracts.kernel.signed import State
from contracts.kernel.terms import ActKind
from services.chassis.bundle import Bundle, join_terms, split_terms
from tests.parties import AT, Organisation, city, school, signed, text
from tests.services.chassis.directory_support import World, state


@pytest.fixture
def world() -> World:
    return World()


def test_the_bundle_of_honest_people_verifies_whole(world: World) -> None:
    seen = world.seen()
    assert state(seen) is State.IN_FORCE
    assert seen.rejected == {}
    assert seen.between("ville", "college") == seen.between("college", "ville")
    assert [one.id for one in seen.between("ville", "college")] == ["conv-a"]
    assert seen.between("ville", "ccas") == ()
    college = seen.entry("college")
    assert college is not None
    assert seen.by_code("s1") == college == seen.entries["college"]
    assert seen.by_code("zz") is None
    assert seen.find_key("college", world.school.kid)
    assert seen.find_key("ville", world.city.kid)
    assert world.alone(seen.kept).revision == seen.revision == seen.kept.revision


def test_a_text_that_our_own_key_did_not_sign_pins_nothing(world: World) -> None:
    theirs = Bundle(entries=world.bundle.entries, terms=(signed(world.terms, world.school),))
    seen = world.alone(theirs)
    assert seen.conventions == {}
    assert seen.entry("college") is None
    with pytest.raises(UnknownKey):
        seen.find_key("college", world.school.kid)
    mine = Bundle(entries=world.bundle.entries, terms=(signed(world.terms, world.city),))
    assert world.alone(mine).entry("college")
    assert state(world.alone(mine)) is State.DRAFT


def test_a_text_signed_in_our_name_by_another_key_pins_nothing(world: World) -> None:
    liar = city()
    terms = text(liar, world.school)
    lie = Bundle(
        entries=(liar.entry(), world.school.entry()), terms=(signed(terms, liar, world.school),)
    )
    seen = world.alone(lie)
    assert seen.conventions == {}
    assert seen.entry("college") is None
    assert seen.entry("ville") is None


def test_an_entry_by_an_unpinned_key_is_ignored_and_counted(world: World) -> None:
    liar = school("zz")
    liar.sequence = 99
    seen = world.seen(Bundle(entries=(liar.entry(),)))
    college = seen.entry("college")
    assert college is not None
    assert college.code == "s1"
    assert seen.by_code("zz") is None
    assert seen.rejected == {"unknown_key": 1}


def test_a_higher_entry_by_the_pinned_key_replaces_the_former(world: World) -> None:
    world.school.code = "s2"
    newer = Bundle(entries=(world.school.entry(),))
    assert world.seen(newer).by_code("s2")
    assert world.seen(newer).by_code("s1") is None
    assert world.alone(newer.then(world.bundle)).by_code("s2")


def test_a_code_claimed_by_two_is_nobodys(world: World) -> None:
    assert world.seen().by_code("c1")
    world.school.code = "c1"
    assert world.seen(Bundle(entries=(world.school.entry(),))).by_code("c1") is None


def test_a_rotation_is_followed_and_the_retired_key_still_proves_what_it_signed(
    world: World,
) -> None:
    former = world.school.kid
    moved = Bundle(rotations=(world.school.rotate(AT),), entries=(world.school.entry(),))
    seen = world.seen(moved)
    assert state(seen) is State.IN_FORCE
    assert seen.find_key("college", world.school.kid)
    assert seen.find_key("college", former, AT)
    with pytest.raises(UnknownKey):
        seen.find_key("college", former, AT + OVERLAP)
    suspended = Bundle(acts=(world.school.act(ActKind.SUSPENSION, "conv-a"),))
    assert state(world.seen(moved, suspended)) is State.SUSPENDED
    assert state(world.seen(suspended)) is State.IN_FORCE


def test_a_second_successor_is_refused_whatever_comes_with_it(world: World) -> None:
    thief = school()
    thief.key = world.school.key
    true = Bundle(rotations=(world.school.rotate(),))
    false = Bundle(rotations=(thief.rotate(),), entries=(thief.entry(),))
    seen = world.seen(true, false)
    assert seen.find_key("college", world.school.kid)
    with pytest.raises(UnknownKey):
        seen.find_key("college", thief.kid)
    assert seen.rejected == {"second_successor": 1, "unknown_key": 1}
    assert seen.kept.rotations == true.rotations


def test_our_own_key_is_what_our_node_says_whatever_the_registrar_adds(world: World) -> None:
    thief = city()
    thief.key = world.city.key
    seen = world.seen(Bundle(rotations=(thief.rotate(),)))
    assert seen.find_key("ville", world.city.kid)
    with pytest.raises(UnknownKey):
        seen.find_key("ville", thief.kid)


def forge(world: World) -> dict[str, Bundle]:
    liar, stranger = city(), school()
    return {
        "act by another key": Bundle(acts=(stranger.act(ActKind.SUSPENSION, "conv-a"),)),
        "act by no party": Bundle(
            acts=(Organisation("ccas", world.school.kind, "x").act(ActKind.SUSPENSION, "conv-a"),)
        ),
        "terms by other keys": Bundle(
            terms=(
                signed(
                    text(liar, stranger, version=2, until=date(2040, 1, 1)),
                    liar,
                    stranger,
                ),
            )
        ),
        "one true, one false": Bundle(terms=(_with_false_signature(world),)),
        "not a document": Bundle(
            entries=("x", "é.é.é"), rotations=("{}",), terms=("[]", "7"), acts=("", "a.b.c")
        ),
        "signed by nobody": Bundle(terms=(json.dumps({"payload": "e30", "signatures": []}),)),
        "no text": Bundle(terms=(_with_payload(world, "a"), _with_payload(world, "é"))),
        "nested": Bundle(terms=("[" * 100_000,)),
    }


def _with_payload(world: World, payload: str) -> str:
    return json.dumps({**json.loads(signed(world.terms, world.city)), "payload": payload})


def _with_false_signature(world: World) -> str:
    stranger = school()
    whole = json.loads(signed(world.terms, world.city))
    false = json.loads(signed(text(world.city, stranger), stranger))
    whole["signatures"].append(false["signatures"][0])
    return json.dumps(whole)


@pytest.mark.parametrize("name", list(forge(World())))
@pytest.mark.parametrize("first", [True, False])
def test_a_forgery_changes_nothing_but_the_count(world: World, name: str, *, first: bool) -> None:
    lie = forge(world)[name]
    seen = world.alone(lie.then(world.bundle) if first else world.bundle.then(lie))
    plain = world.seen()
    assert state(seen) is State.IN_FORCE
    assert seen.conventions == plain.conventions
    assert seen.revision == plain.revision
    assert seen.rejected


def test_a_true_act_changes_the_state(world: World) -> None:
    act = Bundle(acts=(world.school.act(ActKind.SUSPENSION, "conv-a"),))
    assert state(world.seen(act)) is State.SUSPENDED


def test_two_acts_under_one_id_count_once(world: World) -> None:
    first = world.school.act(ActKind.SUSPENSION, "conv-a", sent_on=date(2026, 1, 1))
    second = world.school.act(ActKind.SUSPENSION, "conv-a", sent_on=date(2026, 1, 2))
    seen = world.seen(Bundle(acts=(first, second)))
    assert seen.kept.acts == (first,)
    assert seen.rejected == {"other_act": 1}


def test_signatures_of_one_text_add_up(world: World) -> None:
    parts = [signed(world.terms, one) for one in (world.city, world.school)]
    seen = world.alone(Bundle(entries=world.bundle.entries, terms=tuple(parts)))
    assert state(seen) is State.IN_FORCE
    assert seen.kept.terms == world.seen().kept.terms


def test_a_second_date_by_the_same_party_is_not_taken(world: World) -> None:
    later = signed(world.terms, world.school, on=date(2026, 8, 1))
    seen = world.seen(Bundle(terms=(later,)))
    assert seen.conventions["conv-a"].opens_on == date(2026, 1, 15)
    assert seen.rejected == {"signed_twice": 1}


def test_of_two_texts_the_one_signed_by_all_holds_and_then_the_first(world: World) -> None:
    draft = signed(text(world.city, world.school, until=date(2026, 2, 1)), world.city)
    assert state(world.alone(Bundle(terms=(draft,)).then(world.bundle))) is State.IN_FORCE
    rival = signed(text(world.city, world.school, until=date(2026, 2, 1)), world.city, world.school)
    seen = world.seen(Bundle(terms=(rival,)))
    assert state(seen) is State.IN_FORCE
    assert seen.rejected == {"other_text": 1}
    assert state(world.alone(Bundle(terms=(rival,)).then(world.bundle))) is State.PURGED


def test_an_amendment_without_what_it_amends_opens_nothing(world: World) -> None:
    """Withholding the first version would otherwise move the day from which the term runs."""
    amended = text(world.city, world.school, version=2, effective_on=date(2026, 6, 1))
    second = signed(amended, world.city, world.school, on=date(2026, 5, 20))
    assert world.seen(Bundle(terms=(second,))).conventions["conv-a"].version_at(AT) == 2
    alone = world.alone(Bundle(entries=world.bundle.entries, terms=(second,)))
    assert alone.conventions == {}
    assert alone.rejected == {"version_gap": 1}


def test_an_amendment_cannot_change_the_parties(world: World) -> None:
    other = Organisation("college-2", world.school.kind, "s9")
    amended = text(world.city, other, version=2, effective_on=date(2026, 6, 1))
    seen = world.seen(Bundle(entries=(other.entry(),), terms=(signed(amended, world.city, other),)))
    assert seen.conventions["conv-a"].version_at(AT) == 1
    assert seen.conventions["conv-a"].orgs == {"ville", "college"}
    assert seen.rejected == {"other_parties": 1}


def test_a_convention_that_this_installation_does_not_know_is_left_out(world: World) -> None:
    terms = world.terms.model_copy(update={"id": "conv-z", "convention": "z_unknown"})
    seen = world.seen(Bundle(terms=(signed(terms, world.city, world.school),)))
    assert list(seen.conventions) == ["conv-a"]
    assert seen.rejected == {"unknown": 1}


def test_what_concerns_others_is_neither_kept_nor_counted(world: World) -> None:
    one = Organisation("ville-2", world.city.kind, "c2")
    other = Organisation("college-2", world.school.kind, "s2")
    terms = signed(text(one, other, name="conv-b"), one, other)
    acts = (one.act(ActKind.SUSPENSION, "conv-b"),)
    theirs = Bundle(
        entries=(one.entry(), other.entry()), terms=(terms,), acts=acts, rotations=(one.rotate(),)
    )
    seen = world.seen(theirs)
    assert (seen.rejected, seen.revision) == ({}, world.seen().revision)


def test_splitting_and_joining_keeps_every_signature(world: World) -> None:
    token = world.bundle.terms[0]
    parts = split_terms(token)
    assert {part.org for part in parts} == {"ville", "college"}
    assert split_terms(join_terms(reversed(parts))) == sorted(parts, key=lambda part: part.org)


@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_no_text_at_all_makes_a_directory_fail(junk: str) -> None:
    world = _shared()
    lie = Bundle(entries=(junk,), rotations=(junk,), terms=(junk,), acts=(junk,))
    assert world.alone(lie.then(world.bundle)).revision == world.seen().revision


@given(
    st.dictionaries(
        st.sampled_from(["alg", "kid", "org", "typ", "b64", "crit", "signed_on"]),
        st.none() | st.integers() | st.text() | st.lists(st.text()),
    ),
    st.binary(),
)
def test_no_signed_junk_makes_a_directory_fail(header: dict[str, object], content: bytes) -> None:
    world = _shared()
    token = sign(content, world.school.key, typ="act")
    protected = urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    odd = f"{protected}.{token.split('.', 1)[1]}"
    general = json.dumps(
        {"payload": token.split(".")[1], "signatures": [{"protected": protected, "signature": 1}]}
    )
    lie = Bundle(entries=(token, odd), rotations=(token, odd), terms=(general,), acts=(token, odd))
    assert world.alone(lie.then(world.bundle)).revision == world.seen().revision


_WORLDS: list[World] = []


def _shared() -> World:
    """One world for all of hypothesis' examples: it is never changed."""
    if not _WORLDS:
        _WORLDS.append(World())
    return _WORLDS[0]
