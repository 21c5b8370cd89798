"""The state folder: everything that a federation keeps between two runs.

    federation.json       what was read from federation.yaml at the last `relais up`
    source                where that file is
    ports.json            ports, chosen once
    hosts.json            where each part is found, unless all are on loopback
    database              address of a PostgreSQL server, where one was given
    supervisor.json       what runs now, under which process ids
    tls/                  demonstration authority
    hub/ registrar/ observer/
    nodes/<org>/          settings.yaml, secret, clock, keys/, nats/, databases
    logs/                 one JSON file per part

Each part needs its own folder alone, so that containers can be given no more (see `containers`).
Laying it out again adds what is missing, writes again what follows from the settings, and touches
no secret, key or row.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from contracts.kernel.errors import UnknownName
from contracts.kernel.organisation import OrgId
from services.chassis.keys import NodeKeys
from services.chassis.nats_server import LeafConfig, leaf_config, write_config
from services.chassis.secret import NodeSecret
from services.chassis.settings import SECRET_BYTES, Admitted, HubSettings
from services.chassis.tls import Authority, TlsFiles, write_private
from services.federation import agents, databases
from services.federation.agents import PROVIDER
from services.federation.config import FederationFile, Member
from services.federation.ports import EVERYWHERE, HOST, choose_ports
from services.registrar.operator import OperatorKeys, prepare_hub

LEAF: Final = "leaf"
SERVICE: Final = "service"
"""The two processes of an organisation."""
HUB: Final = "hub"
HUB_LEAFS: Final = "hub.leafs"
REGISTRAR: Final = "registrar"
OBSERVER: Final = "observer"
TRACES: Final = "traces.sqlite"
"""File of the observer in its folder."""
CLIENT: Final = "client"
"""Name of the certificate with which a service shows itself to its nats-server."""

_CERTIFICATE_LIFE: Final = timedelta(days=10 * 365)


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths, addresses and organisations of one state folder. Made by `lay_out` or `load`.

    hosts: name under which each part is found, where each has a network address of its own; empty
    where all share loopback.
    """

    home: Path
    federation: FederationFile
    ports: Mapping[str, int]
    hosts: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, home: Path) -> Layout:
        """Read back what `lay_out` wrote. Raises UnknownName when there is no federation there."""
        home = home.absolute()
        try:
            content = (home / "federation.json").read_text(encoding="utf-8")
            ports = json.loads((home / "ports.json").read_text(encoding="ascii"))
            kept = home / "hosts.json"
            hosts = json.loads(kept.read_text(encoding="ascii")) if kept.exists() else {}
        except FileNotFoundError:
            raise UnknownName(
                f"Aucune fédération dans {home} : lancez « relais up », ou donnez son dossier "
                "par RELAIS_HOME.",
                code="no_federation",
            ) from None
        return cls(home, FederationFile.model_validate_json(content), ports, hosts)

    @property
    def orgs(self) -> list[str]:
        """Organisations, in the order of the file."""
        return [one.id for one in self.federation.organisations]

    @property
    def status_file(self) -> Path:
        """Where the supervisor says what runs."""
        return self.home / "supervisor.json"

    @property
    def source_file(self) -> Path:
        """Says where the federation's file is; absent where it was made without one."""
        return self.home / "source"

    @property
    def lock_file(self) -> Path:
        """Held by the supervisor as long as it lives."""
        return self.home / "supervisor.lock"

    def folder(self, part: str) -> Path:
        """Folder of the hub, the registrar or the observer."""
        return self.home / part

    def node_dir(self, org: str) -> Path:
        """Folder of an organisation's node. Raises UnknownName."""
        return self.home / "nodes" / self.federation.member(org).id

    def settings_file(self, org: str) -> Path:
        """Settings of an organisation's service."""
        return self.node_dir(org) / "settings.yaml"

    @property
    def provider_file(self) -> Path:
        """What the sign-in provider is told."""
        return self.folder(PROVIDER) / "provider.json"

    def secret_file(self, org: str) -> Path:
        """Secret of an organisation's node."""
        return self.node_dir(org) / "secret"

    def clock_file(self, part: str) -> Path:
        """Seconds by which an organisation's, or the registrar's, clock is moved; absent: none."""
        return (self.folder(part) if part == REGISTRAR else self.node_dir(part)) / "clock"

    def log_file(self, name: str) -> Path:
        """Log of a part: an organisation's id, `registrar`, `observer`, or a nats-server."""
        return self.home / "logs" / f"{name}.log"

    def host(self, part: str) -> str:
        """Name or address under which the others find a part."""
        return self.hosts.get(part, HOST)

    @property
    def listen(self) -> str:
        """Address on which every part listens: loopback, or all of its own host."""
        return EVERYWHERE if self.hosts else HOST

    def url(self, part: str) -> str:
        """HTTP address of the registrar, the observer, or an organisation's service."""
        return f"http://{self.host(part)}:{self.ports[part]}"

    def nats_url(self, part: str) -> str:
        """Address of the hub, or of an organisation's leaf, for its own clients."""
        return f"nats://{self.host(part)}:{self.ports[part]}"

    def nats_tls(self, part: str) -> TlsFiles | None:
        """Files with which a service, or the registrar, reaches it; None where all is loopback."""
        folder = self.folder(part) if part == REGISTRAR else self.node_dir(part)
        return _tls_files(folder, CLIENT) if self.hosts else None

    def keeps(self, database_base: str | None) -> bool:
        """Whether its databases are where that address says; None asks for no change."""
        path = self.home / "database"
        kept = path.read_text(encoding="utf-8") if path.exists() else None
        return database_base in {None, kept}


def leaf_of(org: str) -> str:
    """Name of an organisation's nats-server among ports, processes and logs."""
    return f"{org}.{LEAF}"


def monitoring_of(part: str) -> str:
    """Name, among ports, of the monitoring of a nats-server, which only its own host can read."""
    return f"{part}.monitoring"


def lay_out(
    home: Path, federation: FederationFile, at: datetime, database_base: str | None = None
) -> Layout:
    """Write all that the processes of a federation on loopback need, keeping what is there.

    at: real time. database_base: address of a PostgreSQL server, remembered; SQLite files where
    none was ever given.
    Raises BadFederation, BadSettings, Unavailable.
    """
    home = home.absolute()
    for folder in (home, home / "logs"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = [HUB, HUB_LEAFS, REGISTRAR, OBSERVER, PROVIDER]
    for org in federation.organisations:
        names += [org.id, leaf_of(org.id)]
    layout = Layout(home, federation, choose_ports(home / "ports.json", names))
    furnish(layout, _databases(federation, _kept(home / "database", database_base)), at)
    return layout


def furnish(layout: Layout, addresses: Mapping[str, str], at: datetime) -> None:
    """Write the settings, secrets, keys, certificates and configurations of every part.

    addresses: of the registrar's database and of each organisation's two; SQLite where one lacks.
    """
    home = layout.home
    authority = _authority(home / "tls", at)
    keys = {
        one.id: _node(layout, one, authority, addresses, at)
        for one in layout.federation.organisations
    }
    _hub(layout, authority, at)
    _registrar(layout, authority, keys, addresses, at)
    layout.folder(OBSERVER).mkdir(mode=0o700, exist_ok=True)
    if PROVIDER in layout.ports:
        layout.folder(PROVIDER).mkdir(mode=0o700, exist_ok=True)
        write_private(layout.provider_file, agents.provider_settings(layout).model_dump_json())
    write_private(home / "federation.json", layout.federation.model_dump_json(indent=2))


def _kept(path: Path, given: str | None) -> str | None:
    if given is not None:
        write_private(path, given)
    return path.read_text(encoding="utf-8") if path.exists() else None


def _authority(folder: Path, at: datetime) -> Authority:
    if (folder / "ca.pem").exists():
        return Authority.load(folder)
    return Authority.create(folder, at - timedelta(days=1), at + _CERTIFICATE_LIFE)


def _tls_files(folder: Path, name: str) -> TlsFiles:
    return TlsFiles(folder / "ca.pem", folder / f"{name}.pem", folder / f"{name}-key.pem")


def _certificate(
    authority: Authority, folder: Path, name: str, host: str, at: datetime
) -> TlsFiles:
    """A part's certificate with that of the authority, in the part's own folder; kept if there."""
    files = _tls_files(folder, name)
    if not files.key.exists():
        until = at + _CERTIFICATE_LIFE
        names = dict.fromkeys((HOST, "localhost", host))
        authority.issue(folder, name, names, at - timedelta(days=1), until)
    write_private(files.ca, authority.path.read_bytes())
    return files


def _databases(federation: FederationFile, base: str | None) -> dict[str, str]:
    """Addresses by part, empty for SQLite; on a server, databases that lack are made."""
    if base is None:
        return {}
    server = databases.base_url(base)
    addresses = {REGISTRAR: "relais_registrar"}
    for one in federation.organisations:
        addresses[one.id], addresses[f"{one.id}.keys"] = databases.node_databases(one.id)
    databases.create_missing(server, list(addresses.values()))
    return {part: databases.database_url(server, name) for part, name in addresses.items()}


def _node(
    layout: Layout, member: Member, authority: Authority, addresses: Mapping[str, str], at: datetime
) -> NodeKeys:
    folder = layout.node_dir(member.id)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret_file = layout.secret_file(member.id)
    if not secret_file.exists():
        write_private(secret_file, os.urandom(SECRET_BYTES).hex())
    keys = NodeKeys.open(folder, member.id, at)
    _leaf(layout, member, NodeSecret.load(secret_file), keys, authority, at)
    if layout.nats_tls(member.id) is not None:
        _certificate(authority, folder, CLIENT, layout.host(member.id), at)
    _write_settings(layout.settings_file(member.id), _settings(layout, member, addresses))
    return keys


def _settings(layout: Layout, member: Member, addresses: Mapping[str, str]) -> dict[str, Any]:
    said = member.model_dump(mode="json", exclude_none=True)
    return {
        "org": said.pop("id"),
        **said,
        "node_dir": str(layout.node_dir(member.id)),
        "database_url": addresses.get(member.id, ""),
        "keystore_url": addresses.get(f"{member.id}.keys", ""),
        "nats_url": layout.nats_url(leaf_of(member.id)),
        "nats_tls": _as_text(layout.nats_tls(member.id)),
        "registrar_url": layout.url(REGISTRAR),
        "http_host": layout.listen,
        "http_port": layout.ports[member.id],
        "otlp_endpoint": layout.url(OBSERVER),
        "sample_ratio": 1.0,
        "secret_file": str(layout.secret_file(member.id)),
        "sign_in": agents.sign_in(layout, member) if PROVIDER in layout.ports else None,
    }


def _leaf(
    layout: Layout,
    member: Member,
    secret: NodeSecret,
    keys: NodeKeys,
    authority: Authority,
    at: datetime,
) -> None:
    name = leaf_of(member.id)
    folder = layout.node_dir(member.id) / "nats"
    folder.mkdir(mode=0o700, exist_ok=True)
    config = LeafConfig(
        code=member.code,
        directory=folder,
        host=layout.listen,
        port=layout.ports[name],
        hub_urls=(f"tls://{layout.host(HUB)}:{layout.ports[HUB_LEAFS]}",),
        tls=_certificate(authority, folder, LEAF, layout.host(name), at),
        credentials=write_private(folder / "leaf.creds", keys.leaf_credentials(member.code, at)),
        admin_password=secret.nats_password("admin"),
        app_password=secret.nats_password("app"),
        store_key=secret.jetstream_key,
        http_port=layout.ports.get(monitoring_of(name)),
    )
    write_config(folder, leaf_config(config))


def _hub(layout: Layout, authority: Authority, at: datetime) -> None:
    folder = layout.folder(HUB)
    folder.mkdir(mode=0o700, exist_ok=True)
    files = _certificate(authority, folder, HUB, layout.host(HUB), at)
    settings = HubSettings(
        directory=folder,
        host=layout.listen,
        port=layout.ports[HUB],
        leaf_host=layout.listen,
        leaf_port=layout.ports[HUB_LEAFS],
        ca=files.ca,
        certificate=files.certificate,
        key=files.key,
        http_port=layout.ports.get(monitoring_of(HUB)),
    )
    prepare_hub(OperatorKeys.open(layout.folder(REGISTRAR), at), settings, at)


def _registrar(
    layout: Layout,
    authority: Authority,
    keys: Mapping[OrgId, NodeKeys],
    addresses: Mapping[str, str],
    at: datetime,
) -> None:
    if layout.nats_tls(REGISTRAR) is not None:
        _certificate(authority, layout.folder(REGISTRAR), CLIENT, layout.host(REGISTRAR), at)
    admitted = [
        Admitted(id=one.id, kind=one.kind, code=one.code, thumbprint=_first(keys[one.id]))
        for one in layout.federation.organisations
    ]
    settings = {
        "registrar_dir": str(layout.folder(REGISTRAR)),
        "database_url": addresses.get(REGISTRAR, ""),
        "hub_url": layout.nats_url(HUB),
        "hub_tls": _as_text(layout.nats_tls(REGISTRAR)),
        "organisations": [one.model_dump(mode="json") for one in admitted],
        "http_host": layout.listen,
        "http_port": layout.ports[REGISTRAR],
    }
    _write_settings(layout.folder(REGISTRAR) / "settings.yaml", settings)


def _as_text(files: TlsFiles | None) -> dict[str, str] | None:
    return None if files is None else {name: str(path) for name, path in asdict(files).items()}


def _first(keys: NodeKeys) -> str:
    """Thumbprint of an organisation's first signing key: the oldest of the retired, if any."""
    present, *retired = keys.public_keys
    return retired[0] if retired else present


def _write_settings(path: Path, settings: Mapping[str, Any]) -> None:
    # A database's address may hold a password: the file is for its owner alone.
    write_private(path, yaml.safe_dump(dict(settings), allow_unicode=True, sort_keys=False))
