"""Managers act from their pages on a real federation: both sides, and the registrar, follow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import httpx

from contracts.kernel.paris import day_of
from services.chassis.tokens import Role
from tests.federation.test_sign_in import accept_charter, authorised_at, browser, sign_in, token_in
from tests.federation.town import CITY, SCHOOL, Town, until

SEE = HTTPStatus.SEE_OTHER
CONVENTION = f"a-{CITY}-{SCHOOL}"
ONE = f"/pages/conventions/{CONVENTION}"


@contextmanager
def sitting(town: Town, org: str, role: Role) -> Iterator[httpx.Client]:
    """Somebody who signed in at an organisation and accepted the charter."""
    with authorised_at(town, org, role), browser(town, org) as client:
        assert sign_in(client, role, org).status_code == SEE
        accept_charter(client)
        yield client


def do(client: httpx.Client, where: str, action: str, **values: str) -> httpx.Response:
    page = client.get(where)
    return client.post(action, data={"token": token_in(page), **values})


def state(town: Town, org: str) -> str:
    found: list[dict[str, Any]] = town.dpo[org].get("/api/v1/conventions").json()
    return str(next(one["state"] for one in found if one["convention_id"] == CONVENTION))


def test_a_suspension_from_the_page_stops_both_sides_until_it_is_resumed(one_town: Town) -> None:
    """A-10.1."""
    with sitting(one_town, SCHOOL, Role.MANAGER) as manager:
        acting = f"{ONE}/acting"
        try:
            answer = do(manager, acting, f"{acting}/suspension", sure="yes")
            assert answer.headers["location"] == f"{ONE}?done=suspension"
            shown = manager.get(answer.headers["location"]).text
            assert "La convention est suspendue" in shown
            assert f"par {SCHOOL}" in shown
            until(lambda: state(one_town, CITY) == "suspended", "the city still holds it open")
            assert "Rien ne passe aujourd'hui" in manager.get(f"{ONE}/flows").text
        finally:
            do(manager, acting, f"{acting}/resumption")
    until(lambda: state(one_town, CITY) == "in_force", "the city still holds it closed")
    one_town.settle()


def test_an_amendment_is_proposed_by_one_and_signed_by_the_other(one_town: Town) -> None:
    """A-11.1: it counts once both have signed the same text, from its own day on."""
    today = day_of(one_town.fed.now(SCHOOL))
    typed = {
        "until": (today + timedelta(days=1000)).isoformat(),  # other tests find it over in 3 years
        "effective_on": (today + timedelta(days=700)).isoformat(),
        "evidence": "ab" * 32,
        "signed_on": today.isoformat(),
        "sure": "yes",
    }
    with (
        sitting(one_town, SCHOOL, Role.MANAGER) as head,
        sitting(one_town, CITY, Role.MANAGER) as mayor,
    ):
        answer = do(head, f"{ONE}/amendment", f"{ONE}/amendment", **typed)
        assert answer.headers["location"] == f"{ONE}?done=signature", answer.text
        assert "Votre signature est enregistrée." in head.get(answer.headers["location"]).text
        action = f"{ONE}/versions/2"
        until(
            lambda: action in mayor.get(f"{ONE}/amendment").text, "the city was not shown the text"
        )
        signed = do(mayor, f"{ONE}/amendment", action, signed_on=today.isoformat(), sure="yes")
        assert signed.headers["location"] == f"{ONE}?done=signature", signed.text
        until(
            lambda: "Il manque la signature" not in head.get(ONE).text,
            "the school does not see the city's signature",
        )
        assert head.get(ONE).text.count("porte la fin au") == 1
    for org in (SCHOOL, CITY):
        assert state(one_town, org) == "in_force"
    one_town.settle()


def test_the_observer_s_trace_is_on_the_operator_s_page(one_town: Town) -> None:
    message_id = one_town.accepted()["message_id"]
    with sitting(one_town, SCHOOL, Role.OPERATOR) as operator:
        path = f"/pages/operation/message?number={message_id}"
        steps = ("demande d&#39;envoi", "traitement à l&#39;arrivée", "accusé de réception")

        def observed() -> bool:
            page = operator.get(path)
            assert page.status_code == HTTPStatus.OK
            return "lui-même" not in page.text and all(step in page.text for step in steps)

        until(observed, "the observer never showed the message")
        page = operator.get(path).text
        assert CITY in page
        first = operator.get("/pages/operation").text
        assert re.search(r"Dernier accusé\">\d", first)
        assert "L'annuaire n'est pas à jour" not in first


def test_the_journal_of_a_whole_story_is_found_replayed_and_verified(one_town: Town) -> None:
    sent = one_town.accepted()
    with sitting(one_town, CITY, Role.DPO) as dpo:
        found = dpo.get(f"/pages/journal?message={sent['message_id']}").text
        (line,) = re.findall(r'href="(/pages/journal/\d+)"', found)
        assert "Même décision" in dpo.get(line).text
        where = "/pages/journal/verification"
        assert do(dpo, where, where).status_code == SEE
        until(lambda: "Vérification en cours" not in dpo.get(where).text, "it never ended")
        assert "Le journal est intact" in dpo.get(where).text
