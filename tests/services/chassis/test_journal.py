"""The journal on both databases: lines chain, tails survive, and erasure breaks no chain."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from contracts.kernel.canonical import digest
from services.chassis.chain import (
    GENESIS,
    Head,
    Line,
    from_json_lines,
    to_json_lines,
    verify_lines,
)
from services.chassis.database import Tx
from services.chassis.journal import Journal, read_lines
from services.chassis.keystore import KeyDestroyed
from tests.services.chassis.journal_support import AT, Node, appends, codes, entry, verify, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def node(new_database_url: Callable[[], str]) -> Iterator[Node]:
    node = Node(new_database_url(), new_database_url())
    yield node
    node.close()


@pytest.fixture
def journal(node: Node) -> Journal:
    return node.start()


def test_lines_chain_from_the_first_and_verify(node: Node, journal: Journal) -> None:
    assert journal.head() == Head("node-1", 0, GENESIS)
    lines = write(node, journal)

    assert [line.seq for line in lines] == [1, 2, 3, 4]
    assert [line.prev for line in lines] == [GENESIS, *(line.hash for line in lines[:3])]
    assert lines[0].hash == digest(lines[0].covered())
    assert journal.head() == lines[-1].head

    report = verify(node, journal)
    assert report.ok
    assert (report.lines, report.checked, report.erased) == (4, 4, 0)
    assert report.heads == {"node-1": journal.head()}


def test_the_hash_is_the_published_recipe() -> None:
    line = Line("c", 1, AT, "e", None, None, "o", ("A-1",), "v", None, GENESIS)

    assert line.covered() == {
        "chain": "c", "seq": 1, "at": "2026-11-22T12:00:00.123456+00:00", "event": "e",
        "message_id": None, "flow": None, "outcome": "o", "articles": ["A-1"],
        "rules_version": "v", "commitment": None, "prev": GENESIS,
    }  # fmt: skip


async def test_a_whole_batch_is_chained(node: Node, journal: Journal) -> None:
    writes = (node.database.write(appends(journal, number)) for number in range(100))
    await asyncio.gather(*writes)

    assert [line.seq for line in node.lines()] == list(range(1, 101))
    assert verify(node, journal).ok


def test_facts_open_again_and_are_nowhere_in_clear(node: Node, journal: Journal) -> None:
    node.database.write_now(lambda tx: journal.append(tx, entry(facts=lambda: b"Dupont")))

    (line,) = node.lines()
    assert journal.facts(line) == b"Dupont"
    assert line.facts_sealed is not None
    assert b"Dupont" not in line.facts_sealed


def test_a_line_may_be_about_nobody(node: Node, journal: Journal) -> None:
    alone = entry(scope=None, case_id=None, agent_id=None, facts=None)
    node.database.write_now(lambda tx: journal.append(tx, alone))

    (line,) = node.lines()
    assert line.commitment is None
    assert journal.facts(line) is None
    report = verify(node, journal)
    assert (report.ok, report.checked, report.erased) == (True, 0, 0)


@pytest.mark.parametrize("given", [{"case_id": "1"}, {"agent_id": "1"}, {"facts": lambda: b""}])
def test_inputs_need_a_scope(node: Node, journal: Journal, given: dict[str, Any]) -> None:
    bare = entry(case_id=None, agent_id=None, facts=None)
    loose = replace(bare, scope=None, **given)

    with pytest.raises(ValueError, match="under a scope"):
        node.database.write_now(lambda tx: journal.append(tx, loose))
    node.database.write_now(lambda tx: journal.append(tx, replace(bare, **given)))
    assert verify(node, journal).ok


def test_equal_inputs_have_unlike_commitments(node: Node, journal: Journal) -> None:
    for _ in range(2):
        node.database.write_now(lambda tx: journal.append(tx, entry()))

    first, second = node.lines()
    assert first.commitment != second.commitment


async def test_a_rollback_restores_the_tail(node: Node, journal: Journal) -> None:
    write(node, journal, 1)

    def fails(tx: Tx) -> None:
        journal.append(tx, entry(50))
        journal.append(tx, entry(51))
        raise LookupError

    units: list[Callable[[Tx], Any]] = [
        lambda tx: journal.append(tx, entry(1)),
        fails,
        lambda tx: journal.append(tx, entry(2)),
    ]
    results = await asyncio.gather(
        *(node.database.write(unit) for unit in units), return_exceptions=True
    )

    assert isinstance(results[1], LookupError)
    assert [line.message_id for line in node.lines()] == ["message-0", "message-1", "message-2"]
    assert journal.head() == node.lines()[-1].head
    assert verify(node, journal).ok


def test_the_head_is_what_is_committed(node: Node, journal: Journal) -> None:
    (line,) = write(node, journal, 1)

    def unit(tx: Tx) -> Head:
        journal.append(tx, entry(1))
        return journal.head()

    assert node.database.write_now(unit) == line.head
    assert journal.head().seq == 2


def test_a_restart_goes_on_from_the_last_line(node: Node) -> None:
    lines = write(node, node.start())
    node.close()
    node.open()
    journal = node.start()

    assert journal.head() == lines[-1].head
    write(node, journal, 1)
    report = verify(node, journal)
    assert (report.ok, report.lines, report.checked) == (True, 5, 5)


def test_each_writer_has_its_chain(node: Node, journal: Journal) -> None:
    other = Journal("node-2", node.keys)
    other.attach(node.database)
    write(node, journal, 2)
    write(node, other, 3)

    report = verify(node, journal)
    assert report.ok
    assert {chain: head.seq for chain, head in report.heads.items()} == {"node-1": 2, "node-2": 3}
    assert [line.seq for line in node.database.read_now(
        lambda connection: list(read_lines(connection, "node-2", after=1, limit=1))
    )] == [2]  # fmt: skip


def test_two_writers_by_mistake_on_one_chain_do_not_fork_it(node: Node, journal: Journal) -> None:
    twin = Journal("node-1", node.keys)
    twin.attach(node.database)
    write(node, journal, 2)
    write(node, twin, 2)
    write(node, journal, 1)

    report = verify(node, journal)
    assert (report.ok, report.lines) == (True, 5)


def test_erased_inputs_leave_a_chain_that_verifies(node: Node, journal: Journal) -> None:
    write(node, journal)

    assert node.database.write_now(lambda tx: journal.erase_inputs(tx, "case:0")) == 2
    node.keys.destroy("case:0", AT)

    erased, kept = node.lines()[0], node.lines()[1]
    assert (erased.scope, erased.case_id, erased.agent_id, erased.facts_sealed) == (None,) * 4
    assert erased.commitment is not None
    assert journal.facts(erased) is None
    assert kept.case_id == "case-1"
    report = verify(node, journal)
    assert (report.ok, report.lines, report.checked, report.erased) == (True, 4, 2, 2)

    node.change(1, outcome="refused")  # erasure is no cover for an alteration
    assert codes(verify(node, journal).problems) == [(1, "altered")]


def test_a_destroyed_key_alone_is_an_erasure(node: Node, journal: Journal) -> None:
    write(node, journal)
    node.keys.destroy("case:0", AT)

    report = verify(node, journal)
    assert (report.ok, report.checked, report.erased) == (True, 2, 2)
    with pytest.raises(KeyDestroyed):
        journal.facts(node.lines()[0])
    with pytest.raises(KeyDestroyed):
        node.database.write_now(lambda tx: journal.append(tx, entry(0)))
    node.database.write_now(lambda tx: journal.append(tx, entry(1)))


def test_an_export_verifies_elsewhere_and_names_nobody(node: Node, journal: Journal) -> None:
    lines = write(node, journal)
    texts = list(to_json_lines(node.lines()))

    assert verify_lines(from_json_lines(texts), [lines[-1].head]).ok
    assert not any(word in text for text in texts for word in ("case-", "agent-", "scope"))
    assert len("".join(texts).splitlines()) == 4

    del texts[1]
    assert codes(verify_lines(from_json_lines(texts)).problems) == [(3, "gap")]
