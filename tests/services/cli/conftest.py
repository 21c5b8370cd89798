"""State folders of the tests: one of a federation that runs, one that is empty."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.federation.federation import Federation
from tests.federations import content, read


@pytest.fixture
def home(federation: Federation, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of a federation that runs."""
    monkeypatch.setenv("RELAIS_HOME", str(federation.layout.home))
    return federation.layout.home


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RELAIS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of a federation that does not run."""
    home = tmp_path / "home"
    monkeypatch.setenv("RELAIS_HOME", str(home))
    Federation.create(home, read(tmp_path, content()))
    return home
