"""One trace for all that an act set off, at both nodes: control messages and receipts included."""

from __future__ import annotations

from collections.abc import Callable

from services.federation.federation import Federation, wait_for
from services.federation.layout import OBSERVER
from services.observer.store import Store, Trace
from tests.federations import CITY, SCHOOL, agreement, post, referral, wait_accepted


def traces(federation: Federation) -> list[Trace]:
    store = Store(federation.layout.folder(OBSERVER) / "traces.sqlite")
    try:
        return store.recent(200)
    finally:
        store.close()


def found(federation: Federation, wanted: Callable[[Trace], bool]) -> Trace:
    """The newest trace that is as wanted, once it is complete."""
    seen: list[Trace] = []

    def there() -> bool:
        seen[:] = [one for one in traces(federation) if wanted(one)]
        return bool(seen)

    wait_for(there, 20, "no such trace")
    return seen[0]


def steps(trace: Trace) -> set[tuple[str, str]]:
    return {(span.node, span.name) for span in trace.spans}


def test_a_message_is_followed_until_its_receipt_is_home(federation: Federation) -> None:
    with federation.client(SCHOOL) as client:
        sent = post(client, "messages", referral(agreement(federation, client)))
        wait_accepted(client, sent["message_id"])
    way = {
        (SCHOOL, "message.send"),
        (SCHOOL, "letter.publish"),
        (CITY, "letter.handle"),
        (CITY, "letter.publish"),  # the receipt
        (SCHOOL, "receipt.take"),
    }
    trace = found(federation, lambda one: sent["message_id"] in one.messages and steps(one) == way)
    assert (trace.messages, trace.outcome) == ([sent["message_id"]], "accepted")


def test_a_withdrawal_and_an_erasure_are_one_trace_each(federation: Federation) -> None:
    with federation.client(SCHOOL) as client, federation.client(SCHOOL, "dpo") as dpo:
        agreed = agreement(federation, client)
        sent = post(client, "messages", referral(agreed))
        wait_accepted(client, sent["message_id"])
        post(client, f"agreements/{agreed}/withdrawal", {})
        asked = post(dpo, f"cases/{sent['case_id']}/erasure", {})
    there = {(SCHOOL, "letter.publish"), (CITY, "letter.handle"), (CITY, "letter.publish")}
    way = there | {(SCHOOL, "letter.handle"), (CITY, "receipt.take")}
    began = ("agreement.withdraw", "case.erase")
    withdrawn, erased = (
        found(federation, lambda one, name=name: one.root.name == name and way <= steps(one))  # type: ignore[misc] # mypy cannot infer a lambda with a default
        for name in began
    )
    assert withdrawn.outcome == erased.outcome == "accepted"
    assert asked["message_id"] in erased.messages


def test_a_repeat_says_that_it_is_one_and_no_trace_stays_open(federation: Federation) -> None:
    headers = {"Idempotency-Key": "traced"}
    with federation.client(SCHOOL) as client:
        body = referral(agreement(federation, client))
        first, second = (
            client.post("/api/v1/messages", json=body, headers=headers).json() for _ in range(2)
        )
        wait_accepted(client, first["message_id"])
    assert first == second
    found(federation, lambda one: one.outcome == "repeated")
    wait_for(lambda: all(one.outcome for one in traces(federation)), 20, "a trace says no outcome")
