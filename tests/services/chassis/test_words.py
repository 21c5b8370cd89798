"""Every code that people meet has its word, or is shown as it is."""

from __future__ import annotations

import re
from pathlib import Path

from contracts import registry
from contracts.registry import build
from services.chassis import words
from services.chassis.holds import PLACED, RELEASED
from services.chassis.purges import PURGED
from tests.contracts.instruments import convention_of, flow

CHASSIS = Path(__file__).parents[3] / "services" / "chassis"


def test_every_event_of_a_journal_has_a_word() -> None:
    code = "".join(path.read_text("utf-8") for path in CHASSIS.parent.rglob("*.py"))
    written = set(re.findall(r"Entry\([^)]*event=\"([a-z_.]+)\"", code))
    written |= set(re.findall(r"_journal\(tx, core, \"([a-z_.]+)\"", code))
    written |= set(re.findall(r"journal\.note\(\s*tx,\s*\"([a-z_.]+)\"", code))
    written |= {PLACED, RELEASED, PURGED}
    assert len(written) > 40
    assert written - set(words.EVENTS) == set()


def test_every_message_control_and_receipt_has_a_label() -> None:
    for _, one in registry.load().flows():
        assert words.message(one.type) == one.label
    assert words.message("erasure.done") == "effacement certifié"
    assert words.message("delivery.receipt") == "accusé de réception"
    assert words.message("x.y") == "x.y"


def test_a_type_that_two_conventions_call_otherwise_has_both_names() -> None:
    one = flow(label="recensement")
    other = convention_of(flow(label="comptage"), code="y_test")
    again = convention_of(one, code="z_test")
    known = build([convention_of(one), other, again])
    assert words.message(one.type, known) == "recensement / comptage"


def test_an_article_says_what_it_asks_and_a_code_what_it_means() -> None:
    assert words.reason("A-2.10") == "A-2.10 (information préalable)"
    assert words.reason("A-5.1") == "A-5.1 (données strictement nécessaires)"
    assert words.reason("unknown_type") == "type de message inconnu"
    assert words.reason("Z-9.9") == "Z-9.9"


def test_a_field_is_called_by_its_title_wherever_it_stands() -> None:
    titles = words.titles(registry.load())
    assert (titles["hoped_help"], titles["role"]) == ("Aide espérée", "Fonction")
