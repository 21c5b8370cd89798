"""Figures of the registrar for Prometheus; labels hold codes of a closed list only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client import Counter as PrometheusCounter
from prometheus_client.exposition import generate_latest

from services.registrar.reconcile import Mended


class RegistrarMetrics:
    """Gauges and counters of one registrar, in a registry of its own."""

    def __init__(self) -> None:
        """Register everything at zero."""
        self.registry = CollectorRegistry()
        self._accounts = self._gauge("accounts", "Organisations whose account is compiled.")
        self._open = self._gauge("subjects_open", "Subjects that the hub lets through.")
        self._withheld = self._gauge("subjects_withheld", "Subjects withheld, by reason.", "reason")
        self._read_back = self._gauge(
            "read_back_timestamp_seconds", "Instant of the last read-back that was all equal."
        )
        self._mended = PrometheusCounter(
            "relais_registrar_mended_total",
            "Accounts that differed on the hub and were pushed again.",
            ("difference",),
            registry=self.registry,
        )
        self._failures = PrometheusCounter(
            "relais_registrar_failures_total",
            "Accounts that still differed after a push, and passes that the hub did not answer.",
            registry=self.registry,
        )

    def compiled(self, accounts: int, subjects: int, withheld: Mapping[str, str]) -> None:
        """Say what was compiled. withheld: reason (code) by subject."""
        self._accounts.set(accounts)
        self._open.set(subjects)
        self._withheld.clear()
        for reason, count in Counter(withheld.values()).items():
            self._withheld.labels(reason).set(count)

    def mended(self, entries: Iterable[Mended]) -> None:
        """Count what had to be pushed again."""
        for entry in entries:
            self._mended.labels(entry.difference.value).inc()
            if entry.failure is not None:
                self._failures.inc()

    def failed(self) -> None:
        """Count a pass that the hub did not answer."""
        self._failures.inc()

    def equal(self, at: datetime) -> None:
        """Say when the hub last held exactly what was compiled."""
        self._read_back.set(at.timestamp())

    def render(self) -> bytes:
        """Write everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def _gauge(self, name: str, sentence: str, *labels: str) -> Gauge:
        return Gauge(f"relais_registrar_{name}", sentence, labels, registry=self.registry)
