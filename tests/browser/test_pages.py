"""Pages as a browser shows them: accessible (RGAA, WCAG 2.2 AA), at any width, on paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from services.chassis.pages.rendering import standalone
from tests.browser.conftest import Site
from tests.browser.looking import NARROW, WIDE, Looking, walked

pytestmark = pytest.mark.browser

PAGES = ["review", "public", "sheets", "error"]


@pytest.fixture(params=PAGES)
def address(request: pytest.FixtureRequest, city: Site, department: Site) -> tuple[Site, str]:
    """Every page in turn: a node, and the address there."""
    found = {
        "review": (city, city.review),
        "public": (city, f"{city.review}?audience=public"),
        "sheets": (department, department.sheets),
        "error": (city, f"{city.review}?year=2025"),
    }
    return found[request.param]


@contextmanager
def opened(
    browser: Any, site: Site, url: str, *, complains: bool = True, **look: Any
) -> Iterator[Any]:
    """A page of a node; what the browser complains of fails the test, unless it need not."""
    context = browser.new_context(extra_http_headers=site.headers, **look)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(url)
    yield page
    context.close()
    assert not complains or [one for one in said if "404" not in one] == []


def test_a_page_is_for_everyone(browser: Any, looking: Looking, address: tuple[Site, str]) -> None:
    """Contrast, names, landmarks and headings, in both schemes and at both widths, by the keys."""
    with opened(browser, *address, viewport=WIDE) as page:
        looking.at(page, page.title())


def test_axe_finds_what_is_wrong(browser: Any, axe: Callable[[Any], Any], city: Site) -> None:
    with opened(browser, city, city.review, bypass_csp=True) as page:
        page.evaluate("document.documentElement.lang = ''")
        page.evaluate("document.querySelector('h1').remove()")
        names = {one["id"] for one in axe(page).response["violations"]}
    assert "html-has-lang" in names
    assert "page-has-heading-one" in names


BREAKS = {
    "contrast": "document.querySelector('main p').style.color = '#8a8f98'",
    "name": "document.querySelector('main').insertAdjacentHTML('beforeend', '<button></button>')",
    "edge": "document.querySelector('h1').style.width = '400px'",
}
LINKS = """document.querySelector('h1').insertAdjacentHTML(
  'afterend', '<p><a href="#content">Un</a> <a href="#content">Deux</a></p>')"""
KEYS = {
    "trap": "document.querySelector('main a').addEventListener('keydown', e => e.preventDefault())",
    "order": "document.querySelector('main a').tabIndex = 3",
    "unseen": "document.querySelector('main a').style.outline = 'none'",
    "no skip link": "document.querySelector('.skip').remove()",
    "no control": "document.querySelector('h1').contentEditable = 'true'",
}


@pytest.mark.parametrize("how", BREAKS)
def test_what_is_wrong_on_a_page_is_found(
    browser: Any, looking: Looking, city: Site, how: str
) -> None:
    with opened(browser, city, city.review, viewport=WIDE) as page:
        page.evaluate(BREAKS[how])
        with pytest.raises(AssertionError):
            looking.at(page, how)


@pytest.mark.parametrize("how", KEYS)
def test_what_keeps_the_keyboard_out_is_found(browser: Any, city: Site, how: str) -> None:
    with opened(browser, city, city.review, viewport=WIDE) as page:
        page.evaluate(LINKS)
        walked(page, how)
        page.evaluate(KEYS[how])
        with pytest.raises(AssertionError):
            walked(page, how)


def test_nothing_runs_past_the_edge_of_a_narrow_screen(
    browser: Any, address: tuple[Site, str]
) -> None:
    """WCAG 1.4.10: 320 pixels, without scrolling sideways; no word of a chart on another."""
    with opened(browser, *address, viewport=NARROW) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == NARROW["width"]
        boxes = page.evaluate(
            "[...document.querySelectorAll('svg tspan, svg text.value')].map(one => "
            "{const b = one.getBoundingClientRect(); return [b.left, b.right, b.top, b.bottom]})"
        )
    for one, (left, right, top, bottom) in enumerate(boxes):
        assert left >= 0
        assert right <= NARROW["width"]
        for other_left, other_right, other_top, other_bottom in boxes[one + 1 :]:
            apart = right <= other_left or other_right <= left
            assert apart or bottom <= other_top + 4 or other_bottom <= top + 4


def test_the_style_sheet_applies_under_the_page_s_own_policy(
    browser: Any, address: tuple[Site, str]
) -> None:
    with opened(browser, *address, viewport=WIDE) as page:
        family = page.evaluate("getComputedStyle(document.body).fontFamily")
        assert family.startswith("system-ui")


def test_the_keyboard_skips_to_the_content_and_shows_where_it_is(browser: Any, city: Site) -> None:
    """WCAG 2.4.1, 2.4.7: the first stop is the skip link, which is then seen."""
    with opened(browser, city, city.review) as page:
        page.keyboard.press("Tab")
        link = page.locator(":focus")
        assert link.inner_text() == "Aller au contenu"
        assert link.bounding_box()["x"] >= 0
        assert link.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content"


def test_a_page_prints_in_black_on_white_with_its_bars(browser: Any, city: Site) -> None:
    with opened(browser, city, city.review, color_scheme="dark", viewport=WIDE) as page:
        page.emulate_media(media="print")
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        bar = page.evaluate("getComputedStyle(document.querySelector('.bar')).printColorAdjust")
        hidden = page.evaluate("getComputedStyle(document.querySelector('.skip')).display")
        assert (paper, bar, hidden) == ("rgb(255, 255, 255)", "exact", "none")
        assert page.pdf(format="A4").startswith(b"%PDF")


def test_a_page_in_a_file_looks_as_it_did_and_needs_no_node(
    browser: Any, city: Site, tmp_path: Any
) -> None:
    """Its policy lets its own style in: its digest is right."""
    with opened(browser, city, city.review, viewport=WIDE) as page:
        served = page.screenshot(full_page=True)
        text = page.request.get(city.review, headers={"Accept": "text/html"}).text()
    file = tmp_path / "bilan.html"
    file.write_text(standalone(text), encoding="utf-8")
    with opened(browser, city, f"file://{file}", viewport=WIDE) as page:
        assert page.screenshot(full_page=True) == served
    file.write_text(text, encoding="utf-8")
    with opened(browser, city, f"file://{file}", complains=False, viewport=WIDE) as page:
        assert page.screenshot(full_page=True) != served
