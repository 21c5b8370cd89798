"""A node that serves its pages, and a Chromium that is on the machine already.

Playwright and axe-core come with the dependency group `browser`, which `make setup` leaves out.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from contracts.conventions.d_department_mission_locale.messages import IndicatorYearly
from contracts.kernel.paris import midnight
from services.chassis.tokens import Role
from services.chassis.web import create_app
from services.conventions.d_department_mission_locale.yearly import keep
from services.department.partner import PARTNER as DEPARTMENT
from services.mission_locale.partner import PARTNER as MISSION
from tests.browser.browsers import Album, Browsers
from tests.browser.looking import Looking
from tests.pair import CONVENTION, Pair, Side
from tests.reports import happened, published

NAMES = ("chromium", "chromium-browser", "google-chrome")
SIX = ("requested", "interviews", "projects", "diagnoses", "enrolled", "youth_contracts")


@dataclass(frozen=True)
class Site:
    """Where a node serves its pages, and what whoever asks must show."""

    url: str
    headers: dict[str, str]

    @property
    def review(self) -> str:
        return f"{self.url}/pages/conventions/{CONVENTION}/report"

    @property
    def sheets(self) -> str:
        return f"{self.url}/pages/conventions/{CONVENTION}/yearly-indicators"


@pytest.fixture(scope="session")
def chromium() -> str:
    """The Chromium that CHROMIUM names, else the one in PATH."""
    pytest.importorskip("playwright.sync_api", reason="run by: make test-browser")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no Chromium here: set CHROMIUM, or install one")
    return found


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    """A browser, in the thread of the tests."""
    api = import_module("playwright.sync_api")
    with api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def browsers(chromium: str) -> Iterator[Browsers]:
    """A browser of its own thread, for tests that run loops in theirs."""
    made = Browsers(chromium)
    yield made
    made.close()


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the pictures of this run: the one that RELAIS_SHOTS names, else pytest's own."""
    named = os.environ.get("RELAIS_SHOTS")
    return tmp_path_factory.mktemp("shots") if named is None else Path(named)


@pytest.fixture
def album(shots: Path, request: pytest.FixtureRequest) -> Album:
    """Pictures of one test."""
    return Album(shots, re.sub(r"\W+", "-", request.node.name).strip("-"))


@pytest.fixture(scope="session")
def axe() -> Callable[[Any], Any]:
    """What looks for faults of accessibility on a page."""
    module = pytest.importorskip("axe_playwright_python.sync_playwright")
    run: Callable[[Any], Any] = module.Axe().run
    return run


@pytest.fixture
def looking(axe: Callable[[Any], Any], album: Album) -> Looking:
    """What looks at pages of one test."""
    return Looking(axe, album)


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The city of convention A, one of whose years is published, with large numbers and small."""
    folder = tmp_path_factory.mktemp("city")
    with Pair(folder, _urls(folder)) as pair:
        told = {
            ("referral.answered", "accepted"): 1204,
            ("referral.answered", "declined"): 12,
            ("referral.answered", "more_contact_needed"): 9,
            ("pathway.closed", "objectives_met"): 31,
            ("pathway.closed", "left_school"): 2,
            ("pathway.closed", "no_answer"): 14,
            ("alternative.answered", "accepted"): 21,
            ("stopped", "withdrawn"): 6,
        }
        happened(pair.city, date(2026, 10, 1), told)
        pair.clock.at = midnight(date(2027, 9, 3))
        published(pair.city, 2026)
        with serving(pair.city) as site:
            yield site


@pytest.fixture(scope="session")
def department(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The department of convention D, with two years of sheets, one of them still awaited."""
    folder = tmp_path_factory.mktemp("department")
    partners = (DEPARTMENT, MISSION)
    code = "d_department_mission_locale"
    with Pair(folder, _urls(folder), partners=partners, convention=code) as pair:
        told(pair.school, pair.school.org, 2025, (18, 6, 5, None, None, None))
        told(pair.school, pair.school.org, 2026, (34, 21, "hidden", None, None, None))
        told(pair.school, pair.city.org, 2026, (None, None, None, 12, 27, "hidden"))
        with serving(pair.school) as site:
            yield site


def told(side: Side, org: str, year: int, cells: tuple[int | str | None, ...]) -> None:
    """A yearly sheet, as one side sent it; None: counted by the other."""
    content = IndicatorYearly.model_validate(
        {
            "counted_on": f"{year}-12-31",
            **{name: cell or "not_counted" for name, cell in zip(SIX, cells, strict=True)},
        }
    )
    core, at = side.node.core, side.clock.now()
    side.write(lambda tx: keep(tx, core, CONVENTION, org, content, at))


def _urls(folder: Any) -> tuple[str, str]:
    return (f"sqlite:///{folder / 'one'}.sqlite", f"sqlite:///{folder / 'other'}.sqlite")


@contextmanager
def serving(side: Side) -> Iterator[Site]:
    """Serve a node's HTTP on loopback, without its bus."""
    config = uvicorn.Config(create_app(side.node), port=0, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    sockets = [config.bind_socket()]
    thread = threading.Thread(target=server.run, kwargs={"sockets": sockets})
    thread.start()
    try:
        port = sockets[0].getsockname()[1]
        token = side.node.tokens.make("agent-1", Role.AGENT, side.clock.now(), timedelta(hours=1))
        yield Site(f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {token}"})
    finally:
        server.should_exit = True
        thread.join()
