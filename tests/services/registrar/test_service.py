"""The registrar at work on a real hub with two real leafs: what it opens, cuts and mends."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest
import yaml

from contracts.broker.claims import Account, account_claims
from contracts.broker.nkey import KeyKind
from contracts.broker.tokens import decode_and_verify
from contracts.broker.tokens import sign as sign_token
from contracts.conventions.a_city_school.convention import CONVENTION, DUTIES
from contracts.kernel.paris import midnight
from contracts.kernel.terms import ActKind
from services.registrar.hub import HubLink
from tests.servers import free_port
from tests.services.registrar.conftest import (
    AT_ONCE_S,
    LINK_S,
    new_key,
    now,
    passes,
    shut,
    until,
)
from tests.services.registrar.town import CONTROL, INTERVAL_S, REFERRAL, Town, running

MENDED_S = INTERVAL_S + AT_ONCE_S


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with running(tmp_path) as town:
        yield town


async def held(town: Town, account: str) -> str:
    """What the hub holds for an account, read by a connection of the test's own."""
    link = await HubLink.connect(town.settings.hub_url, town.operator.credentials(now()))
    try:
        found = await link.lookup(account)
    finally:
        await link.close()
    assert found is not None
    return found


async def push(town: Town, token: str) -> None:
    link = await HubLink.connect(town.settings.hub_url, town.operator.credentials(now()))
    try:
        await link.push(token)
    finally:
        await link.close()


async def test_a_signed_and_activated_convention_opens_its_subjects_and_no_other(
    town: Town,
) -> None:
    async with town.school.client() as client:
        assert await passes(client, REFERRAL)
        assert await passes(client, CONTROL)
        assert not await passes(client, REFERRAL.replace(".m1", ".m2"))
    state = await town.state()
    assert len(state["open"]) == len(CONVENTION.flows) + 4 + len(DUTIES) + 4
    assert state["withheld"] == {}
    assert state["failure"] is None
    assert await town.ready()
    assert (
        f"relais_registrar_subjects_open {len(state['open'])}.0"
        in (await town.http.get("/metrics")).text
    )


async def test_the_registrar_alone_opens_nothing(tmp_path: Path) -> None:
    """It holds no organisation's private key: without the receiver's signature all stays shut."""
    town = Town(tmp_path)
    try:
        await town.start()
        await town.sign()
        await until(town.ready, LINK_S)
        state = await town.state()
        assert state["open"] == []
        assert set(state["withheld"].values()) == {"activation_missing"}
        async with town.school.client() as client:
            assert not await passes(client, REFERRAL)
            await town.school.activate()
            await asyncio.sleep(AT_ONCE_S)
            assert not await passes(client, REFERRAL)
            await town.city.activate()
            await until(partial(passes, client, REFERRAL), AT_ONCE_S)
    finally:
        await town.stop()


async def test_a_suspension_is_cut_at_the_broker_within_a_second_and_a_resumption_opens(
    town: Town,
) -> None:
    async with town.school.client() as client:
        await town.put("/acts", town.city.act(ActKind.SUSPENSION))
        await until(partial(shut, client, REFERRAL), AT_ONCE_S)
        assert await passes(client, CONTROL)
        await town.activate()
        assert not await passes(client, REFERRAL)
        await town.put("/acts", town.city.act(ActKind.RESUMPTION))
        await town.activate()
        await until(partial(passes, client, REFERRAL), AT_ONCE_S)


async def test_the_end_of_the_term_on_the_registrars_clock_cuts_flows_and_leaves_control(
    town: Town,
) -> None:
    ends_on = town.registrar.view.conventions["conv-a"].ends_on
    assert ends_on is not None
    async with town.school.client() as client:
        town.clock.offset = midnight(ends_on) - now() - timedelta(hours=1)
        await asyncio.sleep(2 * INTERVAL_S)
        assert await passes(client, REFERRAL)
        town.clock.offset = midnight(ends_on) - now()
        await until(partial(shut, client, REFERRAL), MENDED_S)
        assert await passes(client, CONTROL)


async def test_an_older_claim_pushed_by_hand_is_mended(town: Town) -> None:
    """The hub takes a termination rolled back and answers 200: only the read-back sees it."""
    accounts = [node.keys.account.public for node in (town.city, town.school)]
    older = [await held(town, account) for account in accounts]
    async with town.school.client() as client:
        await town.put("/acts", town.city.act(ActKind.SUSPENSION))
        await until(partial(shut, client, REFERRAL), AT_ONCE_S)
        before = (await town.state())["mended_total"]
        for token in older:
            await push(town, token)
        await until(partial(passes, client, REFERRAL), AT_ONCE_S)
        await until(partial(shut, client, REFERRAL), MENDED_S)

        async def counted() -> bool:
            return bool((await town.state())["mended_total"] >= before + 2)

        await until(counted, MENDED_S)
    assert [await held(town, account) for account in accounts] != older


async def test_an_activation_signed_anew_voids_the_former_one_even_without_the_registrar(
    town: Town,
) -> None:
    account = town.school.keys.account.public
    older = await held(town, account)
    await asyncio.sleep(1)  # a NATS token is dated in whole seconds
    town.city.activations = {}
    await town.city.activate()
    await until(town.ready, LINK_S)
    newer = await held(town, account)
    await town.stop_registrar()
    async with town.school.client() as client:
        assert await passes(client, REFERRAL)
        await push(town, older)
        await until(partial(shut, client, REFERRAL), AT_ONCE_S)
        await push(town, newer)
        await until(partial(passes, client, REFERRAL), AT_ONCE_S)


async def test_a_claim_signed_by_a_wrong_key_is_mended(town: Town) -> None:
    account = town.school.keys.account.public
    claims = decode_and_verify(await held(town, account))
    body = {name: claims[name] for name in ("exp", "name", "sub", "nats")}
    before = (await town.state())["mended_total"]
    await push(town, sign_token(body, new_key(KeyKind.OPERATOR), now()))

    async def mended() -> bool:
        return bool((await town.state())["mended_total"] > before)

    await until(mended, MENDED_S)
    issuer = decode_and_verify(await held(town, account))["iss"]
    assert issuer == town.operator.signing.public
    async with town.school.client() as client:
        await until(partial(passes, client, REFERRAL), AT_ONCE_S)


async def test_a_stranger_on_the_hub_is_removed(town: Town) -> None:
    stranger = new_key(KeyKind.ACCOUNT)
    account = Account("zz", stranger.public, (stranger.public,))
    end = now() + timedelta(days=1)
    claims = account_claims(account, exports=[], imports=[], expires_at=end)
    await push(town, sign_token(claims, town.operator.signing, now()))

    async def gone() -> bool:
        link = await HubLink.connect(town.settings.hub_url, town.operator.credentials(now()))
        try:
            return stranger.public not in await link.accounts()
        finally:
            await link.close()

    await until(gone, MENDED_S)


async def test_a_restart_of_the_registrar_keeps_its_state_and_changes_nothing(town: Town) -> None:
    before = await town.state()
    directory = (await town.http.get("/directory")).content
    claims = await held(town, town.school.keys.account.public)
    await town.stop_registrar()
    async with town.school.client() as client:
        assert await passes(client, REFERRAL)
        await town.start_registrar()
        await until(town.ready, LINK_S)
        after = await town.state()
        assert (after["open"], after["revision"]) == (before["open"], before["revision"])
        assert after["mended_total"] == 0
        assert (await town.http.get("/directory")).content == directory
        assert await held(town, town.school.keys.account.public) == claims
        assert await passes(client, REFERRAL)


async def test_a_hub_that_comes_back_empty_is_filled_again(town: Town) -> None:
    town.hub.kill()
    for node in (town.city, town.school):
        (town.hub_settings.directory / "claims" / f"{node.keys.account.public}.jwt").unlink()
    assert not await town.ready()
    assert (await town.http.get("/healthz")).status_code == 200
    town.hub.start()
    await asyncio.to_thread(town.hub.wait_ready)
    await until(town.ready, LINK_S)
    async with town.school.client() as client:
        await until(partial(passes, client, REFERRAL), LINK_S)


async def test_an_organisation_taken_off_the_list_is_cut(town: Town) -> None:
    await town.stop_registrar()
    town.admitted = town.admitted[:1]
    async with town.school.client() as client:
        assert await passes(client, REFERRAL)
        await town.start_registrar()
        await until(partial(shut, client, REFERRAL), LINK_S)
    await until(town.ready, LINK_S)
    assert (await town.state())["organisations"] == ["c1"]


async def test_a_rotation_leaves_the_road_open_and_the_new_key_acts(town: Town) -> None:
    statement = town.school.keys.rotate_signing(now())
    async with town.school.client() as client:
        await town.put("/rotations", statement)
        for _ in range(10):
            assert await passes(client, REFERRAL)
            await asyncio.sleep(INTERVAL_S / 5)
        await town.school.publish()
        await town.activate()
        assert await passes(client, REFERRAL)
    assert town.city.keeper.current.find_key("college", town.school.keys.kid)
    async with town.school.client() as client:
        await town.put("/acts", town.school.act(ActKind.SUSPENSION))
        await until(partial(shut, client, REFERRAL), AT_ONCE_S)


async def test_the_process_starts_from_a_settings_file_and_prepares_its_hub(
    tmp_path: Path,
) -> None:
    town = Town(tmp_path)
    (town.hub_settings.directory / "nats.json").unlink()
    port = free_port()
    settings = {
        **town.settings.model_dump(mode="json", exclude={"database_url"}),
        "http_port": port,
        "hub": town.hub_settings.model_dump(mode="json"),
    }
    path = tmp_path / "registrar.yaml"
    path.write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-m", "services.registrar", str(path)]
    environment = {name: value for name, value in os.environ.items() if "RELAIS" not in name}
    process = await asyncio.create_subprocess_exec(*command, env=environment)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:

            async def answers(expected: int) -> bool:
                try:
                    return (await client.get("/readyz")).status_code == expected
                except httpx.HTTPError:
                    return False

            await until(partial(answers, 503), LINK_S)
            town.hub.start()
            await until(partial(answers, 200), LINK_S)
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), LINK_S)
        town.hub.kill()
    assert process.returncode in {0, -15}


def test_the_process_says_what_is_missing_and_stops() -> None:
    environment = {name: value for name, value in os.environ.items() if "RELAIS" not in name}
    done = subprocess.run(
        [sys.executable, "-m", "services.registrar"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "RELAIS_REGISTRAR_DIR (missing)" in done.stderr
    assert "Traceback" not in done.stderr
