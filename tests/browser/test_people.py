"""Persons and agreements in a real browser: each page and state without a fault, live, by keys."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from services.chassis import minors
from services.chassis.clock import new_id
from services.chassis.register import register_person
from services.chassis.standing import Person
from services.chassis.tokens import Role
from tests.browser.browsers import click_through
from tests.browser.conftest import Site, serving
from tests.browser.looking import WIDE, Looking
from tests.desks import DeskPair, desk_pair, second_school
from tests.invented import PUPIL
from tests.pair import CONVENTION
from tests.seated import seat

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class School:
    """A school's pages, the cookie of its manager, and addresses of what is there."""

    pair: DeskPair
    site: Site
    cookie: str
    person: str
    given: str
    suspended: str
    refused: str
    city: Site
    at_city: str
    known_there: str


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    with desk_pair(tmp_path_factory.mktemp("people")) as pair:
        person = pair.person()
        given = pair.agreement(person, assent="no")
        suspended = pair.agreement(person, giver="both", assent="yes")
        refused = pair.agreement(person, granted=False)
        core, at = pair.school.node.core, pair.clock.now()
        objection = minors.Objection(raised_by="representative")
        pair.school.write(lambda tx: minors.suspend(tx, core, suspended, objection, "agent-1", at))
        other, city, known = second_school(pair), pair.city, new_id()
        who = Person.model_validate_json(json.dumps(PUPIL))
        city.write(lambda tx: register_person(tx, city.node.core, who, known, "agent-1", at))
        with serving(pair.school) as site, serving(city) as there:
            cookie, at_city = (seat(one, Role.MANAGER) for one in (pair.school, city))
            yield School(
                pair=pair,
                site=site,
                cookie=cookie,
                person=person,
                given=given,
                suspended=suspended,
                refused=refused,
                city=there,
                at_city=at_city,
                known_there=known,
            )
        other.close()


@contextmanager
def at_desk(browser: Any, school: School, **look: Any) -> Iterator[Any]:
    """A page of a browser that is signed in; scripts errors fail the test."""
    context = browser.new_context(**look)
    context.add_cookies([{"name": "relais", "value": school.cookie, "url": school.site.url}])
    page = context.new_page()
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text))
    yield page
    context.close()
    assert [one for one in said if "status of 4" not in one] == []


def carry(pair: DeskPair) -> None:
    """Carry letters both ways, beside the loop that drives the browser."""
    with ThreadPoolExecutor(1) as beside:
        beside.submit(lambda: asyncio.run(pair.carry())).result()


def fill(page: Any, **typed: str) -> None:
    for name, value in typed.items():
        page.fill(f"[name='identity.{name}']", value)


def resembling(page: Any, school: School) -> None:
    page.goto(f"{school.site.url}/pages/people/new")
    fill(page, family_name="Éxemplaire", first_name="zoe", birth_date="2012-03-09")
    click_through(page, "button:has-text('Inscrire')")
    assert page.title().startswith("Même personne")


def faulty(page: Any, school: School) -> None:
    page.goto(f"{school.site.url}/pages/people/new")
    fill(page, family_name="Nom 3")
    click_through(page, "button:has-text('Inscrire')")
    assert page.locator("[role=alert]").count() == 1


def not_recorded(page: Any, school: School) -> None:
    page.goto(f"{school.site.url}/pages/people/{school.person}/agreement")
    click_through(page, "text=Tout cocher dans ce groupe >> nth=0")
    click_through(page, "button:has-text('Enregistrer')")
    assert page.locator("[role=alert]").count() == 1


def nobody(page: Any, school: School) -> None:
    page.goto(f"{school.site.url}/pages/agreements")
    page.fill("[name=family_name]", "Inconnu")
    page.fill("[name=first_name]", "Ida")
    page.fill("[name=birth_date]", "2001-01-01")
    click_through(page, "text=Chercher")
    assert page.title().startswith("Personnes retrouvées")


def of_two(page: Any, school: School) -> None:
    """At the city, which two schools signed with."""
    page.context.add_cookies([{"name": "relais", "value": school.at_city, "url": school.city.url}])
    page.goto(f"{school.city.url}/pages/people/{school.known_there}/agreement")
    assert page.locator("[name=to]").count() == 2


def reports_of_two(page: Any, school: School) -> None:
    """At the city again: one title, twice."""
    page.context.add_cookies([{"name": "relais", "value": school.at_city, "url": school.city.url}])
    page.goto(f"{school.city.url}/pages/reports")
    titles = page.locator("main section:has(table) h2").all_inner_texts()
    assert len(titles) == 2
    assert len(set(titles)) == 1


def at(path: str) -> Callable[[Any, School], None]:
    def go(page: Any, school: School) -> None:
        answer = page.goto(school.site.url + path.format(**vars(school)))
        assert answer.ok, path

    return go


STATES: dict[str, Callable[[Any, School], None]] = {
    "home": at("/pages/agreements"),
    "nobody": nobody,
    "new": at("/pages/people/new"),
    "new-faulty": faulty,
    "same": resembling,
    "person": at("/pages/people/{person}"),
    "departure": at("/pages/people/{person}/departure"),
    "informed": at("/pages/people/{person}/notice"),
    "record": at("/pages/people/{person}/agreement"),
    "record-faulty": not_recorded,
    "recipients": of_two,
    "reports": reports_of_two,
    "given": at("/pages/agreements/{given}"),
    "suspended": at("/pages/agreements/{suspended}"),
    "refused": at("/pages/agreements/{refused}"),
    "withdrawal": at("/pages/agreements/{given}/withdrawal"),
    "hearing": at("/pages/agreements/{given}/hearing"),
    "objection": at("/pages/agreements/{given}/objection"),
    "objection-answer": at("/pages/agreements/{suspended}/objection-answer"),
    "notice": at(f"/pages/notices/{CONVENTION}"),
    "duty": at("/pages/notices/mayor_attendance"),
}


@pytest.mark.parametrize("state", list(STATES))
def test_each_state_is_for_everyone(
    browser: Any, looking: Looking, school: School, state: str
) -> None:
    """RGAA, WCAG 2.2 AA, in each look and by the keys; and no title names anybody."""
    with at_desk(browser, school, viewport=WIDE) as page:
        STATES[state](page, school)
        assert "Exemplaire" not in page.title() + page.url
        looking.at(page, state)


def test_an_agreement_is_recorded_by_the_keyboard_alone(browser: Any, school: School) -> None:
    """WCAG 2.1.1: each choice is reached by Tab, made by Space, sent by Enter."""
    with at_desk(browser, school, viewport=WIDE) as page:
        page.goto(f"{school.site.url}/pages/people/{school.person}/agreement")

        def on(selector: str) -> None:
            for _ in range(120):
                page.keyboard.press("Tab")
                if page.evaluate("one => document.activeElement.matches(one)", selector):
                    return
            raise AssertionError(selector)

        for selector in (
            "[value='referral.submitted']",
            "[name=giver][value=representative]",
            "[name=authority][value=parental]",
            "[name=means][value=in_person]",
            "[name=granted][value=true]",
            "[name=assent][value=not_asked]",
            "[name='notice.channel'][value=meeting]",
        ):
            on(selector.partition("][value")[0] + "]" if "[name" in selector else selector)
            page.focus(selector)
            page.keyboard.press("Space")
            assert page.is_checked(selector), selector
        on("main button[type=submit]:not([name])")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert page.locator("h1").inner_text().startswith("Accord du")


def test_the_answers_to_a_withdrawal_show_by_themselves(browser: Any, school: School) -> None:
    """A-2.11: under the page's own policy, without a reload."""
    pair = school.pair
    agreement = pair.agreement(school.person)
    pair.refer(agreement)
    carry(pair)
    with at_desk(browser, school, viewport=WIDE) as page:
        page.goto(f"{school.site.url}/pages/agreements/{agreement}")
        click_through(page, "text=Retirer cet accord")
        click_through(page, 'button:has-text("Retirer l\'accord")')
        answers = page.locator("#answers")
        assert "pas encore de réponse" in answers.inner_text()
        carry(pair)
        page.wait_for_selector("#answers:not([hx-get])")
        assert "pas encore de réponse" not in answers.inner_text()
        assert "Organisme v1" in answers.inner_text()
        assert answers.get_attribute("hx-get") is None


def test_a_notice_prints_on_paper_without_the_desk(browser: Any, school: School) -> None:
    with at_desk(browser, school, viewport=WIDE) as page:
        page.goto(f"{school.site.url}/pages/notices/{CONVENTION}")
        page.emulate_media(media="print")
        assert (
            page.evaluate("getComputedStyle(document.querySelector('.places')).display") == "none"
        )
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == "rgb(255, 255, 255)"
        assert page.pdf(format="A4").startswith(b"%PDF")
