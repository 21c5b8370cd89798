"""A key rotated in the middle of five hundred messages: each is accepted, and handled once."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys

import httpx

from tests.federation.crash import COUNT, all_accepted_once, held, on_each
from tests.federation.town import CITY, SCHOOL, Town, until


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
        until(lambda: town.entry(SCHOOL).signing_key != former, "the city holds the former key")
        for org in (SCHOOL, CITY):
            assert town.dpo[org].get("/api/v1/journal/verification").json()["ok"]

    await on_each(towns, act)
