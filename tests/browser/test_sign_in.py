"""An agent signs in with a browser, to the desk and out: accessible on the whole way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from services.chassis.tokens import Role
from services.federation import agents
from services.federation.federation import Federation
from tests.federations import CITY, content, read

pytestmark = pytest.mark.browser

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 320, "height": 640}


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    folder = tmp_path_factory.mktemp("doors")
    with Federation.create(folder / "home", read(folder, content())) as running:
        yield running


def test_the_way_in_and_out_has_no_fault(
    browser: Any, axe: Callable[[Any], Any], federation: Federation
) -> None:
    """A-5.2; nothing runs past the edge of a narrow screen either."""
    for first, size, scheme in ((True, WIDE, "light"), (False, NARROW, "dark")):
        context = browser.new_context(viewport=size, color_scheme=scheme, bypass_csp=True)
        _there_and_back(context.new_page(), axe, federation, size["width"], first=first)
        context.close()


def _there_and_back(
    page: Any, axe: Callable[[Any], Any], federation: Federation, width: int, *, first: bool
) -> None:
    def looked_at(title: str) -> None:
        assert page.title().startswith(title), page.title()
        found = axe(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, title

    def go(where: str) -> None:
        with page.expect_navigation():
            page.click(where)

    def identify() -> None:
        go("text=S'identifier")
        go(f"text={agents.NAMES[Role.MANAGER]}")

    page.goto(f"{federation.url(CITY)}/pages/")
    looked_at("Connexion")
    if first:
        identify()
        looked_at("Pas d'habilitation")
        federation.authorise_agents()
        page.goto(f"{federation.url(CITY)}/pages/today")
    identify()
    if first:
        looked_at("Charte de confidentialité")
        go("text=J'accepte cette charte")
    looked_at("Aujourd'hui")
    go("text=changer")
    looked_at("Choisir un rôle")
    go("text=Se déconnecter")
    looked_at("Connexion")
    page.goto(f"{federation.url(CITY)}/pages/today")
    looked_at("Connexion")
