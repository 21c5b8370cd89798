"""Every page of every kind of node is looked at in a browser; one that is forgotten fails.

The rows of roles name every page that a site has: each is opened here by whoever may, or is listed
as no page with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from http import HTTPStatus
from typing import Any, Final

import pytest

from services.chassis.pages import today
from services.chassis.tokens import Role
from tests.browser.houses import YOUNG, Houses, empty, houses
from tests.browser.looking import Looking
from tests.pair import CONVENTION
from tests.services.chassis.pages.role_table import NOBODY, PERSON, TABLE
from tests.services.chassis.pages.test_roles import routed, routes_of

pytestmark = pytest.mark.browser

_PART: Final = "a part of its page, on which it is looked at"
_FILE: Final = "a file, for programs or for a word processor"
_CALLED: Final = "an answer to a person's data tracker, for programs"
_LEADS: Final = "leads elsewhere"

NO_PAGE: Final = {
    "/pages/": _LEADS,
    "/pages/sign-in/departure": _LEADS,
    "/pages/sign-in/return": _LEADS,
    "/pages/today/live": _PART,
    "/pages/situations/new/sent": _PART,
    "/pages/situations/{case}/live": _PART,
    "/pages/agreements/{agreement}/answers": _PART,
    "/pages/conventions/{convention}/report.csv?year=2025": _FILE,
    "/pages/requests/{request}/copy.json": _FILE,
    "/pages/registers/record.odt": _FILE,
    "/pages/journal/verification/run": _PART,
    "/pages/operation/state": _PART,
    "/person/usage/findUsage": _CALLED,
    "/person/usage/usagePeriod": _CALLED,
    "/person/usage/heartbeat": _CALLED,
    "/person/copies/{own_request}/data.json": _FILE,
    "/person/agreements/{own_agreement}/answers": _PART,
}
"""Addresses of the rows at which no whole page is, and what is there."""

INSTEAD: Final[dict[str, tuple[str, str]]] = {
    "/pages/situations/{case}/view/{message}": (
        Role.AGENT,
        "/pages/situations/{candidacy}/view/{candidate}",
    ),
    "/pages/people/{person}/identity": (Role.REFERENT, "/pages/people/{corrected}/identity"),
    "/person/agreements/{own_agreement}/objection": (
        YOUNG,
        "/person/agreements/{standing_agreement}/objection",
    ),
    "/pages/requests/{request}/copy": (Role.DPO, "/pages/requests/{own_request}/copy"),
}
"""Who opens a page of those rows, and of what, where what they name is not that far yet."""

MORE: Final = (
    (Role.AGENT, "/pages/situations/{other_candidacy}/view/{other_candidate}"),
    (Role.AGENT, "/pages/situations/{candidacy}"),
    (Role.AGENT, "/pages/today"),
    (PERSON, "/person/agreements/{own_agreement}/objection"),
    (PERSON, "/person/agreements/{standing_agreement}"),
    (YOUNG, "/person/"),
    (Role.REFERENT, "/pages/people/{person}/identity"),
    (Role.MANAGER, "/pages/today"),
    (Role.REFERENT, "/pages/situations/{city_case}"),
    (Role.REFERENT, "/pages/situations/{city_case}/same"),
    (Role.MANAGER, "/pages/people/{person}"),
    (Role.MANAGER, "/pages/agreements/{agreement}"),
    (Role.MANAGER, "/pages/without-agreement?of={decision}"),
    (Role.DPO, "/pages/situations/{case}"),
    (Role.INTEGRATOR, "/pages/today"),
    (Role.DPO, "/pages/requests/{own_request}"),
)
"""The same pages, where who asks or what is asked for makes another of them."""

REFUSED: Final = (
    (Role.REFERENT, "/pages/operation", HTTPStatus.FORBIDDEN),
    (Role.REFERENT, "/pages/nowhere", HTTPStatus.NOT_FOUND),
    (Role.REFERENT, "/pages/situations/{nothing}", HTTPStatus.NOT_FOUND),
    (Role.DPO, "/pages/journal?page=x&article=%00", HTTPStatus.UNPROCESSABLE_ENTITY),
    (Role.DPO, "/pages/requests/{request}/copy", HTTPStatus.CONFLICT),
    (PERSON, "/person/nowhere", HTTPStatus.NOT_FOUND),
    (PERSON, "/person/agreements/{nothing}", HTTPStatus.NOT_FOUND),
    (NOBODY, "/pages/nowhere", HTTPStatus.NOT_FOUND),
)

EMPTY: Final = (
    *((Role.MANAGER, f"/pages/{one}") for one in ("today", "situations", "agreements")),
    *((Role.MANAGER, f"/pages/{one}") for one in ("procedures", "conventions", "reports")),
    (Role.MANAGER, "/pages/without-agreement"),
    (Role.MANAGER, "/pages/requests"),
    (Role.MANAGER, f"/pages/conventions/{CONVENTION}"),
    (Role.MANAGER, f"/pages/conventions/{CONVENTION}/flows"),
    (Role.REFERENT, "/pages/situations/new"),
    (Role.DPO, "/pages/registers"),
    (Role.DPO, "/pages/journal"),
    (Role.DPO, "/pages/journal/refusals"),
    (Role.OPERATOR, "/pages/operation"),
)
"""Where nothing happened yet."""


def first(who: AbstractSet[str] | None) -> list[str]:
    """Who opens a page here: a role that works before one that watches, a person, nobody."""
    open_to = who or frozenset()
    roles = [
        one for one in (Role.REFERENT, Role.MANAGER, Role.DPO, Role.OPERATOR) if one in open_to
    ]
    return [*roles[:1], *(one for one in (PERSON, NOBODY) if one in open_to)]


VISITS: Final = [
    INSTEAD.get(path, (who, path))
    for path, row in TABLE.items()
    if path not in NO_PAGE
    for who in first(row.get)
]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Houses]:
    with houses(tmp_path_factory.mktemp("houses")) as made:
        yield made


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Houses]:
    with empty(tmp_path_factory.mktemp("empty")) as made:
        yield made


def named(who: str, path: str) -> str:
    """What a picture is called: an address as the rows write it."""
    return f"{who} {path.removeprefix('/')}"


def test_no_page_is_forgotten(there: Houses) -> None:
    """Each route of the site has a row, and each row is visited or listed as no page."""
    opens = {path for path, row in TABLE.items() if row.get is not None}
    routes = routes_of(there.school.side)
    read = {root + one.path for root, one in routes if "GET" in (one.methods or {"GET"})}
    assert {routed(routes, "GET", path) for path in opens} == read
    visited = {path for _, path in VISITS}
    assert opens == (visited - {path for _, path in INSTEAD.values()}) | set(INSTEAD) | set(NO_PAGE)
    assert visited.isdisjoint(NO_PAGE)


@pytest.mark.parametrize(("who", "path"), VISITS, ids=lambda one: str(one).strip("/"))
def test_a_page_is_for_everyone(
    browser: Any, there: Houses, looking: Looking, who: str, path: str
) -> None:
    """RGAA, WCAG 2.2 AA, in each look and by the keys."""
    house = there.of(path)
    with there.sitting(browser, house, who) as page:
        answer = page.goto(house.url + path.format(**there.ids))
        assert answer.ok, (path, answer.status)
        assert answer.headers["content-type"].startswith("text/html")
        looking.at(page, named(who, path))


@pytest.mark.parametrize("path", NO_PAGE)
def test_what_is_listed_as_no_page_is_none(browser: Any, there: Houses, path: str) -> None:
    who = next(iter(first(TABLE[path].get)), NOBODY)
    house = there.of(path)
    ids = {**there.ids, "request": there.ids["own_request"]}
    with there.sitting(browser, house, who) as page:
        answer = page.request.get(house.url + path.format(**ids), max_redirects=0)
        if NO_PAGE[path] == _LEADS:
            assert not answer.ok, answer.status
        else:
            assert answer.ok, answer.status
            assert not answer.body().lstrip().lower().startswith(b"<!doctype html")


@pytest.mark.parametrize(("who", "path"), MORE, ids=lambda one: str(one).strip("/"))
def test_a_page_is_for_everyone_whoever_asks(
    browser: Any, there: Houses, looking: Looking, who: str, path: str
) -> None:
    house = there.of(path)
    with there.sitting(browser, house, who) as page:
        assert page.goto(house.url + path.format(**there.ids)).ok
        waits = "{other_candidacy}" in path  # and is made anew each second
        looking.at(page, named(who, path), keys=not waits)


@pytest.mark.parametrize(("who", "path"), EMPTY, ids=lambda one: str(one).strip("/"))
def test_a_page_of_nothing_is_for_everyone(
    browser: Any, bare: Houses, looking: Looking, who: str, path: str
) -> None:
    with bare.sitting(browser, bare.school, who) as page:
        assert page.goto(bare.school.url + path).ok
        looking.at(page, named(who, path))


@pytest.mark.parametrize(("who", "path", "status"), REFUSED)
def test_a_refusal_is_for_everyone(
    browser: Any, there: Houses, looking: Looking, who: str, path: str, status: int
) -> None:
    with there.sitting(browser, there.school, who) as page:
        assert page.goto(there.school.url + path.format(**there.ids)).status == status
        looking.at(page, f"{status} {named(who, path)}")


def test_a_defect_is_for_everyone(
    browser: Any, there: Houses, looking: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a defect nobody reads more than its kind."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("not for anybody's eyes")

    monkeypatch.setattr(today, "desk_of", broken)
    with there.sitting(browser, there.school, Role.REFERENT) as page:
        answer = page.goto(f"{there.school.url}/pages/today")
        assert answer.status == HTTPStatus.INTERNAL_SERVER_ERROR
        assert "anybody" not in page.content()
        looking.at(page, "500 defect")
