"""Conventions and reports: where each stands in words, who is shown what, and a manager's acts."""

from __future__ import annotations

import re
from datetime import date, timedelta
from http import HTTPStatus

import pytest

from contracts.gate import instrument_checks
from contracts.kernel.paris import midnight
from contracts.kernel.signed import SignedConvention
from contracts.kernel.terms import ActKind
from contracts.registry import load
from services.chassis import convention_tables, tables
from services.chassis.bundle import Bundle
from services.chassis.governance import daily
from services.chassis.pages import matrix, texts
from services.chassis.pages.convention_forms import FORMS, offered
from services.chassis.pages.reports import every
from services.chassis.publishing import publish
from services.chassis.purges import record_purges
from services.chassis.tokens import Role
from tests.office_desks import count, desk, fill, form_in
from tests.pair import CONVENTION, SIGNED_ON, Pair, Side

ONE = f"/pages/conventions/{CONVENTION}"
ACTING = f"{ONE}/acting"
DAY = timedelta(days=1)


def signed_at(side: Side) -> SignedConvention:
    return side.node.core.directory.conventions[CONVENTION]


def stands(side: Side) -> tuple[str, str]:
    found = texts.standing(side.node.core, signed_at(side), side.clock.now())
    return found.word, found.when


def test_each_state_is_said_with_its_days(pair: Pair) -> None:
    """A-9.1, A-10.1, A-5.1."""
    school = pair.school
    now = pair.clock.at
    assert stands(school) == ("en vigueur", "depuis le 4 mai 2026, jusqu'au 3 mai 2029")
    pair.clock.at = midnight(SIGNED_ON) - DAY
    assert stands(school)[0] == "signée"
    pair.clock.at = now
    pair.act(pair.city, ActKind.SUSPENSION)
    assert stands(school) == ("suspendue", "par Organisme v1 ; court jusqu'au 3 mai 2029")
    pair.clock.at += DAY
    pair.act(pair.city, ActKind.RESUMPTION)
    sent = date(2026, 11, 20)
    pair.act(pair.city, ActKind.TERMINATION_NOTICE, sent_on=sent, received_on=sent)
    assert stands(school)[0] == "sous préavis"
    assert "finit le 19 mai 2027" in stands(school)[1]
    pair.clock.at = midnight(date(2027, 6, 1))
    assert stands(school) == (
        "finie",
        "depuis le 19 mai 2027 ; tout est détruit au plus tard le 20 août 2027",
    )
    pair.clock.at = midnight(date(2027, 9, 1))
    assert stands(school)[0] == "finie, tout est détruit"


def test_what_is_not_evidenced_says_what_it_waits_for(pair: Pair) -> None:
    """A-13.1."""
    core = pair.school.node.core
    bare = SignedConvention(
        CONVENTION,
        signed_at(pair.school).convention,
        tuple(
            type(one)(one.terms.model_copy(update={"evidence": None}), one.signed_on)
            for one in signed_at(pair.school).versions
        ),
    )
    found = texts.standing(core, bare, pair.clock.now())
    assert (found.word, found.mark) == ("pas encore attestée", "waits")
    assert "preuve" in found.when
    half = type(bare.versions[0])(bare.versions[0].terms, {pair.school.org: SIGNED_ON})
    waiting = SignedConvention(CONVENTION, bare.convention, (half,))
    found = texts.standing(core, waiting, pair.clock.now())
    assert found.when == "attend la signature de Organisme v1"


async def test_an_invented_amendment_is_marked(pair: Pair) -> None:
    token = pair.sign_terms(2, until=date(2031, 1, 1), invented=True)
    pair.publish(Bundle(terms=(token,)))
    async with desk(pair.school, Role.AGENT) as client:
        assert "avenant inventé" in (await client.get("/pages/conventions")).text
        page = (await client.get(ONE)).text
    assert "porte la fin au 31 décembre 2030" in page
    assert "Avenant inventé" in page


async def test_a_convention_s_page_says_parties_signatures_articles_and_what_is_due(
    pair: Pair,
) -> None:
    core, at = pair.school.node.core, pair.clock.now()
    pair.school.write(lambda tx: daily(tx, core, at))
    async with desk(pair.school, Role.OPERATOR) as client:
        page = (await client.get(ONE)).text
    for said in ("Organisme v1", "délibération fictive", "3 mai 2027", "e" * 64, "3 mai 2029"):
        assert said in page
    assert "Signé par Organisme s1 le 4 mai 2026" in page
    assert "en retard" in page  # no insurance was recorded
    for one in signed_at(pair.school).convention.obligations:
        assert f"<dt>{one.id}</dt>" in page
    assert "Agir sur cette convention" not in page


async def test_who_answers_sees_which_cases_a_dispute_keeps_and_others_how_many(
    pair: Pair,
) -> None:
    """A-12.1."""
    case_id = pair.school.rows(tables.cases)[0].case_id
    async with desk(pair.school, Role.MANAGER) as manager:
        action = f"{ACTING}/hold"
        answer = await fill(manager, ACTING, action, ground="court", case_id=case_id)
        assert answer.headers["location"] == f"{ONE}?done=hold"
        page = (await manager.get(answer.headers["location"])).text
        assert "La conservation est décidée." in page
        assert case_id in page
        (hold,) = pair.school.rows(convention_tables.holds)
        assert (hold.case_id, hold.ground) == (case_id, "court")
        async with desk(pair.school, Role.DPO) as dpo:
            page = (await dpo.get(ONE)).text
            assert case_id in page
            assert "Lever</button>" not in page
        async with desk(pair.school, Role.AGENT) as agent:
            page = (await agent.get(ONE)).text
            assert case_id not in page
            assert "1 en cours" in page
        release = f"{ONE}/holds/{hold.hold_id}"
        assert (await fill(manager, ONE, release)).status_code == HTTPStatus.SEE_OTHER
        assert "levée le" in (await manager.get(ONE)).text


async def test_a_form_sent_twice_counts_once(pair: Pair) -> None:
    async with desk(pair.school, Role.MANAGER) as manager:
        action = f"{ACTING}/hold"
        sent = {**form_in(await manager.get(ACTING), action), "ground": "amicable"}
        for _ in range(2):
            assert (await manager.post(action, data=sent)).status_code == HTTPStatus.SEE_OTHER
    assert count(pair.school, convention_tables.holds) == 1


async def test_a_form_that_the_api_refuses_comes_back_with_what_was_typed(pair: Pair) -> None:
    async with desk(pair.school, Role.MANAGER) as manager:
        action = f"{ACTING}/review"
        answer = await fill(manager, ACTING, action, held_on="2020-01-01")
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "Une réunion d&#39;évaluation a eu lieu" in answer.text
        assert 'href="#review-held_on"' in answer.text
        assert 'value="2020-01-01"' in answer.text
        blank = await fill(manager, ACTING, action)
        assert blank.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "Remplissez ce champ." in blank.text
        good = await fill(manager, ACTING, action, held_on="2026-11-20")
        assert good.headers["location"] == f"{ONE}?done=review"
        wrong = await fill(manager, ACTING, f"{ACTING}/hold", ground="court", case_id="<b>x")
        assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "<b>x" not in wrong.text
        assert "&lt;b&gt;x" in wrong.text


async def test_nothing_grave_is_done_without_a_tick(pair: Pair) -> None:
    """A-10.1: a suspension stops everything; a notice ends it and has it destroyed."""
    async with desk(pair.school, Role.MANAGER) as manager:
        for name in ("suspension", "notice"):
            answer = await fill(manager, ACTING, f"{ACTING}/{name}", sent_on="2026-11-20")
            assert "Cochez cette case" in answer.text
        away = await fill(manager, ACTING, f"{ACTING}/suspension", sure="yes")
        assert away.status_code == HTTPStatus.SERVICE_UNAVAILABLE  # no registrar answers here
        assert "Le registraire ne répond pas." in away.text
    assert signed_at(pair.school).acts == ()


def test_forms_are_offered_while_they_make_sense(pair: Pair) -> None:
    signed, at = signed_at(pair.school), pair.clock.now()
    names = [one.name for one in offered(signed, at, suspended_by_us=False)]
    assert names == ["review", "insurance", "hold", "suspension", "notice"]
    again = [one.name for one in offered(signed, at, suspended_by_us=True)]
    assert "resumption" in again
    assert "suspension" not in again
    over = midnight(date(2029, 6, 1))
    assert [one.name for one in offered(signed, over, suspended_by_us=False)] == ["hold"]
    assert len(FORMS) == 6


async def test_the_certificate_of_destruction_is_shown(pair: Pair) -> None:
    """C-6.5, A-5.1: the end of a convention leaves its proof."""
    pair.clock.at = midnight(date(2029, 9, 1))
    school, at = pair.school, pair.clock.at
    await school.node.purge(at)
    school.write(lambda tx: record_purges(tx, school.node.core, at))
    async with desk(school, Role.DPO) as client:
        page = (await client.get(ONE)).text
    assert "Certificat de destruction" in page
    assert "2 dossiers ont été détruits ici" in page
    assert "Agir" not in page


# -- who may tell whom what -----------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(load().conventions))
def test_every_message_of_a_text_is_in_its_matrix_in_words(code: str) -> None:
    text = load().convention(code)
    for flow in text.flows:
        told = matrix._told(load(), text, flow)
        assert told.article == flow.article
        assert "_" not in told.kept, told.kept
        asked = {one.article for one in (*instrument_checks(text, flow), *flow.checks)}
        assert {article for article, _ in told.refusals} == asked
        assert told.purpose_article in {one.id for one in text.obligations}


async def test_the_matrix_of_a_convention_and_of_a_duty_are_pages(pair: Pair) -> None:
    async with desk(pair.school, Role.AGENT) as client:
        page = (await client.get(f"{ONE}/flows")).text
        assert "Organisme s1 peut dire à Organisme v1" in page
        assert "le représentant légal avant 18 ans, la personne elle-même ensuite" in page
        listed = (await client.get("/pages/conventions")).text
        (duty,) = re.findall(r'href="(/pages/conventions/[^"]+/flows)"', listed)
        page = (await client.get(duty)).text
        assert "la loi l&#39;impose" in page
        pair.act(pair.city, ActKind.SUSPENSION)
        assert "Rien ne passe aujourd'hui" in (await client.get(f"{ONE}/flows")).text


# -- reports --------------------------------------------------------------------------------------


async def test_years_are_published_from_the_page_once_they_are_over(pair: Pair) -> None:
    """A-8.1."""
    school = pair.school
    async with desk(school, Role.MANAGER) as manager:
        page = (await manager.get("/pages/reports")).text
        assert "en cours : s'arrête à partir du 31 août 2027" in page
        assert page.count("une fois pour toutes</button>") == 1
        action = f"/pages/reports/{CONVENTION}"
        answer = await fill(manager, "/pages/reports", action)
        assert answer.headers["location"] == "/pages/reports?done=yes"
        page = (await manager.get(answer.headers["location"])).text
        assert "Le bilan est arrêté." in page
        assert "arrêté le 22 novembre 2026" in page
        for path in re.findall(r'href="(/pages/conventions/[^"]+/report[^"]*)"', page):
            assert (await manager.get(path.replace("&amp;", "&"))).status_code == HTTPStatus.OK
        sheet = await manager.get(f"{ONE}/report.csv?year=2025")
        assert sheet.headers["content-type"].startswith("text/csv")
        token = form_in(await manager.get(ONE), "/pages/sign-out")
        again = await manager.post(action, data={**token, "year": "2025"})
        assert again.status_code == HTTPStatus.CONFLICT
        assert "déjà arrêtée" in again.text
        for year in ("x", "", "-1", "99999"):
            wrong = await manager.post(action, data={**token, "year": year})
            assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    async with desk(school, Role.AGENT) as agent:
        assert "pour toutes</button>" not in (await agent.get("/pages/reports")).text


def test_years_run_from_the_opening_to_today(pair: Pair) -> None:
    core = pair.school.node.core
    pair.clock.at = midnight(date(2029, 10, 1))
    at = pair.clock.at
    pair.school.write(lambda tx: publish(tx, core, CONVENTION, 2026, "m", at))
    (found,) = pair.school.node.database.read_now(lambda c: every(c, core, at))
    assert [(one.name, one.state) for one in found.years] == [
        ("2028-2029", "over"),
        ("2027-2028", "over"),
        ("2026-2027", "published"),
        ("2025-2026", "over"),
    ]
    assert (found.parties, found.public) == (5, 11)
