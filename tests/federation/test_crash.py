"""Killed in the middle of five hundred messages: each is accepted, and handled exactly once.

Whatever dies (SIGKILL, as a power cut would end it) is started again by the supervisor; nobody
repairs anything by hand.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager

from sqlalchemy import func, select

from services.chassis import letters, tables
from services.chassis.schema import journal
from services.city.models import referrals
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
        "referrals": select(func.count()).select_from(referrals),
    }
    return {name: int(town.rows(CITY, one)[0][0]) for name, one in counted.items()}


def buried(town: Town, sent: Sent) -> list[tuple[str, str]]:
    """Dead letters at either end, with their reasons."""
    dead = tables.dead_letters
    at_city = town.rows_in(CITY, select(dead), dead.c.message_id, sent.messages)
    at_school = town.rows(SCHOOL, select(dead).where(dead.c.failed_at >= sent.began))
    return [(row.message_id, row.reason) for row in (*at_city, *at_school)]


def all_accepted_once(town: Town, sent: Sent, before: dict[str, int]) -> None:
    """Wait until all are accepted, then count what each side holds."""
    assert len(set(sent.messages)) == len(set(sent.cases)) == COUNT
    until(
        lambda: states(town, sent) == {letters.ACCEPTED: COUNT},
        f"not all accepted: {states(town, sent)}",
    )
    more = {name: count - before[name] for name, count in held(town).items()}
    assert more == {"cases": COUNT, "inbox": COUNT, "referrals": COUNT}
    assert buried(town, sent) == []
    listed = select(referrals.c.case_id)
    found = town.rows_in(CITY, listed, referrals.c.case_id, sent.cases)
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
