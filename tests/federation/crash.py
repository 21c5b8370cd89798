"""What the tests of crashes share: something is killed, then what each side holds is counted.

Those tests lie in several files, so that whoever runs files side by side can share them out.
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
from services.conventions.a_city_school.models import pathways
from tests.federation.town import CITY, SCHOOL, Sent, Town, until

COUNT = 500


def kill(pid: int, how: signal.Signals = signal.SIGKILL) -> None:
    os.kill(pid, how)


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


async def on_each(
    towns: tuple[Town, Town], act: Callable[[Town], Coroutine[None, None, None]]
) -> None:
    """Do it on both databases at once: most of it is waiting for acknowledgements."""
    async with asyncio.TaskGroup() as tasks:
        for town in towns:
            tasks.create_task(act(town), name=town.database_urls(CITY)[0])
