"""The signing ceremony: each party signs through its own node, with the key that never leaves it.

In life a person reads the text and compares the fingerprints of its annex before asking the node to
sign. Here one machine holds all the nodes, so the fingerprints are read in their folders.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Final

import httpx

from contracts.kernel.errors import Unavailable
from contracts.kernel.organisation import Suite
from contracts.kernel.signed import State
from contracts.kernel.terms import Party, Terms
from services.chassis.bundle import Bundle, split_terms
from services.federation.calls import call
from services.federation.config import ToSign

Clients = Callable[[str], httpx.Client]
"""Gives a client of an organisation's API, in the role of a manager."""

_PATIENCE_S: Final = 20.0
_POLL_S: Final = 0.1


def terms_of(wanted: ToSign, fingerprints: Mapping[str, str]) -> Terms:
    """The first version of a convention. fingerprints: of each party's signing key."""
    parties = tuple(
        Party(
            org=one.org,
            kind=one.kind,
            signing_key=fingerprints[one.org],
            floor=Suite.XWING,
            signatory=one.signature.signatory,
            decision=one.signature.decision,
        )
        for one in wanted.parties
    )
    return Terms(
        id=wanted.id,
        convention=wanted.convention,
        version=1,
        parties=parties,
        evidence=wanted.evidence,
        invented=wanted.invented,
    )


def amended(
    last: Terms,
    fingerprints: Mapping[str, str],
    *,
    evidence: str,
    effective_on: date,
    until: date | None = None,
    invented: bool | None = None,
) -> Terms:
    """The version after another, between the same parties with their present keys.

    evidence: SHA-256 of the signed paper. until, invented: as they were where None.
    """
    parties = tuple(
        one.model_copy(update={"signing_key": fingerprints[one.org]}) for one in last.parties
    )
    return last.model_copy(
        update={
            "version": last.version + 1,
            "effective_on": effective_on,
            "until": last.until if until is None else until,
            "evidence": evidence,
            "invented": last.invented if invented is None else invented,
            "parties": parties,
        }
    )


def sign_missing(
    conventions: Iterable[ToSign],
    fingerprints: Mapping[str, str],
    clients: Clients,
    today: date,
) -> list[str]:
    """Have every convention signed that is not yet; returns their ids, once every party shows them.

    today: what days of signature given as a number count from.
    Raises CallRefused, Unavailable.
    """
    signed = []
    held: dict[str, dict[str, str]] = {}
    for wanted in conventions:
        for party in wanted.parties:
            if party.org not in held:
                held[party.org] = states(clients(party.org))
        if all(_complete(held[party.org], wanted.id) for party in wanted.parties):
            continue
        terms = terms_of(wanted, fingerprints)
        sign(terms, {one.org: one.signature.signed(today) for one in wanted.parties}, clients)
        signed.append(wanted)
    for one in signed:
        wait_complete(one.id, [party.org for party in one.parties], clients)
    return [one.id for one in signed]


def sign(terms: Terms, days: Mapping[str, date], clients: Clients) -> None:
    """Parties sign a text, each in its own node and on its own day. Raises CallRefused."""
    text = terms.model_dump(mode="json")
    for org, day in days.items():
        body = {"terms": text, "signed_on": day.isoformat()}
        call(clients(org), "POST", "/api/v1/conventions", json=body)


def texts(registrar: httpx.Client, convention_id: str) -> list[Terms]:
    """Versions of a convention as the registrar hands them out: nodes verify, not we."""
    bundle = Bundle.model_validate(call(registrar, "GET", "/directory"))
    found = [Terms.parse(split_terms(token)[0].content) for token in bundle.terms]
    return sorted((one for one in found if one.id == convention_id), key=lambda one: one.version)


def wait_complete(convention_id: str, orgs: Iterable[str], clients: Clients) -> None:
    """Return once every party holds the text signed by all. Raises Unavailable."""
    deadline = time.monotonic() + _PATIENCE_S
    for org in orgs:
        client = clients(org)
        while not _complete(states(client), convention_id):
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"{org} ne voit pas toutes les signatures de {convention_id} : voir ses "
                    "journaux et ceux du registraire.",
                    code="not_signed",
                )
            time.sleep(_POLL_S)


def states(client: httpx.Client) -> dict[str, str]:
    """State of each convention a node holds, by id."""
    listed = call(client, "GET", "/api/v1/conventions")
    return {one["convention_id"]: one["state"] for one in listed}


def _complete(held: Mapping[str, str], convention_id: str) -> bool:
    """Signed by all; whether it is also in force depends on its dates and the node's clock."""
    return held.get(convention_id, State.DRAFT.value) != State.DRAFT.value
