"""The copy of all that this node holds about a person, for whoever exercises the right of access.

GDPR 15 asks for it, 20 for a form that machines read. It shows what the person's own page shows,
and beside it the values themselves: who they are to us, what each situation holds, until when.
Of others it shows nothing (15.4): a block that names somebody goes whole. Of what a situation holds
only days, numbers, yes or no, and words out of the convention's own lists are copied; whatever
else stands there may name somebody, and is said to be left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final, cast

from pydantic import AwareDatetime
from sqlalchemy import Row, select
from starlette.responses import Response

from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.instrument import Flow
from contracts.kernel.paris import day_of, reached
from contracts.kernel.words import COMMON
from services.chassis import person_tables, rights_views, standing, tables
from services.chassis.acts import require_case
from services.chassis.answers import Answer
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.holds import kept_under
from services.chassis.minors import MAJORITY_AGE
from services.chassis.person.agreed import agreements_of, cases_of
from services.chassis.person.codes import Holder
from services.chassis.person.uses import Use, uses_of
from services.chassis.person.visits import Visit
from services.chassis.rights import RequestState
from services.chassis.standing import ERASED
from services.chassis.tokens import Agent
from services.chassis.words import kept

_NAMING: Final = {"name", "family_name", "first_name", "value"}
"""Fields of a block that names somebody, or says how to reach them."""
_PLAIN: Final = re.compile(r"\d{4}-\d\d-\d\d(T[0-9:.+\-Z]+)?")
"""A day or an instant, which names nobody."""


class HeldCase(Answer):
    """A situation. content: what it holds, by field. left_out: fields that may name somebody else.

    retained_until: last day, where it is set; kept_under: article of what keeps it longer. kept:
    how long each message is kept, by type.
    """

    case_id: str
    instrument: str
    partner: str
    purpose: str
    state: str
    opened_at: AwareDatetime
    retained_until: str | None
    kept_under: str | None
    kept: dict[str, str]
    content: dict[str, Any]
    left_out: list[str]


class Copy(Answer):
    """All that is held about one person here (GDPR 15.1, 15.3, 20.1).

    identities: as each local id of the person has it; representatives: how many the register
    knows, who are others. uses: who was told what, when, why, on which article. recipients: to
    whom anything was, or may be, told.
    """

    organisation: str
    dpo: str
    made_at: AwareDatetime
    request_id: str
    identities: list[dict[str, Any]]
    representatives: int
    agreements: list[dict[str, Any]]
    notices: list[dict[str, Any]]
    cases: list[HeldCase]
    uses: list[dict[str, Any]]
    recipients: list[str]
    requests: list[dict[str, Any]]


def granted(tx: Tx, request_id: str, at: datetime) -> Row[Any]:
    """A request of access, of somebody who was checked, and not refused.

    Raises UnknownName, RequestState; InvalidPayload for a representative of a person of age.
    """
    rights_views.read(tx.connection, request_id, at)
    table = person_tables.requests
    row = tx.execute(select(table).where(table.c.request_id == request_id)).one()
    if row.right != "access" or row.checked_at is None or row.outcome == "refused":
        raise RequestState(
            "Une copie se remet sur une demande d'accès, vérifiée et non refusée.",
            articles=("RGPD 15",),
        )
    return row


def copy_for(tx: Tx, core: Core, request_id: str, agent: Agent, at: datetime) -> Copy:
    """The copy that an agent hands over, journaled.

    Raises UnknownName, RequestState; NotPermitted, ConventionUnread where a situation of the person
    is not this agent's to open; InvalidPayload for a representative of a person of age.
    """
    row = granted(tx, request_id, at)
    visit = visit_for(tx, row, agent.agent_id)
    for case in cases_of(tx, core, visit):
        if case.state != ERASED:
            require_case(tx, core, case.case_id, agent, at)
    core.journal.note(tx, "rights.copied", agent.agent_id, at, articles=("RGPD 15.3",))
    return copy_of(tx, core, visit, request_id, at)


def copy_at_page(tx: Tx, core: Core, visit: Visit, request_id: str, at: datetime) -> Copy:
    """The copy that who asked for it takes at their own page, once it was answered; journaled.

    Raises UnknownName for a request of somebody else; RequestState until it was granted.
    """
    mine = rights_views.of_persons(tx.connection, visit.person_ids, at)
    if request_id not in {one["request_id"] for one in mine if one["raised_by"] == visit.holder}:
        raise UnknownName("Aucune demande ne porte ce numéro.", code="unknown_request")
    if granted(tx, request_id, at).closed_at is None:
        raise RequestState("La réponse n'est pas encore donnée.", articles=("RGPD 12.3",))
    core.journal.note(tx, "rights.copied", None, at, articles=("RGPD 15.3",))
    return copy_of(tx, core, visit, request_id, at)


def file_of(copy: Copy) -> Response:
    """The copy as a file that machines read (GDPR 20.1); its name says nobody."""
    name = f'attachment; filename="copie-{copy.request_id[:8]}.json"'
    headers = {"Cache-Control": "no-store", "Content-Disposition": name}
    return Response(copy.model_dump_json(indent=1), 200, headers, "application/json")


def visit_for(tx: Tx, row: Row[Any], agent_id: str) -> Visit:
    """The eyes of whoever asked.

    One whom a partner checked is not told what a young person alone agreed to: the partner does not
    say who asked.
    """
    persons = rights_views.persons_of(tx.connection, row.request_id)
    holder = cast("Holder", row.raised_by if row.origin is None else "representative")
    return Visit("", holder, tuple(persons), "", row.asked_at, agent_id, row.asked_at, "known")


def copy_of(tx: Tx, core: Core, visit: Visit, request_id: str, at: datetime) -> Copy:
    """The copy itself. Raises InvalidPayload for a representative of a person of age."""
    persons = [one for one in (tx.get(standing.PERSONS, who) for who in visit.person_ids) if one]
    known = [standing.opened_person(tx, core, one.scope, one.sealed) for one in persons]
    births = [one.identity.birth_date for one in known]
    of_age = any(one is not None and reached(one, MAJORITY_AGE, day_of(at)) for one in births)
    if visit.representative and of_age:
        raise InvalidPayload("Cette personne est majeure : elle seule reçoit sa copie.")
    uses, agreements = uses_of(tx, core, visit, at), agreements_of(tx, core, visit, at)
    cases = [_case(tx, core, one) for one in cases_of(tx, core, visit) if one.state != ERASED]
    asked = rights_views.of_persons(tx.connection, visit.person_ids, at)
    told = {one.receiver for one in uses} | {org for one in agreements for org in one.recipients}
    return Copy(
        organisation=core.org,
        dpo=core.directory.entries[core.org].dpo,
        made_at=at,
        request_id=request_id,
        identities=[one.identity.model_dump(mode="json") for one in known],
        representatives=max((len(one.representatives) for one in known), default=0),
        agreements=[asdict(one) for one in agreements],
        notices=list(_notices(tx, visit.person_ids)),
        cases=cases,
        uses=[_use(one) for one in uses],
        recipients=sorted(told - {core.org}),
        requests=[_asked(one) for one in asked if rights_views.seen_by(one, visit.holder)],
    )


def _use(use: Use) -> dict[str, Any]:
    return {name: value for name, value in asdict(use).items() if value not in ("", None, (), 0)}


def _asked(one: Mapping[str, Any]) -> dict[str, Any]:
    """A request without the agent who checked it."""
    return {name: value for name, value in one.items() if name != "checked_by"}


def _notices(tx: Tx, person_ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    table = tables.notices
    mine = select(table).where(table.c.person_id.in_(person_ids)).order_by(table.c.given_at)
    for row in tx.execute(mine):
        yield {
            "instrument": row.instrument,
            "version": row.version,
            "channel": row.channel,
            "language": row.language,
            "given_at": row.given_at,
        }


# --- a situation


def _case(tx: Tx, core: Core, row: Row[Any]) -> HeldCase:
    text = core.text(row.instrument)
    code = row.instrument if text is None else text.code
    content, left_out = said_of(core, code, core.side(row.instrument).view(tx, core, row.case_id))
    ends = {core.kind, *(one.kind for one in [core.directory.entry(row.partner)] if one)}
    flows: Sequence[Flow] = () if text is None else text.flows
    return HeldCase(
        case_id=row.case_id,
        instrument=row.instrument,
        partner=row.partner,
        purpose=core.registry.word(code, row.purpose),
        state=row.state,
        opened_at=row.opened_at,
        retained_until=None if row.retain_until is None else day_of(row.retain_until).isoformat(),
        kept_under=kept_under(tx, core, row),
        kept={
            flow.type: kept(core.registry, code, flow.retention)
            for flow in flows
            if {flow.sender, flow.receiver} == ends
        },
        content=content,
        left_out=sorted(left_out),
    )


def said_of(core: Core, code: str, content: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """What is held of a situation, and the fields that are left out since they may name somebody.

    code: of the instrument, whose lists of words say what is a code and what is somebody's text.
    """
    words = {**COMMON, **core.registry.words.get(code, {})}
    left_out: set[str] = set()

    def plain(name: str, value: Any) -> Any:  # noqa: ANN401 -- any JSON value
        if isinstance(value, Mapping) and not _NAMING & value.keys():
            return {key: plain(key, one) for key, one in value.items() if says(key, one)}
        if isinstance(value, list | tuple):
            return [plain(name, one) for one in value if says(name, one)]
        return value.isoformat() if hasattr(value, "isoformat") else value

    def says(name: str, value: Any) -> bool:  # noqa: ANN401 -- any JSON value
        """Whether a value names nobody; a block that names somebody goes whole."""
        if isinstance(value, Mapping):
            good = not _NAMING & value.keys()
        elif value is None or isinstance(value, bool | int | float | list | tuple):
            good = True
        else:
            text = value.isoformat() if hasattr(value, "isoformat") else str(value)
            good = text in words or _PLAIN.fullmatch(text) is not None
        if not good:
            left_out.add(name)
        return good

    return {name: plain(name, one) for name, one in content.items() if says(name, one)}, left_out
