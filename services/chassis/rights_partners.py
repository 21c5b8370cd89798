"""A right on its way: to every partner of the person's cases, and back with what each answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Row, select, update

from contracts.kernel.checks import Giver
from contracts.kernel.control import RightsAnswered, RightsRequested
from contracts.kernel.paris import day_of, midnight
from services.chassis import agreements, minors, person_tables, standing, tables
from services.chassis.controls import send_control
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import Due, arm_new
from services.chassis.erasure import ask_erasure, erase_person
from services.chassis.holds import kept_under
from services.chassis.rights_clocks import ANSWER
from services.chassis.standing import ERASED

Answered = Literal["done", "partly", "refused", "unknown"]
"""What a partner is told of a right that it passed on."""


def keep(tx: Tx, core: Core, row: dict[str, Any], person_ids: Iterable[str], at: datetime) -> None:
    """Keep a request, ours or a partner's, whose persons are in the register, and arm its clock."""
    tx.insert(person_tables.requests, row)
    _tie(tx, row["request_id"], person_ids)
    due = Due(kind=ANSWER, subject=row["request_id"], due_at=row["due_at"])
    arm_new(tx, core, due, at)


def _tie(tx: Tx, request_id: str, person_ids: Iterable[str]) -> None:
    ties = person_tables.request_persons
    mine = select(ties.c.person_id).where(ties.c.request_id == request_id)
    for one in sorted(set(person_ids) - set(tx.execute(mine).scalars())):
        tx.insert(ties, {"request_id": request_id, "person_id": one})


def pass_on(tx: Tx, core: Core, request: Row[Any], at: datetime) -> list[str]:
    """Tell every partner of the person's cases, and do here what is done at once."""
    cases = list(_cases(tx, core, request))
    if request.right == "erasure":
        return _erase(tx, core, request, cases, at)
    if request.right == "objection":
        cases = [one for one in cases if _suspended_here(tx, core, request, one, at)]
    between: dict[tuple[str, str], list[str]] = defaultdict(list)
    for case in cases:
        between[case.partner, case.instrument].append(case.case_id)
    for (org, instrument), case_ids in between.items():
        content = RightsRequested(
            request_id=request.request_id,
            right=request.right,
            about=request.about,
            case_ids=tuple(case_ids),
            asked_at=request.asked_at,
            due_on=day_of(request.due_at),
        )
        send_control(tx, core, "rights.requested", content, org, instrument, at)
        for case_id in case_ids:
            _note(tx, request.request_id, org, case_id, at)
    return sorted({org for org, _ in between})


def _cases(tx: Tx, core: Core, request: Row[Any]) -> Iterator[Row[Any]]:
    """Cases of who asks; of a representative, none that the young person alone agreed to."""
    cases, ties = tables.cases, person_tables.request_persons
    theirs = select(ties.c.person_id).where(ties.c.request_id == request.request_id)
    query = select(cases).where(cases.c.person_id.in_(theirs) & (cases.c.state != ERASED))
    for case in tx.execute(query.order_by(cases.c.opened_at, cases.c.case_id)).all():
        agreement = standing.of_case(tx, case.case_id, core.org).agreement
        alone = agreement is not None and agreement.giver is Giver.YOUNG_PERSON
        if request.raised_by != "representative" or not alone:
            yield case


def _note(
    tx: Tx,
    request_id: str,
    org: str,
    case_id: str,
    at: datetime,
    outcome: str | None = None,
    article: str | None = None,
) -> None:
    row = {
        "request_id": request_id,
        "org": org,
        "case_id": case_id,
        "told_at": at,
        "outcome": outcome,
        "article": article,
        "done_at": None if outcome is None else at,
    }
    tx.insert(person_tables.answers, row)


# --- erasure: case by case, each with its certificate


def _erase(tx: Tx, core: Core, request: Row[Any], cases: list[Row[Any]], at: datetime) -> list[str]:
    person_ids = _persons(tx, request)
    _withdraw_all(tx, core, request, person_ids, at)
    told, kept = set(), False
    for case in cases:
        article = kept_by(tx, core, case)
        if article is not None:
            kept = True
            _note(tx, request.request_id, core.org, case.case_id, at, "kept", article)
            continue
        _note(tx, request.request_id, case.partner, case.case_id, at)
        ask_erasure(tx, core, case, core.new_id(), at)
        told.add(case.partner)
    if not kept and request.raised_by == "young_person":
        for person_id in person_ids:
            if tx.get(standing.PERSONS, person_id) is not None:
                erase_person(tx, core, person_id, at)
    return sorted(told)


def _persons(tx: Tx, request: Row[Any]) -> Sequence[str]:
    ties = person_tables.request_persons
    mine = select(ties.c.person_id).where(ties.c.request_id == request.request_id)
    return tx.execute(mine).scalars().all()


def _withdraw_all(
    tx: Tx, core: Core, request: Row[Any], person_ids: Sequence[str], at: datetime
) -> None:
    """What is erased rests on nothing any more; a representative ends what one of them gave."""
    table = tables.agreements
    given = table.c.person_id.in_(person_ids) & table.c.withdrawn_at.is_(None)
    if request.raised_by == "representative":
        given &= table.c.giver != Giver.YOUNG_PERSON.value
    for agreement_id in tx.execute(select(table.c.agreement_id).where(given)).scalars().all():
        agreements.withdraw(tx, core, agreement_id, None, at)


def kept_by(tx: Tx, core: Core, case: Row[Any]) -> str | None:
    """Article under which a case stays for now: a dispute's, or that of a duty of the law.

    What a duty has a school tell the mayor, say, is kept as long as its text asks, whoever asks for
    its erasure (GDPR 17.3 b, e). None where nothing keeps it.
    """
    duty = core.registry.duties.get(case.instrument)
    return kept_under(tx, core, case) if duty is None else duty.article


# --- objection: suspended where the agreement is kept


def _suspended_here(tx: Tx, core: Core, request: Row[Any], case: Row[Any], at: datetime) -> bool:
    """Suspend what a case rests on; whether a partner collected it, and has to be told."""
    known = None if case.reference is None else tx.get(standing.REFERENCES, case.reference)
    if known is not None:
        _suspend(tx, core, known.agreement_id, request.raised_by, at)
        return False
    proof = None if case.reference is None else tx.get(standing.PROOFS, case.reference)
    if proof is not None:
        agreements.suspend_held(tx, core, proof, at)
    return True


def _suspend(
    tx: Tx,
    core: Core,
    agreement_id: str,
    raised_by: Literal["representative", "young_person"],
    at: datetime,
) -> None:
    found = tx.get(standing.AGREEMENTS, agreement_id)
    if found is None or found.row.refused or found.row.withdrawn_at is not None:
        return
    if found.row.suspended_at is None and at < found.row.expires_at:
        raised = minors.Objection(raised_by=raised_by)
        minors.suspend(tx, core, agreement_id, raised, None, at)


def suspended(tx: Tx, request: Row[Any]) -> list[str]:
    """Agreements collected here that this objection suspended, and no other one before it."""
    table, ties = tables.agreements, person_tables.request_persons
    theirs = select(ties.c.person_id).where(ties.c.request_id == request.request_id)
    waits = (table.c.suspended_at == request.sent_at) & table.c.withdrawn_at.is_(None)
    query = select(table.c.agreement_id).where(table.c.person_id.in_(theirs) & waits)
    return list(tx.execute(query).scalars())


# --- what arrives


def arrived(
    tx: Tx, core: Core, content: RightsRequested, sender: str, at: datetime
) -> RightsAnswered | None:
    """Keep a right that a partner passes on; returns the answer where nothing is held about it.

    An objection suspends at once what was agreed here; a human answers all of them.
    """
    known = (tx.get(standing.CASES, case_id) for case_id in content.case_ids)
    mine = [
        one for one in known if one is not None and one.partner == sender and one.state != ERASED
    ]
    if not mine:
        return RightsAnswered(
            request_id=content.request_id, outcome="unknown", article=None, done_at=at
        )
    table = person_tables.requests
    same = (table.c.origin == sender) & (table.c.origin_request == content.request_id)
    persons = {one.person_id for one in mine if one.person_id is not None}
    before = tx.execute(select(table.c.request_id).where(same)).scalar()
    if before is not None:  # one message for each text between us, and one answer to all
        _tie(tx, before, persons)
        return None
    row = {
        "request_id": core.new_id(),
        "right": content.right,
        "about": content.about,
        "raised_by": "young_person",
        "channel": "partner",
        "origin": sender,
        "origin_request": content.request_id,
        "asked_at": content.asked_at,
        "due_at": midnight(content.due_on),
        "checked_at": at,
        "means": "partner",
        "sent_at": at,
    }
    keep(tx, core, row, sorted(persons), at)
    if content.right == "objection":
        for case in mine:
            known_here = case.reference and tx.get(standing.REFERENCES, case.reference)
            if known_here:
                _suspend(tx, core, known_here.agreement_id, "young_person", at)
    return None


def answer(
    tx: Tx, core: Core, request: Row[Any], outcome: Answered, article: str | None, at: datetime
) -> None:
    """Tell the partner who passed a right on what became of it."""
    instrument = next((one.id for one in core.bindings(request.origin)), "")
    content = RightsAnswered(
        request_id=request.origin_request, outcome=outcome, article=article, done_at=at
    )
    send_control(tx, core, "rights.answered", content, request.origin, instrument, at)


def answered(tx: Tx, content: RightsAnswered, sender: str, at: datetime) -> None:
    """Keep what a partner answered; one that was not asked answers nothing."""
    table = person_tables.answers
    mine = (table.c.request_id == content.request_id) & (table.c.org == sender)
    tx.execute(
        update(table)
        .where(mine)
        .values(outcome=content.outcome, article=content.article, done_at=at)
    )
