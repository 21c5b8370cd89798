"""Filling the forms of pages as a person would, and reading what a page then says."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import httpx

from contracts.kernel.paris import PARIS
from services.chassis.problems import TITLES

_TITLED: Final = {title: status for status, title in TITLES.items()}


class NoPage(Exception):
    """No page offers that to this agent."""


class AtForms:
    """Somebody in front of a page with a form."""

    _page: Any

    def _follow(self, path: str) -> None:
        """Follow the link to a page. Raises NoPage where none is shown."""
        link = self._page.locator(f"a[href='{path}']")
        if link.count() == 0:
            raise NoPage(path)
        with self._page.expect_navigation():
            link.first.click()

    def _submit(self, content: dict[str, Any]) -> httpx.Response | None:
        """Fill the page's form and send it; what it then says, where it refuses."""
        self._fill(content, "")
        with self._page.expect_navigation():
            self._page.locator("form.asking button[type=submit]").last.click()
        return self._refusal()

    def _fill(self, content: dict[str, Any], above: str) -> None:
        for name, value in content.items():
            if isinstance(value, dict):
                self._fill(value, f"{above}{name}.")
            elif isinstance(value, list):
                for one in value:
                    self._type(above + name, one)
            elif value is not None:
                self._type(above + name, value)

    def _type(self, name: str, value: Any) -> None:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        field = self._page.locator(f"form.asking [name='{name}']")
        if field.count() == 0:
            raise NoPage(name)
        kind = field.first.get_attribute("type")
        if kind in {"radio", "checkbox"}:
            self._page.locator(f"form.asking [name='{name}'][value='{text}']").first.check()
        elif field.first.evaluate("one => one.tagName") == "SELECT":
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

    def _refusal(self) -> httpx.Response | None:
        """What the page says where it refuses, as the API would have said it."""
        box = self._page.locator("main .refusal#refusal")
        if box.count() == 0:
            title = self._page.locator("main h1").inner_text()
            return self._error(_TITLED[title]) if title in _TITLED else None
        status = 422 if box.locator("h2").inner_text() == "À corriger" else 403
        articles = box.locator("p .article").all_inner_texts()
        said = box.locator("p:not(.hint)").all_inner_texts()
        numbers = box.locator(".hint code").all_inner_texts()
        named = [part for one in articles for part in one.split(", ")]
        body = {"detail": " ".join(said), "articles": named, "status": status, "fields": []}
        return httpx.Response(status, json={**body, "message_id": "".join(numbers)})
