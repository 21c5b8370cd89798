"""The plain peer's tables, the same on both sides: each is an organisation like the other."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, Index, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """The tables of one organisation."""

    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy's own idiom)
        datetime: DateTime(timezone=True),
        list[str]: JSON,
    }


class Convention(Base):
    """A signed convention between this organisation and one other."""

    __tablename__ = "conventions"

    id: Mapped[int] = mapped_column(primary_key=True)
    sender: Mapped[str]
    receiver: Mapped[str] = mapped_column(index=True)
    version: Mapped[int]
    purposes: Mapped[list[str]]
    opens_on: Mapped[date]
    closes_on: Mapped[date]


class Person(Base):
    """A pupil of this school."""

    __tablename__ = "persons"

    id: Mapped[int] = mapped_column(primary_key=True)
    birth_date: Mapped[date]
    enrolled: Mapped[bool]


class Agreement(Base):
    """A person's accord to some flows and receivers."""

    __tablename__ = "agreements"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    convention_id: Mapped[int] = mapped_column(ForeignKey("conventions.id"), index=True)
    giver: Mapped[str]
    flows: Mapped[list[str]]
    receivers: Mapped[list[str]]
    given_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    notice_at: Mapped[datetime]

    person: Mapped[Person] = relationship(lazy="raise")
    convention: Mapped[Convention] = relationship(lazy="raise")


class Withdrawal(Base):
    """An agreement that its giver took back, as the receiver was told."""

    __tablename__ = "withdrawals"

    agreement_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class Case(Base):
    """A case, opened by the referral it holds; without `key` its content is noise."""

    __tablename__ = "cases"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    message_id: Mapped[UUID] = mapped_column(unique=True)
    key: Mapped[bytes]
    content: Mapped[bytes]
    at: Mapped[datetime]


class OutboxRow(Base):
    """A letter or a receipt on its way out."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("outbox_queued", "queued_at", postgresql_where=text("state = 'queued'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject: Mapped[str]
    state: Mapped[str]
    queued_at: Mapped[datetime]
    # A receipt fills `receipt` and nothing of what follows it, a letter the reverse.
    receipt: Mapped[str] = mapped_column(nullable=True)
    purpose: Mapped[str] = mapped_column(nullable=True)
    version: Mapped[int] = mapped_column(nullable=True)
    charter_at: Mapped[datetime] = mapped_column(nullable=True)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("cases.id"), nullable=True)
    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreements.id"), nullable=True)

    case: Mapped[Case] = relationship(lazy="raise")
    agreement: Mapped[Agreement] = relationship(lazy="raise")


class InboxRow(Base):
    """A message handled once and for all."""

    __tablename__ = "inbox"

    sender: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class AuditLine(Base):
    """One line of the hash-chained audit."""

    __tablename__ = "audit"

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    at: Mapped[datetime]
    action: Mapped[str]
    message_id: Mapped[UUID]
    detail: Mapped[str]
    previous: Mapped[bytes]
    digest: Mapped[bytes]
