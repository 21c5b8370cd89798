"""How the demonstration speaks: lines that fit, articles named, codes kept for programs."""

from __future__ import annotations

import io

from services.federation.telling import Teller

RIGHT, WRONG = True, False


def test_a_check_names_its_articles_once_and_keeps_codes_apart() -> None:
    out = io.StringIO()
    teller = Teller(out)
    teller.step("Refus")
    teller.check(RIGHT, "Refusé par A-2.11", "A-2.11", code="403 no_agreement")
    teller.check(RIGHT, "Réponse envoyée", "A-2.5")
    assert teller.steps[0].told == ["Refusé par A-2.11", "Réponse envoyée (A-2.5)"]
    assert teller.steps[0].articles == ["A-2.11", "A-2.5"]
    assert teller.steps[0].codes == ["403 no_agreement"]
    assert "403" not in out.getvalue()


def test_a_step_fails_with_a_single_check() -> None:
    teller = Teller(None)
    teller.step("Refus")
    teller.check(WRONG, "Refusé")
    teller.check(RIGHT, "Refusé")
    assert not teller.steps[0].ok


def test_no_line_is_longer_than_a_hundred_columns() -> None:
    out = io.StringIO()
    teller = Teller(out)
    teller.note("mot " * 80)
    teller.step("mot " * 80)
    teller.tell("mot " * 80)
    teller.check(RIGHT, "mot " * 80)
    assert max(map(len, out.getvalue().splitlines())) <= 100
