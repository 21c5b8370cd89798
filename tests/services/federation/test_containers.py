"""The federation in containers, without an engine: what is laid out, and the file that runs it."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509

from contracts.kernel.errors import Unavailable
from services.chassis.settings import load_node_settings, load_registrar_settings
from services.chassis.tls import write_private
from services.federation import compose, containers
from services.federation.config import BadFederation, FederationFile
from services.federation.federation import Federation
from services.federation.layout import HUB, HUB_LEAFS, OBSERVER, REGISTRAR, Layout, furnish, leaf_of
from services.federation.ports import choose_ports
from services.federation.probe import holds
from tests.federations import CITY, SCHOOL, THIRD, content, read, send_referral, third_school

AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@pytest.fixture
def federation(tmp_path: Path) -> FederationFile:
    return read(tmp_path, content())


@pytest.fixture
def laid_out(tmp_path: Path, federation: FederationFile) -> Layout:
    (tmp_path / "home").mkdir()
    return containers.lay_out(tmp_path / "home", federation, AT)


def with_third(folder: Path) -> FederationFile:
    values = content()
    values["organisations"].append(third_school())
    return read(folder, values)


# -- what is laid out ----------------------------------------------------------------------------


def test_each_part_finds_all_it_needs_in_its_own_volume(laid_out: Layout) -> None:
    """A container sees one folder: no path that its files name may lead out of it."""
    home = str(laid_out.home)
    own = {
        laid_out.settings_file(SCHOOL): f"nodes/{SCHOOL}",
        laid_out.node_dir(SCHOOL) / "nats" / "nats.json": f"nodes/{SCHOOL}/nats",
        laid_out.folder(HUB) / "nats.json": HUB,
        laid_out.folder(REGISTRAR) / "settings.yaml": REGISTRAR,
    }
    for file, folder in own.items():
        named = [word.strip("\",'") for word in file.read_text().split() if home in word]
        assert named, file
        assert [path for path in named if not path.startswith(f"{home}/{folder}")] == []


def test_parts_call_each_other_by_the_names_of_their_containers(laid_out: Layout) -> None:
    settings = load_node_settings(laid_out.settings_file(SCHOOL))
    assert settings.nats_url == f"nats://{SCHOOL}-leaf:4222"
    assert settings.registrar_url == "http://registrar:8080"
    assert settings.nats_tls is not None
    registrar = load_registrar_settings(laid_out.folder(REGISTRAR) / "settings.yaml")
    assert registrar.hub_url == "nats://hub:4222"
    assert registrar.hub_tls is not None
    leaf = json.loads((laid_out.node_dir(SCHOOL) / "nats" / "nats.json").read_text())
    assert leaf["leafnodes"]["remotes"][0]["urls"] == ["tls://hub:7422"]
    assert leaf["tls"]["verify"] is True
    assert leaf["http"] == "127.0.0.1:8222"


@pytest.mark.parametrize(
    ("file", "name"),
    [
        (f"nodes/{SCHOOL}/nats/leaf.pem", f"{SCHOOL}-leaf"),
        (f"nodes/{SCHOOL}/client.pem", SCHOOL),
        ("hub/hub.pem", "hub"),
        ("registrar/client.pem", "registrar"),
    ],
)
def test_a_certificate_bears_the_name_of_its_container(
    laid_out: Layout, file: str, name: str
) -> None:
    certificate = x509.load_pem_x509_certificate((laid_out.home / file).read_bytes())
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert name in found.value.get_values_for_type(x509.DNSName)


def test_a_database_is_opened_by_its_own_service_alone(laid_out: Layout) -> None:
    init = {org: laid_out.home / "databases" / f"{org}.init" for org in (SCHOOL, CITY)}
    for org, folder in init.items():
        settings = load_node_settings(laid_out.settings_file(org))
        password = (folder / "relais.password").read_text()
        assert settings.database_url == f"postgresql://relais:{password}@{org}-database:5432/relais"
        assert settings.keystore_url == f"{settings.database_url}_keys"
        assert f"PASSWORD '{password}'" in (folder / "databases.sql").read_text()
        assert password != (folder / "superuser.password").read_text()
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert not {path.read_text() for path in init[SCHOOL].iterdir()} & {
        path.read_text() for path in init[CITY].iterdir()
    }


def test_a_second_setup_keeps_keys_secrets_and_passwords(laid_out: Layout, tmp_path: Path) -> None:
    names = ("secret", "keys.json", "operator.json", "*.password", "*-key.pem", "ca.pem")
    kept = [path for name in names for path in laid_out.home.rglob(name)]
    before = [path.read_bytes() for path in kept]
    again = containers.lay_out(laid_out.home, with_third(tmp_path), AT)
    assert [path.read_bytes() for path in kept] == before
    assert load_node_settings(again.settings_file(THIRD)).org == THIRD
    assert Layout.load(laid_out.home) == again


def test_no_file_of_the_state_folder_lies_outside_a_volume(laid_out: Layout) -> None:
    places = {Path(path) for path in containers.volumes(laid_out.federation).values()}
    at_the_top = {"federation.json", "ports.json", "hosts.json"}
    for path in laid_out.home.rglob("*"):
        inside = path.relative_to(laid_out.home)
        if path.is_file() and inside.name not in at_the_top:
            assert places & set(inside.parents) - {Path()}, inside


def test_what_lives_in_containers_is_not_started_here(laid_out: Layout) -> None:
    for act in (Federation(laid_out).start, Federation(laid_out).stop):
        with pytest.raises(Unavailable, match="docker compose"):
            act()


@pytest.mark.parametrize("name", ["hub", "demo", f"{SCHOOL}-leaf", f"{CITY}-database"])
def test_an_organisation_may_not_take_the_name_of_a_container(tmp_path: Path, name: str) -> None:
    values = content()
    values["organisations"].append({**third_school(), "id": name})
    with pytest.raises(BadFederation, match=name):
        compose.files(read(tmp_path, values))


# -- the file that runs them ---------------------------------------------------------------------


def written(federation: FederationFile) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(compose.files(federation)[compose.COMPOSE])
    return found


def services(federation: FederationFile) -> dict[str, dict[str, Any]]:
    """Those that run all the time, telemetry apart: it is other people's images."""
    found = written(federation)["services"]
    once = ("setup", "ceremony", "demo")
    return {
        name: one
        for name, one in found.items()
        if name not in once and one.get("profiles") != ["telemetry"]
    }


def test_a_third_school_is_three_containers_more_and_no_line_by_hand(
    federation: FederationFile, tmp_path: Path
) -> None:
    more = set(services(with_third(tmp_path))) - set(services(federation))
    assert more == {THIRD, f"{THIRD}-leaf", f"{THIRD}-database"}
    assert THIRD in services(with_third(tmp_path))["registrar"]["labels"].popitem()[1].split()
    scraped = compose.files(with_third(tmp_path))[compose.SCRAPED]
    assert f"{THIRD}:8080" in scraped


def test_every_container_is_confined_bounded_and_watched(federation: FederationFile) -> None:
    found = services(federation)
    assert set(found) >= {"hub", "registrar", "observer", SCHOOL, f"{CITY}-database"}
    for name, one in found.items():
        assert one["user"] == "10001:10001", name
        assert one["read_only"] is True, name
        assert one["cap_drop"] == ["ALL"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert one["restart"] == "unless-stopped", name
        assert set(one["deploy"]["resources"]["limits"]) >= {"cpus", "memory"}, name
        assert one["healthcheck"]["test"], name
        assert "start_interval" not in one["healthcheck"], name
        assert all(port.startswith("127.0.0.1:") for port in one.get("ports", ())), name


def test_a_container_mounts_its_own_volumes_alone(federation: FederationFile) -> None:
    for name, one in services(federation).items():
        mounted = {volume.split(":")[0] for volume in one["volumes"]}
        assert mounted <= {name, f"{name}-init"}, name


def test_a_database_is_on_the_network_of_its_organisation_and_no_other(
    federation: FederationFile,
) -> None:
    for name, one in services(federation).items():
        if name.endswith("-database"):
            assert one["networks"] == [name.removesuffix("-database")]
    networks = written(federation)["networks"]
    assert {name for name, one in networks.items() if one.get("internal")} == {SCHOOL, CITY}


def test_only_setup_is_root_and_it_has_no_network(federation: FederationFile) -> None:
    found = written(federation)["services"]
    assert [name for name, one in found.items() if one.get("user", "").startswith("0")] == ["setup"]
    assert found["setup"]["network_mode"] == "none"
    assert found["setup"]["cap_drop"] == ["ALL"]


def test_every_one_shot_service_is_waited_for(federation: FederationFile) -> None:
    """`up --wait` takes the end of a service for a failure unless another one waits for it."""
    found = written(federation)["services"]
    waited = {
        name
        for one in found.values()
        if "profiles" not in one
        for name, how in one.get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }
    assert waited == {name for name, one in found.items() if one["restart"] == "no"} - {"demo"}


# -- the same addresses on one machine -----------------------------------------------------------


@contextmanager
def apart(home: Path, federation: FederationFile) -> Iterator[Federation]:
    """A federation whose parts call each other by name over TLS, as in containers, run here."""
    (home / "logs").mkdir(parents=True)
    names = [HUB, HUB_LEAFS, REGISTRAR, OBSERVER]
    for one in federation.organisations:
        names += [one.id, leaf_of(one.id)]
    hosts = dict.fromkeys(names, "localhost")
    write_private(home / "hosts.json", json.dumps(hosts))
    furnish(Layout(home, federation, choose_ports(home / "ports.json", names), hosts), {}, now())
    command = [sys.executable, "-m", "services.federation", str(home), "--tied"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    try:
        yield Federation.open(home)
    finally:
        process.communicate(timeout=30)


def now() -> datetime:
    return datetime.now(UTC)


def test_parts_that_call_each_other_by_name_exchange_messages(
    tmp_path: Path, federation: FederationFile
) -> None:
    with apart(tmp_path / "home", federation) as running:
        running.wait_ready()
        assert running.running
        assert len(running.sign()) == 1
        send_referral(running)
        ready = f"{running.url(SCHOOL)}/readyz"
        assert holds(ready)
        assert not holds(ready.replace("readyz", "nowhere"))
    assert not holds(ready)
