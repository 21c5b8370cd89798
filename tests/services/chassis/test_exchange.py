"""A message's life between two nodes: sent, received, answered, withdrawn, erased."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.chassis import letters, tables
from tests.pair import ANSWER, Pair


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


async def test_a_referral_is_accepted_with_a_signed_receipt(pair: Pair) -> None:
    sent = pair.refer()
    assert sent.state == letters.QUEUED
    await pair.carry()
    assert pair.school.state(sent.message_id) == letters.ACCEPTED
    (case,) = pair.city.rows(tables.cases)
    assert (case.case_id, case.state, case.partner) == (sent.case_id, "open", "ecole")


async def test_the_city_answers_and_names_a_referent(pair: Pair) -> None:
    sent = pair.refer()
    await pair.carry()
    answer = pair.city.send("referral.answered", "ecole", ANSWER, case_id=sent.case_id)
    assert answer.state == letters.QUEUED, answer.decision
    await pair.carry()
    assert pair.city.state(answer.message_id) == letters.ACCEPTED
