"""Immersions of convention C: one object, a host's own trades, an offer or a profile, a name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.conventions.b_city_mission_locale.convention import CONVENTION as OTHER
from contracts.conventions.c_employment_city_ccas import immersion
from contracts.conventions.c_employment_city_ccas.convention import CONVENTION
from contracts.conventions.c_employment_city_ccas.immersion import (
    ImmersionRequested,
    ImmersionStatus,
    TradesPublished,
)
from contracts.kernel import messages as shared
from contracts.kernel.checks import Check, Limit, Side
from contracts.kernel.fields import Payload, caller_model, node_fields
from contracts.kernel.instrument import Flow
from contracts.kernel.messages import Identity
from contracts.kernel.organisation import Kind
from contracts.registry import build
from tests.contracts.signing import document

AGENCY, CITY = Kind.EMPLOYMENT_AGENCY, Kind.CITY
OFFER = "5f" * 16
ASKED: dict[str, Any] = {
    **document(CONVENTION.code)["flows"]["m29"]["content"],
    "first_day": "2025-12-01",
    "last_day": "2025-12-31",
}


def flow_of(name: str, sender: Kind) -> Flow:
    found = CONVENTION.flow(name, sender, CITY if sender is AGENCY else AGENCY)
    assert found is not None
    return found


def asked(flow: Flow) -> dict[str, Any]:
    """Checks of a flow by the name of their fact."""
    return {getattr(one, "name", type(one).__name__): one for one in flow.checks}


def requested(**changes: Any) -> ImmersionRequested:
    found = ImmersionRequested.model_validate_json(json.dumps({**ASKED, **changes}))
    assert isinstance(found, ImmersionRequested)
    return found


@pytest.mark.parametrize("aim", ["discover_trade", "confirm_project", "start_recruitment"])
def test_an_immersion_has_one_object_of_three(aim: str) -> None:
    """C-3b.1."""
    assert requested(object=aim).object == aim
    for other in ([aim, "confirm_project"], f"{aim},confirm_project", "work", None):
        with pytest.raises(ValidationError):
            requested(object=other)


@pytest.mark.parametrize(
    ("aim", "offer", "promoted", "misplaced"),
    [
        ("start_recruitment", OFFER, False, 0),
        ("start_recruitment", None, True, 0),
        ("start_recruitment", OFFER, True, 1),
        ("start_recruitment", None, False, 1),
        ("discover_trade", None, False, 0),
        ("discover_trade", OFFER, False, 1),
        ("discover_trade", None, True, 1),
        ("confirm_project", OFFER, True, 1),
    ],
)
def test_a_recruitment_hangs_on_an_offer_or_a_profile_and_nothing_else_does(
    aim: str, offer: str | None, promoted: Any, misplaced: int
) -> None:
    """C-3b.3."""
    said = requested(object=aim, offer=offer, profile_promotion=promoted)
    assert said.misplaced_offers == misplaced


@pytest.mark.parametrize("offer", ["187XKLM", OFFER[:-1], OFFER.upper(), OFFER + "0", "voir offre"])
def test_an_offer_is_one_that_both_sides_hold(offer: str) -> None:
    """C-3b.3: the id that the employer gave on the bus, and no public number."""
    with pytest.raises(ValidationError):
        requested(object="start_recruitment", offer=offer)


def test_only_trades_that_the_host_published_and_at_both_gates() -> None:
    """C-3b.4, C-3.2: a list of trades of one of the two employers, each once."""
    listed = asked(flow_of("immersion.requested", AGENCY))["trade_listed"]
    assert (listed.article, listed.side) == ("C-3b.4", Side.BOTH)
    said: dict[str, Any] = {"host": "ccas", "trades": ["K1207", "G1605"], "since": "2025-09-01"}
    assert TradesPublished.model_validate(said).trades == ("K1207", "G1605")
    changes: list[dict[str, Any]] = [
        {"trades": []},
        {"trades": ["K1207", "K1207"]},
        {"host": "school"},
    ]
    for change in changes:
        with pytest.raises(ValidationError):
            TradesPublished.model_validate({**said, **change})


def test_who_discovers_or_confirms_questions_a_way_ahead_or_changes_trade() -> None:
    """C-3b.2: of the agency's own file, and no field says so."""
    found = asked(flow_of("immersion.requested", AGENCY))["questioning"]
    assert (found.article, found.side) == ("C-3b.2", Side.SENDER)
    assert "questioning" not in ImmersionRequested.model_fields


LIMITS = {
    "days_beyond_month": (0, 0, Side.BOTH),
    "renewals": (0, 1, Side.SENDER),
    "misnamed_renewals": (0, 0, Side.SENDER),
    "host_agreements": (1, 2, Side.SENDER),
    "host_days": (1, 60, Side.SENDER),
}


def test_the_law_bounds_an_immersion_at_one_host() -> None:
    """C-3b.1: D5135-3, counted at the agency, for the host keeps no file (C-5.1)."""
    found = asked(flow_of("immersion.requested", AGENCY))
    bounds = {
        name: (found[name].at_least, found[name].at_most, found[name].side) for name in LIMITS
    }
    assert bounds == LIMITS
    assert {found[name].article for name in LIMITS} == {"D5135-3"}


def test_nobody_is_named_until_the_host_accepts_and_then_without_an_age() -> None:
    """C-5.1, C-5.2, C-4.1: the city's own messages name nobody; it sees a name and keeps none."""
    assert not node_fields(ImmersionRequested)
    assert node_fields(ImmersionStatus) == {"person": "identity"}
    by_city, by_agency = (asked(flow_of("immersion.status", one)) for one in (CITY, AGENCY))
    assert by_city["confirmations"].at_most == by_agency["host_steps"].at_most == 0
    assert by_agency["host_accepted"].side is Side.BOTH
    assert by_agency["no_file"].side is Side.RECEIVER
    person = Identity.model_validate_json(
        '{"family_name": "Modèle", "first_name": "Claude", "birth_date": "1990-06-01",'
        ' "channel": {"kind": "email", "value": "claude@modele.example"}}'
    )
    said: dict[str, Any] = {"status": "confirmed", "on": "2025-11-20", "tutor": None}
    named = ImmersionStatus.model_validate(
        {**said, "representative_signed": None, "person": person}
    ).person
    assert named is not None
    assert set(named.model_dump()) == {"family_name", "first_name", "channel"}


@pytest.mark.parametrize("code", ["accepted", "declined", "confirmed", "completed", "interrupted"])
def test_the_host_speaks_as_host_and_the_agency_confirms(code: str) -> None:
    """C-3b.1."""
    said = ImmersionStatus.model_validate(
        {"status": code, "on": "2025-11-20", "tutor": None, "person": None}
        | {"representative_signed": None}
    )
    assert (said.confirmations, said.host_steps) == ((1, 0) if code == "confirmed" else (0, 1))


@pytest.mark.parametrize("payload", [shared.ImmersionStatus, ImmersionStatus])
def test_what_a_caller_types_says_who_speaks_too(payload: type[Payload]) -> None:
    """C-3b.1, B-2.9: a quantity that a type takes over from another was lost, and refused all."""
    typed = caller_model(payload)
    assert "person" not in typed.model_fields
    said: Any = typed.model_validate(
        {"status": "confirmed", "on": "2025-11-20", "tutor": None, "representative_signed": None}
    )
    assert (said.confirmations, said.host_steps) == (1, 0)


def test_it_is_a_second_version_beside_convention_b_s() -> None:
    """C-3b.1: of a type that the two texts share, each version has one shape."""
    shapes = {
        (flow.type, flow.version): flow.payload
        for text in (OTHER, CONVENTION)
        for flow in text.flows
        if flow.type.startswith("immersion.")
    }
    assert shapes == {
        ("immersion.requested", 1): shared.ImmersionRequested,
        ("immersion.status", 1): shared.ImmersionStatus,
        ("immersion.requested", 2): ImmersionRequested,
        ("immersion.status", 2): ImmersionStatus,
    }
    assert set(build([OTHER, CONVENTION]).conventions) == {OTHER.code, CONVENTION.code}


def test_every_refusal_says_what_to_do() -> None:
    """C-3b.1: a fact and a way out, or who alone may."""
    of_module = [one for one in vars(immersion).values() if isinstance(one, Check)]
    assert len([one for one in of_module if isinstance(one, Limit)]) == 8
    for check in of_module:
        assert ":" in check.sentence or "seul" in check.sentence.casefold()
