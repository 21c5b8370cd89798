"""The commands as a person types them: up, down, and one node alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx

from services.chassis.nats_server import NatsServer, find_binary
from services.federation.federation import Federation, wait_for
from services.federation.layout import Layout, leaf_of
from services.federation.ports import HOST
from tests.federations import CITY, CONVENTION, SCHOOL, THIRD, content, survivors, write
from tests.federations import read as fedread
from tests.services.cli.calling import Captured, refused, told


def relais(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "services", *arguments],
        env={"RELAIS_HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_up_stays_after_its_command_and_down_leaves_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    config = str(write(tmp_path / "federation.yaml", content()))
    try:
        up = relais(home, "up", "--config", config)
        assert (up.returncode, up.stderr) == (0, "")
        assert CONVENTION in up.stdout
        assert "relais down" in up.stdout
        again = relais(home, "up", "--config", config)
        assert (again.returncode, "tourne déjà" in again.stdout) == (0, True)
        assert relais(home, "status").stdout.count("oui") == 2
        values = content()
        values["organisations"].append({"id": THIRD, "kind": "school", "uai": "9990102G"})
        write(tmp_path / "federation.yaml", values)
        third = relais(home, "up")  # the file is the last one given
        assert (third.returncode, third.stderr) == (0, "")
        assert "a changé" in third.stdout
        assert f"a-{CITY}-{THIRD}" in third.stdout
        assert relais(home, "status").stdout.count("oui") == 3
        write(tmp_path / "federation.yaml", content())
        assert relais(home, "up").returncode == 0
        listed = relais(home, "convention", "list").stdout
        assert f"a-{CITY}-{THIRD} : {THIRD} n'est plus dans la fédération." in listed
        write(tmp_path / "federation.yaml", {"organisations": []})
        assert relais(home, "up").returncode == 1
        assert "en marche" in relais(home, "status").stdout
    finally:
        down = relais(home, "down")
    assert (down.returncode, down.stderr) == (0, "")
    assert survivors(home) == []
    assert "ne tourne pas" in relais(home, "down").stdout
    found = json.loads(relais(home, "status", "--json").stdout)
    assert (found["state"], found["pid"]) == ("stopped", None)
    left = relais(home, "explain", "m")
    assert (left.returncode, left.stdout) == (1, "")
    assert "relais up" in left.stderr


def test_a_bad_file_is_one_line_and_starts_nothing(tmp_path: Path) -> None:
    values = content()
    values["organisations"][0]["uai"] = "9990101A"
    config = write(tmp_path / "federation.yaml", values)
    found = relais(tmp_path / "home", "up", "--config", str(config))
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr.count("\n") == 1
    assert "organisations.0.uai" in found.stderr
    assert not (tmp_path / "home").exists()


def test_up_in_the_foreground_stops_on_a_signal(tmp_path: Path) -> None:
    home = tmp_path / "home"
    config = str(write(tmp_path / "federation.yaml", content()))
    process = subprocess.Popen(
        [sys.executable, "-m", "services", "up", "--foreground", "--config", config],
        env={"RELAIS_HOME": str(home), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        while "Ctrl-C" not in process.stdout.readline():
            assert process.poll() is None
        time.sleep(0.2)
        process.terminate()
        assert "Arrêt" in process.stdout.read()
    assert process.wait(30) == 0
    assert survivors(home) == []


def test_one_node_runs_alone_on_its_settings(tmp_path: Path) -> None:
    federation = Federation.create(tmp_path / "home", fedread(tmp_path, content()))
    layout = federation.layout
    folder = layout.node_dir(SCHOOL) / "nats"
    port = layout.ports[leaf_of(SCHOOL)]
    binary = find_binary(os.environ)
    leaf = NatsServer(binary, folder / "nats.json", HOST, port, tmp_path / "leaf.log")
    leaf.start()
    settings = str(layout.settings_file(SCHOOL))
    command = [sys.executable, "-m", "services", "node", "--settings", settings]
    node = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        leaf.wait_ready()
        ready = f"{federation.url(SCHOOL)}/readyz"
        with httpx.Client() as client:
            wait_for(lambda: _answers(client, ready), 40, "the node is not ready")
    finally:
        node.terminate()
        said, _ = node.communicate(timeout=20)
        leaf.stop()
    assert all(json.loads(line)["event"] for line in said.splitlines())


def test_setup_lays_out_the_volumes_of_containers(capsys: Captured, nowhere: Path) -> None:
    config = str(write(nowhere.parent / "federation.yaml", content()))
    for _ in range(2):
        assert "2 organismes" in told(capsys, "setup", "--config", config)
    assert Layout.load(nowhere).host(SCHOOL) == SCHOOL


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).is_success
    except httpx.TransportError:
        return False


def test_a_node_without_settings_is_one_line(capsys: Captured, tmp_path: Path) -> None:
    code, line = refused(capsys, "node", "--settings", str(tmp_path / "none.yaml"))
    assert code == 1
    assert "none.yaml" in line
