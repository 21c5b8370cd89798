"""What the OpenAPI document says, and that it is so: its models are those that validate bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from contracts import registry
from contracts.kernel.organisation import Kind
from services.chassis import answers, api, people, requests
from services.chassis.acts import NoticeBody
from services.chassis.conventions import ActBody, SignatureBody
from services.chassis.examples import examples
from services.chassis.governance import Insurance, Review
from services.chassis.holds import Hold
from services.chassis.openapi import CALLS, complete, sendable
from services.chassis.register import AgreementRecord
from services.chassis.standing import Person
from services.chassis.telemetry import FASTAPI_OFF
from services.chassis.tokens import RIGHTS, Role
from services.chassis.web import NodeApp

MODELS: dict[str, type[BaseModel]] = {
    model.__name__: model
    for model in (
        api.MessageBody,
        people.CharterBody,
        Person,
        AgreementRecord,
        SignatureBody,
        ActBody,
        NoticeBody,
        answers.ActContent,
        Review,
        Insurance,
        Hold,
    )
}


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
        assert set(given) == set(typed)
        for name, model in typed.items():
            assert requests.read_body(model, json.dumps(given[name]["value"]["data"]).encode())


def test_a_school_s_document_knows_what_a_school_sends() -> None:
    sent = document(Kind.SCHOOL)["components"]["schemas"]["MessageBody"]["properties"]
    assert set(sent["type"]["enum"]) == {
        flow.type for _, flow in registry.load().flows() if flow.sender is Kind.SCHOOL
    }
    concerns = document(Kind.SCHOOL)["components"]["schemas"]["ReferralSubmitted"]
    assert set(concerns["properties"]) == {"level", "concerns", "hoped_help"}
    nothing = document(Kind.SCHOOL, registry.build([]))["components"]["schemas"]["MessageBody"]
    assert "enum" not in nothing["properties"]["type"]


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
