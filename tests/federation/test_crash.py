"""Ended in the middle of five hundred messages: each is accepted, and handled exactly once.

Killed (SIGKILL), as a power cut would, or told to stop (SIGTERM), as an update does; the supervisor
starts it again, and nobody repairs anything by hand. A sender killed before it publishes and a
handler that fails are in `test_crash_sender.py`, a key that changes in `test_crash_rotation.py`.
"""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.federation.crash import COUNT, all_accepted_once, held, kill, on_each
from tests.federation.town import CITY, SCHOOL, Town


async def crash(town: Town, name: str, how: signal.Signals = signal.SIGKILL) -> None:
    """End a process midway, and see that it was started again and that nothing was lost."""
    process = town.fed.status().processes[name]
    agreement, before = town.agree(town.pupil()), held(town)
    sent = await town.send_many(agreement, COUNT, lambda: kill(process["pid"], how))
    await asyncio.to_thread(all_accepted_once, town, sent, before)
    assert town.fed.status().processes[name]["restarts"] == process["restarts"] + 1


async def test_the_receiver_s_service_is_killed(towns: tuple[Town, Town]) -> None:
    await on_each(towns, lambda town: crash(town, f"{CITY}.service"))


async def test_the_receiver_s_nats_server_is_killed(towns: tuple[Town, Town]) -> None:
    await on_each(towns, lambda town: crash(town, f"{CITY}.leaf"))


async def test_the_hub_is_killed(towns: tuple[Town, Town]) -> None:
    await on_each(towns, lambda town: crash(town, "hub"))


@pytest.mark.parametrize("org", [SCHOOL, CITY])
async def test_a_service_is_told_to_stop(towns: tuple[Town, Town], org: str) -> None:
    """As at each update: busy as it is, it ends, and loses nothing."""
    await on_each(towns, lambda town: crash(town, f"{org}.service", signal.SIGTERM))
