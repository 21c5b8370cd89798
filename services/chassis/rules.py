"""Rules of retention: of which rows, from which event on, for how long, on which article.

Those of the chassis' own tables are written here; those of a partner's follow from what its tables
say becomes of them (see `fates`). What a dispute keeps stays, with its proof, until the hold is
released (A-12.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Date,
    Select,
    Table,
    and_,
    exists,
    false,
    not_,
    or_,
    true,
)

from contracts.kernel.paris import day_of, midnight
from contracts.kernel.signed import SignedConvention, State
from services.chassis import convention_tables, person_tables, schema, sign_in_tables, tables
from services.chassis.core import Core
from services.chassis.fates import Fate, Goes, fate_of
from services.chassis.holds import any_hold, held_cases, held_references, wholly_held
from services.chassis.person.codes import WINDOW
from services.chassis.person.visits import LONGEST as VISIT
from services.chassis.sign_in.sessions import AWAY, LONGEST
from services.chassis.standing import ERASED
from services.chassis.table_fates import tables_of

REPLAYS: Final = timedelta(days=62)
"""Ids of handled letters outlive the letters by this, so that none can be replayed."""

LEFT: Final = timedelta(days=730)
"""How long a person of one's own register is kept after the last contact (CNIL 2021-028)."""

ANSWERS: Final = timedelta(days=1)
"""How long an Idempotency-Key is remembered."""

_PROOF: Final = "RGPD 5.2"
_NO_LONGER: Final = "RGPD 5.1.e"
_SAFE: Final = "RGPD 32"

_EVERY: Final = true()
_NONE: Final = false()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Rows of one table that go together.

    delay: from which event on and for how long, in French. since, after: the same, where one column
    says it; else `also` alone does. also: what else must hold. kept: condition, never null, under
    which a dispute keeps a row all the same. next_at: when it strikes next, where no column says.
    """

    table: Table
    article: str
    delay: str
    since: Column[Any] | None = None
    after: timedelta = timedelta(0)
    also: ColumnElement[bool] = _EVERY
    kept: ColumnElement[bool] = _NONE
    next_at: datetime | None = None

    def late(self, at: datetime) -> ColumnElement[bool]:
        """Condition: the row's time is over, whatever a dispute keeps."""
        if self.since is None:
            return self.also
        return (self.since <= _bound(self.since, at - self.after)) & self.also

    def due(self, at: datetime) -> ColumnElement[bool]:
        """Condition: the row is destroyed at that instant."""
        return self.late(at) & not_(self.kept)

    def running(self, since: Column[Any], at: datetime) -> ColumnElement[bool]:
        """Condition: the row's time runs from that column on, and will be over."""
        return (since > _bound(since, at - self.after)) & self.also


def _bound(column: Column[Any], at: datetime) -> date | datetime:
    return day_of(at) if isinstance(column.type, Date) else at


def _on_hold(column: Column[Any], kept: Select[Any]) -> ColumnElement[bool]:
    return and_(column.is_not(None), column.in_(kept))


def rules(core: Core, at: datetime) -> Sequence[Rule]:
    """Every rule of a node but that of cases, in the order in which they are carried out."""
    proof = timedelta(days=core.policy.proof_days)
    return (
        *_working(core),
        *_proofs(proof, at),
        *_agreements(proof, at),
        *_agents(core, proof, at),
        *_rights(proof),
        *_partner_rows(core, proof, at),
        lines(core),
        persons(),
    )


def persons() -> Rule:
    """Persons of one's own register who left, and whose cases are over; their keys go with them."""
    cases, held = tables.cases, tables.persons
    followed = exists().where((cases.c.person_id == held.c.person_id) & (cases.c.state != ERASED))
    return Rule(
        table=held,
        article="CNIL 2021-028",
        delay="personnes du registre : deux ans après le départ, sans dossier en cours",
        since=held.c.left_at,
        after=LEFT,
        also=~followed,
    )


def lines(core: Core) -> Rule:
    """Lines of the journal, of which the chain alone is left."""
    kept = schema.journal
    return Rule(
        table=kept,
        article=_PROOF,
        delay="journal : dossier, agent et faits, trois ans après la décision",
        since=kept.c.at,
        after=timedelta(days=core.policy.proof_days),
        also=kept.c.scope.is_not(None),
        kept=_on_hold(kept.c.case_id, held_cases()),
    )


def _working(core: Core) -> Iterator[Rule]:
    """What serves the machinery, and no longer than that."""
    dead, answers = tables.dead_letters, tables.idempotency
    departures, sessions = sign_in_tables.departures, sign_in_tables.sessions
    quota = core.policy.dead_letter_days
    for column, after, article, delay in (
        (tables.inbox.c.expires_at, REPLAYS, _SAFE, "lettres traitées : 62 jours après leur terme"),
        (
            dead.c.keep_until,
            timedelta(0),
            _SAFE,
            f"échecs techniques : {quota} jours après l'échec",
        ),
        (
            tables.withheld.c.until,
            timedelta(0),
            "C-5.1",
            "contenus sans fichier : au jour que dit leur message",
        ),
        (answers.c.created_at, ANSWERS, _SAFE, "réponses déjà données : un jour après l'appel"),
        (departures.c.left_at, AWAY, _SAFE, "connexions commencées : quelques minutes"),
        (sessions.c.began_at, LONGEST, _SAFE, "sessions : à leur durée la plus longue"),
    ):
        yield Rule(table=column.table, article=article, delay=delay, since=column, after=after)


def _proofs(proof: timedelta, at: datetime) -> Iterator[Rule]:
    """What proves that something was done, three years long."""
    outbox, receipts, lists = tables.outbox, tables.receipts, tables.proof_lists
    kept, references = held_cases(), held_references()
    staying = (
        outbox.c.closed_at.is_(None)
        | (outbox.c.closed_at > at - proof)
        | outbox.c.case_id.in_(kept)
    )
    cited = exists().where((outbox.c.receipt_id == receipts.c.receipt_id) & staying)
    unused = ~exists().where(tables.held_proofs.c.list_id == lists.c.list_id)
    for column, what, also, hold in (
        (lists.c.received_at, "listes de preuves : trois ans après réception", unused, _NONE),
        (
            outbox.c.closed_at,
            "envois : trois ans après leur clôture",
            _EVERY,
            _on_hold(outbox.c.case_id, kept),
        ),
        (receipts.c.received_at, "accusés : trois ans après réception", ~cited, _NONE),
        *(
            (column, what, _EVERY, _on_hold(column.table.c.case_id, kept))
            for column, what in (
                (tables.certificates.c.done_at, "certificats : trois ans après la destruction"),
                (tables.deadlines.c.closed_at, "échéances : trois ans après leur clôture"),
                (tables.derogations.c.asked_at, "envois sans accord : trois ans après"),
            )
        ),
        *(
            (column, what, _EVERY, _on_hold(column.table.c.reference, references))
            for column, what in (
                (tables.withdrawals.c.told_at, "retraits annoncés : trois ans après"),
                (tables.tombstones.c.withdrawn_at, "références retirées : trois ans après"),
            )
        ),
        (schema.witnessed_heads.c.at, "têtes de journal : trois ans après", _EVERY, any_hold()),
        (convention_tables.holds.c.released_at, "différends : trois ans après", _EVERY, _NONE),
        (convention_tables.reviews.c.held_on, "bilans tenus : trois ans après", _EVERY, _NONE),
        (
            convention_tables.insurances.c.last_day,
            "assurances : trois ans après leur fin",
            _EVERY,
            _NONE,
        ),
    ):
        yield Rule(
            table=column.table,
            article=_PROOF,
            delay=what,
            since=column,
            after=proof,
            also=also,
            kept=hold,
        )


def _agreements(proof: timedelta, at: datetime) -> Iterator[Rule]:
    """Recipients of the agreements that go, then the agreements."""
    agreements, recipients = tables.agreements, tables.agreement_recipients
    named = recipients.alias()
    ended = Rule(
        table=agreements,
        article=_PROOF,
        delay="accords et refus : trois ans après leur fin",
        since=agreements.c.expires_at,
        after=proof,
        kept=exists().where(
            (named.c.agreement_id == agreements.c.agreement_id)
            & named.c.reference.in_(held_references())
        ),
    )
    staying = (agreements.c.agreement_id == recipients.c.agreement_id) & not_(ended.due(at))
    yield Rule(
        table=recipients,
        article=_PROOF,
        delay="destinataires d'un accord : avec lui",
        also=~exists().where(staying),
    )
    yield ended


def _agents(core: Core, proof: timedelta, at: datetime) -> Iterator[Rule]:
    """What the organisation keeps of its own agents."""
    given, charters, before = sign_in_tables.authorisations, tables.charters, at - proof
    over = (given.c.ended_at <= before) | (given.c.last_day <= day_of(before))
    used = exists().where(sign_in_tables.sessions.c.authorisation_id == given.c.authorisation_id)
    yield Rule(
        table=given,
        article=_PROOF,
        delay="habilitations : trois ans après leur fin",
        also=over & ~used,
    )
    yield Rule(
        table=charters,
        article="A-5.2",
        delay="chartes acceptées : trois ans après, sauf la version en vigueur",
        since=charters.c.accepted_at,
        after=proof,
        also=charters.c.version != core.policy.charter,
    )


def _rights(proof: timedelta) -> Iterator[Rule]:
    """What serves a person's own page and requests; each tie to the person goes with its thing."""
    now, of = timedelta(0), person_tables
    for table, since, after, article, what, also in (
        (of.visits, of.visits.c.began_at, VISIT, _SAFE, "visites : à leur durée", _EVERY),
        (of.attempts, of.attempts.c.at, WINDOW, _SAFE, "codes faux : quelques minutes", _EVERY),
        (of.codes, of.codes.c.given_at, proof, _PROOF, "codes remis : trois ans après", _EVERY),
        (
            of.code_persons,
            None,
            now,
            _PROOF,
            "porteurs de codes : avec le code",
            _without(of.codes, of.code_persons.c.code_id),
        ),
        (of.refusals, of.refusals.c.at, proof, _PROOF, "refus montrés : trois ans après", _EVERY),
        (
            of.destructions,
            of.destructions.c.at,
            proof,
            _PROOF,
            "destructions montrées : trois ans après",
            _EVERY,
        ),
        (
            of.requests,
            of.requests.c.closed_at,
            proof,
            _PROOF,
            "demandes d'exercice d'un droit : trois ans après leur clôture",
            _EVERY,
        ),
        (
            of.answers,
            None,
            now,
            _PROOF,
            "réponses aux demandes : avec la demande",
            _without(of.requests, of.answers.c.request_id),
        ),
        (
            of.request_persons,
            None,
            now,
            _PROOF,
            "auteurs de demandes : avec la demande",
            _without(of.requests, of.request_persons.c.request_id),
        ),
    ):
        yield Rule(table=table, article=article, delay=what, since=since, after=after, also=also)


def _without(parent: Table, column: Column[Any]) -> ColumnElement[bool]:
    """Condition: what the column names is kept no more."""
    (key,) = parent.primary_key
    return ~exists().where(key == column)


# --- what partners and conventions keep, by what their tables say becomes of it


def _partner_rows(core: Core, proof: timedelta, at: datetime) -> Iterator[Rule]:
    for table in tables_of(core.kind.value):
        fate = fate_of(table)
        if fate.since:
            yield Rule(
                table=table,
                article=_PROOF,
                delay=f"{table.name} : {fate.why}",
                since=table.c[fate.since],
                after=proof,
            )
        if fate.goes is Goes.PERSON and table is not tables.persons:
            known = exists().where(tables.persons.c.person_id == table.c.person_id)
            yield Rule(
                table=table,
                article=_NO_LONGER,
                delay=f"{table.name} : avec la personne",
                also=~known,
            )
        if fate.convention:
            yield _at_the_end(core, table, fate, at)


def _at_the_end(core: Core, table: Table, fate: Fate, at: datetime) -> Rule:
    """Some months after the end nothing of a convention is left but proof; a dispute keeps it.

    A table says of which convention, or of which partner, a row is; one that says neither serves
    all of this text, and goes with the last.
    """
    own = [
        one
        for one in core.directory.conventions.values()
        if one.convention.code == fate.convention and core.org in one.orgs
    ]
    ended = [one for one in own if one.state(at) is State.PURGED]
    later = [one.purged_on for one in own if one not in ended and one.purged_on is not None]
    return Rule(
        table=table,
        article=core.registry.convention(fate.convention).purge_article,
        delay=f"{table.name} : à la fin de la convention",
        also=_of(core, table, own, ended),
        kept=or_(
            _NONE,
            *(wholly_held(one.id) & _of(core, table, [one], [one]) for one in ended),
        ),
        next_at=midnight(min(later)) if later else None,
    )


def _of(
    core: Core, table: Table, own: Sequence[SignedConvention], ended: Sequence[SignedConvention]
) -> ColumnElement[bool]:
    """Condition: the row is of a convention among `ended`, and of none that lives."""
    if "convention_id" in table.c:
        return table.c.convention_id.in_([one.id for one in ended])
    living = [one for one in own if one not in ended]
    if "partner" in table.c:
        served = {org for one in living for org in one.orgs}
        gone = {org for one in ended for org in one.orgs} - served - {core.org}
        return table.c.partner.in_(sorted(gone))
    return _EVERY if ended and not living else _NONE
