"""An alert that nobody receives, or nobody reads, grows louder until somebody acts (A-3.15)."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import psutil
import pytest

from services.conventions.a_city_school.clocks import ACKNOWLEDGE, DELIVER, LEVELS
from services.federation.federation import Part
from tests.federation.bounds import DAY
from tests.federation.bounds_a import Day, school_and_city
from tests.federation.bounds_a_measure import SIGNED
from tests.federation.examples import Case
from tests.federation.examples_a import HOST
from tests.federation.town import until
from tests.federations import CITY, SCHOOL


@dataclass
class Alarm:
    """The first day of a measure, and a clock that only goes on."""

    day: Day
    passed: timedelta = timedelta(0)

    def later(self, wait: timedelta) -> None:
        """Let time pass for everybody; a few seconds more than was asked."""
        self.passed += wait + timedelta(seconds=3)
        self.day.go(self.day.today + DAY, self.passed)

    def alert(self, case: Case) -> str:
        """The city sends an alert; returns its id."""
        answer = self.day.ask("m18", case)
        assert answer.is_success, answer.text
        return str(answer.json()["message_id"])

    def due(self, org: str, kind: str, message_id: str) -> tuple[tuple[int, str], ...]:
        """What an organisation's agents see of an alert: how often escalated, in which state."""
        shown = self.day.actors.client(org).get("/api/v1/deadlines").raise_for_status().json()
        mine = [one for one in shown if (one["kind"], one["subject"]) == (kind, message_id)]
        return tuple(sorted((one["level"], one["state"]) for one in mine))

    def sees(
        self, org: str, kind: str, message_id: str, wanted: tuple[tuple[int, str], ...]
    ) -> None:
        """Wait until an organisation's agents see just that."""
        until(
            lambda: self.due(org, kind, message_id) == wanted,
            f"{kind} of {org} is not {wanted}: {self.due(org, kind, message_id)}",
        )

    def read(self, message_id: str) -> None:
        """Somebody at the school reads it."""
        path = f"/api/v1/received/{message_id}/reading"
        self.day.actors.client(SCHOOL).post(path).raise_for_status()

    @contextmanager
    def down(self, *parts: Part) -> Iterator[None]:
        """Parts of the school's node that do not run; ready again at the end."""
        fed = self.day.actors.fed
        supervisor = fed.status().pid
        assert supervisor is not None
        os.kill(supervisor, signal.SIGSTOP)
        try:
            pids = [fed.kill(SCHOOL, part) for part in parts]
            until(lambda: all(_dead(pid) for pid in pids), "it does not die")
            yield
        finally:
            os.kill(supervisor, signal.SIGCONT)
        fed.wait_ready()


def _dead(pid: int) -> bool:
    """Whether a process has ended; its parent sleeps and has not reaped it."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def levels(missed: int, *, runs: bool = True) -> tuple[tuple[int, str], ...]:
    """Deadlines of an alert that was escalated that often."""
    late = tuple((level, "missed") for level in range(missed))
    return (*late, (missed, "pending")) if runs else late


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Alarm, Case]]:
    """A measure on its first day."""
    with school_and_city(tmp_path_factory.mktemp("alert")) as day:
        first, last = (str(day.today + days * DAY) for days in (0, 30))
        day.actors.host(HOST, first_day=first, last_day=last)
        case = day.case(*SIGNED, first_day=day.today + DAY)
        day.go(day.today + DAY)
        case.today = day.today + DAY
        yield Alarm(day), case


def test_an_alert_that_does_not_arrive_escalates_at_the_city(
    running: tuple[Alarm, Case],
) -> None:
    """The school's whole node is down; up again it receives, and must still read."""
    alarm, case = running
    with alarm.down("service", "leaf"):
        sent = alarm.alert(case)
        assert alarm.due(CITY, "alert.delivery", sent) == levels(0)
        for missed in range(1, LEVELS + 1):
            alarm.later(DELIVER)
            alarm.sees(CITY, "alert.delivery", sent, levels(missed))
        alarm.later(DELIVER)
        alarm.sees(CITY, "alert.delivery", sent, levels(LEVELS + 1, runs=False))
        assert alarm.due(CITY, "alert.reading", sent) == levels(0)
        alarm.later(ACKNOWLEDGE - 4 * DELIVER)
        alarm.sees(CITY, "alert.reading", sent, levels(1))
    assert alarm.day.actors.accepted("m18", sent)["receipt"]["status"] == "received"
    alarm.sees(CITY, "alert.delivery", sent, ())
    assert alarm.due(CITY, "alert.reading", sent) == levels(1)
    alarm.sees(SCHOOL, "alert.seen", sent, levels(0))
    alarm.read(sent)
    alarm.sees(SCHOOL, "alert.seen", sent, ())
    alarm.sees(CITY, "alert.reading", sent, ())


def test_an_alert_that_nobody_reads_escalates_at_both_even_if_the_school_was_down_in_between(
    running: tuple[Alarm, Case],
) -> None:
    """It arrived, then the node slept past the two hours: awake, it does what fell due, once."""
    alarm, case = running
    sent = alarm.alert(case)
    alarm.day.actors.accepted("m18", sent)
    alarm.sees(SCHOOL, "alert.seen", sent, levels(0))
    assert alarm.due(CITY, "alert.delivery", sent) == ()
    with alarm.down("service"):
        alarm.later(ACKNOWLEDGE)
        alarm.sees(CITY, "alert.reading", sent, levels(1))
    alarm.sees(SCHOOL, "alert.seen", sent, levels(1))
    alarm.later(ACKNOWLEDGE)
    for org, kind in ((CITY, "alert.reading"), (SCHOOL, "alert.seen")):
        alarm.sees(org, kind, sent, levels(2))
    alarm.read(sent)
    for org, kind in ((CITY, "alert.reading"), (SCHOOL, "alert.seen")):
        alarm.sees(org, kind, sent, ())
    until(
        lambda: alarm.day.actors.accepted("m18", sent)["receipt"]["status"] == "read",
        "the city does not know that it was read",
    )


def test_an_alert_read_in_time_escalates_nowhere(running: tuple[Alarm, Case]) -> None:
    alarm, case = running
    sent = alarm.alert(case)
    alarm.day.actors.accepted("m18", sent)
    alarm.later(ACKNOWLEDGE - timedelta(minutes=1))
    alarm.sees(CITY, "alert.reading", sent, levels(0))
    alarm.sees(SCHOOL, "alert.seen", sent, levels(0))
    alarm.read(sent)
    alarm.sees(CITY, "alert.reading", sent, ())
    alarm.later(timedelta(hours=2))
    unread = alarm.alert(case)
    alarm.day.actors.accepted("m18", unread)
    alarm.later(ACKNOWLEDGE)
    alarm.sees(CITY, "alert.reading", unread, levels(1))  # the scheduler has looked since
    for org, kind in ((CITY, "alert.reading"), (SCHOOL, "alert.seen")):
        assert alarm.due(org, kind, sent) == ()
