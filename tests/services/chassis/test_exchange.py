"""A message's life between two nodes: sent, received, answered, withdrawn, erased."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from contracts.gate import Refused
from contracts.kernel.control import AgreementChanged
from contracts.kernel.terms import ActKind
from services.chassis import letters, tables
from services.chassis.agreements import withdraw
from services.chassis.api import _ask_erasure
from services.chassis.controls import send_control
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.journal import read_witnessed
from services.chassis.partner import Received
from services.chassis.people import _withdraw
from services.chassis.retention import due, purge
from services.chassis.scopes import case_scope
from services.chassis.tokens import Agent, Role
from services.chassis.views import explain
from services.city.partner import PARTNER as CITY
from services.conventions.a_city_school.handlers import RECEIVED
from services.school.partner import PARTNER as SCHOOL
from tests.pair import ANSWER, CONVENTION, REFERRAL, START, Pair, Side, doing


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        yield made


async def test_a_referral_is_accepted_with_a_signed_receipt(pair: Pair) -> None:
    sent = pair.refer()
    assert sent.state == letters.QUEUED
    await pair.carry()
    assert pair.school.state(sent.message_id) == letters.ACCEPTED
    (case,) = pair.city.rows(tables.cases)
    assert (case.case_id, case.state, case.partner) == (sent.case_id, "open", "ecole")


async def test_the_city_answers_and_names_a_referent(pair: Pair) -> None:
    sent = pair.refer()
    await pair.carry()
    answer = pair.city.send("referral.answered", "ecole", ANSWER, case_id=sent.case_id)
    assert answer.state == letters.QUEUED, answer.decision
    await pair.carry()
    assert pair.city.state(answer.message_id) == letters.ACCEPTED


async def test_a_withdrawal_stops_everything_everywhere_with_receipts(pair: Pair) -> None:
    agreement_id = pair.agreement()
    first = pair.refer(agreement_id)
    await pair.carry()
    waiting = pair.refer(agreement_id)
    done = pair.school.write(
        lambda tx: withdraw(tx, pair.school.node.core, agreement_id, "agent-1", START)
    )
    assert (done.told, done.stopped) == (("ville",), 1)
    assert pair.school.state(waiting.message_id) == letters.STOPPED
    assert pair.school.state(first.message_id) == letters.ACCEPTED
    refused = pair.refer(agreement_id)
    assert isinstance(refused.decision, Refused)
    assert [one.code for one in refused.decision.reasons] == ["agreement_withdrawn"]
    await pair.carry()
    (row,) = pair.school.rows(tables.withdrawals)
    assert (row.org, row.outcome, row.article) == ("ville", "stopped", "A-5.1")
    (case,) = pair.city.rows(tables.cases)
    assert case.state == "stopped"
    assert case.retain_until is not None
    late = pair.city.send("referral.answered", "ecole", ANSWER, case_id=first.case_id)
    assert isinstance(late.decision, Refused)
    assert {"A-1.3", "A-2.11"} <= set(late.decision.articles)


async def test_a_holder_passes_a_withdrawal_on_to_the_collector(pair: Pair) -> None:
    sent = pair.refer()
    await pair.carry()
    (proof,) = pair.city.rows(tables.held_proofs)
    agent = Agent("agent-1", Role.AGENT)
    answer = pair.city.write(lambda tx: _withdraw(tx, pair.city.node, proof.reference, agent))
    assert answer["told"] == ["ecole"]
    (case,) = pair.city.rows(tables.cases)
    assert case.state == "stopped"
    await pair.carry()
    (agreement,) = pair.school.rows(tables.agreements)
    assert agreement.withdrawn_at is not None
    (told,) = pair.school.rows(tables.withdrawals)
    assert told.outcome == "stopped"
    again = pair.city.send("referral.answered", "ecole", ANSWER, case_id=sent.case_id)
    assert isinstance(again.decision, Refused)


async def test_a_withdrawal_that_overtakes_its_letter_still_refuses_it(pair: Pair) -> None:
    agreement_id = pair.agreement()
    sent = pair.refer(agreement_id)
    (letter,) = pair.school.outgoing()
    pair.school.write(
        lambda tx: withdraw(tx, pair.school.node.core, agreement_id, "agent-1", START)
    )
    await pair.carry()
    await pair.city.take([letter])
    assert pair.city.rows(tables.cases) == []
    (row,) = pair.city.rows(tables.inbox, tables.inbox.c.message_id == sent.message_id)
    assert row.status == "not_open"


async def test_only_the_collector_changes_an_agreement(pair: Pair) -> None:
    sent = pair.refer()
    await pair.carry()
    (proof,) = pair.city.rows(tables.held_proofs)
    (case,) = pair.city.rows(tables.cases)

    def claim(side: Side) -> None:
        content = AgreementChanged(
            reference=proof.reference,
            case_ids=(case.case_id,),
            state="withdrawn",
            effective_at=START,
        )
        other = pair.school if side is pair.city else pair.city
        side.write(
            lambda tx: send_control(
                tx, side.node.core, "agreement.changed", content, other.org, CONVENTION, START
            )
        )

    claim(pair.city)  # a holder says of itself what only the school may
    await pair.carry()
    (agreement,) = pair.school.rows(tables.agreements)
    assert agreement.withdrawn_at is None
    assert pair.school.rows(tables.tombstones) == []
    assert {row.state for row in pair.school.rows(tables.cases)} == {"open"}
    assert "refused" in {row.state for row in pair.city.rows(tables.outbox)}
    claim(pair.school)
    await pair.carry()
    assert {row.state for row in pair.city.rows(tables.cases)} == {"stopped"}
    assert [row.org for row in pair.city.rows(tables.tombstones)] == ["ecole"]
    assert pair.school.state(sent.message_id) == letters.ACCEPTED


async def test_somebody_else_s_word_leaves_an_agreement_as_it_is(pair: Pair) -> None:
    """A tombstone counts under its collector's name alone, even where it came first."""
    pair.refer()
    (letter,) = pair.school.outgoing()
    (row,) = pair.school.rows(tables.agreement_recipients)
    told = {"reference": row.reference, "org": "mission-locale", "withdrawn_at": START}
    told["state"] = "withdrawn"
    pair.city.write(lambda tx: tx.insert(tables.tombstones, told))
    await pair.city.take([letter])
    assert [case.state for case in pair.city.rows(tables.cases)] == ["open"]


async def test_an_erasure_is_certified_and_both_journals_still_verify(pair: Pair) -> None:
    sent = pair.refer()
    await pair.carry()
    pair.school.write(lambda tx: _ask_erasure(tx, pair.school.node, str(sent.case_id)))
    await pair.carry()
    (case,) = pair.city.rows(tables.cases)
    assert (case.state, case.person_id, case.reference) == ("erased", None, None)
    assert pair.city.rows(tables.persons) == []
    assert pair.city.rows(tables.held_proofs) == []
    assert pair.city.node.keystore.destroyed_at(case_scope(str(sent.case_id))) == START
    held = {row.org: row.outcome for row in pair.school.rows(tables.certificates)}
    assert held == {"ecole": "deleted", "ville": "deleted"}
    (case,) = pair.school.rows(tables.cases)
    assert (case.state, case.person_id) == ("erased", None)
    for side in pair.sides:
        report = side.node.database.read_now(side.node.journal.verify)
        assert report.ok, report.problems
    assert pair.city.node.database.read_now(side.node.journal.verify).erased > 0


async def test_control_still_travels_after_the_end_of_the_convention(pair: Pair) -> None:
    agreement_id = pair.agreement()
    sent = pair.refer(agreement_id)
    await pair.carry()
    pair.clock.at = datetime(2029, 5, 4, 12, 0, tzinfo=UTC)
    assert pair.school.node.core.directory.conventions[CONVENTION].state(pair.clock.at) == "ended"
    refused = pair.city.send("referral.answered", "ecole", ANSWER, case_id=sent.case_id)
    assert isinstance(refused.decision, Refused)
    assert "A-9.1" in refused.decision.articles
    pair.school.write(
        lambda tx: withdraw(tx, pair.school.node.core, agreement_id, "agent-1", pair.clock.at)
    )
    pair.school.write(lambda tx: _ask_erasure(tx, pair.school.node, str(sent.case_id)))
    await pair.carry()
    (told,) = pair.school.rows(tables.withdrawals)
    assert told.outcome in {"stopped", "deleted"}
    assert {row.outcome for row in pair.school.rows(tables.certificates)} == {"deleted"}
    assert len(pair.school.rows(tables.certificates)) == 2


async def test_the_same_letter_many_times_is_handled_once(pair: Pair) -> None:
    sent = pair.refer()
    (letter,) = pair.school.outgoing()
    await pair.city.take([letter] * 5)
    await pair.city.take([letter])
    assert len(pair.city.rows(tables.cases)) == 1
    assert len(pair.city.rows(tables.inbox)) == 1
    await pair.carry()
    assert pair.school.state(sent.message_id) == letters.ACCEPTED


async def test_a_letter_moved_to_another_subject_or_id_does_not_open(pair: Pair) -> None:
    pair.refer()
    (letter,) = pair.school.outgoing()
    other_subject = replace(letter, subject=letter.subject.replace(".m1", ".m2"))
    other_id = replace(letter, headers={**letter.headers, "Nats-Msg-Id": "f" * 32})
    altered = replace(letter, body=letter.body[:-1] + bytes([letter.body[-1] ^ 1]))
    await pair.city.take([other_subject, other_id, altered])
    assert pair.city.rows(tables.cases) == []
    assert {row.reason for row in pair.city.rows(tables.dead_letters)} == {"unverified"}
    await pair.city.take([letter])
    assert len(pair.city.rows(tables.cases)) == 1


async def test_a_letter_from_the_future_is_held_back_not_refused(pair: Pair) -> None:
    sent = pair.refer()
    (letter,) = pair.school.outgoing()
    pair.clock.at = START - timedelta(minutes=3)
    assert await pair.city.take([letter, letter]) == [None, None]
    assert pair.city.rows(tables.inbox) == []
    (aside,) = pair.city.rows(tables.dead_letters)
    assert (aside.reason, aside.retry_at) == ("too_early", START - timedelta(minutes=2))
    await pair.city.node.scheduler.look()
    assert pair.city.rows(tables.inbox) == []
    pair.clock.at = START - timedelta(minutes=2)
    await pair.city.node.scheduler.look()
    assert [row.message_id for row in pair.city.rows(tables.inbox)] == [sent.message_id]


async def test_a_letter_read_after_its_expiry_is_refused_with_a_receipt(pair: Pair) -> None:
    sent = pair.refer()
    (letter,) = pair.school.outgoing()
    pair.clock.at = START + timedelta(days=30)
    await pair.city.take([letter])
    assert pair.city.rows(tables.cases) == []
    await pair.carry()
    (row,) = pair.school.rows(tables.outbox, tables.outbox.c.message_id == sent.message_id)
    assert (row.state, row.status) == (letters.REFUSED, "expired")


async def test_a_message_in_flight_is_refused_by_the_receiver_once_suspended(pair: Pair) -> None:
    sent = pair.refer()
    (letter,) = pair.school.outgoing()
    pair.act(pair.city, ActKind.SUSPENSION)
    await pair.city.take([letter])
    assert pair.city.rows(tables.cases) == []
    (dead,) = pair.city.rows(tables.dead_letters)
    assert (dead.reason, dead.body) == ("not_open", None)
    assert "A-10.1" in dead.articles
    await pair.carry()
    assert pair.school.state(sent.message_id) == letters.REFUSED
    pair.clock.at = START + timedelta(minutes=1)
    pair.act(pair.city, ActKind.RESUMPTION)
    assert pair.refer().state == letters.QUEUED


async def test_a_letter_newer_than_the_directory_waits_for_it_before_a_refusal(
    pair: Pair,
) -> None:
    """The school had read a resumption that had not reached the city: the city refused for good."""
    sent = pair.refer()
    (letter,) = pair.school.outgoing()
    pair.act(pair.city, ActKind.SUSPENSION)
    pair.city.node.core.synced_at = START - timedelta(seconds=1)
    assert await pair.city.take([letter]) == [1.0]
    assert pair.city.rows(tables.inbox) == []
    pair.clock.at = START + timedelta(seconds=1)
    pair.act(pair.city, ActKind.RESUMPTION)
    pair.city.node.core.synced_at = pair.clock.at
    assert await pair.city.take([replace(letter, deliveries=2)]) == [None]
    (row,) = pair.city.rows(tables.inbox)
    assert (row.message_id, row.status) == (sent.message_id, "received")


async def test_a_directory_that_stays_behind_ends_in_a_refusal(pair: Pair) -> None:
    pair.refer()
    (letter,) = pair.school.outgoing()
    pair.act(pair.city, ActKind.SUSPENSION)
    pair.city.node.core.synced_at = START - timedelta(days=1)
    assert await pair.city.take([replace(letter, deliveries=3)]) == [1.0]
    assert await pair.city.take([replace(letter, deliveries=4)]) == [None]
    (row,) = pair.city.rows(tables.inbox)
    assert row.status == "not_open"


async def test_receipts_carry_the_head_that_shows_a_rewritten_journal(pair: Pair) -> None:
    pair.refer()
    await pair.carry()
    held = pair.school.node.database.read_now(lambda c: read_witnessed(c, "ville"))
    assert held
    verify = pair.city.node.journal.verify
    assert pair.city.node.database.read_now(lambda c: verify(c, held)).ok
    forged = [replace(head, hash="0" * 64) for head in held]
    report = pair.city.node.database.read_now(lambda c: verify(c, forged))
    assert {problem.code for problem in report.problems} == {"rewritten"}


async def test_an_opening_message_for_a_case_that_exists_is_refused_at_once(pair: Pair) -> None:
    pair.refer()
    await pair.carry()
    again = pair.refer()
    (letter,) = pair.school.outgoing()
    (known,) = pair.city.rows(tables.cases)
    taken = {**known._mapping, "case_id": str(again.case_id)}
    pair.city.write(lambda tx: tx.insert(tables.cases, taken))
    assert await pair.city.take([letter]) == [None]
    (dead,) = pair.city.rows(tables.dead_letters)
    assert (dead.reason, list(dead.articles), dead.body) == ("invalid", ["case"], None)
    await pair.carry()
    assert pair.school.state(again.message_id) == letters.REFUSED


async def test_a_handler_that_raises_is_retried_then_dead_and_the_others_go_on(
    tmp_path: Path, new_database_url: Callable[[], str]
) -> None:
    failing: list[str] = []

    def broken(tx: Tx, core: Core, received: Received) -> None:
        RECEIVED["referral.submitted"](tx, core, received)
        if received.envelope.id in failing:
            raise RuntimeError("a defect")

    city = doing(CITY, received={"referral.submitted": broken})
    urls = (new_database_url(), new_database_url())
    with Pair(tmp_path, urls, partners=(SCHOOL, city)) as pair:
        good, bad = pair.refer(), pair.refer()
        failing.append(bad.message_id)
        taken = pair.school.outgoing()
        assert sorted(await pair.city.take(taken), key=str) == [0.2, None]
        assert [row.message_id for row in pair.city.rows(tables.inbox)] == [good.message_id]
        assert len(pair.city.rows(tables.cases)) == 1
        last = [replace(one, deliveries=5) for one in taken if one.message_id == bad.message_id]
        assert await pair.city.take(last) == [None]
        (dead,) = pair.city.rows(tables.dead_letters)
        assert (dead.reason, dead.message_id) == ("failed:RuntimeError", bad.message_id)
        assert dead.body is not None
        failing.clear()
        assert await pair.city.node.arrivals.retry(dead.id) == "received"
        assert await pair.city.node.arrivals.retry(dead.id) is None
        await pair.carry()
        assert pair.school.state(bad.message_id) == letters.ACCEPTED


async def test_every_decision_replays_with_the_same_answer_and_words(pair: Pair) -> None:
    sent = pair.refer()
    await pair.carry()
    refused = pair.school.send("referral.submitted", "ville", REFERRAL)
    assert isinstance(refused.decision, Refused)
    for side, message_id in (
        (pair.school, sent.message_id),
        (pair.city, sent.message_id),
        (pair.school, refused.message_id),
    ):
        core = side.node.core
        found = side.node.database.read_now(partial(explain, core=core, message_id=message_id))
        replayed = [one for one in found if "replay" in one]
        assert replayed
        assert {one["replay"] for one in replayed} == {"same"}
    words = [one["sentence"] for one in replayed[0]["reasons"]]
    assert words == [reason.sentence for reason in refused.decision.reasons]


async def test_retention_destroys_a_stopped_case_on_its_day_and_tells_the_partner(
    pair: Pair,
) -> None:
    agreement_id = pair.agreement()
    pair.refer(agreement_id)
    await pair.carry()
    pair.school.write(
        lambda tx: withdraw(tx, pair.school.node.core, agreement_id, "agent-1", START)
    )
    await pair.carry()
    (case,) = pair.city.rows(tables.cases)
    city = pair.city.node
    pair.clock.at = case.retain_until - timedelta(seconds=1)
    assert city.database.read_now(lambda c: due(c, city.core, pair.clock.at)).cases == ()
    pair.clock.at = case.retain_until
    planned = city.database.read_now(lambda c: due(c, city.core, pair.clock.at))
    assert planned.cases == (case.case_id,)
    done = await purge(city.database, city.core, pair.clock.at)
    assert done.cases == planned.cases
    (erased,) = pair.city.rows(tables.cases)
    assert erased.state == "erased"
    await pair.carry()
    (certificate,) = pair.school.rows(tables.certificates)
    assert (certificate.org, certificate.outcome) == ("ville", "deleted")
