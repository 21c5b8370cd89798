"""Who opens which page of a node, and sends which form: one row for each, in any node's site.

A row names a page as it is addressed, its ids in braces; one route may have several rows. get: who
opens it. post: who sends its form; None where there is none. typed: what that form cannot go
without.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from services.chassis.tokens import Role

PERSON: Final = "person"
"""Who typed the code of a person's page."""
NOBODY: Final = "nobody"
"""A browser in which nobody signed in or typed a code."""

EVERYBODY: Final = frozenset(Role)
ANYBODY: Final = EVERYBODY | {PERSON, NOBODY}
MANAGER: Final = frozenset({Role.MANAGER})
DPO: Final = frozenset({Role.DPO})
OPERATOR: Final = frozenset({Role.OPERATOR})
WORK: Final = frozenset({Role.AGENT, Role.REFERENT, Role.MANAGER})
CASES: Final = WORK | DPO
SENDS: Final = WORK | {Role.INTEGRATOR}
ANSWERS: Final = MANAGER | DPO
JOURNAL: Final = DPO | OPERATOR
ITSELF: Final = frozenset({PERSON})
NONE: Final[frozenset[str]] = frozenset()


class Row(NamedTuple):
    """Those for whom a page opens, and those whose form it takes."""

    get: AbstractSet[str] | None = None
    post: AbstractSet[str] | None = None
    typed: Mapping[str, str] = {}


_CONVENTION: Final = "/pages/conventions/{convention}"
_CASE: Final = "/pages/situations/{case}"
_REQUEST: Final = "/pages/requests/{request}"
_AGREEMENT: Final = "/pages/agreements/{agreement}"
_PERSON: Final = "/pages/people/{person}"
_OWN: Final = "/person/agreements/{own_agreement}"

TABLE: Final[Mapping[str, Row]] = {
    # --- the door
    "/pages/": Row(ANYBODY),
    "/pages/sign-in": Row(ANYBODY),
    "/pages/sign-in/departure": Row(ANYBODY),
    "/pages/sign-in/return": Row(NONE),  # for whoever left from here, and brings a code back
    "/pages/role": Row(EVERYBODY, EVERYBODY, {"authorisation": "{authorisation}"}),
    "/pages/charter": Row(EVERYBODY, EVERYBODY),
    # --- today
    "/pages/today": Row(EVERYBODY),
    "/pages/today/live": Row(EVERYBODY),
    # --- situations
    "/pages/situations": Row(CASES),
    "/pages/situations/new": Row(SENDS),
    "/pages/situations/new/sent": Row(SENDS),
    "/pages/situations/new?agreement={agreement}": Row(WORK),
    "/pages/situations/new?notice={nothing}": Row(WORK),
    "/pages/situations/new/{city}/{convention}/watch_cell.convened": Row(SENDS, SENDS),
    _CASE: Row(CASES),
    f"{_CASE}/live": Row(CASES),
    f"{_CASE}/same": Row(WORK, WORK),
    f"{_CASE}/send/alternative.status": Row(SENDS, SENDS),
    f"{_CASE}/acts/booklet_shown": Row(SENDS, SENDS),
    f"{_CASE}/reading/{{message}}": Row(None, CASES),
    f"{_CASE}/view/{{message}}": Row(CASES, CASES),
    "/pages/situations/{city_case}/without-agreement/alternative.alert": Row(WORK, WORK),
    "/pages/without-agreement": Row(CASES),
    "/pages/without-agreement/{decision}/confirmation": Row(None, MANAGER),
    "/pages/without-agreement/{decision}/telling": Row(WORK, WORK),
    "/pages/without-agreement/{decision}/review": Row(ANSWERS, ANSWERS),
    # --- agreements
    "/pages/agreements": Row(CASES),
    "/pages/agreements/search": Row(None, CASES),
    _AGREEMENT: Row(CASES),
    f"{_AGREEMENT}/answers": Row(CASES),
    f"{_AGREEMENT}/hearing": Row(WORK, WORK),
    f"{_AGREEMENT}/objection": Row(CASES, CASES),
    f"{_AGREEMENT}/objection-answer": Row(MANAGER, MANAGER),
    "/pages/notices/{convention}": Row(CASES),
    "/pages/people/new": Row(WORK, WORK),
    _PERSON: Row(CASES),
    f"{_PERSON}/same": Row(None, WORK),
    f"{_PERSON}/agreement": Row(WORK, WORK),
    f"{_PERSON}/notice": Row(WORK, WORK),
    f"{_PERSON}/identity": Row(WORK, WORK),
    f"{_PERSON}/code": Row(CASES, CASES),
    f"{_PERSON}/request": Row(CASES, CASES),
    # --- procedures
    "/pages/procedures": Row(EVERYBODY),
    "/pages/procedures/a_city_school-post-watch-cells-agenda": Row(SENDS, SENDS),
    "/pages/procedures/a_city_school-post-watch-cells-agenda?person={person}": Row(WORK),
    # --- conventions
    "/pages/conventions": Row(EVERYBODY),
    _CONVENTION: Row(EVERYBODY),
    f"{_CONVENTION}/flows": Row(EVERYBODY),
    f"{_CONVENTION}/acting": Row(MANAGER),
    f"{_CONVENTION}/acting/review": Row(None, MANAGER),
    f"{_CONVENTION}/acting/insurance": Row(None, MANAGER),
    f"{_CONVENTION}/acting/hold": Row(None, MANAGER),
    f"{_CONVENTION}/acting/suspension": Row(None, MANAGER),
    f"{_CONVENTION}/acting/notice": Row(None, MANAGER),
    f"{_CONVENTION}/holds/{{hold}}": Row(None, MANAGER),
    f"{_CONVENTION}/amendment": Row(MANAGER, MANAGER),
    f"{_CONVENTION}/versions/2": Row(None, MANAGER),
    f"{_CONVENTION}/report?year=2025": Row(EVERYBODY),
    f"{_CONVENTION}/report.csv?year=2025": Row(EVERYBODY),
    "/pages/conventions/{c_convention}/reading": Row(EVERYBODY, EVERYBODY),
    "/pages/conventions/{d_convention}/yearly-indicators": Row(EVERYBODY),
    "/pages/reports": Row(EVERYBODY),
    "/pages/reports/{convention}": Row(None, MANAGER),
    # --- requests
    "/pages/requests": Row(ANSWERS),
    _REQUEST: Row(ANSWERS),
    f"{_REQUEST}/copy": Row(ANSWERS),
    f"{_REQUEST}/copy.json": Row(ANSWERS),
    f"{_REQUEST}/check": Row(None, ANSWERS),
    f"{_REQUEST}/extension": Row(None, ANSWERS),
    f"{_REQUEST}/sending": Row(None, ANSWERS),
    f"{_REQUEST}/answer": Row(None, ANSWERS),
    # --- registers
    "/pages/registers": Row(ANSWERS),
    "/pages/registers/record": Row(ANSWERS),
    "/pages/registers/record.odt": Row(ANSWERS),
    # --- journal and operation
    "/pages/journal": Row(JOURNAL),
    "/pages/journal?event=message.sent": Row(JOURNAL),
    "/pages/journal/1": Row(JOURNAL),
    "/pages/journal/refusals": Row(JOURNAL),
    "/pages/journal/verification": Row(JOURNAL, JOURNAL),
    "/pages/journal/verification/run": Row(JOURNAL),
    "/pages/operation": Row(OPERATOR),
    "/pages/operation/state": Row(OPERATOR),
    "/pages/operation/message?number={message}": Row(OPERATOR),
    "/pages/operation/dead-letters/{dead}/retry": Row(None, OPERATOR),
    # --- a person's own page
    "/person/": Row(ANYBODY),
    "/person/code": Row(None, NONE),  # for whoever has a code, and it opens once
    "/person/usage/findUsage": Row(ITSELF),
    "/person/usage/usagePeriod": Row(ITSELF),
    "/person/usage/heartbeat": Row(ITSELF),
    "/person/requests/access": Row(ITSELF, ITSELF),
    "/person/copies/{own_request}": Row(ITSELF),
    "/person/copies/{own_request}/data.json": Row(ITSELF),
    _OWN: Row(ITSELF),
    f"{_OWN}/answers": Row(ITSELF),
    f"{_OWN}/objection": Row(ITSELF, ITSELF),
    # --- what ends something comes last
    f"{_OWN}/withdrawal": Row(ITSELF, ITSELF),
    f"{_AGREEMENT}/withdrawal": Row(CASES, CASES),
    f"{_PERSON}/departure": Row(WORK, WORK),
    f"{_CASE}/erasure": Row(DPO, DPO),
    "/person/leave": Row(None, ANYBODY),  # nobody is there afterwards, whoever was before
    "/pages/sign-out": Row(None, EVERYBODY),
}
