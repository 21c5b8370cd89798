"""Killed in the middle of five hundred messages: each is accepted, and handled exactly once.

Whatever dies (SIGKILL, as a power cut would end it) is started again by the supervisor; nobody
repairs anything by hand. Here everything after the sender; the sender itself and a handler that
fails are in `test_crash_sender.py`, a key that changes meanwhile in `test_crash_rotation.py`.
"""

from __future__ import annotations

import asyncio

from tests.federation.crash import COUNT, all_accepted_once, held, kill, on_each
from tests.federation.town import CITY, Town


async def crash(town: Town, name: str) -> None:
    """Kill a process midway, and see that it was started again and that nothing was lost."""
    process = town.fed.status().processes[name]
    agreement, before = town.agree(town.pupil()), held(town)
    sent = await town.send_many(agreement, COUNT, lambda: kill(process["pid"]))
    await asyncio.to_thread(all_accepted_once, town, sent, before)
    assert town.fed.status().processes[name]["restarts"] == process["restarts"] + 1


async def test_the_receiver_s_service_is_killed(towns: tuple[Town, Town]) -> None:
    await on_each(towns, lambda town: crash(town, f"{CITY}.service"))


async def test_the_receiver_s_nats_server_is_killed(towns: tuple[Town, Town]) -> None:
    await on_each(towns, lambda town: crash(town, f"{CITY}.leaf"))


async def test_the_hub_is_killed(towns: tuple[Town, Town]) -> None:
    await on_each(towns, lambda town: crash(town, "hub"))
