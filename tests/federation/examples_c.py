"""One example of every message of convention C: what comes before it, its content, its effect.

Keyed by the flow's code; `tests/federation/test_convention_c.py` fails when a flow has none. What
belongs to no case is seen in a list, with what tells one case from another: its mark and its day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from contracts.conventions.c_employment_city_ccas.convention import CONVENTION
from contracts.conventions.c_employment_city_ccas.course import booklet_due_dates
from contracts.conventions.c_employment_city_ccas.messages import LEAST
from contracts.kernel.paris import add_months, midnight
from tests.federation.examples import Case, Content, Example, Script

CONTACT: Final = {
    "name": "Camille Fictive",
    "role": "conseillère",
    "phone": "+33639981201",
    "email": None,
}
SECOND: Final = {**CONTACT, "name": "Alex Inventé"}
TRADE: Final = "M1601"
LAST: Final = "three_quarters"
"""The booklet of the examples: after it nothing but the exit comes."""
FORTNIGHT: Final = timedelta(days=14)

Seen = Callable[[Content, str], bool]


def term(case: Case, months: int = 6) -> tuple[date, date]:
    """First and last day of a contract that begins when its case plans, or so."""
    return case.first_day, add_months(case.first_day, months) - timedelta(days=1)


def number(case: Case) -> int:
    """A number of people that no other case tells."""
    return LEAST + int(case.mark[:4], 16)


def _said(**content: Any) -> Callable[[Case], Content]:
    return lambda _: content


def _today(name: str, **more: Any) -> Callable[[Case], Content]:
    return lambda case: {name: case.today.isoformat(), **more}


def _offer(case: Case) -> Content:
    return {
        "offer_id": case.mark,
        "post": "agente d'accueil",
        "trade": TRADE,
        "weekly_hours": 26,
        "starts_on": case.first_day.isoformat(),
        "closes_on": (case.today + FORTNIGHT).isoformat(),
        "eligible_tutor": False,
        "may_become_permanent": True,
    }


def _commitment(case: Case) -> Content:
    first, last = term(case)
    return {
        "skills": ["12345"],
        "training": ["refresher"],
        "support": ["taking_up_the_post"],
        "first_day": first.isoformat(),
        "last_day": last.isoformat(),
        **dict.fromkeys(("job_counsellor", "employee", "workplace_tutor"), case.today.isoformat()),
    }


def _due(case: Case) -> Content:
    return {"step": LAST, "due_on": booklet_due_dates(*term(case))[LAST].isoformat()}


def _exit(case: Case) -> Content:
    return {"at": (midnight(case.first_day) + timedelta(hours=14)).isoformat()}


def _opportunity(case: Case) -> Content:
    return {
        "site": f"Chantier {case.mark[:8]}",
        "trade": "F1702",
        "first_day": case.first_day.isoformat(),
        "last_day": case.last_day.isoformat(),
    }


def _campaign(case: Case) -> Content:
    return {
        "event": "presentation",
        "at": (midnight(case.first_day) + timedelta(hours=17)).isoformat(),
        "place": f"Salle {case.mark[:8]}",
        "means": "email",
        "priority_districts_only": True,
    }


def _sent(case: Case) -> Content:
    return {"sent_on": case.today.isoformat(), "reached": number(case)}


def _census(case: Case) -> Content:
    cells = ("under_one_year", "from_one_to_two", "from_two_to_three", "over_three_years")
    each = number(case)
    return {
        "table": "job_seekers",
        "counted_on": case.today.isoformat(),
        **dict.fromkeys(cells, each),
        "total": len(cells) * each,
    }


def _trades(case: Case) -> Content:
    return {"host": "city", "trades": [TRADE, "K2204"], "since": case.today.isoformat()}


def _immersion(case: Case) -> Content:
    return {
        "host": "city",
        "object": "discover_trade",
        "rome": TRADE,
        "first_day": case.first_day.isoformat(),
        "last_day": case.last_day.isoformat(),
        "weekly_hours": 35,
        "referent": CONTACT,
        "offer": None,
        "renewal": False,
        "profile_promotion": False,
    }


def _status(code: str, tutor: Content | None = None) -> Callable[[Case], Content]:
    return _today("on", status=code, tutor=tutor, representative_signed=None)


def _shown(what: str, **wanted: Any) -> Seen:
    """Whether a part of the case says that."""

    def seen(content: Content, _message_id: str) -> bool:
        found = content.get(what) or {}
        return {name: found.get(name) for name in wanted} == wanted

    return seen


def _dated(what: str, name: str) -> Seen:
    return lambda content, _: (content.get(what) or {}).get(name) is not None


def _booklet(**wanted: Any) -> Seen:
    def seen(content: Content, _message_id: str) -> bool:
        found = [one for one in content.get("booklets", []) if one["step"] == LAST]
        return any({name: one[name] for name in wanted} == wanted for one in found)

    return seen


def _listed(name: str, wanted: Callable[[Content], Any], **more: Any) -> Seen:
    """Whether a list holds what that case alone says; wanted: of the content."""

    def seen(content: Content, _message_id: str) -> bool:
        sought = {name: wanted(content), **more}
        return any({one: row[one] for one in sought} == sought for row in content["rows"])

    return seen


def _said_by_sender(name: str, wanted: str) -> Seen:
    """The same of a list that holds both sides' own, each under its organisation."""
    return lambda content, message_id: _listed(
        name, lambda found: found[wanted], org=content["sender"]
    )(content, message_id)


def _arrived(content: Content, message_id: str) -> bool:
    return any(row["message_id"] == message_id for row in content["rows"])


RETAINED: Final = ("m1", "m2", "m3")
CONTRACT: Final = (*RETAINED, "m4")
ACCEPTED: Final = ("m28", "m29", "m30")
"""An immersion that the city accepted, within the trades that it published."""
_BOOKLET: Final = (*CONTRACT, "m5")
_PLACE: Final = _listed("site", lambda found: f"Chantier {found['mark'][:8]}", sent_here=False)
_ASKED: Final = _listed("place", lambda found: f"Salle {found['mark'][:8]}", asked_here=False)
_REACHED: Final = _listed("reached", lambda found: found["number"], asked_here=True)
_COUNTED: Final = _said_by_sender("under_one_year", "number")
_ANNOUNCED: Final = Example(_today("on", subject="inclusion", medium="press"), _arrived)
_ANTENNA: Final = Example(
    _today("since", unit=2, agency="beauvoisine", referent=CONTACT),
    _said_by_sender("since", "today"),
)

EXAMPLES: Final[Mapping[str, Example]] = {
    "m1": Example(_offer, _listed("offer_id", lambda found: found["mark"], sent_here=False)),
    "m2": Example(
        lambda case: {"offer_id": case.mark}, _shown("candidacy", state="waiting"), ("m1",)
    ),
    "m3": Example(_said(outcome="retained"), _shown("candidacy", state="retained"), ("m1", "m2")),
    "m4": Example(_commitment, _shown("contract", training=["refresher"]), RETAINED),
    "m5": Example(_due, _booklet(tutor=False), CONTRACT),
    "m6": Example(_said(step=LAST, filled=True), _booklet(tutor=True), _BOOKLET),
    "m7": Example(_said(step=LAST, filled=True), _booklet(employee=True), _BOOKLET),
    "m8": Example(_exit, _dated("contract", "exit_interview_at"), (*_BOOKLET, "m7")),
    "m9": Example(_today("issued_on"), _dated("contract", "certificate_on"), CONTRACT),
    "m28": Example(_trades, _arrived),
    "m29": Example(_immersion, _shown("immersion", status="requested"), ("m28",)),
    "m30": Example(
        _status("accepted", CONTACT),
        _shown("immersion", status="accepted", tutor=CONTACT),
        ("m28", "m29"),
    ),
    "m31": Example(_status("confirmed"), _shown("immersion", status="confirmed"), ACCEPTED),
    "m10": Example(_opportunity, _PLACE),
    "m11": Example(_opportunity, _PLACE),
    "m12": Example(_said(), _shown("question", state="waiting", asked_here=False)),
    "m13": Example(
        _said(answer="yes"), _shown("question", state="answered"), ("m12",), same_day=True
    ),
    "m14": Example(_campaign, _ASKED),
    "m15": Example(_campaign, _ASKED),
    "m16": Example(_sent, _REACHED, ("m14",)),
    "m17": Example(_sent, _REACHED, ("m15",)),
    "m18": Example(_census, _COUNTED),
    "m19": Example(_census, _COUNTED),
    "m20": Example(
        _said(skills=["100123"], needs=["training"]), _shown("volunteer", offered_here=False)
    ),
    "m21": Example(
        _today("since", agency="saint_sever", task="employer", first=CONTACT, second=SECOND),
        _said_by_sender("since", "today"),
    ),
    "m22": _ANTENNA,
    "m23": _ANTENNA,
    "m24": _ANNOUNCED,
    "m25": _ANNOUNCED,
    "m26": _ANNOUNCED,
    "m27": _ANNOUNCED,
}

SCRIPT: Final = Script(CONVENTION, EXAMPLES)
FLOWS: Final = SCRIPT.flows
"""Every flow of the text."""
