"""Pages of those who answer for an organisation, in a browser, in each of their states."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.kernel.paris import midnight
from contracts.kernel.terms import ActKind
from services.chassis import tables
from services.chassis.bundle import Bundle
from services.chassis.clock import new_id
from services.chassis.erasure import ask_erasure
from services.chassis.governance import daily
from services.chassis.holds import Hold, place_hold
from services.chassis.publishing import publish
from services.chassis.purges import record_purges
from services.chassis.schema import journal
from services.chassis.tokens import Role
from tests.browser.browsers import click_through
from tests.browser.conftest import serving
from tests.browser.looking import NARROW, WIDE, Looking
from tests.invented import REFERRAL
from tests.pair import CONVENTION, Pair
from tests.seated import opened, seat

pytestmark = pytest.mark.browser

ONE = f"/pages/conventions/{CONVENTION}"


class Office:
    """A school's node at work, and whoever sits at its pages."""

    def __init__(self, pair: Pair, url: str) -> None:
        self.pair = pair
        self.url = url
        self.cookies = {
            role: seat(pair.school, role) for role in (Role.MANAGER, Role.DPO, Role.OPERATOR)
        }

    @contextmanager
    def sitting(self, browser: Any, role: Role, **look: Any) -> Iterator[Any]:
        """A page of a browser in which somebody sits; what it complains of fails the test."""
        context = browser.new_context(locale="fr-FR", **look)
        cookie = {"name": "relais", "value": self.cookies[role], "url": self.url}
        context.add_cookies([cookie])
        page, said = context.new_page(), list[str]()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        yield page
        context.close()
        expected = ("404", "422", "503", "does not conform")
        assert [one for one in said if not any(word in one for word in expected)] == []


def run(work: Coroutine[Any, Any, object]) -> None:
    """Do it in a thread of its own: the browser's driver has the loop of this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


@contextmanager
def working(folder: Path) -> Iterator[Office]:
    urls = (f"sqlite:///{folder / 'one'}.sqlite", f"sqlite:///{folder / 'other'}.sqlite")
    with Pair(folder, urls) as pair:
        opened(pair.school)
        for _ in range(3):
            pair.refer()
        run(pair.carry())
        pair.school.send("referral.submitted", pair.city.org, REFERRAL)
        with serving(pair.school) as site:
            yield Office(pair, site.url)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """In force and busy: deadlines, holds, an invented amendment, dead letters, a case erased."""
    with working(tmp_path_factory.mktemp("office")) as made:
        pair, school = made.pair, made.pair.school
        core, at = school.node.core, pair.clock.now()
        until = pair.sign_terms(2, until=date(2031, 1, 1), invented=True)
        pair.publish(Bundle(terms=(until,)))
        pair.act(pair.city, ActKind.SUSPENSION)
        cases = school.rows(tables.cases)
        school.write(lambda tx: daily(tx, core, at))
        school.write(lambda tx: publish(tx, core, CONVENTION, 2025, "m", at))
        hold = Hold(ground="amicable", case_id=cases[0].case_id)
        school.write(lambda tx: place_hold(tx, core, CONVENTION, hold, new_id(), "m", at))
        dead(made, "failed:conflict", b"x")
        dead(made, "not_open", None)
        pair.clock.at += timedelta(minutes=9)
        yield made


@pytest.fixture(scope="module")
def over(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """After the end: a case erased, everything destroyed, its certificate there."""
    with working(tmp_path_factory.mktemp("over")) as made:
        pair, school = made.pair, made.pair.school
        core, case = school.node.core, school.rows(tables.cases)[0]
        at = pair.clock.now()
        school.write(lambda tx: ask_erasure(tx, core, case, new_id(), at))
        pair.clock.at = midnight(date(2029, 9, 1))
        run(school.node.purge(pair.clock.at))
        school.write(lambda tx: record_purges(tx, core, pair.clock.at))
        made.cookies = {role: seat(school, role) for role in made.cookies}
        yield made


def dead(office: Office, reason: str, body: bytes | None) -> None:
    school, at = office.pair.school, office.pair.clock.now()
    row = {
        "id": new_id(),
        "sender": office.pair.city.org,
        "message_id": new_id(),
        "subject": "x",
        "reason": reason,
        "articles": ("A-10.1",),
        "commitment": "0" * 64,
        "body": body,
        "attempts": 5,
        "failed_at": at,
        "keep_until": at + timedelta(days=20),
    }
    school.write(lambda tx: tx.execute(tables.dead_letters.insert(), [row]))


def pages(office: Office, state: str) -> list[tuple[Role, str]]:
    """Every page in every state that an address leads to; after the end, those that differ."""
    school = office.pair.school
    if state == "over":
        erased = (journal.c.event == "message.sent") & journal.c.scope.is_(None)
        return [
            (Role.MANAGER, "/pages/conventions"),
            (Role.MANAGER, ONE),
            (Role.MANAGER, f"{ONE}/acting"),
            (Role.MANAGER, "/pages/reports"),
            (Role.DPO, f"/pages/journal/{school.rows(journal, erased)[0].seq}"),
        ]
    refused = school.rows(journal, journal.c.event == "message.refused")[0].seq
    sent = school.rows(journal, journal.c.event == "message.sent")[0]
    return [
        (Role.MANAGER, "/pages/conventions"),
        (Role.MANAGER, ONE),
        (Role.OPERATOR, ONE),
        (Role.OPERATOR, f"{ONE}/flows"),
        (Role.MANAGER, f"{ONE}/acting"),
        (Role.MANAGER, f"{ONE}/amendment"),
        (Role.MANAGER, "/pages/reports"),
        (Role.DPO, "/pages/journal"),
        (Role.DPO, "/pages/journal?event=message.sent&outcome=missed"),
        (Role.DPO, "/pages/journal?article=*&message=x&case=y"),
        (Role.DPO, f"/pages/journal/{refused}"),
        (Role.DPO, f"/pages/journal/{sent.seq}"),
        (Role.DPO, "/pages/journal/refusals"),
        (Role.DPO, "/pages/journal/verification"),
        (Role.OPERATOR, "/pages/operation"),
        (Role.OPERATOR, f"/pages/operation/message?number={sent.message_id}"),
        (Role.OPERATOR, "/pages/operation/message?number=x"),
    ]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("state", ["office", "over"])
def test_each_page_is_for_everyone(
    browser: Any, looking: Looking, request: pytest.FixtureRequest, state: str
) -> None:
    """RGAA, WCAG 2.2 AA, in each look and by the keys; details opened too."""
    made: Office = request.getfixturevalue(state)
    for role, path in pages(made, state):
        with made.sitting(browser, role, viewport=WIDE) as page:
            page.goto(f"{made.url}{path}")
            opening = "document.querySelectorAll('details').forEach(one => one.open = true)"
            page.evaluate(opening)
            looking.at(page, f"{role.value} {path}", keys=page.locator("[hx-get]").count() == 0)


def test_a_refused_form_is_for_everyone_too(browser: Any, looking: Looking, office: Office) -> None:
    """WCAG 3.3.1: what is wrong is said at the top, with a link that leads to the field."""
    with office.sitting(browser, Role.MANAGER, viewport=WIDE) as page:
        page.goto(f"{office.url}{ONE}/acting")
        page.fill("#hold-case_id", "pas un numéro")
        click_through(page, "text=Conserver >> nth=-1")
        looking.at(page, "hold refused")
        assert page.input_value("#hold-case_id") == "pas un numéro"
        page.click("[role=alert] a")
        assert page.evaluate("document.activeElement.id") == "hold-case_id"


def test_the_operator_s_page_follows_by_itself(browser: Any, office: Office) -> None:
    """Under the page's own policy: htmx is let in, and nothing else."""
    with office.sitting(browser, Role.OPERATOR, viewport=WIDE) as page:
        page.goto(f"{office.url}/pages/operation")
        assert page.locator("text=Lettres mortes (2)").count() == 1
        dead(office, "unverified", None)
        page.wait_for_selector("text=Lettres mortes (3)", timeout=10_000)


def test_a_verification_shows_how_far_it_is_and_its_end(
    browser: Any, looking: Looking, office: Office
) -> None:
    with office.sitting(browser, Role.DPO, viewport=NARROW) as page:
        page.goto(f"{office.url}/pages/journal/verification")
        page.click("button:has-text('Vérifier')")
        page.wait_for_selector("text=Le journal est intact", timeout=10_000)
        looking.at(page, "verified")


def test_a_page_is_worked_with_the_keyboard_alone(browser: Any, office: Office) -> None:
    """WCAG 2.1.1: from the first field to the result, and into a page's details."""
    with office.sitting(browser, Role.DPO, viewport=WIDE) as page:
        page.goto(f"{office.url}/pages/journal")
        page.focus("#article")
        page.keyboard.type("A-2.11")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert "article=A-2.11" in page.url
        assert page.locator("tbody tr").count() == 1
    with office.sitting(browser, Role.DPO, viewport=WIDE) as page:
        page.goto(f"{office.url}{ONE}")
        page.focus("summary >> nth=0")
        page.keyboard.press("Enter")
        assert page.locator("dl.asks >> nth=0").is_visible()


def test_a_convention_prints_whole(browser: Any, office: Office) -> None:
    with office.sitting(browser, Role.MANAGER, viewport=WIDE, color_scheme="dark") as page:
        page.goto(f"{office.url}{ONE}")
        page.emulate_media(media="print")
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == "rgb(255, 255, 255)"
        assert page.pdf(format="A4").startswith(b"%PDF")
