"""Filling the forms of pages as a person would, and reading what a page then says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import httpx

from contracts.kernel.paris import PARIS
from services.chassis.problems import TITLES

_TITLED: Final = {title: status for status, title in TITLES.items()}
_LOADED: Final = "domcontentloaded"
"""When a page can be read and typed in: its forms are there, and no script makes them."""


class NoPage(Exception):
    """No page offers that to this agent: which link, field or choice is not there."""


class AtForms:
    """Somebody in front of a page with a form."""

    _page: Any
    _status = 0

    def _open(self, url: str) -> None:
        """Type an address."""
        self._page.goto(url, wait_until=_LOADED)
        self._arrived()

    def _arrived(self) -> None:
        """Look at where one is now."""

    @contextmanager
    def _leading_on(self) -> Iterator[None]:
        """What leads from one page to another."""
        with self._page.expect_navigation(wait_until=_LOADED) as arrived:
            yield
        self._status = arrived.value.status
        self._arrived()

    def _follow(self, path: str) -> None:
        """Follow the link to a page. Raises NoPage where none is shown."""
        self._click(f"a[href='{path}']", "link")

    def _press(self, action: str) -> httpx.Response | None:
        """Press the button of a form that asks for nothing. Raises NoPage where there is none."""
        self._click(f"form[action$='{action}'] button", "button")
        return self._refusal()

    def _click(self, selector: str, what: str) -> None:
        found = self._page.locator(selector)
        if found.count() == 0:
            raise NoPage(what)
        with self._leading_on():
            found.first.click()

    def submit(self, content: dict[str, Any], form: str = "form.asking") -> httpx.Response | None:
        """Fill the page's form and send it; what it then says, where it refuses."""
        self._fill(content, form)
        with self._leading_on():
            self._page.locator(f"{form} button[type=submit]").last.click()
        return self._refusal()

    def _fill(self, content: dict[str, Any], form: str, above: str = "") -> None:
        for name, value in content.items():
            if isinstance(value, dict):
                self._fill(value, form, f"{above}{name}.")
            elif isinstance(value, list):
                self._choose(above + name, value, form)
            elif value is not None:
                self._type(above + name, value, form)

    def _choose(self, name: str, values: list[Any], form: str) -> None:
        """Tick each of a list, or write each on a line of its own."""
        lines = self._page.locator(f"{form} textarea[name='{name}']")
        if lines.count():
            lines.fill("\n".join(map(str, values)))
        else:
            for one in values:
                self._type(name, one, form)

    def _offers(self, name: str, value: object) -> bool:
        """Whether that value may be chosen."""
        field, chosen = f"form.asking [name='{name}']", f"[value='{value}']"
        return bool(self._page.locator(f"{field}{chosen}, {field} option{chosen}").count())

    def _type(self, name: str, value: Any, form: str = "form.asking") -> None:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        field = self._page.locator(f"{form} [name='{name}']")
        if field.count() == 0:
            raise NoPage(f"field {name}")
        kind = field.first.get_attribute("type")
        if kind in {"radio", "checkbox"}:
            box = self._page.locator(f"{form} [name='{name}'][value='{text}']")
            if box.count() == 0:
                raise NoPage(f"choice {name} {text}")
            box.first.check()
        elif field.first.evaluate("one => one.tagName") == "SELECT":
            if field.first.locator(f"option[value='{text}']").count() == 0:
                raise NoPage(f"choice {name} {text}")
            field.first.select_option(text)
        elif kind == "datetime-local":
            field.first.fill(datetime.fromisoformat(text).astimezone(PARIS).strftime("%FT%H:%M"))
        else:
            field.first.fill(text)

    def _error(self, status: int) -> httpx.Response:
        """What a page that is an error says."""
        said = self._page.locator("main p").all_inner_texts()
        named = [one for one in said if one.startswith("Articles : ")]
        articles = named[0].removeprefix("Articles : ").rstrip(".").split(", ") if named else []
        body = {"detail": said[0], "articles": articles, "status": status}
        return httpx.Response(status, json=body)

    def _faults(self, box: Any) -> httpx.Response:
        """What a page on conventions says of a form that it does not take."""
        articles = ", ".join(box.locator(".article").all_inner_texts())
        named = articles.split(", ") if articles else []
        body = {"detail": box.locator("strong").inner_text(), "articles": named, "fields": []}
        return httpx.Response(self._status, json={**body, "status": self._status})

    def _refusal(self) -> httpx.Response | None:
        """What the page says where it refuses, as the API would have said it."""
        faults = self._page.locator("main .faults")
        if faults.count():
            return self._faults(faults)
        box = self._page.locator("main .refusal#refusal")
        if box.count() == 0:
            title = self._page.locator("main h1").inner_text()
            if title == "Erreur":
                raise LookupError(self._page.locator("main").inner_text())
            return self._error(_TITLED[title]) if title in _TITLED else None
        status = 422 if box.locator("h2").inner_text() == "À corriger" else 403
        articles = box.locator("p .article").all_inner_texts()
        said = box.locator("p:not(.hint)").all_inner_texts()
        numbers = box.locator(".hint code").all_inner_texts()
        named = [part for one in articles for part in one.split(", ")]
        body = {"detail": " ".join(said), "articles": named, "status": status, "fields": []}
        return httpx.Response(status, json={**body, "message_id": "".join(numbers)})
