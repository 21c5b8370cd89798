"""Every form of every page, sent as it opens: what then refuses is looked at as any page is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from services.chassis.tokens import Role
from tests.browser.houses import YOUNG, House, houses
from tests.browser.looking import Looking
from tests.browser.sitting import general
from tests.browser.test_every_page import INSTEAD, NO_PAGE, first
from tests.services.chassis.pages.role_table import PERSON, TABLE
from tests.services.chassis.pages.test_roles import routed, routes_of

pytestmark = pytest.mark.browser

_ENDS: Final = "a button at the top of each page, and nobody is there afterwards"
_ASKS_NOTHING: Final = "a button of a message that came, which asks for nothing"
_LIKE: Final = "of whoever resembles somebody of the register: see the tests of people"

NOT_PRESSED: Final = {
    "/pages/sign-out": _ENDS,
    "/person/leave": _ENDS,
    "/pages/people/{person_id}/same": _LIKE,
    "/pages/situations/{case_id}/reading/{message_id}": _ASKS_NOTHING,
    "/pages/situations/{case_id}/view/{message_id}": _ASKS_NOTHING,
}
"""Routes of forms that are not sent here, and why."""

_FORMS: Final = "[...document.querySelectorAll('main form[method=post]')]"


class Pressing:
    """Somebody who presses the button of each form, and types nothing.

    pressed: the routes of the forms sent so far.
    """

    def __init__(self, looking: Looking, others: set[str]) -> None:
        self._looking, self._others = looking, others
        self._sent: set[str] = set()
        self.pressed: set[str] = set()
        self.refused = 0

    def all_of(self, page: Any, house: House, url: str) -> None:
        """Send each form of a page, but for those of a kind that was sent, and those of others."""
        if not page.goto(url).ok:
            return  # what was sent before has ended what that page was about
        for place, action in enumerate(page.evaluate(f"{_FORMS}.map(one => one.action)")):
            path = action.removeprefix(house.url)
            kind, route = general(path), routed(routes_of(house.side), "POST", path)
            if kind not in self._sent and route not in self._others:
                self._sent.add(kind)
                self.pressed.add(route)
                page.goto(url)
                self._press(page, place, kind)

    def _press(self, page: Any, place: int, kind: str) -> None:
        form = f"{_FORMS}[{place}]"
        with page.expect_navigation() as arrived:
            page.evaluate(f"{form}.noValidate = true")
            page.evaluate(f"{form}.querySelector('button:not([name])').click()")
        if page.locator("[role=alert]").count() or not arrived.value.ok:
            self.refused += 1
            self._looking.at(page, f"refused {kind}")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("who", [Role.REFERENT, Role.MANAGER, Role.DPO, Role.OPERATOR, PERSON])
def test_a_form_that_is_refused_is_for_everyone(
    browser: Any, looking: Looking, tmp_path: Path, who: str
) -> None:
    """WCAG 3.3.1: what was wrong is said, on a page as sound as the form was."""
    with houses(tmp_path) as there:
        routes: dict[str, set[str]] = {}
        for path, row in TABLE.items():
            for one in first(row.post)[:1]:
                found = routed(routes_of(there.of(path).side), "POST", path)
                routes.setdefault(one, set()).add(found)
        mine = routes.pop(who) - set(NOT_PRESSED)
        others = set().union(*routes.values()) - mine
        pressing = Pressing(looking, others | set(NOT_PRESSED))
        seats = [(house, who) for house in there.all]
        for house, seat in (
            [(there.school, PERSON), (there.school, YOUNG)] if who == PERSON else seats
        ):
            with there.sitting(browser, house, seat) as page:
                for listed, row in TABLE.items():
                    _, path = INSTEAD.get(listed, (who, listed))
                    if listed not in NO_PAGE and row.get and who in row.get:
                        pressing.all_of(page, house, house.url + path.format(**there.ids))
        assert mine <= pressing.pressed
        assert pressing.refused > 0
