"""The sender dies after its commit, a handler raises: each is accepted, and handled once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from services.chassis import letters
from tests.federation.crash import (
    COUNT,
    all_accepted_once,
    buried,
    frozen,
    held,
    kill,
    on_each,
    states,
)
from tests.federation.town import CITY, SCHOOL, Town, until


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
