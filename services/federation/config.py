"""Reading `federation.yaml`: which organisations there are, and which conventions they sign.

Organisations are data: a school more is an entry more, and no code. Every refusal says where in
the file, what is wrong there, and what to write.
"""

from __future__ import annotations

import importlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Final, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from contracts import registry
from contracts.kernel.canonical import digest
from contracts.kernel.errors import RelaisError, UnknownName
from contracts.kernel.fields import Email, ShortText, Siret, Uai
from contracts.kernel.organisation import BusCode, Kind, OrgId
from contracts.registry import Registry

CONVENTIONS: Final = "RELAIS_CONVENTIONS"
"""Environment variable that names another package of conventions: a text that is being written."""

EVERY: Final = "every"
"""In a convention's parties: every organisation of that kind."""

_UAI_LETTERS: Final = "ABCDEFGHJKLMNPRSTUVWXYZ"
_LONGEST_ID: Final = 61
_ADVICE: Final = {
    "missing": "ce champ manque",
    "extra_forbidden": "ce champ n'existe pas",
    "enum": "cette valeur n'est pas dans la liste permise",
    "string_pattern_mismatch": "cette forme n'est pas permise",
    "string_too_short": "ce texte est vide",
    "string_too_long": "ce texte est trop long",
    "string_type": "un texte est attendu",
    "bool_type": "oui ou non est attendu (true, false)",
    "bool_parsing": "oui ou non est attendu (true, false)",
    "dict_type": "des champs sont attendus (nom: valeur)",
    "model_type": "des champs sont attendus (nom: valeur)",
    "tuple_type": "une liste est attendue",
    "too_short": "cette liste est vide",
    "hidden_identifier": "ce texte contient de quoi désigner une personne",
    "invisible_character": "ce texte contient un caractère invisible",
    "siret": "ce n'est pas un SIRET valide",
    "email": "ce n'est pas une adresse électronique",
}

_OWN: Final = frozenset(("uai", "twice", "order", "day"))


class BadFederation(RelaisError):
    """A federation file with which nothing may start; the sentence says where and what to write."""

    code = "bad_federation"


def _checked_uai(uai: str) -> str:
    """Check the letter of a UAI, which python-stdnum does not know: number modulo 23."""
    if uai[-1] != _UAI_LETTERS[int(uai[:-1]) % len(_UAI_LETTERS)]:
        raise PydanticCustomError("uai", "la lettre de cet UAI ne correspond pas à son numéro")
    return uai


def _day(value: object, read: ValidatorFunctionWrapHandler) -> date | int:
    """Read a day, or how many days it lies after the one of signing: before it when negative."""
    try:
        found: date | int = read(value)
    except ValidationError:
        said = "un jour est attendu (AAAA-MM-JJ), ou un nombre de jours à compter d'aujourd'hui"
        raise PydanticCustomError("day", said) from None
    return found


Day = Annotated[date | StrictInt, WrapValidator(_day)]
"""A legal day, or one that follows the day on which the parties are asked to sign: see `_dated`."""


def _dated(day: date | int, today: date) -> date:
    return today + timedelta(days=day) if isinstance(day, int) else day


def _count(day: date | int) -> int:
    return day if isinstance(day, int) else day.toordinal()


def _listed(value: Any) -> Any:  # noqa: ANN401 -- what the file holds
    return [value] if isinstance(value, str) else value


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Member(_Closed):
    """One organisation: what its directory entry says, and nothing that is secret.

    name: what people call it; its id when left out. code: its name in subjects; drawn from the id
    when left out. dpo: mailbox of its data protection officer; an invented one when left out.
    """

    id: OrgId
    kind: Kind
    name: ShortText
    code: BusCode = ""
    siret: Siret | None = None
    uai: Annotated[Uai, AfterValidator(_checked_uai)] | None = None
    dpo: Email = ""

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, values: Any) -> Any:  # noqa: ANN401 -- what pydantic hands over
        if not isinstance(values, Mapping) or not isinstance(values.get("id"), str):
            return values
        drawn = {"code": digest(values["id"])[:8], "dpo": f"dpo@{values['id']}.example.org"}
        filled = {name: values.get(name) or drawn[name] for name in drawn}
        return {"name": values["id"], **values, **filled}

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.kind is Kind.SCHOOL and self.uai is None:
            raise PydanticCustomError("uai", "une école porte son UAI (uai: …)")
        if self.kind is not Kind.SCHOOL and self.uai is not None:
            raise PydanticCustomError("uai", "seule une école porte un UAI")
        return self


class Signature(_Closed):
    """How the parties of one kind sign: in what capacity, by which decision, on which day."""

    signatory: ShortText
    decision: ShortText
    signed_on: Day

    def signed(self, today: date) -> date:
        """Day of the signature, asked for today."""
        return _dated(self.signed_on, today)


class Amendment(_Closed):
    """An amendment that all parties sign on one day, and the end that it gives the text.

    evidence: text whose SHA-256 stands for the signed paper. Both days follow today's, or none.
    """

    evidence: Annotated[str, Field(min_length=1)]
    signed_on: Day
    until: Day
    invented: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if isinstance(self.signed_on, int) is not isinstance(self.until, int):
            said = "un avenant porte deux jours (AAAA-MM-JJ), ou deux nombres de jours"
            raise PydanticCustomError("order", said)
        if _count(self.until) <= _count(self.signed_on):
            raise PydanticCustomError("order", "un avenant se termine après sa signature")
        return self

    def signing(self, today: date) -> dict[str, Any]:
        """What the parties sign of it, asked for today, on the day from which it holds."""
        signed_on = _dated(self.signed_on, today)
        return {
            "evidence": sha256(self.evidence.encode()).hexdigest(),
            "signed_on": signed_on,
            "effective_on": signed_on,
            "until": _dated(self.until, today),
            "invented": self.invented,
        }


class Agreed(_Closed):
    """Conventions to sign: one for each combination of the parties.

    parties: by kind, ids of organisations, or `every`. evidence: text whose SHA-256 stands for the
    signed paper. invented: said wherever the convention is shown. amendment: signed when asked for,
    never by itself.
    """

    convention: str
    parties: dict[Kind, Annotated[tuple[str, ...], BeforeValidator(_listed)]]
    signatures: dict[Kind, Signature]
    evidence: Annotated[str, Field(min_length=1)]
    invented: bool = False
    amendment: Amendment | None = None


class FederationFile(_Closed):
    """The whole file."""

    organisations: Annotated[tuple[Member, ...], Field(min_length=1)]
    conventions: tuple[Agreed, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for name in ("id", "code", "uai", "siret"):
            values = [value for one in self.organisations if (value := getattr(one, name))]
            for value, times in Counter(values).items():
                if times > 1:
                    raise PydanticCustomError(
                        "twice",
                        "{name} {value} est donné deux fois",
                        {"name": name, "value": value},
                    )
        return self

    def member(self, org: str) -> Member:
        """Find an organisation; raises UnknownName."""
        for one in self.organisations:
            if one.id == org:
                return one
        known = ", ".join(one.id for one in self.organisations)
        raise UnknownName(f"L'organisme {org} n'est pas dans cette fédération. Connus : {known}.")

    def to_sign(self, registry: Registry) -> list[ToSign]:
        """Every convention to be signed, patterns spelled out. Raises BadFederation."""
        found: dict[str, ToSign] = {}
        for position, agreed in enumerate(self.conventions):
            for one in _combinations(self, agreed, registry, f"conventions.{position}"):
                if found.setdefault(one.id, one) is not one:
                    raise BadFederation(
                        f"conventions.{position} : {one.id} est déjà décrite plus haut."
                    )
        return list(found.values())


class PartyToSign(_Closed):
    """One party of a convention to sign."""

    org: OrgId
    kind: Kind
    signature: Signature


class ToSign(_Closed):
    """One convention to sign between named organisations. evidence: SHA-256."""

    id: str
    convention: str
    parties: tuple[PartyToSign, ...]
    evidence: str
    invented: bool
    amendment: Amendment | None

    def org_of(self, kind: Kind) -> str | None:
        """The party of that kind, None where there is none."""
        return next((party.org for party in self.parties if party.kind is kind), None)


def installed() -> Registry:
    """The conventions of this installation, or of the package that RELAIS_CONVENTIONS names.

    Raises ModuleNotFoundError when there is no such package, InvalidDocument as `registry.load`.
    """
    named = os.environ.get(CONVENTIONS)
    return registry.load() if not named else registry.load(importlib.import_module(named))


def read_federation(path: Path, registry: Registry) -> FederationFile:
    """Read and check a federation file, its conventions included. Raises BadFederation."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BadFederation(
            f"Le fichier {path} ne se lit pas ({type(error).__name__}) : vérifiez son chemin, ses "
            "droits et sa forme (YAML)."
        ) from None
    try:
        federation = FederationFile.model_validate(values)
        federation.to_sign(registry)
    except ValidationError as error:
        said = " ; ".join(_said(item) for item in error.errors(include_url=False))
        raise BadFederation(f"{path} : {said}. Corrigez le fichier.") from None
    except BadFederation as error:
        raise BadFederation(f"{path} : {error.sentence}") from None
    return federation


def _said(item: ErrorDetails) -> str:
    where = ".".join(map(str, item["loc"])) or "fichier"
    wanted = item.get("ctx", {}).get("expected")
    said = item["msg"] if item["type"] in _OWN else f"valeur refusée ({item['type']})"
    what = _ADVICE.get(item["type"], said)
    return f"{where} : {what}" + (f" ({wanted.replace(' or ', ' ou ')})" if wanted else "")


def _combinations(
    federation: FederationFile, agreed: Agreed, registry: Registry, where: str
) -> Iterator[ToSign]:
    text = registry.conventions.get(agreed.convention)
    if text is None:
        known = ", ".join(sorted(registry.conventions))
        raise BadFederation(
            f"{where} : convention {agreed.convention} inconnue. Connues : {known}."
        )
    for what, given in (("parties", agreed.parties), ("signatures", agreed.signatures)):
        if set(given) != set(text.parties):
            wanted = ", ".join(kind.value for kind in text.parties)
            raise BadFederation(f"{where}.{what} : {text.code} demande exactement : {wanted}.")
    choices = [_chosen(federation, agreed, kind, where) for kind in text.parties]
    for members in product(*choices):
        orgs = [one.id for one in members]
        yield ToSign(
            id=convention_id(text.letter, orgs),
            convention=text.code,
            parties=tuple(
                PartyToSign(org=one.id, kind=one.kind, signature=agreed.signatures[one.kind])
                for one in members
            ),
            evidence=sha256(agreed.evidence.encode()).hexdigest(),
            invented=agreed.invented,
            amendment=agreed.amendment,
        )


def _chosen(federation: FederationFile, agreed: Agreed, kind: Kind, where: str) -> list[Member]:
    wanted = agreed.parties[kind]
    of_kind = {one.id: one for one in federation.organisations if one.kind is kind}
    if wanted == (EVERY,):
        return list(of_kind.values())
    for org in wanted:
        if org not in of_kind:
            raise BadFederation(
                f"{where}.parties.{kind.value} : {org} n'est pas un organisme de ce type. "
                f"Connus : {', '.join(of_kind) or 'aucun'} ; ou « {EVERY} » pour tous."
            )
    return [of_kind[org] for org in wanted]


def convention_id(letter: str, orgs: list[str]) -> str:
    """Name of a signed convention: the text's letter and the parties, shortened when too long."""
    name = "-".join((letter.lower(), *orgs))
    if len(name) <= _LONGEST_ID:
        return name
    return f"{letter.lower()}-{digest(orgs)[:16]}"
