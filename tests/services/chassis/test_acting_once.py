"""What a convention's call makes known beyond its node counts once under one Idempotency-Key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.kernel.errors import Unavailable
from services.chassis import tables
from services.chassis.bundle import Bundle
from services.chassis.tokens import Role
from tests.pair import CONVENTION, Pair
from tests.reports import ask

ACTS = f"/api/v1/conventions/{CONVENTION}/acts"
SUSPENSION = {"kind": "suspension"}
KEY = {"Idempotency-Key": "k-1"}


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


@pytest.fixture
def posted(pair: Pair) -> list[str]:
    """What reached the registrar, whose part the pair plays: it is read back at once."""
    found: list[str] = []

    async def post(path: str, content: str) -> None:
        found.append(content)
        pair.publish(Bundle(acts=(content,)) if path == "/acts" else Bundle())

    pair.school.node.post_document = post  # type: ignore[method-assign]  # a pair has no registrar
    return found


async def act(pair: Pair, body: Any = None, **headers: str) -> httpx.Response:
    return await ask(
        pair.school, ACTS, Role.MANAGER, "POST", json=body or SUSPENSION, headers=headers
    )


def acts(pair: Pair) -> int:
    return len(pair.school.node.core.directory.conventions[CONVENTION].acts)


def told(pair: Pair) -> int:
    """Letters by which the other party is told."""
    sent = tables.outbox.c.type == "convention.state_changed"
    return len(pair.school.rows(tables.outbox, sent))


async def test_an_act_repeated_under_its_key_is_one_act(pair: Pair, posted: list[str]) -> None:
    """A-10.1."""
    first, again = await act(pair, **KEY), await act(pair, **KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert (len(posted), acts(pair), told(pair)) == (1, 1, 1)
    other = await act(pair, {"kind": "resumption"}, **KEY)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert (await act(pair)).status_code == 201
    assert (len(posted), acts(pair)) == (2, 2)  # without a key each counts


async def test_an_act_published_before_the_node_fell_is_told_and_not_made_again(
    pair: Pair, posted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    node = pair.school.node
    post, write = node.post_document, node.database.write

    async def fallen(*_: Any, **__: Any) -> Any:
        raise Unavailable("La base ne répond pas.")

    monkeypatch.setattr(node.database, "write", fallen)
    assert (await act(pair, **KEY)).status_code >= 500
    assert (len(posted), told(pair)) == (1, 0)
    monkeypatch.setattr(node.database, "write", write)
    monkeypatch.setattr(node, "post_document", post)
    again = await act(pair, **KEY)
    assert again.status_code == 201, again.text
    assert (len(posted), acts(pair), told(pair)) == (1, 1, 1)
    assert (await act(pair, **KEY)).json() == again.json()


async def test_the_key_of_another_agent_or_organisation_is_another_act(
    pair: Pair, posted: list[str]
) -> None:
    post = pair.school.node.post_document
    pair.city.node.post_document = post  # type: ignore[method-assign]  # a pair has no registrar
    assert (await act(pair, **KEY)).status_code == 201
    theirs = await ask(pair.city, ACTS, Role.MANAGER, "POST", json=SUSPENSION, headers=KEY)
    assert theirs.status_code == 201
    assert len(set(posted)) == 2
    assert acts(pair) == 2


async def test_a_signature_repeated_under_its_key_is_one(pair: Pair, posted: list[str]) -> None:
    body = {"terms": pair.terms(2).model_dump(mode="json"), "signed_on": "2026-11-20"}
    twice = [
        await ask(pair.school, "/api/v1/conventions", Role.MANAGER, "POST", json=body, headers=KEY)
        for _ in range(2)
    ]
    assert [one.status_code for one in twice] == [201, 201], twice[0].text
    assert twice[0].json() == twice[1].json()
    assert len(posted) == 1
