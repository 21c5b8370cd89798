"""Two agents of the city who decide to act without agreement, and the measure they do it in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from contracts.gate import Refused
from contracts.kernel.derogation import Ground
from services.chassis import derogations, tables, views
from services.chassis.clock import new_id
from services.chassis.derogations import (
    DerogationBody,
)
from services.chassis.minors import Objection, suspend
from services.chassis.posting import Outcome
from services.chassis.tokens import Agent, Role
from tests.pair import Pair, Side
from tests.services.conventions.a_city_school.support import Desk

ALERT = {"kind": "accident", "call_back": "+33 1 99 00 12 34"}
ASKING = Agent("agent-1", Role.REFERENT)
SECOND = Agent("cheffe", Role.MANAGER)
THIRD = Agent("dpo", Role.DPO)
DAY, HOUR, INSTANT = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)


async def suspended(pair: Pair) -> Desk:
    """A measure that runs, whose agreement one parent's objection suspends."""
    made = Desk(pair)
    await made.running()
    on_agreement(made, suspend, Objection(raised_by="representative"))
    await pair.carry()
    return made


def on_agreement(desk: Desk, act: Callable[..., Any], *said: Any) -> Any:
    (row,) = desk.school.rows(tables.agreements)
    core, at = desk.school.node.core, desk.pair.clock.now()
    return desk.school.write(lambda tx: act(tx, core, row.agreement_id, *said, "agent-1", at))


def asked(desk: Desk, **changes: Any) -> str:
    body = DerogationBody(
        **{
            "case_id": desk.case_id,
            "type": "alternative.alert",
            "to": "ecole",
            "ground": Ground.VITAL_INTERESTS,
            **changes,
        }
    )
    derogation_id = new_id()
    doing(desk, derogations.ask, body, derogation_id, ASKING)
    return derogation_id


def doing(desk: Desk, act: Callable[..., Any], *said: Any, side: Side | None = None) -> Any:
    """An act on a decision, at the city unless said otherwise."""
    at_work, at = side or desk.city, desk.pair.clock.now()
    return at_work.write(lambda tx: act(tx, at_work.node.core, *said, at))


def decided(desk: Desk, **changes: Any) -> str:
    derogation_id = asked(desk, **changes)
    doing(desk, derogations.confirm, derogation_id, SECOND)
    return derogation_id


def alert(desk: Desk, derogation_id: str | None = None) -> Outcome:
    content = {**ALERT, "at": desk.pair.clock.at.isoformat()}
    return desk.send(desk.city, "alternative.alert", content, derogation_id=derogation_id)


def codes(outcome: Outcome) -> set[str]:
    decision = outcome.decision
    return {one.code for one in decision.reasons} if isinstance(decision, Refused) else set()


def row_of(side: Side, derogation_id: str) -> Any:
    (row,) = side.rows(tables.derogations, tables.derogations.c.derogation_id == derogation_id)
    return row


def due(desk: Desk, kind: str) -> list[str]:
    table = tables.deadlines
    rows = desk.city.rows(table, table.c.kind == kind)
    return [row.state for row in sorted(rows, key=lambda row: row.level)]


def for_the_family(desk: Desk, side: Side) -> list[dict[str, Any]]:
    """What the family may be shown, at a side, of messages that passed without agreement."""
    found: list[dict[str, Any]] = side.write(
        lambda tx: views.exchanges(tx, desk.case_id, desk.today)
    )
    return [one["without_agreement"] for one in found if one["without_agreement"]]


def decisions(side: Side, message_id: str) -> list[dict[str, Any]]:
    """What a side decided about a message, replayed."""
    core = side.node.core
    found = side.node.database.read_now(lambda c: views.explain(c, core, message_id))
    return [one for one in found if one["event"] in {"message.sent", "message.received"}]


def listed(side: Side) -> list[dict[str, Any]]:
    return side.node.database.read_now(lambda c: derogations.held(c, 10))
