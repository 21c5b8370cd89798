"""No file of job seekers at the city (C-5.1): what is seen there is written nowhere."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from contracts.kernel.control import ContentRequested, ContentShown
from contracts.kernel.errors import Refused, UnknownName
from services.chassis import migrate, tables, unfiled
from services.chassis.agreements import withdraw
from services.chassis.erasure import erase_case
from services.chassis.memory import SHOWN_FOR
from services.chassis.sealing import dump_public
from services.chassis.tokens import NotPermitted, Role
from services.chassis.unfiled import Filed, NotYetShown
from services.conventions.c_employment_city_ccas.models import candidacies, hires
from tests.services.conventions.c_employment_city_ccas.dump import leaks
from tests.services.conventions.c_employment_city_ccas.support import (
    OFFER,
    OUTSIDER,
    SECRETS,
    Desk,
)

PAPERS: dict[str, Any] = {
    "family_name": "Imaginaire",
    "first_name": "Maxence",
    "birth_date": "1988-06-12",
    "channel": {"kind": "phone", "value": "01 99 00 56 78"},
}


async def test_no_file_after_candidates_were_proposed_viewed_and_decided(desk: Desk) -> None:
    """C-5.1: no name, no way to be reached, in no table, key store or file, in clear or sealed."""
    first, _ = await desk.proposed()
    shown = await desk.seen(first)
    assert shown["candidate"]["family_name"] == "Imaginaire"
    assert shown["candidate"]["channel"]["value"] == "+33199005678"
    assert set(shown) == {"candidate", "offer_id"}
    assert leaks(desk.city) == set()
    await desk.told(desk.city, "pec.candidate_outcome", {"outcome": "met"})
    await desk.told(desk.city, "pec.candidate_outcome", {"outcome": "retained"})
    second = await desk.told(
        desk.agency, "pec.candidate_proposed", {"offer_id": OFFER}, agreement_id=desk.agreed()
    )
    await desk.seen(second)
    await desk.told(desk.city, "pec.candidate_outcome", {"outcome": "not_retained"})
    assert leaks(desk.city) == set()
    assert desk.city.rows(tables.persons) == []
    assert desk.city.rows(tables.held_proofs) == []
    assert desk.city.rows(tables.withheld) == []
    for row in desk.city.rows(candidacies):
        assert (row.person_id, row.offer_id) == (None, None)
    assert {row.person_id for row in desk.city.rows(tables.cases)} == {None}
    assert leaks(desk.agency) != set()  # so the search does find what is there


async def test_the_search_finds_what_a_node_seals(desk: Desk) -> None:
    """C-5.1: else the test above proves nothing."""
    await desk.proposed()
    where = leaks(desk.agency)
    assert {"persons.sealed", "withheld.content"} <= where


async def test_whoever_looks_asks_each_time_and_both_sides_write_that_down(desk: Desk) -> None:
    """C-5.1: 404 before, 409 meanwhile, and forgotten after some minutes."""
    sent, _ = await desk.proposed()
    with pytest.raises(UnknownName):
        desk.look(sent)
    desk.ask(sent)
    with pytest.raises(NotYetShown):
        desk.look(sent)
    await desk.pair.carry()
    assert desk.look(sent)["candidate"]["first_name"] == "Maxence"
    assert [one[0] for one in desk.lines(desk.city, sent)][1:] == [
        "content.requested",
        "content.viewed",
    ]
    assert ("content.shown", "allowed", ()) in desk.lines(desk.agency, sent)
    await desk.later(seconds=SHOWN_FOR.total_seconds() - 1)
    assert desk.look(sent)
    await desk.later(seconds=1)
    assert len(desk.city.node.core.memory) == 0
    with pytest.raises(UnknownName):
        desk.look(sent)
    assert (await desk.seen(sent))["candidate"]["first_name"] == "Maxence"


async def test_a_restart_forgets_what_was_seen(desk: Desk) -> None:
    """C-5.1: it was in memory alone; what is on its way then opens for nobody."""
    sent, _ = await desk.proposed()
    desk.ask(sent)
    desk.pair.restart(desk.city)
    await desk.pair.carry()
    with pytest.raises(UnknownName):
        desk.look(sent)
    assert leaks(desk.city) == set()
    assert await desk.seen(sent)


@pytest.mark.parametrize("end", ["outcome", "withdrawal", "erasure", "lapse"])
async def test_it_is_shown_no_more_once_its_time_is_over(desk: Desk, end: str) -> None:
    """C-5.1, C-4.1: decided, withdrawn, erased or lapsed; refused with its article."""
    sent, agreement = await desk.proposed()
    assert await desk.seen(sent)
    agency, now = desk.agency.node.core, desk.now
    if end == "outcome":
        await desk.told(desk.city, "pec.candidate_outcome", {"outcome": "not_retained"})
    elif end == "withdrawal":
        desk.agency.write(lambda tx: withdraw(tx, agency, agreement, "agent-1", now))
        await desk.pair.carry()
    elif end == "erasure":
        core = desk.city.node.core
        desk.city.write(lambda tx: erase_case(tx, core, desk.case_id, "c" * 32, now))
    else:
        await desk.later(days=30)
    assert desk.agency.rows(tables.withheld) == [] or end == "erasure"
    if end in {"outcome", "withdrawal"}:
        with pytest.raises(Refused) as refused:
            desk.look(sent)
        assert refused.value.articles == ("C-5.1",)
    with pytest.raises(Refused) as again:
        desk.ask(sent)
    assert again.value.articles == ("C-5.1",)


async def test_the_sender_decides_anew_whatever_the_receiver_believes(desk: Desk) -> None:
    """C-4.1, C-5.1: a withdrawal that has not travelled yet stops the showing all the same."""
    sent, agreement = await desk.proposed()
    core, now = desk.agency.node.core, desk.now
    desk.agency.write(lambda tx: withdraw(tx, core, agreement, "agent-1", now))
    core.withdrawn.clear()  # as after a restart: the database knows it too
    desk.ask(sent)
    asked = desk.city.outgoing()
    await desk.agency.take(asked)
    lines = desk.lines(desk.agency, sent)
    assert ("content.shown", "refused", ("C-5.1",)) in lines
    await desk.pair.carry()
    with pytest.raises(Refused):
        desk.look(sent)


async def test_a_retained_candidate_is_seen_no_more_by_message(desk: Desk) -> None:
    """C-5.1: decided; whoever is hired shows own papers."""
    sent, _ = await desk.proposed()
    await desk.told(desk.city, "pec.candidate_outcome", {"outcome": "retained"})
    with pytest.raises(Refused) as refused:
        await desk.seen(sent)
    assert refused.value.articles == ("C-5.1",)
    assert ("content.shown", "refused", ("C-5.1",)) in desk.lines(desk.agency, sent)


async def test_an_ended_convention_shows_nothing(desk: Desk) -> None:
    """C-8.1: neither asks nor shows from the first day after its term."""
    sent, _ = await desk.proposed()
    desk.pair.clock.at = desk.now.replace(year=2026, month=1, day=2)
    with pytest.raises(Refused):
        desk.ask(sent)


async def test_the_mailbox_is_walled_from_everybody_else_at_the_city(desk: Desk) -> None:
    """C-3.2: a social worker, a manager of another department, or who left the desk."""
    sent, _ = await desk.proposed()
    with pytest.raises(NotPermitted):
        desk.ask(sent, OUTSIDER)
    await desk.seen(sent)
    with pytest.raises(NotPermitted):
        desk.look(sent, OUTSIDER)
    await desk.later(minutes=1)
    desk.seated(desk.city, works=False)
    with pytest.raises(NotPermitted):
        desk.look(sent)


async def test_what_is_held_like_any_other_is_not_asked_for_again(desk: Desk) -> None:
    """C-5.1: of a request for an immersion nothing names anybody, and it is kept."""
    await desk.contract()
    (sent,) = [
        row.message_id
        for row in desk.city.rows(tables.outbox, tables.outbox.c.type == "pec.commitment_agreed")
    ]
    with pytest.raises(UnknownName):
        desk.ask(sent)
    await desk.booklet("month_1", "2025-04-30")
    (due,) = [
        row.message_id
        for row in desk.city.rows(tables.inbox, tables.inbox.c.type == "pec.booklet_due")
    ]
    with pytest.raises(Filed):
        desk.ask(due)


async def test_a_hire_is_the_employer_s_own_record_from_the_person_s_papers(desk: Desk) -> None:
    """C-5.1: typed from papers, under a key of its own, and tied to no case."""
    await desk.proposed()
    hired: dict[str, Any] = {
        "identity": PAPERS,
        "papers": "identity_card",
        "hired_on": desk.today.isoformat(),
    }
    with pytest.raises(Refused):
        desk.act(desk.city, "hired", **hired)
    await desk.told(desk.city, "pec.candidate_outcome", {"outcome": "retained"})
    later = (desk.today + timedelta(days=1)).isoformat()
    with pytest.raises(Refused):
        desk.act(desk.city, "hired", **{**hired, "hired_on": later})
    assert leaks(desk.city) == set()
    desk.act(desk.city, "hired", **hired)
    (row,) = desk.city.rows(hires)
    (person,) = desk.city.rows(tables.persons)
    assert person.person_id == row.person_id
    assert desk.row(desk.city, tables.cases).person_id is None
    core, now = desk.city.node.core, desk.now
    desk.city.write(lambda tx: erase_case(tx, core, desk.case_id, "d" * 32, now))
    assert len(desk.city.rows(hires)) == len(desk.city.rows(tables.persons)) == 1


async def test_what_fails_for_good_or_comes_too_early_keeps_no_content(desk: Desk) -> None:
    """C-5.1: no body waits among the dead letters, since the sender still has it."""
    await desk.published()
    agreement = desk.agreed()
    desk.pair.clock.at += timedelta(minutes=10)
    sent = desk.send(
        desk.agency, "pec.candidate_proposed", {"offer_id": OFFER}, agreement_id=agreement
    )
    (letter,) = [one for one in desk.agency.outgoing() if one.message_id == sent.message_id]
    desk.pair.clock.at -= timedelta(minutes=10)
    await desk.city.take([letter])
    (early,) = desk.city.rows(tables.dead_letters)
    assert (early.reason, early.body) == ("too_early", None)
    broken = type(letter)(letter.subject, letter.headers, letter.body[:-1] + b"\0", 9)
    await desk.city.take([broken])
    assert [row.body for row in desk.city.rows(tables.dead_letters)] == [None, None]
    assert leaks(desk.city) == set()
    desk.pair.clock.at += timedelta(minutes=10)
    await desk.city.take([letter])
    assert [row.status for row in desk.city.rows(tables.inbox) if row.type.startswith("pec")] == [
        "received"
    ]


async def test_the_calls_ask_and_show_and_are_never_cached(desk: Desk) -> None:
    """C-5.1, C-3.2."""
    sent, _ = await desk.proposed()
    path = f"/received/{sent}/view"
    assert (await call(desk, "GET", path)).status_code == HTTPStatus.NOT_FOUND
    asked = await call(desk, "POST", path)
    assert asked.status_code == HTTPStatus.ACCEPTED, asked.text
    assert (await call(desk, "GET", path)).status_code == HTTPStatus.CONFLICT
    await desk.pair.carry()
    answer = await call(desk, "GET", path)
    assert answer.status_code == HTTPStatus.OK
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["data"]["candidate"]["family_name"] == "Imaginaire"
    other = await call(desk, "GET", path, agent=OUTSIDER.agent_id, role=Role.MANAGER)
    assert other.status_code == HTTPStatus.FORBIDDEN
    assert leaks(desk.city) == set()


async def test_no_route_lists_searches_or_exports_candidates(desk: Desk) -> None:
    """C-5.1: what the city's node answers, read through, names nobody."""
    sent, _ = await desk.proposed()
    await desk.seen(sent)
    gets = [
        path
        for path, known in desk.city.app.openapi()["paths"].items()
        if "get" in known and "{" not in path and path.startswith("/api/v1")
    ]
    assert "/api/v1/messages" in gets
    for path in gets:
        if path == "/api/v1/events":
            continue
        for role in Role:
            answer = await call(desk, "GET", path.removeprefix("/api/v1"), role=role)
            assert not any(secret in answer.text for secret in SECRETS), path
    case = await call(desk, "GET", f"/cases/{desk.case_id}")
    assert case.status_code == HTTPStatus.OK
    assert not any(secret in case.text for secret in SECRETS)


async def call(
    desk: Desk, method: str, path: str, *, agent: str = "agent-1", role: Role = Role.AGENT
) -> httpx.Response:
    """One call to the city in a role."""
    node = desk.city.node
    token = node.tokens.make(agent, role, desk.now, timedelta(hours=1))
    transport = httpx.ASGITransport(app=desk.city.app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://node/api/v1") as client:
        return await client.request(method, path, headers=headers)


def test_every_branch_of_the_city_is_in_the_dump() -> None:
    """C-5.1: a table that nobody migrates would be looked at by nobody."""
    names = {branch.name for branch in migrate.branches_of("city")}
    assert "c_employment_city_ccas" in names


KEY = dump_public(X25519PrivateKey.generate().public_key())


def answered(desk: Desk, message_id: str, *, key: str = KEY, to: str = "") -> ContentShown:
    """What the agency answers to a request that somebody makes up."""
    core, now = desk.agency.node.core, desk.now
    asked = ContentRequested(request_id="a" * 32, message_id=message_id, key=key)
    (binding,) = core.bindings(desk.city.org)
    to = to or desk.city.org
    shown: ContentShown = desk.agency.write(
        lambda tx: unfiled.answer(tx, core, asked, to, binding, now)
    )
    return shown


async def test_nothing_is_shown_but_to_whom_it_was_sent(desk: Desk) -> None:
    """C-5.2: not of an unknown message, to another organisation, nor of what is kept there."""
    sent, _ = await desk.proposed()
    assert answered(desk, sent).closed is not None
    assert answered(desk, "b" * 32).closed is None
    assert answered(desk, sent, to="ecole-voisine").closed is None
    await desk.told(desk.city, "pec.candidate_outcome", {"outcome": "retained"})
    desk.act(desk.city, "tutor_named", staff_id="tutrice-7")
    await desk.told(desk.city, "pec.commitment_agreed", desk.commitment())
    await desk.booklet("month_1", "2025-04-30")
    (kept,) = desk.agency.rows(tables.outbox, tables.outbox.c.type == "pec.booklet_due")
    assert answered(desk, kept.message_id).closed is None


async def test_what_opens_for_nobody_is_dropped(desk: Desk) -> None:
    """C-5.1: an answer to no request, to another's, closed to another key, or none at all."""
    sent, _ = await desk.proposed()
    core = desk.city.node.core
    other = answered(desk, sent)
    desk.city.write(lambda tx: unfiled.take(tx, core, other, desk.agency.org))
    with pytest.raises(UnknownName):
        desk.look(sent)
    desk.ask(sent)
    glimpse = core.memory.look(sent, "agent-1", desk.now)
    assert glimpse is not None
    mine = other.model_copy(update={"request_id": glimpse.request_id})
    desk.city.write(lambda tx: unfiled.take(tx, core, mine, "ecole-voisine"))
    with pytest.raises(NotYetShown):
        desk.look(sent)
    desk.city.write(lambda tx: unfiled.take(tx, core, mine, desk.agency.org))
    with pytest.raises(Refused):
        desk.look(sent)
    desk.city.write(lambda tx: unfiled.take(tx, core, mine, desk.agency.org))
    assert leaks(desk.city) == set()


async def test_a_content_is_held_at_the_sender_no_longer_than_its_letter(desk: Desk) -> None:
    """C-5.1: thirty days, then it is destroyed; nor is it shown in between."""
    sent, _ = await desk.proposed()
    over = desk.now + timedelta(days=30)
    desk.pair.clock.at = over - timedelta(seconds=1)
    assert answered(desk, sent).closed is not None
    desk.pair.clock.at = over
    assert answered(desk, sent).closed is None
    await desk.agency.node.purge(over)
    assert desk.agency.rows(tables.withheld) == []
