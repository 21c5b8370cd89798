"""A person's page and the requests that follow, as a browser shows them: accessible everywhere."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from services.chassis import rights
from services.chassis.clock import new_id
from services.chassis.rights import RightsBody
from services.chassis.tokens import Agent, Role
from tests.browser.browsers import click_through
from tests.browser.conftest import _urls, serving
from tests.browser.looking import WIDE, Looking
from tests.pair import Pair
from tests.seated import opened, seat
from tests.services.chassis.test_rights import DPO, doing, done
from tests.services.chassis.visiting import handed_over
from tests.services.conventions.a_city_school.support import Desk

T = TypeVar("T")

pytestmark = pytest.mark.browser

AGENT = Agent("agent-1", Role.REFERENT)


@dataclass
class Scene:
    """A school's node, with a pupil of whom much was said."""

    url: str
    desk: Desk
    person: str
    requests: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, dict[str, Any]] = field(default_factory=dict)


def apart(work: Coroutine[Any, Any, T]) -> T:
    """Run what awaits in a thread of its own: Playwright has a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("person")
    with Pair(folder, _urls(folder)) as pair:
        desk, person = Desk(pair), pair.person()
        lived = apart(_lived(desk, person))
        opened(pair.school)
        with serving(pair.school) as site:
            made = Scene(site.url, desk, person, lived)
            made.cookies = {
                role.value: {"name": "relais", "value": seat(pair.school, role)}
                for role in (Role.DPO, Role.MANAGER, Role.AGENT)
            }
            yield made


async def _lived(desk: Desk, person: str) -> dict[str, str]:
    pair = desk.pair
    first, ended = (pair.agreement(person) for _ in range(2))
    sent = pair.refer(first)
    desk.case_id = sent.case_id or ""
    await pair.carry()
    pair.refer(ended)
    pair.agreement(person, granted=False)
    only_answer = pair.agreement(person, flows=["referral.answered"])
    pair.refer(only_answer)
    found = {}
    for right, means in (("access", "in_person"), ("rectification", None), ("erasure", "known")):
        found[right] = _asked(desk, person, right, means)
    doing(desk.school, rights.send, found["access"], DPO)
    await pair.carry()
    found["closed"] = _asked(desk, person, "access", "document")
    doing(desk.school, rights.send, found["closed"], DPO)
    doing(desk.school, rights.close, found["closed"], done("partly", article="L131-6"), DPO)
    return found


def _asked(desk: Desk, person: str, right: str, means: str | None) -> str:
    request_id, core, at = new_id(), desk.school.node.core, desk.pair.clock.now()
    body = RightsBody.model_validate(
        {
            "person_id": person,
            "right": right,
            "about": ("contact",) if right == "rectification" else (),
            "raised_by": "young_person",
            "channel": "letter",
            "means": means,
        }
    )
    desk.school.write(lambda tx: rights.received(tx, core, body, request_id, AGENT, at))
    return request_id


@contextmanager
def browsing(
    browser: Any,
    look: tuple[dict[str, int], str],
    cookie: dict[str, Any] | None = None,
    url: str = "",
) -> Iterator[Any]:
    context = browser.new_context(viewport=look[0], color_scheme=look[1])
    if cookie is not None:
        context.add_cookies([{**cookie, "url": url}])
    yield context.new_page()
    context.close()


class Looked:
    """Looks at a page that has a title."""

    def __init__(self, page: Any, looking: Looking) -> None:
        self._page, self._looking = page, looking

    def at(self, title: str) -> None:
        page = self._page
        assert page.title().startswith(title), page.title()
        keys = page.locator("[hx-get]").count() == 0
        self._looking.at(page, page.title().split(" ·")[0], keys=keys)


def test_a_person_s_way_from_the_door_and_out_has_no_fault(
    browser: Any, looking: Looking, scene: Scene
) -> None:
    for _ in range(2):
        scene.desk.pair.agreement(scene.person)
    with browsing(browser, (WIDE, "light")) as page:
        looked = Looked(page, looking)

        def go(where: str) -> None:
            click_through(page, where)

        page.goto(f"{scene.url}/person/")
        looked.at("Votre page")
        page.fill("#code", "2222 2222 2222")
        go("text=Ouvrir ma page")
        assert page.locator("[role=alert]").is_visible()
        looked.at("Votre page")
        page.fill("#code", handed_over(scene.desk.school, scene.person, "representative").code)
        go("text=Ouvrir ma page")
        looked.at("Ce qui est dit")
        withdrawn = page.locator("text=Retirer cet accord").count()
        go("text=Retirer cet accord >> nth=0")
        looked.at("Retirer un accord")
        page.keyboard.press("Tab")
        go('button:has-text("Retirer l\'accord")')
        looked.at("Un accord")
        go("text=Revenir à ma page")
        assert page.locator("text=Retirer cet accord").count() == withdrawn - 1
        go("text=Faire corriger ce qui est faux")
        looked.at("Vos droits")
        go("text=Demander")
        assert page.locator("[role=alert]").is_visible()
        looked.at("Vos droits")
        page.goto(f"{scene.url}/person/agreements/{'0' * 32}")
        looked.at("Inconnu")
        go("text=Revenir à ma page")
        go("text=Fermer ma page")
        looked.at("Votre page")
        page.fill("#code", handed_over(scene.desk.school, scene.person).code)
        go("text=Ouvrir ma page")
        go("text=M'opposer >> nth=0")
        looked.at("S'opposer")


def test_the_desk_s_pages_of_requests_have_no_fault(
    browser: Any, looking: Looking, scene: Scene
) -> None:
    with browsing(browser, (WIDE, "light"), scene.cookies["dpo"], scene.url) as page:
        looked = Looked(page, looking)
        page.goto(f"{scene.url}/pages/requests")
        looked.at("Demandes")
        for request_id in scene.requests.values():
            page.goto(f"{scene.url}/pages/requests/{request_id}")
            looked.at("Demande :")
        page.goto(f"{scene.url}/pages/requests/{scene.requests['access']}")
        page.select_option("#outcome", "refused")
        click_through(page, "button:has-text('Répondre')")
        page.click("[role=alert] a")
        assert page.evaluate("document.activeElement.id") == "article"
        assert page.input_value("#outcome") == "refused"
        looked.at("Demande :")
        for path, title in (("code", "Remettre un code"), ("request", "Enregistrer")):
            page.goto(f"{scene.url}/pages/people/{scene.person}/{path}")
            looked.at(title)
        page.goto(f"{scene.url}/pages/people/{scene.person}/code")
        click_through(page, "text=Faire un code")
        looked.at("Un code à remettre")
        assert page.locator(".code").inner_text().count("-") == 2


def test_a_slip_prints_the_code_and_nothing_to_click(browser: Any, scene: Scene) -> None:
    with browsing(browser, (WIDE, "dark"), scene.cookies["agent"], scene.url) as page:
        page.goto(f"{scene.url}/pages/people/{scene.person}/code")
        click_through(page, "text=Faire un code")
        code = page.locator(".code").inner_text()
        page.emulate_media(media="print")
        assert page.locator(".slip").is_visible()
        for other in (".places", ".who", "button"):
            assert not page.locator(other).first.is_visible(), other
        assert code not in page.url
        assert (
            page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        )


def test_what_a_partner_answers_comes_by_itself(browser: Any, scene: Scene) -> None:
    """Under the page's own policy: htmx is the one script it lets in."""
    agreement_id = scene.desk.pair.agreement(scene.person)
    context = browser.new_context(viewport=WIDE)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{scene.url}/person/")
    page.fill("#code", handed_over(scene.desk.school, scene.person, "representative").code)
    click_through(page, "text=Ouvrir ma page")
    page.goto(f"{scene.url}/person/agreements/{agreement_id}/withdrawal")
    click_through(page, 'button:has-text("Retirer l\'accord")')
    page.wait_for_selector("text=pas encore de réponse")
    apart(scene.desk.pair.carry())
    page.wait_for_selector("text=tout est arrêté", timeout=15_000)
    context.close()
    assert said == []
