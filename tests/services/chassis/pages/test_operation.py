"""The operator's page: letters, dead letters, partners, keys, and a message's way."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from sqlalchemy import update

from services.chassis import tables
from services.chassis.clock import new_id
from services.chassis.pages.operation import SOON, endings, reason_in_words
from services.chassis.pages.traces import known_here, milliseconds, observed
from services.chassis.tls import Authority
from services.chassis.tokens import Role
from services.observer.receiver import create_app
from services.observer.store import Store, StoredSpan
from tests.office_desks import desk, fill
from tests.pair import Pair, Side

PAGE = "/pages/operation"
DAY = timedelta(days=1)


def dead(side: Side, sender: str, reason: str, body: bytes | None = None) -> str:
    dead_id, at = new_id(), side.clock.now()
    row = {
        "id": dead_id,
        "sender": sender,
        "message_id": new_id(),
        "subject": "x",
        "reason": reason,
        "articles": ("A-10.1",) if reason == "not_open" else (),
        "commitment": "0" * 64,
        "body": body,
        "attempts": 5,
        "failed_at": at - timedelta(hours=3),
        "keep_until": at + 20 * DAY,
    }
    side.write(lambda tx: tx.execute(tables.dead_letters.insert(), [row]))
    return dead_id


async def test_what_waits_is_counted_by_state_with_the_age_of_the_oldest(pair: Pair) -> None:
    async with desk(pair.school, Role.OPERATOR) as client:
        assert "Aucune lettre n'attend" in (await client.get(PAGE)).text
        pair.refer()
        pair.clock.at += timedelta(minutes=12)
        page = (await client.get(PAGE)).text
        assert re.search(r"<dt>en attente</dt><dd>1</dd>", page)
        assert "<dd>12 minutes</dd>" in page
        where = tables.outbox.c.due_at.is_not(None)
        failed = update(tables.outbox).where(where).values(failure="not_delivered")
        pair.school.write(lambda tx: tx.execute(failed))
        page = (await client.get(PAGE)).text
        assert "1 retardée : boîte du destinataire injoignable" in page


async def test_a_dead_letter_says_why_and_is_tried_again_through_the_api(pair: Pair) -> None:
    school = pair.school
    dead(school, pair.city.org, "not_open")
    retried = dead(school, "", "failed:conflict", b"not what it was")
    async with desk(school, Role.OPERATOR) as client:
        page = (await client.get(PAGE)).text
        assert "Lettres mortes (2)" in page
        assert "fermé" in page
        assert "A-10.1" in page
        assert "le traitement a échoué (déjà enregistré)" in page
        assert page.count("Reprendre</button>") == 1
        answer = await fill(client, PAGE, f"{PAGE}/dead-letters/{retried}/retry")
        assert answer.status_code >= HTTPStatus.BAD_REQUEST  # it still does not open
        assert 'role="alert"' in answer.text
    shown = await told(pair, f"{PAGE}?retried=received,refused,%3Cb%3E")
    assert "Lettre reprise : reçu, refusé." in shown
    assert "<b>" not in shown


async def told(pair: Pair, path: str) -> str:
    async with desk(pair.school, Role.OPERATOR) as client:
        return (await client.get(path)).text


async def test_a_letter_that_opens_again_is_received(pair: Pair) -> None:
    """What failed once is handled when the operator asks."""
    pair.refer()
    (letter,) = pair.school.outgoing()
    dead_id = dead(pair.city, pair.school.org, "failed:conflict")
    values = {"headers": json.dumps(dict(letter.headers)), "body": letter.body}
    mine = tables.dead_letters.c.id == dead_id
    change = update(tables.dead_letters).where(mine).values(subject=letter.subject, **values)
    pair.city.write(lambda tx: tx.execute(change))
    async with desk(pair.city, Role.OPERATOR) as client:
        answer = await fill(client, PAGE, f"{PAGE}/dead-letters/{dead_id}/retry")
        assert answer.headers["location"] == f"{PAGE}?retried=received"
        page = (await client.get(answer.headers["location"])).text
        assert "Lettre reprise : reçu." in page
        assert "Reprendre</button>" not in page


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("not_open", "fermé"),
        ("unverified", "origine non prouvée"),
        ("unknown_encryption_key", "clé de chiffrement détruite ou inconnue"),
        ("failed:conflict", "le traitement a échoué (déjà enregistré)"),
        ("failed:KeyError", "le traitement a échoué (KeyError)"),
    ],
)
def test_a_reason_is_said_in_words(reason: str, said: str) -> None:
    assert reason_in_words(reason) == said


async def test_a_partner_shows_when_it_answered_wrote_and_published(pair: Pair) -> None:
    page = await told(pair, PAGE)
    (row,) = re.findall(r"<tr role=\"row\"><th[^>]*>Organisme v1</th>(.*?)</tr>", page)
    assert row.count("22 novembre 2026") == 2  # the receipt, and the letter that carried it
    assert "21 novembre 2026" in row
    pair.clock.at += 33 * DAY
    late = await told(pair, PAGE)
    assert "plus que 4 jours" in late or "plus que 3 jours" in late


async def test_the_part_that_follows_is_silent_while_nothing_changes(pair: Pair) -> None:
    async with desk(pair.school, Role.OPERATOR) as client:
        page = (await client.get(PAGE)).text
        (seen,) = re.findall(r"state\?seen=([0-9a-f]+)", page)
        same = await client.get(f"{PAGE}/state?seen={seen}")
        assert (same.status_code, same.content) == (HTTPStatus.NO_CONTENT, b"")
        pair.refer()
        changed = await client.get(f"{PAGE}/state?seen={seen}")
        assert changed.status_code == HTTPStatus.OK
        assert "en attente" in changed.text


def test_certificates_are_read_and_said_to_end_soon(pair: Pair, tmp_path: Path) -> None:
    node, now = pair.school.node, datetime.now(UTC)
    authority = Authority.create(tmp_path / "tls", now - DAY, now + 400 * DAY)
    files = authority.issue(tmp_path / "tls", "node", ["localhost"], now - DAY, now + 3 * DAY)
    node.settings = node.settings.model_copy(update={"nats_tls": files})
    keys, own, ca = endings(node, now)
    assert keys.soon == ""
    assert own.soon == "plus que 2 jours"
    assert ca.soon == ""
    assert endings(node, now + 4 * DAY)[1].soon == "finie"
    assert SOON > 3 * DAY
    files.certificate.write_text("damaged", encoding="ascii")
    assert endings(node, now)[1].until == "illisible"


# -- a message's way ------------------------------------------------------------------------------


async def test_without_the_observer_a_way_is_what_the_node_knows(pair: Pair) -> None:
    pair.refer()
    sent = pair.school.rows(tables.outbox)[-1]
    pair.clock.at += timedelta(minutes=3)
    await pair.carry()
    page = await told(pair, f"{PAGE}/message?number={sent.message_id}")
    assert "voici ce que ce nœud en sait lui-même" in page
    assert "envoi décidé" in page
    assert "3 min 0 s" in page
    assert "accusé de réception" in page
    core = pair.city.node.core
    there = pair.city.node.database.read_now(lambda c: known_here(c, core, sent.message_id))
    assert there is not None
    assert [one.name for one in there.steps] == ["reçu de Organisme s1"]


@contextmanager
def observing(folder: Path, *spans: StoredSpan) -> Iterator[str]:
    """A real observer on loopback that keeps these steps."""
    path = folder / "traces.sqlite"
    store = Store(path)
    store.add(spans)
    store.close()
    server = uvicorn.Server(uvicorn.Config(create_app(path), port=0, log_config=None))
    sockets = [server.config.bind_socket()]
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def span(message_id: str, name: str, start: int, end: int, **more: Any) -> StoredSpan:
    fields = {"message_id": message_id, **more.pop("fields", {})}
    more = {"node": "ecole", "service": "relais-school", "parent_id": None, **more}
    return StoredSpan(
        "0" * 31 + "1",
        f"{start:016x}",
        name=name,
        start_ns=start,
        end_ns=end,
        fields=fields,
        **more,
    )


async def test_the_observer_s_steps_are_shown_and_only_what_may_be(
    pair: Pair, tmp_path: Path
) -> None:
    sent, core = pair.school.rows(tables.outbox)[0], pair.school.node.core
    message_id, ms = sent.message_id, 1_000_000
    spans = (
        span(message_id, "message.send", ms, 5 * ms),
        span(
            message_id,
            "letter.handle",
            6 * ms,
            9 * ms,
            node="ville",
            failed=True,
            fields={"state": "refused", "articles": "A-2.11", "code": "Zoé Exemplaire"},
        ),
        span(message_id, "Zoé Exemplaire", 9 * ms, 11 * ms, node="Zoé Exemplaire"),
    )
    with observing(tmp_path, *spans) as url:
        way = await observed(f"{url}/v1/traces", message_id, core)
        assert way is not None
        assert [(one.name, one.where, one.bad) for one in way.steps] == [
            ("demande d'envoi", "Organisme s1", False),
            ("traitement à l'arrivée", "Organisme v1", True),
            ("étape sans nom", "", False),
        ]
        assert way.steps[1].outcome == "refusé A-2.11 (accord)"
        assert "Zoé" not in repr(way)
        assert await observed(url, new_id(), core) is None
        node = pair.school.node
        node.settings = node.settings.model_copy(update={"otlp_endpoint": url})
        page = await told(pair, f"{PAGE}/message?number={message_id}")
        assert "traitement à l&#39;arrivée" in page
        assert "lui-même" not in page
    assert await observed(url, message_id, core) is None  # it runs no more
    page = await told(pair, f"{PAGE}/message?number={message_id}")
    assert "lui-même" in page


async def test_the_observer_is_asked_for_no_message_but_our_own(pair: Pair, tmp_path: Path) -> None:
    stranger = new_id()
    node = pair.school.node
    with observing(tmp_path, span(stranger, "message.send", 1, 2)) as url:
        node.settings = node.settings.model_copy(update={"otlp_endpoint": url})
        page = await told(pair, f"{PAGE}/message?number={stranger}")
    assert "Aucun message de ce numéro" in page


@pytest.mark.parametrize(
    ("length", "said"),
    [(0.4, "0,4 ms"), (1250, "1,25 s"), (200_000, "3 min 20 s"), (7_500_000, "2 h 05")],
)
def test_a_length_is_written_as_french_does(length: float, said: str) -> None:
    assert milliseconds(length) == said
