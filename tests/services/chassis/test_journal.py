"""The journal on both databases: every alteration shows, erasure does not, and tails survive."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, func, insert, select, update

from contracts.kernel.canonical import digest
from contracts.kernel.errors import InvalidDocument
from services.chassis.chain import (
    GENESIS,
    Head,
    Line,
    Problem,
    from_json_lines,
    to_json_lines,
    verify_lines,
)
from services.chassis.database import Database, Tx
from services.chassis.journal import Entry, Journal, read_lines, read_witnessed
from services.chassis.keystore import KeyDestroyed, KeyStore
from services.chassis.schema import journal as table
from services.chassis.schema import metadata, witnessed_heads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


@pytest.fixture
def node(new_database_url: Callable[[], str]) -> Iterator[Node]:
    node = Node(new_database_url(), new_database_url())
    yield node
    node.close()


@pytest.fixture
def journal(node: Node) -> Journal:
    return node.start()


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


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("chain", "node-9", {(2, "gap"), (2, "altered"), (2, "inputs_altered"), (3, "gap")}),
        ("seq", 9, {(9, "gap"), (9, "altered"), (9, "inputs_altered"), (3, "gap")}),
        ("at", AT + timedelta(microseconds=1), {(2, "altered")}),
        ("event", "message.refused", {(2, "altered")}),
        ("message_id", "message-9", {(2, "altered")}),
        ("message_id", None, {(2, "altered")}),
        ("flow", "a.other", {(2, "altered")}),
        ("outcome", "refused", {(2, "altered")}),
        ("articles", ("A-2.11",), {(2, "altered")}),
        ("articles", ("A-5.1", "A-2.11"), {(2, "altered")}),
        ("rules_version", "2026.2", {(2, "altered")}),
        ("commitment", "0" * 64, {(2, "altered"), (2, "inputs_altered")}),
        ("commitment", None, {(2, "altered"), (2, "inputs_altered")}),
        ("prev", "0" * 64, {(2, "altered"), (2, "broken_link")}),
        ("hash", "0" * 64, {(2, "altered"), (3, "broken_link")}),
        ("scope", "case:0", {(2, "inputs_altered")}),
        ("scope", "case:unknown", {(2, "inputs_altered")}),
        ("scope", None, {(2, "inputs_altered")}),
        ("case_id", "case-9", {(2, "inputs_altered")}),
        ("case_id", None, {(2, "inputs_altered")}),
        ("agent_id", "agent-8", {(2, "inputs_altered")}),
        ("agent_id", None, {(2, "inputs_altered")}),
        ("facts_sealed", b"other", {(2, "inputs_altered")}),
        ("facts_sealed", None, {(2, "inputs_altered")}),
    ],
)
def test_a_change_of_any_column_is_found(
    node: Node, journal: Journal, column: str, value: object, expected: set[tuple[int, str]]
) -> None:
    write(node, journal)
    assert verify(node, journal).ok

    node.change(2, **{column: value})

    found = set(codes(verify(node, journal).problems))
    late = {(4, "gap")} if column == "seq" else set()  # line 9 sorts last: 1, 3, 4, 9
    assert found - late == expected


def test_every_column_is_among_those_changed() -> None:
    (mark,) = [
        mark for mark in test_a_change_of_any_column_is_found.pytestmark  # type: ignore[attr-defined] # pytest's
        if mark.name == "parametrize"
    ]  # fmt: skip
    assert {case[0] for case in mark.args[1]} == {column.name for column in table.columns}


def test_facts_swapped_between_lines_are_found(node: Node, journal: Journal) -> None:
    lines = write(node, journal)
    node.change(1, facts_sealed=lines[2].facts_sealed)  # the same scope

    assert codes(verify(node, journal).problems) == [(1, "inputs_altered")]


def test_an_altered_line_hashed_again_breaks_the_next_link(node: Node, journal: Journal) -> None:
    lines = write(node, journal)
    forged = replace(lines[1], outcome="refused")
    node.change(2, outcome="refused", hash=digest(forged.covered()))

    assert codes(verify(node, journal).problems) == [(3, "broken_link")]


@pytest.mark.parametrize(("seq", "expected"), [(1, [(2, "gap")]), (2, [(3, "gap")]), (4, [])])
def test_a_removed_line_leaves_a_gap(
    node: Node, journal: Journal, seq: int, expected: list[tuple[int, str]]
) -> None:
    """All but the last one, which only a head held elsewhere can miss."""
    head = write(node, journal)[-1].head
    node.database.write_now(lambda tx: tx.execute(delete(table).where(table.c.seq == seq)))

    assert codes(verify(node, journal).problems) == expected
    held = codes(verify(node, journal, head).problems)
    assert held == (expected or [(4, "cut")])


def forge(lines: list[Line], seq: int) -> list[Line]:
    """Rewrite a chain from one line on, as its owner could."""
    forged: list[Line] = []
    for line in lines:
        prev = forged[-1].hash if forged else GENESIS
        outcome = "refused" if line.seq == seq else line.outcome
        changed = replace(line, prev=prev, outcome=outcome)
        forged.append(replace(changed, hash=digest(changed.covered())))
    return forged


def test_a_rewritten_chain_is_found_by_the_heads_that_partners_hold(
    node: Node, journal: Journal
) -> None:
    lines = write(node, journal)
    assert verify(node, journal, lines[0].head, lines[2].head, lines[3].head).ok

    for line in forge(lines, 2):
        node.change(line.seq, outcome=line.outcome, prev=line.prev, hash=line.hash)

    assert verify(node, journal).ok
    assert verify(node, journal, lines[0].head).ok
    held = (lines[0].head, lines[2].head)
    assert codes(verify(node, journal, *held).problems) == [(3, "rewritten")]


def test_a_chain_removed_altogether_is_found_too(node: Node, journal: Journal) -> None:
    write(node, journal)
    gone = Head("node-9", 12, "0" * 64)

    assert codes(verify(node, journal, gone).problems) == [(12, "cut")]
    assert verify(node, journal, Head("node-9", 0, GENESIS)).ok


def test_partners_heads_are_kept_and_convict_a_rewritten_export(
    node: Node, journal: Journal
) -> None:
    lines = write(node, journal)
    partner = [replace(line.head, chain="school-1") for line in lines]

    def unit(tx: Tx) -> None:
        journal.witness(tx, "school", partner[0], b"signed", AT)
        journal.witness(tx, "school", partner[0], b"signed again", AT)
        journal.witness(tx, "city", partner[0], b"signed", AT)
        journal.witness(tx, "school", partner[2], b"signed", AT)

    node.database.write_now(unit)

    held = node.database.read_now(lambda connection: read_witnessed(connection, "school"))
    assert held == [partner[0], partner[2]]
    proofs = node.database.read_now(
        lambda connection: connection.scalars(
            select(witnessed_heads.c.proof).order_by(witnessed_heads.c.id)
        ).all()
    )
    assert proofs == [b"signed"] * 3

    own = [replace(head, chain="node-1") for head in held]
    assert verify_lines(lines, own).ok
    assert codes(verify_lines(forge(lines, 2), own).problems) == [(3, "rewritten")]


def test_a_head_lost_with_its_batch_is_witnessed_again(node: Node, journal: Journal) -> None:
    head = Head("school-1", 1, "a" * 64)

    def unit(tx: Tx, *, fails: bool) -> None:
        journal.witness(tx, "school", head, b"signed", AT)
        if fails:
            raise LookupError

    with pytest.raises(LookupError):
        node.database.write_now(lambda tx: unit(tx, fails=True))
    node.database.write_now(lambda tx: unit(tx, fails=False))

    assert node.database.read_now(
        lambda connection: connection.scalar(select(func.count()).select_from(witnessed_heads))
    ) == 1  # fmt: skip


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


def test_an_altered_export_is_found(node: Node, journal: Journal) -> None:
    """A-12.1: what settles a dispute is what was decided, word for word."""
    write(node, journal)
    texts = list(to_json_lines(node.lines()))
    texts[2] = texts[2].replace("allowed", "refused")

    assert codes(verify_lines(from_json_lines(texts)).problems) == [(3, "altered")]


@pytest.mark.parametrize("bad", ["", "{", "[]", "{}", '{"chain": "c"}', "null"])
def test_a_file_that_is_no_journal_is_refused_by_line(bad: str) -> None:
    line = Line("c", 1, AT, "e", None, None, "o", (), "v", None, GENESIS)
    good = next(to_json_lines([replace(line, hash=digest(line.covered()))]))

    assert verify_lines(from_json_lines([good])).ok
    with pytest.raises(InvalidDocument, match="Line 2"):
        list(from_json_lines([good, bad]))


def test_a_line_slipped_in_is_found(node: Node, journal: Journal) -> None:
    lines = write(node, journal)
    slipped = {column.name: getattr(lines[3], column.name) for column in table.columns}
    node.database.write_now(lambda tx: tx.execute(insert(table), {**slipped, "seq": 5}))

    found = codes(verify(node, journal).problems)
    assert {code for seq, code in found if seq == 5} >= {"altered", "broken_link"}
    assert {seq for seq, _ in found} == {5}
