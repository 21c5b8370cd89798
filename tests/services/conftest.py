"""One small federation for every test that only reads it, or breaks what mends itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.federation.federation import Federation
from tests.federations import started


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    with started(tmp_path_factory.mktemp("federation")) as federation:
        yield federation


@pytest.fixture
def federation(running: Federation) -> Federation:
    """The same, with every node ready again after what a former test did to it."""
    running.wait_ready()
    return running
