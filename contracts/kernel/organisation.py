"""An organisation, its keys, and the directory entry in which it says so itself.

The directory is no authority: an entry is signed by the organisation's own key, and that key is
the one a signed convention pins, or one that a rotation statement under the former key names.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field

from contracts.kernel.documents import Document
from contracts.kernel.fields import LAST_NUMBER, Email, Instant, ShortText, Siret, Uai

OrgId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
"""Name of an organisation on the bus, chosen once (``college-des-saules``)."""

BusCode = Annotated[str, Field(pattern=r"^[a-z0-9]{1,16}$")]
"""Short opaque code of an organisation in subjects: it says nothing to a passer-by."""


class Kind(StrEnum):
    """What an organisation is; a convention binds kinds, a signed convention organisations.

    Each is a line here, with what people call it (`label`), and a folder `services/<kind>/`: one
    kind more needs nothing else.
    """

    label: str

    SCHOOL = "school", "établissement scolaire"
    CITY = "city", "ville"
    CCAS = "ccas", "CCAS"
    MISSION_LOCALE = "mission_locale", "Mission Locale"
    EMPLOYMENT_AGENCY = "employment_agency", "France Travail"
    DEPARTMENT = "department", "Département"

    def __new__(cls, value: str, label: str = "") -> Self:
        """A kind by its name in documents and files, and by its label."""
        kind = str.__new__(cls, value)
        kind._value_ = value
        kind.label = label
        return kind


class Suite(StrEnum):
    """HPKE suites (RFC 9180), weakest first; a directory entry names its floor.

    The hybrid joins ML-KEM-768 and X25519, so that what is recorded today stays closed to
    tomorrow's quantum computers.
    """

    X25519 = "x25519-sha256-chacha20poly1305"
    XWING = "mlkem768x25519-sha256-chacha20poly1305"


class EncryptionKey(Document):
    """A public key to which letters are encrypted, for a month or so."""

    kid: str = Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")
    suite: Suite
    public: str = Field(description="raw public key, base64url without padding")
    not_after: Instant


class SigningKey(Document):
    """An Ed25519 public key as a JWK (RFC 8037); its name is its RFC 7638 thumbprint."""

    kty: Literal["OKP"] = "OKP"
    crv: Literal["Ed25519"] = "Ed25519"
    x: str = Field(pattern=r"^[A-Za-z0-9_-]{43}$")


class BrokerKeys(Document):
    """NATS public keys: the account and the key that signs activations inside the node."""

    account: str = Field(pattern=r"^A[A-Z2-7]{55}$")
    signing: str = Field(pattern=r"^A[A-Z2-7]{55}$")


class DirectoryEntry(Document):
    """What an organisation publishes of itself; no personal data but a professional mailbox."""

    org: OrgId
    kind: Kind
    name: ShortText
    code: BusCode
    siret: Siret | None = None
    uai: Uai | None = None
    dpo: Email
    sequence: int = Field(
        ge=1, le=LAST_NUMBER, description="grows with each new entry; the highest one holds"
    )
    issued_at: Instant
    signing_key: SigningKey
    encryption_keys: tuple[EncryptionKey, ...] = Field(min_length=1)
    floor: Suite = Field(description="weakest suite this organisation accepts")
    schemas: dict[str, tuple[int, ...]] = Field(description="accepted versions by message type")
    broker: BrokerKeys


class RotationStatement(Document):
    """The former signing key names its successor (design: keys pinned, then rotated)."""

    org: OrgId
    successor: SigningKey
    at: Instant
