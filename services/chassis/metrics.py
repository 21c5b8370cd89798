"""Figures of a node for Prometheus: how many messages, refused under which article, how late.

Each node has its own registry, so that several nodes can live in one process. Labels hold codes
only, and each label a bounded number of them: a label made from data would be both a leak and an
endless memory.
"""

from __future__ import annotations

import re
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

_CODE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CODES_PER_LABEL: Final = 512
OTHER: Final = "other"
"""Label value for what is no code, or comes after the 512 first codes of its label."""

_DELIVERY_BUCKETS: Final = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0),
    *(3_600.0, 86_400.0, 604_800.0),  # a receiver asleep: an hour, a day, a week
)


class Metrics:
    """The counters and gauges of one node."""

    content_type = CONTENT_TYPE_LATEST
    """Media type of `render`."""

    def __init__(self) -> None:
        """Register everything at zero, in a registry of its own."""
        self.registry = CollectorRegistry()
        self._known: dict[str, set[str]] = {}
        self._reached: dict[tuple[str, str], Counter] = {}
        self._messages = Counter(
            "relais_messages_total",
            "Messages, by flow and state reached.",
            ("flow", "state"),
            registry=self.registry,
        )
        self._refusals = Counter(
            "relais_refusals_total",
            "Refusals, by article that said no.",
            ("article",),
            registry=self.registry,
        )
        self._delivery = Histogram(
            "relais_delivery_seconds",
            "Time from the outbox row to the receiver's own PubAck.",
            buckets=_DELIVERY_BUCKETS,
            registry=self.registry,
        )
        self._outbox_oldest = self._gauge(
            "relais_outbox_oldest_seconds", "Age of the oldest row that waits in the outbox."
        )
        self._outbox_rows = self._gauge("relais_outbox_rows", "Rows that wait in the outbox.")
        self._dead_letters = self._gauge(
            "relais_dead_letters", "Letters that failed for good and wait for an operator."
        )
        self._receipts_missing = self._gauge(
            "relais_receipts_missing", "Messages delivered whose signed receipt has not come back."
        )
        self._deadlines = self._gauge(
            "relais_deadlines_at_risk", "Legal deadlines that are near or past."
        )
        self._erasure_lag = self._gauge(
            "relais_letterbox_erasure_lag",
            "Handled letters whose text still lies in the letterbox.",
        )

    def message(self, flow: str, state: str, count: int = 1) -> None:
        """Count messages of that flow that reached that state (codes)."""
        codes = self._code("flow", flow), self._code("state", state)
        counter = self._reached.get(codes)
        if counter is None:
            counter = self._reached[codes] = self._messages.labels(*codes)
        counter.inc(count)

    def refusal(self, *articles: str) -> None:
        """Count a refusal once under each article (obligation id) that said no."""
        for article in articles:
            self._refusals.labels(self._code("article", article)).inc()

    def delivered(self, seconds: float) -> None:
        """Record the time from the outbox row to the receiver's PubAck, in seconds."""
        self._delivery.observe(max(0.0, seconds))

    def outbox(self, *, rows: int, oldest_seconds: float) -> None:
        """Say how many rows wait, and the age of the oldest in seconds (0 when none)."""
        self._outbox_rows.set(rows)
        self._outbox_oldest.set(oldest_seconds)

    def dead_letters(self, count: int) -> None:
        """Say how many letters failed for good."""
        self._dead_letters.set(count)

    def receipts_missing(self, count: int) -> None:
        """Say how many delivered messages lack their receipt."""
        self._receipts_missing.set(count)

    def deadlines_at_risk(self, count: int) -> None:
        """Say how many legal deadlines are near or past."""
        self._deadlines.set(count)

    def letterbox_erasure_lag(self, waiting: int) -> None:
        """Say how many handled letters wait to be erased from the letterbox."""
        self._erasure_lag.set(waiting)

    def render(self) -> bytes:
        """Write everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def _gauge(self, name: str, sentence: str) -> Gauge:
        return Gauge(name, sentence, registry=self.registry)

    def _code(self, label: str, value: str) -> str:
        known = self._known.setdefault(label, set())
        if value in known:
            return value
        if len(known) >= _CODES_PER_LABEL or _CODE.fullmatch(value) is None:
            return OTHER
        known.add(value)
        return value
