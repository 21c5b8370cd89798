"""The waterfall reads in a browser and in a terminal, and nothing in it can be markup."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from services.chassis.words import STEPS
from services.observer.page import duration, list_page, missing_page, render_text, trace_page
from services.observer.store import StoredSpan, Trace

if TYPE_CHECKING:
    from services.chassis.observable import Value

CHASSIS = Path(__file__).parents[3] / "services" / "chassis"
MILLISECOND = 1_000_000
START = 1_780_000_000_000_000_000
VOID = {"meta", "link", "input", "br", "rect"}


def step(
    span_id: str, parent: str | None, node: str, begin: int, end: int, **fields: Value
) -> StoredSpan:
    return StoredSpan(
        *("t1", span_id, parent, node, "relais-city", f"step.{span_id}"),
        *(START + begin * MILLISECOND, START + end * MILLISECOND),
        fields=fields,
    )


def a_trace() -> Trace:
    return Trace(
        "t1",
        (
            step("a", None, "ville", 0, 40, message_id="m-1"),
            step("b", "a", "ville", 10, 20),
            step("c", "b", "ml", 12, 18),
            step("d", "a", "ml", 20, 40, state="refused", articles="Z-2.4 Z-3.1"),
        ),
    )


class Outline(HTMLParser):
    """Checks that every element closes, and notes lists and bars."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.depths: list[int] = []
        self.bars: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        if tag == "li":
            self.depths.append(self.open.count("ol"))
        self._bar(tag, dict(attrs))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._bar(tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def _bar(self, tag: str, attributes: dict[str, str | None]) -> None:
        if tag == "rect":
            self.bars.append((attributes["x"] or "", attributes["width"] or ""))


def outline(page: str) -> Outline:
    parsed = Outline()
    parsed.feed(page)
    assert parsed.open == []
    return parsed


def test_steps_are_nested_lists_with_bars_placed_by_time() -> None:
    seen = outline(trace_page(a_trace()))
    assert seen.depths == [1, 2, 3, 2]
    assert seen.bars == [
        ("0.00%", "100.00%"),
        ("25.00%", "25.00%"),
        ("30.00%", "15.00%"),
        ("50.00%", "50.00%"),
    ]


def test_each_organisation_has_its_colour_and_is_named_in_words() -> None:
    page = trace_page(a_trace())
    assert 'class="node n0">ville<' in page
    assert 'class="node n1">ml<' in page
    assert "refusé" in page
    assert '<span class="whole">Z-2.4</span>' in page


def test_a_bar_without_length_can_be_seen_and_stays_inside() -> None:
    spans = (step("a", None, "ville", 0, 100), step("b", "a", "ville", 100, 100))
    assert outline(trace_page(Trace("t1", spans))).bars[1] == ("99.50%", "0.50%")
    only = Trace("t1", (step("a", None, "ville", 0, 0),))
    assert len(outline(trace_page(only)).bars) == 1


@pytest.mark.parametrize("make", [lambda t: list_page([t]), trace_page])
def test_nothing_stored_can_be_markup(make: object) -> None:
    assert callable(make)
    hostile = "<img src=x>"
    span = StoredSpan("t1", "a", None, hostile, hostile, hostile, START, START, failed=True)
    coded = StoredSpan(
        *("t1", "b", "a", hostile, hostile, hostile, START, START),
        fields={"state": hostile, hostile: hostile, "message_id": hostile},
    )
    page = make(Trace("t1", (span, coded)))
    outline(page)
    assert "<img" not in page
    assert "&lt;img" in page


def test_a_search_is_shown_back_as_text() -> None:
    page = list_page([], '"><b>')
    outline(page)
    assert "<b>" not in page
    assert "&lt;b&gt;" in page


def test_empty_and_missing_pages_say_what_to_do() -> None:
    assert "Envoyez un message" in list_page([])
    assert "<h1>Message introuvable</h1>" in list_page([], "m-1")
    assert "<h1>Traces du message</h1>" in list_page([a_trace()], "m-1")
    assert "plus récentes" in missing_page()
    outline(list_page([]))
    outline(missing_page())


def test_the_terminal_shows_the_same_waterfall() -> None:
    lines = render_text(a_trace(), width=60).splitlines()
    assert lines[0] == "Trace t1"
    assert lines[1].endswith("40,0 ms · 4 étapes · refusé Z-2.4 Z-3.1")
    assert [line.split()[0] for line in lines[3:]] == ["ville", "ville", "ml", "ml"]
    assert lines[3].split()[2] == "█" * len(lines[3].split()[2])
    assert lines[6].split()[2].startswith("·")
    assert lines[6].endswith("20,0 ms refusé Z-2.4 Z-3.1")


def a_refused_referral() -> Trace:
    names = {"flow": "referral.submitted", "state": "refused", "articles": "A-2.11"}
    span = StoredSpan(
        *("t1", "a", None, "college", "relais-school", "message.send", START, START + MILLISECOND),
        fields={**names, "message_id": "m-1"},
    )
    return Trace("t1", (span,))


@pytest.mark.parametrize("make", [lambda one: list_page([one]), trace_page, render_text])
def test_people_read_words_where_programs_read_codes(make: object) -> None:
    assert callable(make)
    said = make(a_refused_referral())
    assert "demande d" in said
    assert "A-2.11 (accord)" in said
    shown = said.replace("<dd>message.send</dd>", "")  # the code of the step, for who asks
    for code in ("message.send", "referral.submitted", "relais-school"):
        assert code not in shown


def test_the_list_says_what_a_trace_is_about() -> None:
    page = list_page([a_refused_referral()])
    assert "demande d&#x27;envoi : fiche de repérage" in page
    assert "nœud (établissement scolaire)" in page


def test_every_step_of_the_code_has_a_french_name() -> None:
    code = "".join(path.read_text("utf-8") for path in CHASSIS.glob("*.py"))
    written = set(re.findall(r"\.span\(\s*\"([a-z_.]+)\"", code)) - {"gate.decide"}
    assert written == set(STEPS) - {"unnamed"}


@pytest.mark.parametrize(
    ("nanoseconds", "written"),
    [
        (0, "0,0 ms"),
        (400_000, "0,4 ms"),
        (999 * MILLISECOND, "999,0 ms"),
        (1_250 * MILLISECOND, "1,25 s"),
        (200_000 * MILLISECOND, "3 min 20 s"),
    ],
)
def test_durations_are_written_the_french_way(nanoseconds: int, written: str) -> None:
    assert duration(nanoseconds) == written
