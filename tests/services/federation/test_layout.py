"""The state folder: complete, closed to others, and the same after a second time."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.kernel.errors import Unavailable, UnknownName
from services.chassis.keys import NodeKeys
from services.chassis.settings import load_node_settings, load_registrar_settings
from services.federation import databases
from services.federation.config import BadFederation
from services.federation.layout import Layout, lay_out, leaf_of
from services.federation.ports import HOST, answers
from tests.federations import CITY, SCHOOL, THIRD, content, read, third_school
from tests.servers import PostgresServer

AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return lay_out(tmp_path / "home", read(tmp_path, content()), AT)


def test_a_node_starts_from_its_folder(layout: Layout) -> None:
    settings = load_node_settings(layout.settings_file(SCHOOL))
    assert (settings.org, settings.uai) == (SCHOOL, "9990101F")
    assert settings.http_port == layout.ports[SCHOOL]
    assert settings.database_url.startswith("sqlite:///")
    config = json.loads((layout.node_dir(SCHOOL) / "nats" / "nats.json").read_text())
    assert config["port"] == layout.ports[leaf_of(SCHOOL)]
    assert settings.nats_url == f"nats://{HOST}:{config['port']}"


def test_the_registrar_admits_each_organisation_with_its_first_key(layout: Layout) -> None:
    settings = load_registrar_settings(layout.folder("registrar") / "settings.yaml")
    found = {one.id: one.thumbprint for one in settings.organisations}
    keys = NodeKeys.open(layout.node_dir(CITY), CITY, AT)
    assert found[CITY] == keys.kid
    keys.rotate_signing(AT)
    again = lay_out(layout.home, layout.federation, AT)
    settings = load_registrar_settings(again.folder("registrar") / "settings.yaml")
    assert {one.id: one.thumbprint for one in settings.organisations} == found


def test_what_is_secret_is_closed_to_others(layout: Layout) -> None:
    secrets = {"secret", "keys.json", "nats.json", "leaf.creds", "leaf-key.pem", "settings.yaml"}
    found = [path for path in layout.home.rglob("*") if path.name in secrets]
    assert {path.name for path in found} == secrets
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}


def test_organisations_share_no_secret(layout: Layout) -> None:
    one, other = (layout.secret_file(org).read_text() for org in (SCHOOL, CITY))
    assert one != other


def test_a_third_school_changes_nothing_for_the_others(layout: Layout, tmp_path: Path) -> None:
    kept = [layout.secret_file(SCHOOL), layout.node_dir(SCHOOL) / "keys" / "keys.json"]
    before = [path.read_bytes() for path in kept]
    values = content()
    values["organisations"].append(third_school())
    again = lay_out(layout.home, read(tmp_path, values), AT)
    assert [path.read_bytes() for path in kept] == before
    assert {name: again.ports[name] for name in layout.ports} == layout.ports
    assert set(again.ports) - set(layout.ports) == {THIRD, leaf_of(THIRD)}
    assert load_node_settings(again.settings_file(THIRD)).org == THIRD


def test_ports_are_distinct_and_silent(layout: Layout) -> None:
    ports = list(layout.ports.values())
    assert len(set(ports)) == len(ports)
    assert not any(answers(port) for port in ports)


def test_a_folder_is_taken_up_again(layout: Layout) -> None:
    assert Layout.load(layout.home) == layout


def test_a_folder_without_federation_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="relais up"):
        Layout.load(tmp_path)


def test_each_organisation_has_two_databases_of_its_own_on_a_server(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    base = postgres_server.url("postgres")
    layout = lay_out(tmp_path / "home", read(tmp_path, content()), AT, base)
    addresses = set()
    for org in (SCHOOL, CITY):
        settings = load_node_settings(layout.settings_file(org))
        addresses |= {settings.database_url, settings.keystore_url}
    assert len(addresses) == 4
    again = lay_out(layout.home, layout.federation, AT)
    found = load_node_settings(again.settings_file(SCHOOL)).database_url
    assert found in addresses  # remembered, though no address was given the second time


@pytest.mark.parametrize("address", ["mysql://h", "sqlite:///f", "nothing at all"])
def test_what_is_no_postgresql_server_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(BadFederation, match="PostgreSQL"):
        lay_out(tmp_path / "home", read(tmp_path, content()), AT, address)


def test_a_server_that_is_away_is_said() -> None:
    with pytest.raises(Unavailable, match=r"PostgreSQL ne répond pas sur 127\.0\.0\.1:9"):
        databases.create_missing(databases.base_url("postgresql://u@127.0.0.1:9"), ["x"])
