"""The federation of docker-compose.yml, built and started once, and removed with its volumes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.compose.engine import Project, answers


@pytest.fixture(scope="session")
def project() -> Iterator[Project]:
    if not answers():
        pytest.skip("no Docker Engine answers here: docker-compose.yml was not run")
    project = Project()
    try:
        project.compose("up", "--wait", timeout_s=900)
        yield project
    finally:
        project.compose("--profile", "*", "down", "--volumes", "--remove-orphans")
