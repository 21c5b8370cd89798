"""Every message of convention C over the real bus: where it crosses, and where it is refused.

Ten organisations run. The clocks of all are moved through the life of one convention, once (see
`crossing.py`), under an amendment: the text itself ended on 31 December 2025 (C-8.1). Three parties
sign one text, and each of its messages joins two: agency and city, or agency and CCAS.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from contracts.kernel.instrument import Cardinality
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import add_years
from services.federation.config import FederationFile
from tests.federation.actors_c import FAMILIES, Actors
from tests.federation.cast import MONDAY
from tests.federation.crossed import (
    shows_it_crossed,
    shows_it_left_no_file,
    shows_no_way_back,
    shows_refusals_to_others,
    shows_the_dates,
)
from tests.federation.crossing import Life, lived, signed_file
from tests.federation.examples_c import EXAMPLES, FLOWS, SCRIPT
from tests.federation.leaks import Search

AGENCY, CITY, CCAS = "agence-du-pont", "ville-du-pont", "ccas-du-pont"
OTHER_AGENCY, OTHER_CITY, OTHER_CCAS = "agence-voisine", "ville-voisine", "ccas-voisin"
"""Each signed the same text with one or two of the three, and knows nothing of the case."""
KINDS = {
    AGENCY: Kind.EMPLOYMENT_AGENCY,
    OTHER_AGENCY: Kind.EMPLOYMENT_AGENCY,
    "agence-sans-accord": Kind.EMPLOYMENT_AGENCY,
    CITY: Kind.CITY,
    OTHER_CITY: Kind.CITY,
    CCAS: Kind.CCAS,
    OTHER_CCAS: Kind.CCAS,
    "college-du-pont": Kind.SCHOOL,
    "mission-locale-du-pont": Kind.MISSION_LOCALE,
    "departement-du-pont": Kind.DEPARTMENT,
}
SIGNED_ON = date(2024, 2, 12)
YEARS = 3
ONE_WAY = [code for code in FLOWS if not SCRIPT.both_ways(code)]
NO_FILE = {"m2": "Imaginaire", "m12": "Fabuleuse", "m13": "yes", "m20": "100123", "m31": "Maxence"}
"""What leaves no file at its receiver, and a word that each of them says (ADR 22)."""


def file() -> FederationFile:
    """Ten organisations; the three have signed together, and each of them with others too."""
    signed = [
        {Kind.EMPLOYMENT_AGENCY: [AGENCY], Kind.CITY: [CITY], Kind.CCAS: [CCAS]},
        {Kind.EMPLOYMENT_AGENCY: [AGENCY], Kind.CITY: [OTHER_CITY], Kind.CCAS: [OTHER_CCAS]},
        {Kind.EMPLOYMENT_AGENCY: [OTHER_AGENCY], Kind.CITY: [CITY], Kind.CCAS: [CCAS]},
    ]
    days = (MONDAY, add_years(MONDAY, YEARS))
    return signed_file("c_employment_city_ccas", KINDS, signed, SIGNED_ON, days)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    orgs = {Kind.EMPLOYMENT_AGENCY: AGENCY, Kind.CITY: CITY, Kind.CCAS: CCAS}
    ended_on = add_years(MONDAY, YEARS)
    home = tmp_path_factory.mktemp("town-c")
    with lived(home, file(), Actors, orgs, MONDAY, ended_on) as found:
        yield found


def test_every_message_of_the_text_has_its_example() -> None:
    """A flow that is added to convention C without an example fails here."""
    assert set(EXAMPLES) == set(FLOWS)
    for code, example in EXAMPLES.items():
        assert set(example.after) <= set(EXAMPLES), code


def test_each_message_joins_the_agency_to_one_of_its_partners() -> None:
    """C-0.1: city and CCAS tell each other nothing under this text."""
    pairs = {frozenset((flow.sender, flow.receiver)) for flow in FLOWS.values()}
    assert pairs == {frozenset((Kind.EMPLOYMENT_AGENCY, one)) for one in (Kind.CITY, Kind.CCAS)}


@pytest.mark.parametrize("code", FLOWS)
def test_it_crosses_to_its_receiver(life: Life, code: str) -> None:
    """Accepted, with the receiver's signed receipt, and an effect there that was not before."""
    shows_it_crossed(life, code)


@pytest.mark.parametrize("code", ONE_WAY)
def test_it_is_refused_the_other_way_round(life: Life, code: str) -> None:
    """C-3a.11 to C-3e.5: the employer publishes and decides, the agency proposes and counts."""
    shows_no_way_back(life, code)


def test_every_other_type_goes_both_ways_as_two_messages() -> None:
    """Each has its own code and crosses above; there is no way back to try."""
    assert SCRIPT.pairs() == [
        ("m6", "m7"),
        ("m30", "m31"),
        ("m10", "m11"),
        ("m18", "m19"),
        ("m22", "m23"),
        ("m24", "m25"),
        ("m26", "m27"),
    ]


@pytest.mark.parametrize("code", FLOWS)
def test_it_is_refused_from_every_other_organisation(life: Life, code: str) -> None:
    """Strangers are bound by nothing; a namesake has the text and not the case, a third party too.

    City and CCAS are bound by one text and have nothing to tell each other (C-0.1).
    """
    shows_refusals_to_others(life, code, unbound="C-0.1", no_case="C-5.3")
    flow = FLOWS[code]
    others = set(KINDS) - {life.cast.orgs[flow.sender], life.cast.orgs[flow.receiver]}
    if flow.case is Cardinality.NONE:  # what names nobody another that has signed may well send
        others -= {org for org in others if life.may_know(code, org)}
    assert set(life.others[code]) == others


@pytest.mark.parametrize("code", NO_FILE)
def test_it_leaves_no_file_and_is_asked_for_again(life: Life, code: str) -> None:
    """C-5.1: not at the receiver, and seen there from memory once the sender shows it."""
    shows_it_left_no_file(life, code, NO_FILE[code])


def test_nothing_else_is_shown_again() -> None:
    assert {code for code, flow in FLOWS.items() if flow.retention.transient} == set(NO_FILE)


@pytest.mark.parametrize("kind", FAMILIES)
def test_no_name_lies_open_at_the_other_side(life: Life, kind: Kind) -> None:
    """C-5.1, C-6.2: read through, its files hold no family name that the first one registered."""
    (other,) = set(FAMILIES) - {kind}
    org = life.cast.orgs[other]
    folder, search = life.cast.fed.layout.node_dir(org), Search([FAMILIES[kind]])
    assert any(folder.rglob("*.sqlite"))
    assert search.in_folder(folder) == {}
    assert search.in_file(life.cast.fed.logs(org)) == set()


@pytest.mark.parametrize("code", FLOWS)
def test_it_is_refused_outside_the_dates_of_the_convention(life: Life, code: str) -> None:
    """The eve and the day after the end; allowed on the first day and on the last."""
    shows_the_dates(life, code, term="C-8.1", version=None)
