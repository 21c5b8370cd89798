"""Relais as the harness sees it: a school and a city of a real federation, everything on.

A message is posted to the school's node, decided, sealed (X-Wing), relayed through the school's
leaf, the hub and the city's leaf over TLS, stored there on disk (`sync_interval: always`), opened,
decided again, takes effect, and its signed receipt travels home. Both nodes' databases lie on one
PostgreSQL server with fsync on, as the peers' do; nothing is configured otherwise than the product
does by itself, save the share of traces kept, which is that of production instead of all of them.
"""

from __future__ import annotations

import asyncio
import http.client
import json
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import psycopg
import yaml

from services.chassis.settings import NodeSettings
from services.federation.databases import node_databases
from services.federation.federation import Federation
from services.federation.layout import HUB, OBSERVER, REGISTRAR, SERVICE, Layout, leaf_of
from tests.bench import alerts
from tests.bench.load import Request, exchange
from tests.bench.processes import postmaster
from tests.servers import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FEDERATION: Final = Path(__file__).with_name("federation.yaml")
SCHOOL, CITY = "college-des-essais", "ville-des-essais"

_CONCERNS: Final = ("absences", "motivation", "climate", "orientation", "other")
_HELPS: Final = ("support", "activities", "mediation", "orientation_advice")
_LEVELS: Final = ("6e", "5e", "4e", "3e", "2de", "1re", "terminale", "cap1")
_EFFECTS: Final = b"SELECT count(*) FROM a_pathways"
_OPEN: Final = b"SELECT count(*) FROM (SELECT FROM outbox WHERE due_at IS NOT NULL LIMIT 1) AS one"
_ACCEPTED: Final = (
    b"SELECT count(*) FROM outbox WHERE state = 'accepted' AND type = 'referral.submitted'"
)
_LAG: Final = b"\nrelais_letterbox_erasure_lag "
_AT_ONCE: Final = 32


class Relais:
    """The product's whole road, from the HTTP call to the accepted message and the erased letter.

    Each message rests on a person and an agreement of its own, made before anything is measured.
    """

    name = "relais"

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._databases: dict[str, psycopg.Connection[tuple[int]]] = {}
        self._nodes: list[str] = []
        self._pids: dict[str, Sequence[int]] = {}
        self._agreements: list[str] = []
        self._headers: dict[str, str] = {}
        self._school = ""
        self._given_at = ""
        self._settled = 0
        self._alerts: alerts.Alerts | None = None

    def start(self) -> None:
        """Start PostgreSQL and the federation, have the convention signed and the charter read."""
        home = Path(self._stack.enter_context(TemporaryDirectory(prefix="bench-relais-")))
        postgres = self._stack.enter_context(PostgresServer(fsync=True))
        federation = Federation.create(home / "federation", FEDERATION, postgres.url("postgres"))
        sample_as_in_production(federation.layout)
        self._stack.enter_context(federation)
        for org in (SCHOOL, CITY):
            name, _ = node_databases(org)
            url = postgres.url(name).replace("+psycopg", "")
            self._databases[org] = self._stack.enter_context(psycopg.connect(url, autocommit=True))
            self._nodes.append(urlsplit(federation.url(org)).netloc)
        self._alerts = alerts.Alerts(
            federation,
            (SCHOOL, CITY),
            handled=lambda: self._count(SCHOOL, alerts.HANDLED),
            settled=lambda: not self._open() and self._erased(),
        )
        self._alerts.prepare()
        self._pids = {**_processes(federation), "postgres": [postmaster(postgres)]}
        self._school = federation.url(SCHOOL)
        self._headers = {"Authorization": f"Bearer {federation.token(SCHOOL)}"}
        self._given_at = (federation.now(SCHOOL) - timedelta(minutes=5)).isoformat()
        self._all_of([self._post("charter", {"version": "1"})])

    def provide(self, count: int) -> None:
        """Register a person and record an agreement for each of the first `count` messages."""
        indices = range(len(self._agreements), count)
        said = self._all_of([self._post("persons", person(index)) for index in indices])
        wanted = [self._post("agreements", self._agreement(one["person_id"])) for one in said]
        self._agreements += [one["agreement_id"] for one in self._all_of(wanted)]

    def request(self, index: int) -> Request:
        """Post referral `index`, on its own agreement."""
        body = {
            "type": "referral.submitted",
            "to": CITY,
            "agreement_id": self._agreements[index],
            "data": {
                "level": _LEVELS[index % len(_LEVELS)],
                "concerns": [_CONCERNS[index % 5], _CONCERNS[(index + 1) % 5]],
                "hoped_help": _HELPS[index % len(_HELPS)],
            },
        }
        return self._post("messages", body)

    def effects(self) -> int:
        """Count the referrals that stand in the city's database."""
        return self._count(CITY, _EFFECTS)

    def done(self) -> int:
        """Count the accepted messages, once nothing is open and every handled letter is erased.

        Until then it returns what it counted before: counting all rows at every look would cost the
        system more than the message does.
        """
        if not self._open() and self._erased():
            self._settled = self._count(SCHOOL, _ACCEPTED)
        return self._settled

    def alert(self) -> float:
        """Send an alert by itself; the seconds until it stands in the school's database."""
        if self._alerts is None:
            raise alerts.LostAlertError("the system was not started")
        return self._alerts.seconds()

    def processes(self) -> Mapping[str, Sequence[int]]:
        """Return every process of the federation, and the database server."""
        return self._pids

    def stop(self) -> None:
        """End what was started, last first."""
        self._stack.close()

    def _post(self, path: str, body: Mapping[str, Any]) -> Request:
        content = json.dumps(body, ensure_ascii=False).encode()
        return Request(f"{self._school}/api/v1/{path}", self._headers, content)

    def _agreement(self, person_id: str) -> dict[str, Any]:
        return {
            "person_id": person_id,
            "recipients": [CITY],
            "flows": ["referral.submitted", "referral.answered"],
            "giver": "representative",
            "authority": "parental",
            "means": "in_person",
            "granted": True,
            "assent": "not_asked",
            "notice": {
                "version": "2026-1",
                "channel": "meeting",
                "language": "fr",
                "given_at": self._given_at,
            },
            "given_at": self._given_at,
        }

    @staticmethod
    def _all_of(requests: Sequence[Request]) -> list[dict[str, Any]]:
        bodies = asyncio.run(exchange(requests, _AT_ONCE, status="201"))
        return [json.loads(body) for body in bodies]

    def _count(self, org: str, sql: bytes) -> int:
        row = self._databases[org].execute(sql).fetchone()
        return row[0] if row else 0

    def _open(self) -> bool:
        return any(self._count(org, _OPEN) for org in (SCHOOL, CITY))

    def _erased(self) -> bool:
        return all(_erasure_lag(address) == 0 for address in self._nodes)


def _erasure_lag(address: str) -> float:
    with closing(http.client.HTTPConnection(address)) as node:
        node.request("GET", "/metrics")
        _, _, after = node.getresponse().read().partition(_LAG)
    return float(after.split(b"\n", 1)[0])


def person(index: int) -> dict[str, Any]:
    """Return an invented pupil of 13 or 14 with a parent."""
    family = f"Démonstration-{''.join(chr(97 + int(digit)) for digit in f'{index:06d}')}"
    return {
        "identity": {
            "family_name": family,
            "first_name": "Camille",
            "birth_date": f"2012-{1 + index % 12:02d}-{1 + index % 28:02d}",
            "channel": None,
        },
        "representatives": [
            {
                "family_name": family,
                "first_name": "Dominique",
                "channel": {"kind": "email", "value": f"famille.{index:06d}@exemple.example"},
            }
        ],
    }


def sample_as_in_production(layout: Layout) -> None:
    """Let every node keep the share of traces that it keeps unless told otherwise."""
    for org in layout.orgs:
        file = layout.settings_file(org)
        settings = yaml.safe_load(file.read_text(encoding="utf-8"))
        settings["sample_ratio"] = NodeSettings.model_fields["sample_ratio"].default
        file.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")


def _processes(federation: Federation) -> dict[str, Sequence[int]]:
    names = {
        "school": f"{SCHOOL}.{SERVICE}",
        "city": f"{CITY}.{SERVICE}",
        "school's leaf": leaf_of(SCHOOL),
        "hub": HUB,
        "city's leaf": leaf_of(CITY),
        "registrar": REGISTRAR,
        "observer": OBSERVER,
    }
    running = federation.status().processes
    return {part: [running[name]["pid"]] for part, name in names.items()}
