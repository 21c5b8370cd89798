"""What the OpenAPI document says, and that it is so: its models are those that validate bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from contracts import registry
from contracts.conventions.b_city_mission_locale.messages import ServicePublished
from contracts.kernel.fields import Payload, ShortText, said
from contracts.kernel.organisation import Kind
from services.chassis import answers, api, people, requests
from services.chassis.acts import NoticeBody
from services.chassis.conventions import ActBody, SignatureBody
from services.chassis.derogations import DerogationBody, DerogationReview, TellingBody
from services.chassis.examples import examples
from services.chassis.governance import Insurance, Review
from services.chassis.holds import Hold
from services.chassis.minors import Hearing, Objection, ObjectionAnswer
from services.chassis.openapi import CALLS, complete, sendable
from services.chassis.person.codes import CodeBody
from services.chassis.recognition import Recognition
from services.chassis.rectifying import Correction
from services.chassis.register import AgreementRecord, NewPerson
from services.chassis.review import YearToPublish
from services.chassis.rights import AnswerBody, CheckBody, RightsBody
from services.chassis.sign_in.authorisations import Authorisation
from services.chassis.telemetry import FASTAPI_OFF
from services.chassis.tokens import RIGHTS, Role
from services.chassis.web import NodeApp
from tests.contracts.instruments import convention_of, flow

MODELS: dict[str, type[BaseModel]] = {
    model.__name__: model
    for model in (
        api.MessageBody,
        people.CharterBody,
        NewPerson,
        AgreementRecord,
        Hearing,
        Objection,
        ObjectionAnswer,
        SignatureBody,
        ActBody,
        NoticeBody,
        CodeBody,
        RightsBody,
        Correction,
        Recognition,
        CheckBody,
        AnswerBody,
        answers.ActContent,
        Review,
        YearToPublish,
        Insurance,
        Hold,
        DerogationBody,
        TellingBody,
        DerogationReview,
        Authorisation,
    )
}


class Shorter(Payload):
    """The same news in another convention's words."""

    name: ShortText = said("Service", why="Dit ce qui est proposé.", source="A-1.1")


Shorter.__name__ = Shorter.__qualname__ = "ServicePublished"


KNOWN = registry.load()


def document(kind: Kind, known: registry.Registry = KNOWN) -> dict[str, Any]:
    """The document of a node of that kind, from routes like its own."""
    app = NodeApp(telemetry=FASTAPI_OFF)
    routes = APIRouter(prefix="/api/v1")

    async def answer(request: Request) -> Response:
        return Response(request.url.path)

    for method, path in CALLS:
        routes.add_api_route(path, answer, methods=[method], name=f"{method} {path}")
    app.include_router(routes)
    app.complete = lambda one: complete(one, known, kind)
    return app.openapi()


def resolved(of: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = of["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


@pytest.mark.parametrize("kind", list(Kind))
def test_every_reference_leads_somewhere(kind: Kind) -> None:
    of = document(kind)

    def look(value: object) -> None:
        if isinstance(value, dict):
            if "$ref" in value:
                assert resolved(of, value)
            for one in value.values():
                look(one)
        elif isinstance(value, list):
            for one in value:
                look(one)

    look(of)
    assert "HTTPValidationError" not in str(of)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_example_is_taken_by_the_model_that_validates(kind: Kind) -> None:
    for path, operations in document(kind)["paths"].items():
        for operation in operations.values():
            body = operation.get("requestBody")
            if body is None:
                continue
            content = body["content"]["application/json"]
            model = MODELS[content["schema"]["$ref"].rpartition("/")[2]]
            for one in content["examples"].values():
                assert requests.read_body(model, json.dumps(one["value"]).encode()), path


def test_each_message_has_an_example_that_its_own_type_takes() -> None:
    for kind in Kind:
        typed = sendable(registry.load(), kind)
        given = examples(typed)["MessageBody"]
        assert len(given) == len(typed)
        for (name, version), model in typed.items():
            one = given.get(name) or given[f"{name}.v{version}"]
            assert one["value"]["type"] == name
            assert requests.read_body(model, json.dumps(one["value"]["data"]).encode())


def test_a_school_s_document_knows_what_a_school_sends() -> None:
    sent = document(Kind.SCHOOL)["components"]["schemas"]["MessageBody"]["properties"]
    assert set(sent["type"]["enum"]) == {
        one.type for _, one in registry.load().flows() if one.sender is Kind.SCHOOL
    }
    concerns = document(Kind.SCHOOL)["components"]["schemas"]["ReferralSubmitted"]
    assert set(concerns["properties"]) == {"level", "concerns", "hoped_help"}
    nothing = document(Kind.SCHOOL, registry.build([]))["components"]["schemas"]["MessageBody"]
    assert "enum" not in nothing["properties"]["type"]


def test_two_versions_of_a_type_are_both_described() -> None:
    """Two conventions may give one type two contents, and one name to both."""
    one = flow(sender=Kind.CITY, payload=ServicePublished)
    other = flow(sender=Kind.CITY, payload=Shorter, version=2)
    known = registry.build([convention_of(one), convention_of(other, code="y_test")])
    typed = sendable(known, Kind.CITY)
    assert list(typed) == [("census.aggregate", 1), ("census.aggregate", 2)]
    of = document(Kind.CITY, known)
    sent = of["components"]["schemas"]["MessageBody"]["properties"]
    assert sent["type"]["enum"] == ["census.aggregate"]
    described = [set(resolved(of, ref)["properties"]) for ref in sent["data"]["anyOf"]]
    assert described == [set(ServicePublished.model_fields), set(Shorter.model_fields)]
    given = examples(typed)["MessageBody"]
    assert set(given) == {"census.aggregate.v1", "census.aggregate.v2"}
    assert {one["value"]["type"] for one in given.values()} == {"census.aggregate"}
    assert known.versions() == {"census.aggregate": (1, 2)}


def test_every_call_says_its_roles_and_its_problems() -> None:
    for operations in document(Kind.SCHOOL)["paths"].values():
        for operation in operations.values():
            ((right,),) = (one["bearer"] for one in operation["security"])
            named = {Role(one) for one in operation["x-roles"]}
            assert named == {role for role, rights in RIGHTS.items() if right in rights}
            for status in ("401", "403", "default"):
                assert list(operation["responses"][status]["content"]) == [
                    "application/problem+json"
                ]
