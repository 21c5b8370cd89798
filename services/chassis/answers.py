"""Shapes of what the API answers, for its OpenAPI document and for nothing else.

Answers are written where they are made; a test holds what a running node says to these shapes.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, RootModel

from contracts.kernel.fields import Day
from services.chassis.letters import State


class Answer(BaseModel):
    """One answer: nothing beside its fields."""

    model_config = ConfigDict(extra="forbid")


class Fault(Answer):
    """What is wrong in a request: a dotted path and a code, never a value."""

    path: str
    code: str = Field(
        description="`missing`, `extra_forbidden`, `literal_error` (not in the list of permitted "
        "values), `string_pattern_mismatch`, `instant` (not RFC 3339 with its offset), "
        "`hidden_identifier:nir`…"
    )


class Reason(Answer):
    """One reason of a refusal: the article, a code, and the French sentence for people."""

    article: str
    code: str
    sentence: str


class Problem(Answer):
    """An error as an RFC 9457 problem."""

    type: str = Field(description="urn:relais:problem:<code>")
    title: str
    status: int
    code: str = Field(description="stable, for machines")
    detail: str = Field(description="one or more French sentences, for people")
    articles: list[str] = Field(description="obligations that refused")
    fields: list[Fault] = Field(default=[], description="what is wrong in the request")
    message_id: str | None = Field(
        default=None, description="id under which the refusal of a message was journaled"
    )


class Refusal(Problem):
    """The gate's no, reason by reason; without reasons, the role's."""

    reasons: list[Reason] = []


class Queued(Answer):
    """A message that was decided and waits to leave."""

    message_id: str
    state: Literal["queued"]
    case_id: str | None


class Receipt(Answer):
    """What became of a message there; `signed` is the partner's JWS (only for one message)."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    status: str = Field(description="received, read, not_open, invalid, unverified, expired")
    receipt_id: str
    sender: str | None = Field(default=None, alias="from")
    signed: str | None = None


class Message(Answer):
    """One message sent from here."""

    message_id: str
    type: str
    to: str
    case_id: str | None
    state: State
    created_at: AwareDatetime
    expires_at: AwareDatetime
    delivered_at: AwareDatetime | None = Field(
        description="null also where the receipt came within a second of the departure"
    )
    closed_at: AwareDatetime | None
    attempts: int
    failure: str | None
    receipt: Receipt | None


class Messages(RootModel[list[Message]]):
    """Messages sent from here, newest first."""


class Arrival(Answer):
    """One message that arrived here; its content is in its case."""

    message_id: str
    sender: str = Field(alias="from")
    type: str
    case_id: str | None
    status: str = Field(description="what the receipt says: received, not_open, invalid…")
    received_at: AwareDatetime


class Arrivals(RootModel[list[Arrival]]):
    """Messages that arrived here, newest first."""


class Decision(Answer):
    """A decision of the journal, and what deciding again gives: same inputs, same answer."""

    seq: int
    at: AwareDatetime
    event: str
    flow: str | None
    outcome: str
    articles: list[str]
    rules: str
    replay: Literal["same", "different", "inputs erased", "rules gone"] | None = None
    reasons: list[Reason] = []
    facts: dict[str, Any] = {}


class Decisions(RootModel[list[Decision]]):
    """Every decision taken here on one message."""


class PersonAdded(Answer):
    """The random, local id of a person."""

    person_id: str


class CodeGiven(Answer):
    """A code to hand over, told once."""

    code_id: str
    code: str = Field(description="three groups of four signs, as it is printed")
    holder: Literal["young_person", "representative"]
    expires_at: AwareDatetime


class CharterAccepted(Answer):
    """The version that was accepted."""

    version: str


class AgreementAdded(Answer):
    """The id to send messages under."""

    agreement_id: str


class NoticeGiven(Answer):
    """The notice that came before an agreement."""

    version: str
    given_at: AwareDatetime


class Told(Answer):
    """What a recipient did upon a withdrawal; null until it says so."""

    org: str
    told_at: AwareDatetime
    outcome: str | None
    article: str | None
    done_at: AwareDatetime | None


class AgreementState(Answer):
    """An agreement collected here: to what, to whom, until when."""

    agreement_id: str
    state: Literal["given", "refused", "withdrawn", "suspended", "expired"]
    flows: list[str]
    recipients: list[str]
    giver: str
    authority: str | None
    assent: str
    notice: NoticeGiven
    given_at: AwareDatetime
    expires_at: AwareDatetime
    withdrawn_at: AwareDatetime | None
    suspended_at: AwareDatetime | None
    withdrawal: list[Told]


class AgreementAfter(Answer):
    """State of an agreement after an act on it, and who is told."""

    state: Literal["given", "withdrawn", "suspended"]
    told: list[str]


class Withdrawn(Answer):
    """A withdrawal: who is told of it, and how many waiting letters were stopped."""

    state: Literal["withdrawn"]
    told: list[str]
    stopped: int


class Certificate(Answer):
    """Proof of an erasure."""

    certificate: str
    org: str
    outcome: str
    article: str | None
    records: int
    done_at: AwareDatetime


class WithoutAgreement(Answer):
    """On which ground a message passed; until when the family was not told, if it was not."""

    ground: str
    sealed_until: Day | None


class Exchange(Answer):
    """What left, what came, and what was recorded about a case: codes, and when."""

    at: AwareDatetime
    event: str
    type: str | None
    message_id: str | None
    articles: list[str]
    without_agreement: WithoutAgreement | None


class Exchanges(RootModel[list[Exchange]]):
    """What the family may be shown today, in order."""


class CaseHeld(Answer):
    """What this organisation holds about a case; after erasure, the certificates alone."""

    case_id: str
    convention_id: str
    partner: str
    state: Literal["open", "closed", "stopped", "erased"]
    agreement: str | None
    opened_at: AwareDatetime
    closed_at: AwareDatetime | None
    retain_until: Day | None
    kept_under: str | None = Field(description="article, while a dispute keeps the case")
    certificates: list[Certificate]
    person: dict[str, Any] | None
    content: dict[str, Any]
    exchanges: list[Exchange]


class ErasureAsked(Answer):
    """The request that left for the partner, and the day by which it must be done."""

    message_id: str | None
    due_on: Day
    certificate: str


class GateCheck(Answer):
    """One thing that is looked at before a message passes."""

    check: str
    article: str
    side: str


class OpenFlow(Answer):
    """A message that may be sent, or received, under a convention in force."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    type: str
    label: str
    version: int
    convention_id: str
    partner: str | None
    article: str
    purpose: str
    legal_basis: str
    gates: list[GateCheck]
    lifetime_days: int
    content: dict[str, Any] = Field(alias="schema", description="JSON Schema of `data`")


class Flows(Answer):
    """What this node may send and receive today; empty lists are an answer."""

    org: str
    send: list[OpenFlow]
    receive: list[OpenFlow]


class PurgeDone(Answer):
    """Proof that what a convention had brought is destroyed; kept: cases that a dispute keeps."""

    ended_on: Day
    article: str
    cases: int
    kept: int
    done_at: AwareDatetime


class ConventionHeld(Answer):
    """A signed convention as this node sees it now."""

    convention_id: str
    convention: str
    title: str
    parties: list[str]
    version: int | None
    state: str
    invented: bool
    signed_on: Day | None
    ends_on: Day | None
    next_review: Day | None
    purged_on: Day | None
    purge: PurgeDone | None


class Conventions(RootModel[list[ConventionHeld]]):
    """Every signed convention of this organisation."""


class TermsSigned(Answer):
    """The text that this organisation signed."""

    convention_id: str
    version: int


class ActDone(Answer):
    """The act, and the state in which it leaves the convention."""

    act_id: str
    state: str


class PersonErased(Answer):
    """What was asked of partners about each case of an erased person."""

    person_id: str
    cases: list[ErasureAsked]


class NoticeAdded(Answer):
    """Id of a notice, to be named in the message that it makes lawful."""

    notice_id: str


class ActContent(RootModel[dict[str, Any]]):
    """Content of an act; each kind of act has its own form."""


class ActRecorded(Answer):
    """The act that was recorded."""

    act: str
    case_id: str


class MessageRead(Answer):
    """The sender is told that a person has read it."""

    message_id: str
    status: str


class ContentAsked(Answer):
    """The sender is asked to show once more what is kept nowhere here."""

    message_id: str
    state: Literal["asked"]
    until: AwareDatetime = Field(description="when request and answer are forgotten")


class ContentSeen(Answer):
    """What the sender showed, from memory; no cache may keep it."""

    message_id: str
    type: str
    until: AwareDatetime = Field(description="when it is forgotten")
    data: dict[str, Any] = Field(description="content of the message")
