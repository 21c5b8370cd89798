"""The hub and its registrar on real servers: claims pushed, forged, rolled back and withdrawn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import nats
import pytest

from contracts.broker import claims
from contracts.broker.activations import read_activation
from contracts.broker.nkey import InvalidKey, KeyKind
from contracts.broker.tokens import decode_and_verify, sign
from contracts.kernel.errors import Unavailable
from services.registrar.hub import HubLink, HubRefused
from services.registrar.reconcile import Difference, Mended
from tests.servers import free_port
from tests.services.registrar.conftest import (
    AT_ONCE_S,
    LINK_S,
    Bench,
    Organisation,
    make_organisation,
    new_key,
    now,
    passes,
    pull,
    send,
    shut,
    until,
)


@asynccontextmanager
async def fourth(bench: Bench) -> AsyncIterator[Organisation]:
    """Bring in an organisation of its own, for tests that cut one off."""
    organisation = make_organisation(bench.root, bench.authority, bench.binary, "d")
    bench.organisations["d"] = organisation
    try:
        await bench.push()
        server = bench.leaf("d")
        server.start()
        await asyncio.to_thread(server.wait_ready)
        yield organisation
    finally:
        organisation.server.kill()
        bench.organisations.pop("d", None)
        await bench.push()


async def test_an_activation_that_the_receiver_did_not_sign_opens_nothing_even_pushed_by_hand(
    bench: Bench,
) -> None:
    made = bench.sign("a", "b", signer=bench.organisations["a"].signing)
    good = bench.sign("a", "b")
    assert not [m for m in await bench.push() if m.failure]
    importing, exporting = bench.compiled()["a"], bench.compiled()["b"]
    shared = {"subject": made.subject, "type": "service"}
    exporting["nats"]["exports"].append({**shared, "token_req": True})
    importing["nats"]["imports"].append(
        {
            **shared,
            "account": bench.organisations["b"].account.public,
            "token": bench.activations[made.subject].token,
        }
    )
    async with bench.organisations["a"].client("app") as client, bench.link() as link:
        await until(partial(passes, client, good.subject), AT_ONCE_S)
        for body in (exporting, importing):
            await link.push(sign(body, bench.operator_signing, now()))
        await asyncio.sleep(0.2)
        assert not await passes(client, made.subject)
        del bench.grants[made.subject]
        await bench.push()
        await until(partial(passes, client, good.subject), AT_ONCE_S)


async def test_a_claim_signed_by_a_wrong_key_is_seen_and_mended(bench: Bench) -> None:
    made = bench.sign("a", "b")
    await bench.push()
    account = bench.organisations["a"].account.public
    wrong = sign(bench.compiled()["a"], new_key(KeyKind.OPERATOR), now())
    async with bench.link() as link, bench.organisations["a"].client("app") as client:
        await link.push(wrong)
        assert await link.lookup(account) == wrong
        assert await bench.push() == (Mended(account, Difference.FOREIGN_KEY),)
        held = await link.lookup(account)
        assert held is not None
        assert decode_and_verify(held, at=now(), issuers={bench.operator_signing.public})
        assert await bench.push() == ()
        await until(partial(passes, client, made.subject), AT_ONCE_S)


async def test_an_older_claim_is_seen_and_mended(bench: Bench) -> None:
    made = bench.sign("a", "b")
    await bench.push()
    accounts = [bench.organisations[code].account.public for code in "ab"]
    async with bench.link() as link, bench.organisations["a"].client("app") as client:
        await until(partial(passes, client, made.subject), AT_ONCE_S)
        older = [await link.lookup(account) for account in accounts]
        del bench.grants[made.subject]
        await bench.push()
        await until(partial(shut, client, made.subject), AT_ONCE_S)
        for token in reversed(older):
            assert token is not None
            await link.push(token)
        await until(partial(passes, client, made.subject), AT_ONCE_S)
        assert set(await bench.push()) == {Mended(a, Difference.CHANGED) for a in accounts}
        await until(partial(shut, client, made.subject), AT_ONCE_S)


async def test_a_revoked_activation_opens_nothing_though_the_senders_older_claim_comes_back(
    bench: Bench,
) -> None:
    made = bench.sign("a", "b")
    await bench.push()
    receiver = bench.organisations["b"]
    async with bench.link() as link, bench.organisations["a"].client("app") as client:
        await until(partial(passes, client, made.subject), AT_ONCE_S)
        older = await link.lookup(bench.organisations["a"].account.public)
        assert older is not None
        exported = bench.compiled()["b"]
        for export in exported["nats"]["exports"]:
            if export["subject"] == made.subject:
                stamp = int(now().timestamp())
                export["revocations"] = {bench.organisations["a"].account.public: stamp}
        receiver.revoked_activations[made.subject] = now()
        assert made.subject not in str(bench.compiled()["a"])
        await link.push(sign(exported, bench.operator_signing, now()))
        await link.push(older)
        await until(partial(shut, client, made.subject), AT_ONCE_S)
        await asyncio.sleep(1.1)
        bench.activations[made.subject] = read_activation(bench.activate(made))
        await bench.push()
        await until(partial(passes, client, made.subject), AT_ONCE_S)


async def test_an_excluded_organisation_is_cut_at_once(bench: Bench) -> None:
    async with fourth(bench) as organisation, organisation.client("app") as client:
        made, among = bench.sign("d", "a"), bench.sign("b", "a")
        await bench.push()
        await until(partial(passes, client, made.subject), LINK_S)
        del bench.organisations["d"]
        gone = Mended(organisation.account.public, Difference.STRANGER)
        assert gone in await bench.push()
        await until(partial(shut, client, made.subject), AT_ONCE_S)
        async with bench.link() as link:
            assert await link.lookup(organisation.account.public) is None
        async with bench.organisations["b"].client("app") as other:
            assert await passes(other, among.subject)


async def test_a_revoked_leaf_user_is_cut_and_a_new_one_links(bench: Bench) -> None:
    async with fourth(bench) as organisation, organisation.client("app") as client:
        made = bench.sign("d", "a")
        await bench.push()
        await until(partial(passes, client, made.subject), LINK_S)
        organisation.revoked_users[organisation.user.public] = now()
        await bench.push()
        await until(partial(shut, client, made.subject), AT_ONCE_S)
        organisation.user = new_key(KeyKind.USER)
        bench.leaf("d")
        organisation.server.stop()
        organisation.server.start()
        await asyncio.to_thread(organisation.server.wait_ready)
        async with organisation.client("app") as again:
            await until(partial(passes, again, made.subject), LINK_S)


async def test_the_hub_stores_claims_and_no_letter(bench: Bench) -> None:
    made = bench.sign("a", "b")
    await bench.push()
    marker = b"a-letter-that-must-not-stay-on-the-road"
    async with bench.organisations["a"].client("app") as client:
        await until(partial(passes, client, made.subject), AT_ONCE_S)
        await send(client, made.subject, marker)
    hub = bench.hub_config.directory
    kept = {p.relative_to(hub).as_posix() for p in hub.rglob("*") if p.is_file()}
    claims_files = {name for name in kept if name.startswith("claims/")}
    assert {name.rpartition(".")[2] for name in claims_files} <= {"jwt", "deleted"}
    assert kept - claims_files == {"nats.json", "nats.log", "hub.pem", "hub-key.pem"}
    assert not [name for name in kept if marker in (hub / name).read_bytes()]
    assert "jetstream" not in (hub / "nats.json").read_text().lower()
    async with bench.organisations["b"].client("app") as client:
        found = await pull(client, 1_000)
        assert [m.data for m in found if m.subject == made.subject][-1] == marker


async def test_traffic_resumes_after_the_hub_is_killed(bench: Bench) -> None:
    made = bench.sign("a", "b")
    await bench.push()
    async with bench.organisations["a"].client("app") as client, bench.link() as link:
        await until(partial(passes, client, made.subject), AT_ONCE_S)
        first = bench.hub.pid
        bench.hub.kill()
        assert bench.hub.pid is None
        await until(partial(shut, client, made.subject), AT_ONCE_S)
        with pytest.raises(Unavailable):
            await link.accounts()
        with pytest.raises(Unavailable):
            await bench.push()
        bench.hub.start()
        await asyncio.to_thread(bench.hub.wait_ready)
        assert bench.hub.pid != first
        await until(partial(passes, client, made.subject), LINK_S)
    assert await bench.push() == ()


async def test_the_registrars_user_reaches_claims_only(bench: Bench) -> None:
    account = bench.organisations["a"].account.public
    async with bench.link() as link:
        assert await link.lookup(account)
        assert {account, bench.system.public} <= set(await link.accounts())
        assert await link.lookup(new_key(KeyKind.ACCOUNT).public) is None
        for subject in ("$SYS.REQ.SERVER.PING", f"$SYS.REQ.ACCOUNT.{account}.CONNZ", "lb.a.b.c.m"):
            with pytest.raises(nats.errors.Error):
                await link._client.request(subject, b"", timeout=0.3)


async def test_the_hub_refuses_garbage_and_a_foreign_deletion(bench: Bench) -> None:
    accounts = [bench.organisations["c"].account.public]
    async with bench.link() as link:
        for body in ("", "garbage", "x" * (9 * 1024**2)):
            with pytest.raises(HubRefused):
                await link.push(body)
        foreign = claims.deletion_request(accounts, new_key(KeyKind.OPERATOR), now())
        with pytest.raises(HubRefused):
            await link.delete(foreign)
        assert await link.lookup(accounts[0])
        with pytest.raises(InvalidKey):
            await link.lookup("not a key")


async def test_a_hub_that_is_away_is_said_to_be(bench: Bench) -> None:
    async with bench.link():
        pass
    token = claims.registrar_user_token(
        bench.system.public, bench.registrar.public, bench.system_signing, now()
    )
    with pytest.raises(Unavailable):
        await HubLink.connect(
            f"nats://127.0.0.1:{free_port()}",
            claims.credentials(token, bench.registrar),
            timeout_s=0.3,
        )
