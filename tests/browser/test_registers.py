"""Registers in a browser: accessible, at any width, their tables within reach of the keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from services.chassis.tokens import Role
from tests.browser.conftest import Site, serving
from tests.browser.looking import WIDE, Looking
from tests.pair import Pair

pytestmark = pytest.mark.browser

PATHS = ["", "/record", "/dpia", "/joint-control", "/notice-a-city-school"]


@pytest.fixture(scope="module")
def officer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The city's data protection officer."""
    folder = tmp_path_factory.mktemp("registers")
    urls = (f"sqlite:///{folder / 'one'}.sqlite", f"sqlite:///{folder / 'other'}.sqlite")
    with Pair(folder, urls) as pair, serving(pair.city) as site:
        node = pair.city.node
        token = node.tokens.make("dpo-1", Role.DPO, pair.clock.now(), timedelta(hours=1))
        yield Site(site.url, {"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize("path", PATHS)
def test_registers_are_for_everyone(
    browser: Any, looking: Looking, officer: Site, path: str
) -> None:
    context = browser.new_context(viewport=WIDE, extra_http_headers=officer.headers)
    page = context.new_page()
    page.goto(f"{officer.url}/pages/registers{path}")
    looking.at(page, f"registers {path}")
    assert page.locator("h1").count() == 1
    context.close()
