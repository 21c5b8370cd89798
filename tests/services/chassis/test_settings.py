"""What makes a node refuse to start, each refusal beside the same settings accepted."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.chassis.clock import FileClock, ShiftedClock, SystemClock, new_id
from services.chassis.secret import NodeSecret
from services.chassis.settings import (
    EXAMPLE_SECRET,
    BadSettings,
    NodeSettings,
    load_node_settings,
    load_registrar_settings,
    read_secret,
)

Dump = Callable[[object], str]
GOOD = "8c1f0a6f52d94b0e9d7c33aa41e6f0b27d5589c1e2f34a60b7c8d9e0f1a2b3c4"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("RELAIS_")]:
        monkeypatch.delenv(name)


def secret_file(folder: Path, content: str = GOOD, mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_text(content)
    path.chmod(mode)
    return path


def values(folder: Path) -> dict[str, Any]:
    return {
        "org": "college-des-saules",
        "kind": "school",
        "name": "Collège des Saules",
        "code": "q7",
        "uai": "0750001A",
        "dpo": "dpo@college.example",
        "node_dir": str(folder / "node"),
        "nats_url": "nats://127.0.0.1:4222",
        "registrar_url": "http://127.0.0.1:8081",
        "secret_file": str(secret_file(folder)),
    }


def written(folder: Path, content: dict[str, Any]) -> Path:
    path = folder / "node.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize("dump", [json.dumps, yaml.safe_dump])
def test_a_file_in_yaml_or_json_is_enough(tmp_path: Path, dump: Dump) -> None:
    path = tmp_path / "node.conf"
    path.write_text(dump(values(tmp_path)))
    settings = load_node_settings(path)
    assert settings.org == "college-des-saules"
    assert settings.database_url == f"sqlite:///{tmp_path}/node/node.sqlite"
    assert settings.keystore_url == f"sqlite:///{tmp_path}/node/keystore/keystore.sqlite"
    assert settings.otlp_endpoint is None


def test_the_environment_overrides_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, values(tmp_path))
    assert load_node_settings(path).http_port == 8080
    monkeypatch.setenv("RELAIS_HTTP_PORT", "9090")
    assert load_node_settings(path).http_port == 9090


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("code", "Not A Code"),
        ("kind", "ministry"),
        ("sample_ratio", 1.5),
        ("registrar_url", "ftp://elsewhere"),
        ("nats_url", "elsewhere"),
        ("database_url", "nothing"),
        ("http_port", 65_536),
        ("colour", "blue"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not_shown(
    tmp_path: Path, name: str, value: object
) -> None:
    load_node_settings(written(tmp_path, values(tmp_path)))
    with pytest.raises(BadSettings, match=f"RELAIS_{name.upper()}") as caught:
        load_node_settings(written(tmp_path, {**values(tmp_path), name: value}))
    assert str(value) not in caught.value.sentence


@pytest.mark.parametrize("name", ["dpo", "node_dir", "secret_file"])
def test_a_missing_setting_says_where_to_put_it(tmp_path: Path, name: str) -> None:
    content = values(tmp_path)
    del content[name]
    with pytest.raises(BadSettings, match=rf"RELAIS_{name.upper()} \(missing\).*node\.yaml"):
        load_node_settings(written(tmp_path, content))


def test_an_unreadable_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match=r"absent\.yaml"):
        load_node_settings(tmp_path / "absent.yaml")
    (tmp_path / "list.yaml").write_text("- 1")
    with pytest.raises(BadSettings, match="paires"):
        load_node_settings(tmp_path / "list.yaml")


@pytest.mark.parametrize(
    ("database", "keystore"),
    [
        ("sqlite:////srv/a/node.sqlite", "sqlite:////srv/a/node.sqlite"),
        ("sqlite:////srv/a/node.sqlite", "sqlite:////srv/a/keys.sqlite"),
        ("sqlite:////srv/a/node.sqlite", "sqlite:////srv/b/../a/keys.sqlite"),
        ("postgresql://u:p@db/node", "postgresql+psycopg://v@db:5432/node"),
    ],
)
def test_keys_beside_the_data_are_refused(tmp_path: Path, database: str, keystore: str) -> None:
    places = {"database_url": database, "keystore_url": keystore}
    if "psycopg" not in keystore:
        with pytest.raises(BadSettings, match="RELAIS_KEYSTORE_URL") as caught:
            NodeSettings(**{**values(tmp_path), **places})
        assert caught.value.code == "keystore_not_apart"
    apart = keystore.replace("keys", "apart").replace("/a/", "/k/").replace("/node", "/keys")
    assert NodeSettings(**{**values(tmp_path), "database_url": database, "keystore_url": apart})


def test_one_postgresql_database_for_both_is_refused_whatever_the_driver(tmp_path: Path) -> None:
    places = {
        "database_url": "postgresql://u:p@db/node",
        "keystore_url": "postgresql+psycopg://v@db:5432/node",
    }
    with pytest.raises(BadSettings, match="RELAIS_KEYSTORE_URL"):
        NodeSettings(**{**values(tmp_path), **places})


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "secret_short"),
        (GOOD[:31], "secret_short"),
        ("changeme", "secret_known"),
        ("Secret", "secret_known"),
        ("changeme-" * 4, "secret_known"),
        ("change-me" * 4 + "0123456789", "secret_known"),
        ("0" * 64, "secret_known"),
        (EXAMPLE_SECRET, "secret_known"),
    ],
)
def test_a_short_or_well_known_secret_is_refused(tmp_path: Path, content: str, code: str) -> None:
    path = secret_file(tmp_path, content)
    with pytest.raises(BadSettings, match="openssl rand") as caught:
        read_secret(path)
    assert caught.value.code == code
    assert not content or content not in caught.value.sentence.replace("RELAIS_SECRET_FILE", "")
    assert read_secret(secret_file(tmp_path, GOOD[:32])) == GOOD[:32].encode()


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o602])
def test_a_secret_that_others_reach_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(BadSettings) as caught:
        read_secret(secret_file(tmp_path, mode=mode))
    assert caught.value.code == "secret_readable"
    assert read_secret(secret_file(tmp_path, mode=0o400))


def test_a_node_does_not_start_without_its_secret(tmp_path: Path) -> None:
    path = written(tmp_path, values(tmp_path))
    load_node_settings(path)
    (tmp_path / "secret").unlink()
    with pytest.raises(BadSettings) as caught:
        load_node_settings(path)
    assert caught.value.code == "secret_missing"


def test_subkeys_are_stable_and_unrelated(tmp_path: Path) -> None:
    secret = NodeSecret.load(secret_file(tmp_path))
    made = [
        secret.keystore_key.hex(),
        secret.bearer_key.hex(),
        secret.jetstream_key,
        secret.nats_password("admin"),
        secret.nats_password("app"),
    ]
    again = NodeSecret(GOOD.encode())
    assert len(set(made)) == 5
    assert len(secret.keystore_key) == 32
    assert again.nats_password("app") == made[-1]
    assert NodeSecret(GOOD.encode()[::-1]).keystore_key != secret.keystore_key
    assert GOOD not in repr(secret)


def test_registrar_settings(tmp_path: Path) -> None:
    one = {"id": "college-des-saules", "kind": "school", "code": "q7"}
    content = {
        "registrar_dir": str(tmp_path),
        "hub_url": "nats://127.0.0.1:4222",
        "organisations": [one],
    }
    settings = load_registrar_settings(written(tmp_path, content))
    assert settings.organisations[0].code == "q7"
    assert settings.database == f"sqlite:///{tmp_path}/registrar.sqlite"
    with pytest.raises(BadSettings, match="deux fois"):
        load_registrar_settings(
            written(tmp_path, {**content, "organisations": [one, {**one, "id": "other"}]})
        )


def test_organisations_may_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELAIS_REGISTRAR_DIR", str(tmp_path))
    monkeypatch.setenv("RELAIS_HUB_URL", "nats://127.0.0.1:4222")
    monkeypatch.setenv("RELAIS_ORGANISATIONS", '[{"id":"ville","kind":"city","code":"c1"}]')
    assert load_registrar_settings().organisations[0].id == "ville"
    monkeypatch.setenv("RELAIS_ORGANISATIONS", "[")
    with pytest.raises(BadSettings, match="JSON"):
        load_registrar_settings()


def test_clocks_are_aware_and_move_as_told(tmp_path: Path) -> None:
    real = SystemClock().now()
    assert real.tzinfo is UTC
    assert abs(ShiftedClock(timedelta(days=400)).now() - real - timedelta(days=400)) < timedelta(
        seconds=5
    )
    clock = FileClock(tmp_path / "offset")
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    (tmp_path / "offset").write_text("-86400")
    time.sleep(0.06)  # a clock reads its file every 50 ms at most
    assert abs(clock.now() - datetime.now(UTC) + timedelta(days=1)) < timedelta(seconds=5)
    (tmp_path / "offset").write_text("tomorrow")
    with pytest.raises(ValueError, match="tomorrow"):
        FileClock(tmp_path / "offset").now()


def test_ids_are_random_hexadecimal() -> None:
    first, second = new_id(), new_id()
    assert first != second
    assert len(first) == 32
    assert int(first, 16)
