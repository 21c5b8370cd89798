"""Invented agents, one for each role, and how they sign in at a federation on loopback."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import httpx

from services.chassis.secret import NodeSecret
from services.chassis.sign_in.relying_party import subject_of
from services.chassis.tokens import Role
from services.federation.calls import call
from services.federation.provider import Client, Persona, ProviderSettings

if TYPE_CHECKING:
    from services.federation.config import Member
    from services.federation.layout import Layout

PROVIDER: Final = "provider"
"""The sign-in provider's name among ports, folders, processes and logs."""

NAMES: Final = {
    Role.AGENT: "Alix Agent",
    Role.REFERENT: "Robin Référent",
    Role.MANAGER: "Camille Cheffe",
    Role.DPO: "Damien Délégué",
    Role.OPERATOR: "Éden Exploitante",
}
"""One invented agent for each role that sits at pages."""


def sub(org: str, role: Role) -> str:
    """What the provider calls an organisation's agent in a role."""
    return f"{org}:{role.value}"


def sign_in(layout: Layout, member: Member) -> dict[str, Any]:
    """A node's settings for its agents' sign-in."""
    return {
        "issuer": layout.url(PROVIDER),
        "client_id": member.id,
        "client_secret": NodeSecret.load(layout.secret_file(member.id)).client_secret,
        "public_url": layout.url(member.id),
        "siret": member.siret,
    }


def provider_settings(layout: Layout) -> ProviderSettings:
    """What the provider is told of the nodes and of their agents."""
    return ProviderSettings(
        issuer=layout.url(PROVIDER),
        clients=tuple(
            Client(
                client_id=one.id,
                client_secret=NodeSecret.load(layout.secret_file(one.id)).client_secret,
                entry_url=f"{layout.url(one.id)}/pages/sign-in",
                siret=one.siret,
                personas=tuple(
                    Persona(sub=sub(one.id, role), name=f"{name}, {one.name}")
                    for role, name in NAMES.items()
                ),
            )
            for one in layout.federation.organisations
        ),
    )


def authorise(layout: Layout, org: str, roles: Iterable[Role], manager: httpx.Client) -> None:
    """Authorise the agents of an organisation that are not yet. Raises CallRefused."""
    path = "/api/v1/authorisations"
    known = {one["agent_id"] for one in call(manager, "GET", path)}
    for role in roles:
        agent_id = f"{role.value}-1"
        if agent_id not in known:
            body = {
                "subject": subject_of(layout.url(PROVIDER), sub(org, role)),
                "agent_id": agent_id,
                "role": role.value,
                "first_day": date(2026, 9, 1).isoformat(),
            }
            call(manager, "POST", path, json=body)
