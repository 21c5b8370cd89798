"""How soon a node's pages answer: a city with a year's work behind it, on SQLite, over HTTP.

Rows are put where messages would put them, as many and as large; the pages are then asked for one
after another, in turn, by somebody who sits in the role that opens each.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any, Final

import httpx
import uvicorn

from services.chassis import tables
from services.chassis.governance import REVIEW
from services.chassis.schema import journal
from services.chassis.scopes import case_scope
from services.chassis.standing import Person, sealed_person
from services.chassis.tokens import Role
from services.chassis.web import create_app
from tests.invented import PUPIL
from tests.pair import CONVENTION, Pair
from tests.seated import opened, seat

if TYPE_CHECKING:
    from services.chassis.database import Tx
    from tests.pair import Side

LINES, CASES = 100_000, 5_000
"""What the wanted time is asked of: lines of the journal, and cases."""

ARTICLE: Final = "A-2.11"
PAGES: Final = {
    "today": (Role.AGENT, "/pages/today"),
    "situations": (Role.AGENT, "/pages/situations"),
    "situations, far back": (Role.AGENT, "/pages/situations?before={case}"),
    "situations, closed": (Role.MANAGER, "/pages/situations?state=closed"),
    "one situation": (Role.AGENT, "/pages/situations/{case}"),
    "journal": (Role.DPO, "/pages/journal"),
    "journal, by event": (Role.DPO, "/pages/journal?event=message.read"),
    "journal, by article": (Role.DPO, f"/pages/journal?article={ARTICLE}"),
    "journal, by day and outcome": (Role.DPO, "/pages/journal?day={day}&outcome=expired"),
    "journal, far back": (Role.DPO, "/pages/journal?before={middle}"),
    "refusals": (Role.DPO, "/pages/journal/refusals?period=all"),
    "operation": (Role.OPERATOR, "/pages/operation"),
}
"""What is measured: the role that asks, and the address."""

_EVENTS: Final = (
    ("message.sent", "allowed", (), 25),
    ("receipt", "received", (), 25),
    ("message.received", "allowed", (), 22),
    ("message.read", "read", (), 5),
    ("agreement.recorded", "recorded", (), 8),
    ("session.began", "recorded", (), 8),
    ("deadline.missed", "missed", ("A-8.1",), 4),
    ("message.refused", "refused", (ARTICLE, "A-2.10"), 2),
    ("message.expired", "expired", (), 1),
)
"""Lines of a journal and how many of a hundred they are."""
_FACTS: Final = 1200
"""Bytes of the facts of one decision, sealed."""
_LETTERS_A_CASE: Final = 4
_OPEN: Final = 50
_PER_INSERT: Final = 5_000


class PageFailedError(RuntimeError):
    """A page answered with an error: its time means nothing."""


def seconds_a_page(
    rounds: int = 21, lines: int = LINES, cases: int = CASES
) -> dict[str, list[float]]:
    """Return each page's seconds, round by round, in turn. Raises PageFailedError."""
    with tempfile.TemporaryDirectory() as folder, _city(Path(folder), lines, cases) as city:
        at = city.clock.now()
        held = city.rows(tables.cases, tables.cases.c.state == "open")
        named = {
            "day": (at - timedelta(days=100)).date().isoformat(),
            "middle": lines // 2,
            "case": held[len(held) // 2].case_id,
        }
        cookies = {role: seat(city, role) for role, _ in PAGES.values()}
        with _serving(city) as url:
            times: dict[str, list[float]] = {name: [] for name in PAGES}
            for number in range(rounds + 1):
                for name, (role, path) in PAGES.items():
                    taken = _ask(f"{url}{path.format(**named)}", cookies[role])
                    if number:  # the first fills templates and caches
                        times[name].append(taken)
    return times


def _ask(url: str, cookie: str) -> float:
    with httpx.Client(cookies={"relais": cookie}, headers={"accept": "text/html"}) as client:
        began = perf_counter()
        answer = client.get(url)
        taken = perf_counter() - began
    if answer.status_code != httpx.codes.OK:
        raise PageFailedError(f"{url} answered {answer.status_code}")
    return taken


@contextmanager
def _city(folder: Path, lines: int, cases: int) -> Iterator[Side]:
    urls = (f"sqlite:///{folder / 'one.sqlite'}", f"sqlite:///{folder / 'other.sqlite'}")
    with Pair(folder, urls) as pair:
        _fill(pair.city, pair.school.org, lines, cases)
        yield opened(pair.restart(pair.city))


def _fill(side: Side, partner: str, lines: int, cases: int) -> None:
    draw, at = random.Random(1), side.clock.now()  # noqa: S311 -- the same rows in each run
    ids = [f"{draw.getrandbits(128):032x}" for _ in range(cases)]
    _put(side, tables.cases, (_case(one, partner, at, number) for number, one in enumerate(ids)))
    side.node.keystore.ensure(map(case_scope, ids))
    _put(side, tables.persons, (_person(side, one, at) for one in ids))
    letters = [f"{draw.getrandbits(128):032x}" for _ in range(cases * _LETTERS_A_CASE)]
    case_of = {one: ids[number % cases] for number, one in enumerate(letters)}
    numbered = [(number, one, case_of[one]) for number, one in enumerate(letters)]
    _put(side, tables.outbox, (_sent(one, case, partner, at, n) for n, one, case in numbered))
    _put(side, tables.inbox, (_came(one, case, partner, at, n) for n, one, case in numbered))
    _put(side, tables.receipts, (_receipt(one, partner, at, n) for n, one, _ in numbered))
    _put(side, tables.deadlines, (_due(one, at, number) for number, one in enumerate(ids)))
    _put(side, journal, _journal(side, draw, letters, case_of, lines))


def _put(side: Side, table: Any, rows: Iterator[dict[str, Any]]) -> None:
    waiting = list(rows)
    for first in range(0, len(waiting), _PER_INSERT):
        some = waiting[first : first + _PER_INSERT]
        side.write(partial(_insert, table, some))


def _insert(table: Any, rows: list[dict[str, Any]], tx: Tx) -> None:
    tx.execute(table.insert(), rows)


def _person(side: Side, case_id: str, at: datetime) -> dict[str, Any]:
    """Whom a case is about, under the case's own key, as a partner's message names them."""
    scope = case_scope(case_id)
    person = Person.model_validate_json(json.dumps(PUPIL))
    sealed = sealed_person(side.node.core, scope, person)
    return {"person_id": case_id, "scope": scope, "sealed": sealed, "created_at": at}


def _case(case_id: str, partner: str, at: datetime, number: int) -> dict[str, Any]:
    return {
        "case_id": case_id,
        "person_id": case_id,
        "instrument": CONVENTION,
        "partner": partner,
        "purpose": "school_perseverance",
        "opened_here": False,
        "rests_on": "agreement",
        "state": "open" if number % 3 else "closed",
        "opened_at": at - timedelta(minutes=90 * number),
        "seq_out": 1,
        "seq_in": 1,
    }


def _sent(message_id: str, case_id: str, partner: str, at: datetime, number: int) -> dict[str, Any]:
    waits = number < _OPEN
    sent = at - timedelta(minutes=20 * number)
    return {
        "message_id": message_id,
        "kind": "letter",
        "type": "referral.answered",
        "receiver": partner,
        "subject": "s",
        "instrument": CONVENTION,
        "case_id": case_id,
        "seq": 1,
        "state": "queued" if waits else "accepted",
        "created_at": sent,
        "expires_at": sent + timedelta(days=30),
        "due_at": sent if waits else None,
        "attempts": 1,
        "unverified": 0,
        "closed_at": None if waits else sent,
        "status": None if waits else "received",
    }


def _came(message_id: str, case_id: str, partner: str, at: datetime, number: int) -> dict[str, Any]:
    came = at - timedelta(minutes=20 * number)
    return {
        "sender": partner,
        "message_id": message_id,
        "type": "referral.submitted",
        "case_id": case_id,
        "status": "received",
        "received_at": came,
        "expires_at": came + timedelta(days=30),
    }


def _receipt(receipt_id: str, partner: str, at: datetime, number: int) -> dict[str, Any]:
    came = at - timedelta(minutes=20 * number)
    return {"receipt_id": receipt_id, "org": partner, "token": b"x" * 600, "received_at": came}


def _due(case_id: str, at: datetime, number: int) -> dict[str, Any]:
    return {
        "deadline_id": case_id,
        "kind": REVIEW,
        "subject": case_id,
        "level": 0,
        "case_id": case_id,
        "article": "A-8.1",
        "due_at": at + timedelta(hours=number - 200),
        "state": "pending" if number > 200 else "missed",
        "armed_at": at,
    }


def _journal(
    side: Side, draw: random.Random, letters: list[str], case_of: dict[str, str], lines: int
) -> Iterator[dict[str, Any]]:
    chain, first = side.node.journal.chain, side.node.journal.head().seq + 1
    weights = [weight for *_, weight in _EVENTS]
    facts, began = draw.randbytes(_FACTS), side.clock.now() - timedelta(days=365)
    step = timedelta(days=365) / lines
    for number, (event, outcome, articles, _) in enumerate(draw.choices(_EVENTS, weights, k=lines)):
        message = letters[number % len(letters)]
        about = event.startswith(("message", "receipt"))
        yield {
            "chain": chain,
            "seq": first + number,
            "at": began + number * step,
            "event": event,
            "message_id": message if about else None,
            "flow": "referral.answered" if about else None,
            "outcome": outcome,
            "articles": articles,
            "rules_version": "a_city_school/1",
            "commitment": "c" * 64,
            "prev": "0" * 64,
            "hash": "1" * 64,
            "scope": case_scope(case_of[message]) if about else None,
            "case_id": case_of[message] if about else None,
            "agent_id": "agent-1",
            "facts_sealed": facts if event.startswith("message") else None,
        }


@contextmanager
def _serving(side: Side) -> Iterator[str]:
    config = uvicorn.Config(create_app(side.node), port=0, lifespan="off", log_config=None)
    server, sockets = uvicorn.Server(config), [config.bind_socket()]
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets})
    thread.start()
    while not server.started:
        sleep(0.01)
    try:
        yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


if __name__ == "__main__":
    for name, taken in seconds_a_page().items():
        sys.stdout.write(f"{name}: {median(taken) * 1000:.1f} ms\n")
