"""Registers in a browser: accessible, at any width, their tables within reach of the keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from services.chassis.tokens import Role
from tests.browser.conftest import Site, serving
from tests.pair import Pair

pytestmark = pytest.mark.browser

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 320, "height": 640}
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
@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (NARROW, "dark")])
def test_registers_have_no_fault_and_fit_a_narrow_screen(
    browser: Any,
    axe: Callable[[Any], Any],
    officer: Site,
    path: str,
    size: dict[str, int],
    scheme: str,
) -> None:
    context = browser.new_context(
        viewport=size, color_scheme=scheme, bypass_csp=True, extra_http_headers=officer.headers
    )
    page = context.new_page()
    page.goto(f"{officer.url}/pages/registers{path}")
    found = axe(page)
    assert found.violations_count == 0, found.generate_report()
    assert len(found.response["passes"]) > 10
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert page.locator("h1").count() == 1
    context.close()
