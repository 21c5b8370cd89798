"""One example of every message of convention D: what comes before it, its content, its effect.

Keyed by the flow's code; `tests/federation/test_convention_d.py` fails when a flow has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from contracts.conventions.d_department_mission_locale.convention import CONVENTION, DUTIES
from contracts.kernel.paris import midnight
from tests.federation.examples import Case, Content, Example, Script

CONTACT: Final = {"name": "Camille Fictive", "phone": None, "email": None}
ADVISER: Final = {"name": "Alex Inventé", "phone": None, "email": None}
SUCCESSOR: Final = {**CONTACT, "name": "Dominique Inventée"}
CELLS: Final = (
    "requested",
    "interviews",
    "diagnoses",
    "enrolled",
    "projects",
    "youth_contracts",
)
"""The six counts of the yearly sheet."""


def _said(**content: Any) -> Callable[[Case], Content]:
    return lambda _: content


def _today(name: str, **more: Any) -> Callable[[Case], Content]:
    return lambda case: {name: case.today.isoformat(), **more}


def _requested(_: Case) -> Content:
    return {"place": "mission_locale", "priority": True, "referent": CONTACT}


def _invited(case: Case) -> Content:
    at = midnight(case.first_day) + timedelta(hours=14)
    return {"at": at.isoformat(), "place": "department", "contact": CONTACT}


def _counted(*shown: str) -> Callable[[Case], Content]:
    """The sheet of the year's last day: six in what its sender counts."""
    cells = {name: 6 if name in shown else "not_counted" for name in CELLS}
    return lambda case: {"counted_on": date(case.today.year, 12, 31).isoformat(), **cells}


def _breach(case: Case) -> Content:
    return {
        "convened_on": (case.today - timedelta(days=30)).isoformat(),
        "ground": "no_answer",
        "not_met_on": case.today.isoformat(),
    }


def _shown(what: str, **wanted: Any) -> Callable[[Content, str], bool]:
    """Whether a part of the case says that; what has no part of its own is in the whole."""

    def seen(content: Content, _message_id: str) -> bool:
        youth = content["youth"]
        found = (youth[what] if what else youth) or {}
        return {name: found[name] for name in wanted} == wanted

    return seen


def _dated(what: str, name: str) -> Callable[[Content, str], bool]:
    return lambda content, _: content["youth"][what][name] is not None


def _named(content: Content, _message_id: str) -> bool:
    found = content["youth"]["request"]["young_person"]
    return bool(found["first_name"] == "Sacha")


def _referent_shown(content: Content, _message_id: str) -> bool:
    return SUCCESSOR["name"] in {one["name"] for one in content["youth"]["referents"].values()}


def _sheet_shown(*wanted: str) -> Callable[[Content, str], bool]:
    def seen(content: Content, _message_id: str) -> bool:
        return any(all(sheet["cells"][one] == 6 for one in wanted) for sheet in content["sheets"])

    return seen


def _breach_shown(content: Content, _message_id: str) -> bool:
    return bool(content["training_obligation"]["ground"] == "no_answer")


_BEFORE: Final = ("m1",)
_INVITED: Final = ("m1", "m7")
_DECIDED: Final = _today("since", mode="together", view="agrees", contact=ADVISER)
_AGREES: Final = _shown("decision", mode="together", view="agrees", contact=ADVISER)
_CHANGED: Final = _today("since", referent=SUCCESSOR)
_PROPOSED: Final = _shown("youth_contract", proposed=True)
_OURS: Final = ("requested", "interviews", "projects")
_THEIRS: Final = ("diagnoses", "enrolled", "youth_contracts")

EXAMPLES: Final[Mapping[str, Example]] = {
    "m1": Example(_requested, _named),
    "m2": Example(_said(outcome="met", adviser=ADVISER), _shown("", contact="met"), _BEFORE),
    "m3": Example(_today("proposed_on"), _shown("enrolment", proposed=True), _BEFORE),
    "m4": Example(
        _today("on", outcome="accepted"), _shown("enrolment", outcome="accepted"), ("m1", "m3")
    ),
    "m5": Example(_said(review_on=None), _shown("diagnosis", requested=True), _BEFORE),
    "m6": Example(
        _today("done_on", handed_over=True), _shown("diagnosis", handed_over=True), ("m1", "m5")
    ),
    "m7": Example(_invited, _dated("interview", "invitation"), _BEFORE),
    "m19": Example(
        _said(attends=True, adviser=ADVISER),
        _shown("interview", attends=True, adviser=ADVISER),
        _INVITED,
    ),
    "m8": Example(_today("held_on", together=True), _dated("interview", "held_on"), _INVITED),
    "m9": Example(
        _today("starts_on", actions=["training_search"], ends_on=None),
        _shown("project", actions=["training_search"]),
        _BEFORE,
    ),
    "m10": Example(_today("proposed_on"), _PROPOSED, _BEFORE),
    "m11": Example(_today("proposed_on"), _PROPOSED, _BEFORE),
    "m12": Example(
        _today("on", outcome="entered"), _shown("youth_contract", outcome="entered"), ("m1", "m10")
    ),
    "m13": Example(_DECIDED, _AGREES, _BEFORE),
    "m14": Example(_DECIDED, _AGREES, _BEFORE),
    "m15": Example(_CHANGED, _referent_shown, _BEFORE),
    "m16": Example(_CHANGED, _referent_shown, _BEFORE),
    "m17": Example(_counted(*_OURS), _sheet_shown(*_OURS)),
    "m18": Example(_counted(*_THEIRS), _sheet_shown(*_THEIRS)),
    "d1": Example(_breach, _breach_shown),
}

SCRIPT: Final = Script(CONVENTION, EXAMPLES, DUTIES)
FLOWS: Final = SCRIPT.flows
"""Every flow of the text, and the duty of the law beside it."""
DUTY: Final = SCRIPT.duties
