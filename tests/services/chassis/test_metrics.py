"""Figures come out in Prometheus' format; labels are codes, and a bounded number of them."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.chassis.metrics import OTHER, Metrics


def values(metrics: Metrics, sample: str) -> dict[tuple[str, ...], float]:
    """Read the samples of that name back from the text, by their labels' values."""
    families = text_string_to_metric_families(metrics.render().decode())
    return {
        tuple(found.labels.values()): found.value
        for family in families
        for found in family.samples
        if found.name == sample
    }


def test_messages_by_flow_and_state() -> None:
    metrics = Metrics()
    metrics.message("b.referral", "delivered")
    metrics.message("b.referral", "delivered")
    metrics.message("b.referral", "accepted")
    assert values(metrics, "relais_messages_total") == {
        ("b.referral", "delivered"): 2,
        ("b.referral", "accepted"): 1,
    }


def test_a_refusal_counts_under_each_article() -> None:
    metrics = Metrics()
    metrics.refusal("A-2.11", "A-3.1")
    metrics.refusal("A-2.11")
    assert values(metrics, "relais_refusals_total") == {("A-2.11",): 2, ("A-3.1",): 1}


def test_time_to_deliver_is_a_histogram() -> None:
    metrics = Metrics()
    for seconds in (0.004, 0.2, 90_000.0, -1.0):
        metrics.delivered(seconds)
    buckets = values(metrics, "relais_delivery_seconds_bucket")
    assert buckets["0.005",] == 2
    assert buckets["0.25",] == 3
    assert buckets["86400.0",] == 3
    assert buckets["+Inf",] == 4
    assert values(metrics, "relais_delivery_seconds_sum") == {(): pytest.approx(90_000.204)}


def test_gauges_hold_the_last_figure_given() -> None:
    metrics = Metrics()
    metrics.outbox(rows=9, oldest_seconds=9.0)
    metrics.outbox(rows=2, oldest_seconds=61.5)
    metrics.dead_letters(1)
    metrics.receipts_missing(3)
    metrics.deadlines_at_risk(4)
    metrics.letterbox_erasure_lag(5)
    expected = {
        "relais_outbox_rows": 2,
        "relais_outbox_oldest_seconds": 61.5,
        "relais_dead_letters": 1,
        "relais_receipts_missing": 3,
        "relais_deadlines_at_risk": 4,
        "relais_letterbox_erasure_lag": 5,
    }
    assert {name: values(metrics, name)[()] for name in expected} == expected


@pytest.mark.parametrize("label", ["Camille Exemple", "", "a" * 65, 'x"} 1\nevil', "é"])
def test_what_is_no_code_becomes_other(label: str) -> None:
    metrics = Metrics()
    metrics.message(label, "delivered")
    metrics.message("b.referral", label)
    assert set(values(metrics, "relais_messages_total")) == {
        (OTHER, "delivered"),
        ("b.referral", OTHER),
    }


def test_a_label_takes_a_bounded_number_of_codes() -> None:
    metrics = Metrics()
    for number in range(600):
        metrics.refusal(f"A-{number}")
    metrics.refusal("A-0")
    counted = values(metrics, "relais_refusals_total")
    assert len(counted) == 513
    assert counted["A-0",] == 2
    assert counted[OTHER,] == 88


def test_two_nodes_in_one_process_share_nothing() -> None:
    first, second = Metrics(), Metrics()
    first.dead_letters(7)
    assert values(second, "relais_dead_letters") == {(): 0}
    assert values(first, "relais_dead_letters") == {(): 7}
    assert Metrics.content_type.startswith("text/plain")
