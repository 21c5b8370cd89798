"""What a party closes is closed everywhere within seconds, and control outlives it."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import date, timedelta
from http import HTTPStatus

import httpx
from sqlalchemy import select

from contracts.broker.nkey import SEED_BYTES, KeyKind, key_pair
from contracts.broker.subjects import letter_subject
from contracts.broker.tokens import decode_and_verify, sign
from contracts.kernel import documents
from contracts.kernel.instrument import subject_token
from contracts.kernel.paris import add_months, day_of, midnight
from contracts.kernel.terms import Act, ActKind
from services.chassis import tables
from services.chassis.chain import Head, Line, verify_lines
from services.chassis.clock import new_id
from services.chassis.keys import NodeKeys
from services.chassis.schema import journal
from services.federation.config import convention_id
from services.federation.intruder import Intruder
from services.federation.layout import HUB, REGISTRAR, leaf_of
from services.federation.ports import HOST
from services.registrar.hub import HubLink
from services.registrar.operator import OperatorKeys
from tests.federation.town import CITY, LEAVING, SCHOOL, Town, eventually, until

CLOSED_WITHIN_S = 5.0
"""How soon a suspension holds everywhere: the requirement itself."""

AT_SCHOOL = convention_id("A", [CITY, SCHOOL])
AT_LEAVING = convention_id("A", [CITY, LEAVING])


def flow(town: Town, school: str, signed: str, code: str = "m1") -> str:
    """Subject of what a school sends to the city under their convention."""
    return letter_subject(town.code(CITY), town.code(school), subject_token(signed), code)


async def passes(intruder: Intruder, subject: str) -> bool:
    return await intruder.publish(subject, {"Nats-Msg-Id": new_id()}, b"x") == "stored"


async def waits(intruder: Intruder, subject: str, *, passing: bool, seconds: float) -> None:
    """Publish again and again until the broker lets it pass, or no longer does."""

    async def as_wished() -> bool:
        return await passes(intruder, subject) is passing

    await eventually(as_wished, seconds)


def gate(town: Town, agreement_id: str) -> int:
    return town.attempt(agreement_id).status_code


@contextmanager
def suspended(town: Town, org: str = CITY) -> Iterator[None]:
    """A convention that a party suspends, then resumes; open again for the next test.

    A node may read an act a second later than its partner, and would refuse what leaves meanwhile.
    """
    assert town.act(org, AT_SCHOOL, kind="suspension") == "suspended"
    try:
        yield
    finally:
        resume(town, org)


def resume(town: Town, org: str) -> None:
    """Lift a party's suspension, and wait until both parties know."""
    town.act(org, AT_SCHOOL, kind="resumption")
    until(
        lambda: {state(town, party, AT_SCHOOL) for party in (SCHOOL, CITY)} == {"in_force"},
        "the convention is not in force again",
    )


def state(town: Town, org: str, signed: str) -> str:
    listed = town.dpo[org].get("/api/v1/conventions").json()
    return next(str(one["state"]) for one in listed if one["convention_id"] == signed)


@asynccontextmanager
async def outsider(town: Town, org: str) -> AsyncIterator[Intruder]:
    async with town.intruder(org) as intruder:
        yield intruder


async def test_a_suspension_closes_gate_and_broker_within_seconds_and_a_resumption_opens_them(
    town: Town,
) -> None:
    agreement, subject = town.agree(town.pupil()), flow(town, SCHOOL, AT_SCHOOL)
    async with outsider(town, SCHOOL) as intruder:
        await waits(intruder, subject, passing=True, seconds=CLOSED_WITHIN_S)
        assert gate(town, agreement) == HTTPStatus.ACCEPTED
        began = time.monotonic()
        with suspended(town):
            await waits(intruder, subject, passing=False, seconds=CLOSED_WITHIN_S)
            until(lambda: gate(town, agreement) == HTTPStatus.FORBIDDEN, "the gate stays open")
            assert time.monotonic() - began < CLOSED_WITHIN_S
            refused = town.attempt(agreement).json()
            assert [one["code"] for one in refused["reasons"]] == ["suspended"]
            assert refused["articles"] == ["A-10.1"]
            for code in "kr":
                assert await passes(intruder, flow(town, SCHOOL, AT_SCHOOL, code))
            assert state(town, CITY, convention_id("A", [CITY, town.other_school])) == "in_force"
        await waits(intruder, subject, passing=True, seconds=CLOSED_WITHIN_S)
    assert town.accepted(agreement)["receipt"]["status"] == "received"


def test_only_the_party_that_suspended_lifts_its_suspension(town: Town) -> None:
    with suspended(town, SCHOOL):
        assert town.act(CITY, AT_SCHOOL, kind="resumption") == "suspended"
    assert state(town, SCHOOL, AT_SCHOOL) == "in_force"


@contextmanager
def down(town: Town, org: str) -> Iterator[None]:
    """A service that does not run, and is started again at the end."""
    supervisor = town.fed.status().pid
    assert supervisor is not None
    os.kill(supervisor, signal.SIGSTOP)
    try:
        os.kill(town.process(org), signal.SIGKILL)
        # Until its server has seen it go, it would still hand letters to it, for half a minute.
        until(lambda: not clients(town, org), f"the service of {org} is still connected")
        yield
    finally:
        os.kill(supervisor, signal.SIGCONT)
    town.fed.wait_ready()


def clients(town: Town, org: str) -> list[str]:
    """Clients of an organisation's nats-server."""
    page = httpx.get(f"http://{HOST}:{town.monitoring[leaf_of(org)]}/connz").json()
    return [one["ip"] for one in page["connections"] if one["kind"] == "Client"]


def test_a_message_in_flight_is_refused_by_the_receiver(town: Town) -> None:
    """The letter is in the letterbox, its reader down; then the sender suspends."""
    agreement = town.agree(town.pupil())
    with ExitStack() as opened:
        with down(town, CITY):
            message_id = town.refer(agreement)["message_id"]
            delivered = town.until(town.head, message_id, "delivered")
            assert delivered["state"] == "delivered"
            assert town.act(SCHOOL, AT_SCHOOL, kind="suspension") == "suspended"
            opened.callback(resume, town, SCHOOL)
        found = town.until(town.head, message_id, "refused")
        assert (found["state"], found["receipt"]["status"]) == ("refused", "not_open")
        with town.fed.client(CITY, "operator", "operateur-1") as operator:
            dead = operator.get("/api/v1/dead-letters").json()
        (one,) = (one for one in dead if one["message_id"] == message_id)
        assert (one["reason"], one["articles"]) == ("not_open", ["A-10.1"])
        assert one["can_retry"] is False
        case = tables.cases
        assert town.rows(CITY, select(case).where(case.c.case_id == found["case_id"])) == []
    with down(town, CITY):
        message_id = town.refer(agreement)["message_id"]
        town.until(town.head, message_id, "delivered")
    assert town.until(town.head, message_id, "accepted")["state"] == "accepted"


async def test_a_notice_that_ran_out_closes_for_good_and_control_still_travels(
    town: Town,
) -> None:
    """Withdrawal, erasure and certificate reach both sides after the end; both journals hold."""
    desk = Leaving(town)
    try:
        agreement = desk.agree()
        case_id = desk.accepted(agreement)
        subject = flow(town, LEAVING, AT_LEAVING)
        async with outsider(town, LEAVING) as intruder:
            await waits(intruder, subject, passing=True, seconds=CLOSED_WITHIN_S)
            today = day_of(town.fed.now(CITY))
            began = time.monotonic()
            hand_over_notice(town, CITY, AT_LEAVING, add_months(today, -6))
            await waits(intruder, subject, passing=False, seconds=CLOSED_WITHIN_S)
            until(lambda: desk.attempt(agreement).is_error, "the gate stays open")
            assert time.monotonic() - began < CLOSED_WITHIN_S
            refused = desk.attempt(agreement).json()
            assert "A-10.1" in refused["articles"]
            assert "terminated" in {one["code"] for one in refused["reasons"]}
            # Its end moved, so the receiver signs it anew; letters wait in the outbox meanwhile.
            control = flow(town, LEAVING, AT_LEAVING, "k")
            await waits(intruder, control, passing=True, seconds=CLOSED_WITHIN_S)
        assert town.attempt(town.agree(town.pupil())).is_success
        await asyncio.to_thread(desk.withdraws_and_erases, agreement, case_id)
    finally:
        desk.close()
    for org, partner in ((LEAVING, CITY), (CITY, LEAVING)):
        assert_journal_holds(town, org, partner)


def hand_over_notice(town: Town, org: str, convention_id: str, received_on: date) -> None:
    """A notice as old as its letter, which whoever keeps the documents hands out only now."""
    act = Act(
        id=f"act-{new_id()}",
        convention_id=convention_id,
        kind=ActKind.TERMINATION_NOTICE,
        org=org,
        at=midnight(received_on),
        received_on=received_on,
    )
    keys = NodeKeys.open(town.fed.layout.node_dir(org), org, town.fed.now(org))
    token = documents.sign(act.to_bytes(), keys.signing, typ="act")
    httpx.post(f"{town.fed.url(REGISTRAR)}/acts", content=token).raise_for_status()


class Leaving:
    """The desks of the school whose convention ends."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.head = town.fed.client(LEAVING, "manager", "chef-9")
        self.dpo = town.dpo[LEAVING]
        self.head.post("/api/v1/charter", json={"version": "1"}).raise_for_status()

    def close(self) -> None:
        self.head.close()

    def agree(self) -> str:
        return self.town.agree(self.town.pupil(client=self.head), self.head)

    def attempt(self, agreement_id: str) -> httpx.Response:
        return self.town.attempt(agreement_id, client=self.head)

    def accepted(self, agreement_id: str) -> str:
        sent = self.attempt(agreement_id).raise_for_status().json()
        found = self.town.until(self.head, sent["message_id"], "accepted")
        assert found["state"] == "accepted"
        return str(found["case_id"])

    def withdraws_and_erases(self, agreement_id: str, case_id: str) -> None:
        path = f"/api/v1/agreements/{agreement_id}"
        assert self.head.post(f"{path}/withdrawal").json()["told"] == [CITY]
        (answer,) = self.town.wait(
            lambda: self.head.get(path).json()["withdrawal"],
            lambda found: bool(found) and all(one["outcome"] for one in found),
        )
        assert (answer["org"], answer["outcome"]) == (CITY, "stopped")
        there = self.town.youth.get(f"/api/v1/cases/{case_id}").json()
        assert there["state"] == "stopped"
        assert there["content"]
        self.dpo.post(f"/api/v1/cases/{case_id}/erasure").raise_for_status()
        path = f"/api/v1/cases/{case_id}"
        held = self.town.wait(
            lambda: {one["org"]: one for one in self.dpo.get(path).json()["certificates"]},
            lambda found: set(found) == {LEAVING, CITY},
        )
        ours = held[CITY]
        assert self.dpo.get(path).json()["state"] == "erased"
        there = self.town.youth.get(f"/api/v1/cases/{case_id}").json()
        assert there["certificates"] == [ours]
        assert (ours["org"], ours["outcome"]) == (CITY, "deleted")
        assert ours["records"] > 0
        assert (there["state"], there["person"], there["content"]) == ("erased", None, {})


def assert_journal_holds(town: Town, org: str, partner: str) -> None:
    """The node verifies its own, and whoever holds its heads verifies what it publishes."""
    report = town.dpo[org].get("/api/v1/journal/verification").json()
    assert report["ok"], report["problems"]
    held = town.dpo[partner].get(f"/api/v1/journal/witnessed/{org}").json()
    assert held
    rows = town.rows(org, select(journal).order_by(journal.c.chain, journal.c.seq))
    lines = [Line(**row._mapping) for row in rows]
    heads = [Head(**one) for one in held]
    assert verify_lines(lines, heads).ok
    forged = [Head(one.chain, one.seq, "0" * 64) for one in heads]
    assert not verify_lines(lines, forged).ok


# -- claims pushed by hand -----------------------------------------------------------------------


@asynccontextmanager
async def hub(town: Town) -> AsyncIterator[HubLink]:
    """The registrar's own credentials, in other hands."""
    now = town.fed.now(REGISTRAR)
    operator = OperatorKeys.open(town.fed.layout.folder(REGISTRAR), now)
    url = f"nats://{HOST}:{town.fed.layout.ports[HUB]}"
    link = await HubLink.connect(url, operator.credentials(now))
    try:
        yield link
    finally:
        await link.close()


async def mended(town: Town, link: HubLink, pushed: str, difference: str) -> None:
    """Push a claim by hand; the running registrar sees it, says so, and puts its own back."""
    account = str(decode_and_verify(pushed)["sub"])
    before = town.registrar()
    await link.push(pushed)
    assert await link.lookup(account) == pushed
    said: list[tuple[str, str]] = []
    async with asyncio.timeout(10):
        while not said:
            after = await asyncio.to_thread(town.registrar)
            said = [(one["account"], one["difference"]) for one in after["mended"]]
            await asyncio.sleep(0.02)
    assert said == [(town.code(SCHOOL), difference)]
    assert after["mended_total"] == before["mended_total"] + 1
    assert (after["failure"], after["open"]) == (None, before["open"])
    assert await link.lookup(account) != pushed
    await asyncio.to_thread(town.settle)


async def test_a_stale_claim_is_seen_and_mended_and_never_opens_again(one_town: Town) -> None:
    account = one_town.entry(SCHOOL).broker.account
    subject = flow(one_town, SCHOOL, AT_SCHOOL)
    async with outsider(one_town, SCHOOL) as intruder, hub(one_town) as link:
        await waits(intruder, subject, passing=True, seconds=CLOSED_WITHIN_S)
        stale = await link.lookup(account)
        assert stale is not None
        with suspended(one_town):
            await waits(intruder, subject, passing=False, seconds=CLOSED_WITHIN_S)
            await asyncio.to_thread(one_town.settle)
            await mended(one_town, link, stale, "changed")
            assert not await passes(intruder, subject)


async def test_a_claim_signed_by_another_key_is_seen_and_mended(one_town: Town) -> None:
    account = one_town.entry(SCHOOL).broker.account
    async with outsider(one_town, SCHOOL) as intruder, hub(one_town) as link:
        held = await link.lookup(account)
        assert held is not None
        stranger = key_pair(KeyKind.OPERATOR, os.urandom(SEED_BYTES))
        now = one_town.fed.now(REGISTRAR) - timedelta(seconds=1)
        await asyncio.to_thread(one_town.settle)
        claims = {name: decode_and_verify(held)[name] for name in ("sub", "name", "exp", "nats")}
        await mended(one_town, link, sign(claims, stranger, now), "foreign_key")
        subject = flow(one_town, SCHOOL, AT_SCHOOL)
        await waits(intruder, subject, passing=True, seconds=CLOSED_WITHIN_S)
