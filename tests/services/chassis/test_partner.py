"""A partner has one side for each instrument; what happens under one is no other's business."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.kernel.errors import InvalidDocument, UnknownName
from contracts.kernel.organisation import Kind
from services.chassis import governance, tables
from services.chassis.acts import find_act, require_case
from services.chassis.call import Call
from services.chassis.clock import new_id
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import Clock
from services.chassis.erasure import erase_case
from services.chassis.partner import (
    Known,
    LocalAct,
    Partner,
    Question,
    Side,
    joined,
)
from services.chassis.tokens import Agent, NotPermitted, Role
from services.chassis.views import case as case_view
from services.city.partner import PARTNER as CITY
from services.school.partner import PARTNER as SCHOOL
from tests.pair import ANSWER, CONVENTION, START, Pair

MANAGER = Agent("agent-1", Role.MANAGER)


class Other:
    """A side of another instrument that uses the very types of convention A."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.daily = 0

    def hear(self, *_: Any) -> None:
        self.told.append("heard")

    def facts(self, _tx: Tx, _core: Core, _asked: Question) -> Known:
        self.told.append("asked")
        return Known()

    def refuse(self, *_: Any) -> bool:
        self.told.append("may_read")
        return False

    def view(self, *_: Any) -> dict[str, Any]:
        self.told.append("view")
        return {}

    def count(self, _tx: Tx, _core: Core, _at: datetime) -> None:
        self.daily += 1

    def erase(self, _tx: Tx, _case_id: str) -> int:
        return 7

    def side(self) -> Side:
        types = ("referral.submitted", "referral.answered")
        handlers: Any = dict.fromkeys(types, self.hear)
        act = LocalAct(article="X-1", label="Acte", payload=_PAYLOAD, do=self.hear)
        return Side(
            sent=handlers,
            received=handlers,
            answered=handlers,
            read=handlers,
            stopped=self.hear,
            facts=self.facts,
            acts={"family_told": act},
            may_read=self.refuse,
            access_article="X-2",
            view=self.view,
            daily=self.count,
            erase=self.erase,
        )


_PAYLOAD = CITY.side("a_city_school").acts["family_told"].payload


async def test_two_instruments_with_one_type_never_hear_of_each_other(
    tmp_path: Path, new_database_url: Callable[[], str]
) -> None:
    other = Other()
    school, city = (
        replace(one, sides={"x_other": other.side(), **one.sides, "y_other": other.side()})
        for one in (SCHOOL, CITY)
    )
    urls = (new_database_url(), new_database_url())
    with Pair(tmp_path, urls, partners=(school, city)) as pair:
        sent = pair.refer()
        case_id = sent.case_id or ""
        await pair.carry()
        answer = pair.city.send("referral.answered", pair.school.org, ANSWER, case_id=case_id)
        assert answer.state == "queued"
        await pair.carry()
        core = pair.city.node.core
        act = find_act(core, CONVENTION, "family_told", MANAGER)
        assert act is core.partner.side("a_city_school").acts["family_told"]
        shown = pair.city.write(lambda tx: case_view(tx, core, case_id))
        assert shown["content"]["referral"]["state"] == "accepted"
        pair.city.write(lambda tx: require_case(tx, core, case_id, MANAGER, START))
        await pair.city.node.scheduler.look()
        assert other.told == []
        assert other.daily == 2
        done = pair.city.write(lambda tx: erase_case(tx, core, case_id, new_id(), START))
        assert done.records >= 2 * 7


async def test_a_case_of_what_is_known_here_no_more_is_closed_but_to_the_dpo_and_goes_whole(
    tmp_path: Path, new_database_url: Callable[[], str]
) -> None:
    """Whatever bound the two: nobody works on it, and its destruction leaves no row."""
    urls = (new_database_url(), new_database_url())
    with Pair(tmp_path, urls) as pair:
        case_id = pair.refer().case_id or ""
        core = pair.school.node.core
        open_to = pair.school.write
        open_to(lambda tx: require_case(tx, core, case_id, MANAGER, START))
        lost = tables.cases.update().values(instrument="a-inconnue")
        pair.school.write(lambda tx: tx.execute(lost))
        with pytest.raises(NotPermitted):
            open_to(lambda tx: require_case(tx, core, case_id, MANAGER, START))
        open_to(lambda tx: require_case(tx, core, case_id, Agent("d", Role.DPO), START))
        with pytest.raises(UnknownName):
            find_act(core, "a-inconnue", "family_told", MANAGER)


def test_an_instrument_without_a_side_adds_nothing() -> None:
    """A convention is one folder: what it permits passes, with no handler for it anywhere."""
    side = Partner(Kind.CCAS).side("e_other")
    assert side == Side()
    assert not side.acts
    assert not side.received


def test_a_side_that_refuses_access_says_on_which_article() -> None:
    """A refusal without its article is one that nobody can check."""

    def nobody(*_: object) -> bool:
        return False

    with pytest.raises(InvalidDocument, match="article"):
        Side(may_read=nobody)
    assert Side(may_read=nobody, access_article="X-2").access_article == "X-2"


def test_no_two_sides_claim_one_kind_of_deadline_or_one_call() -> None:
    """The second would silently take the place of the first."""
    clock = Clock(kind="answer", article="X-1", label="Répondre")
    same = Side(clocks={"answer": clock})
    assert set(Partner(Kind.CITY, {"x": same, "y": same}).clocks) == {"answer"}
    other = Side(clocks={"answer": replace(clock, article="Y-1")})
    with pytest.raises(InvalidDocument, match="deadline answer"):
        Partner(Kind.CITY, {"x": same, "y": other})
    calls = [Side(calls={("GET", "/offers"): Call(right=None)}) for _ in range(2)]
    with pytest.raises(InvalidDocument, match="call"):
        Partner(Kind.CITY, {"x": calls[0], "y": calls[1]})
    name = next(iter(governance.CLOCKS))
    with pytest.raises(InvalidDocument, match=name):
        joined("deadline", governance.CLOCKS, {name: replace(governance.CLOCKS[name])})
