"""The tables every node has, whatever its kind: persons, agreements, cases, letters in and out.

Identity and content lie in ``sealed`` columns, encrypted under the key of their scope (a case or a
person); destroying that key destroys the content. Everything in clear is an id, a code or a date.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from services.chassis.schema import HASH_LENGTH, Chars, Codes, UtcDateTime, metadata

ID = Chars(32)
CODE = Chars(64)
ORG = Chars(48)
TYPE = Chars(64)

persons = Table(
    "persons",
    metadata,
    Column("person_id", ID, primary_key=True),
    Column("scope", CODE, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("registered_at", UtcDateTime),
    Column("left_at", UtcDateTime),
    Column("birth_box", Integer, index=True),
)
"""Own register: a person is local to a node and never an id on the bus.

registered_at, left_at: since and until when the person is registered with this organisation (for a
school, the pupil's enrolment). birth_box: of the day of birth, one of a thousand (ADR 29).
"""

agreements = Table(
    "agreements",
    metadata,
    Column("agreement_id", ID, primary_key=True),
    Column("person_id", ID, nullable=False, index=True),
    Column("flows", Codes, nullable=False),
    Column("giver", CODE, nullable=False),
    Column("authority", CODE),
    Column("means", CODE, nullable=False),
    Column("assent", CODE, nullable=False),
    Column("associated", Codes, nullable=False),
    Column("refused", Boolean, nullable=False),
    Column("notice_version", CODE, nullable=False),
    Column("notice_channel", CODE, nullable=False),
    Column("notice_language", CODE, nullable=False),
    Column("notice_at", UtcDateTime, nullable=False),
    Column("given_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("withdrawn_at", UtcDateTime),
    Column("suspended_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("agent_id", CODE, nullable=False),
)
"""A-2.11: what was collected here, by which agent; a refusal is one bit and never leaves."""

agreement_recipients = Table(
    "agreement_recipients",
    metadata,
    Column("reference", ID, primary_key=True),
    Column("agreement_id", ID, nullable=False, index=True),
    Column("recipient", ORG, nullable=False),
    Column("convention_id", CODE, nullable=False),
)
"""Organisations an agreement names, each under a random reference of its own (A-4.1)."""

proof_lists = Table(
    "proof_lists",
    metadata,
    Column("list_id", ID, primary_key=True),
    Column("collector", ORG, nullable=False),
    Column("token", Text, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
)
"""Digests of proofs, as their collector signed them; they outlive the proofs and tell nothing."""

held_proofs = Table(
    "held_proofs",
    metadata,
    Column("reference", ID, primary_key=True),
    Column("collector", ORG, nullable=False),
    Column("proof", Text, nullable=False),
    Column("list_id", ID, nullable=False, index=True),
    Column("received_at", UtcDateTime, nullable=False),
)
"""Proofs of agreements that partners collected, and the list that signs each; they hold no name."""

tombstones = Table(
    "tombstones",
    metadata,
    Column("reference", ID, primary_key=True),
    Column("org", ORG, primary_key=True),
    Column("withdrawn_at", UtcDateTime, nullable=False),
    Column("state", CODE, nullable=False),
)
"""References that were withdrawn or suspended, by whom and since when, whatever arrives later; the
collector counts."""

charters = Table(
    "charters",
    metadata,
    Column("agent_id", CODE, primary_key=True),
    Column("version", CODE, primary_key=True),
    Column("accepted_at", UtcDateTime, nullable=False),
)
"""A-5.2: each agent accepts the charter before first access."""

cases = Table(
    "cases",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("instrument", CODE, nullable=False),
    Column("partner", ORG, nullable=False),
    Column("purpose", CODE, nullable=False),
    Column("opened_here", Boolean, nullable=False),
    Column("person_id", ID),
    Column("reference", ID, index=True),
    Column("rests_on", CODE, nullable=False),
    Column("state", CODE, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("retain_until", UtcDateTime),
    Column("seq_out", Integer, nullable=False),
    Column("seq_in", Integer, nullable=False),
)
"""One episode: a pair of organisations, an instrument, a purpose, a random id.

rests_on: whether it stops when the agreement expires (see `RestsOn`).
"""

_ended = cases.c.retain_until.is_not(None) & (cases.c.state != "erased")
Index("ix_cases_ended", cases.c.retain_until, postgresql_where=_ended, sqlite_where=_ended)

notices = Table(
    "notices",
    metadata,
    Column("notice_id", ID, primary_key=True),
    Column("person_id", ID, nullable=False, index=True),
    Column("instrument", CODE, nullable=False),
    Column("version", CODE, nullable=False),
    Column("channel", CODE, nullable=False),
    Column("language", CODE, nullable=False),
    Column("given_at", UtcDateTime, nullable=False),
    Column("agent_id", CODE, nullable=False),
)
"""GDPR 13: information given where the law asks for no agreement."""

deadlines = Table(
    "deadlines",
    metadata,
    Column("deadline_id", ID, primary_key=True),
    Column("kind", CODE, nullable=False),
    Column("subject", Chars(80), nullable=False),
    Column("level", Integer, nullable=False),
    Column("case_id", ID, index=True),
    Column("article", CODE, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("state", CODE, nullable=False),
    Column("armed_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    UniqueConstraint("kind", "subject", "level"),
)
"""What is due, when, on which article (see deadlines.py); each is missed at most once."""

_runs = deadlines.c.state == "pending"
Index("ix_deadlines_pending", deadlines.c.due_at, postgresql_where=_runs, sqlite_where=_runs)

tallies = Table(
    "tallies",
    metadata,
    Column("convention_id", CODE, primary_key=True),
    Column("month", Date, primary_key=True),
    Column("what", CODE, primary_key=True),
    Column("code", CODE, primary_key=True),
    Column("number", Integer, nullable=False),
)
"""How often something happened under a convention in a month: numbers alone, kept for reviews."""

derogations = Table(
    "derogations",
    metadata,
    Column("derogation_id", ID, primary_key=True),
    Column("case_id", ID, nullable=False, index=True),
    Column("type", TYPE, nullable=False),
    Column("sender", ORG, nullable=False),
    Column("receiver", ORG, nullable=False),
    Column("ground", CODE, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("asked_by", CODE),
    Column("confirmed_at", UtcDateTime),
    Column("confirmed_by", CODE),
    Column("expires_at", UtcDateTime),
    Column("sealed_until", Date),
    Column("message_id", ID, index=True),
    Column("told_on", Date),
    Column("told_by", CODE),
    Column("channel", CODE),
    Column("reviewed_at", UtcDateTime),
    Column("reviewed_by", CODE),
    Column("outcome", CODE),
)
"""Decisions to act without agreement, ours and those that came with a partner's message.

asked_by, confirmed_by: the two who decided; None of a partner's, who keeps them. sealed_until: day
on which the family is told. message_id: the one message it served for.
"""

certificates = Table(
    "certificates",
    metadata,
    Column("certificate", ID, primary_key=True),
    Column("case_id", ID, nullable=False, index=True),
    Column("org", ORG, nullable=False),
    Column("outcome", CODE, nullable=False),
    Column("article", CODE),
    Column("records", Integer, nullable=False),
    Column("done_at", UtcDateTime, nullable=False),
)
"""What was destroyed, here or at a partner, and the proof of it."""

outbox = Table(
    "outbox",
    metadata,
    Column("message_id", ID, primary_key=True),
    Column("kind", CODE, nullable=False),
    Column("type", TYPE, nullable=False),
    Column("receiver", ORG, nullable=False),
    Column("subject", Chars(128), nullable=False),
    Column("instrument", CODE, nullable=False),
    Column("case_id", ID, index=True),
    Column("reference", ID, index=True),
    Column("seq", Integer, nullable=False),
    Column("state", CODE, nullable=False),
    Column("traceparent", CODE),
    Column("sealed", LargeBinary),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("unverified", Integer, nullable=False),
    Column("failure", CODE),
    Column("delivered_at", UtcDateTime),
    Column("closed_at", UtcDateTime),
    Column("status", CODE),
    Column("receipt_id", ID),
)
"""Letters to send, under the key of their case, until the signed receipt or their expiry."""

_waits = outbox.c.due_at.is_not(None)
Index(None, outbox.c.created_at, outbox.c.message_id)
Index("ix_outbox_due", outbox.c.due_at, postgresql_where=_waits, sqlite_where=_waits)

withheld = Table(
    "withheld",
    metadata,
    Column("message_id", ID, primary_key=True),
    Column("case_id", ID, nullable=False, index=True),
    Column("type", TYPE, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
"""C-5.1: contents that their receivers do not keep, sealed at the sender to be shown again."""

reversals = Table(
    "reversals",
    metadata,
    Column("message_id", ID, primary_key=True),
    Column("case_id", ID, index=True),
    Column("kept_at", UtcDateTime, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
"""What each message changed at its sender, to be taken back should its receiver refuse it."""

inbox = Table(
    "inbox",
    metadata,
    Column("sender", ORG, primary_key=True),
    Column("message_id", ID, primary_key=True),
    Column("type", TYPE, nullable=False),
    Column("case_id", ID),
    Column("status", CODE, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index(None, "sender", "received_at"),
    Index(None, "received_at", "message_id"),
)
"""What was handled, once; ids outlive the letter, so it cannot be replayed."""

receipts = Table(
    "receipts",
    metadata,
    Column("receipt_id", ID, primary_key=True),
    Column("org", ORG, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Index(None, "org", "received_at"),
)
"""Signed receipts of partners, as they came: proof neither side can deny."""

withdrawals = Table(
    "withdrawals",
    metadata,
    Column("reference", ID, primary_key=True),
    Column("org", ORG, primary_key=True),
    Column("told_at", UtcDateTime, nullable=False),
    Column("outcome", CODE),
    Column("article", CODE),
    Column("done_at", UtcDateTime),
)
"""Who was told of a withdrawal, and what each answered."""

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", ID, primary_key=True),
    Column("sender", ORG, nullable=False),
    Column("message_id", ID, nullable=False),
    Column("case_id", ID, index=True),
    Column("subject", Chars(128), nullable=False),
    Column("reason", CODE, nullable=False),
    Column("articles", Codes, nullable=False),
    Column("commitment", Chars(HASH_LENGTH), nullable=False),
    Column("headers", Text),
    Column("body", LargeBinary),
    Column("attempts", Integer, nullable=False),
    Column("failed_at", UtcDateTime, nullable=False),
    Column("keep_until", UtcDateTime, nullable=False),
    Column("retry_at", UtcDateTime),
    Column("retried_at", UtcDateTime),
)
"""What failed for good, or came too early; only technical failures keep a body.

retry_at: when the node tries again by itself. body: with headers, what did not open, as it came;
without, an opened letter under the key of its case_id, or under our own where it has none.
"""

idempotency = Table(
    "idempotency",
    metadata,
    Column("agent_id", CODE, primary_key=True),
    Column("key", CODE, primary_key=True),
    Column("request", Chars(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
"""Answers already given, by Idempotency-Key."""
