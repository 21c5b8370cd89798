"""One example of every message of convention B: what comes before it, its content, its effect.

Keyed by the flow's code; `tests/federation/test_convention_b.py` fails when a flow has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from contracts.conventions.b_city_mission_locale.convention import CONVENTION
from tests.federation.examples import Case, Content, Example, Script

CONTACT: Final = {
    "name": "Camille Fictive",
    "role": "conseillère",
    "phone": "+33639981201",
    "email": None,
}
SUCCESSOR: Final = {**CONTACT, "name": "Dominique Inventée"}
FORTNIGHT: Final = timedelta(days=14)


def _orientation(_: Case) -> Content:
    return {
        "theme": "se-former--trouver-sa-formation",
        "scheme": "youth_engagement_contract",
        "contact_mode": "phone",
        "adapted_reception": True,
    }


def _answered(outcome: str) -> Callable[[Case], Content]:
    return lambda case: {"outcome": outcome, "on": case.today.isoformat()}


def _opened(case: Case) -> Content:
    return {
        "opened_on": case.today.isoformat(),
        "referent": CONTACT,
        "other_referent": None,
        "objectives": ["training", "mobility"],
        "next_date": (case.today + FORTNIGHT).isoformat(),
    }


def _named(case: Case) -> Content:
    return {"referent": SUCCESSOR, "since": case.today.isoformat()}


def _checkpoint(stage: str) -> Callable[[Case], Content]:
    return lambda case: {
        "stage": stage,
        "next_date": (case.today + FORTNIGHT).isoformat(),
        "no_answer_since": None,
        "adaptations": ["place"],
    }


def _closed(outcome: str) -> Callable[[Case], Content]:
    return lambda case: {"closed_on": case.today.isoformat(), "outcome": outcome}


def _immersion(case: Case) -> Content:
    return {
        "object": "discover_trade",
        "rome": "K1207",
        "first_day": case.first_day.isoformat(),
        "last_day": case.last_day.isoformat(),
        "weekly_hours": 35,
        "referent": CONTACT,
        "offer": None,
        "renewal": False,
    }


def _status(code: str, **more: Any) -> Callable[[Case], Content]:
    said = {"tutor": None, "representative_signed": None, **more}
    return lambda case: {"status": code, "on": case.today.isoformat(), **said}


def _places(case: Case) -> Content:
    return {
        "theme": "remobilisation--lien-social",
        "places": 8,
        "youngest": 16,
        "oldest": 17,
        "last_day": (case.today + FORTNIGHT).isoformat(),
        "contact": CONTACT,
    }


def _service(name: str) -> Callable[[Case], Content]:
    return lambda _: {
        "name": name,
        "theme": "mobilite--preparer-un-permis",
        "kind": "atelier",
        "last_day": None,
        "contact": CONTACT,
    }


def _shown(what: str, **wanted: Any) -> Callable[[Content, str], bool]:
    def seen(content: Content, _message_id: str) -> bool:
        found = content.get(what) or {}
        return {name: found.get(name) for name in wanted} == wanted

    return seen


def _person_shown(what: str) -> Callable[[Content, str], bool]:
    def seen(content: Content, _message_id: str) -> bool:
        found = content.get(what) or {}
        person = found.get("person") or found.get("data", {}).get("person") or {}
        return person.get("first_name") == "Sacha"

    return seen


def _referent_shown(content: Content, _message_id: str) -> bool:
    names = [one["name"] for one in content["cosupport"]["referents"].values()]
    return SUCCESSOR["name"] in names


def _offered(content: Content, message_id: str) -> bool:
    return message_id in content["offers"]


PAIRED: Final = ("m5", "m8")
"""A co-support that the city opened, and its referent at the Mission Locale."""
ACCEPTED: Final = ("m13", "m15")
"""An immersion that the city accepted."""
_MET: Final = _shown("cosupport", state="closed", outcome="objectives_met")
_ON: Final = _shown("cosupport", stage="engaged", adaptations=["place"])
_ACCEPTED: Final = _shown("immersion", status="accepted", tutor=CONTACT)

EXAMPLES: Final[Mapping[str, Example]] = {
    "m1": Example(_orientation, _person_shown("orientation")),
    "m2": Example(_orientation, _person_shown("orientation")),
    "m3": Example(_answered("received"), _shown("orientation", state="received"), after=("m1",)),
    "m4": Example(
        _answered("registered"), _shown("orientation", state="registered"), after=("m2",)
    ),
    "m5": Example(_opened, _person_shown("cosupport")),
    "m6": Example(_opened, _person_shown("cosupport")),
    "m7": Example(_named, _referent_shown, after=("m5",)),
    "m8": Example(_named, _referent_shown, after=("m5",)),
    "m9": Example(_checkpoint("engaged"), _ON, after=PAIRED),
    "m10": Example(_checkpoint("engaged"), _ON, after=PAIRED),
    "m11": Example(_closed("objectives_met"), _MET, after=PAIRED),
    "m12": Example(_closed("objectives_met"), _MET, after=PAIRED),
    "m13": Example(_immersion, _shown("immersion", status="requested", person=None)),
    "m14": Example(
        _status("confirmed", representative_signed=True),
        lambda content, message_id: (
            _shown("immersion", status="confirmed")(content, message_id)
            and _person_shown("immersion")(content, message_id)
        ),
        after=ACCEPTED,
    ),
    "m15": Example(_status("accepted", tutor=CONTACT), _ACCEPTED, after=("m13",)),
    "m16": Example(_places, _offered),
    "m17": Example(_service("Atelier mobilité"), _offered),
    "m18": Example(_service("Atelier emploi"), _offered),
}

SCRIPT: Final = Script(CONVENTION, EXAMPLES)
FLOWS: Final = SCRIPT.flows
"""Every flow of the text."""
