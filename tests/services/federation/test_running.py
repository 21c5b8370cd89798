"""A federation really running: hub, registrar, observer, two nodes and their own servers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import httpx
import psutil
import pytest

from contracts.kernel.errors import Unavailable, UnknownName
from services.chassis.tokens import Role
from services.federation.calls import CallRefused, call
from services.federation.ceremony import states
from services.federation.federation import Federation, wait_for
from tests.federations import (
    CITY,
    CONVENTION,
    SCHOOL,
    SIGNED_ON,
    THIRD,
    agreement,
    content,
    post,
    read,
    referral,
    send_referral,
    started,
    survivors,
    third_school,
    wait_accepted,
)
from tests.servers import PostgresServer


def test_every_part_runs_as_a_process_of_its_own(federation: Federation) -> None:
    found = federation.status()
    assert found.state == "running"
    names = {"hub", "registrar", "observer", "provider"}
    for org in (SCHOOL, CITY):
        names |= {f"{org}.service", f"{org}.leaf"}
    assert set(found.processes) == names
    pids = [one["pid"] for one in found.processes.values()]
    assert len(set(pids)) == len(names)
    assert all(psutil.pid_exists(pid) for pid in pids)


@pytest.mark.parametrize("org", [SCHOOL, CITY])
def test_both_parties_hold_the_convention_in_force(federation: Federation, org: str) -> None:
    with federation.client(org, Role.MANAGER) as client:
        assert states(client) == {CONVENTION: "in_force"}
        (found,) = call(client, "GET", "/api/v1/conventions")
    assert found["signed_on"] == SIGNED_ON
    assert found["invented"]


def test_what_one_may_send_the_other_may_receive(federation: Federation) -> None:
    flows = {}
    for org in (SCHOOL, CITY):
        with federation.client(org) as client:
            flows[org] = call(client, "GET", "/api/v1/flows")
    sent = [one["type"] for one in flows[SCHOOL]["send"]]
    assert "referral.submitted" in sent
    assert sent == [one["type"] for one in flows[CITY]["receive"]]
    assert {one["partner"] for one in flows[SCHOOL]["send"]} == {CITY}


def test_a_referral_reaches_the_city_and_its_receipt_comes_home(federation: Federation) -> None:
    message_id = send_referral(federation)
    with federation.client(SCHOOL) as client:
        found = call(client, "GET", f"/api/v1/messages/{message_id}")
    assert found["receipt"]["status"] == "received"
    with federation.client(CITY) as client:
        call(client, "POST", "/api/v1/charter", json={"version": "1"})
        case = call(client, "GET", f"/api/v1/cases/{found['case_id']}")
    assert case["partner"] == SCHOOL


def test_a_referral_without_agreement_is_refused_with_its_article(federation: Federation) -> None:
    with federation.client(SCHOOL) as client:
        agreement(federation, client)
        with pytest.raises(CallRefused) as refusal:
            call(client, "POST", "/api/v1/messages", json=referral(None))
    assert "A-2.11" in refusal.value.articles


def test_a_clock_of_its_own_tells_each_node_its_day(federation: Federation) -> None:
    """A-8.1: a school a year ahead sees that the review is late, and the city that it is due."""
    day = timedelta(days=400)
    try:
        federation.move_clock(day, SCHOOL)
        assert federation.now(SCHOOL) - federation.now(CITY) > day - timedelta(minutes=1)
        wait_for(lambda: _review(federation, SCHOOL) == "missed", 10, "the review is not late")
        wait_for(lambda: _review(federation, CITY) == "pending", 10, "no review is due")
    finally:
        federation.move_clock(timedelta(0))


def _review(federation: Federation, org: str) -> str | None:
    with federation.client(org) as client:
        found = call(client, "GET", "/api/v1/deadlines")
    return next((one["state"] for one in found if one["kind"] == "convention.review"), None)


@pytest.mark.parametrize("part", ["service", "leaf"])
def test_a_process_that_is_killed_comes_back_and_letters_pass_again(
    federation: Federation, part: str
) -> None:
    before = federation.kill(CITY, part)  # type: ignore[arg-type] # pytest gives plain texts

    def back() -> bool:
        now = federation.pid(CITY, part)  # type: ignore[arg-type] # same
        return now not in {None, before} and psutil.pid_exists(now or 0)

    wait_for(back, 15, "never back")
    federation.wait_ready()
    send_referral(federation)


def test_what_is_sent_while_the_receiver_is_down_arrives(federation: Federation) -> None:
    with federation.client(SCHOOL) as client:
        body = referral(agreement(federation, client))
        federation.kill(CITY)
        sent = post(client, "messages", body)
        # Handed out to the dead process, a letter is handed out again after 30 seconds (ack_wait).
        wait_accepted(client, sent["message_id"], 60)


def test_logs_are_json_lines_without_names(federation: Federation) -> None:
    send_referral(federation)
    for org in (SCHOOL, CITY):
        text = federation.logs(org).read_text(encoding="utf-8")
        assert all(json.loads(line)["event"] for line in text.splitlines())
        assert "Exemplaire" not in text


def test_a_token_opens_one_organisation_in_one_role(federation: Federation) -> None:
    headers = {"Authorization": f"Bearer {federation.token(SCHOOL, 'agent')}"}
    path = "/api/v1/conventions"
    assert httpx.get(federation.url(SCHOOL) + path, headers=headers).status_code == 200
    assert httpx.get(federation.url(CITY) + path, headers=headers).status_code == 401
    journal = "/api/v1/journal"
    assert httpx.get(federation.url(SCHOOL) + journal, headers=headers).status_code == 403


def test_names_that_do_not_exist_are_told(federation: Federation) -> None:
    with pytest.raises(UnknownName, match=SCHOOL):
        federation.pid("nulle-part")
    with pytest.raises(UnknownName, match=SCHOOL):
        federation.url("nulle-part")
    with pytest.raises(UnknownName, match="referent"):
        federation.token(SCHOOL, "roi")


def test_a_running_federation_is_not_laid_out_again(federation: Federation, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="relais down"):
        Federation.create(federation.layout.home, read(tmp_path, content()))


def test_data_stay_a_new_school_signs_and_nothing_is_left_running(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with started(home) as federation:
        message_id = send_referral(federation)
        assert survivors(home)
    assert survivors(home) == []
    values = content()
    values["organisations"].append(third_school())
    again = Federation.create(home, read(tmp_path, values))
    try:
        assert again.start() == [f"a-{CITY}-{THIRD}"]
        with again.client(SCHOOL) as client:
            found = call(client, "GET", f"/api/v1/messages/{message_id}")
        assert found["state"] == "accepted"
        with again.client(CITY, Role.MANAGER) as client:
            assert set(states(client).values()) == {"in_force"}
            assert len(states(client)) == 2
    finally:
        again.stop()
    assert survivors(home) == []
    again.stop()  # a second time does nothing


def test_it_runs_on_postgresql(tmp_path: Path, postgres_server: PostgresServer) -> None:
    home = tmp_path / "home"
    with started(home, postgres_server.url("postgres")) as federation:
        send_referral(federation)
        assert not list(home.rglob("node.sqlite"))


_OWNER = """
import sys, time
from pathlib import Path
from services.federation.federation import Federation
Federation.open(Path(sys.argv[1])).start()
time.sleep(600)
"""


def test_it_ends_with_a_caller_that_is_killed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    federation = Federation.create(home, read(tmp_path, content()))
    owner = subprocess.Popen([sys.executable, "-c", _OWNER, str(home)])
    try:
        wait_for(lambda: federation.status().state == "running", 60, "never up")
        os.kill(owner.pid, signal.SIGKILL)
        owner.wait()
        wait_for(lambda: not survivors(home), 20, "still up")
    finally:
        owner.kill()
        owner.wait()
        federation.stop()
