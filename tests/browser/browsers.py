"""A Chromium of its own thread, for whoever runs loops in another."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any, Final, TypeVar

T = TypeVar("T")

PATIENCE_MS: Final = 20_000


class Browsers:
    """One Chromium in a thread of its own, since stories run in another and start loops."""

    def __init__(self, executable: str) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._executable = executable
        self.do(self._start)

    def do(self, work: Callable[[], T]) -> T:
        """Do something with the browser, in its thread."""
        return self._thread.submit(work).result()

    def _start(self) -> None:
        api = import_module("playwright.sync_api")  # of the dependency group `browser`
        self._playwright = api.sync_playwright().start()
        self._browser = self._playwright.chromium.launch(
            executable_path=self._executable, args=["--no-sandbox"]
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
