"""An agent signs in with a browser, to the desk and out: accessible on the whole way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from services.chassis.tokens import Role
from services.federation import agents
from services.federation.federation import Federation
from tests.browser.browsers import click_through
from tests.browser.looking import WIDE, Looking
from tests.federations import CITY, content, read

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    folder = tmp_path_factory.mktemp("doors")
    with Federation.create(folder / "home", read(folder, content())) as running:
        yield running


def test_the_way_in_and_out_has_no_fault(
    browser: Any, looking: Looking, federation: Federation
) -> None:
    """A-5.2, in each look and by the keys; another time, in a browser that knows nobody."""
    for first in (True, False):
        context = browser.new_context(viewport=WIDE)
        _there_and_back(context.new_page(), looking, federation, first=first)
        context.close()


def _there_and_back(page: Any, looking: Looking, federation: Federation, *, first: bool) -> None:
    def looked_at(title: str) -> None:
        assert page.title().startswith(title), page.title()
        if first:
            looking.at(page, title, keys=page.locator("[hx-get]").count() == 0)

    def go(where: str) -> None:
        click_through(page, where)

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
