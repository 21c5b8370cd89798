"""What either side records beside any case of convention B: a charter, an event, an information."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete, select

from contracts.conventions.b_city_mission_locale.convention import CONVENTION
from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.fields import LegalDay
from contracts.kernel.paris import day_of
from services.chassis.call import Call
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.governance import own_convention
from services.chassis.informed import ParentInformed, record_informed
from services.chassis.node import Node
from services.chassis.requests import admitted, agent_of, read_body, write_once
from services.chassis.tally import count
from services.chassis.tokens import Right
from services.conventions.b_city_mission_locale import clocks
from services.conventions.b_city_mission_locale.models import (
    common_events,
    offers,
    psad_charters,
    representative_notices,
)


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PsadCharter(_Closed):
    """Body of ``POST /psad-charters`` (B-2.1): the day on which the city signed, and its proof.

    evidence: SHA-256 of the signed paper, in hexadecimal.
    """

    signed_on: LegalDay = Field(title="Signée le")
    evidence: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] = Field(
        title="Empreinte SHA-256 du document"
    )


class CommonEvent(_Closed):
    """Body of ``POST /common-events`` (B-2.6): the day of an event that both held or joined."""

    convention_id: Annotated[str, Field(max_length=64)] = Field(title="Convention")
    held_on: LegalDay = Field(title="Tenu le")


class RepresentativeNotice(ParentInformed):
    """Body of ``POST /representative-notices`` (GDPR 13): what a minor's representative was told.

    Their agreement is not asked for: the young person gives it.
    """


CALLS: Final = {
    ("POST", "/psad-charters"): Call(
        right=Right.CONVENTIONS,
        body=PsadCharter,
        label="Enregistrer la signature de la charte PSAD",
        article="B-2.1",
    ),
    ("POST", "/common-events"): Call(
        right=Right.CONVENTIONS,
        body=CommonEvent,
        label="Compter un événement commun",
        article="B-2.6",
    ),
    ("POST", "/representative-notices"): Call(
        right=Right.REGISTER,
        body=RepresentativeNotice,
        label="Dire qu'un représentant légal a été informé",
        article="RGPD 13",
    ),
    ("GET", "/offers"): Call(
        right=Right.READ, label="Offres de service reçues et publiées", article="B-2.5"
    ),
}


def router(node: Node) -> APIRouter:
    """Routes of convention B, under ``/api/v1``, the same at both sides."""
    routes = APIRouter(prefix="/api/v1")

    @routes.post("/psad-charters", status_code=201)
    async def charter(request: Request) -> Response:
        """Record that the city signed the charter of the platform for dropouts (B-2.1)."""
        agent = agent_of(node, request, Right.CONVENTIONS)
        body = read_body(PsadCharter, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            sign_charter(tx, node.core, body, agent.agent_id, node.clock.now())
            return {"signed_on": body.signed_on.isoformat()}

        return await write_once(node, request, agent, unit)

    @routes.post("/common-events", status_code=201)
    async def event(request: Request) -> Response:
        """Record an event that both sides held for young people (B-2.6)."""
        agent = agent_of(node, request, Right.CONVENTIONS)
        body = read_body(CommonEvent, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            hold_event(tx, node.core, body, agent.agent_id, node.clock.now())
            return {"held_on": body.held_on.isoformat()}

        return await write_once(node, request, agent, unit)

    @routes.post("/representative-notices", status_code=201)
    async def notice(request: Request) -> Response:
        """Record that the representative of a minor was informed (GDPR 13)."""
        agent = await admitted(node, request, Right.REGISTER)
        body = read_body(RepresentativeNotice, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            inform(tx, node.core, body, agent.agent_id, node.clock.now())
            return {"person_id": body.person_id}

        return await write_once(node, request, agent, unit)

    @routes.get("/offers")
    async def listed(request: Request) -> Response:
        """What either side offers, latest first; no young person is in it (B-2.3)."""
        agent_of(node, request, Right.READ)
        query = select(offers).order_by(offers.c.at.desc())
        rows = await node.database.read(lambda c: c.execute(query).mappings().all())
        return JSONResponse([_plain(row) for row in rows])

    return routes


def _plain(row: Any) -> dict[str, Any]:  # noqa: ANN401 -- a row as a mapping
    return {
        name: value.isoformat() if isinstance(value, date | datetime) else value
        for name, value in row.items()
    }


def sign_charter(tx: Tx, core: Core, body: PsadCharter, agent_id: str, at: datetime) -> None:
    """Record the city's signature (B-2.1); twice is once. Raises InvalidPayload for a day to come.

    Before it, no gate lets anything pass to the platform.
    """
    if body.signed_on > day_of(at):
        raise InvalidPayload("Une signature ne peut pas être datée du futur.")
    tx.execute(delete(psad_charters).where(psad_charters.c.signed_on == body.signed_on))
    tx.execute(psad_charters.insert().values(agent_id=agent_id, **body.model_dump()))
    core.journal.note(tx, "psad_charter.recorded", agent_id, at, articles=("B-2.1",))


def hold_event(tx: Tx, core: Core, body: CommonEvent, agent_id: str, at: datetime) -> None:
    """Record and count an event, once a day (B-2.6). Raises UnknownName, InvalidPayload."""
    signed = own_convention(core, body.convention_id)
    if signed.convention.code != CONVENTION.code:
        raise UnknownName("Cette convention ne prévoit pas d'événement commun.", code="no_event")
    if signed.opens_on is None or not signed.opens_on <= body.held_on <= day_of(at):
        raise InvalidPayload(
            "Un événement a eu lieu, depuis l'entrée en vigueur de la convention.",
            fields=(("held_on", "out_of_range"),),
        )
    table = common_events
    same = (table.c.convention_id == signed.id) & (table.c.held_on == body.held_on)
    if tx.execute(select(table.c.held_on).where(same)).first() is None:
        tx.execute(table.insert().values(agent_id=agent_id, **body.model_dump()))
        count(tx, signed.id, "common_event", "held", at)
    core.journal.note(tx, "common_event.held", agent_id, at, articles=("B-2.6",))
    clocks.daily(tx, core, at)


def inform(tx: Tx, core: Core, body: RepresentativeNotice, agent_id: str, at: datetime) -> None:
    """Record what a representative was told. Raises UnknownName, InvalidPayload."""
    record_informed(tx, representative_notices, body, agent_id, at)
    core.journal.note(tx, "representative.informed", agent_id, at, articles=("RGPD 13",))
