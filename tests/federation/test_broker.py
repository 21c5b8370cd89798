"""Whoever holds true credentials and a bare NATS client: the broker alone stands in the way.

Two intruders play each organisation: one on its own server, as the node's own user; one that runs a
server of its own with the stolen leaf credentials and certificate, and no local rule at all.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from itertools import product
from pathlib import Path

import nats
import nats.errors
import pytest

from contracts.broker.subjects import letter_subject
from contracts.kernel.instrument import Instrument, subject_token
from contracts.kernel.signed import OPEN_STATES
from services.chassis.clock import new_id
from services.chassis.nats_server import NatsServer, find_binary, tls_block, write_config
from services.chassis.secret import NodeSecret
from services.chassis.tls import TlsFiles
from services.federation.intruder import Intruder
from services.federation.layout import HUB, HUB_LEAFS, leaf_of
from services.federation.ports import HOST
from services.registrar.operator import OperatorKeys
from tests.federation.town import CITY, KNOWN, MISSION, OTHER, SCHOOL, Town, eventually
from tests.servers import free_port

STRANGER = "a-personne-na-signe"
"""Id of a convention that nobody signed."""
LINK_S = 10.0
AT_ONCE = 256
"""Publications under way at once: with all that is imaginable together, the allowed ones would wait
longer for their answer than anybody waits."""


def files(town: Town, org: str) -> TlsFiles:
    """Certificate of an organisation's leaf."""
    folder = town.fed.layout.node_dir(org) / "nats"
    ca = town.fed.layout.home / "tls" / "ca.pem"
    return TlsFiles(ca, folder / "leaf.pem", folder / "leaf-key.pem")


def credentials(town: Town, org: str) -> Path:
    """Credentials of an organisation's leaf."""
    return town.fed.layout.node_dir(org) / "nats" / "leaf.creds"


@asynccontextmanager
async def rogue(
    town: Town, org: str, folder: Path, *, pretends_hub: bool = False
) -> AsyncIterator[Intruder]:
    """A server of the intruder's own, linked to the hub with what was stolen; no local rule.

    pretends_hub: it claims to be the hub of the two, and heeds none of the hub's permissions.
    """
    remote = {
        "urls": [f"tls://{HOST}:{town.fed.layout.ports[HUB_LEAFS]}"],
        "credentials": str(credentials(town, org)),
        "tls": tls_block(files(town, org)),
        "hub": pretends_hub,
    }
    port, leafs = free_port(), {"reconnect": "1s", "remotes": [remote]}
    config = {"server_name": f"rogue-{port}", "host": HOST, "port": port, "leafnodes": leafs}
    path = write_config(folder / org, config)
    server = NatsServer(find_binary(os.environ), path, HOST, port, folder / org / "nats.log")
    server.start()
    try:
        await asyncio.to_thread(server.wait_ready)
        async with Intruder(f"nats://{HOST}:{port}", "none") as intruder:
            yield intruder
    finally:
        server.kill()


def granted(town: Town) -> set[str]:
    """Subjects that signed conventions and the law open, told again from texts and states."""
    made: set[str] = set()
    held = {one["convention_id"]: one for org in town.dpo for one in conventions(town, org)}
    for name, one in held.items():
        text, parties = KNOWN.convention(one["convention"]), one["parties"]
        by_kind = {town.fed.layout.federation.member(org).kind: org for org in parties}
        both = [(s, r) for s, r in product(parties, parties) if s != r]
        made |= {subject(town, s, r, name, code) for s, r in both for code in "kr"}
        if one["state"] in OPEN_STATES:
            made |= {
                subject(town, by_kind[flow.sender], by_kind[flow.receiver], name, flow.code)
                for flow in text.flows
            }
        # The law holds between whoever signed, open or not, and are of the kinds it binds.
        duties = [
            one for one in KNOWN.duties.values() if {one.sender, one.receiver} <= set(by_kind)
        ]
        for duty in duties:
            there = (by_kind[duty.sender], by_kind[duty.receiver])
            made |= {subject(town, s, r, duty.code, code) for s, r in both for code in "kr"}
            made |= {subject(town, *there, duty.code, flow.code) for flow in duty.flows}
    return made


def conventions(town: Town, org: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = town.dpo[org].get("/api/v1/conventions").json()
    return found


def subject(town: Town, sender: str, receiver: str, convention_id: str, code: str) -> str:
    token = subject_token(convention_id)
    return letter_subject(town.code(receiver), town.code(sender), token, code)


def imaginable(town: Town, senders: Iterable[str]) -> list[str]:
    """Every subject between two organisations, for every text and message that exists."""
    signed = {one["convention_id"] for org in town.dpo for one in conventions(town, org)}
    instruments: list[Instrument] = [*KNOWN.conventions.values(), *KNOWN.duties.values()]
    names = sorted(signed | set(KNOWN.duties) | {STRANGER})
    codes = sorted({flow.code for one in instruments for flow in one.flows} | {"k", "r", "zz"})
    orgs = town.fed.layout.orgs
    return [
        subject(town, sender, receiver, name, code)
        for sender, receiver, name, code in product(senders, orgs, names, codes)
        if sender != receiver
    ]


async def stored(intruder: Intruder, subjects: Iterable[str]) -> set[str]:
    """Which of the subjects a letterbox takes a letter on."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(name: str) -> str | None:
        async with turn:
            said = await intruder.publish(name, {"Nats-Msg-Id": new_id()}, b"x")
        return name if said == "stored" else None

    return {name for name in await asyncio.gather(*map(one, subjects)) if name is not None}


async def test_the_node_s_own_user_publishes_exactly_what_conventions_grant(one_town: Town) -> None:
    opened = granted(one_town)
    for org in one_town.fed.layout.orgs:
        wanted = {name for name in opened if name.split(".")[2] == one_town.code(org)}
        async with one_town.intruder(org) as intruder:
            await exactly(intruder, imaginable(one_town, [org]), wanted)
    assert len(opened) == len({one for one in opened if one in all_subjects(one_town)}) > 0


async def exactly(intruder: Intruder, tried: Iterable[str], wanted: set[str]) -> None:
    """All that is wanted gets through and never anything else; a link may still be on its way."""
    subjects = list(tried)

    async def through() -> bool:
        found = await stored(intruder, subjects)
        assert found <= wanted, found - wanted
        return found == wanted

    await eventually(through, 3 * LINK_S)


def all_subjects(town: Town) -> set[str]:
    return set(imaginable(town, town.fed.layout.orgs))


@pytest.mark.parametrize("org", [SCHOOL, OTHER, CITY, MISSION])
async def test_stolen_credentials_publish_no_more_than_conventions_grant_in_no_other_s_name(
    one_town: Town, org: str, tmp_path: Path
) -> None:
    """The Mission Locale signed nothing: its credentials write to nobody at all."""
    opened = granted(one_town)
    wanted = {name for name in opened if name.split(".")[2] == one_town.code(org)}
    assert bool(wanted) is (org != MISSION)
    everything = all_subjects(one_town)

    async def no_more_and_no_less(intruder: Intruder) -> bool:
        """A new link hears of one route after the other; of a wrong one it never hears."""
        found = await stored(intruder, everything)
        assert found <= wanted
        return found == wanted

    async with rogue(one_town, org, tmp_path) as intruder:
        if wanted:
            await eventually(lambda: _passes(intruder, min(wanted)), LINK_S)
        await eventually(lambda: no_more_and_no_less(intruder), 2 * LINK_S)


async def _passes(intruder: Intruder, name: str) -> bool:
    return bool(await stored(intruder, [name]))


EAVESDROPPERS = (OTHER, MISSION)


@pytest.mark.parametrize("org", EAVESDROPPERS)
async def test_nobody_hears_another_s_letters(one_town: Town, org: str, tmp_path: Path) -> None:
    """The receiver's own credentials hear its letter: so there was something to be heard."""
    boxes = [f"lb.{one_town.code(other)}.>" for other in (SCHOOL, CITY)]
    async with (
        one_town.intruder(org) as inside,
        rogue(one_town, org, tmp_path / "leaf") as outside,
        rogue(one_town, org, tmp_path / "hub", pretends_hub=True) as above,
        rogue(one_town, CITY, tmp_path) as receiver,
    ):
        hearing = asyncio.create_task(receiver.listen(boxes[1], 6.0))
        listening = [
            asyncio.create_task(one.listen(box, 6.0))
            for one in (inside, outside, above)
            for box in (*boxes, "lb.>", ">", "_R_.>")
        ]
        await asyncio.sleep(1.5)
        await asyncio.to_thread(_exchange, one_town)
        assert [await one for one in listening] == [0] * len(listening)
        assert await hearing > 0


def _exchange(town: Town) -> None:
    case_id = town.accepted()["case_id"]
    town.answer(case_id).raise_for_status()


API = ("INFO", "STREAM.NAMES", "STREAM.INFO.LETTERBOX", "CONSUMER.INFO.LETTERBOX.node")


async def test_the_jetstream_api_of_another_is_out_of_reach(one_town: Town, tmp_path: Path) -> None:
    async with one_town.intruder(OTHER) as inside, rogue(one_town, OTHER, tmp_path) as outside:
        for org in (SCHOOL, CITY, MISSION):
            for intruder in (inside, outside):
                assert await intruder.read_stream(one_town.code(org)) != "read"
            for name in API:
                asked = f"$JS.{one_town.code(org)}.API.{name}"
                assert not await answers(outside, asked), asked
                assert not await answers(outside, f"$JS.API.{name}")
    port = one_town.fed.layout.ports[leaf_of(SCHOOL)]
    password = NodeSecret.load(one_town.fed.layout.secret_file(SCHOOL)).nats_password("admin")
    admin = await nats.connect(f"nats://{HOST}:{port}", user="admin", password=password)
    try:
        for name in API:
            assert b'"error"' not in (await admin.request(f"$JS.API.{name}", b"")).data
    finally:
        await admin.close()


async def answers(intruder: Intruder, asked: str) -> bool:
    """Whether anybody answers a request."""
    assert intruder._client is not None
    try:
        await intruder._client.request(asked, b"", timeout=0.5)
    except (nats.errors.Error, TimeoutError):
        return False
    return True


def context(town: Town, org: str) -> ssl.SSLContext:
    """What an organisation's leaf presents to the hub."""
    own = files(town, org)
    made = ssl.create_default_context(cafile=own.ca)
    made.load_cert_chain(own.certificate, own.key)
    return made


async def test_a_plain_client_with_stolen_leaf_credentials_does_not_enter_the_hub(
    one_town: Town, tmp_path: Path
) -> None:
    """Neither where leafs link nor where the registrar does; as a leaf the same ones link."""
    ports, stolen = one_town.fed.layout.ports, credentials(one_town, SCHOOL)
    shown = files(one_town, SCHOOL)
    leafs, clients = f"{HOST}:{ports[HUB_LEAFS]}", f"{HOST}:{ports[HUB]}"
    assert "attempted to connect to leaf node port" in await refusal(
        f"tls://{leafs}", stolen, shown
    )
    assert "TimeoutError" in await refusal(f"nats://{leafs}", stolen)
    assert "Authorization Violation" in await refusal(f"nats://{clients}", stolen)
    async with rogue(one_town, SCHOOL, tmp_path) as intruder:
        (name,) = (n for n in granted(one_town) if n.endswith("m1") and one_town.code(SCHOOL) in n)
        await eventually(lambda: _passes(intruder, name), LINK_S)
    now, own = one_town.fed.now("registrar"), tmp_path / "registrar.creds"
    operator = OperatorKeys.open(one_town.fed.layout.folder("registrar"), now)
    own.write_text(operator.credentials(now))
    assert await refusal(f"nats://{clients}", own) == ""


ENTER = """
import asyncio, ssl, sys, nats
url, creds, *own = sys.argv[1:]
tls = ssl.create_default_context(cafile=own[0]) if own else None
if own:
    tls.load_cert_chain(own[1], own[2])
async def enter():
    client = await nats.connect(url, user_credentials=creds, tls=tls, connect_timeout=2,
        tls_handshake_first=bool(own), allow_reconnect=False, max_reconnect_attempts=0)
    await client.flush()
    await client.close()
asyncio.run(asyncio.wait_for(enter(), 4))
"""
"""A plain client in a process of its own: nats-py leaves sockets open when it is refused."""


async def refusal(url: str, creds: Path, own: TlsFiles | None = None) -> str:
    """How a plain client is refused; nothing when it is let in."""
    shown = () if own is None else (own.ca, own.certificate, own.key)
    client = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ENTER, url, creds, *shown, stderr=asyncio.subprocess.PIPE
    )
    _, said = await client.communicate()
    return said.decode().strip().rpartition("\n")[2] if client.returncode else ""


async def test_the_hub_links_nobody_without_a_certificate(one_town: Town) -> None:
    port = one_town.fed.layout.ports[HUB_LEAFS]
    bare = ssl.create_default_context(cafile=files(one_town, SCHOOL).ca)
    assert await greeted(port, context(one_town, SCHOOL))
    assert not await greeted(port, bare)


async def greeted(port: int, tls: ssl.SSLContext) -> bool:
    """Whether the hub's leaf listener says who it is."""
    try:
        async with asyncio.timeout(3):
            reader, writer = await asyncio.open_connection(HOST, port, ssl=tls)
    except (OSError, TimeoutError):
        return False
    said = b""
    with suppress(OSError):  # TLS 1.3: the client finds itself refused at its first reading
        said = await reader.readline()
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return said.startswith(b"INFO")
