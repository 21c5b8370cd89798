"""A node that keeps a journal, its lines, and what a verification says of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from services.chassis.chain import (
    Head,
    Line,
    Problem,
)
from services.chassis.database import Database, Tx
from services.chassis.journal import Entry, Journal, read_lines
from services.chassis.keystore import KeyStore
from services.chassis.schema import journal as table
from services.chassis.schema import metadata

if TYPE_CHECKING:
    from collections.abc import Callable


AT = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)


class Node:
    """What a node needs to keep a journal, opened again as often as a test wants."""

    def __init__(self, data_url: str, keys_url: str) -> None:
        self._urls = data_url, keys_url
        self.open()
        metadata.create_all(self.database._writer)

    def open(self) -> None:
        data_url, keys_url = self._urls
        self.keys = KeyStore(keys_url, bytes(32))
        self.keys.create()
        self.database = Database(data_url)
        self.keys.attach(self.database)

    def start(self, chain: str = "node-1") -> Journal:
        journal = Journal(chain, self.keys)
        journal.attach(self.database)
        self.database.start()
        return journal

    def close(self) -> None:
        self.database.close()
        self.keys.close()

    def change(self, seq: int, /, **values: object) -> None:
        self.database.write_now(
            lambda tx: tx.execute(update(table).where(table.c.seq == seq).values(**values))
        )

    def lines(self) -> list[Line]:
        return self.database.read_now(lambda connection: list(read_lines(connection)))


def entry(number: int = 0, **changes: Any) -> Entry:
    usual = Entry(
        event="message.sent",
        at=AT + timedelta(seconds=number),
        outcome="allowed",
        rules_version="2026.1",
        message_id=f"message-{number}",
        flow="a.referral",
        articles=("A-2.11", "A-5.1"),
        scope=f"case:{number % 2}",
        case_id=f"case-{number % 2}",
        agent_id="agent-7",
        facts=lambda: b'{"days":%d}' % number,
    )
    return replace(usual, **changes)


def write(node: Node, journal: Journal, count: int = 4) -> list[Line]:
    for number in range(count):
        node.database.write_now(appends(journal, number))
    return node.lines()[-count:]


def appends(journal: Journal, number: int) -> Callable[[Tx], None]:
    return lambda tx: journal.append(tx, entry(number))


def verify(node: Node, journal: Journal, *held: Head) -> Any:
    return node.database.read_now(lambda connection: journal.verify(connection, held))


def codes(problems: list[Problem]) -> list[tuple[int, str]]:
    return [(problem.seq, problem.code) for problem in problems]
