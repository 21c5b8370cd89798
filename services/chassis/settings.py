"""What a node and the registrar are told at start, and what makes them refuse to start.

Values come from the environment (``RELAIS_…``), then from a YAML or JSON file given by its path.
A refusal says which setting, where, and what to do; never the value.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict, SettingsError
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from contracts.kernel.errors import RelaisError
from contracts.kernel.fields import Email, ShortText, Siret, Uai
from contracts.kernel.organisation import BusCode, Kind, OrgId, Suite
from services.chassis.tls import TlsFiles

SECRET_BYTES: Final = 32
"""A node's secret is at least that long: nobody types that by hand."""

EXAMPLE_SECRET: Final = "exemple-a-remplacer-par-32-octets-aleatoires"  # noqa: S105 -- the one that documentation shows, refused at start

_WELL_KNOWN: Final = (
    *("changeme", "changethis", "secret", "password", "motdepasse", "default", "example"),
    *("exemple", "relais", "test", "demo", "admin", "0123456789abcdef", "0123456789"),
)
_DISTINCT: Final = 8
"""Random bytes of that length always hold more distinct ones than this."""

Port = Annotated[int, Field(ge=0, le=65_535)]


class BadSettings(RelaisError):
    """A setting with which nothing may start; the sentence says which, where and what to do."""

    code = "bad_settings"


class _Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="RELAIS_", extra="forbid", frozen=True)


class SignInSettings(BaseModel):
    """Where agents sign in, and how this node is known there.

    issuer: of the provider, whose discovery document lies under it. client_id, client_secret: as
    registered there. public_url: where browsers reach this node. siret: of the organisation for
    which agents must act; None where the provider tells none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str = Field(pattern=r"^https?://")
    client_id: str = Field(min_length=1)
    client_secret: str = Field(min_length=16, repr=False)
    public_url: str = Field(pattern=r"^https?://[^/]+$")
    siret: Siret | None = None

    @property
    def return_url(self) -> str:
        """Where the provider sends a person back."""
        return f"{self.entry_url}/return"

    @property
    def entry_url(self) -> str:
        """Where a person signs in."""
        return f"{self.public_url}/pages/sign-in"

    @property
    def secure(self) -> bool:
        """Whether browsers reach this node over TLS, and cookies are only sent there."""
        return self.public_url.startswith("https://")


class NodeSettings(_Settings):
    """Settings of one organisation's node.

    org, kind, name, code, siret, uai, dpo: what its directory entry says; code is drawn once and
    says nothing. floor: weakest HPKE suite it accepts. node_dir: its own folder (keys, caches).
    database_url: a SQLite file in node_dir by default. keystore_url: where data keys live, apart
    from the database, so that backups of the data never hold them. nats_url: its own leaf.
    nats_tls: files of mutual TLS, where that leaf is not on loopback. secret_file: 32 random bytes
    or more, mode 0600. otlp_endpoint: where traces go, None for nowhere. sample_ratio: share of
    traces kept, 0 to 1. sign_in: where agents sign in to their pages; without it there are none.
    """

    org: OrgId
    kind: Kind
    name: ShortText
    code: BusCode
    siret: Siret | None = None
    uai: Uai | None = None
    dpo: Email
    floor: Suite = Suite.XWING
    node_dir: Path
    database_url: str = ""
    keystore_url: str = ""
    nats_url: str = Field(pattern=r"^(nats|tls)://")
    nats_tls: TlsFiles | None = None
    registrar_url: str = Field(pattern=r"^https?://")
    http_host: str = "127.0.0.1"
    http_port: Port = 8080
    otlp_endpoint: str | None = Field(default=None, pattern=r"^https?://")
    sample_ratio: float = Field(default=0.1, ge=0, le=1)
    secret_file: Path
    sign_in: SignInSettings | None = None

    @model_validator(mode="before")
    @classmethod
    def _default_places(cls, values: Any) -> Any:  # noqa: ANN401 -- what pydantic hands over
        if not isinstance(values, Mapping) or not values.get("node_dir"):
            return values
        node_dir = Path(values["node_dir"]).absolute()
        return {
            **values,
            "node_dir": node_dir,
            "database_url": values.get("database_url") or f"sqlite:///{node_dir}/node.sqlite",
            "keystore_url": values.get("keystore_url")
            or f"sqlite:///{node_dir}/keystore/keystore.sqlite",
        }

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if _place(self.database_url, "database_url") == _place(self.keystore_url, "keystore_url"):
            raise BadSettings(
                "RELAIS_KEYSTORE_URL désigne le même endroit que RELAIS_DATABASE_URL : placez les "
                "clés dans un autre dossier ou une autre base, que les sauvegardes excluent.",
                code="keystore_not_apart",
            )
        return self


class Admitted(BaseModel):
    """An organisation that may publish: its identity is given here, its keys are its own.

    thumbprint: of its first signing key, where it is known; otherwise the first one that comes is
    pinned.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: OrgId
    kind: Kind
    code: BusCode
    thumbprint: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{43}$")


class HubSettings(BaseModel):
    """Where the hub lives, for a registrar that also writes its configuration.

    directory: the hub's own folder. host, port: where the registrar connects, loopback where it
    can. leaf_host, leaf_port: where organisations link. ca, certificate, key: PEM files.
    http_port: monitoring on loopback, none by default.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    directory: Path
    name: str = Field(default="hub", pattern=r"^[a-z0-9-]{1,40}$")
    host: str = "127.0.0.1"
    port: Port = 4222
    leaf_host: str = "127.0.0.1"
    leaf_port: Port = 7422
    ca: Path
    certificate: Path
    key: Path
    http_port: Port | None = None


class RegistrarSettings(_Settings):
    """Settings of the registrar.

    registrar_dir: its own folder (operator's keys, database). hub_url: where it connects to the
    hub. hub_tls: the files of mutual TLS, where the hub is not on loopback. organisations: who may
    publish. interval_s: seconds between two read-backs of the hub. hub: set where the registrar
    also prepares the hub's first start.
    """

    registrar_dir: Path
    database_url: str = ""
    hub_url: str = Field(pattern=r"^(nats|tls)://")
    hub_tls: TlsFiles | None = None
    organisations: tuple[Admitted, ...]
    http_host: str = "127.0.0.1"
    http_port: Port = 8081
    interval_s: float = Field(default=2.0, gt=0)
    hub: HubSettings | None = None

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for name in ("id", "code"):
            listed = [getattr(one, name) for one in self.organisations]
            if len(set(listed)) < len(listed):
                raise BadSettings(f"RELAIS_ORGANISATIONS donne deux fois le même {name}.")
        return self

    @property
    def database(self) -> str:
        """Address of the database: a SQLite file in registrar_dir unless one is given."""
        return self.database_url or f"sqlite:///{self.registrar_dir.absolute()}/registrar.sqlite"


S = TypeVar("S", bound=_Settings)


def load_node_settings(path: Path | None = None) -> NodeSettings:
    """Read a node's settings and try its secret. Raises BadSettings.

    path: YAML or JSON file; the environment overrides what it says.
    """
    settings = _load(NodeSettings, path)
    read_secret(settings.secret_file)
    return settings


def load_registrar_settings(path: Path | None = None) -> RegistrarSettings:
    """Read the registrar's settings, likewise. Raises BadSettings."""
    return _load(RegistrarSettings, path)


def _load(cls: type[S], path: Path | None) -> S:
    from_file = _from_file(path) if path else {}
    try:
        return cls(**{**from_file, **EnvSettingsSource(cls)()})
    except SettingsError:
        raise BadSettings("Une variable RELAIS_… attend du JSON et n'en est pas.") from None
    except ValidationError as error:
        raise BadSettings(_sentence(error, path)) from None


def _from_file(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BadSettings(
            f"Le fichier de réglages {path} ne se lit pas ({type(error).__name__}) : vérifiez son "
            "chemin, ses droits et sa forme (YAML ou JSON)."
        ) from None
    if not isinstance(values, dict):
        raise BadSettings(f"Le fichier de réglages {path} doit tenir des paires nom : valeur.")
    return values


def _sentence(error: ValidationError, path: Path | None) -> str:
    where = f"dans l'environnement ou dans {path}" if path else "dans l'environnement"
    wrong = ", ".join(
        f"RELAIS_{'.'.join(map(str, item['loc'])).upper()} ({item['type']})"
        for item in error.errors(include_input=False, include_url=False, include_context=False)
    )
    return f"Réglages absents ou faux : {wrong}. Corrigez-les {where}."


def _place(url: str, name: str) -> tuple[object, ...]:
    """Where a database lives, as a backup sees it: a folder, or a database of a server."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise BadSettings(
            f"RELAIS_{name.upper()} n'est pas une adresse de base : écrivez sqlite:///… ou "
            "postgresql://…"
        ) from None
    if parsed.get_backend_name() == "sqlite":
        return ("sqlite", Path(parsed.database or "").resolve().parent)
    return (parsed.get_backend_name(), parsed.host, parsed.port or 5432, parsed.database)


def read_secret(path: Path) -> bytes:
    """Read a node's secret.

    Raises BadSettings when it is missing, readable by others, well known or under 32 bytes.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        content = path.read_bytes().rstrip(b"\r\n")
    except OSError:
        raise _bad_secret(path, "est absent ou illisible", "secret_missing") from None
    if mode & 0o077:
        raise _bad_secret(path, "est lisible par d'autres", "secret_readable")
    if _well_known(content):
        raise _bad_secret(path, "tient un secret connu de tous", "secret_known")
    if len(content) < SECRET_BYTES:
        raise _bad_secret(path, f"tient moins de {SECRET_BYTES} octets", "secret_short")
    return content


def _well_known(content: bytes) -> bool:
    """Whether the text is a common word, repeated or decorated, or hardly varies at all."""
    text = "".join(filter(str.isalnum, content.decode("utf-8", "replace").lower()))
    rest = text.replace("".join(filter(str.isalnum, EXAMPLE_SECRET)), "")
    for word in sorted(_WELL_KNOWN, key=len, reverse=True):
        rest = rest.replace(word, "")
    return (bool(text) and not rest) or (
        len(content) >= SECRET_BYTES and len(set(content)) < _DISTINCT
    )


def _bad_secret(path: Path, what: str, code: str) -> BadSettings:
    return BadSettings(
        f"RELAIS_SECRET_FILE : le fichier {path} {what}. Créez-le par « openssl rand -hex 32 », "
        "puis « chmod 600 ».",
        code=code,
    )
