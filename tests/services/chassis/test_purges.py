"""The end of a convention leaves a proof of what was destroyed, at each party (C-6.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.kernel.paris import midnight
from services.chassis.clock import new_id
from services.chassis.holds import Hold, place_hold, release_hold
from services.chassis.purges import PURGED, last_purges
from services.chassis.reading import held_conventions
from services.chassis.retention import purge
from services.chassis.schema import journal
from tests.pair import CONVENTION, Pair, Side

SECOND = timedelta(seconds=1)


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


def due_at(side: Side) -> datetime:
    signed = side.node.core.directory.conventions[CONVENTION]
    assert signed.purged_on is not None
    return midnight(signed.purged_on)


async def purged(side: Side, at: datetime) -> Any:
    """Purge at an instant; the proof that the node then holds, None where it holds none."""
    side.clock.at = at
    await purge(side.node.database, side.node.core, at)
    return side.node.database.read_now(last_purges).get(CONVENTION)


def lines(side: Side) -> list[tuple[str, ...]]:
    return [tuple(row.articles) for row in side.rows(journal, journal.c.event == PURGED)]


async def test_each_party_proves_what_it_destroyed_on_the_day_and_not_before(pair: Pair) -> None:
    """C-6.5; the journal has it once, with the article, however many rounds come after."""
    for _ in range(3):
        pair.refer()
    await pair.carry()
    at = due_at(pair.city)
    for side in pair.sides:
        signed = side.node.core.directory.conventions[CONVENTION]
        assert await purged(side, at - SECOND) is None
        proof = await purged(side, at)
        assert (proof.ended_on, proof.done_at) == (signed.ends_on, at)
        assert (proof.cases, proof.kept) == (3, 0)
        assert await purged(side, at + SECOND) == proof
        assert lines(side) == [("A-5.1",)]


async def test_a_convention_is_shown_with_its_next_review_then_with_its_proof(pair: Pair) -> None:
    side = pair.city
    signed = side.node.core.directory.conventions[CONVENTION]
    assert signed.ends_on is not None

    def shown() -> tuple[str, bool, Any]:
        (held,) = side.node.database.read_now(lambda c: held_conventions(side.node, c))
        return held["state"], held["next_review"] is not None, held["purge"]

    side.clock.at = midnight(signed.ends_on) - SECOND
    assert shown() == ("in_force", True, None)
    side.clock.at = midnight(signed.ends_on)
    assert shown() == ("ended", False, None)
    await purged(side, due_at(side))
    state, reviewed, proof = shown()
    assert (state, reviewed, proof["article"]) == ("purged", False, "A-5.1")
    assert (proof["ended_on"], proof["cases"]) == (signed.ends_on.isoformat(), 0)


async def test_a_convention_that_brought_nothing_is_proved_too(pair: Pair) -> None:
    proof = await purged(pair.city, due_at(pair.city))
    assert (proof.cases, proof.kept) == (0, 0)


async def test_what_a_dispute_keeps_is_said_and_the_proof_made_anew_at_its_release(
    pair: Pair,
) -> None:
    """A-12.1 beside C-6.5."""
    kept, _ = pair.refer(), pair.refer()
    await pair.carry()
    side, hold_id = pair.city, new_id()
    hold = Hold(ground="court", case_id=str(kept.case_id))
    core, at = side.node.core, due_at(side)
    side.write(lambda tx: place_hold(tx, core, CONVENTION, hold, hold_id, "chef", at - 2 * SECOND))
    proof = await purged(side, at)
    assert (proof.cases, proof.kept) == (1, 1)
    side.write(lambda tx: release_hold(tx, core, CONVENTION, hold_id, "chef", at))
    proof = await purged(side, at + SECOND)
    assert (proof.cases, proof.kept, proof.done_at) == (2, 0, at + SECOND)
    assert len(lines(side)) == 2


async def test_a_case_that_could_not_be_destroyed_leaves_no_proof(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is certified while a single case is left; beside the next round, where it goes."""
    pair.refer()
    await pair.carry()
    side = pair.city

    def failing(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr("services.chassis.retention.erase_case", failing)
        assert await purged(side, due_at(side)) is None
    assert (await purged(side, due_at(side))).cases == 1
