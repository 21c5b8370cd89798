"""What must arrive arrives: whatever a partner's key, entry, clock or convention does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from pydantic_core import from_json, to_json
from sqlalchemy import update

from contracts.kernel.errors import InvalidPayload, Unavailable
from services.chassis import letters, retention, tables
from services.chassis.agreements import expire, withdraw
from services.chassis.bundle import Bundle
from services.chassis.core import Policy
from services.chassis.directory import Directory
from services.chassis.erasure import erase_case, erase_person
from services.chassis.letters import NoCommonSuite
from services.chassis.posting import NoCommonVersion
from services.chassis.retention import purge
from services.chassis.schema import journal
from tests.pair import PUPIL, START, Pair, Side


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


def withdrawn(pair: Pair, agreement_id: str) -> tuple[str, ...]:
    """The family withdraws; returns who was told."""
    core, at = pair.school.node.core, pair.clock.now()
    done = pair.school.write(lambda tx: withdraw(tx, core, agreement_id, "agent-1", at))
    told: tuple[str, ...] = done.told
    return told


def control(side: Side) -> list[Any]:
    """Control letters of a side."""
    return side.rows(tables.outbox, tables.outbox.c.kind == letters.CONTROL)


def state(side: Side) -> str:
    (case,) = side.rows(tables.cases)
    return str(case.state)


class Without:
    """A directory in which a partner's entry is missing for now."""

    def __init__(self, directory: Directory, missing: str) -> None:
        self._directory, self._missing = directory, missing

    def entry(self, org: str) -> Any:
        return None if org == self._missing else self._directory.entry(org)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._directory, name)


async def test_what_was_agreed_before_the_convention_is_withdrawn_under_it(
    tmp_path: Path, new_database_url: Callable[[], str]
) -> None:
    urls = (new_database_url(), new_database_url())
    with Pair(tmp_path, urls, signed_on=date(2026, 11, 25)) as pair:
        agreement_id = pair.agreement()
        pair.clock.at = START + timedelta(days=4)
        pair.refer(agreement_id)
        await pair.carry()
        assert state(pair.city) == "open"
        assert withdrawn(pair, agreement_id) == ("ville",)
        await pair.carry()
        assert state(pair.city) == "stopped"


async def test_a_withdrawal_waits_for_an_entry_that_is_missing(pair: Pair) -> None:
    agreement_id = pair.agreement()
    pair.refer(agreement_id)
    await pair.carry()
    core = pair.school.node.core
    known = core.directory
    with patch.object(core, "_directory", lambda: Without(known, "ville")):
        with pytest.raises(Unavailable) as away:
            pair.refer(pair.agreement())
        assert away.value.code == "no_entry"
        assert withdrawn(pair, agreement_id) == ("ville",)
        (waiting,) = [one for one in pair.school.waiting() if one.kind == letters.CONTROL]
        assert waiting.subject == ""
        with pytest.raises(NoCommonSuite):
            letters.pack(core, [waiting], "f" * 32)
    sent = pair.school.rows(journal, journal.c.event == "message.sent")
    assert len(sent) == 1
    await pair.carry()
    assert state(pair.city) == "stopped"


async def test_a_withdrawal_needs_no_common_suite_and_a_message_does(pair: Pair) -> None:
    agreement_id = pair.agreement()
    pair.refer(agreement_id)
    await pair.carry()
    with patch("services.chassis.letters.choose_key", return_value=None):
        pair.school.node.core._found = (None, {})
        with pytest.raises(NoCommonSuite):
            pair.refer(pair.agreement())
        assert withdrawn(pair, agreement_id) == ("ville",)
        assert state(pair.school) == "stopped"
    pair.school.node.core._found = (None, {})
    await pair.carry()
    assert state(pair.city) == "stopped"


async def test_a_withdrawal_that_nobody_could_verify_yet_is_sent_until_somebody_can(
    pair: Pair,
) -> None:
    agreement_id = pair.agreement()
    pair.refer(agreement_id)
    await pair.carry()
    withdrawn(pair, agreement_id)
    (told,) = control(pair.school)
    for _ in range(6):
        (letter,) = [one for one in pair.school.outgoing() if told.message_id in one.claimed]
        await pair.city.take([replace(letter, body=b"?", deliveries=9)])
        await pair.school.take(pair.city.outgoing())
        (row,) = control(pair.school)
        assert (row.state, row.due_at is None) == (letters.QUEUED, False)
    assert row.unverified == 6
    await pair.carry()
    assert state(pair.city) == "stopped"


async def test_a_refusal_is_never_told(pair: Pair) -> None:
    refused = pair.agreement(granted=False)
    assert withdrawn(pair, refused) == ()
    given = pair.agreement()
    assert withdrawn(pair, given) == ("ville",)
    await pair.carry()
    assert len(pair.city.rows(tables.tombstones)) == 1


async def test_what_became_of_a_stopped_letter_is_kept_with_its_receipt(pair: Pair) -> None:
    agreement_id = pair.agreement()
    sent = pair.refer(agreement_id)
    await pair.city.take(pair.school.outgoing())
    withdrawn(pair, agreement_id)
    await pair.carry()
    (row,) = pair.school.rows(tables.outbox, tables.outbox.c.message_id == sent.message_id)
    assert (row.state, row.status) == (letters.STOPPED, "received")
    assert row.receipt_id is not None
    told = pair.school.rows(journal, journal.c.event == "receipt")
    assert sent.message_id in {line.message_id for line in told}


async def test_an_expired_agreement_stops_what_rests_on_it_and_is_told(pair: Pair) -> None:
    """A-2.11: at twelve months, on the day and not before."""
    pair.refer()
    await pair.carry()
    (agreement,) = pair.school.rows(tables.agreements)
    core = pair.school.node.core
    before = agreement.expires_at - timedelta(seconds=1)
    assert pair.school.write(lambda tx: expire(tx, core, before)) == 0
    pair.clock.at = agreement.expires_at
    assert pair.school.write(lambda tx: expire(tx, core, agreement.expires_at)) == 1
    assert pair.school.write(lambda tx: expire(tx, core, agreement.expires_at)) == 0
    await pair.carry()
    for side in pair.sides:
        (case,) = side.rows(tables.cases)
        assert (case.state, case.retain_until is None) == ("stopped", False)


async def test_a_family_withdraws_an_agreement_that_has_expired(pair: Pair) -> None:
    """A-2.11: at any moment; its recipients are told of that too, and answer once more."""
    pair.refer()
    await pair.carry()
    (agreement,) = pair.school.rows(tables.agreements)
    core = pair.school.node.core
    pair.clock.at = agreement.expires_at
    pair.school.write(lambda tx: expire(tx, core, agreement.expires_at))
    await pair.carry()
    (first,) = pair.school.rows(tables.withdrawals)
    pair.clock.at = at = agreement.expires_at + timedelta(days=1)
    done = pair.school.write(lambda tx: withdraw(tx, core, agreement.agreement_id, "agent", at))
    assert done.told == (first.org,)
    (asked,) = pair.school.rows(tables.withdrawals)
    assert (asked.told_at, asked.outcome) == (at, None)
    await pair.carry()
    (answered,) = pair.school.rows(tables.withdrawals)
    assert (answered.outcome, answered.done_at) == ("stopped", at)


async def test_one_case_that_cannot_be_purged_holds_up_no_other(pair: Pair) -> None:
    for _ in range(3):
        pair.refer()
    await pair.carry()
    city = pair.city.node
    pair.city.write(lambda tx: tx.execute(update(tables.cases).values(retain_until=START)))
    stuck = pair.city.rows(tables.cases)[1].case_id
    real = erase_case

    def failing(tx: Any, core: Any, case_id: str, certificate: str, at: Any) -> Any:
        if case_id == stuck:
            raise RuntimeError(case_id)
        return real(tx, core, case_id, certificate, at)

    with patch.object(retention, "erase_case", failing):
        done = await purge(city.database, city.core, START)
    assert len(done.cases) == 2
    left = [row.case_id for row in pair.city.rows(tables.cases) if row.state != "erased"]
    assert left == [stuck]
    assert (await purge(city.database, city.core, START)).cases == (stuck,)


async def test_letters_from_the_future_never_hold_up_the_others(pair: Pair) -> None:
    """However many come; beyond the sender's quota they are refused, and say so."""
    pair.clock.at = START + timedelta(minutes=10)
    early = [pair.refer() for _ in range(5)]
    letters_of = pair.school.outgoing()
    pair.clock.at = START
    policy = replace(Policy(), dead_letter_quota=3)
    pair.city.node.core.policy = policy
    assert await pair.city.take(letters_of) == [None] * 5
    assert len(pair.city.rows(tables.dead_letters, tables.dead_letters.c.body.is_not(None))) == 3
    await pair.carry()
    states = sorted(pair.school.state(one.message_id) for one in early)
    assert states.count(letters.REFUSED) == 2
    pair.clock.at = START + timedelta(minutes=10)
    await pair.city.node.scheduler.look()
    await pair.carry()
    states = sorted(pair.school.state(one.message_id) for one in early)
    assert states == [letters.ACCEPTED] * 3 + [letters.REFUSED] * 2


async def test_a_version_that_nobody_accepts_is_not_sent_nor_believed(pair: Pair) -> None:
    sent = pair.refer()
    (ready,) = pair.school.waiting()
    envelope = from_json(ready.content or b"")
    envelope["schemaversion"] = 999
    (forged,) = pair.school.packed([[replace(ready, content=to_json(envelope))]])
    await pair.city.take([forged])
    (row,) = pair.city.rows(tables.inbox)
    assert row.status == "invalid"
    await pair.carry()
    assert pair.school.state(sent.message_id) == letters.REFUSED
    node = pair.city.node
    versions = {**pair.registry.versions(), "referral.submitted": (2,)}
    since = pair.clock.now() - timedelta(days=1)
    entry = node.keys.directory_entry(node.settings, 2, since, versions)
    pair.publish(Bundle(entries=(entry,)))
    with pytest.raises(NoCommonVersion):
        pair.refer()


def test_a_minor_whose_representative_nobody_knows_is_not_referred(pair: Pair) -> None:
    """A-2.12."""
    alone = json.loads(json.dumps({**PUPIL, "representatives": []}))
    with pytest.raises(InvalidPayload) as refused:
        pair.refer(pair.agreement(pair.person(alone)))
    assert refused.value.fields == (("representative", "missing"),)
    assert pair.refer(pair.agreement(pair.person())).state == letters.QUEUED


async def test_erasing_a_person_destroys_everything_everywhere(pair: Pair) -> None:
    person_id = pair.person()
    for _ in range(2):
        pair.refer(pair.agreement(person_id))
    await pair.carry()
    core, at = pair.school.node.core, pair.clock.now()
    done = pair.school.write(lambda tx: erase_person(tx, core, person_id, at))
    assert len(done["cases"]) == 2
    await pair.carry()
    for side in pair.sides:
        assert side.rows(tables.persons) == []
        assert {row.state for row in side.rows(tables.cases)} == {"erased"}
        report = side.node.database.read_now(side.node.journal.verify)
        assert report.ok, report.problems
