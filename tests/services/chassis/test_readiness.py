"""Whether a node says it can work: database, letterbox, and the code of what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, patch

import httpx
import pytest

from services.chassis.engines import StorageUnavailable
from services.chassis.relay import NotDelivered
from services.chassis.web import create_app
from tests.pair import Pair


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with Pair(tmp_path) as made:
        yield made


def away(error: Exception) -> AsyncMock:
    return AsyncMock(side_effect=error)


GOOD: dict[str, AsyncMock] = {"probe": AsyncMock(), "ready": AsyncMock(return_value=True)}


@pytest.mark.parametrize(
    ("bus", "written", "status", "said"),
    [
        ({}, True, 200, {"database": True, "letterbox": True}),
        ({"ready": AsyncMock(return_value=False)}, True, 503, {"letterbox": False}),
        ({"probe": away(NotDelivered("x"))}, True, 503, {"database": True, "letterbox": False}),
        ({}, False, 503, {"database": False, "code": "storage_unavailable"}),
    ],
)
async def test_a_node_is_ready_when_it_can_write_and_send_itself_a_letter(
    pair: Pair, bus: dict[str, AsyncMock], status: int, said: dict[str, Any], *, written: bool
) -> None:
    """Design: probes perform the function; each part that fails makes the whole not ready."""
    node = pair.school.node
    write = node.database.write if written else away(StorageUnavailable("x"))
    with patch.multiple(node.bus, **{**GOOD, **bus}), patch.object(node.database, "write", write):
        transport = httpx.ASGITransport(app=create_app(node))
        async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
            answer = await client.get("/readyz")
    assert HTTPStatus(answer.status_code) == status
    assert said.items() <= answer.json().items()
