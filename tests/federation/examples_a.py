"""One example of every message of convention A: what comes before it, its content, its effect.

Keyed by the flow's code; `tests/federation/test_convention_a.py` fails when a flow has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from contracts.conventions.a_city_school.convention import CONVENTION, DUTIES
from contracts.kernel.paris import midnight
from tests.federation.examples import Case, Content, Example, Script

HOST: Final = "Jardins partagés"
CONTACT: Final = {
    "name": "Camille Fictive",
    "role": "référente de parcours",
    "phone": "+33639981201",
    "email": None,
}
SUCCESSOR: Final = {**CONTACT, "name": "Dominique Inventée"}


def _recorded(what: str, code: str) -> Callable[[Content, str], bool]:
    def seen(content: Content, message_id: str) -> bool:
        lines = [one for one in content.get("records", ()) if one["message_id"] == message_id]
        return [(one["what"], one["code"]) for one in lines] == [(what, code)]

    return seen


def _referred(case: Case) -> dict[str, Any]:
    _ = case
    return {"level": "4e", "concerns": ["absences", "climate"], "hoped_help": "mediation"}


def _opened(case: Case) -> dict[str, Any]:
    return {
        "opened_on": case.today.isoformat(),
        "objectives": ["attendance", "relations"],
        "strategy": ["family_meeting"],
        "review_on": (case.today + timedelta(days=30)).isoformat(),
    }


def _cell(case: Case) -> dict[str, Any]:
    at = midnight(case.today + timedelta(days=3)) + timedelta(hours=14)
    return {"at": at.isoformat(), "place": "Salle B2", "situations": 4}


def _meeting(case: Case) -> dict[str, Any]:
    at = midnight(case.today + timedelta(days=2)) + timedelta(hours=17)
    return {"at": at.isoformat(), "place": "Maison de quartier", "participants": ["family"]}


def _closed(outcome: str) -> Callable[[Case], dict[str, Any]]:
    return lambda case: {"closed_on": case.today.isoformat(), "outcome": outcome}


def _request(case: Case) -> dict[str, Any]:
    first, last = case.first_day.isoformat(), case.last_day.isoformat()
    return {
        "exclusion_first_day": first,
        "exclusion_last_day": last,
        "wanted_first_day": first,
        "wanted_last_day": last,
    }


def contract(case: Case, *signatures: str) -> dict[str, Any]:
    """The contract, with the given signatures of today."""
    roles = dict.fromkeys(("head_teacher", "youth_service", "pupil", "representative"))
    return {
        **roles,
        **dict.fromkeys(signatures, case.today.isoformat()),
        "first_day": case.first_day.isoformat(),
        "last_day": case.last_day.isoformat(),
        "host": HOST,
        "task_tutor": CONTACT,
    }


def _status(code: str) -> Callable[[Case], dict[str, Any]]:
    return lambda case: {"status": code, "on": case.today.isoformat()}


def _ended(outcome: str) -> Callable[[Case], dict[str, Any]]:
    return lambda case: {
        "outcome": outcome,
        "ended_on": case.today.isoformat(),
        "booklet_handed": True,
    }


def _alert(case: Case) -> dict[str, Any]:
    at = midnight(case.today) + timedelta(hours=9)
    return {"kind": "incident", "at": at.isoformat(), "call_back": "+33639981234"}


def _measure(**wanted: Any) -> Callable[[Content, str], bool]:
    def seen(content: Content, _message_id: str) -> bool:
        found = content.get("measure", {})
        return {name: found.get(name) for name in wanted} == wanted

    return seen


def _pathway(**wanted: Any) -> Callable[[Content, str], bool]:
    def seen(content: Content, _message_id: str) -> bool:
        found = content.get("pathway") or {}
        return {name: found.get(name) for name in wanted} == wanted

    return seen


_REFERRED = ("m1",)
_ANSWERED = ("m1", "m2")
_OPEN = ("m1", "m2", "m4")
_SIGNED = ("m12", "m13", "m14", "m15")

EXAMPLES: Final[Mapping[str, Example]] = {
    "m1": Example(_referred, lambda content, _: content["referral"]["data"]["level"] == "4e"),
    "m2": Example(
        lambda _: {"decision": "accepted", "referent": CONTACT, "next_date": None},
        lambda content, _: (content["answer"] or {}).get("decision") == "accepted",
        after=_REFERRED,
    ),
    "m3": Example(_cell, lambda content, message_id: message_id in content["watch_cells"]),
    "m4": Example(_opened, _pathway(objectives=["attendance", "relations"]), after=_ANSWERED),
    "m5": Example(_opened, _pathway(strategy=["family_meeting"]), after=_ANSWERED),
    "m6": Example(
        lambda _: {"stage": "engaged", "engaged": True, "next_date": None},
        _pathway(stage="engaged", engaged=True),
        after=_OPEN,
    ),
    "m7": Example(
        lambda case: {"element": "timetable", "on": case.today.isoformat()},
        _recorded("element", "timetable"),
        after=_OPEN,
    ),
    "m8": Example(
        _meeting,
        lambda content, message_id: any(
            _recorded("meeting", who)(content, message_id) for who in ("school", "city")
        ),
        after=_OPEN,
    ),
    "m9": Example(
        lambda case: {"referent": SUCCESSOR, "since": case.today.isoformat()},
        lambda content, _: content["referent"]["name"] == SUCCESSOR["name"],
        after=_ANSWERED,
    ),
    "m10": Example(_closed("handed_over"), _pathway(outcome="handed_over"), after=_OPEN),
    "m11": Example(_closed("left_school"), _pathway(outcome="left_school"), after=_OPEN),
    "m12": Example(_request, _measure(status="requested")),
    "m13": Example(
        lambda _: {"decision": "accepted", "contact": CONTACT},
        _measure(status="accepted"),
        after=("m12",),
    ),
    "m14": Example(
        lambda case: contract(case, "youth_service"),
        lambda content, _: set(content["measure"]["signatures"]) == {"youth_service"},
        after=("m12", "m13"),
    ),
    "m15": Example(
        lambda case: contract(case, "head_teacher", "pupil", "representative"),
        _measure(status="signed"),
        after=("m12", "m13", "m14"),
    ),
    "m16": Example(_status("late"), _recorded("news", "late"), after=_SIGNED, during=True),
    "m17": Example(_status("absent"), _recorded("news", "absent"), after=_SIGNED, during=True),
    "m18": Example(_alert, _recorded("alert", "incident"), after=_SIGNED, during=True),
    "m19": Example(
        _ended("ended_safety"),
        _measure(status="interrupted", outcome="ended_safety"),
        after=_SIGNED,
        during=True,
    ),
    "m20": Example(
        _ended("completed"),
        _measure(status="completed", outcome="completed"),
        after=_SIGNED,
        during=True,
    ),
    "d1": Example(
        lambda case: {"event": "attendance_warning", "on": case.today.isoformat()},
        lambda content, _: content["attendance"]["event"] == "attendance_warning",
    ),
}

SCRIPT: Final = Script(CONVENTION, EXAMPLES, DUTIES)
FLOWS: Final = SCRIPT.flows
"""Every flow of the text, and of the duty that it recalls."""
DUTY: Final = SCRIPT.duties
"""Those that the law asks, whatever is signed."""
