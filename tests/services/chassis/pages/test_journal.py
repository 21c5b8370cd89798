"""The journal's pages: search, refusals by article, one line replayed, the whole verified."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from services.chassis import tables
from services.chassis.pages.journal import OUTCOMES, line_in_words, read_criteria
from services.chassis.pages.replay import replayed
from services.chassis.schema import journal
from services.chassis.tokens import Role
from tests.office_desks import desk, fill
from tests.pair import Pair, Side

VERIFICATION = "/pages/journal/verification"


def line_of(side: Side, event: str) -> Any:
    return side.rows(journal, journal.c.event == event)[-1]


async def test_a_search_shows_lines_in_words_with_their_articles(pair: Pair) -> None:
    async with desk(pair.school, Role.DPO) as client:
        page = (await client.get("/pages/journal?event=message.refused")).text
    assert "envoi refusé" in page
    assert "fiche de repérage" in page
    assert "A-1.2, A-2.10, A-2.11" in page
    assert "habilitation donnée</td>" not in page
    assert 'value="message.refused" selected' in page


async def test_a_faulty_criterion_is_said_at_the_top_and_beside_and_nothing_is_lost(
    pair: Pair,
) -> None:
    async with desk(pair.school, Role.DPO) as client:
        answer = await client.get(
            "/pages/journal", params={"article": "A-2.11", "message": "zz", "day": "2026-02-30"}
        )
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    page = answer.text
    assert 'role="alert"' in page
    for name in ("message", "day"):
        assert f'href="#{name}"' in page
        assert f'id="{name}-fault"' in page
    assert 'value="A-2.11"' in page
    assert 'value="zz"' in page
    assert "Aucune ligne" not in page


@pytest.mark.parametrize(
    "typed",
    [
        "<script>alert(1)</script>",
        '" onfocus="alert(1)',
        "' OR 1=1 --",
        "%",
        "{{ 7 * 7 }}",
        "A-2.11\x00",
        "é" * 300,
        "\u202eA-2.11",
    ],
)
async def test_what_is_typed_is_neither_run_nor_a_pattern(pair: Pair, typed: str) -> None:
    """Injection: into SQL, into the page, into its template."""
    async with desk(pair.school, Role.DPO) as client:
        for name in ("article", "message", "case", "event", "outcome", "day", "before"):
            answer = await client.get("/pages/journal", params={name: typed})
            assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, name
            assert "<script>alert" not in answer.text
            assert ' onfocus="alert' not in answer.text
            assert "49" not in re.sub(r'token" value="[^"]+"', "", answer.text) or "49" in typed


async def test_a_long_search_goes_on_by_place(pair: Pair) -> None:
    for number in range(60):
        pair.city.charter(f"agent-{number}")
    async with desk(pair.city, Role.DPO) as client:
        first = (await client.get("/pages/journal?event=charter.accepted")).text
        (older,) = re.findall(r'href="([^"]+)">Plus anciennes', first)
        assert "before=" in older
        second = (await client.get(older.replace("&amp;", "&"))).text
    shown = [set(re.findall(r"/pages/journal/(\d+)", page)) for page in (first, second)]
    assert len(shown[0]) == 50
    assert shown[0].isdisjoint(shown[1])
    assert "Plus anciennes" not in second
    assert "Les plus récentes" in second


async def test_a_decision_is_replayed_in_words_with_its_reasons(pair: Pair) -> None:
    refused = line_of(pair.school, "message.refused")
    sent = line_of(pair.school, "message.sent")
    async with desk(pair.school, Role.DPO) as client:
        page = (await client.get(f"/pages/journal/{refused.seq}")).text
        assert "Même décision" in page
        assert "L&#39;accord du représentant légal" in page
        assert refused.message_id in page
        allowed = (await client.get(f"/pages/journal/{sent.seq}")).text
        assert "rien ne s&#39;y opposait" in allowed
        assert sent.case_id in allowed
    async with desk(pair.school, Role.OPERATOR) as client:
        page = (await client.get(f"/pages/journal/{sent.seq}")).text
        assert "Même décision" in page
        assert sent.case_id not in page  # the operator opens no case
        assert "agent-1" not in page


async def test_a_line_that_says_otherwise_than_its_inputs_is_told(pair: Pair) -> None:
    refused = line_of(pair.school, "message.refused")
    alter(pair.school, refused.seq, articles=("A-9.1",))
    async with desk(pair.school, Role.DPO) as client:
        page = (await client.get(f"/pages/journal/{refused.seq}")).text
    assert "Décision différente" in page


def alter(side: Side, seq: int, **values: Any) -> None:
    side.write(lambda tx: tx.execute(update(journal).where(journal.c.seq == seq).values(**values)))


async def test_an_erased_line_says_so_with_its_certificate(pair: Pair) -> None:
    async with desk(pair.school, Role.DPO) as client:
        case_id = pair.school.rows(tables.cases)[0].case_id
        answer = await pair_call(pair.school, f"/api/v1/cases/{case_id}/erasure")
        assert answer.is_success, answer.text
        sent = pair.school.rows(
            journal, (journal.c.event == "message.sent") & journal.c.scope.is_(None)
        )
        page = (await client.get(f"/pages/journal/{sent[0].seq}")).text
        certificate = pair.school.rows(tables.certificates)[0].certificate
    assert "Éléments effacés" in page
    assert certificate in page


async def pair_call(side: Side, path: str) -> httpx.Response:
    """The API's call that the data protection officer makes."""
    side.charter("dpo-9")
    token = side.node.tokens.make("dpo-9", Role.DPO, side.clock.now(), timedelta(hours=1))
    transport = httpx.ASGITransport(app=side.app)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://node", headers=headers
    ) as client:
        return await client.post(path)


def test_a_replay_is_always_said() -> None:
    assert replayed({}).kind == "none"
    assert replayed({"replay": "rules gone"}).kind == "gone"
    assert replayed({"replay": "inputs erased", "certificate": None}).certificate is None


async def test_refusals_stand_by_article_as_bars_and_as_a_table(pair: Pair) -> None:
    async with desk(pair.school, Role.OPERATOR) as client:
        page = (await client.get("/pages/journal/refusals")).text
        assert re.search(r"A-2\.11.: accord.: 1", page)
        assert 'href="/pages/journal?article=A-2.11"' in page
        assert page.count('<rect class="bar"') == 3
        late = (await client.get("/pages/journal/refusals?period=x' OR 1=1")).text
        assert 'value="365" selected' in late
    async with desk(pair.city, Role.DPO) as client:
        assert "Aucun refus" in (await client.get("/pages/journal/refusals")).text


async def test_the_chain_is_verified_from_the_page_while_it_goes_on(pair: Pair) -> None:
    async with desk(pair.school, Role.DPO) as client:
        before = (await client.get(VERIFICATION)).text
        assert "Aucune vérification" in before
        assert "eyJ" in before  # the signed head
        sent = await fill(client, VERIFICATION, VERIFICATION)
        assert sent.headers["location"] == VERIFICATION
        page = await ended(client)
        assert "Le journal est intact" in page
        over = await client.get(f"{VERIFICATION}/run?seen=over")
        assert over.status_code == HTTPStatus.NO_CONTENT
        assert (await client.get(f"{VERIFICATION}/run?seen=1")).text.startswith("<div")
    alter(pair.school, 3, outcome="allowed")
    async with desk(pair.school, Role.DPO) as client:
        await fill(client, VERIFICATION, VERIFICATION)
        page = await ended(client)
    assert "Le journal n&#39;est pas intact" in page or "Le journal n'est pas intact" in page
    assert 'href="/pages/journal/3"' in page
    assert "son contenu a changé" in page


async def ended(client: httpx.AsyncClient) -> str:
    for _ in range(200):
        page = (await client.get(VERIFICATION)).text
        if "Vérification en cours" not in page:
            return page
        await asyncio.sleep(0.05)
    raise AssertionError("the verification did not end")


async def test_every_outcome_that_is_offered_has_a_word(pair: Pair) -> None:
    offered, faults = read_criteria({"outcome": OUTCOMES[0], "day": " "})
    assert (offered.outcome, offered.day, faults) == (OUTCOMES[0], None, None)
    for row in pair.school.rows(journal):
        shown = line_in_words(pair.school.node.core, row)
        assert shown["event"] != row.event, row.event
        assert shown["outcome"] != row.outcome, row.outcome
