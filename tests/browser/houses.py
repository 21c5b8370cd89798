"""Nodes of four kinds that serve their pages, with something of each kind that an address names."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final, TypeVar

from services.chassis import rights
from services.chassis.clock import new_id
from services.chassis.register import register_person
from services.chassis.standing import Person
from services.chassis.tokens import Agent, Role
from services.department.partner import PARTNER as DEPARTMENT
from services.mission_locale.partner import PARTNER as MISSION
from tests.browser.conftest import serving
from tests.desks import desk_pair
from tests.invented import PUPIL
from tests.pair import Pair, Side
from tests.seated import opened, seat
from tests.services.chassis.pages.role_table import NOBODY, PERSON
from tests.services.chassis.pages.test_roles import things
from tests.services.chassis.visiting import visiting
from tests.services.conventions.c_employment_city_ccas.support import OFFER, Desk
from tests.services.conventions.c_employment_city_ccas.support import made as c_made

T = TypeVar("T")

YOUNG: Final = "young"
"""Who typed the code of a young person's page; where rows name a person, it is who represents."""
HOLDERS: Final = {PERSON: "representative", YOUNG: "young_person"}


def apart(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run what awaits in a thread of its own: Playwright has a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(work())).result()


@dataclass
class House:
    """A node at which somebody may sit."""

    side: Side
    url: str


@dataclass
class Houses:
    """A school and a city under convention A, an agency and a city under C, a Mission Locale.

    ids: what the rows of roles name in braces, and what else is worth a visit.
    """

    school: House
    city: House
    agency: House
    mission: House
    employer: House
    ids: Mapping[str, str]
    _cookies: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    @property
    def all(self) -> tuple[House, ...]:
        """One of each kind, and what is under each convention."""
        return self.school, self.city, self.agency, self.mission

    def of(self, path: str) -> House:
        """Where a page is asked for: what only some kinds of node have, there."""
        named = {
            "{decision}": self.city,
            "{city_case}": self.city,
            "{dead}": self.city,
            "{c_convention}": self.agency,
            "{d_convention}": self.mission,
            "{candidacy}": self.employer,
            "{other_candidacy}": self.employer,
        }
        return next((one for name, one in named.items() if name in path), self.school)

    @contextmanager
    def sitting(self, browser: Any, house: House, who: str) -> Iterator[Any]:
        """A page of a browser in which somebody sits; what it complains of fails the test."""
        context = browser.new_context(locale="fr-FR")
        if who != NOBODY:
            context.add_cookies([{**self._cookie(house, who), "url": house.url}])
        page, said = context.new_page(), list[str]()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        yield page
        context.close()
        expected = ("the server responded with a status of", "does not conform")
        assert [one for one in said if not any(word in one for word in expected)] == []

    def _cookie(self, house: House, who: str) -> dict[str, Any]:
        known = self._cookies.get((house.url, who))
        if known is None:
            known = self._visit(house, who) if who in HOLDERS else _seated(house, who)
            self._cookies[(house.url, who)] = known
        return known

    def _visit(self, house: House, who: str) -> dict[str, Any]:
        visit = apart(lambda: visiting(house.side, self.ids["subject"], HOLDERS[who]))
        (cookie,) = visit.client.cookies.jar
        return {"name": cookie.name, "value": cookie.value}


def _seated(house: House, who: str) -> dict[str, Any]:
    return {"name": "relais", "value": seat(house.side, Role(who))}


@contextmanager
def houses(folder: Path) -> Iterator[Houses]:
    """All four, each served on loopback without its bus."""
    urls = count()
    for name in ("pair", "mission", "agency"):
        (folder / name).mkdir()
    with ExitStack() as leaving:
        pair = leaving.enter_context(desk_pair(folder / "pair"))
        partners, code = (DEPARTMENT, MISSION), "d_department_mission_locale"
        other = leaving.enter_context(
            desk_pair(folder / "mission", partners=partners, convention=code)
        )
        third = leaving.enter_context(
            c_made(folder / "agency", lambda: f"sqlite:///{folder / str(next(urls))}.sqlite")
        )
        ids = {**apart(lambda: things(pair)), **apart(lambda: candidacies(third))}
        ids["corrected"] = _asks_to_correct(pair)
        ids["standing_agreement"] = pair.agreement(ids["subject"])
        _resembling(pair.city)

        def served(side: Side) -> House:
            return House(side, leaving.enter_context(serving(side)).url)

        yield Houses(
            school=served(pair.school),
            city=served(pair.city),
            agency=served(opened(third.agency)),
            mission=served(other.city),
            employer=served(opened(third.city)),
            ids=ids,
        )


@contextmanager
def empty(folder: Path) -> Iterator[Houses]:
    """A school and a city that signed, and where nothing happened yet."""
    with ExitStack() as leaving:
        pair = leaving.enter_context(desk_pair(folder))
        school, city = (
            House(side, leaving.enter_context(serving(side)).url)
            for side in (pair.school, pair.city)
        )
        yield Houses(school, city, school, city, city, {})


async def candidacies(desk: Desk) -> dict[str, str]:
    """Two messages that are shown and not kept: one that was asked for and came, one awaited."""
    shown, _ = await desk.proposed()
    case = desk.case_id
    await desk.seen(shown)
    offer = {"offer_id": OFFER}
    awaited = await desk.told(
        desk.agency, "pec.candidate_proposed", offer, agreement_id=desk.agreed()
    )
    desk.ask(awaited)
    return {
        "candidacy": case,
        "candidate": shown,
        "other_candidacy": desk.case_id,
        "other_candidate": awaited,
    }


def _asks_to_correct(pair: Pair) -> str:
    """A person of the school whose name is said to be wrong, by somebody who showed a document."""
    side, core, at = pair.school, pair.school.node.core, pair.clock.now()
    person, number = pair.person(), new_id()
    asked = {"person_id": person, "right": "rectification", "about": ("identity",)}
    body = rights.RightsBody.model_validate(
        {**asked, "raised_by": "representative", "channel": "letter", "means": "document"}
    )
    who = Agent("agent-9", Role.AGENT)
    side.write(lambda tx: rights.received(tx, core, body, number, who, at))
    return person


def _resembling(side: Side) -> None:
    """Somebody of the register whom a partner may have named."""
    named: Any = PUPIL["identity"]
    identity = {**named, "family_name": "Exemplère"}
    who = Person.model_validate_json(json.dumps({**PUPIL, "identity": identity}))
    core, at, number = side.node.core, side.clock.now(), new_id()
    side.write(lambda tx: register_person(tx, core, who, number, "agent-1", at))
