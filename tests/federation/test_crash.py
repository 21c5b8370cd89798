"""Killed in the middle of five hundred messages: each is accepted, and handled exactly once.

Whatever dies (SIGKILL, as a power cut would end it) is started again by the supervisor; nobody
repairs anything by hand.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager

import httpx
from sqlalchemy import create_engine, func, select
from sqlalchemy.pool import NullPool

from services.chassis import letters, tables
from services.chassis.schema import journal
from services.conventions.a_city_school.models import pathways
from tests.federation.town import CITY, SCHOOL, Sent, Town, until

COUNT = 500


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """A process that lives and does nothing."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def states(town: Town, sent: Sent) -> Counter[str]:
    outbox = tables.outbox
    statement = select(outbox.c.message_id, outbox.c.state)
    return Counter(
        row.state for row in town.rows_in(SCHOOL, statement, outbox.c.message_id, sent.messages)
    )


def held(town: Town) -> dict[str, int]:
    """How many cases, letters handled and referrals the city holds in all."""
    counted = {
        "cases": select(func.count()).select_from(tables.cases),
        "inbox": select(func.count())
        .select_from(tables.inbox)
        .where(tables.inbox.c.type == "referral.submitted"),
        "referrals": select(func.count()).select_from(pathways),
    }
    return {name: int(town.rows(CITY, one)[0][0]) for name, one in counted.items()}


def buried(town: Town, sent: Sent) -> list[tuple[str, str]]:
    """Dead letters at either end, with their reasons."""
    dead = tables.dead_letters
    at_city = town.rows_in(CITY, select(dead), dead.c.message_id, sent.messages)
    at_school = town.rows(SCHOOL, select(dead).where(dead.c.failed_at >= sent.began))
    return [(row.message_id, row.reason) for row in (*at_city, *at_school)]


def all_accepted_once(
    town: Town, sent: Sent, before: dict[str, int], reasons: frozenset[str] = frozenset()
) -> None:
    """Wait until all are accepted, then count what each side holds.

    reasons: for which a letter may lie among the dead although another try was accepted.
    """
    assert len(set(sent.messages)) == len(set(sent.cases)) == COUNT
    until(
        lambda: states(town, sent) == {letters.ACCEPTED: COUNT},
        f"not all accepted: {states(town, sent)}",
    )
    more = {name: count - before[name] for name, count in held(town).items()}
    assert more == {"cases": COUNT, "inbox": COUNT, "referrals": COUNT}
    assert {reason for _, reason in buried(town, sent)} <= reasons
    listed = select(pathways.c.case_id)
    found = town.rows_in(CITY, listed, pathways.c.case_id, sent.cases)
    assert {row.case_id for row in found} == set(sent.cases)
    for org, event in ((SCHOOL, "message.sent"), (CITY, "message.received"), (SCHOOL, "receipt")):
        lines = select(journal.c.message_id).where(journal.c.event == event)
        found = town.rows_in(org, lines, journal.c.message_id, sent.messages)
        assert Counter(row.message_id for row in found) == dict.fromkeys(sent.messages, 1)


async def crash(town: Town, name: str) -> None:
    """Kill a process midway, and see that it was started again and that nothing was lost."""
    process = town.fed.status().processes[name]
    agreement, before = town.agree(town.pupil()), held(town)
    sent = await town.send_many(agreement, COUNT, lambda: kill(process["pid"]))
    await asyncio.to_thread(all_accepted_once, town, sent, before)
    assert town.fed.status().processes[name]["restarts"] == process["restarts"] + 1


async def on_each(
    towns: tuple[Town, Town], act: Callable[[Town], Coroutine[None, None, None]]
) -> None:
    """Do it on both databases at once: most of it is waiting for acknowledgements."""
    async with asyncio.TaskGroup() as tasks:
        for town in towns:
            tasks.create_task(act(town), name=town.database_urls(CITY)[0])


async def test_the_receiver_s_service_is_killed(towns: tuple[Town, Town]) -> None:
    await on_each(towns, lambda town: crash(town, f"{CITY}.service"))


async def test_the_receiver_s_nats_server_is_killed(towns: tuple[Town, Town]) -> None:
    await on_each(towns, lambda town: crash(town, f"{CITY}.leaf"))


async def test_the_hub_is_killed(towns: tuple[Town, Town]) -> None:
    await on_each(towns, lambda town: crash(town, "hub"))


async def test_a_signing_key_is_rotated_in_the_middle(towns: tuple[Town, Town]) -> None:
    """Nothing is lost or doubled; the school's next letters stand on the new key."""

    async def act(town: Town) -> None:
        agreement, before = town.agree(town.pupil()), held(town)
        former = town.entry(SCHOOL).signing_key

        def rotate() -> None:
            command = [sys.executable, "-m", "services", "rotate", SCHOOL, "--json"]
            environment = {**os.environ, "RELAIS_HOME": str(town.fed.layout.home)}
            said = subprocess.run(command, env=environment, capture_output=True, check=True)
            assert json.loads(said.stdout)["kid"]

        sent = await town.send_many(agreement, COUNT, rotate)
        with town.fed.client(SCHOOL) as agent:
            answer = agent.post("/api/v1/keys/rotation")
            assert answer.status_code == httpx.codes.FORBIDDEN
        # What the city met before it had read the statement was sent to it once more.
        await asyncio.to_thread(all_accepted_once, town, sent, before, frozenset({"unknown_key"}))
        assert town.entry(SCHOOL).signing_key != former
        for org in (SCHOOL, CITY):
            assert town.dpo[org].get("/api/v1/journal/verification").json()["ok"]

    await on_each(towns, act)


def broken_handler(town: Town, cases: Sequence[str]) -> None:
    """Make the city's handler raise for these cases, and for no other; [] mends it."""
    engine = create_engine(town.database_urls(CITY)[0], poolclass=NullPool)
    listed = ", ".join(f"'{case_id}'" for case_id in cases) or "''"
    if engine.dialect.name == "sqlite":
        broken = [
            "DROP TRIGGER IF EXISTS broken",
            (
                "CREATE TRIGGER broken BEFORE INSERT ON a_pathways "
                f"WHEN NEW.case_id IN ({listed}) BEGIN SELECT RAISE(ABORT, 'broken'); END"
            ),
        ]
    else:
        broken = [
            (
                "CREATE OR REPLACE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN IF NEW.case_id IN ({listed}) THEN RAISE EXCEPTION 'broken'; END IF; "
                "RETURN NEW; END $$"
            ),
            (
                "CREATE OR REPLACE TRIGGER broken BEFORE INSERT ON a_pathways "
                "FOR EACH ROW EXECUTE FUNCTION broken()"
            ),
        ]
    with engine.begin() as connection:
        for statement in broken:
            connection.exec_driver_sql(statement)
    engine.dispose()


async def test_a_handler_that_raises_is_tried_again_and_the_others_go_on(
    towns: tuple[Town, Town],
) -> None:
    """One letter fails until it is mended; one fails for good, and waits among the dead letters."""
    count = 40

    async def act(town: Town) -> None:
        agreement, before = town.agree(town.pupil()), held(town)
        with frozen(town.hub):
            sent = await town.send_many(agreement, count, lambda: None)
            once, always = 3, 30
            broken_handler(town, [sent.cases[once], sent.cases[always]])

        def accepted(missing: int) -> Callable[[], bool]:
            return lambda: states(town, sent)[letters.ACCEPTED] == count - missing

        await asyncio.to_thread(until, accepted(2), "the others did not go on")
        assert states(town, sent)[letters.ACCEPTED] == count - 2
        broken_handler(town, [sent.cases[always]])
        await asyncio.to_thread(until, accepted(1), "the mended one was not tried again")
        await asyncio.to_thread(until, lambda: bool(buried(town, sent)), "none was given up")
        ((dead_id, reason),) = buried(town, sent)
        assert dead_id == sent.messages[always]
        assert reason in {"failed:storage_refused", "failed:conflict"}  # as each database says it
        broken_handler(town, [])
        with town.fed.client(CITY, "operator", "operateur-1") as operator:
            (dead,) = [
                one["id"]
                for one in operator.get("/api/v1/dead-letters").json()
                if one["message_id"] == sent.messages[always]
            ]
            retried = operator.post(f"/api/v1/dead-letters/{dead}/retry")
        assert retried.json() == {"outcome": "received"}
        await asyncio.to_thread(until, accepted(0), "the dead letter was not accepted")
        more = {name: number - before[name] for name, number in held(town).items()}
        assert more == dict.fromkeys(before, count)

    await on_each(towns, act)


async def test_the_sender_s_service_is_killed_between_commit_and_publication(
    towns: tuple[Town, Town],
) -> None:
    """The hub hears nothing, so all is queued; callers that got no answer ask again."""

    async def act(town: Town) -> None:
        agreement, before = town.agree(town.pupil()), held(town)
        with frozen(town.hub):
            sent = await town.send_many(agreement, COUNT, lambda: kill(town.process(SCHOOL)))
            assert states(town, sent) == {letters.QUEUED: COUNT}
            kill(town.process(SCHOOL))
        await asyncio.to_thread(all_accepted_once, town, sent, before)

    await on_each(towns, act)
