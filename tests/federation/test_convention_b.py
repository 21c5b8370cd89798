"""Every message of convention B over the real bus: where it crosses, and where it is refused.

Nine organisations run. The clocks of all are moved through the life of one convention, once (see
`crossing.py`).
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from contracts.kernel.organisation import Kind
from contracts.kernel.paris import add_years
from services.federation.config import FederationFile
from tests.federation.actors_b import Actors
from tests.federation.cast import MONDAY
from tests.federation.crossed import (
    shows_it_crossed,
    shows_no_way_back,
    shows_refusals_to_others,
    shows_the_dates,
)
from tests.federation.crossing import Life, lived, signed_file
from tests.federation.examples_b import EXAMPLES, FLOWS, SCRIPT

CITY, MISSION = "ville-du-pont", "mission-locale-du-pont"
OTHER_CITY, OTHER_MISSION = "ville-voisine", "mission-locale-voisine"
"""Each signed the same text with one of the two, and knows nothing of the case."""
KINDS = {
    CITY: Kind.CITY,
    OTHER_CITY: Kind.CITY,
    MISSION: Kind.MISSION_LOCALE,
    OTHER_MISSION: Kind.MISSION_LOCALE,
    "mission-locale-sans-accord": Kind.MISSION_LOCALE,
    "college-du-pont": Kind.SCHOOL,
    "ccas-du-pont": Kind.CCAS,
    "agence-du-pont": Kind.EMPLOYMENT_AGENCY,
    "departement-du-pont": Kind.DEPARTMENT,
}
NAMES_NOBODY = {"m16": {OTHER_CITY}, "m17": {OTHER_CITY}, "m18": {OTHER_MISSION}}
"""What a namesake that has signed for itself may well send."""
YEARS = 3


def file() -> FederationFile:
    """Nine organisations; the city and the Mission Locale have signed, each with another too."""
    signed = [
        {Kind.CITY: [CITY], Kind.MISSION_LOCALE: [MISSION, OTHER_MISSION]},
        {Kind.CITY: [OTHER_CITY], Kind.MISSION_LOCALE: [MISSION]},
    ]
    return signed_file("b_city_mission_locale", KINDS, signed, MONDAY)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    orgs = {Kind.CITY: CITY, Kind.MISSION_LOCALE: MISSION}
    ended_on = add_years(MONDAY, YEARS)
    home = tmp_path_factory.mktemp("town-b")
    with lived(home, file(), Actors, orgs, MONDAY, ended_on) as found:
        yield found


def test_every_message_of_the_text_has_its_example() -> None:
    """A flow that is added to convention B without an example fails here."""
    assert set(EXAMPLES) == set(FLOWS)
    for code, example in EXAMPLES.items():
        assert set(example.after) <= set(EXAMPLES), code


@pytest.mark.parametrize("code", FLOWS)
def test_it_crosses_to_its_receiver(life: Life, code: str) -> None:
    """Accepted, with the receiver's signed receipt, and an effect there that was not before."""
    shows_it_crossed(life, code)


@pytest.mark.parametrize("code", ["m13", "m16"])
def test_it_is_refused_the_other_way_round(life: Life, code: str) -> None:
    """B-2.9, B-2.1: the host asks for no immersion, and only the city offers to the platform."""
    shows_no_way_back(life, code)


def test_every_other_type_goes_both_ways_as_two_messages() -> None:
    """Each has its own code and crosses above; there is no way back to try."""
    assert SCRIPT.pairs() == [
        ("m1", "m2"),
        ("m3", "m4"),
        ("m5", "m6"),
        ("m7", "m8"),
        ("m9", "m10"),
        ("m11", "m12"),
        ("m14", "m15"),
        ("m17", "m18"),
    ]
    assert {code for code in FLOWS if not SCRIPT.both_ways(code)} == {"m13", "m16"}


@pytest.mark.parametrize("code", FLOWS)
def test_it_is_refused_from_every_other_organisation(life: Life, code: str) -> None:
    """Strangers are bound by nothing; a namesake has the text, and not the case."""
    shows_refusals_to_others(life, code, unbound="B-0.1", no_case="B-3.1")
    assert set(life.others[code]) == set(KINDS) - {CITY, MISSION} - NAMES_NOBODY.get(code, set())


@pytest.mark.parametrize("code", FLOWS)
def test_it_is_refused_outside_the_dates_of_the_convention(life: Life, code: str) -> None:
    """The eve and the day after the end; allowed on the first day and on the last."""
    shows_the_dates(life, code, term="B-5.1", version="B-7.1")
