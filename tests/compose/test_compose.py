"""docker-compose.yml on a real engine: it comes up, tells the story, and survives any death."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

import httpx
import pytest

from services.conventions.a_city_school.models import pathways
from tests.compose.engine import LASTING, PATIENCE_S, Caller, Project, docker

pytestmark = [pytest.mark.compose, pytest.mark.timeout(1800)]

SCHOOL: Final = "college-des-saules"
CITY: Final = "ville-aubelune"
OTHER: Final = "mission-locale-aubelune"
ONCE: Final = {"setup", "ceremony"}

_LETTERS: Final = 12
_PACE_S: Final = 0.25
_DOWN_S: Final = 2.0


# -- it comes up --------------------------------------------------------------------------------


def test_every_container_is_up_and_healthy(project: Project) -> None:
    found = project.containers()
    assert set(found) == {*LASTING, *ONCE}
    assert {name: found[name].health for name in LASTING} == dict.fromkeys(LASTING, "healthy")
    assert {name: (found[name].state, found[name].exit_code) for name in ONCE} == dict.fromkeys(
        ONCE, ("exited", 0)
    )


def test_the_story_passes(project: Project) -> None:
    told = json.loads(project.relais("demo", "--running", "--json"))
    assert [one["title"] for one in told["steps"] if not one["ok"]] == []
    assert told["ok"]


def test_a_second_up_changes_nothing(project: Project) -> None:
    before = {name: project.container(name).started_at for name in LASTING}
    project.compose("up", "--wait")
    assert {name: project.container(name).started_at for name in LASTING} == before


# -- what each part is and sees -----------------------------------------------------------------


@pytest.mark.parametrize("service", LASTING)
def test_a_container_is_an_ordinary_user_on_a_closed_file_system(
    project: Project, service: str
) -> None:
    (found,) = json.loads(docker("inspect", project.container(service).id))
    host = found["HostConfig"]
    assert found["Config"]["User"] == "10001:10001"
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["Memory"] > 0
    assert host["NanoCpus"] > 0
    status = docker("exec", found["Id"], "cat", "/proc/1/status")
    assert {line.split()[1] for line in status.splitlines() if line.startswith("Uid:")} == {"10001"}


def test_what_is_secret_is_closed_to_others(project: Project) -> None:
    secrets = "find /var/lib/relais -type f ! -perm 600 ! -name '*.sqlite*'"
    for service in (SCHOOL, f"{SCHOOL}-leaf", "hub", "registrar"):
        found = project.compose("exec", "-T", service, "sh", "-c", secrets).split()
        assert [name for name in found if "/jetstream/" not in name] == [], service


def test_a_database_is_reached_by_its_own_service_alone(project: Project) -> None:
    script = (
        "import socket, sys\n"
        "try: socket.create_connection((sys.argv[1], 5432), timeout=3)\n"
        "except OSError: print('closed')\n"
        "else: print('open')"
    )

    def from_(service: str) -> str:
        return project.compose(
            "exec", "-T", service, "python", "-c", script, f"{CITY}-database"
        ).strip()

    assert from_(CITY) == "open"
    assert {
        name: from_(name) for name in (SCHOOL, OTHER, "registrar", "observer")
    } == dict.fromkeys((SCHOOL, OTHER, "registrar", "observer"), "closed")


# -- it survives -------------------------------------------------------------------------------


def test_a_part_that_ends_by_itself_comes_back_by_itself(project: Project) -> None:
    before = project.container(OTHER).started_at
    project.compose("exec", "-T", OTHER, "python", "-c", "import os; os.kill(1, 15)")
    deadline = time.monotonic() + PATIENCE_S
    while project.container(OTHER).started_at == before:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    project.wait_healthy(OTHER)


def test_a_node_without_its_database_is_not_ready(project: Project) -> None:
    """Its check writes; one that only asks whether something listens would stay green."""

    def ready() -> bool:
        return httpx.get(f"{project.address(OTHER)}/readyz", timeout=30).is_success

    assert ready()
    project.kill(f"{OTHER}-database")
    try:
        assert not ready()
    finally:
        project.bring_back(f"{OTHER}-database")
    project.wait_healthy(f"{OTHER}-database", OTHER)
    assert ready()


@dataclass
class Desk:
    """The school's program, with an agreement that covers its referrals to the city."""

    project: Project
    caller: Caller
    agreement: str
    sent: list[str] = field(default_factory=list)
    failure: BaseException | None = None

    def send(self, count: int) -> None:
        """Send referrals, each under its own key, however often a call has to be made again."""
        try:
            for _ in range(count):
                body = {
                    "type": "referral.submitted",
                    "to": CITY,
                    "agreement_id": self.agreement,
                    "data": {"level": "4e", "concerns": ["absences"], "hoped_help": "support"},
                }
                headers = {"Idempotency-Key": str(uuid4())}
                answer = self.caller.call("POST", "messages", json=body, headers=headers)
                self.sent.append(answer["message_id"])
                time.sleep(_PACE_S)
        except BaseException as error:  # noqa: BLE001 -- shown by the test, not by the thread
            self.failure = error

    def wait_accepted(self) -> None:
        """Return once the city's signed receipt of each is home."""
        deadline = time.monotonic() + PATIENCE_S
        waiting = set(self.sent)
        while waiting:
            for message_id in sorted(waiting):
                state = self.caller.call("GET", f"messages/{message_id}")["state"]
                if state == "accepted":
                    waiting.discard(message_id)
            assert time.monotonic() < deadline, f"not accepted: {waiting}"
            time.sleep(0.5)


@pytest.fixture(scope="session")
def desk(project: Project) -> Desk:
    caller = Caller(project, SCHOOL, "manager", "cheffe-7")
    caller.call("POST", "charter", json={"version": "1"})
    channel = {"kind": "email", "value": "dominique@famille.example"}
    person = {
        "identity": {
            "family_name": "Exemplaire",
            "first_name": "Zoé",
            "birth_date": "2012-03-09",
            "channel": None,
        },
        "representatives": [
            {"family_name": "Exemplaire", "first_name": "Dominique", "channel": channel}
        ],
    }
    ago = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    agreement = {
        "person_id": caller.call("POST", "persons", json=person)["person_id"],
        "recipients": [CITY],
        "flows": ["referral.submitted", "referral.answered"],
        "giver": "representative",
        "authority": "parental",
        "means": "in_person",
        "granted": True,
        "assent": "not_asked",
        "notice": {"version": "2026-1", "channel": "meeting", "language": "fr", "given_at": ago},
        "given_at": ago,
    }
    made = caller.call("POST", "agreements", json=agreement)
    return Desk(project, caller, made["agreement_id"])


def effects(project: Project, org: str, event: str, ids: list[str]) -> Counter[str]:
    """How often an organisation's journal tells that event of each of these messages."""
    named = ",".join(f"'{one}'" for one in ids)
    rows = project.rows(
        org,
        "SELECT message_id, count(*) FROM journal "  # noqa: S608 -- ids of this test
        f"WHERE event = '{event}' AND message_id IN ({named}) GROUP BY 1",
    )
    return Counter({message_id: int(count) for message_id, count in rows})


@pytest.mark.parametrize("service", LASTING)
def test_nothing_is_lost_or_doubled_when_a_container_is_killed(
    project: Project, desk: Desk, service: str
) -> None:
    desk.sent = []
    held = referrals(project)
    sending = threading.Thread(target=desk.send, args=(_LETTERS,))
    sending.start()
    time.sleep(3 * _PACE_S)
    project.kill(service)
    assert len(desk.sent) < _LETTERS
    assert project.container(service).state == "exited"
    time.sleep(_DOWN_S)
    project.bring_back(service)
    sending.join(2 * PATIENCE_S)
    assert desk.failure is None, desk.failure
    assert len(set(desk.sent)) == _LETTERS
    desk.wait_accepted()
    project.wait_healthy(service)
    once = Counter(desk.sent)
    assert effects(project, SCHOOL, "message.sent", desk.sent) == once
    assert effects(project, CITY, "message.received", desk.sent) == once
    assert referrals(project) == held + _LETTERS


def referrals(project: Project) -> int:
    """How many referrals the city holds."""
    ((count,),) = project.rows(CITY, f"SELECT count(*) FROM {pathways.name}")  # noqa: S608 -- a name of ours
    return int(count)


def test_every_journal_still_verifies(project: Project) -> None:
    """Each chain, crossed with the heads that the partners hold, after all those deaths."""
    assert json.loads(project.relais("journal", "verify", "--json"))
