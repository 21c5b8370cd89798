"""Writes docker-compose.yml from `federation.yaml`: an organisation more is no line more by hand.

Texts with anchors rather than a dump of data, so that what runs can be read. ``ORG`` stands for
the id of an organisation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from services.federation.config import FederationFile
from services.federation.containers import (
    HOME,
    HTTP_PORT,
    KEYSTORE,
    MONITORING_PORT,
    ROLE,
    USER,
    checked,
    database_host,
    leaf_host,
    volumes,
)
from services.federation.layout import OBSERVER, REGISTRAR, TRACES

COMPOSE: Final = "docker-compose.yml"
SCRAPED: Final = "deploy/otel/prometheus.yml"

_HEAD: Final = f"""\
# Written from deploy/federation.yaml by `relais compile`; not to be changed by hand.
#
#   docker compose up --wait          the federation, its conventions signed
#   docker compose run --rm demo      the story, told on it: make demo TARGET=compose
#   docker compose port observer {HTTP_PORT}
#                                     where the trace page is; likewise an organisation's API
#   docker compose down --volumes     nothing left
#
# Every container runs as the same ordinary user on a file system that it cannot write, and sees
# its own volumes alone. `setup` lays out all of them first, `ceremony` has the conventions signed;
# both end at once, and find nothing to do the next time. See docs/adr/0015-compose.md.

name: relais

x-confined: &confined
  user: "{USER}:{USER}"
  read_only: true
  cap_drop: [ALL]
  security_opt: ["no-new-privileges:true"]
  restart: unless-stopped
  logging: {{driver: json-file, options: {{max-size: 5m, max-file: "2"}}}}

x-health: &health
  interval: 5s
  timeout: 5s
  retries: 6
  start_period: 60s

x-relais: &relais
  <<: *confined
  image: relais:local
  pull_policy: never  # built by `setup`
  tmpfs: ["/tmp:size=16m,mode=1777"]
  deploy: {{resources: {{limits: {{cpus: "1.0", memory: 320M, pids: 100}}}}}}

x-once: &once
  <<: *relais
  restart: "no"

# Ready: a row written, a letter taken by its own letterbox, whose reader is attached.
x-serving: &serving
  <<: *relais
  healthcheck:
    <<: *health
    test: [CMD, python, -m, services.federation.probe, "http://127.0.0.1:{HTTP_PORT}/readyz"]

x-node: &node
  <<: *serving
  environment: [RELAIS_OTLP_ENDPOINT]  # where it is set, over the trace page
  ports: ["127.0.0.1::{HTTP_PORT}"]

# Ready: serving, and its letterbox recovered.
x-nats: &nats
  <<: *confined
  image: nats:2.15-alpine
  environment: {{GOMEMLIMIT: 100MiB}}
  deploy: {{resources: {{limits: {{cpus: "1.0", memory: 128M, pids: 100}}}}}}
  depends_on: {{setup: {{condition: service_completed_successfully}}}}
  healthcheck:
    <<: *health
    test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:{MONITORING_PORT}/healthz"]

# Ready: the service's own role reads the database that is made last.
x-database: &database
  <<: *confined
  image: postgres:17-alpine
  command: [postgres, -c, shared_buffers=32MB]
  environment:
    PGDATA: /var/lib/postgresql/data/rows
    PGPASSFILE: /docker-entrypoint-initdb.d/pgpass
    POSTGRES_PASSWORD_FILE: /docker-entrypoint-initdb.d/superuser.password
  tmpfs: ["/tmp:size=16m,mode=1777", "/var/run/postgresql:uid={USER},gid={USER},mode=0700"]
  # initdb looks up the name of whoever runs it
  configs: [{{source: passwd, target: /etc/passwd}}]
  deploy: {{resources: {{limits: {{cpus: "1.0", memory: 192M, pids: 100}}}}}}
  depends_on: {{setup: {{condition: service_completed_successfully}}}}
  healthcheck:
    <<: *health
    test: [CMD, psql, -qtw, -h, 127.0.0.1, -U, {ROLE}, -d, {KEYSTORE}, -c, SELECT 1]

x-telemetry: &telemetry
  profiles: [telemetry]
  read_only: true
  cap_drop: [ALL]
  security_opt: ["no-new-privileges:true"]
  restart: unless-stopped
  networks: [federation]
  deploy: {{resources: {{limits: {{cpus: "1.0", memory: 512M}}}}}}

services:
  # -- the federation: nobody's, and nothing personal in it

  setup:
    <<: *once
    build: {{context: ., dockerfile: deploy/Dockerfile}}
    pull_policy: build
    command: [setup, --hand-over, --config, /etc/relais/federation.yaml]
    # To give each volume to its user, before it becomes that user itself.
    user: "0:0"
    cap_add: [CHOWN, DAC_OVERRIDE, SETGID, SETUID]
    network_mode: none
    volumes:
      - ./deploy/federation.yaml:/etc/relais/federation.yaml:ro
SETUP_VOLUMES

  hub:
    <<: *nats
    command: [nats-server, -c, {HOME}/hub/nats.json]
    volumes: ["hub:{HOME}/hub"]
    networks: [federation]

  registrar:
    <<: *serving
    command:
      - registrar
      - --settings={HOME}/registrar/settings.yaml
      - --clock={HOME}/registrar/clock
    # It reads at its start whom it admits: one more, and it is started again.
    labels: {{relais.organisations: ADMITTED}}
    volumes: ["registrar:{HOME}/registrar"]
    networks: [federation]
    depends_on:
      setup: {{condition: service_completed_successfully}}
      hub: {{condition: service_healthy}}

  ceremony:
    <<: *once
    command: [convention, sign]
    volumes:
CEREMONY_VOLUMES
    networks: [federation]
    depends_on:
      registrar: {{condition: service_healthy}}
ORGS_HEALTHY

  observer:
    <<: *serving
    command: [observer, --store, {HOME}/observer/{TRACES}, --host, 0.0.0.0]
    volumes: ["observer:{HOME}/observer"]
    networks: [federation]
    ports: ["127.0.0.1::{HTTP_PORT}"]
    depends_on:
      setup: {{condition: service_completed_successfully}}
      # `up --wait` waits for the end of a service only where another one does.
      ceremony: {{condition: service_completed_successfully}}
    healthcheck:
      <<: *health
      test: [CMD, python, -m, services.federation.probe, "http://127.0.0.1:{HTTP_PORT}/healthz"]

  # The people of the demonstration: the only ones, with `ceremony`, who sit at every desk.
  demo:
    <<: *once
    profiles: [demo]
    command: [demo, --running]
    volumes:
DEMO_VOLUMES
    networks: [federation]
    depends_on:
      ceremony: {{condition: service_completed_successfully}}
      observer: {{condition: service_healthy}}
"""

_ORGANISATION: Final = f"""
  # -- NAME

  ORG:
    <<: *node
    command:
      - node
      - --settings={HOME}/nodes/ORG/settings.yaml
      - --clock={HOME}/nodes/ORG/clock
    volumes: ["ORG:{HOME}/nodes/ORG"]
    networks: [ORG, federation]
    depends_on:
      setup: {{condition: service_completed_successfully}}
      LEAF: {{condition: service_healthy}}
      DATABASE: {{condition: service_healthy}}

  LEAF:
    <<: *nats
    command: [nats-server, -c, {HOME}/nodes/ORG/nats/nats.json]
    volumes: ["LEAF:{HOME}/nodes/ORG/nats"]
    networks: [ORG, federation]

  DATABASE:
    <<: *database
    volumes:
      - DATABASE:/var/lib/postgresql/data
      - DATABASE-init:/docker-entrypoint-initdb.d:ro
    networks: [ORG]
"""

_TELEMETRY: Final = """
  # -- telemetry for those who want more than the trace page, each with the user of its own image:
  #    RELAIS_OTLP_ENDPOINT=http://collector:4318 docker compose --profile telemetry up --wait

  collector:
    <<: *telemetry
    image: otel/opentelemetry-collector:0.135.0
    command: [--config, /etc/otel/collector.yaml]
    volumes: ["./deploy/otel/collector.yaml:/etc/otel/collector.yaml:ro"]

  jaeger:
    <<: *telemetry
    image: jaegertracing/jaeger:2.10.0
    ports: ["127.0.0.1::16686"]

  prometheus:
    <<: *telemetry
    image: prom/prometheus:v3.5.0
    command: [--config.file, /etc/prometheus/prometheus.yml, --storage.tsdb.retention.time, 2d]
    volumes: ["./deploy/otel/prometheus.yml:/etc/prometheus/prometheus.yml:ro"]
    tmpfs: ["/prometheus:size=256m,mode=1777"]
    ports: ["127.0.0.1::9090"]

  grafana:
    <<: *telemetry
    image: grafana/grafana:12.1.1
    environment:
      GF_AUTH_ANONYMOUS_ENABLED: "true"
      GF_AUTH_BASIC_ENABLED: "false"
      GF_AUTH_DISABLE_LOGIN_FORM: "true"
      GF_ANALYTICS_REPORTING_ENABLED: "false"
      GF_ANALYTICS_CHECK_FOR_UPDATES: "false"
    volumes: ["./deploy/otel/grafana:/etc/grafana/provisioning:ro"]
    tmpfs: ["/tmp:size=16m,mode=1777", "/var/lib/grafana:size=256m,mode=1777"]
    ports: ["127.0.0.1::3000"]
"""

_TAIL: Final = """
configs:
  passwd: {file: deploy/postgres/passwd}

# An organisation's database is on its organisation's own network, and on no other.
"""

_SCRAPED: Final = """\
# Written from deploy/federation.yaml by `relais compile`; not to be changed by hand.

global: {scrape_interval: 5s}

scrape_configs:
  - job_name: relais
    static_configs:
"""


def files(federation: FederationFile) -> dict[str, str]:
    """Texts by path from the root of the project. Raises BadFederation."""
    orgs = [one.id for one in checked(federation).organisations]
    return {COMPOSE: _compose(federation, orgs), SCRAPED: _scraped(orgs)}


def _compose(federation: FederationFile, orgs: list[str]) -> str:
    places = volumes(federation)
    desks = ["federation", *orgs]
    lists = {
        "ADMITTED": " ".join(orgs),
        "SETUP_VOLUMES": _mounts(places, places),
        "CEREMONY_VOLUMES": _mounts(places, desks, ":ro"),
        "DEMO_VOLUMES": _mounts(places, [*desks, REGISTRAR, OBSERVER]),
        "ORGS_HEALTHY": _lines(f"      {org}: {{condition: service_healthy}}" for org in orgs),
    }
    parts = [_filled(_HEAD, lists)]
    for one in federation.organisations:
        names = {
            "DATABASE": database_host(one.id),
            "LEAF": leaf_host(one.id),
            "ORG": one.id,
            "NAME": one.name,
        }
        parts.append(_filled(_ORGANISATION, names))
    networks = _lines(["  federation: {}", *(f"  {org}: {{internal: true}}" for org in orgs)])
    kept = _lines(f"  {name}: {{}}" for name in places)
    parts += [_TELEMETRY, _TAIL, f"networks:\n{networks}\n\nvolumes:\n{kept}\n"]
    return "".join(parts)


def _scraped(orgs: list[str]) -> str:
    targets = (
        f"      - {{targets: ['{part}:{HTTP_PORT}'], labels: {{part: {part}}}}}"
        for part in (REGISTRAR, *orgs)
    )
    return f"{_SCRAPED}{_lines(targets)}\n"


def _mounts(places: Mapping[str, str], names: Iterable[str], mode: str = "") -> str:
    return _lines(f"      - {name}:{HOME / places[name]}{mode}" for name in names)


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text
