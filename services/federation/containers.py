"""The same federation in containers: one for each part, each with its own volumes and no more.

`compose` writes the file that runs them. Here is what its one-shot `setup` does: it lays out the
state folder over all the volumes at once, and hands it to the user under which every other
container runs. In life each organisation does that at home, for itself; here one container that
has no network sees all of them for a second.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import URL

from services.chassis.private_files import create_once, read_private
from services.chassis.tls import write_private
from services.federation.config import BadFederation, FederationFile
from services.federation.databases import database_url
from services.federation.layout import (
    HUB,
    HUB_LEAFS,
    OBSERVER,
    REGISTRAR,
    Layout,
    furnish,
    leaf_of,
    monitoring_of,
)

HOME: Final = Path("/var/lib/relais")
"""The state folder, under the same path in every container: each sees its own part of it."""
USER: Final = 10001
"""Who runs in every container, and owns every volume."""
HTTP_PORT: Final = 8080
MONITORING_PORT: Final = 8222
ROLE: Final = "relais"
DATABASE: Final = "relais"
KEYSTORE: Final = "relais_keys"
"""An organisation's service is `ROLE` on its own PostgreSQL server, and owns two databases."""

_CLIENT_PORT: Final = 4222
_LEAF_PORT: Final = 7422
_DATABASE_PORT: Final = 5432
_PASSWORD_BYTES: Final = 32
_WORDS: Final = frozenset(("setup", "ceremony", "demo", "collector", "jaeger", "prometheus"))
_TAKEN: Final = _WORDS | {"grafana", "federation", "authority", HUB, REGISTRAR, OBSERVER}

Draw = Callable[[int], bytes]


def leaf_host(org: str) -> str:
    """Container of an organisation's nats-server."""
    return f"{org}-leaf"


def database_host(org: str) -> str:
    """Container of an organisation's PostgreSQL server."""
    return f"{org}-database"


def volumes(federation: FederationFile) -> dict[str, str]:
    """Every volume, and where it lies in the state folder; outer ones before those they hold."""
    found = {"federation": "", "authority": "tls"}
    found |= {name: name for name in (HUB, REGISTRAR, OBSERVER)}
    for one in federation.organisations:
        found[one.id] = f"nodes/{one.id}"
        found[leaf_host(one.id)] = f"nodes/{one.id}/nats"
        found[database_host(one.id)] = f"databases/{one.id}"
        found[f"{database_host(one.id)}-init"] = f"databases/{one.id}.init"
    return found


def checked(federation: FederationFile) -> FederationFile:
    """Return the federation when its names can be those of containers. Raises BadFederation."""
    seen = set(_TAKEN)
    for one in federation.organisations:
        names = {one.id, leaf_host(one.id), database_host(one.id)}
        if names & seen:
            raise BadFederation(
                f"Un conteneur porte déjà le nom {min(names & seen)} : donnez un autre id à "
                f"l'organisme {one.id}."
            )
        seen |= names
    return federation


def lay_out(
    home: Path, federation: FederationFile, at: datetime, draw: Draw = os.urandom
) -> Layout:
    """Write all that the containers need, keeping what is there. at: real time.

    Raises BadFederation, BadSettings.
    """
    hosts = {HUB: HUB, HUB_LEAFS: HUB, REGISTRAR: REGISTRAR, OBSERVER: OBSERVER}
    ports = {HUB: _CLIENT_PORT, HUB_LEAFS: _LEAF_PORT, monitoring_of(HUB): MONITORING_PORT}
    ports |= {REGISTRAR: HTTP_PORT, OBSERVER: HTTP_PORT}
    addresses: dict[str, str] = {}
    for one in checked(federation).organisations:
        leaf = leaf_of(one.id)
        hosts |= {one.id: one.id, leaf: leaf_host(one.id)}
        ports |= {one.id: HTTP_PORT, leaf: _CLIENT_PORT, monitoring_of(leaf): MONITORING_PORT}
        addresses |= _database(home, one.id, draw)
    write_private(home / "ports.json", json.dumps(ports, indent=2))
    write_private(home / "hosts.json", json.dumps(hosts, indent=2))
    layout = Layout(home, federation, ports, hosts)
    furnish(layout, addresses, at)
    return layout


def _database(home: Path, org: str, draw: Draw) -> dict[str, str]:
    """Prepare an organisation's PostgreSQL server; addresses of its two databases, for its service.

    The server reads ``<org>.init`` once, when it is empty; it keeps its rows in ``<org>/rows``.
    The password of its superuser is known to nobody else: the service is an ordinary role.
    """
    init = home / "databases" / f"{org}.init"
    for folder in (home / "databases" / org / "rows", init):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("superuser", ROLE):
        create_once(init / f"{name}.password", draw(_PASSWORD_BYTES).hex())
    password = read_private(init / f"{ROLE}.password").decode()
    write_private(init / "pgpass", f"*:*:*:{ROLE}:{password}\n")
    write_private(init / "databases.sql", _sql(password))
    server = URL.create("postgresql", ROLE, password, host=database_host(org), port=_DATABASE_PORT)
    return {org: database_url(server, DATABASE), f"{org}.keys": database_url(server, KEYSTORE)}


def _sql(password: str) -> str:
    created = "".join(
        f"CREATE DATABASE {name} OWNER {ROLE} TEMPLATE template0 ENCODING 'UTF8';\n"
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC;\n"
        for name in (DATABASE, KEYSTORE)
    )
    return f"CREATE ROLE {ROLE} LOGIN PASSWORD '{password}';\n{created}"


def hand_over(home: Path, federation: FederationFile) -> None:
    """Give every volume to `USER` and become that user; needs to be root."""
    for path in volumes(federation).values():
        os.chown(home / path, USER, USER)
    os.setgroups([])
    os.setgid(USER)
    os.setuid(USER)
