"""Pages of a node: what they say, what they may load, and to whom they answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError

from contracts.kernel.paris import midnight
from services.chassis.pages import charts, reviews
from services.chassis.pages.content import readable
from services.chassis.pages.rendering import (
    count_in_words,
    day_in_words,
    render,
    standalone,
    typeset,
)
from services.chassis.pages.reviews import Block, Line, Sheet
from services.chassis.pages.site import POLICY
from services.chassis.spreadsheet import HIDDEN
from tests.pair import CONVENTION, Pair
from tests.reports import ask, happened, published

PAGE = f"/pages/conventions/{CONVENTION}/report"
STYLE = "/pages/static/style.css"
STYLED = Path(reviews.__file__).parent / "static" / "style.css"
ANSWERS = "referral.answered"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pages")
    urls = [f"sqlite:///{folder / name}.sqlite" for name in ("one", "other")]
    with Pair(folder, (urls[0], urls[1])) as made:
        told = {"accepted": 1204, "declined": 7, "more_contact_needed": 3}
        happened(made.city, date(2026, 10, 1), {(ANSWERS, code): n for code, n in told.items()})
        made.clock.at = midnight(date(2027, 9, 3))
        published(made.city, 2026)
        yield made


class Elements(HTMLParser):
    """Start tags of a page, in order, and the text under each of some."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts += [data.strip()] if data.strip() else []

    def every(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.found if name == tag]


async def test_a_page_says_the_text_s_title_its_year_its_parties_and_what_is_hidden(
    pair: Pair,
) -> None:
    """A-8.1."""
    answer = await ask(pair.city, PAGE)
    page = Elements(answer.text)
    signed = pair.city.node.core.directory.conventions[CONVENTION]
    for said in (
        "Bilan 2026-2027",
        signed.convention.title,
        "du 1er septembre 2026 au 31 août 2027",
        "Organisme s1, Organisme v1",
        "A-8.1",
        "3 septembre 2027",
        HIDDEN,
    ):
        assert said in page.texts
    assert f"1{chr(0x202F)}214" in page.texts
    assert any("inférieur à 5" in text for text in page.texts)
    public = Elements((await ask(pair.city, f"{PAGE}?audience=public")).text)
    assert any("inférieur à 11" in text for text in public.texts)
    assert "hors des parties" in public.texts


async def test_a_page_has_its_landmarks_and_each_table_its_heads(pair: Pair) -> None:
    """WCAG 2.2, RGAA 9 and 5: one h1, a skip link, captions and scopes; a chart has its words."""
    page = Elements((await ask(pair.city, PAGE)).text)
    assert page.every("html") == [{"lang": "fr"}]
    assert [len(page.every(one)) for one in ("h1", "header", "main", "footer")] == [1, 1, 1, 1]
    assert page.found.index(("a", {"class": "skip", "href": "#content"})) < page.found.index(
        ("header", {"class": "site"})
    )
    assert len(page.every("caption")) == len(page.every("table")) == len(page.every("svg")) > 3
    assert {one.get("scope") for one in page.every("th")} == {"row", "col"}
    ids = [attrs["id"] for _, attrs in page.found if "id" in attrs]
    assert len(ids) == len(set(ids))
    for chart in page.every("svg"):
        assert set((chart["aria-labelledby"] or "").split()) <= set(ids)
    (told,) = [one for one in page.texts if one.startswith("Accompagnement accepté") and ";" in one]
    assert HIDDEN in told


async def test_a_page_loads_its_own_style_and_nothing_else(pair: Pair) -> None:
    """No script, no style in a tag, no other site; a browser asks for the page each time."""
    answer = await ask(pair.city, PAGE)
    assert answer.headers["content-security-policy"] == POLICY.format(provider="")
    assert "unsafe" not in POLICY
    assert answer.headers["cache-control"] == "no-store"
    page = Elements(answer.text)
    assert page.every("script") == page.every("style") == []
    assert all("style" not in attrs for _, attrs in page.found)
    loaded = [one["href"] for one in page.every("link")]
    assert loaded == ["data:,", STYLE]
    style = await ask(pair.city, STYLE, None)
    assert style.headers["content-type"].startswith("text/css")
    assert style.headers["cache-control"] == "public, max-age=3600"
    again = await ask(pair.city, STYLE, None, headers={"If-None-Match": style.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "url(" not in style.text
    assert "@import" not in style.text


@pytest.mark.parametrize(
    ("path", "role", "status", "code", "title"),
    [
        (PAGE, None, 401, "not_identified", "Identification requise"),
        (f"{PAGE}?year=2025", "agent", 404, "not_published", "Inconnu"),
        (f"{PAGE}?day=1", "agent", 422, "invalid_payload", "Contenu refusé"),
        ("/pages/nulle-part", "agent", 404, "http_404", "Inconnu"),
        ("/pages/static/absent.css", None, 404, "http_404", "Inconnu"),
    ],
)
async def test_an_error_is_a_page_for_people_and_a_problem_for_programs(
    pair: Pair, path: str, role: Any, status: int, code: str, title: str
) -> None:
    shown = await ask(pair.city, path, role)
    assert (shown.status_code, shown.headers["cache-control"]) == (status, "no-store")
    assert shown.headers["content-security-policy"] == POLICY.format(provider="")
    assert title in Elements(shown.text).texts
    told = await ask(pair.city, path, role, headers={"Accept": "*/*"})
    assert (told.status_code, told.json()["code"]) == (status, code)


async def test_a_defect_says_its_kind_and_no_more(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_report: object) -> Sheet:
        raise ValueError("Zoé Exemplaire")

    monkeypatch.setattr(reviews, "sheet_of", broken)
    shown = await ask(pair.city, PAGE)
    assert (shown.status_code, "ValueError" in shown.text) == (500, True)
    assert "Zoé" not in shown.text


async def test_a_page_in_a_file_carries_its_style_and_lets_nothing_else_in(pair: Pair) -> None:
    page = (await ask(pair.city, PAGE)).text
    alone = standalone(page)
    found = Elements(alone)
    assert [one["href"] for one in found.every("link")] == ["data:,"]
    assert len(found.every("style")) == 1
    (policy,) = [one["content"] for one in found.every("meta") if "http-equiv" in one]
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/=]{44}'; img-src data:", policy or ""
    )


def a_sheet(**changes: Any) -> Sheet:
    values: dict[str, Any] = {
        "heading": "Bilan",
        "convention_id": "a-b",
        "title": "Titre",
        "article": "A-8.1",
        "invented": False,
        "parties": ["Ville"],
        "first_day": None,
        "last_day": None,
        "published_on": None,
        "audience": "entre les parties",
        "threshold": 5,
        "zeros": 11,
        "blocks": [],
    }
    return Sheet(**{**values, **changes})


def test_whatever_a_name_holds_is_text() -> None:
    hostile = "<script>alert(1)</script>\"'&"
    line = Line(label=hostile, number=5, article=hostile)
    block = Block(title=hostile, article="", lines=[line], total=None)
    page = reviews.page(a_sheet(title=hostile, parties=[hostile], blocks=[block]), hostile)
    assert "<script" not in page
    assert Elements(page).every("script") == []
    assert page.count("&lt;script&gt;") > 5


def test_an_invented_text_says_so_and_a_signed_one_does_not() -> None:
    assert "Texte inventé" in reviews.page(a_sheet(invented=True), "Ville")
    assert "Texte inventé" not in reviews.page(a_sheet(), "Ville")


@pytest.mark.parametrize(
    ("numbers", "said"),
    [((5, 6), "0 nombres"), ((5, None), "Un nombre"), ((None, None), "2 nombres")],
)
def test_a_page_says_how_many_numbers_it_hides(numbers: tuple[int | None, ...], said: str) -> None:
    lines = [Line(label="x", number=one, article="A-8.1") for one in numbers]
    block = Block(title="y", article="A-8.1", lines=lines, total=None)
    assert said in reviews.page(a_sheet(blocks=[block]), "Ville")


def test_a_template_that_names_nothing_fails() -> None:
    with pytest.raises(UndefinedError):
        render("error.html", org="Ville", title="x", articles=())


def test_a_hidden_bar_is_as_long_as_any_and_an_awaited_one_is_none() -> None:
    """A-8.1: its length tells nothing; a zero has no length, and its number says so."""
    told: tuple[tuple[int | None, bool], ...] = (
        (40, False),
        (0, False),
        (None, False),
        (None, True),
    )
    lines = [
        Line(
            label="Un libellé assez long pour deux lignes", number=number, article="", awaited=later
        )
        for number, later in told
    ]
    made = charts.chart(lines)
    assert [one.share for one in made.bars] == [100, 0, None, None]
    assert [one.hatched for one in made.bars] == [False, False, True, False]
    assert [one.said for one in made.bars] == ["40", "0", HIDDEN, "en attente"]
    assert [len(one.label) for one in made.bars] == [2] * 4
    tops = [one.top for one in made.bars]
    assert tops == sorted(set(tops))
    assert made.height == tops[-1] + made.bar_height
    assert charts.chart([]).height == 0


@pytest.mark.parametrize(
    ("kept", "read"),
    [
        ("+33199001234", "01 99 00 12 34"),
        ("+32199001234", "+32199001234"),
        ("zoe+33@famille.example", "zoe+33@famille.example"),
    ],
)
def test_a_telephone_number_is_read_as_it_is_dialled(kept: str, read: str) -> None:
    assert readable(kept) == read


def test_days_and_numbers_are_written_as_french_writes_them() -> None:
    assert day_in_words(date(2026, 9, 1)) == "1er septembre 2026"
    assert day_in_words(date(2027, 12, 31)) == "31 décembre 2027"
    assert count_in_words(1234567) == "1 234 567".replace(" ", chr(0x202F))


def test_no_line_may_break_beside_a_high_sign_or_within_an_hour() -> None:
    said = typeset("Reçu le 3 mai, 13 h 05 : « oui » ; 2 h ou 3")
    assert said == "Reçu le 3 mai, 13_h_05_: «_oui_»_; 2 h ou 3".replace("_", "\N{NNBSP}")


def test_every_page_of_the_room_is_a_template_that_inherits_its_frame() -> None:
    folder = Path(reviews.__file__).parent / "templates"
    pages = [one.read_text("utf-8") for one in folder.glob("*.html")]
    framed = [one for one in pages if "{% block content %}" in one and "<html" not in one]
    assert len(framed) >= 2
    assert all(one.startswith('{% extends "base.html" %}') for one in framed)
    every = [one.read_text("utf-8") for one in folder.rglob("*.html")]
    assert len(every) > len(pages)  # parts of pages lie below
    assert not any("style=" in one or "<script" in one for one in every)


def test_no_two_rooms_hold_a_template_of_one_name() -> None:
    """The first of two would be filled for both."""
    rooms = [Path(reviews.__file__).parents[1] / name for name in ("pages", "person")]
    names = [
        str(one.relative_to(room / "templates"))
        for room in rooms
        for one in (room / "templates").rglob("*.html")
    ]
    assert len(set(names)) == len(names)


def test_no_rule_of_the_style_sheet_swallows_those_after_it() -> None:
    """Blocks close, and lie in one another twice at most: a rule in a media query."""
    depth = 0
    for number, line in enumerate(STYLED.read_text("utf-8").splitlines(), 1):
        assert not (line.startswith("@media") and depth), number
        depth += line.count("{") - line.count("}")
        assert 0 <= depth <= 2, number
    assert depth == 0
