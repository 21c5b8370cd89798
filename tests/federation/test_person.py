"""A person's page on real servers: what is withdrawn there stops this node and its partner."""

from __future__ import annotations

import re
from http import HTTPStatus

import httpx

from tests.federation.leaks import Search
from tests.federation.town import CITY, SCHOOL, Town, until


def test_a_withdrawal_at_the_page_is_seen_at_once_here_and_at_the_partner(one_town: Town) -> None:
    """A-2.11; no code, no cookie and no name is left in a log."""
    town, person = one_town, one_town.pupil()
    agreement_id = town.agree(person)
    message = town.accepted(agreement_id)
    asked = {"holder": "representative", "means": "in_person"}
    given = town.head.post(f"/api/v1/persons/{person}/codes", json=asked).raise_for_status().json()
    headers = {"accept": "text/html"}
    with httpx.Client(base_url=town.fed.url(SCHOOL), headers=headers, timeout=30) as browser:
        opened = browser.post("/person/code", data={"code": given["code"]})
        assert opened.status_code == HTTPStatus.SEE_OTHER
        page = browser.get("/person/").text
        assert "fiche de repérage (reçu)" in page
        path = f"/person/agreements/{agreement_id}"
        token = re.search(r'name="token" value="([^"]+)"', page)
        assert token is not None
        done = browser.post(f"{path}/withdrawal", data={"token": token.group(1)})
        assert done.headers["location"] == path
        assert town.attempt(agreement_id).status_code == HTTPStatus.FORBIDDEN
        until(lambda: "tout est arrêté" in browser.get(path).text, "the city does not answer")
        usage = browser.get("/person/usage/findUsage").json()
        assert "qu'un accord change. Réponse : tout est arrêté" in str(usage["usages"])
        cookie = browser.cookies["relais-person"]
    case = town.dpo[CITY].get(f"/api/v1/cases/{message['case_id']}").raise_for_status().json()
    assert case["state"] == "stopped"
    secret = given["code"].replace("-", "")
    said = (given["code"], secret, cookie, "Exemplaire", "Dominique")
    assert Search(said).in_folder(town.fed.layout.home) == {}
