"""Conventions of three parties, and two conventions between the same two organisations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from contracts.conventions.a_city_school.convention import CONVENTION as A
from contracts.conventions.b_city_mission_locale.messages import ServicePublished
from contracts.gate import Refused
from contracts.kernel.documents import add_signature
from contracts.kernel.errors import Ambiguous, InvalidPayload
from contracts.kernel.fields import Payload, ShortText, said
from contracts.kernel.instrument import Cardinality, Convention, Flow, LegalBasis, Retention
from contracts.kernel.organisation import Kind
from contracts.kernel.terms import Party, Terms
from contracts.registry import build
from services.chassis import views
from services.chassis.bundle import Bundle
from services.chassis.reading import channels, open_flows
from tests.contracts.instruments import convention_of
from tests.pair import SIGNED_ON, Pair
from tests.parties import Organisation

CONTACT = {"name": "Camille Fictive", "role": "conseillère", "phone": None, "email": None}
SERVICE = {
    "name": "Atelier mobilité",
    "theme": "mobilite--preparer-un-permis",
    "kind": "atelier",
    "last_day": None,
    "contact": CONTACT,
}


class Shorter(Payload):
    """The same news in another convention's words."""

    name: ShortText = said("Service", why="Dit ce qui est proposé.", source="A-1.1")


def _news(code: str, receiver: Kind, **more: Any) -> Flow:
    given: dict[str, Any] = {
        "type": "service.presented",
        "label": "service présenté",
        "article": f"X-{code}",
        "purpose": "news",
        "legal_basis": LegalBasis.NO_PERSONAL_DATA,
        "payload": ServicePublished,
        "case": Cardinality.NONE,
        "checks": (),
        "retention": Retention(event="received", months=1, article="A-5.1"),
    }
    return Flow(code=code, sender=Kind.CITY, receiver=receiver, **(given | more))


TO_CCAS, TO_SCHOOL = _news("m1", Kind.CCAS), _news("m2", Kind.SCHOOL)
THREE = convention_of(
    TO_CCAS,
    code="x_three",
    parties=(Kind.CITY, Kind.SCHOOL, Kind.CCAS),
    flows=(TO_CCAS, TO_SCHOOL),
)


@dataclass
class Three(Pair):
    """A school, the city, and a social centre that only signs."""

    third: Organisation = field(default_factory=lambda: Organisation("centre", Kind.CCAS, "x1"))

    def terms(self, version: int, **more: Any) -> Terms:
        terms, centre = super().terms(version, **more), self.third
        other = terms.parties[0].model_dump() | {
            "org": centre.org,
            "kind": centre.kind,
            "signing_key": centre.kid,
        }
        return terms.model_copy(update={"parties": (*terms.parties, Party.model_validate(other))})

    def sign_terms(self, version: int, **more: Any) -> str:
        token, content = super().sign_terms(version, **more), self.terms(version, **more).to_bytes()
        said_ = {"signed_on": self.signed_on.isoformat()}
        return add_signature(token, content, self.third.org, self.third.key, said_)


async def test_of_two_receivers_each_is_served_by_its_own_flow(
    tmp_path: Path, new_database_url: Callable[[], str]
) -> None:
    """The flow towards the social centre comes first in the text, and is not the school's."""
    urls = (new_database_url(), new_database_url())
    with Three(tmp_path, urls, registry=build([THREE]), convention="x_three") as pair:
        pair.publish(Bundle(entries=(pair.third.entry(),)))
        node = pair.city.node
        sent = pair.city.send("service.presented", pair.school.org, SERVICE)
        assert not isinstance(sent.decision, Refused), sent.decision
        (letter,) = pair.city.outgoing()
        assert letter.subject.endswith(".m2")
        await pair.carry()
        assert pair.city.state(sent.message_id) == "accepted"
        for side in pair.sides:
            core = side.node.core
            read = partial(views.explain, core=core, message_id=sent.message_id)
            shown = side.node.database.read_now(read)
            assert {one["replay"] for one in shown if one["rules"]} == {"same"}
        told = {(one["partner"], one["article"]) for one in open_flows(node)["send"]}
        assert told == {("centre", "X-m1"), (pair.school.org, "X-m2")}
        assert [one["article"] for one in open_flows(pair.school.node)["receive"]] == ["X-m2"]
        assert sorted(one.subject[-2:] for one in channels(node)) == ["m1", "m2"]
        assert [one.subject[-2:] for one in channels(pair.school.node)] == ["m2"]


async def test_a_third_party_is_refused_the_message_and_not_told_that_nothing_binds_it(
    tmp_path: Path, new_database_url: Callable[[], str]
) -> None:
    """The text that it signed has the type for others: that alone is why."""
    urls = (new_database_url(), new_database_url())
    with Three(tmp_path, urls, registry=build([THREE]), convention="x_three") as pair:
        pair.publish(Bundle(entries=(pair.third.entry(),)))
        for to in ("centre", pair.city.org):
            sent = pair.school.send("service.presented", to, SERVICE)
            assert isinstance(sent.decision, Refused)
            assert [one.code for one in sent.decision.reasons] == ["flow"], to
            read = partial(views.explain, core=pair.school.node.core, message_id=sent.message_id)
            (line,) = pair.school.node.database.read_now(read)
            assert line["replay"] == "same"
        stranger = pair.school.send("service.presented", "ailleurs", SERVICE)
        assert isinstance(stranger.decision, Refused)
        assert "unbound" in {one.code for one in stranger.decision.reasons}
        assert pair.school.outgoing() == []


def _other(payload: type[Payload], version: int) -> Convention:
    flow = _news("m2", Kind.SCHOOL, payload=payload, version=version)
    text = convention_of(flow, code="y_two", parties=(Kind.CITY, Kind.SCHOOL))
    return replace(text, minimisation_article="Y-9")


TWO = replace(THREE, code="x_two", parties=(Kind.CITY, Kind.SCHOOL), flows=(TO_SCHOOL,))


@pytest.fixture
def urls(new_database_url: Callable[[], str]) -> tuple[str, str]:
    return new_database_url(), new_database_url()


def _also(pair: Pair, text: Convention) -> None:
    """Let both sign one more convention."""
    known, pair.convention = pair.convention, text.code
    pair.publish(Bundle(terms=(pair.sign_terms(1, id="y-ecole-ville"),)))
    pair.convention = known


async def test_two_conventions_may_give_one_type_two_contents(
    tmp_path: Path, urls: tuple[str, str]
) -> None:
    """Version 1 of one and version 2 of the other, side by side; which one is for us to say."""
    other = _other(Shorter, 2)
    with Pair(tmp_path, urls, registry=build([TWO, other]), convention="x_two") as pair:
        await _carried(pair, SERVICE)
        _also(pair, other)
        with pytest.raises(Ambiguous) as refused:
            pair.city.send("service.presented", pair.school.org, SERVICE)
        for said_ in ("a-ecole-ville", "y-ecole-ville", "convention_id"):
            assert said_ in refused.value.sentence
        await _carried(pair, SERVICE, convention_id="a-ecole-ville")
        await _carried(pair, {"name": "Atelier"}, convention_id="y-ecole-ville")
        with pytest.raises(InvalidPayload) as wrong:
            pair.city.send(
                "service.presented", pair.school.org, SERVICE, convention_id="y-ecole-ville"
            )
        assert wrong.value.articles == ("Y-9",)


async def test_two_open_conventions_with_one_content_are_ambiguous_all_the_same(
    tmp_path: Path, urls: tuple[str, str]
) -> None:
    """What differs is on which article it rests."""
    other = _other(ServicePublished, 1)
    with Pair(tmp_path, urls, registry=build([TWO, other]), convention="x_two") as pair:
        _also(pair, other)
        with pytest.raises(Ambiguous):
            pair.city.send("service.presented", pair.school.org, SERVICE)
        await _carried(pair, SERVICE, convention_id="y-ecole-ville")


async def _carried(pair: Pair, data: dict[str, Any], **more: Any) -> None:
    sent = pair.city.send("service.presented", pair.school.org, data, **more)
    assert not isinstance(sent.decision, Refused), sent.decision
    await pair.carry()
    assert pair.city.state(sent.message_id) == "accepted"


def test_the_texts_of_this_module_are_in_force_at_its_instant() -> None:
    assert A.term.years is not None
    assert Pair(Path()).clock.at.date() > SIGNED_ON
