"""Registers say what the conventions and the tables say, and leave open what people decide."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from io import BytesIO

import pytest
from odfdo import Document

from contracts import registry
from contracts.export import data_titles, is_personal
from contracts.kernel.organisation import Kind
from services.chassis.fates import Goes, fate_of
from services.chassis.registers.blocks import TO_FILL, Bullets, Grid, Open, Paper, Text
from services.chassis.registers.facts import Holder
from services.chassis.registers.odt import MEDIA_TYPE, OPEN, odt
from services.chassis.registers.papers import papers
from services.chassis.registers.questions import QUESTIONS
from services.chassis.table_fates import tables_of
from services.chassis.tokens import Role
from services.chassis.words import kept
from tests.pair import Pair
from tests.reports import ask

KNOWN = registry.load()
NAME, DPO = "Organisme inventé", "dpo@organisme.example"


def of(kind: Kind) -> dict[str, Paper]:
    found = papers(KNOWN, Holder(kind=kind, name=NAME, dpo=DPO, signed=("une convention",)))
    return {one.name: one for one in found}


def said(paper: Paper) -> str:
    """Every text of a register."""
    texts: list[str] = []
    for part in paper.parts:
        texts.append(part.title)
        for block in part.blocks:
            if isinstance(block, Grid):
                texts += [block.caption, *block.head, *(cell for row in block.rows for cell in row)]
            elif isinstance(block, Bullets):
                texts += block.items
            else:
                texts.append(block.text)
    return "\n".join(texts)


KINDS = pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.value)


@KINDS
def test_the_record_names_each_recipient_each_datum_and_each_time(kind: Kind) -> None:
    """GDPR 30.1 a to g, by purpose: nothing that is sent or received is missing."""
    content = said(of(kind)["record"])
    flows = [
        (instrument, flow)
        for instrument, flow in KNOWN.flows()
        if is_personal(flow) and kind in {flow.sender, flow.receiver}
    ]
    assert flows
    for instrument, flow in flows:
        other = flow.receiver if flow.sender is kind else flow.sender
        assert f"{other.label} : {flow.label} ({flow.article})" in content, flow.type
        time = kept(KNOWN, instrument.code, flow.retention)
        assert f"{time} ({flow.retention.article})" in content, flow.type
        for title in data_titles(flow.payload):
            assert title in content, (flow.type, title)
    for point in "abcdefg":
        assert f"\n{point}. " in content
    assert NAME in content
    assert DPO in content


@KINDS
def test_the_record_says_why_each_table_outlives_an_erasure(kind: Kind) -> None:
    """GDPR 5.1.e, 30.1.f: every table that does, and no other."""
    content = said(of(kind)["record"])
    for table in tables_of(kind.value):
        fate = fate_of(table)
        stays = fate.goes not in {Goes.CASE, Goes.PERSON}
        assert (f"\n{table.name}\n" in content) is stays, table.name
        assert not stays or fate.why in content


@KINDS
def test_the_assessment_gives_the_reason_of_each_field(kind: Kind) -> None:
    """GDPR 35.7 a to d; rating the risks is left to people."""
    paper = of(kind)["dpia"]
    titles = [part.title for part in paper.parts]
    for letter in "abcd":
        assert any(title.startswith(f"{letter}. ") for title in titles)
    content = said(paper)
    for _, flow in KNOWN.flows():
        if is_personal(flow) and kind in {flow.sender, flow.receiver}:
            for info in flow.payload.model_fields.values():
                assert str(info.description) in content, flow.type
    risks = next(
        block
        for part in paper.parts
        for block in part.blocks
        if isinstance(block, Grid) and "Gravité" in block.head
    )
    assert {row[-1] for row in risks.rows} == {row[-2] for row in risks.rows} == {TO_FILL}


@KINDS
def test_a_notice_stands_for_each_instrument_that_tells_of_persons(kind: Kind) -> None:
    """GDPR 13, 14: who, why, what, from whom, to whom, how long, which rights."""
    names = {
        f"notice-{instrument.code.replace('_', '-')}"
        for instrument, flow in KNOWN.flows()
        if is_personal(flow) and kind in {flow.sender, flow.receiver}
    }
    found = of(kind)
    assert {name for name in found if name.startswith("notice-")} == names
    for name in names:
        assert len(found[name].parts) >= 7
        content = said(found[name])
        assert NAME in content
        assert DPO in content
        assert "CNIL" in content


def test_a_duty_of_the_law_offers_no_objection_and_a_convention_does() -> None:
    """R131-10-6, GDPR 21."""
    found = of(Kind.CITY)
    assert "vous opposer" not in said(found["notice-mayor-attendance"])
    assert "pas de droit d'opposition" in said(found["notice-mayor-attendance"])
    assert "vous opposer" in said(found["notice-a-city-school"])


def test_who_only_receives_does_not_claim_to_have_asked_the_person() -> None:
    """GDPR 14.2.f: the breach of the training obligation comes from the Mission Locale alone."""
    asked = "au moment de l'entretien"
    assert asked not in said(of(Kind.DEPARTMENT)["notice-training-obligation"])
    assert "D'un partenaire" in said(of(Kind.DEPARTMENT)["notice-training-obligation"])
    assert asked in said(of(Kind.MISSION_LOCALE)["notice-training-obligation"])


def test_every_open_question_is_shown_as_open_and_to_those_whom_it_concerns() -> None:
    """What nobody may decide in code stays a question, wherever it bears."""
    shown: dict[str, set[Kind]] = {one.asks: set() for one in QUESTIONS}
    for kind in Kind:
        for paper in of(kind).values():
            for part in paper.parts:
                for block in part.blocks:
                    if isinstance(block, Open) and block.text in shown:
                        shown[block.text].add(kind)
    assert len(QUESTIONS) == 10
    assert all(shown.values())
    dpo = next(asks for asks in shown if "C-6.4" in asks)
    assert shown[dpo] == {Kind.CCAS}
    law = next(asks for asks in shown if "R114-7" in asks and "Combien" in asks)
    assert shown[law] == {Kind.DEPARTMENT, Kind.MISSION_LOCALE}


@KINDS
def test_the_office_document_says_the_same(kind: Kind) -> None:
    """OpenDocument text: every heading, table and open point of the register, and its title."""
    for paper in of(kind).values():
        document = Document(BytesIO(odt(paper, NAME)))
        assert document.mimetype == MEDIA_TYPE
        assert document.meta.title == f"{paper.title}, {NAME}"
        numbered = document.styles.get_elements("//text:outline-level-style[@style:num-suffix]")
        assert numbered == []
        headings = document.body.headers
        assert [int(one.level) for one in headings] == [1, *(part.level for part in paper.parts)]
        blocks = [block for part in paper.parts for block in part.blocks]
        tables = document.body.get_elements("//table:table")
        grids = [block for block in blocks if isinstance(block, Grid)]
        assert [len(one.get_elements("descendant::table:table-row")) for one in tables] == [
            1 + len(grid.rows) for grid in grids
        ]
        assert len(document.body.get_elements("//table:table-header-rows")) == len(grids)
        marked = [one for one in document.body.paragraphs if str(one).startswith(OPEN.strip()[:8])]
        opens = sum(isinstance(block, Open) for block in blocks)
        assert paper.open == opens
        assert len(marked) == opens + 1
        texts = sum(isinstance(block, Text) for block in blocks)
        assert len(document.body.paragraphs) > texts


# --- pages


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("registers")
    urls = [f"sqlite:///{folder / name}.sqlite" for name in ("one", "other")]
    with Pair(folder, (urls[0], urls[1])) as made:
        yield made


@pytest.mark.parametrize("role", list(Role))
async def test_officers_and_managers_read_them_and_nobody_else(pair: Pair, role: Role) -> None:
    allowed = role in {Role.DPO, Role.MANAGER}
    for path in ("", "/record", "/record.odt"):
        answer = await ask(pair.city, f"/pages/registers{path}", role)
        assert answer.status_code == (HTTPStatus.OK if allowed else HTTPStatus.FORBIDDEN), path


async def test_each_register_is_a_page_and_a_document_under_the_organisation_s_name(
    pair: Pair,
) -> None:
    settings = pair.city.node.settings
    listed = (await ask(pair.city, "/pages/registers", Role.DPO)).text
    for name in of(Kind.CITY):
        assert f'href="/pages/registers/{name}"' in listed
        page = await ask(pair.city, f"/pages/registers/{name}", Role.DPO)
        assert page.status_code == HTTPStatus.OK
        assert "<strong>À décider" in page.text
        written = await ask(pair.city, f"/pages/registers/{name}.odt", Role.DPO)
        assert written.headers["content-type"] == MEDIA_TYPE
        assert f"{settings.org}-{name}.odt" in written.headers["content-disposition"]
        assert str(Document(BytesIO(written.content)).meta.title).endswith(settings.name)
    record = (await ask(pair.city, "/pages/registers/record", Role.DPO)).text
    assert settings.dpo in record
    assert "depuis le 4 mai 2026" in record
    missing = await ask(pair.city, "/pages/registers/none", Role.DPO)
    assert missing.status_code == HTTPStatus.NOT_FOUND
    assert (await ask(pair.city, "/pages/registers/none.odt", Role.DPO)).is_error
