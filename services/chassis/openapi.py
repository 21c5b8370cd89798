"""The OpenAPI document of a node: what each call takes, what it answers, and who may make it.

Bodies are validated once, from their bytes, by the very models that are described here; FastAPI is
told of none of them, since it would read each body a second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from contracts.kernel.fields import Payload, caller_model
from contracts.kernel.organisation import Kind
from contracts.registry import Registry
from services.chassis import answers, reports, rights_views, traffic, views
from services.chassis.acts import NoticeBody
from services.chassis.api import MessageBody
from services.chassis.call import Call
from services.chassis.conventions import ActBody, SignatureBody
from services.chassis.derogations import DerogationBody, DerogationReview, TellingBody
from services.chassis.examples import example, examples
from services.chassis.governance import Insurance, Review
from services.chassis.holds import Hold
from services.chassis.minors import Hearing, Objection, ObjectionAnswer
from services.chassis.people import CharterBody
from services.chassis.person import usage
from services.chassis.person.codes import CodeBody
from services.chassis.person.copying import Copy
from services.chassis.problems import MEDIA_TYPE
from services.chassis.recognition import Recognised, Recognition
from services.chassis.rectifying import Correction
from services.chassis.register import AgreementRecord, NewPerson
from services.chassis.review import CSV_TYPE, ReportFilter, YearToPublish
from services.chassis.rights import AnswerBody, CheckBody, RightsBody
from services.chassis.sign_in.authorisations import Authorisation
from services.chassis.tokens import RIGHTS, Right

Document = dict[str, Any]

_REF: Final = "#/components/schemas/{model}"
_JSON: Final = "application/json"
_BEARER: Final = "bearer"
_FASTAPI_OWN: Final = ("HTTPValidationError", "ValidationError")

_IDEMPOTENCY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The second request with the same key is given the first one's answer.",
    "schema": {"type": "string", "maxLength": 200},
}
_REPEATED: Final = (_IDEMPOTENCY,)
_RESUME: Final = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "description": "Number of the last line seen; without it, the stream begins now.",
    "schema": {"type": "string", "pattern": "^[0-9]+$"},
}


_OPEN: Final = Call(right=None)

_REQUESTS: Final[Mapping[tuple[str, str], Call]] = {
    ("POST", "/requests"): Call(
        right=Right.WITHDRAW,
        body=RightsBody,
        answer=rights_views.RequestNamed,
        headers=_REPEATED,
    ),
    ("GET", "/requests"): Call(right=Right.REVIEW, answer=rights_views.RequestsHeld),
    ("GET", "/requests/{request_id}"): Call(right=Right.REVIEW, answer=rights_views.RequestRead),
    ("GET", "/requests/{request_id}/copy"): Call(right=Right.REVIEW, answer=Copy),
    ("POST", "/requests/{request_id}/check"): Call(
        right=Right.WITHDRAW,
        body=CheckBody,
        answer=rights_views.RequestNamed,
        headers=_REPEATED,
    ),
    ("POST", "/requests/{request_id}/sending"): Call(
        right=Right.REVIEW, answer=rights_views.RequestSent, headers=_REPEATED
    ),
    ("POST", "/requests/{request_id}/extension"): Call(
        right=Right.REVIEW, answer=rights_views.RequestDue, headers=_REPEATED
    ),
    ("POST", "/requests/{request_id}/answer"): Call(
        right=Right.REVIEW,
        body=AnswerBody,
        answer=rights_views.RequestNamed,
        headers=_REPEATED,
    ),
}
"""Rights that persons exercise."""

CALLS: Final[Mapping[tuple[str, str], Call]] = {
    ("POST", "/messages"): Call(
        right=Right.SEND,
        body=MessageBody,
        answer=answers.Queued,
        headers=_REPEATED,
        refusal=answers.Refusal,
    ),
    ("GET", "/messages"): Call(
        right=Right.READ, query=traffic.MessageFilter, answer=answers.Messages
    ),
    ("GET", "/messages/{message_id}"): Call(right=Right.READ, answer=answers.Message),
    ("GET", "/messages/{message_id}/decision"): Call(right=Right.JOURNAL, answer=answers.Decisions),
    ("GET", "/arrivals"): Call(
        right=Right.READ, query=traffic.ArrivalFilter, answer=answers.Arrivals
    ),
    ("POST", "/persons"): Call(
        right=Right.REGISTER, body=NewPerson, answer=answers.PersonAdded, headers=_REPEATED
    ),
    ("POST", "/charter"): Call(
        right=Right.READ, body=CharterBody, answer=answers.CharterAccepted, headers=_REPEATED
    ),
    ("POST", "/agreements"): Call(
        right=Right.REGISTER,
        body=AgreementRecord,
        answer=answers.AgreementAdded,
        headers=_REPEATED,
    ),
    ("GET", "/agreements/{agreement_id}"): Call(right=Right.CASES, answer=answers.AgreementState),
    ("POST", "/agreements/{agreement_id}/withdrawal"): Call(
        right=Right.WITHDRAW, answer=answers.Withdrawn, headers=_REPEATED
    ),
    ("POST", "/agreements/{agreement_id}/hearing"): Call(
        right=Right.REGISTER, body=Hearing, answer=answers.AgreementAfter, headers=_REPEATED
    ),
    ("POST", "/agreements/{agreement_id}/objection"): Call(
        right=Right.WITHDRAW, body=Objection, answer=answers.AgreementAfter, headers=_REPEATED
    ),
    ("POST", "/agreements/{agreement_id}/objection/answer"): Call(
        right=Right.CONVENTIONS,
        body=ObjectionAnswer,
        answer=answers.AgreementAfter,
        headers=_REPEATED,
    ),
    ("POST", "/persons/{person_id}/recognition"): Call(
        right=Right.REGISTER, answer=answers.PersonAdded, headers=_REPEATED
    ),
    ("POST", "/persons/{person_id}/rectification"): Call(
        right=Right.REGISTER,
        body=Correction,
        answer=rights_views.RequestSent,
        headers=_REPEATED,
    ),
    ("POST", "/persons/{person_id}/departure"): Call(
        right=Right.REGISTER, answer=answers.PersonAdded, headers=_REPEATED
    ),
    ("POST", "/persons/{person_id}/erasure"): Call(
        right=Right.ERASE, answer=answers.PersonErased, headers=_REPEATED
    ),
    ("POST", "/persons/{person_id}/codes"): Call(
        right=Right.CASES, body=CodeBody, answer=answers.CodeGiven
    ),
    ("GET", "/usage/findUsage"): Call(
        right=Right.CASES, query=usage.UsageQuery, answer=usage.Usages
    ),
    ("GET", "/usage/usagePeriod"): Call(right=Right.READ, answer=usage.UsagePeriod),
    ("GET", "/usage/heartbeat"): Call(right=Right.READ, answer=usage.Heartbeat),
    ("POST", "/notices"): Call(
        right=Right.REGISTER,
        body=NoticeBody,
        answer=answers.NoticeAdded,
        headers=_REPEATED,
    ),
    ("GET", "/deadlines"): Call(right=Right.READ, answer=reports.Deadlines),
    ("POST", "/cases/{case_id}/acts/{act}"): Call(
        right=Right.SEND,
        body=answers.ActContent,
        answer=answers.ActRecorded,
        headers=_REPEATED,
    ),
    ("POST", "/received/{message_id}/reading"): Call(
        right=Right.CASES, answer=answers.MessageRead, headers=_REPEATED
    ),
    ("POST", "/received/{message_id}/view"): Call(
        right=Right.CASES, answer=answers.ContentAsked, headers=_REPEATED
    ),
    ("GET", "/received/{message_id}/view"): Call(right=Right.CASES, answer=answers.ContentSeen),
    ("GET", "/cases/{case_id}"): Call(right=Right.CASES, answer=answers.CaseHeld),
    ("GET", "/cases/{case_id}/exchanges"): Call(right=Right.CASES, answer=answers.Exchanges),
    ("POST", "/authorisations"): Call(
        right=Right.AUTHORISE,
        body=Authorisation,
        answer=reports.AuthorisationNamed,
        headers=_REPEATED,
    ),
    ("GET", "/authorisations"): Call(right=Right.AUTHORISE, answer=reports.Authorisations),
    ("POST", "/authorisations/{authorisation_id}/end"): Call(
        right=Right.AUTHORISE, answer=reports.AuthorisationNamed, headers=_REPEATED
    ),
    ("POST", "/derogations"): Call(
        right=Right.REGISTER, body=DerogationBody, answer=reports.DerogationAsked, headers=_REPEATED
    ),
    ("GET", "/derogations"): Call(right=Right.REVIEW, answer=reports.Derogations),
    ("POST", "/derogations/{derogation_id}/confirmation"): Call(
        right=Right.CONFIRM, answer=reports.DerogationAsked, headers=_REPEATED
    ),
    ("POST", "/derogations/{derogation_id}/telling"): Call(
        right=Right.REGISTER, body=TellingBody, answer=reports.DerogationChanged, headers=_REPEATED
    ),
    ("POST", "/derogations/{derogation_id}/review"): Call(
        right=Right.REVIEW,
        body=DerogationReview,
        answer=reports.DerogationChanged,
        headers=_REPEATED,
    ),
    **_REQUESTS,
    ("POST", "/cases/{case_id}/recognition"): Call(
        right=Right.REGISTER, body=Recognition, answer=Recognised, headers=_REPEATED
    ),
    ("POST", "/cases/{case_id}/erasure"): Call(
        right=Right.ERASE, answer=answers.ErasureAsked, headers=_REPEATED
    ),
    ("GET", "/flows"): Call(right=Right.READ, answer=answers.Flows),
    ("GET", "/conventions"): Call(right=Right.READ, answer=answers.Conventions),
    ("POST", "/conventions"): Call(
        right=Right.CONVENTIONS,
        body=SignatureBody,
        answer=answers.TermsSigned,
        headers=_REPEATED,
    ),
    ("POST", "/conventions/{convention_id}/acts"): Call(
        right=Right.CONVENTIONS, body=ActBody, answer=answers.ActDone, headers=_REPEATED
    ),
    ("POST", "/conventions/{convention_id}/reviews"): Call(
        right=Right.CONVENTIONS, body=Review, answer=reports.ReviewHeld, headers=_REPEATED
    ),
    ("POST", "/conventions/{convention_id}/insurances"): Call(
        right=Right.CONVENTIONS, body=Insurance, answer=reports.Insured, headers=_REPEATED
    ),
    ("POST", "/conventions/{convention_id}/holds"): Call(
        right=Right.CONVENTIONS, body=Hold, answer=reports.HoldChanged, headers=_REPEATED
    ),
    ("GET", "/conventions/{convention_id}/holds"): Call(right=Right.REVIEW, answer=reports.Holds),
    ("POST", "/conventions/{convention_id}/holds/{hold_id}/release"): Call(
        right=Right.CONVENTIONS, answer=reports.HoldChanged, headers=_REPEATED
    ),
    ("POST", "/conventions/{convention_id}/reports"): Call(
        right=Right.CONVENTIONS,
        body=YearToPublish,
        answer=reports.ReportPublished,
        headers=_REPEATED,
    ),
    ("GET", "/conventions/{convention_id}/report"): Call(
        right=Right.READ, query=ReportFilter, answer=reports.Report
    ),
    ("GET", "/conventions/{convention_id}/report.csv"): Call(right=Right.READ, query=ReportFilter),
    ("GET", "/journal"): Call(
        right=Right.JOURNAL, query=views.JournalFilter, answer=reports.JournalLines
    ),
    ("GET", "/journal/head"): Call(right=Right.JOURNAL, answer=reports.HeadSigned),
    ("GET", "/journal/witnessed/{org}"): Call(right=Right.JOURNAL, answer=reports.HeadsHeld),
    ("GET", "/journal/verification"): Call(right=Right.JOURNAL, answer=reports.Verification),
    ("GET", "/events"): Call(right=Right.READ, headers=(_RESUME,)),
    ("GET", "/dead-letters"): Call(right=Right.OPERATE, answer=reports.DeadLetters),
    ("POST", "/dead-letters/{dead_id}/retry"): Call(right=Right.OPERATE, answer=reports.Retried),
    ("POST", "/keys/rotation"): Call(right=Right.OPERATE, answer=reports.KeyReplaced),
    ("GET", "/retention"): Call(right=Right.ERASE, answer=reports.Due),
    ("POST", "/retention"): Call(right=Right.ERASE, answer=reports.Destroyed),
}
"""Every call under ``/api/v1``."""

_ALONE: Final = {
    "/events": "text/event-stream",
    "/metrics": "text/plain",
    "/conventions/{convention_id}/report.csv": CSV_TYPE,
}
"""Answers that are no JSON."""


Calls = Mapping[tuple[str, str], Call]


def complete(document: Document, registry: Registry, kind: Kind, more: Calls | None = None) -> None:
    """Add to FastAPI's document, in place, all that it cannot know.

    kind: of this node's organisation; contents that it may send are described one by one. more:
    calls that only its kind answers.
    """
    typed, calls = sendable(registry, kind), {**CALLS, **(more or {})}
    schemas = _schemas(typed, calls.values())
    for name in _FASTAPI_OWN:
        document.get("components", {}).get("schemas", {}).pop(name, None)
    components = document.setdefault("components", {})
    components["schemas"] = components.get("schemas", {}) | schemas
    components["securitySchemes"] = {
        _BEARER: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A token of this organisation in one role: `relais token ORG --role …`",
        }
    }
    given = examples(typed)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            short = path.removeprefix("/api/v1")
            call = calls.get((method.upper(), short), _OPEN)
            _describe(operation, call, _ALONE.get(short, _JSON), given)


Typed = Mapping[tuple[str, int], type[Payload]]
"""What a caller types in each message, by type and version: two conventions may differ on one."""


def sendable(registry: Registry, kind: Kind) -> Typed:
    """What a caller types to send each message of this kind of organisation."""
    return {
        (flow.type, flow.version): caller_model(flow.payload)
        for _, flow in registry.flows()
        if flow.sender is kind
    }


def _models(calls: Iterable[Call]) -> Iterator[type[BaseModel]]:
    yield from (answers.Problem, answers.Refusal)
    for call in calls:
        yield from (one for one in (call.body, call.answer) if one is not None)


def _schemas(typed: Typed, calls: Iterable[Call]) -> Document:
    models = dict.fromkeys((*_models(calls), *typed.values()))
    refs, found = models_json_schema(
        [(one, "validation") for one in models], ref_template=_REF, by_alias=True
    )
    schemas: Document = found["$defs"]
    if typed:
        sent = schemas[MessageBody.__name__]["properties"]
        sent["type"]["enum"] = list(dict.fromkeys(name for name, _ in typed))
        sent["data"] = {
            "anyOf": [refs[one, "validation"] for one in dict.fromkeys(typed.values())],
            "description": "what `type` asks for, without what the node fills itself",
        }
    return schemas


def _ref(model: type[BaseModel]) -> Document:
    return {"$ref": _REF.format(model=model.__name__)}


def _describe(operation: Document, call: Call, media: str, given: Mapping[str, Document]) -> None:
    good, answer = next(iter(operation["responses"].items()))
    schema = {} if call.answer is None else _ref(call.answer)
    responses = {good: {**answer, "content": {media: {"schema": schema}}}}
    if call.right is not None:
        roles = sorted(role.value for role, rights in RIGHTS.items() if call.right in rights)
        operation["security"] = [{_BEARER: [call.right.value]}]
        operation["x-roles"] = roles
        said = operation.get("description", "")
        operation["description"] = f"{said}\n\nRoles: {', '.join(roles)}.".strip()
        responses["401"] = _problem("No valid token.")
        responses["403"] = _problem("The role, or the gate, does not permit it.", call.refusal)
    parameters = operation.setdefault("parameters", [])
    if parameters:
        responses["404"] = _problem("Nothing here bears that name.")
    parameters += [*call.headers, *_query(call.query)]
    if call.body is not None:
        name = call.body.__name__
        shown = given[name] if name in given else example(call.body)
        content = {"schema": _ref(call.body), "examples": shown}
        operation["requestBody"] = {"required": True, "content": {_JSON: content}}
    if call.body is not None or call.query is not None:
        responses["422"] = _problem("The request does not have the form that is asked for.")
    responses["default"] = _problem("Any other error.")
    operation["responses"] = responses


def _problem(said: str, model: type[BaseModel] = answers.Problem) -> Document:
    return {"description": said, "content": {MEDIA_TYPE: {"schema": _ref(model)}}}


def _query(model: type[BaseModel] | None) -> Iterator[Document]:
    if model is None:
        return
    for name, schema in model.model_json_schema()["properties"].items():
        yield {"name": name, "in": "query", "required": False, "schema": schema}
