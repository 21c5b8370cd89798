"""The nats-server process of a node: finding it, writing its configuration, running it.

The leaf keeps its own local accounts: the federation has no authority inside a node. NODE holds
the letterbox and two users, `admin` who provisions and erases, and `app` who may only send letters
in the organisation's name and pull its own. Configurations are written as JSON, which nats-server
reads as its own format, so that no value can break out of its quotes.
"""

from __future__ import annotations

import ipaddress
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from contracts.broker.subjects import incoming, outgoing
from contracts.kernel.errors import Unavailable
from services.chassis.letterbox import STREAM
from services.chassis.tls import TlsFiles, write_private

MINIMUM_VERSION: Final = (2, 15)
MAX_PAYLOAD: Final = 512 * 1024
"""Bytes of one message through a leaf: above a letter, under the account's limit on the hub."""
PING: Final = {"ping_interval": "10s", "ping_max": 2}
"""A cut network shows within half a minute; the server's own default takes minutes."""

_POLL_S: Final = 0.02


def find_binary(environment: Mapping[str, str]) -> Path:
    """Find a nats-server recent enough: $NATS_SERVER, then PATH, then beside this Python.

    Raises Unavailable when there is none, or when the one named by $NATS_SERVER is too old.
    """
    named = environment.get("NATS_SERVER")
    candidates = [Path(named)] if named else list(_candidates(environment))
    for candidate in candidates:
        if _version(candidate) >= MINIMUM_VERSION:
            return candidate
    wanted = ".".join(map(str, MINIMUM_VERSION))
    raise Unavailable(
        f"Aucun nats-server {wanted} ou plus récent : installez-le ou donnez son chemin dans "
        "NATS_SERVER.",
        code="nats_server_missing",
    )


def _candidates(environment: Mapping[str, str]) -> Iterator[Path]:
    found = shutil.which("nats-server", path=environment.get("PATH", ""))
    if found:
        yield Path(found)
    yield Path(sys.executable).parent / "nats-server"


def _version(binary: Path) -> tuple[int, ...]:
    try:
        answer = subprocess.run(  # noqa: S603 -- the operator's own binary, no shell
            [binary, "--version"], capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    found = re.search(r"v(\d+)\.(\d+)", answer.stdout)
    return tuple(map(int, found.groups())) if found else ()


@dataclass(frozen=True, slots=True)
class LeafConfig:
    """What a node's nats-server needs.

    code: the organisation's code. directory: holds configuration and store. host, port: where the
    node's own service connects. hub_urls: ``tls://host:port``, several for a cluster.
    credentials: path of the leaf user's .creds file. admin_password, app_password: in clear, or
    their bcrypt hash. store_key: secret that encrypts the letterbox on disk. max_store_bytes: disk
    the letterbox may take. http_port: monitoring on loopback, none by default.
    """

    code: str
    directory: Path
    host: str
    port: int
    hub_urls: tuple[str, ...]
    tls: TlsFiles
    credentials: Path
    admin_password: str = field(repr=False)
    app_password: str = field(repr=False)
    store_key: str = field(repr=False)
    max_store_bytes: int = 2 * 1024**3
    http_port: int | None = None


def leaf_config(config: LeafConfig) -> dict[str, Any]:
    """Configuration of an organisation's leaf server, as nats-server reads it.

    Never ``deny_imports``: with any local ``>`` subscriber it silently stops outgoing letters.
    """
    return {
        "server_name": config.code,
        **client_listener(config.host, config.port, config.tls),
        **monitoring(config.http_port),
        **PING,
        "max_payload": MAX_PAYLOAD,
        "jetstream": {
            "store_dir": str(config.directory / "jetstream"),
            "domain": config.code,
            "max_mem": 0,
            "max_file": config.max_store_bytes,
            "sync_interval": "always",
            "cipher": "chachapoly",
            "key": config.store_key,
        },
        "system_account": "SYS",
        "accounts": {"SYS": {}, "NODE": {"jetstream": "enabled", "users": _users(config)}},
        "leafnodes": {"reconnect": "1s", "remotes": [_remote(config)]},
    }


def _users(config: LeafConfig) -> list[dict[str, Any]]:
    admin = {
        "publish": {"allow": ["$JS.API.>"]},
        "subscribe": {"allow": ["_INBOX.>", "$JS.EVENT.>"]},
    }
    app = {
        "publish": {
            "allow": [
                outgoing(config.code),
                "dlq.>",
                f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.>",
                f"$JS.API.CONSUMER.INFO.{STREAM}.>",
                f"$JS.API.STREAM.INFO.{STREAM}",
                f"$JS.ACK.{STREAM}.>",
                "_INBOX.>",
            ]
        },
        "subscribe": {"allow": ["_INBOX.>"]},
    }
    return [
        {"user": "admin", "password": config.admin_password, "permissions": admin},
        {"user": "app", "password": config.app_password, "permissions": app},
    ]


def _remote(config: LeafConfig) -> dict[str, Any]:
    return {
        "urls": list(config.hub_urls),
        "account": "NODE",
        "credentials": str(config.credentials),
        "deny_exports": ["$JS.>", incoming(config.code)],
        "tls": tls_block(config.tls),
    }


def tls_block(files: TlsFiles) -> dict[str, Any]:
    """Mutual TLS of a leaf link, whose handshake comes before anything is said."""
    return {
        "ca_file": str(files.ca),
        "cert_file": str(files.certificate),
        "key_file": str(files.key),
        "handshake_first": True,
    }


def client_listener(host: str, port: int, files: TlsFiles) -> dict[str, Any]:
    """Where clients connect: in clear on loopback, over mutual TLS on any other address.

    FastStream's client waits to be greeted before its handshake: "auto" greets whoever does.
    """
    listener: dict[str, Any] = {"host": host, "port": port}
    if not _loopback(host):
        listener["tls"] = {**tls_block(files), "verify": True, "handshake_first": "auto"}
    return listener


def monitoring(port: int | None) -> dict[str, Any]:
    """Monitoring pages, on loopback only: they show accounts and addresses."""
    return {} if port is None else {"http": f"127.0.0.1:{port}"}


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def write_config(directory: Path, config: Mapping[str, Any]) -> Path:
    """Write a configuration as ``nats.json``, mode 0600: it holds passwords and the store's key."""
    directory.mkdir(parents=True, exist_ok=True)
    text = json.dumps(config, indent=2, ensure_ascii=False)
    return write_private(directory / "nats.json", text)


class NatsServer:
    """One nats-server process; stopped or killed, it starts again on the same ports and store.

    binary: from `find_binary`. config: path of its configuration. host, port: where its clients
    connect. log: file to which its output is appended.
    """

    def __init__(self, binary: Path, config: Path, host: str, port: int, log: Path) -> None:
        self.config = config
        self.host = host
        self.port = port
        self._binary = binary
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id, or None when it does not run."""
        return self._process.pid if self._process and self.running else None

    @property
    def running(self) -> bool:
        """Whether the process lives; says nothing of whether it answers."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process, without waiting. Raises Unavailable when its port is already taken.

        Without that check, `wait_ready` would take a stranger on the port for this server.
        """
        if self.running:
            return
        if self._answers():
            raise Unavailable(f"Le port {self.port} est déjà occupé.", code="port_taken")
        command = [str(self._binary), "-c", str(self.config)]
        with self._log.open("ab") as log:
            # Its own session: a Ctrl-C at the terminal must not cut the bus under a node that ends.
            self._process = subprocess.Popen(  # noqa: S603 -- the operator's own binary, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_ready(self, timeout_s: float = 10.0) -> None:
        """Wait until its port answers; nats-py would lose two seconds on an early attempt.

        Raises Unavailable when the process ended or the time is over.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and self.running:
            if self._answers():
                return
            time.sleep(_POLL_S)
        state = "ne répond pas" if self.running else "s'est arrêté"
        raise Unavailable(f"nats-server {state} : voir {self._log.name}.", code="nats_not_ready")

    def reload(self) -> None:
        """Read configuration and certificates again, links kept (SIGHUP)."""
        self._signal(signal.SIGHUP)

    def stop(self, timeout_s: float = 10.0) -> None:
        """End it in order (SIGTERM), then by force once the time is over."""
        self._signal(signal.SIGTERM)
        try:
            self._wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once (SIGKILL), as a power cut would."""
        self._signal(signal.SIGKILL)
        self._wait(None)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.running:
            self._process.send_signal(number)

    def _wait(self, timeout_s: float | None) -> None:
        if self._process is not None:
            self._process.wait(timeout_s)

    def _answers(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), timeout=1):
                return True
        except OSError:
            return False
