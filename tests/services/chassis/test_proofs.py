"""Proofs of agreement: one signature for those of a lot, and each stands by itself afterwards."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from sqlalchemy import delete

from contracts.kernel.agreement import proof_digest, read_proofs, sign_proofs
from contracts.kernel.documents import header_of
from services.chassis import letters, tables
from services.chassis.api import _ask_erasure
from services.chassis.retention import purge
from tests.pair import Pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from joserfc.jwk import OKPKey

    from contracts.kernel.agreement import ProofList
    from services.chassis.database import Tx
    from services.chassis.posting import Outcome


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


async def lot(pair: Pair) -> None:
    """All that waits at the school reaches the city as one lot."""
    await pair.city.take(pair.school.packed(letters.lots(pair.school.waiting())))


def key_of_the_school(pair: Pair, kid: str) -> OKPKey:
    return pair.city.node.core.directory.find_key("ecole", kid, pair.clock.now())


def evidence(pair: Pair, sent: Outcome) -> list[str]:
    """Key names of the lists that prove the agreement behind a message, verified as a judge may."""
    (letter,) = pair.school.rows(tables.outbox, tables.outbox.c.message_id == sent.message_id)
    held = tables.held_proofs
    found = []
    for proof in pair.city.rows(held, held.c.reference == letter.reference):
        (kept,) = pair.city.rows(tables.proof_lists, tables.proof_lists.c.list_id == proof.list_id)
        listed = read_proofs(kept.token, lambda kid: key_of_the_school(pair, kid))
        assert (listed.collector, listed.receiver) == ("ecole", "ville")
        assert proof_digest(proof.proof) in listed.proofs
        found.append(str(header_of(kept.token)["kid"]))
    return found


async def test_one_list_proves_a_lot_and_still_one_when_the_others_are_erased(pair: Pair) -> None:
    sent = [pair.refer() for _ in range(3)]
    await lot(pair)
    assert len(pair.city.rows(tables.proof_lists)) == 1
    assert [len(evidence(pair, one)) for one in sent] == [1, 1, 1]
    await pair.carry()
    pair.school.write(lambda tx: _ask_erasure(tx, pair.school.node, str(sent[0].case_id)))
    await pair.carry()
    assert [len(evidence(pair, one)) for one in sent] == [0, 1, 1]


async def test_a_letter_alone_brings_its_own_list(pair: Pair) -> None:
    sent = [pair.refer() for _ in range(2)]
    await pair.carry()
    assert [len(evidence(pair, one)) for one in sent] == [1, 1]
    assert len(pair.city.rows(tables.proof_lists)) == 2


async def test_what_leaves_after_a_rotation_is_proved_by_the_new_key(pair: Pair) -> None:
    agreement_id = pair.agreement()
    former = pair.school.node.keys.kid
    pair.rotate(pair.school)
    sent = pair.refer(agreement_id)
    await pair.carry()
    assert evidence(pair, sent) == [pair.school.node.keys.kid] != [former]
    assert pair.school.state(sent.message_id) == letters.ACCEPTED


def without_the_first(listed: ProofList, *signer: Any) -> str:
    return sign_proofs(listed.model_copy(update={"proofs": listed.proofs[1:]}), *signer)


async def test_a_proof_that_no_list_names_is_none_beside_one_that_is_named(pair: Pair) -> None:
    sent = [pair.refer() for _ in range(2)]
    with patch.object(letters, "sign_proofs", without_the_first):
        await lot(pair)
    await pair.carry()
    states = [pair.school.state(one.message_id) for one in sent]
    assert states == [letters.REFUSED, letters.ACCEPTED]


@pytest.mark.parametrize("false", ["collector", "receiver"])
async def test_a_list_of_others_proves_nothing(pair: Pair, false: str) -> None:
    def of_others(listed: ProofList, *signer: Any) -> str:
        return sign_proofs(listed.model_copy(update={false: "mission-locale"}), *signer)

    sent = pair.refer()
    with patch.object(letters, "sign_proofs", of_others):
        await lot(pair)
    assert pair.city.rows(tables.cases) == []
    await lot(pair)
    await pair.carry()
    assert pair.school.state(sent.message_id) == letters.ACCEPTED


async def test_a_list_goes_when_its_time_is_over_and_nothing_rests_on_it(pair: Pair) -> None:
    core, now = pair.city.node.core, pair.clock.now()
    days = timedelta(days=core.policy.proof_days)
    common = {"list_id": "1" * 32, "collector": "ecole", "received_at": now - days}

    def rows(tx: Tx) -> None:
        tx.insert(tables.proof_lists, {**common, "token": "x.y.z"})
        tx.insert(tables.held_proofs, {**common, "reference": "2" * 32, "proof": "{}"})

    async def left(before: timedelta) -> int:
        await purge(pair.city.node.database, core, now - before)
        return len(pair.city.rows(tables.proof_lists))

    pair.city.write(rows)
    assert await left(timedelta(0)) == 1
    pair.city.write(lambda tx: tx.execute(delete(tables.held_proofs)))
    assert await left(timedelta(seconds=1)) == 1
    assert await left(timedelta(0)) == 0
