"""What persons are told: written from the conventions, whole; each change is a new version."""

from __future__ import annotations

import html
import importlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from contracts.kernel.errors import UnknownName
from contracts.kernel.instrument import LegalBasis
from contracts.registry import build, load
from services.chassis.pages.notices import Notice, notice_of, said_by, version_of
from services.chassis.pages.rendering import typeset
from services.chassis.tokens import Role
from tests.desks import Desk, DeskPair, desk_pair
from tests.pair import CONVENTION, Side

DUTY = "mayor_attendance"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskPair]:
    with desk_pair(tmp_path_factory.mktemp("notices")) as made:
        yield made


def notice(side: Side, name: str = CONVENTION) -> Notice:
    return notice_of(side.node.core, name)


def test_it_names_every_message_about_persons_and_each_field(pair: DeskPair) -> None:
    """GDPR 13, 14: what, to whom, why, how long; nothing that is told lacks."""
    convention = load().convention("a_city_school")
    found = notice(pair.school)
    told = {one.label: one for purpose in found.purposes for one in purpose.messages}
    flows = [f for f in convention.flows if f.legal_basis is not LegalBasis.NO_PERSONAL_DATA]
    for flow in flows:
        assert flow.label in told
        assert set(said_by(flow.payload)) <= set(told[flow.label].says)
        assert flow.retention.article in told[flow.label].kept
    assert len(told) == len({flow.label for flow in flows})
    assert [one.name for one in found.organisations] == ["Organisme s1", "Organisme v1"]
    assert {one.contact for one in found.organisations} == {"dpo@organisme.example"}


def test_what_passes_without_agreement_is_said(pair: DeskPair) -> None:
    """A-3.15: nobody is told that nothing leaves without agreement where something may."""
    support, measure = notice(pair.school).purposes
    assert (support.unasked, support.despite) == ([], [])
    (danger,) = measure.despite
    assert "information sans délai (A-3.15)" in danger
    assert "4 heures" in danger
    assert "30 jours" in danger
    assert all(one.givers for one in (support, measure))


def test_both_sides_tell_the_same_and_cite_the_same_articles(pair: DeskPair) -> None:
    ours, theirs = notice(pair.school), notice(pair.city)
    assert {p.why for p in ours.purposes} == {p.why for p in theirs.purposes}
    assert [p.givers for p in ours.purposes] == [p.givers for p in theirs.purposes]


def test_its_version_is_the_same_until_a_word_changes(tmp_path: Any, pair: DeskPair) -> None:
    """A-2.10: a record cites the very words that were given."""
    first = version_of(pair.school.node.core, CONVENTION)
    assert first == notice(pair.school).version
    assert first.startswith("A1.1-")
    registry = load()
    text = registry.convention("a_city_school")
    longer = replace(text.flows[0].retention, months=4)
    changed = replace(text, flows=(replace(text.flows[0], retention=longer), *text.flows[1:]))
    others = [one for one in registry.conventions.values() if one.code != text.code]
    made = build([changed, *others, *registry.duties.values()], words=registry.words)
    folder = tmp_path / "changed"
    folder.mkdir()
    with desk_pair(folder, registry=made) as other:
        assert version_of(other.school.node.core, CONVENTION) != first
        assert notice(other.school).version.startswith("A1.1-")


def test_a_duty_says_that_no_agreement_is_asked(pair: DeskPair) -> None:
    found = notice(pair.school, DUTY)
    assert found.by_law
    assert [purpose.givers for purpose in found.purposes] == [[]]
    assert not notice(pair.school).by_law


def test_nothing_that_binds_nobody_here_has_a_notice(pair: DeskPair) -> None:
    for name in ("training_obligation", "x", "b-ville-mission"):
        with pytest.raises(UnknownName):
            notice(pair.school, name)


@pytest.mark.parametrize("name", [CONVENTION, DUTY])
async def test_the_page_says_it_all_with_its_version(pair: DeskPair, name: str) -> None:
    found = notice(pair.school, name)
    page = await Desk.at(pair.school, Role.AGENT).get(f"/pages/notices/{name}")
    assert f"<code>{found.version}</code>" in page.text
    for purpose in found.purposes:
        for one in purpose.messages:
            assert one.kept.replace("'", "&#39;") in page.text
    stops = "retirer un accord à tout moment" in page.text
    assert stops is (name == CONVENTION)
    assert ("RGPD 21" in page.text) is (name == CONVENTION)
    assert "CNIL" in page.text


async def test_a_notice_is_as_good_under_every_convention_that_binds_somebody(
    tmp_path: Any,
) -> None:
    registry, seen = load(), set()
    for convention in registry.conventions.values():
        if len(convention.parties) != 2:
            continue
        folder = tmp_path / convention.code
        folder.mkdir()
        partners = [_partner(kind.value) for kind in convention.parties]
        with desk_pair(
            folder, partners=(partners[0], partners[1]), convention=convention.code
        ) as pair:
            page = await Desk.at(pair.school).get(f"/pages/notices/{CONVENTION}")
            assert str(typeset(convention.title)) in html.unescape(page.text)
            seen |= {one.why for one in notice(pair.school).purposes}
    assert not {why for why in seen if "_" in why}
    assert len(seen) >= 4


def _partner(kind: str) -> Any:
    return importlib.import_module(f"services.{kind}.partner").PARTNER
