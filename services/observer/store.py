"""The traces kept for the page: SQLite, the newest ones only, ids, codes and times only."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from services.chassis.telemetry import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from services.chassis.observable import Value

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS trace (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    trace_id TEXT NOT NULL UNIQUE,
    spans INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS span (
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    parent_id TEXT,
    node TEXT NOT NULL,
    service TEXT NOT NULL,
    name TEXT NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    message_id TEXT,
    fields TEXT NOT NULL,
    PRIMARY KEY (trace_id, span_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS span_message ON span (message_id) WHERE message_id IS NOT NULL;
"""
_COLUMNS: Final = "trace_id, span_id, parent_id, node, service, name, start_ns, end_ns, failed"
_SECOND: Final = 1_000_000_000
_MILLISECOND: Final = 1_000_000
_TOO_OLD: Final = "SELECT trace_id FROM trace ORDER BY seq DESC LIMIT -1 OFFSET ?"


@dataclass(frozen=True, slots=True)
class StoredSpan:
    """One step of a message's way, at one node.

    ids in hexadecimal; times in nanoseconds since 1970; `fields` as `observable` allows them.
    """

    trace_id: str
    span_id: str
    parent_id: str | None
    node: str
    service: str
    name: str
    start_ns: int
    end_ns: int
    failed: bool = False
    fields: dict[str, Value] = field(default_factory=dict)

    @property
    def duration_ns(self) -> int:
        """Time the step took."""
        return self.end_ns - self.start_ns

    @property
    def refused(self) -> bool:
        """Whether the law of a convention said no here."""
        return self.fields.get("state") == "refused"

    @property
    def reasons(self) -> list[str]:
        """Articles that refused, else the code (or type) of the error; empty when all went well."""
        if self.refused:
            return str(self.fields.get("articles") or self.fields.get("code", "")).split()
        cause = self.fields.get("code") or self.fields.get("error_type", "")
        return str(cause).split() if self.failed else []


@dataclass(frozen=True)
class Trace:
    """All the steps known of one trace, by start; at least one."""

    trace_id: str
    spans: tuple[StoredSpan, ...]

    @property
    def start_ns(self) -> int:
        """Start of the first step."""
        return self.spans[0].start_ns

    @property
    def duration_ns(self) -> int:
        """Time from the first start to the last end, over all nodes' clocks."""
        return max(span.end_ns for span in self.spans) - self.start_ns

    @property
    def nodes(self) -> list[str]:
        """Organisations in the order in which they appear."""
        return list(dict.fromkeys(span.node for span in self.spans))

    @property
    def services(self) -> list[str]:
        """Programs in the order in which they appear."""
        return list(dict.fromkeys(span.service for span in self.spans))

    @property
    def root(self) -> StoredSpan:
        """The step everything began with, or the earliest one known."""
        return self.rows[0][1]

    @property
    def outcome(self) -> str:
        """`refused`, else `failed`, else the last state that a step told, else ""."""
        if any(span.refused for span in self.spans):
            return "refused"
        if any(span.failed for span in self.spans):
            return "failed"
        states = [str(s.fields["state"]) for s in self.spans if "state" in s.fields]
        return states[-1] if states else ""

    @property
    def reasons(self) -> list[str]:
        """What its steps give as reasons, those of a refusal alone when there is one."""
        blamed = [s for s in self.spans if s.refused] or self.spans
        return list(dict.fromkeys(reason for span in blamed for reason in span.reasons))

    @property
    def messages(self) -> list[str]:
        """Ids of the messages that the steps name."""
        named = (s.fields.get("message_id") for s in self.spans)
        return list(dict.fromkeys(str(m) for m in named if m))

    @cached_property
    def rows(self) -> list[tuple[int, StoredSpan]]:
        """Steps with their depth, each after its parent.

        A step whose parent is unknown (not sampled, not arrived yet) stands at the top; so does
        the first of a loop, which no honest node makes.
        """
        known = {span.span_id for span in self.spans}
        below: defaultdict[str, list[StoredSpan]] = defaultdict(list)
        tops = []
        for span in self.spans:
            if span.parent_id in known and span.parent_id is not None:
                below[span.parent_id].append(span)
            else:
                tops.append(span)
        seen: set[str] = set()
        return _descend(tops, below, seen) + _descend(self.spans, below, seen)

    def as_json(self) -> dict[str, object]:
        """Give the trace as plain JSON types; attributes bear the names they were exported with."""
        return {
            "trace_id": self.trace_id,
            "start": datetime.fromtimestamp(self.start_ns / _SECOND, UTC).isoformat(),
            "duration_ms": self.duration_ns / _MILLISECOND,
            "nodes": self.nodes,
            "services": self.services,
            "outcome": self.outcome,
            "reasons": self.reasons,
            "messages": self.messages,
            "spans": [self._span_json(span, depth) for depth, span in self.rows],
        }

    def _span_json(self, span: StoredSpan, depth: int) -> dict[str, object]:
        return {
            "span_id": span.span_id,
            "parent_id": span.parent_id,
            "depth": depth,
            "node": span.node,
            "service": span.service,
            "name": span.name,
            "offset_ms": (span.start_ns - self.start_ns) / _MILLISECOND,
            "duration_ms": span.duration_ns / _MILLISECOND,
            "failed": span.failed,
            "attributes": {PREFIX + key: value for key, value in span.fields.items()},
        }


def _descend(
    tops: Sequence[StoredSpan], below: dict[str, list[StoredSpan]], seen: set[str]
) -> list[tuple[int, StoredSpan]]:
    """Walk down from each top not yet seen; a loop of its own, as depth is the sender's choice."""
    rows = []
    waiting = [(0, span) for span in reversed(tops)]
    while waiting:
        depth, span = waiting.pop()
        if span.span_id in seen:
            continue
        seen.add(span.span_id)
        rows.append((depth, span))
        children = below.get(span.span_id, [])
        waiting.extend((depth + 1, child) for child in reversed(children))
    return rows


class Store:
    """Keeps the newest traces, in order of arrival."""

    def __init__(
        self, path: Path | str, *, keep_traces: int = 1_000, keep_spans: int = 500
    ) -> None:
        """Open or create the file.

        keep_traces: how many traces stay; the oldest go. keep_spans: how many steps of one trace
        are kept; a sender that loops cannot fill the disk.
        """
        self._keep_traces = keep_traces
        self._keep_spans = keep_spans
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def add(self, spans: Iterable[StoredSpan]) -> None:
        """Keep spans, in one transaction; one that came already is left as it is."""
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                for span in spans:
                    self._insert(span)
                self._trim()
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def recent(self, limit: int = 50) -> list[Trace]:
        """Give the traces that began to arrive last, newest first."""
        found = self._query("SELECT trace_id FROM trace ORDER BY seq DESC LIMIT ?", limit)
        return self._traces([row[0] for row in found])

    def get(self, trace_id: str) -> Trace | None:
        """Give one trace by its hexadecimal id, None when it is not, or no longer, here."""
        found = self._traces([trace_id])
        return found[0] if found else None

    def by_message(self, message_id: str) -> list[Trace]:
        """Give the traces with a step that names this message, newest first."""
        found = self._query(
            "SELECT DISTINCT t.trace_id, t.seq FROM span s JOIN trace t USING (trace_id) "
            "WHERE s.message_id = ? ORDER BY t.seq DESC",
            message_id,
        )
        return self._traces([row[0] for row in found])

    def _insert(self, span: StoredSpan) -> None:
        own = (span.trace_id,)
        self._database.execute("INSERT OR IGNORE INTO trace (trace_id) VALUES (?)", own)
        kept = self._database.execute("SELECT spans FROM trace WHERE trace_id = ?", own).fetchone()
        if kept[0] >= self._keep_spans:
            return
        added = self._database.execute(
            f"INSERT OR IGNORE INTO span ({_COLUMNS}, message_id, fields) "  # noqa: S608  # constant
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(span.trace_id, span.span_id, span.parent_id, span.node, span.service),
                *(span.name, span.start_ns, span.end_ns, span.failed),
                *(span.fields.get("message_id"), json.dumps(span.fields)),
            ),
        )
        self._database.execute(
            "UPDATE trace SET spans = spans + ? WHERE trace_id = ?", (added.rowcount, *own)
        )

    def _trim(self) -> None:
        for table in ("span", "trace"):
            self._database.execute(
                f"DELETE FROM {table} WHERE trace_id IN ({_TOO_OLD})",  # noqa: S608  # constants
                (self._keep_traces,),
            )

    def _query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._database.execute(statement, values).fetchall()

    def _traces(self, trace_ids: Sequence[str]) -> list[Trace]:
        traces = []
        for trace_id in trace_ids:
            rows = self._query(
                f"SELECT {_COLUMNS}, fields FROM span "  # noqa: S608  # constant
                "WHERE trace_id = ? ORDER BY start_ns, span_id",
                trace_id,
            )
            if rows:
                traces.append(Trace(trace_id, tuple(_span(row) for row in rows)))
        return traces


def _span(row: tuple[Any, ...]) -> StoredSpan:
    *columns, failed, fields = row
    return StoredSpan(*(*columns, bool(failed), json.loads(fields)))
