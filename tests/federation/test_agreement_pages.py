"""From the register to a withdrawal at a running school's pages; the city's node answers."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx

from contracts.kernel.paris import PARIS
from services.chassis.tokens import Role
from tests.federation.leaks import Search
from tests.federation.test_sign_in import accept_charter, authorised_at, browser, sign_in
from tests.federation.town import CITY, SCHOOL, Town, until

RARE = "Quetzalmoulin"
"""A name that nothing else here bears."""


def send(client: httpx.Client, path: str, to: str, typed: Mapping[str, Any]) -> str:
    """Send the form of a page; returns where it leads."""
    page = client.get(path).text
    (form,) = re.findall(rf'<form[^>]*action="{re.escape(to)}".*?</form>', page, re.DOTALL)
    hidden = {
        name: html.unescape(value)
        for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form)
    }
    answer = client.post(to, data={**hidden, **typed})
    assert answer.status_code == HTTPStatus.SEE_OTHER, answer.text
    where: str = answer.headers["location"]
    return where


def test_a_person_agrees_and_withdraws_at_a_running_school(one_town: Town) -> None:
    """A-2.10, A-2.11: the city's signed answer shows; no name stays in a log or a file."""
    with authorised_at(one_town, SCHOOL, Role.REFERENT), browser(one_town, SCHOOL) as client:
        assert sign_in(client, Role.REFERENT, SCHOOL).status_code == HTTPStatus.SEE_OTHER
        accept_charter(client)
        who = {
            "identity.family_name": RARE,
            "identity.first_name": "Sasha",
            "identity.birth_date": "2012-07-14",
            "first.family_name": RARE,
            "first.first_name": "Lou",
            "first.channel.kind": "email",
            "first.channel.value": "lou@quetzalmoulin.example",
        }
        person = send(client, "/pages/people/new", "/pages/people/new", who)
        looked = {"family_name": RARE.upper(), "first_name": "sasha", "birth_date": "2012-07-14"}
        assert send(client, "/pages/agreements", "/pages/agreements/search", looked) == person
        before = one_town.fed.now(SCHOOL) - timedelta(minutes=5)
        given = before.astimezone(PARIS).strftime("%Y-%m-%dT%H:%M")
        record = {
            "flows": ["referral.submitted", "referral.answered"],
            "giver": "representative",
            "authority": "parental",
            "means": "in_person",
            "granted": "true",
            "assent": "not_asked",
            "notice.channel": "meeting",
            "notice.given_at": given,
            "given_at": given,
            "notice.language": "fr",
            "notice.version": "1",
        }
        agreement = send(client, f"{person}/agreement", f"{person}/agreement", record)
        one_town.accepted(agreement.rpartition("/")[2])
        withdrawal = f"{agreement}/withdrawal"
        assert send(client, withdrawal, withdrawal, {}) == agreement
        until(lambda: "tout est arrêté" in client.get(agreement).text, f"{CITY} did not answer")
        assert "pas encore de réponse" not in client.get(agreement).text
        assert RARE in client.get(person).text
        assert RARE not in person + agreement
    assert Search([RARE]).in_folder(one_town.fed.layout.home) == {}
