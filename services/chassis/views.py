"""What the API shows: read models over the tables, ids, codes and dates first.

Personal content appears in one place only, a case, for an agent whose role opens cases.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Row, Select, select

from contracts.gate import Refused, decide
from contracts.kernel.errors import UnknownName
from contracts.kernel.facts import from_json
from contracts.kernel.fields import LAST_NUMBER
from contracts.kernel.paris import day_of
from services.chassis import derogations, standing, tables
from services.chassis.chain import Line
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.holds import kept_under
from services.chassis.keystore import KeyDestroyed
from services.chassis.schema import journal
from services.chassis.scopes import case_scope

PAGE = 200
"""Rows of one answer, at most."""


class JournalFilter(BaseModel):
    """Query of ``GET /journal``: lines after that number."""

    model_config = ConfigDict(extra="forbid")

    since: int = Field(default=0, ge=0, le=LAST_NUMBER)


def instant(value: datetime | None) -> str | None:
    """An instant as the API writes it."""
    return None if value is None else value.isoformat()


def agreement(connection: Connection, agreement_id: str, at: datetime) -> dict[str, Any] | None:
    """One agreement collected here; never who gave it, only in what quality."""
    found = standing.AGREEMENTS.fetch(connection, (agreement_id,)).get(agreement_id)
    if found is None:
        return None
    row = found.row
    told = tables.withdrawals
    answers = connection.execute(
        select(told).where(told.c.reference.in_(list(found.references.values())))
    )
    return {
        "agreement_id": agreement_id,
        "state": agreement_state(row, at),
        "flows": list(row.flows),
        "recipients": sorted(found.references),
        "giver": row.giver,
        "authority": row.authority,
        "assent": row.assent,
        "notice": {"version": row.notice_version, "given_at": instant(row.notice_at)},
        "given_at": instant(row.given_at),
        "expires_at": instant(row.expires_at),
        "withdrawn_at": instant(row.withdrawn_at),
        "suspended_at": instant(row.suspended_at),
        "withdrawal": [
            {
                "org": one.org,
                "told_at": instant(one.told_at),
                "outcome": one.outcome,
                "article": one.article,
                "done_at": instant(one.done_at),
            }
            for one in answers
        ],
    }


def agreement_state(row: Row[Any], at: datetime) -> str:
    """Where an agreement stands: given, refused, suspended, withdrawn or expired."""
    if row.refused:
        return "refused"
    if row.withdrawn_at is not None:
        return "withdrawn"
    if row.suspended_at is not None and at < row.expires_at:
        return "suspended"
    return "expired" if at >= row.expires_at else "given"


def case(tx: Tx, core: Core, case_id: str) -> dict[str, Any]:
    """What this organisation holds about a case; after erasure, the certificates.

    Raises UnknownName.
    """
    row = tx.get(standing.CASES, case_id)
    if row is None:
        raise UnknownName("Ce dossier n'est pas connu ici.", code="unknown_case")
    certificates = tables.certificates
    proofs = tx.execute(select(certificates).where(certificates.c.case_id == case_id))
    shown: dict[str, Any] = {
        "case_id": case_id,
        "convention_id": row.instrument,
        "partner": row.partner,
        "state": row.state,
        "agreement": row.reference,
        "opened_at": instant(row.opened_at),
        "closed_at": instant(row.closed_at),
        "retain_until": None if row.retain_until is None else str(day_of(row.retain_until)),
        "kept_under": None if row.state == "erased" else kept_under(tx, core, row),
        "certificates": [_certificate(one) for one in proofs],
    }
    person = None if row.state == "erased" else standing.of_case(tx, case_id, core.org)
    identity = None if person is None else standing.person_of(tx, core, person)
    shown["person"] = None if identity is None else identity.model_dump(mode="json")
    side = core.side(row.instrument)
    shown["content"] = {} if row.state == "erased" else side.view(tx, core, case_id)
    shown["exchanges"] = exchanges(tx, case_id)
    return shown


def exchanges(tx: Tx, case_id: str, family_on: date | None = None) -> list[dict[str, Any]]:
    """What left and what came about a case, in order: the family may see all of it (A-2.12).

    family_on: the day on which the family looks; what is sealed until a later one is left out, and
    afterwards says until when it was.
    """
    decided = derogations.of_case(tx, case_id)
    wanted = ("message.sent", "message.received", "act.recorded", "message.read")
    where = (journal.c.scope == case_scope(case_id)) & journal.c.event.in_(wanted)
    rows = tx.execute(select(journal).where(where).order_by(journal.c.at, journal.c.seq))
    return [
        {
            "at": instant(row.at),
            "event": row.event,
            "type": row.flow,
            "message_id": row.message_id,
            "articles": list(row.articles),
            "without_agreement": None
            if row.message_id not in decided
            else derogations.shown(decided[row.message_id]),
        }
        for row in rows
        if family_on is None
        or row.message_id not in decided
        or not derogations.sealed(decided[row.message_id], family_on)
    ]


def _certificate(row: Row[Any]) -> dict[str, Any]:
    return {
        "certificate": row.certificate,
        "org": row.org,
        "outcome": row.outcome,
        "article": row.article,
        "records": row.records,
        "done_at": instant(row.done_at),
    }


def explain(connection: Connection, core: Core, message_id: str) -> list[dict[str, Any]]:
    """Replay every decision journaled under a message id: same inputs, same answer, same words."""
    query = select(journal).where(journal.c.message_id == message_id).order_by(journal.c.seq)
    return [_explained(connection, core, line) for line in _lines(connection, query)]


def explain_line(connection: Connection, core: Core, seq: int) -> tuple[Line, dict[str, Any]]:
    """One line of this node's own chain, and its decision replayed. Raises UnknownName."""
    this = (journal.c.chain == core.journal.chain) & (journal.c.seq == seq)
    found = _lines(connection, select(journal).where(this))
    if not found:
        raise UnknownName("Le journal n'a pas de ligne de ce numéro.", code="unknown_line")
    return found[0], _explained(connection, core, found[0])


def _lines(connection: Connection, query: Select[Any]) -> list[Line]:
    return [Line(**row._mapping) for row in connection.execute(query)]  # noqa: SLF001 -- SQLAlchemy's public name for a row's dict


def _explained(connection: Connection, core: Core, line: Line) -> dict[str, Any]:
    found = _replayed(core, line)
    if found.get("replay") == ERASED_INPUTS and line.message_id is not None:
        found["certificate"] = _certificate_of(connection, core, line.message_id)
    return found


ERASED_INPUTS = "inputs erased"


def _certificate_of(connection: Connection, core: Core, message_id: str) -> str | None:
    """Number of the certificate of the erasure that emptied a message's lines."""
    outbox, inbox, held = tables.outbox, tables.inbox, tables.certificates
    cases = [
        select(outbox.c.case_id).where(outbox.c.message_id == message_id),
        select(inbox.c.case_id).where(inbox.c.message_id == message_id),
    ]
    mine = held.c.case_id.in_(cases[0].union(cases[1])) & (held.c.org == core.org)
    query = select(held.c.certificate).where(mine).order_by(held.c.done_at)
    return connection.execute(query).scalar()


def _replayed(core: Core, line: Line) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "seq": line.seq,
        "at": instant(line.at),
        "event": line.event,
        "flow": line.flow,
        "outcome": line.outcome,
        "articles": list(line.articles),
        "rules": line.rules_version,
    }
    try:
        values = core.journal.facts(line)
    except KeyDestroyed:
        values = None
    if values is None:
        erased = line.commitment is not None and line.scope is None
        return shown | ({"replay": ERASED_INPUTS} if erased else {})
    facts = from_json(values)
    instrument = core.registry.rules(line.rules_version)
    flow = instrument.closest(facts.flow, *facts.ends)
    if flow is None:
        return shown | {"replay": "rules gone"}
    decision = decide(core.rules(instrument, flow, facts.side), facts, line.at)
    reasons = decision.reasons if isinstance(decision, Refused) else ()
    same = tuple(line.articles) == (decision.articles if isinstance(decision, Refused) else ())
    return shown | {
        "replay": "same" if same else "different",
        "reasons": [
            {"article": one.article, "code": one.code, "sentence": one.sentence} for one in reasons
        ],
        "facts": json.loads(values),
    }


def lines(found: Iterable[Line]) -> list[Mapping[str, Any]]:
    """Journal lines as the API gives them: what the hash covers, and nothing personal."""
    return [{**line.covered(), "hash": line.hash} for line in found]
