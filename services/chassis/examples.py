"""Bodies to start from in the OpenAPI document: invented people, one message of each type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from contracts.kernel.fields import Payload
from contracts.kernel.organisation import Suite
from services.chassis.acts import NoticeBody
from services.chassis.answers import ActContent
from services.chassis.api import MessageBody
from services.chassis.conventions import ActBody, SignatureBody
from services.chassis.derogations import DerogationBody
from services.chassis.people import CharterBody
from services.chassis.person.codes import CodeBody
from services.chassis.rectifying import Correction
from services.chassis.register import AgreementRecord, NewPerson
from services.chassis.rights import RightsBody
from services.chassis.sign_in.authorisations import Authorisation

Json = dict[str, Any]

_ID: Final = "0123456789abcdef" * 2
_PARTNER: Final = "ville-aubelune"
_KEY: Final = "A" * 43
_DAY: Final = "2026-09-15"
_INSTANT: Final = "2026-09-15T10:30:00+02:00"
_BY_FORMAT: Final = {
    "date": _DAY,
    "date-time": _INSTANT,
    "email": "contact@organisme.example",
    "phone": "+33 1 99 00 12 34",
}
_BY_PATTERN: Final = {
    r"^[0-9]{7}[A-Z]$": "9990101F",
    r"^[a-z][a-z0-9_]{0,40}$": "autre",
    r"^[0-9a-f]{32}$": _ID,
    r"^[A-N][0-9]{4}$": "K1207",
    r"^[A-Z]{1,2}-?[0-9]{1,4}[a-z]?(?:[.\-][0-9]{1,2}){0,2}$": "L131-6",
    r"^[0-9]{5,6}$": "104362",
    r"^[0-9A-Z]{4,8}$": "187XKLM",
}
_BY_TYPE: Final = {"integer": 1, "number": 1, "boolean": True, "string": "Modèle", "object": {}}

_DEROGATION: Final = {
    "case_id": _ID,
    "type": "alternative.alert",
    "to": "ecole-aubelune",
    "ground": "vital_interests",
    "sealed_until": None,
}

_RIGHT: Final = {
    "person_id": _ID,
    "right": "rectification",
    "about": ["contact"],
    "raised_by": "representative",
    "channel": "meeting",
    "means": "in_person",
}

_AUTHORISATION: Final = {
    "subject": _ID * 2,
    "agent_id": "agent-1",
    "role": "referent",
    "first_day": _DAY,
    "last_day": None,
}

_PERSON: Final = {
    "identity": {
        "family_name": "Modèle",
        "first_name": "Claude",
        "birth_date": "2012-09-30",
        "channel": None,
    },
    "representatives": [
        {
            "family_name": "Modèle",
            "first_name": "Maxime",
            "channel": {"kind": "email", "value": "maxime@modele.example"},
        }
    ],
}


def examples(typed: Mapping[tuple[str, int], type[Payload]]) -> dict[str, Json]:
    """Examples by the name of the model they are of, as OpenAPI's `examples`.

    typed: what a caller types in each message that this node may send, by type and version.
    """
    flows = list(dict.fromkeys(name for name, _ in typed))
    several = {name for name, number in Counter(name for name, _ in typed).items() if number > 1}
    messages = {
        f"{name}.v{version}" if name in several else name: _message(name, model)
        for (name, version), model in typed.items()
    }
    return {
        CharterBody.__name__: _only({"version": "1"}),
        NewPerson.__name__: _only(_PERSON),
        AgreementRecord.__name__: _only(_agreement(flows or ["referral.submitted"])),
        MessageBody.__name__: {name: {"value": one} for name, one in messages.items()},
        SignatureBody.__name__: _only(_SIGNATURE),
        ActBody.__name__: _only({"kind": "termination_notice", "received_on": _DAY}),
        NoticeBody.__name__: _only(_NOTICE),
        ActContent.__name__: _only({"on": _DAY}),
        DerogationBody.__name__: _only(_DEROGATION),
        Authorisation.__name__: _only(_AUTHORISATION),
        CodeBody.__name__: _only({"holder": "young_person", "means": "in_person"}),
        RightsBody.__name__: _only(_RIGHT),
        Correction.__name__: _only(_CORRECTION),
    }


_CORRECTION: Final[Json] = {
    "request_id": _ID,
    "found_on": None,
    "family_name": "Exemple",
    "first_name": None,
    "birth_date": None,
}


def example(model: type[BaseModel]) -> Json:
    """Example of a model that has none of its own, as its schema permits."""
    schema = model.model_json_schema()
    return _only(example_of(schema, schema.get("$defs", {})))


def _only(value: Json) -> Json:
    return {"example": {"value": value}}


def _message(name: str, model: type[Payload]) -> Json:
    schema = model.model_json_schema()
    data = example_of(schema, schema.get("$defs", {}))
    return {"type": name, "to": _PARTNER, "agreement_id": _ID, "data": data}


def _agreement(flows: list[str]) -> Json:
    return {
        "person_id": _ID,
        "recipients": [_PARTNER],
        "flows": flows,
        "giver": "representative",
        "authority": "parental",
        "means": "in_person",
        "granted": True,
        "assent": "not_asked",
        "notice": {"version": "1", "channel": "meeting", "language": "fr", "given_at": _INSTANT},
        "given_at": _INSTANT,
    }


_NOTICE: Final = {
    "person_id": _ID,
    "instrument": "mayor_attendance",
    "version": "1",
    "channel": "letter",
    "language": "fr",
    "given_at": _INSTANT,
}

_SIGNATURE: Final = {
    "signed_on": _DAY,
    "terms": {
        "id": "a-ville-aubelune-college-des-saules",
        "convention": "a_city_school",
        "version": 1,
        "parties": [
            {
                "org": org,
                "kind": kind,
                "signatory": "signataire",
                "decision": "décision 1",
                "signing_key": _KEY,
                "floor": Suite.X25519.value,
            }
            for org, kind in ((_PARTNER, "city"), ("college-des-saules", "school"))
        ],
        "evidence": "0" * 64,
    },
}


def example_of(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- JSON
    """One value that a JSON Schema permits: the first choice, the smallest list, nothing null."""
    if "$ref" in schema:
        return example_of(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], definitions)
    if "properties" in schema:
        return {n: example_of(one, definitions) for n, one in schema["properties"].items()}
    if schema.get("type") == "array":
        items = schema.get("items") or schema["prefixItems"][0]
        return [example_of(items, definitions)] * max(1, schema.get("minItems", 1))
    return _simple(schema)


def _simple(schema: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- JSON
    for name in ("const", "minimum"):
        if name in schema:
            return schema[name]
    if "enum" in schema:
        return schema["enum"][0]
    found = _BY_FORMAT.get(schema.get("format", ""), _BY_PATTERN.get(schema.get("pattern", "")))
    return found or _BY_TYPE[schema["type"]]
