"""Every message of convention A over the real bus: where it crosses, and where it is refused.

Eight organisations run. The clocks of all are moved through the life of one convention, once (see
`crossing.py`): a measure begins the day after its contract, on the second day.
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

import pytest

from contracts.kernel.organisation import Kind
from contracts.kernel.paris import add_years
from services.federation.config import FederationFile
from tests.federation.actors_a import Actors
from tests.federation.cast import MONDAY
from tests.federation.crossed import (
    shows_it_crossed,
    shows_no_way_back,
    shows_refusals_to_others,
    shows_the_dates,
)
from tests.federation.crossing import Life, lived, signed_file
from tests.federation.examples_a import DUTY, EXAMPLES, FLOWS, SCRIPT

SCHOOL, CITY = "college-du-pont", "ville-du-pont"
OTHER = "lycee-du-pont"
"""A school that signed the same text with the same city, and knows nothing of the case."""
KINDS = {
    SCHOOL: Kind.SCHOOL,
    OTHER: Kind.SCHOOL,
    "college-sans-accord": Kind.SCHOOL,
    CITY: Kind.CITY,
    "ccas-du-pont": Kind.CCAS,
    "mission-locale-du-pont": Kind.MISSION_LOCALE,
    "agence-du-pont": Kind.EMPLOYMENT_AGENCY,
    "departement-du-pont": Kind.DEPARTMENT,
}
"""Two schools have signed; of every other kind, one that signed nothing with the city."""
ONE_WAY = [code for code in FLOWS if not SCRIPT.both_ways(code)]
YEARS = 3


def file() -> FederationFile:
    """Eight organisations; the city has signed with two of the three schools."""
    signed = {Kind.CITY: [CITY], Kind.SCHOOL: [SCHOOL, OTHER]}
    return signed_file("a_city_school", KINDS, [signed], MONDAY)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    orgs = {Kind.SCHOOL: SCHOOL, Kind.CITY: CITY}
    ended_on = add_years(MONDAY, YEARS)
    home = tmp_path_factory.mktemp("town-a")
    with lived(home, file(), Actors, orgs, MONDAY, ended_on) as found:
        yield found


def test_every_message_of_the_text_has_its_example() -> None:
    """A flow that is added to convention A without an example fails here."""
    assert set(EXAMPLES) == set(FLOWS)
    for code, example in EXAMPLES.items():
        assert set(example.after) <= set(EXAMPLES), code


@pytest.mark.parametrize("code", FLOWS)
def test_it_crosses_to_its_receiver(life: Life, code: str) -> None:
    """Accepted, with the receiver's signed receipt, and an effect there that was not before."""
    shows_it_crossed(life, code)


@pytest.mark.parametrize("code", ONE_WAY)
def test_it_is_refused_the_other_way_round(life: Life, code: str) -> None:
    shows_no_way_back(life, code)


def test_a_type_that_goes_both_ways_is_two_messages() -> None:
    """Each has its own code, article and checks, and crosses above; there is no way back to try."""
    pairs = [("m4", "m5"), ("m10", "m11"), ("m14", "m15"), ("m16", "m17"), ("m19", "m20")]
    assert SCRIPT.pairs() == pairs


@pytest.mark.parametrize("code", FLOWS)
def test_it_is_refused_from_every_other_organisation(life: Life, code: str) -> None:
    """Strangers are bound by nothing; the other school has the text, and not the case."""
    unbound = "L131-6" if code in DUTY else "A-0.1"
    shows_refusals_to_others(life, code, unbound=unbound, no_case="A-1.3")
    names_nobody = {OTHER} if code == "m3" else set()
    assert set(life.others[code]) == set(KINDS) - {SCHOOL, CITY} - names_nobody


@pytest.mark.parametrize("code", [code for code in FLOWS if code not in DUTY])
def test_it_is_refused_outside_the_dates_of_the_convention(life: Life, code: str) -> None:
    """The eve and the day after the end; allowed on the first day and on the last."""
    shows_the_dates(life, code, term="A-9.1", version="A-11.1")


@pytest.mark.parametrize("code", DUTY)
def test_the_duty_of_the_law_holds_whatever_is_signed(life: Life, code: str) -> None:
    """The text only recalls it: neither its eve nor its end closes what the law asks (A-0.3)."""
    for answer in (life.eve[code], life.over[code]):
        assert answer.status_code == HTTPStatus.ACCEPTED, answer.text
