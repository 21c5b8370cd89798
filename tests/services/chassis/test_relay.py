"""The relay: what is committed leaves once, at once, or later, or never, but is never lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.kernel.terms import ActKind
from services.chassis import letters, tables
from services.chassis.agreements import withdraw
from services.chassis.relay import NotDelivered, Relay, Undeliverable, backoff
from services.chassis.schema import journal
from tests.pair import START, Pair


@dataclass
class Letterbox:
    """Stands for the receiver's letterbox; the bus itself is tested on real servers."""

    stored: list[str] = field(default_factory=list)
    answer: Exception | None = None
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def publish(self, _subject: str, headers: Mapping[str, str], _body: bytes) -> None:
        await self.opened.wait()
        if self.answer is not None:
            raise self.answer
        self.stored.append(headers["Nats-Msg-Id"])


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


@asynccontextmanager
async def relaying(pair: Pair, box: Letterbox) -> Any:
    """A relay on the school's outbox."""
    node = pair.school.node
    relay = Relay(node.core, node.database, box.publish, pair.clock, node.telemetry, idle=0.02)
    node.core.outgoing = relay.take
    await relay.start()
    try:
        yield relay
    finally:
        await relay.stop()


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not within 5 s")


def row_of(pair: Pair, message_id: str) -> Any:
    (row,) = pair.school.rows(tables.outbox, tables.outbox.c.message_id == message_id)
    return row


async def test_a_committed_letter_leaves_at_once_and_is_delivered(pair: Pair) -> None:
    """In two turns of the loop: its lane's, which is begun at once, and its lot's."""
    box = Letterbox()
    box.opened.set()
    async with relaying(pair, box) as relay:
        sent = pair.refer()
        relay.wake()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert box.stored == [sent.message_id]
        await until(lambda: row_of(pair, sent.message_id).state == letters.DELIVERED)
    assert box.stored == [sent.message_id]
    assert row_of(pair, sent.message_id).due_at == START + pair.school.node.core.policy.republish


async def test_nothing_leaves_once_the_relay_is_stopped(pair: Pair) -> None:
    box = Letterbox()
    box.opened.set()
    async with relaying(pair, box) as relay:
        await relay.stop()
        pair.refer()
        relay.wake()
        await asyncio.sleep(0.05)
        assert box.stored == []


async def test_a_letter_accepted_at_once_is_never_written_as_delivered(pair: Pair) -> None:
    box = Letterbox()
    box.opened.set()
    node = pair.school.node
    taken: list[float] = []
    relay = Relay(
        node.core,
        node.database,
        box.publish,
        pair.clock,
        node.telemetry,
        idle=30,  # however slow the machine, the receipt is home before that
        delivered=taken.append,
    )
    node.relay = relay
    await relay.start()
    sent = pair.refer()
    relay.wake()
    await until(lambda: len(box.stored) == 1)
    await pair.carry()
    await relay.stop()  # which would write what no receipt has answered
    row = row_of(pair, sent.message_id)
    assert (row.state, row.delivered_at) == (letters.ACCEPTED, None)
    assert taken == [0.0]
    counted = node.metrics.render().decode()
    assert 'relais_messages_total{flow="referral.submitted",state="accepted"} 1.0' in counted


async def test_a_letter_left_by_a_crash_is_taken_up_at_the_next_start(pair: Pair) -> None:
    sent = pair.refer()
    box = Letterbox()
    box.opened.set()
    async with relaying(pair, box):
        await until(lambda: row_of(pair, sent.message_id).state == letters.DELIVERED)
    assert box.stored == [sent.message_id]


async def test_a_receiver_that_is_away_gets_it_later_under_the_same_id(pair: Pair) -> None:
    box = Letterbox(answer=NotDelivered("away"))
    box.opened.set()
    async with relaying(pair, box) as relay:
        sent = pair.refer()
        relay.wake()
        await until(lambda: row_of(pair, sent.message_id).attempts == 1)
        row = row_of(pair, sent.message_id)
        assert (row.state, row.failure) == (letters.QUEUED, "not_delivered")
        assert START < row.due_at <= START + timedelta(seconds=2)
        box.answer = None
        pair.clock.at = START + timedelta(seconds=3)
        await until(lambda: row_of(pair, sent.message_id).state == letters.DELIVERED)
    assert box.stored == [sent.message_id]


async def test_a_letter_too_large_ends_and_says_so(pair: Pair) -> None:
    box = Letterbox(answer=Undeliverable("too large"))
    box.opened.set()
    async with relaying(pair, box) as relay:
        sent = pair.refer()
        relay.wake()
        await until(lambda: row_of(pair, sent.message_id).state == letters.REFUSED)
    row = row_of(pair, sent.message_id)
    assert (row.failure, row.sealed) == ("undeliverable", None)


async def test_an_unread_letter_expires_and_its_content_is_erased(pair: Pair) -> None:
    sent = pair.refer()
    pair.clock.at = START + timedelta(days=30)
    box = Letterbox()
    box.opened.set()
    async with relaying(pair, box):
        await until(lambda: row_of(pair, sent.message_id).state == letters.EXPIRED)
    assert box.stored == []
    assert row_of(pair, sent.message_id).sealed is None
    lines = pair.school.rows(journal, journal.c.message_id == sent.message_id)
    assert "message.expired" in {line.event for line in lines}


async def test_a_withdrawal_between_the_commit_and_the_publication_stops_the_letter(
    pair: Pair,
) -> None:
    agreement_id = pair.agreement()
    core, box = pair.school.node.core, Letterbox()
    box.opened.set()
    async with relaying(pair, box) as relay:
        sent = pair.refer(agreement_id)  # committed, and in the relay's hands
        pair.school.write(lambda tx: withdraw(tx, core, agreement_id, "agent-1", START))
        relay.wake()
        await until(lambda: len(box.stored) == 1)  # the withdrawal itself, on control
    assert sent.message_id not in box.stored
    assert row_of(pair, sent.message_id).state == letters.STOPPED


async def test_a_suspension_between_the_commit_and_the_publication_stops_the_letter(
    pair: Pair,
) -> None:
    sent = pair.refer()
    pair.act(pair.school, ActKind.SUSPENSION)
    box = Letterbox()
    box.opened.set()
    async with relaying(pair, box):
        await until(lambda: row_of(pair, sent.message_id).state == letters.STOPPED)
    assert box.stored == []
    lines = pair.school.rows(journal, journal.c.message_id == sent.message_id)
    assert "A-10.1" in {article for line in lines for article in line.articles}


async def test_a_delivered_letter_without_receipt_is_sent_again_before_the_backstop(
    pair: Pair,
) -> None:
    box = Letterbox()
    box.opened.set()
    async with relaying(pair, box) as relay:
        sent = pair.refer()
        relay.wake()
        await until(lambda: len(box.stored) == 1)
        await until(lambda: row_of(pair, sent.message_id).state == letters.DELIVERED)
        pair.clock.at = START + pair.school.node.core.policy.republish
        await until(lambda: len(box.stored) == 2)
    assert box.stored == [sent.message_id] * 2


def test_the_delay_between_tries_grows_and_stays_bounded() -> None:
    delays = [backoff(attempts, 0.0).total_seconds() for attempts in range(12)]
    assert delays == sorted(delays)
    assert (delays[0], delays[-1]) == (1, 300)
    assert backoff(3, 0.99) > backoff(3, 0.0)
