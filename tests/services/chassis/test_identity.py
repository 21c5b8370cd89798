"""A message may say less of a person than who they are: that much travels, and no more."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts.gate import Refused
from contracts.kernel.agreement import Proof, identity_digest
from contracts.kernel.checks import Agreement, Giver, Recorded
from contracts.kernel.errors import InvalidDocument
from contracts.kernel.fields import Payload, PersonName, ShortText, said
from contracts.kernel.instrument import Cardinality, Flow, LegalBasis
from contracts.kernel.messages import Channel, identity_block
from contracts.kernel.organisation import Kind
from contracts.registry import build
from services.chassis import posting, standing, tables
from tests.contracts.instruments import convention_of
from tests.contracts.instruments import flow as flow_of
from tests.pair import PUPIL, Pair


class Named(Payload):
    """A name, and how to reach whoever bears it."""

    family_name: PersonName = said("Nom", why="Désigne.", source="C-3a.13")
    first_name: PersonName = said("Prénom", why="Désigne.", source="C-3a.13")
    channel: Channel | None = said("Contact", why="Permet de joindre.", source="C-3a.13")


class Candidate(Payload):
    """Somebody is proposed."""

    person: Named = said("Personne", why="Désigne.", source="C-3a.13", filled="identity")
    offer: ShortText = said("Offre", why="Désigne l'offre.", source="C-3a.13")


class Answer(Payload):
    """What became of it."""

    outcome: ShortText = said("Suite", why="Dit la suite.", source="C-3a.13")


AGREED = Agreement(
    article="C-4.2",
    recipient_article="C-4.2",
    sentence="L'accord n'est pas enregistré.",
    minor=Giver.REPRESENTATIVE,
    adult=Giver.YOUNG_PERSON,
)
OPEN_CASE = Recorded(article="C-1.1", name="open_case", sentence="Rien n'est ouvert.")
PROPOSED = flow_of(
    AGREED,
    type="candidate.proposed",
    sender=Kind.SCHOOL,
    receiver=Kind.CITY,
    legal_basis=LegalBasis.PUBLIC_TASK,
    payload=Candidate,
    case=Cardinality.OPENS,
)
ANSWERED = flow_of(
    OPEN_CASE,
    AGREED,
    type="candidate.answered",
    code="m2",
    sender=Kind.CITY,
    receiver=Kind.SCHOOL,
    payload=Answer,
    case=Cardinality.WITHIN,
)
ALONE = replace(PROPOSED, type="candidate.named", code="m3", case=Cardinality.NONE)
TEXT = convention_of(PROPOSED, parties=(Kind.SCHOOL, Kind.CITY), flows=(PROPOSED, ANSWERED, ALONE))
_IDENTITY: Any = PUPIL["identity"]
ADULT = {**PUPIL, "identity": {**_IDENTITY, "birth_date": "1990-03-09"}}


@pytest.fixture
def pair(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Pair]:
    urls = (new_database_url(), new_database_url())
    with Pair(tmp_path, urls, registry=build([TEXT]), convention="x_test") as made:
        yield made


def propose(pair: Pair, what: Flow = PROPOSED, person: dict[str, Any] = ADULT, **more: Any) -> Any:
    giver = "young_person" if person is ADULT else "representative"
    agreement = pair.agreement(pair.person(person), **{"giver": giver, **more})
    return pair.school.send(what.type, pair.city.org, {"offer": "J-12"}, agreement_id=agreement)


@pytest.mark.parametrize("person", [ADULT, PUPIL], ids=["adult", "minor"])
async def test_a_smaller_identity_opens_a_case_and_is_all_that_arrives(
    pair: Pair, person: dict[str, Any]
) -> None:
    """C-3a.13: a name and a channel; both gates ask who may agree, and no birth date travels."""
    sent = propose(pair, person=person)
    assert not isinstance(sent.decision, Refused), sent.decision
    (letter,) = pair.school.waiting()
    assert letter.content is not None
    assert person["identity"]["birth_date"].encode() not in letter.content
    await pair.carry()
    assert pair.school.state(sent.message_id) == "accepted"
    core = pair.city.node.core
    known = pair.city.write(
        lambda tx: standing.person_of(tx, core, standing.of_case(tx, sent.case_id, core.org))
    )
    assert known.identity.model_dump() == {
        "family_name": "Exemplaire",
        "first_name": "Zoé",
        "birth_date": None,
        "channel": None,
    }
    answer = pair.city.send(
        "candidate.answered", pair.school.org, {"outcome": "reçu"}, case_id=sent.case_id
    )
    assert not isinstance(answer.decision, Refused), answer.decision
    await pair.carry()
    assert pair.city.state(answer.message_id) == "accepted"


async def test_the_proof_binds_what_travels_and_says_only_whether_of_age(pair: Pair) -> None:
    propose(pair)
    (letter,) = pair.school.waiting()
    said_ = json.loads(letter.content or b"")
    proof = Proof.parse(said_["proof"])
    named = Named.model_validate_json(json.dumps(said_["data"]["person"]))
    assert proof.identity == identity_digest(proof.reference, named)
    assert proof.adult is True


async def test_whoever_may_not_agree_is_refused_at_the_receiver_too(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proof about somebody else, and an agreement that is another's to give."""
    digest = identity_digest
    monkeypatch.setattr(posting, "identity_digest", lambda _ref, one: digest("f" * 32, one))
    sent = propose(pair)
    await pair.carry()
    assert pair.school.state(sent.message_id) == "refused"
    monkeypatch.setattr(posting, "identity_digest", digest)
    monkeypatch.setattr(posting, "reached", lambda *_: False)
    sent = propose(pair)
    await pair.carry()
    assert pair.school.state(sent.message_id) == "refused"
    assert pair.city.rows(tables.cases) == []


async def test_a_message_of_no_case_may_name_somebody_and_leaves_no_person(pair: Pair) -> None:
    """C-5.1: its agreement is proven, and nothing of it is kept but that it came."""
    sent = propose(pair, ALONE)
    assert not isinstance(sent.decision, Refused), sent.decision
    await pair.carry()
    assert pair.school.state(sent.message_id) == "accepted"
    for table in (tables.cases, tables.persons, tables.held_proofs):
        assert pair.city.rows(table) == []


class Whole(Payload):
    """More than anybody's identity."""

    nickname: ShortText = said("Surnom", why="Rien.", source="A-5.1")


def test_a_block_says_no_more_than_an_identity() -> None:
    class More(Payload):
        person: Whole = said("Personne", why="Désigne.", source="A-5.1", filled="identity")

    class Bare(Payload):
        person: str = said("Personne", why="Désigne.", source="A-5.1", filled="identity")

    assert identity_block(Candidate) is Named
    assert identity_block(Answer) is None
    for wrong in (More, Bare):
        with pytest.raises(InvalidDocument):
            build([convention_of(replace(PROPOSED, payload=wrong))])
