"""The letterbox: the JetStream stream in which an organisation receives, and who reads it.

Plain JetStream API documents (durations in nanoseconds, as on the wire); the bus applies them:
nats-py's ``StreamConfig.from_response`` and ``ConsumerConfig.from_response`` read them as they are.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from contracts.broker.subjects import incoming

STREAM: Final = "LETTERBOX"
"""The same name everywhere, so that a PubAck naming another stream betrays a bad configuration."""
DURABLE: Final = "node"
"""The one durable consumer, shared by the replicas of a node."""

_SECOND: Final = 1_000_000_000


class ApiRequest(NamedTuple):
    """A request to the JetStream API: subject and JSON body."""

    subject: str
    body: bytes


@dataclass(frozen=True, slots=True)
class LetterboxLimits:
    """How much a letterbox holds; beyond, the sender gets a refusal and keeps the letter.

    max_bytes: of the whole stream. max_msg_bytes: of one letter. max_letters_per_subject: letters
    of one sender, one convention and one message, so that no sender fills the box alone.
    max_age_s: backstop; letters are erased once handled. duplicate_window_s: how long a republished
    id is recognised. ack_wait_s: time to handle a batch before it is delivered again.
    max_ack_pending: lots delivered and not yet acknowledged, over all replicas; full ones hold two
    thousand letters, which must be handled well within ack_wait_s.
    """

    max_bytes: int = 1024**3
    max_msg_bytes: int = 256 * 1024
    max_letters_per_subject: int = 10_000
    max_age_s: int = 7 * 24 * 3600
    duplicate_window_s: int = 3600
    ack_wait_s: int = 30
    max_ack_pending: int = 32


def stream_config(code: str, limits: LetterboxLimits) -> dict[str, Any]:
    """JetStream stream of that organisation's letterbox; raises InvalidSubject for a bad code.

    Everything by which a sender could reach into the stream (rollup, per-message expiry, schedules,
    atomic batches, counters) is off. A full box refuses the new letter; it never drops an old one.
    """
    return {
        "name": STREAM,
        "subjects": [incoming(code)],
        "storage": "file",
        "retention": "limits",
        "num_replicas": 1,
        "discard": "new",
        "discard_new_per_subject": True,
        "max_msgs": -1,
        "max_msgs_per_subject": limits.max_letters_per_subject,
        "max_bytes": limits.max_bytes,
        "max_msg_size": limits.max_msg_bytes,
        "max_age": limits.max_age_s * _SECOND,
        "duplicate_window": limits.duplicate_window_s * _SECOND,
        "allow_direct": False,
        "allow_rollup_hdrs": False,
        "allow_msg_ttl": False,
        "allow_msg_schedules": False,
        "allow_atomic": False,
        "allow_batched": False,
        "allow_msg_counter": False,
    }


def consumer_config(limits: LetterboxLimits) -> dict[str, Any]:
    """Durable pull consumer with explicit acks and no end of deliveries.

    The server never gives up: what fails for good becomes a dead letter in the database first.
    """
    return {
        "durable_name": DURABLE,
        "deliver_policy": "all",
        "replay_policy": "instant",
        "ack_policy": "explicit",
        "ack_wait": limits.ack_wait_s * _SECOND,
        "max_ack_pending": limits.max_ack_pending,
        "max_deliver": -1,
    }


def erase_request(sequence: int) -> ApiRequest:
    """Overwrite one handled letter on disk; purge, expiry and acks would leave its text there."""
    body = json.dumps({"seq": sequence, "no_erase": False}).encode()
    return ApiRequest(f"$JS.API.STREAM.MSG.DELETE.{STREAM}", body)
