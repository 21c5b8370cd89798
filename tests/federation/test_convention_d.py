"""Every message of convention D over the real bus: where it crosses, and where it is refused.

Nine organisations run. The clocks of all are moved through the life of one convention, once (see
`crossing.py`), under an amendment: the text itself ends with the frame (D-7.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from http import HTTPStatus

import pytest

from contracts.kernel.organisation import Kind
from contracts.kernel.paris import add_years
from services.federation.config import FederationFile
from tests.federation.actors_d import Actors
from tests.federation.cast import MONDAY
from tests.federation.crossed import (
    shows_it_crossed,
    shows_no_way_back,
    shows_refusals_to_others,
    shows_the_dates,
)
from tests.federation.crossing import Life, lived, signed_file
from tests.federation.examples_d import DUTY, EXAMPLES, FLOWS, SCRIPT

DEPARTMENT, MISSION = "departement-du-pont", "mission-locale-du-pont"
OTHER_DEPARTMENT, OTHER_MISSION = "departement-voisin", "mission-locale-voisine"
"""Each signed the same text with one of the two, and knows nothing of the case."""
KINDS = {
    DEPARTMENT: Kind.DEPARTMENT,
    OTHER_DEPARTMENT: Kind.DEPARTMENT,
    MISSION: Kind.MISSION_LOCALE,
    OTHER_MISSION: Kind.MISSION_LOCALE,
    "mission-locale-sans-accord": Kind.MISSION_LOCALE,
    "college-du-pont": Kind.SCHOOL,
    "ccas-du-pont": Kind.CCAS,
    "agence-du-pont": Kind.EMPLOYMENT_AGENCY,
    "ville-du-pont": Kind.CITY,
}
NAMES_NOBODY = {"m17": {OTHER_DEPARTMENT}, "m18": {OTHER_MISSION}}
"""What a namesake that has signed for itself may well send."""
SIGNED_ON = date(2026, 6, 22)
YEARS = 3
ONE_WAY = [code for code in FLOWS if not SCRIPT.both_ways(code)]


def file() -> FederationFile:
    """Nine organisations; department and Mission Locale have signed, each with another too."""
    signed = [
        {Kind.DEPARTMENT: [DEPARTMENT], Kind.MISSION_LOCALE: [MISSION]},
        {Kind.DEPARTMENT: [DEPARTMENT], Kind.MISSION_LOCALE: [OTHER_MISSION]},
        {Kind.DEPARTMENT: [OTHER_DEPARTMENT], Kind.MISSION_LOCALE: [MISSION]},
    ]
    days = (MONDAY, add_years(MONDAY, YEARS))
    return signed_file("d_department_mission_locale", KINDS, signed, SIGNED_ON, days)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    orgs = {Kind.DEPARTMENT: DEPARTMENT, Kind.MISSION_LOCALE: MISSION}
    home = tmp_path_factory.mktemp("town-d")
    ended_on = add_years(MONDAY, YEARS)
    with lived(home, file(), Actors, orgs, MONDAY, ended_on) as found:
        yield found


def test_every_message_of_the_text_has_its_example() -> None:
    """A flow that is added to convention D without an example fails here."""
    assert set(EXAMPLES) == set(FLOWS)
    for code, example in EXAMPLES.items():
        assert set(example.after) <= set(EXAMPLES), code


@pytest.mark.parametrize("code", FLOWS)
def test_it_crosses_to_its_receiver(life: Life, code: str) -> None:
    """Accepted, with the receiver's signed receipt, and an effect there that was not before."""
    shows_it_crossed(life, code)


@pytest.mark.parametrize("code", ONE_WAY)
def test_it_is_refused_the_other_way_round(life: Life, code: str) -> None:
    """D-1.2 to D-1.9, D-2.4: the department asks, the Mission Locale answers."""
    shows_no_way_back(life, code)


def test_a_type_that_goes_both_ways_is_two_messages() -> None:
    """Each has its own code and crosses above; there is no way back to try."""
    pairs = [("m10", "m11"), ("m13", "m14"), ("m15", "m16"), ("m17", "m18")]
    assert SCRIPT.pairs() == pairs


@pytest.mark.parametrize("code", FLOWS)
def test_it_is_refused_from_every_other_organisation(life: Life, code: str) -> None:
    """Strangers are bound by nothing; a namesake has the text, and not the case."""
    unbound = "R114-7" if code in DUTY else "D-0.1"
    shows_refusals_to_others(life, code, unbound=unbound, no_case="D-1.2")
    others = set(KINDS) - {DEPARTMENT, MISSION} - NAMES_NOBODY.get(code, set())
    assert set(life.others[code]) == others


@pytest.mark.parametrize("code", [code for code in FLOWS if code not in DUTY])
def test_it_is_refused_outside_the_dates_of_the_convention(life: Life, code: str) -> None:
    """The eve and the day after the end; allowed on the first day and on the last."""
    shows_the_dates(life, code, term="D-7.1", version="D-7.1")


@pytest.mark.parametrize("code", sorted(DUTY))
def test_the_duty_of_the_law_holds_whatever_is_signed(life: Life, code: str) -> None:
    """R114-7: neither the eve of the convention nor its end closes what the law asks."""
    for answer in (life.eve[code], life.over[code]):
        assert answer.status_code == HTTPStatus.ACCEPTED, answer.text
    assert life.last[code].message["state"] == "accepted"
