"""What a slow disk, a lost key, a hostile header or an erasure at the wrong moment must not do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from services.chassis import letters, tables
from services.chassis.api import _ask_erasure
from services.chassis.clock import new_id
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.erasure import erase_case
from services.chassis.keystore import data_keys
from services.chassis.partner import Received
from services.chassis.receipting import RECEIPTS, acknowledge
from services.chassis.relay import Relay, Undeliverable
from services.chassis.schema import journal
from services.chassis.scopes import case_scope
from services.city.partner import PARTNER as CITY
from services.conventions.a_city_school.handlers import RECEIVED
from services.school.partner import PARTNER as SCHOOL
from tests.pair import CONVENTION, START, Pair, doing
from tests.services.chassis.test_relay import Letterbox, relaying, row_of, until


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


class Defective:
    """A city whose handler raises for some letters."""

    def __init__(self) -> None:
        self.failing: list[str] = []

    def __call__(self, tx: Tx, core: Core, received: Received) -> None:
        RECEIVED["referral.submitted"](tx, core, received)
        if received.envelope.id in self.failing:
            raise RuntimeError("a defect")


@pytest.fixture
def defective(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Any]:
    handler = Defective()
    city = doing(CITY, received={"referral.submitted": handler})
    urls = (new_database_url(), new_database_url())
    with Pair(tmp_path, urls, partners=(SCHOOL, city)) as pair:
        yield pair, handler.failing


def erase(pair: Pair, case_id: str) -> None:
    core = pair.school.node.core
    pair.school.write(lambda tx: erase_case(tx, core, case_id, new_id(), START))


async def test_many_receipts_at_once_are_all_read(pair: Pair) -> None:
    core = pair.city.node.core
    sender = core.directory.entry("ecole")
    assert sender is not None
    at, count = START.replace(microsecond=123456), 4 * RECEIPTS + 1

    def unit(tx: Tx) -> None:
        for _ in range(count):
            acknowledge(tx, core, sender, CONVENTION, new_id(), "received", at)

    pair.city.write(unit)
    handed = pair.city.outgoing()
    assert len(handed) == 5
    await pair.school.take(handed)
    assert pair.school.rows(tables.dead_letters) == []
    assert len(pair.school.rows(tables.receipts)) == 5


@pytest.mark.parametrize("told", ["Z" * 32, "a" * 33, ""])
async def test_an_id_in_clear_that_is_none_is_buried_at_once(pair: Pair, told: str) -> None:
    pair.refer()
    (letter,) = pair.school.outgoing()
    assert await pair.city.take([replace(letter, headers={**letter.headers, "Nats-Msg-Id": told})])
    (dead,) = pair.city.rows(tables.dead_letters)
    assert (dead.message_id, dead.reason) == ("", "unverified")
    assert pair.city.outgoing() == []
    assert await pair.city.take([letter]) == [None]
    assert len(pair.city.rows(tables.cases)) == 1


async def test_receipts_that_do_not_open_get_no_receipt(pair: Pair) -> None:
    pair.refer()
    await pair.city.take(pair.school.outgoing())
    (receipts,) = pair.city.outgoing()
    before = len(pair.school.outgoing())
    await pair.school.take([replace(receipts, body=b"?")])
    assert len(pair.school.rows(tables.dead_letters)) == 1
    assert len(pair.school.outgoing()) == before


async def test_a_letter_of_a_case_erased_meanwhile_does_not_leave(pair: Pair) -> None:
    box = Letterbox()
    async with relaying(pair, box) as relay:
        pair.refer()
        relay.wake()
        await asyncio.sleep(0.1)  # the lane waits for the letterbox
        second = pair.refer()
        relay.wake()
        await asyncio.sleep(0.1)
        erase(pair, str(second.case_id))
        box.opened.set()
        await until(lambda: row_of(pair, second.message_id).state == letters.STOPPED)
        await asyncio.sleep(0.1)
    assert len(box.stored) == 1
    assert second.message_id not in box.stored


async def test_erasing_a_case_ends_its_waiting_letters_for_good(pair: Pair) -> None:
    sent = pair.refer()
    erase(pair, str(sent.case_id))
    row = row_of(pair, sent.message_id)
    assert (row.state, row.sealed, row.due_at, row.closed_at) == (
        letters.STOPPED,
        None,
        None,
        START,
    )
    lines = pair.school.rows(journal, journal.c.message_id == sent.message_id)
    assert "message.stopped" in {line.event for line in lines}


async def test_a_letter_whose_key_is_lost_holds_up_no_other(pair: Pair) -> None:
    lost, other = pair.refer(), pair.refer()
    keystore, box = pair.school.node.keystore, Letterbox()
    box.opened.set()
    with keystore._engine.begin() as connection:
        scope = case_scope(str(lost.case_id))
        connection.execute(delete(data_keys).where(data_keys.c.scope == scope))
    keystore.forget()
    async with relaying(pair, box):
        await until(lambda: row_of(pair, lost.message_id).state == letters.STOPPED)
        await until(lambda: box.stored == [other.message_id])


async def test_an_erasure_that_overtakes_its_opening_letter_still_holds(pair: Pair) -> None:
    sent = pair.refer()
    (opening,) = pair.school.outgoing()
    pair.school.write(lambda tx: _ask_erasure(tx, pair.school.node, str(sent.case_id)))
    assert pair.school.state(sent.message_id) == letters.STOPPED
    (control,) = pair.school.outgoing()
    await pair.city.take([control])
    await pair.city.take([opening])
    assert {row.state for row in pair.city.rows(tables.cases)} == {"erased"}
    assert pair.city.rows(tables.persons) == []


async def test_a_dead_letter_does_not_come_back_after_its_erasure(defective: Any) -> None:
    pair, failing = defective
    sent = pair.refer()
    failing.append(sent.message_id)
    (letter,) = pair.school.outgoing()
    await pair.city.take([replace(letter, deliveries=5)])
    (dead,) = pair.city.rows(tables.dead_letters)
    pair.school.write(lambda tx: _ask_erasure(tx, pair.school.node, str(sent.case_id)))
    await pair.city.take(pair.school.outgoing())
    failing.clear()
    assert await pair.city.node.arrivals.retry(dead.id) == "invalid"
    assert {row.state for row in pair.city.rows(tables.cases)} == {"erased"}


async def test_a_dead_lot_is_retried_letter_by_letter(defective: Any) -> None:
    pair, failing = defective
    sent = [pair.refer() for _ in range(3)]
    failing.append(sent[1].message_id)
    (lot,) = pair.school.packed(letters.lots(pair.school.waiting()))
    await pair.city.take([replace(lot, body=b"?")])
    (dead,) = pair.city.rows(tables.dead_letters)
    change = update(tables.dead_letters).values(body=lot.body)  # as if the fault had been ours
    pair.city.write(lambda tx: tx.execute(change))
    assert await pair.city.node.arrivals.retry(dead.id) == "RuntimeError,received"
    assert len(pair.city.rows(tables.cases)) == 2
    (left,) = pair.city.rows(tables.dead_letters, tables.dead_letters.c.body.is_not(None))
    failing.clear()
    assert await pair.city.node.arrivals.retry(left.id) == "received"
    await pair.carry()
    assert {pair.school.state(one.message_id) for one in sent} == {letters.ACCEPTED}


async def test_a_letter_given_up_is_buried_once(defective: Any) -> None:
    pair, failing = defective
    failing.append(pair.refer().message_id)
    pair.clock.at = START + timedelta(minutes=10)
    pair.refer()
    pair.clock.at = START
    (lot,) = pair.school.packed(letters.lots(pair.school.waiting()))
    for deliveries in range(1, 12):
        await pair.city.take([replace(lot, deliveries=deliveries)])
    reasons = sorted(row.reason for row in pair.city.rows(tables.dead_letters))
    assert reasons == ["failed:RuntimeError", "too_early"]


async def test_a_letter_refused_unverified_and_handled_after_all_is_accepted(pair: Pair) -> None:
    sent = pair.refer()
    (letter,) = pair.school.outgoing()
    pair.school.write(lambda tx: tx.execute(update(tables.outbox).values(unverified=3)))
    await pair.city.take([replace(letter, body=b"?")])
    await pair.school.take(pair.city.outgoing())
    assert pair.school.state(sent.message_id) == letters.REFUSED
    await pair.city.take([letter])
    await pair.carry()
    assert pair.school.state(sent.message_id) == letters.ACCEPTED


async def test_a_lot_too_large_is_taken_apart(pair: Pair) -> None:
    stored: list[str] = []

    async def publish(_subject: str, headers: Mapping[str, str], body: bytes) -> None:
        if len(body) > 20_000:
            raise Undeliverable("too large")
        stored.append(headers["Nats-Msg-Id"])

    agreement_id = pair.agreement()
    sent = [pair.refer(agreement_id) for _ in range(40)]
    node = pair.school.node
    relay = Relay(node.core, node.database, publish, pair.clock, node.telemetry, idle=0.02)
    await relay.start()
    ids = [one.message_id for one in sent]
    await until(lambda: {pair.school.state(one) for one in ids} == {letters.DELIVERED})
    await relay.stop()
    assert sorted(stored) == sorted(ids)


async def test_a_defect_in_one_lot_sends_no_other_twice(pair: Pair) -> None:
    node, stored = pair.school.node, []
    pair.refer()
    other = pair.refer()
    pair.school.write(lambda tx: _ask_erasure(tx, node, str(other.case_id)))

    async def publish(subject: str, headers: Mapping[str, str], _body: bytes) -> None:
        if subject.endswith(".k"):
            raise ValueError("a defect")
        stored.append(headers["Nats-Msg-Id"])

    relay = Relay(node.core, node.database, publish, pair.clock, node.telemetry, idle=0.02)
    await relay.start()
    await asyncio.sleep(0.3)
    pair.clock.at += timedelta(seconds=20)
    await asyncio.sleep(0.3)
    await relay.stop()
    assert len(stored) == 1
    (control,) = pair.school.rows(tables.outbox, tables.outbox.c.kind == letters.CONTROL)
    assert (control.state, control.failure) == (letters.QUEUED, "ValueError")
    assert 1 <= control.attempts <= 3


async def test_a_letter_is_in_the_relay_s_hands_before_it_is_woken(pair: Pair) -> None:
    node, box, seen = pair.school.node, Letterbox(), []
    box.opened.set()
    relay = Relay(node.core, node.database, box.publish, pair.clock, node.telemetry, idle=30)
    node.relay = relay
    agreement_id = pair.agreement()
    node.database.on_commit(lambda: seen.append(len(relay._taken)))
    await asyncio.to_thread(pair.refer, agreement_id)
    assert seen == [1]
