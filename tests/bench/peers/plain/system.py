"""The plain peer as the harness sees it: seeded tables, keys of both sides, postings."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from joserfc import jwt
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from tests.bench.load import Request
from tests.bench.peers.plain.letters import Keys, Posting, write_key_pairs
from tests.bench.peers.plain.models import Agreement, Base, Convention, Person
from tests.bench.peers.plain.office import CITY, FLOW, SCHOOL
from tests.bench.peers.referral import birth_date, sample_referral
from tests.bench.peers.system import Peer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

_PURPOSE = "help for pupils who drop out"
_PUPILS = 500


class Plain(Peer):
    """Everything promised, one ORM session and one commit a message.

    Without `receipts` the receiver sends nothing back, and a message is done when it took effect.
    """

    module = "tests.bench.peers.plain"
    streams = (("LETTERS", "letters.>"), ("RECEIPTS", "receipts.>"))
    effects_sql = b"SELECT count(*) FROM cases"

    def __init__(self, *, receipts: bool = True, sync_always: bool = False) -> None:
        super().__init__(sync_always=sync_always)
        self.name = "plain" if receipts else "plain, no receipts"
        self.done_at = "sender" if receipts else "receiver"
        accepted = b"SELECT count(*) FROM outbox WHERE state = 'accepted'"
        self.done_sql = accepted if receipts else self.effects_sql
        self._receipts = receipts
        self._token = ""

    def prepare(self, sender: str, receiver: str) -> Mapping[str, str]:
        """Create and fill both databases and give each side its keys."""
        _fill(sender, _convention(self.today), *_people_of_the_school(self.today))
        _fill(receiver, _convention(self.today))
        paths = {role: self.folder / f"{role}.json" for role in ("sender", "receiver")}
        write_key_pairs(paths["sender"], paths["receiver"])
        self._token = _token(Keys.read(paths["sender"]), self.today)
        return {
            role: json.dumps({"keys": str(path), "receipts": self._receipts})
            for role, path in paths.items()
        }

    def request(self, index: int) -> Request:
        """Post referral `index` for one of the pupils."""
        posting = Posting(
            to=CITY,
            version=1,
            purpose=_PURPOSE,
            agreement_id=UUID(int=index % _PUPILS),
            data=sample_referral(index, self.today),
        )
        headers = {"Authorization": f"Bearer {self._token}"}
        return Request(f"{self.sender}/messages", headers, posting.model_dump_json().encode())


def _fill(database: str, *rows: Base) -> None:
    engine = create_engine(database)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(rows)
        session.commit()
    engine.dispose()


def _token(keys: Keys, today: date) -> str:
    accepted = datetime.combine(today, time(), UTC) - timedelta(days=20)
    claims = {"sub": "agent-1", "role": "agent", "charter_at": int(accepted.timestamp())}
    return jwt.encode({"alg": "HS256"}, claims, keys.tokens, algorithms=["HS256"])


def _convention(today: date) -> Convention:
    return Convention(
        id=1,
        sender=SCHOOL,
        receiver=CITY,
        version=1,
        purposes=[_PURPOSE],
        opens_on=today - timedelta(days=100),
        closes_on=today + timedelta(days=900),
    )


def _people_of_the_school(today: date) -> list[Base]:
    agreed = datetime.combine(today, time(), UTC) - timedelta(days=20)
    pupils = [
        Person(id=number, birth_date=birth_date(number, today), enrolled=True)
        for number in range(_PUPILS)
    ]
    agreements = [
        Agreement(
            id=UUID(int=number),
            person_id=number,
            convention_id=1,
            giver="representative",
            flows=[FLOW],
            receivers=[CITY],
            given_at=agreed,
            expires_at=agreed + timedelta(days=365),
            notice_at=agreed - timedelta(hours=1),
        )
        for number in range(_PUPILS)
    ]
    return [*pupils, *agreements]
