"""Two organisations' pages of one situation, open side by side, when the family withdraws."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
import pytest

from services.chassis.tokens import Role
from tests.browser.acting import PageDesk
from tests.browser.browsers import Album, Browsers, click_through
from tests.browser.paged import PagedFederation, paged
from tests.federations import CITY, SCHOOL, content, read
from tests.invented import ANSWER, PUPIL, REFERRAL

T = TypeVar("T")

pytestmark = pytest.mark.browser

FLOWS: Final = ("referral.submitted", "referral.answered", "pathway.opened", "pathway.progress")
FOLLOWS_MS: Final = 15_000
"""Time in which an open page shows what changed: it asks every three seconds."""


@dataclass
class Scene:
    """A situation that school and city share, and the code handed over to the family."""

    fed: PagedFederation
    case: str
    code: str

    def do(self, work: Callable[[], T]) -> T:
        """Do something at a browser."""
        return self.fed.browsers.do(work)

    def desk(self, leaving: ExitStack, org: str, path: str) -> PageDesk:
        """A referent who has opened a page, in a window of their own."""
        api = leaving.enter_context(self.fed.plain(org, Role.REFERENT, "referent-1"))
        made = PageDesk(self.fed, org, Role.REFERENT, "referent-1", api)
        leaving.callback(made.leave)
        made.at_browser(lambda: made.see(path) or httpx.Response(200))
        return made


@pytest.fixture
def scene(browsers: Browsers, album: Album, tmp_path: Path) -> Iterator[Scene]:
    """A pupil referred by the school, and taken up by the city: all of it from pages."""
    with paged(tmp_path / "home", read(tmp_path, content()), browsers, album) as fed:
        with fed.client(SCHOOL, "referent", "referent-1") as school:
            person = _said(school, "/persons", **PUPIL)
            at = (fed.now(SCHOOL) - timedelta(minutes=5)).isoformat()
            agreement = _said(
                school,
                "/agreements",
                person_id=person["person_id"],
                recipients=[CITY],
                flows=FLOWS,
                giver="representative",
                authority="parental",
                means="in_person",
                granted=True,
                assent="yes",
                notice={
                    "version": "2026-1",
                    "channel": "meeting",
                    "language": "fr",
                    "given_at": at,
                },
                given_at=at,
            )
            about = {"agreement_id": agreement["agreement_id"]}
            sent = _said(
                school, "/messages", type="referral.submitted", to=CITY, data=REFERRAL, **about
            )
        with ExitStack() as leaving:
            made = Scene(fed, sent["case_id"], "")
            handing = made.desk(leaving, SCHOOL, f"/pages/people/{person['person_id']}/code")
            made.code = made.do(partial(_handed_over, handing))
        assert fed.fallen == set()
        yield made


def _handed_over(desk: PageDesk) -> str:
    desk.page.select_option("#holder", "representative")
    desk.page.select_option("#means", "in_person")
    click_through(desk.page, "text=Faire un code")
    return str(desk.page.locator(".code").inner_text())


def _said(client: httpx.Client, path: str, **content: Any) -> dict[str, Any]:
    answer = client.post(f"/api/v1{path}", json=content).raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def test_a_withdrawal_shows_by_itself_on_both_open_pages(scene: Scene) -> None:
    """A-2.11, GDPR 7.3: nobody reloads a page, and neither side is offered a next message."""
    situation = f"/pages/situations/{scene.case}"
    with ExitStack() as leaving:
        school, city, typing = (
            scene.desk(leaving, org, path)
            for org, path in (
                (SCHOOL, situation),
                (CITY, situation),
                (CITY, f"{situation}/send/referral.answered"),
            )
        )
        for one in (school, city):
            scene.do(partial(_is_open, one))
        scene.do(partial(_family_withdraws, scene, leaving))
        for one in (city, school):
            scene.do(partial(_stopped_by_itself, one))
        answer = typing.at_browser(lambda: typing.submit(ANSWER) or httpx.Response(202))
        assert "A-2.11" in answer.json()["articles"]


def _is_open(desk: PageDesk) -> None:
    """The page is of an open situation; whatever loads it anew loses the mark left on it."""
    assert _state(desk) == "En cours"
    assert desk.page.locator("h2:has-text('Envoyer à')").is_visible()
    desk.page.evaluate("window.asItWasOpened = true")
    desk.picture("avant le retrait")


def _stopped_by_itself(desk: PageDesk) -> None:
    desk.page.wait_for_selector("dd strong:text-is('Arrêtée')", timeout=FOLLOWS_MS)
    assert desk.page.evaluate("window.asItWasOpened") is True
    assert desk.page.locator("h2:has-text('Envoyer à')").count() == 0
    assert desk.page.locator("a[href*='/send/']").count() == 0
    assert "retiré le" in desk.page.locator("main").inner_text()
    desk.picture("après le retrait, sans recharger")


def _state(desk: PageDesk) -> str:
    return str(desk.page.locator("dt:text-is('État') + dd strong").inner_text())


def _family_withdraws(scene: Scene, leaving: ExitStack) -> None:
    """In a browser that knows nobody, by a code that the school hands over."""
    page = scene.fed.browsers.page()
    leaving.callback(scene.do, page.context.close)
    page.goto(f"{scene.fed.url(SCHOOL)}/person/")
    page.fill("#code", scene.code)
    click_through(page, "text=Ouvrir ma page")
    click_through(page, "text=Retirer cet accord")
    scene.fed.album.take(page, "la famille, avant de retirer")
    click_through(page, 'button:has-text("Retirer l\'accord")')
    page.wait_for_selector("text=tout est arrêté", timeout=FOLLOWS_MS)
    scene.fed.album.take(page, "la famille, tout est arrêté")
