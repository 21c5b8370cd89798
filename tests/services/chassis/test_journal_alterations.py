"""Every alteration of a journal shows, to its own node or to the partners who hold its heads."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, func, insert, select

from contracts.kernel.canonical import digest
from contracts.kernel.errors import InvalidDocument
from services.chassis.chain import (
    GENESIS,
    Head,
    Line,
    from_json_lines,
    to_json_lines,
    verify_lines,
)
from services.chassis.database import Tx
from services.chassis.journal import Journal, read_witnessed
from services.chassis.schema import journal as table
from services.chassis.schema import witnessed_heads
from tests.services.chassis.journal_support import AT, Node, codes, verify, write

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
