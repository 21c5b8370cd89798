"""What a person agreed to, as they see it at their page, and how they end it there.

The young person sees every agreement about them, the representative those that a representative
gave. Whoever gave one withdraws it (GDPR art. 7.3); who did not, objects, which suspends it
everywhere until somebody has answered (art. 21). At the node that collected it, or at one that
holds its proof: it stops here at once, and travels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from contracts.kernel.checks import Giver
from contracts.kernel.errors import UnknownName
from services.chassis import agreements, minors, standing, tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.minors import NotGiven
from services.chassis.person.visits import Visit
from services.chassis.views import agreement_state


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A recipient who was told that an agreement ends or rests; outcome: None until it answers."""

    org: str
    told_at: datetime
    outcome: str | None
    article: str | None
    done_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """One agreement. id: its own here where it was collected, else its reference.

    collector: who keeps it. recipients: who may be told; messages: types that it covers.
    """

    id: str
    collector: str
    giver: Giver
    messages: tuple[str, ...]
    recipients: tuple[str, ...]
    given_at: datetime
    expires_at: datetime
    state: str
    told: tuple[Told, ...] = ()

    def may_withdraw(self, visit: Visit) -> bool:
        """Whether whoever looks gave it, and it can still be withdrawn."""
        return self.state in {"given", "suspended"} and self.giver.value in {visit.holder, "both"}

    def may_object(self, visit: Visit) -> bool:
        """Whether whoever looks did not give it, and it runs."""
        return self.state == "given" and not self.may_withdraw(visit)


def seen_by(visit: Visit, giver: str | None) -> bool:
    """Whether what rests on such an agreement, or on none, is shown to whoever looks."""
    return not visit.representative or giver != Giver.YOUNG_PERSON.value


def agreements_of(tx: Tx, core: Core, visit: Visit, at: datetime) -> list[Agreed]:
    """Agreements about the person that whoever looks may see, the latest first."""
    found = [*_collected(tx, core, visit, at), *_held(tx, visit, at)]
    shown = [one for one in found if seen_by(visit, one.giver.value)]
    return sorted(shown, key=lambda one: one.given_at, reverse=True)


def cases_of(tx: Tx, core: Core, visit: Visit) -> list[Row[Any]]:
    """Cases about the person that whoever looks may see, those stopped or closed included."""
    cases = tables.cases
    theirs = select(cases).where(cases.c.person_id.in_(visit.person_ids))
    return [
        row
        for row in tx.execute(theirs.order_by(cases.c.opened_at, cases.c.case_id)).all()
        if seen_by(visit, giver_of(tx, core, row.case_id))
    ]


def giver_of(tx: Tx, core: Core, case_id: str) -> str | None:
    """Who gave the agreement that a case rests on; None where it rests on none."""
    agreement = standing.of_case(tx, case_id, core.org).agreement
    return None if agreement is None else agreement.giver.value


def agreement_of(tx: Tx, core: Core, visit: Visit, agreement_id: str, at: datetime) -> Agreed:
    """One of those that whoever looks may see. Raises UnknownName, whoever else's it may be."""
    for one in agreements_of(tx, core, visit, at):
        if one.id == agreement_id:
            return one
    raise UnknownName("Cet accord n'est pas connu ici.", code="unknown_agreement")


def withdraw(
    tx: Tx, core: Core, visit: Visit, agreement_id: str, at: datetime
) -> agreements.Withdrawal:
    """Withdraw an agreement from the page: at once here, and at every recipient.

    Twice is once. Raises UnknownName; NotGiven for one that is not theirs to withdraw.
    """
    found = agreement_of(tx, core, visit, agreement_id, at)
    if found.state == "withdrawn":
        return agreements.Withdrawal((), 0)
    if not found.may_withdraw(visit):
        raise NotGiven("Cet accord n'est pas, ou plus, à retirer par vous.", articles=("RGPD 7.3",))
    core.journal.note(tx, "person.withdrew", None, at, articles=("RGPD 7.3",))
    return agreements.withdraw_known(tx, core, agreement_id, None, at)


def objected(tx: Tx, core: Core, visit: Visit, agreement_id: str, at: datetime) -> tuple[str, ...]:
    """Suspend an agreement from the page, here and at every recipient; returns who is told.

    Raises UnknownName; NotGiven for one that does not run, or is theirs to withdraw.
    """
    found = agreement_of(tx, core, visit, agreement_id, at)
    if not found.may_object(visit):
        raise NotGiven("Cet accord n'est pas en cours, ou est à retirer par vous.")
    if found.collector != core.org:
        proof = tx.get(standing.PROOFS, agreement_id)
        if proof is not None:
            agreements.suspend_held(tx, core, proof, at)
        return (found.collector,)
    raised = minors.Objection(raised_by=visit.holder)
    return minors.suspend(tx, core, agreement_id, raised, None, at)


def _collected(tx: Tx, core: Core, visit: Visit, at: datetime) -> Iterator[Agreed]:
    table, told = tables.agreements, tables.withdrawals
    mine = select(table.c.agreement_id).where(table.c.person_id.in_(visit.person_ids))
    for agreement_id in tx.execute(mine).scalars().all():
        found = tx.get(standing.AGREEMENTS, agreement_id)
        if found is None:
            continue
        row, references = found.row, list(found.references.values())
        rows = tx.execute(select(told).where(told.c.reference.in_(references))).all()
        yield Agreed(
            id=agreement_id,
            collector=core.org,
            giver=Giver(row.giver),
            messages=tuple(row.flows),
            recipients=tuple(sorted(found.references)),
            given_at=row.given_at,
            expires_at=row.expires_at,
            state=agreement_state(row, at),
            told=_told(rows),
        )


def _told(rows: Sequence[Row[Any]]) -> tuple[Told, ...]:
    return tuple(
        Told(
            org=row.org,
            told_at=row.told_at,
            outcome=row.outcome,
            article=row.article,
            done_at=row.done_at,
        )
        for row in sorted(rows, key=lambda row: str(row.org))
    )


def _held(tx: Tx, visit: Visit, at: datetime) -> Iterator[Agreed]:
    """Agreements that partners collected, by the proofs that cases here rest on."""
    cases = tables.cases
    theirs = cases.c.person_id.in_(visit.person_ids) & cases.c.reference.is_not(None)
    for reference in tx.execute(select(cases.c.reference).where(theirs).distinct()).scalars().all():
        proof = tx.get(standing.PROOFS, reference)
        if proof is None:
            continue
        facts = standing.proof_facts(tx, proof)
        yield Agreed(
            id=reference,
            collector=proof.collector,
            giver=proof.giver,
            messages=proof.flows,
            recipients=(proof.receiver,),
            given_at=proof.given_at,
            expires_at=proof.expires_at,
            state=_state(facts.withdrawn_at, facts.suspended_at, proof.expires_at, at),
        )


def _state(
    withdrawn_at: datetime | None,
    suspended_at: datetime | None,
    expires_at: datetime,
    at: datetime,
) -> str:
    if withdrawn_at is not None:
        return "withdrawn"
    if at >= expires_at:
        return "expired"
    return "given" if suspended_at is None else "suspended"
