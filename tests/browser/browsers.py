"""A Chromium of its own thread, for whoever runs loops in another, and the pictures it leaves."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any, Final, TypeVar

T = TypeVar("T")

PATIENCE_MS: Final = 20_000
_LONGEST_NAME: Final = 60


class Browsers:
    """One Chromium in a thread of its own, since stories run in another and start loops.

    fault: what a browser raises when a page is not as expected.
    """

    fault: type[Exception]

    def __init__(self, executable: str) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._executable = executable
        self.do(self._start)

    def do(self, work: Callable[[], T]) -> T:
        """Do something with the browser, in its thread."""
        return self._thread.submit(work).result()

    def _start(self) -> None:
        api = import_module("playwright.sync_api")  # of the dependency group `browser`
        self.fault = api.Error
        self._playwright = api.sync_playwright().start()
        self._browser = self._playwright.chromium.launch(
            executable_path=self._executable, args=["--no-sandbox", "--disable-gpu"]
        )

    def page(self) -> Any:
        """A page of a browser that knows nobody."""
        context = self._browser.new_context(viewport={"width": 1000, "height": 800}, locale="fr-FR")
        context.set_default_timeout(PATIENCE_MS)
        return context.new_page()

    def close(self) -> None:
        """End the browser and its thread."""
        self.do(self._browser.close)
        self.do(self._playwright.stop)
        self._thread.shutdown()


def click_through(page: Any, where: str) -> None:
    """Click on what leads to a page, and wait until it is loaded: a click alone does not."""
    with page.expect_navigation():
        page.click(where)


class Album:
    """Pictures of one test in a folder of its own, numbered as they are taken."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder / name
        self._folder.mkdir(parents=True, exist_ok=True)
        for old in self._folder.glob("*.png"):
            old.unlink()
        self._taken = 0

    def take(self, page: Any, title: str) -> None:
        """Keep a page as it now looks, in the browser's thread."""
        self._taken += 1
        words = re.sub(r"\W+", "-", title.lower()).strip("-")[:_LONGEST_NAME]
        page.screenshot(path=self._folder / f"{self._taken:03}-{words}.png", full_page=True)
