"""A grant's parts agree with its subject, or there is no grant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from contracts.broker.grants import Grant, GrantKind, grant
from contracts.broker.subjects import InvalidSubject
from tests.contracts.broker.samples import END, flow


@pytest.mark.parametrize(
    ("message", "kind"),
    [("m", GrantKind.FLOW), ("k", GrantKind.CONTROL), ("r", GrantKind.RECEIPT)],
)
def test_the_kind_follows_the_message_code(message: str, kind: GrantKind) -> None:
    made = flow(message=message)
    assert made == Grant("a", "b", f"lb.b.a.cv.{message}", kind, END)
    for other in set(GrantKind) - {kind}:
        with pytest.raises(InvalidSubject):
            Grant("a", "b", made.subject, other, END)


@pytest.mark.parametrize(
    ("sender", "receiver", "subject"),
    [
        ("b", "a", "lb.b.a.cv.m"),
        ("a", "c", "lb.b.a.cv.m"),
        ("a", "b", "lb.b.*.cv.m"),
        ("a", "b", "lb.b.a.>"),
        ("a", "a", "lb.a.a.cv.m"),
    ],
)
def test_a_grant_that_contradicts_its_subject_is_refused(
    sender: str, receiver: str, subject: str
) -> None:
    assert Grant("a", "b", "lb.b.a.cv.m", GrantKind.FLOW, END).subject == "lb.b.a.cv.m"
    with pytest.raises(InvalidSubject):
        Grant(sender, receiver, subject, GrantKind.FLOW, END)


@pytest.mark.parametrize(
    "end",
    [
        END.replace(tzinfo=None),
        datetime(2029, 4, 30, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_the_end_is_an_instant_in_utc(end: datetime) -> None:
    parts = {"sender": "a", "receiver": "b", "convention": "cv", "message": "m"}
    assert grant(**parts, expires_at=END.astimezone(UTC)).expires_at == END
    with pytest.raises(InvalidSubject):
        grant(**parts, expires_at=end)
