"""The journal: append-only, hash-chained, one chain per writer, which outlives erasure.

Each line's hash covers the line and the hash before it (SHA-256 of RFC 8785 canonical JSON), so
that a line cannot be altered, removed or slipped in without the rest showing it. Who and what it
was about (scope, case, agent, facts) stays beside the hash: the hash covers a salted commitment to
them only. Once they are erased and the salt destroyed the chain still verifies, and nobody can
guess them back from it.

A whole chain rewritten from some line on looks sound by itself; the heads that partners hold show
it. So nodes send each other their heads, signed, and keep the ones they get (`witness`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from contracts.kernel.canonical import canonical, digest
from contracts.kernel.errors import UnknownName
from services.chassis.chain import (
    GENESIS,
    Head,
    Line,
    Problem,
    Report,
    covered,
    verify_lines,
)
from services.chassis.keystore import KeyDestroyed, SealBroken
from services.chassis.schema import journal, witnessed_heads
from services.chassis.scopes import REGISTER_SCOPE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sqlalchemy import Connection

    from services.chassis.database import Database, Tx
    from services.chassis.keystore import KeyStore


@dataclass(frozen=True, slots=True)
class Entry:
    """A decision or a fact to record.

    event, flow, outcome: codes. articles: obligation ids. rules_version: what decided. scope: the
    key under which case, agent and facts are kept; without one there may be none of them.
    facts: makes a document of the caller's, kept as it is, when the line is written.
    """

    event: str
    at: datetime
    outcome: str
    rules_version: str = ""
    message_id: str | None = None
    flow: str | None = None
    articles: tuple[str, ...] = ()
    scope: str | None = None
    case_id: str | None = None
    agent_id: str | None = None
    facts: Callable[[], bytes] | None = None


class Journal:
    """Writer of one chain. Its tail lives in memory, for the writer thread alone."""

    def __init__(self, chain: str, keystore: KeyStore) -> None:
        self.chain = chain
        self._keystore = keystore
        self._tail: Head | None = None
        self._unwritten: list[Entry] = []
        self._head = Head(chain, 0, GENESIS)
        self._witnessed: dict[tuple[str, str], tuple[int, str]] = {}

    def attach(self, database: Database) -> None:
        """Load the tail, and follow the database's commits and rollbacks; once, at the start.

        The key store is attached before, so that its keys are committed ahead of the lines.
        Raises StorageUnavailable.
        """
        self._head = database.read_now(self._last)
        database.on_commit(self._committed)
        database.on_rollback(self._rolled_back)

    def head(self) -> Head:
        """Last committed line of this chain."""
        return self._head

    def tail(self, tx: Tx) -> Head:
        """Last line of this chain as the unit's transaction will leave it."""
        self._write(tx)
        return self._tail or self._last(tx.connection)

    def append(self, tx: Tx, entry: Entry) -> None:
        """Chain an entry to the last line, in the unit's transaction.

        Raises ValueError for case, agent or facts without a scope, and when the line is written
        KeyDestroyed.
        """
        if entry.scope is None and not (_bare(entry) and entry.facts is None):
            raise ValueError("case, agent and facts are kept under a scope")
        if not self._unwritten:
            tx.insert_later(lambda: self._write(tx))
        self._unwritten.append(entry)

    def note(
        self,
        tx: Tx,
        event: str,
        agent_id: str | None,
        at: datetime,
        *,
        articles: tuple[str, ...] = (),
    ) -> None:
        """Append what an agent recorded, about no case; None where no agent is behind it."""
        scope = None if agent_id is None else REGISTER_SCOPE
        self.append(
            tx,
            Entry(
                at=at,
                event=event,
                outcome="recorded",
                articles=articles,
                scope=scope,
                agent_id=agent_id,
            ),
        )

    def _write(self, tx: Tx) -> None:
        """Chain what was appended: facts and inputs first, then hashes, each in one go."""
        entries, self._unwritten = self._unwritten, []
        if not entries:
            return
        tail = self._tail or self._last(tx.connection)
        self._keystore.ensure(entry.scope for entry in entries if entry.scope is not None)
        facts = [None if entry.facts is None else entry.facts() for entry in entries]
        numbered = zip(entries, facts, count(tail.seq + 1), strict=False)
        inputs = [self._inputs(entry, kept, seq) for entry, kept, seq in numbered]
        for entry, (sealed, commitment) in zip(entries, inputs, strict=True):
            values: dict[str, Any] = {
                "chain": self.chain,
                "seq": tail.seq + 1,
                "at": entry.at,
                "event": entry.event,
                "message_id": entry.message_id,
                "flow": entry.flow,
                "outcome": entry.outcome,
                "articles": entry.articles,
                "rules_version": entry.rules_version,
                "commitment": commitment,
                "prev": tail.hash,
                "scope": entry.scope,
                "case_id": entry.case_id,
                "agent_id": entry.agent_id,
                "facts_sealed": sealed,
            }
            values["hash"] = digest(covered(values))
            tx.insert(journal, values)
            tail = Head(self.chain, tail.seq + 1, values["hash"])
        self._tail = tail

    def facts(self, line: Line) -> bytes | None:
        """Facts of a line, opened; None where it has none.

        Raises KeyDestroyed where they were destroyed; SealBroken where they were altered.
        """
        if line.scope is None or line.facts_sealed is None:
            return None
        return self._keystore.open(line.scope, line.facts_sealed, _place(line.chain, line.seq))

    def erase_inputs(self, tx: Tx, scope: str) -> int:
        """Remove case, agent and facts of all lines of a scope; returns how many lines.

        The chain still verifies. What backups hold dies with the key: destroy it as well.
        """
        removed = dict.fromkeys(("scope", "case_id", "agent_id", "facts_sealed"))
        return tx.execute(update(journal).where(journal.c.scope == scope).values(removed)).rowcount

    def witness(self, tx: Tx, org: str, head: Head, proof: bytes, at: datetime) -> None:
        """Keep a head that a partner sent. The same one again, right after, is not kept twice.

        proof: the signed document that states it, as it came. at: when it came.
        """
        if self._witnessed.get((org, head.chain)) == (head.seq, head.hash):
            return
        tx.insert(witnessed_heads, {"org": org, **asdict(head), "proof": proof, "at": at})
        self._witnessed[org, head.chain] = head.seq, head.hash

    def verify(self, connection: Connection, held: Iterable[Head] = ()) -> Report:
        """Check every chain of this database, and each commitment whose salt still exists.

        held: heads of this node that partners hold.
        """
        report = Report()
        lines = self._checked(read_lines(connection), report)
        return verify_lines(lines, held, report)

    def verify_some(self, connection: Connection, *, after: int, limit: int, report: Report) -> int:
        """Check the next lines of this chain, going on from what the report holds of it.

        Returns the number of the last one; 0 where none is left.
        """
        lines = list(read_lines(connection, self.chain, after, limit))
        verify_lines(self._checked(lines, report), (), report)
        return lines[-1].seq if lines else 0

    def _checked(self, lines: Iterable[Line], report: Report) -> Iterator[Line]:
        for line in lines:
            try:
                if line.scope is None and _bare(line):  # erased, or never about anybody
                    report.erased += line.commitment is not None
                elif line.commitment is not None and self._commits(line):
                    report.checked += 1
                else:
                    report.problems.append(Problem(line.chain, line.seq, "inputs_altered"))
            except KeyDestroyed:
                report.erased += 1
            except (SealBroken, UnknownName):
                report.problems.append(Problem(line.chain, line.seq, "inputs_altered"))
            yield line

    def _commits(self, line: Line) -> bool:
        if line.scope is None:
            return False
        inputs = (line.chain, line.seq, line.case_id, line.agent_id)
        return self._commitment(line.scope, inputs, self.facts(line)) == line.commitment

    def _inputs(
        self, entry: Entry, facts: bytes | None, seq: int
    ) -> tuple[bytes | None, str | None]:
        """Sealed facts, and the commitment to all that stays beside the hash."""
        scope = entry.scope
        if scope is None:
            return None, None
        place = _place(self.chain, seq)
        sealed = None if facts is None else self._keystore.seal(scope, facts, place)
        inputs = (self.chain, seq, entry.case_id, entry.agent_id)
        return sealed, self._commitment(scope, inputs, facts)

    def _commitment(self, scope: str, inputs: tuple[Any, ...], facts: bytes | None) -> str:
        """Bound to the line's place: equal inputs do not show as equal commitments."""
        content = canonical([*inputs, facts is None]) + (facts or b"")
        return self._keystore.commit(scope, content).hex()

    def _last(self, connection: Connection) -> Head:
        last = select(journal.c.seq, journal.c.hash).where(journal.c.chain == self.chain)
        row = connection.execute(last.order_by(journal.c.seq.desc()).limit(1)).first()
        return Head(self.chain, row.seq, row.hash) if row else Head(self.chain, 0, GENESIS)

    def _committed(self) -> None:
        self._head = self._tail or self._head

    def _rolled_back(self) -> None:
        # Read it again rather than go back: a connection lost in a commit hides how that ended.
        self._tail = None
        self._unwritten.clear()
        self._witnessed.clear()


def read_lines(
    connection: Connection, chain: str | None = None, after: int = 0, limit: int | None = None
) -> Iterator[Line]:
    """Lines in the order of chain and seq, read as they are consumed; of one chain or of all."""
    query = select(journal).where(journal.c.seq > after).order_by(journal.c.chain, journal.c.seq)
    if chain is not None:
        query = query.where(journal.c.chain == chain)
    for row in connection.execute(query.limit(limit).execution_options(yield_per=1000)):
        yield Line(**row._mapping)  # noqa: SLF001 -- SQLAlchemy's public name for a row's dict


def read_witnessed(connection: Connection, org: str) -> list[Head]:
    """Heads that an organisation sent: give them to `verify_lines` with its journal."""
    columns = (witnessed_heads.c.chain, witnessed_heads.c.seq, witnessed_heads.c.hash)
    query = select(*columns).where(witnessed_heads.c.org == org).order_by(witnessed_heads.c.id)
    return [Head(row.chain, row.seq, row.hash) for row in connection.execute(query)]


def _bare(line: Line | Entry) -> bool:
    sealed = line.facts_sealed if isinstance(line, Line) else None
    return line.case_id is None and line.agent_id is None and sealed is None


def _place(chain: str, seq: int) -> bytes:
    """Additional data of sealed facts: they open in their own line only."""
    return f"{chain}:{seq}".encode()
