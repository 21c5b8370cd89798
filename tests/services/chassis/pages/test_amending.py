"""Amendments from the page: proposed on the last text, read before signing, refused in words."""

from __future__ import annotations

import json
from datetime import date
from http import HTTPStatus

from contracts.kernel.documents import add_signature, kid_of
from contracts.kernel.terms import Terms
from services.chassis.bundle import Bundle
from services.chassis.pages.amending import amended, awaiting
from services.chassis.tokens import Role
from tests.office_desks import desk, fill
from tests.pair import CONVENTION, Pair, Side

ONE = f"/pages/conventions/{CONVENTION}"
AMENDMENT = f"{ONE}/amendment"
EVIDENCE = "ab" * 32
GOOD = {
    "until": "2031-12-31",
    "effective_on": "",
    "evidence": EVIDENCE,
    "signed_on": "2026-11-20",
    "sure": "yes",
}


def proposed_by(pair: Pair, side: Side, until: date) -> None:
    """One party's signature under a second version, and nobody else's."""
    content = pair.terms(2, until=until, evidence=EVIDENCE).to_bytes()
    said = {"signed_on": "2026-11-20"}
    token = add_signature(None, content, side.org, side.node.keys.signing, said)
    pair.publish(Bundle(terms=(token,)))


def test_an_amendment_is_the_last_text_with_another_end_and_the_keys_of_today(pair: Pair) -> None:
    """A-11.1: the same parties, the next version."""
    pair.rotate(pair.city)
    core = pair.school.node.core
    signed = core.directory.conventions[CONVENTION]
    typed = {**GOOD, f"decision-{pair.school.org}": "délibération 7"}
    terms = Terms.model_validate_json(json.dumps(amended(core, signed, typed)))
    assert (terms.version, terms.until, terms.evidence) == (2, date(2032, 1, 1), EVIDENCE)
    found = {one.org: one for one in terms.parties}
    assert found[pair.city.org].signing_key == kid_of(pair.city.node.keys.signing)
    assert found[pair.school.org].decision == "délibération 7"
    assert found[pair.city.org].decision == "délibération fictive"
    theirs = amended(pair.city.node.core, signed, typed)
    assert theirs == amended(core, signed, typed)  # both sides come to the same text


async def test_what_another_party_proposed_is_read_and_then_signed(pair: Pair) -> None:
    proposed_by(pair, pair.city, date(2032, 1, 1))
    core = pair.school.node.core
    signed = core.directory.conventions[CONVENTION]
    assert [one.terms.version for one in awaiting(core, signed)] == [2]
    action = f"{ONE}/versions/2"
    async with desk(pair.school, Role.MANAGER) as manager:
        page = (await manager.get(AMENDMENT)).text
        assert "31 décembre 2031" in page
        assert EVIDENCE in page
        assert "rien d'autre ne peut être proposé" in page
        blank = await fill(manager, AMENDMENT, action)
        assert blank.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert 'href="#version-2-signed_on"' in blank.text
        assert "Cochez cette case" in blank.text
        away = await fill(manager, AMENDMENT, action, signed_on="2026-11-21", sure="yes")
        assert away.status_code == HTTPStatus.SERVICE_UNAVAILABLE  # no registrar answers here
        other = await fill(manager, AMENDMENT, action, signed_on="hier", sure="yes")
        assert other.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert 'id="version-2-signed_on-fault"' in other.text
        assert 'value="hier"' in other.text
    async with desk(pair.school, Role.DPO) as dpo:
        assert "Il manque la signature de Organisme s1" in (await dpo.get(ONE)).text


async def test_a_faulty_amendment_comes_back_with_what_was_typed(pair: Pair) -> None:
    async with desk(pair.school, Role.MANAGER) as manager:
        for name, value in (
            ("until", "jamais"),
            ("evidence", "<b>pas une empreinte"),
            ("signed_on", "0001-01-01"),
            (f"decision-{pair.city.org}", "x" * 2000),
        ):
            answer = await fill(manager, AMENDMENT, AMENDMENT, **{**GOOD, name: value})
            assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, name
            assert f'href="#{name}"' in answer.text, name
            assert "<b>pas" not in answer.text
        blank = await fill(manager, AMENDMENT, AMENDMENT)
        assert blank.text.count("Remplissez ce champ.") == 2 * 3
        assert "Cochez cette case" in blank.text
    assert len(pair.school.node.core.directory.conventions[CONVENTION].versions) == 1
