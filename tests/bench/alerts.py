"""How soon an alert is known at the school: from the city's call to the row in the school's node.

The measure it speaks of was asked for, agreed, signed by four and begun through the API, with the
clocks a day back so that its contract precedes it; they tell real time again before the first alert
leaves.
"""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from datetime import timedelta
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from contracts.kernel.paris import day_of
from tests.federation.actors_a import Actors
from tests.federation.examples_a import HOST, SCRIPT

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.federation.federation import Federation
    from tests.federation.examples import Case

HANDLED: Final = b"SELECT count(*) FROM a_records WHERE what = 'alert'"
"""Alerts whose effect stands in a school's database."""
CONTRACT: Final = ("m12", "m13", "m14", "m15")
"""Request, answer, and the contract as each side tells it."""

_DAY: Final = timedelta(days=1)
_LOST_AFTER_S: Final = 60.0
_LOOK_S: Final = 0.0005


class LostAlertError(RuntimeError):
    """An alert was refused, or did not arrive within a minute."""


class Alerts:
    """A measure that runs, and the city's referent who warns the school of it.

    handled: counts the alerts that stand at the school. settled: whether nothing is on its way.
    """

    def __init__(
        self,
        federation: Federation,
        orgs: tuple[str, str],
        handled: Callable[[], int],
        settled: Callable[[], bool],
    ) -> None:
        self._federation = federation
        self._school, self._city = orgs
        self._handled = handled
        self._settled = settled
        self._case: Case | None = None

    def prepare(self) -> None:
        """Bring a measure to its first day, and leave the clocks on real time."""
        actors = Actors.of(self._federation, self._school, self._city)
        try:
            actors.go_by(-_DAY)
            today = day_of(self._federation.now(self._school))
            days = {"first_day": str(today - _DAY), "last_day": str(today + 30 * _DAY)}
            actors.host(HOST, **days)
            self._case = actors.play(actors.case(today, today + _DAY), CONTRACT)
        finally:
            actors.go_by(timedelta(0))

    def seconds(self) -> float:
        """Send one alert while nothing else moves; the seconds until the school's node holds it.

        Returns once nothing is on its way any more. Raises LostAlertError.
        """
        case = self._case
        if case is None:
            raise LostAlertError("no measure runs")
        case.today = day_of(self._federation.now(self._city))
        body = json.dumps(SCRIPT.body("m18", case, self._school))
        address = urlsplit(self._federation.url(self._city)).netloc
        token = self._federation.token(self._city, "referent", "referent-1")
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        before = self._handled()
        with closing(http.client.HTTPConnection(address)) as city:
            city.connect()
            began = perf_counter()
            city.request("POST", "/api/v1/messages", body, headers)
            answer = city.getresponse()
            said = answer.read()
        if answer.status != http.HTTPStatus.ACCEPTED:
            raise LostAlertError(f"the city answered {answer.status}: {said.decode()}")
        self._wait(lambda: self._handled() > before, began)
        taken = perf_counter() - began
        self._wait(self._settled, began)
        return taken

    @staticmethod
    def _wait(holds: Callable[[], bool], began: float) -> None:
        while not holds():
            if perf_counter() - began > _LOST_AFTER_S:
                raise LostAlertError("an alert was accepted and did not come to its end")
            sleep(_LOOK_S)
