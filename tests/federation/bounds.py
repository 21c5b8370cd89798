"""Either side of a bound: the same call allowed and refused, one day or one step apart.

A module of a convention's bounds has a function for each check of its text; the test that looks at
them fails for a check without one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import httpx

from contracts.kernel.checks import Check
from contracts.kernel.organisation import Kind
from services.federation.federation import Federation
from tests.federation.cast import MONDAY, Cast, at_ten
from tests.federation.crossing import begun, signed_file
from tests.federation.examples import Case, Script

DAY: Final = timedelta(days=1)

TODAY: Final = MONDAY + 2 * DAY
"""The day that bounds are tried on."""

Key = tuple[str, str, str]
"""A check of a text: its article, its name or its kind, and what it says when it refuses."""

REOPENED: Final = (TODAY - 60 * DAY, TODAY + 400 * DAY)
"""First day of an amendment that gives a text which was over a later end, and that end."""

C = TypeVar("C", bound=Cast)
D = TypeVar("D", bound="Day[Any]")


@dataclass(frozen=True)
class Tried:
    """What was answered. code: of the wanted refusal, None where it must be allowed.

    article: on which, where not the check's own. also: articles that refuse beside it. there: those
    of the receiver's gate, where it alone refuses what the sender's lets leave.
    """

    what: str
    answer: httpx.Response
    code: str | None = None
    article: str = ""
    also: frozenset[str] = field(default=frozenset())
    there: frozenset[str] = field(default=frozenset())


class Day(Generic[C]):
    """Today, and those who act on it."""

    def __init__(self, actors: C) -> None:
        self.actors = actors
        self.today = TODAY
        self.first_day = self.today + 7 * DAY
        self._offset = at_ten(self.today) - datetime.now(UTC)
        self.moved = False

    def prepare(self) -> None:
        """Record, once for all, what every message rests on beside any case."""

    def go(self, day: date, after: timedelta = timedelta(0)) -> None:
        """Live on that day, or so long after; back on today it is later than it was."""
        self.moved = day != self.today
        self.actors.go_by(self._offset + (day - self.today) + after)

    def back(self) -> None:
        """Live on today again."""
        if self.moved:
            self.go(self.today)

    def case(self, *after: str, **more: Any) -> Case:
        """A case in which some messages have gone."""
        opener = after[0] if after else ""
        first_day = more.pop("first_day", self.first_day)
        made = self.actors.case(self.today, first_day, opener, **more)
        return self.actors.play(made, after)

    def ask(
        self, code: str, case: Case, client: httpx.Client | None = None, /, **content: Any
    ) -> httpx.Response:
        """Ask to send, with some content of one's own."""
        case.content = {code: content}
        try:
            return self.actors.ask(code, case, client)
        finally:
            case.content = {}

    def took(self, code: str, answer: httpx.Response) -> httpx.Response:
        """Wait until what was asked is accepted, so that the next step finds its effect."""
        assert answer.status_code == HTTPStatus.ACCEPTED, (code, answer.text)
        self.actors.accepted(code, answer.json()["message_id"])
        return answer

    def away(self, what: str, code: str, case: Case, /, **content: Any) -> Tried:
        """Ask for what leaves here, and wait until the receiver's own gate has refused it."""
        answer = self.ask(code, case, **content)
        assert answer.status_code == HTTPStatus.ACCEPTED, (what, answer.text)
        there = self.actors.turned_away(code, answer.json()["message_id"])
        return Tried(f"{code}, {what}", answer, there=frozenset(there))


@contextmanager
def lived(
    home: Path,
    made_by: Callable[[Federation, Mapping[Kind, str]], D],
    text: str,
    members: Mapping[str, Kind],
    signed_on: date,
    reopened: tuple[date, date] | None = None,
) -> Iterator[D]:
    """The parties of one text alone, who live on today, since their clocks move."""
    orgs = {kind: org for org, kind in members.items()}
    signed = {kind: [org] for kind, org in orgs.items()}
    file = signed_file(text, members, [signed], signed_on, reopened)
    with begun(home, file, at_ten(TODAY)) as fed:
        made = made_by(fed, orgs)
        made.go(made.today)
        made.prepare()
        try:
            yield made
        finally:
            made.actors.close()


def key_of(check: Check) -> Key:
    """What a check is known by, whichever side asks it."""
    name = getattr(check, "name", "")
    return check.article, name or type(check).__name__, check.sentence


def shown(key: Key) -> str:
    """How a check is called where tests are listed."""
    return "-".join(key[:2])


def checks_of(script: Script) -> dict[Key, Check]:
    """Every check of a text's messages."""
    return {key_of(check): check for flow in script.flows.values() for check in flow.checks}


class Bounds(Generic[D]):
    """The functions that stand for the checks of a text, each said to by a decorator."""

    def __init__(self) -> None:
        self.known: dict[Key, Callable[[D], Iterable[Tried]]] = {}

    def __call__(
        self, check: Check
    ) -> Callable[[Callable[[D], Iterable[Tried]]], Callable[[D], Iterable[Tried]]]:
        """Say which check of the text a function stands for."""

        def known(function: Callable[[D], Iterable[Tried]]) -> Callable[[D], Iterable[Tried]]:
            self.known[key_of(check)] = function
            return function

        return known


def shows_both_sides(check: Check, tried: Iterable[Tried]) -> None:
    """Each is answered as it must be, on the check's own article, and both sides are there."""
    outcomes = set[bool]()
    for one in tried:
        outcomes.add(one.code is None and not one.there)
        if one.there:
            assert check.article in one.there, (one.what, one.there)
            assert one.there <= {check.article, *one.also}, (one.what, one.there)
        elif one.code is None:
            assert one.answer.status_code == HTTPStatus.ACCEPTED, (one.what, one.answer.text)
        else:
            _refused(check, one, one.code)
    assert outcomes == {True, False}


def _refused(check: Check, one: Tried, code: str) -> None:
    assert one.answer.status_code == HTTPStatus.FORBIDDEN, (one.what, one.answer.text)
    article, body = one.article or check.article, one.answer.json()
    said = [(why["article"], why["code"]) for why in body["reasons"]]
    assert (article, code) in said, (one.what, body)
    if code.startswith(("missing_", "no_")) or code in {"limit", "signatures", "age"}:
        assert check.sentence in body["detail"], (one.what, body)
    assert set(body["articles"]) <= {article, *one.also}, (one.what, body)
