"""Letters that travel together: one signature for all, and each still has its own fate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from sqlalchemy import delete, update

from contracts.kernel.envelope import LOT_BYTES, LOT_LETTERS
from services.chassis import letters, tables
from services.chassis.bundle import Bundle
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.letters import LETTERS_HEADER, Ready
from services.chassis.partner import Received
from services.chassis.posting import Outcome
from services.chassis.receipting import AGAIN, TRIES
from services.chassis.schema import journal
from services.city.partner import PARTNER as CITY
from services.conventions.a_city_school.handlers import RECEIVED
from services.school.partner import PARTNER as SCHOOL
from tests.pair import START, Pair, doing


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


def ready(number: int, subject: str = "a", size: int = 10, kind: str = letters.LETTER) -> Ready:
    return Ready(
        message_id=f"{number:032x}",
        kind=kind,
        type="referral.submitted",
        receiver="ville",
        subject=subject,
        instrument="a-ecole-ville",
        content=b"x" * size,
        created_at=START,
        expires_at=START,
        attempts=0,
        facts=None,
        traceparent=None,
    )


def sizes(found: Iterator[list[Ready]]) -> list[int]:
    return sorted(len(lot) for lot in found)


def test_a_lot_has_one_subject_and_an_end() -> None:
    assert sizes(letters.lots(ready(n) for n in range(LOT_LETTERS))) == [LOT_LETTERS]
    assert sizes(letters.lots(ready(n) for n in range(LOT_LETTERS + 1))) == [1, LOT_LETTERS]
    assert sizes(letters.lots(ready(n, "ab"[n % 2]) for n in range(10))) == [5, 5]
    half = LOT_BYTES // 2
    assert sizes(letters.lots(ready(n, size=half) for n in range(3))) == [1, 2]
    assert sizes(letters.lots(ready(n, size=half + 1) for n in range(3))) == [1, 1, 1]
    assert sizes(letters.lots(ready(n, kind=letters.RECEIPT) for n in range(2))) == [1, 1]
    assert sizes(letters.lots([])) == []


def refer(pair: Pair, count: int) -> list[Outcome]:
    return [pair.refer() for _ in range(count)]


async def test_letters_of_a_lot_are_each_accepted(pair: Pair) -> None:
    sent = refer(pair, 5)
    (lot,) = pair.school.packed(letters.lots(pair.school.waiting()))
    assert lot.message_id not in {one.message_id for one in sent}
    assert lot.claimed == tuple(one.message_id for one in sent)
    assert await pair.city.take([lot]) == [None]
    assert {row.case_id for row in pair.city.rows(tables.cases)} == {one.case_id for one in sent}
    assert await pair.city.take([lot]) == [None]
    assert len(pair.city.rows(tables.cases)) == 5
    await pair.carry()
    assert {pair.school.state(one.message_id) for one in sent} == {letters.ACCEPTED}


def test_as_many_ordinary_letters_as_a_lot_holds_leave_together(pair: Pair) -> None:
    pair.refer()
    (one,) = pair.school.waiting()
    assert sizes(letters.lots([one] * LOT_LETTERS)) == [LOT_LETTERS]


async def test_the_fullest_lot_still_opens(pair: Pair) -> None:
    pair.refer()
    (one,) = pair.school.waiting()
    content = one.content or b""
    content = content.replace(b'"data":{', b'"data":{"x":"' + b"y" * 1000 + b'",')
    many = [replace(one, message_id=f"{number:032x}") for number in range(2 * LOT_LETTERS)]
    filled = [
        replace(each, content=content.replace(one.message_id.encode(), each.message_id.encode()))
        for each in many
    ]
    packed = pair.school.packed(letters.lots(filled))
    assert 2 < len(packed) < 2 * LOT_LETTERS
    assert max(len(lot.body) for lot in packed) > LOT_BYTES
    await pair.city.take(packed)
    (inbox, dead) = (pair.city.rows(table) for table in (tables.inbox, tables.dead_letters))
    assert {row.reason for row in dead} == {"invalid"}  # opened, and refused by the schema
    assert len(inbox) == 2 * LOT_LETTERS


async def test_a_letter_that_fails_harms_no_other_of_its_lot(
    tmp_path: Path, new_database_url: Callable[[], str]
) -> None:
    failing: list[str] = []

    def broken(tx: Tx, core: Core, received: Received) -> None:
        RECEIVED["referral.submitted"](tx, core, received)
        if received.envelope.id in failing:
            raise RuntimeError("a defect")

    city = doing(CITY, received={"referral.submitted": broken})
    urls = (new_database_url(), new_database_url())
    with Pair(tmp_path, urls, partners=(SCHOOL, city)) as pair:
        first, bad, last = refer(pair, 3)
        failing.append(bad.message_id)
        (lot,) = pair.school.packed(letters.lots(pair.school.waiting()))
        assert await pair.city.take([lot]) == [0.2]
        handled = {row.message_id for row in pair.city.rows(tables.inbox)}
        assert handled == {first.message_id, last.message_id}
        assert await pair.city.take([replace(lot, deliveries=5)]) == [None]
        (dead,) = pair.city.rows(tables.dead_letters)
        assert (dead.message_id, dead.reason) == (bad.message_id, "failed:RuntimeError")
        for side in pair.sides:
            assert b"Exemplaire" not in b"".join(
                bytes(row.body or b"") for row in side.rows(tables.dead_letters)
            )
        failing.clear()
        assert await pair.city.node.arrivals.retry(dead.id) == "received"
        await pair.carry()
        assert pair.school.state(bad.message_id) == letters.ACCEPTED
        assert len(pair.city.rows(tables.cases)) == 3


async def test_a_dead_letter_that_must_wait_again_keeps_its_body(pair: Pair) -> None:
    pair.refer()
    (letter,) = pair.school.outgoing()
    await pair.city.take([replace(letter, body=b"?")])
    (dead,) = pair.city.rows(tables.dead_letters)
    pair.city.write(
        lambda tx: tx.execute(
            update(tables.dead_letters).values(body=letter.body)  # as if the fault had been ours
        )
    )
    arrivals = pair.city.node.arrivals
    pair.clock.at = START - timedelta(minutes=3)
    assert await arrivals.retry(dead.id) == "too_early"
    pair.clock.at = START
    assert await arrivals.retry(dead.id) == "received"
    assert await arrivals.retry(dead.id) is None
    assert len(pair.city.rows(tables.cases)) == 1


async def test_a_letter_refused_in_a_lot_is_refused_alone(pair: Pair) -> None:
    first, late = refer(pair, 2)
    waiting = pair.school.waiting()
    (lot,) = pair.school.packed(letters.lots(waiting))
    (row,) = pair.school.rows(tables.outbox, tables.outbox.c.message_id == late.message_id)
    withdrawn = {"reference": row.reference, "org": "ecole", "withdrawn_at": START}
    withdrawn["state"] = "withdrawn"
    pair.city.write(lambda tx: tx.insert(tables.tombstones, withdrawn))
    assert await pair.city.take([lot]) == [None]
    await pair.carry()
    assert pair.school.state(first.message_id) == letters.ACCEPTED
    assert pair.school.state(late.message_id) == letters.REFUSED


async def test_a_lot_that_does_not_open_is_refused_letter_by_letter(pair: Pair) -> None:
    sent = refer(pair, 3)
    (lot,) = pair.school.packed(letters.lots(pair.school.waiting()))
    assert await pair.city.take([replace(lot, body=lot.body[:-1] + b"?")]) == [None]
    (dead,) = pair.city.rows(tables.dead_letters)
    assert (dead.reason, dead.message_id) == ("unverified", lot.message_id)
    (receipts,) = pair.city.outgoing()
    await pair.school.take([receipts])
    rows = pair.school.rows(tables.outbox)
    assert {(row.message_id, row.state, row.due_at) for row in rows} == {
        (one.message_id, letters.QUEUED, START + AGAIN) for one in sent
    }
    await pair.carry()
    assert {pair.school.state(one.message_id) for one in sent} == {letters.ACCEPTED}


async def test_a_letter_that_is_never_verified_ends_refused(pair: Pair) -> None:
    sent = pair.refer()
    for sending in range(TRIES + 1):
        assert pair.school.state(sent.message_id) == letters.QUEUED, sending
        (letter,) = pair.school.outgoing()
        await pair.city.take([replace(letter, body=b"?")])
        await pair.school.take(pair.city.outgoing())
        pair.city.write(lambda tx: tx.execute(delete(tables.outbox)))
    (row,) = pair.school.rows(tables.outbox)
    assert (row.state, row.status) == (letters.REFUSED, "unverified")
    lines = pair.school.rows(journal, journal.c.message_id == sent.message_id)
    assert [line.event for line in lines] == ["message.sent", "receipt"]


async def test_a_letter_under_a_key_not_read_yet_is_sent_again(pair: Pair) -> None:
    sent = pair.refer()
    (before,) = pair.school.outgoing()
    pair.clock.at = START + timedelta(seconds=1)
    keys = pair.school.node.keys
    statement = keys.rotate_signing(pair.clock.at)
    entry = keys.directory_entry(pair.school.node.settings, 2, pair.clock.at, {})
    (letter,) = pair.school.outgoing()
    assert await pair.city.take([letter]) == [1.0]  # until the directory is read again
    assert await pair.city.take([replace(letter, deliveries=4)]) == [None]
    assert pair.city.rows(tables.cases) == []
    await pair.school.take(pair.city.outgoing())
    assert pair.school.state(sent.message_id) == letters.QUEUED
    pair.publish(Bundle(entries=(entry,), rotations=(statement,)))
    await pair.carry()
    assert pair.school.state(sent.message_id) == letters.ACCEPTED
    assert await pair.city.take([before]) == [None]  # the former key still verifies for a while
    assert len(pair.city.rows(tables.cases)) == 1


async def test_a_letter_under_a_convention_not_read_yet_waits_for_it(pair: Pair) -> None:
    sent = pair.refer()
    (letter,) = pair.school.outgoing()
    with patch.object(pair.city.node.core, "bindings", return_value=()):
        assert await pair.city.take([letter]) == [1.0]
        assert await pair.city.take([replace(letter, deliveries=3)]) == [1.0]
        assert await pair.city.take([replace(letter, deliveries=4)]) == [None]
    assert [row.reason for row in pair.city.rows(tables.dead_letters)] == ["unverified"]
    assert await pair.city.take([replace(letter, deliveries=2)]) == [None]
    await pair.carry()
    assert pair.school.state(sent.message_id) == letters.ACCEPTED


async def test_a_lot_whose_ids_in_clear_were_changed_is_refused(pair: Pair) -> None:
    refer(pair, 2)
    (lot,) = pair.school.packed(letters.lots(pair.school.waiting()))
    other = {**lot.headers, LETTERS_HEADER: ",".join(reversed(lot.claimed))}
    await pair.city.take([replace(lot, headers=other)])
    assert pair.city.rows(tables.cases) == []
    assert {row.reason for row in pair.city.rows(tables.dead_letters)} == {"unverified"}
    await pair.city.take([lot])
    assert len(pair.city.rows(tables.cases)) == 2


async def test_a_letter_sent_anew_is_no_duplicate_to_the_letterbox(pair: Pair) -> None:
    """It would be taken for the copy that could not be verified, and never be read."""
    sent = pair.refer()
    (first,) = pair.school.packed([pair.school.waiting()])
    again = replace(pair.school.waiting()[0], unverified=1)
    (second,) = pair.school.packed([[again]])
    assert first.message_id == sent.message_id
    assert second.message_id not in {"", sent.message_id}
    assert first.claimed == second.claimed == (sent.message_id,)
    assert await pair.city.take([second]) == [None]
    assert len(pair.city.rows(tables.cases)) == 1
