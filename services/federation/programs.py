"""What each process of a federation runs: nats-server, the registrar, the observer, a node."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, TextIO

import uvicorn
from fastapi import FastAPI

from contracts.kernel.errors import RelaisError, UnknownName
from contracts.kernel.organisation import Kind
from services.chassis.clock import Clock, FileClock, SystemClock, new_id
from services.chassis.logs import configure, route_stdlib
from services.chassis.node import Given, Node
from services.chassis.partner import Partner
from services.chassis.settings import load_node_settings, load_registrar_settings
from services.chassis.web import create_app as create_node
from services.federation.agents import PROVIDER
from services.federation.config import installed
from services.federation.layout import (
    HUB,
    OBSERVER,
    REGISTRAR,
    SERVICE,
    TRACES,
    Layout,
    leaf_of,
)
from services.federation.processes import Program
from services.federation.provider import create_app as create_provider
from services.federation.provider import read_settings
from services.observer.receiver import create_app as create_observer
from services.registrar.app import create_app as create_registrar
from services.registrar.operator import OperatorKeys
from services.registrar.service import Registrar

_GRACE_S: Final = 3
_LATE: Final = (
    *("httpcore", "pydantic.v1", "requests", "sqlalchemy.dialects.sqlite"),
    *("sqlalchemy.dialects.postgresql", "uvicorn.lifespan.on", "uvicorn.loops.uvloop"),
    *("uvicorn.protocols.http.httptools_impl", "anyio._backends._asyncio"),
)
"""What libraries import at their first use: every child would do so again."""


def programs(layout: Layout, nats_server: Path) -> list[Program]:
    """List every process of a federation, in the order in which they start."""

    def nats(name: str, folder: Path, stage: int) -> Program:
        run = partial(_exec_nats, nats_server, folder / "nats.json")
        return Program(name, layout.ports[name], stage, run, layout.log_file(name))

    def python(name: str, part: str, stage: int, run: Callable[[], None]) -> Program:
        errors = layout.log_file(part).with_suffix(".err")
        return Program(name, layout.ports[part], stage, run, errors)

    listed = [
        nats(HUB, layout.folder(HUB), 0),
        python(
            REGISTRAR,
            REGISTRAR,
            0,
            partial(
                run_registrar,
                layout.folder(REGISTRAR) / "settings.yaml",
                layout.clock_file(REGISTRAR),
                layout.log_file(REGISTRAR),
            ),
        ),
        python(
            OBSERVER,
            OBSERVER,
            0,
            partial(
                run_observer,
                layout.folder(OBSERVER) / TRACES,
                layout.listen,
                layout.ports[OBSERVER],
                layout.log_file(OBSERVER),
            ),
        ),
    ]
    if PROVIDER in layout.ports:
        run = partial(
            run_provider,
            layout.provider_file,
            layout.listen,
            layout.ports[PROVIDER],
            layout.log_file(PROVIDER),
        )
        listed.append(python(PROVIDER, PROVIDER, 0, run))
    for org in layout.orgs:
        run = partial(
            run_node, layout.settings_file(org), layout.clock_file(org), layout.log_file(org)
        )
        listed += [
            nats(leaf_of(org), layout.node_dir(org) / "nats", 0),
            python(f"{org}.{SERVICE}", org, 1, run),
        ]
    return sorted(listed, key=lambda one: one.stage)


def warm(layout: Layout) -> None:
    """Import all that the children will, before they are forked."""
    for name in _LATE:
        with suppress(ImportError):
            importlib.import_module(name)
    installed()
    for member in layout.federation.organisations:
        partner_of(member.kind)


def _exec_nats(binary: Path, config: Path) -> None:
    os.execv(binary, [str(binary), "-c", str(config)])  # noqa: S606 -- no shell, by intent


def run_registrar(settings_file: Path, clock_file: Path | None, log: Path | TextIO) -> None:
    """Run the registrar, with arguments as those of `run_node`. Raises BadSettings."""
    settings = load_registrar_settings(settings_file)
    wall = SystemClock()
    registrar = Registrar(
        settings,
        OperatorKeys.open(settings.registrar_dir, wall.now()),
        installed(),
        clock=_clock(clock_file),
        wall=wall,
    )
    serve(create_registrar(registrar), settings.http_host, settings.http_port, REGISTRAR, log)


def run_observer(store: Path, host: str, port: int, log: Path | TextIO) -> None:
    """Run the trace page on a SQLite file until it is told to stop."""
    serve(create_observer(store), host, port, OBSERVER, log)


def run_provider(settings: Path, host: str, port: int, log: Path | TextIO) -> None:
    """Run the demonstration's sign-in provider until it is told to stop."""
    serve(create_provider(read_settings(settings)), host, port, PROVIDER, log)


def _clock(file: Path | None) -> Clock:
    return SystemClock() if file is None else FileClock(file)


_SWITCH_S: Final = 0.0001
_COLLECTIONS: Final = (50_000, 20, 50)


def run_node(settings_file: Path, clock_file: Path | None, log: Path | TextIO) -> None:
    """Run one organisation's node until it is told to stop (SIGTERM).

    clock_file: seconds by which its clock is moved, for demonstrations and tests; None: real time.
    log: file, or open stream, of its JSON lines. Raises BadSettings.
    """
    settings = load_node_settings(settings_file)
    # The writer's thread and the event loop pass the interpreter to each other all the time: the
    # default of 5 ms would make each commit wait for the other. Little of what is made is cyclic.
    sys.setswitchinterval(_SWITCH_S)
    gc.set_threshold(*_COLLECTIONS)
    node = Node(
        Given(
            settings=settings,
            partner=partner_of(settings.kind),
            registry=installed(),
            clock=_clock(clock_file),
            new_id=new_id,
        )
    )
    serve(create_node(node), settings.http_host, settings.http_port, settings.code, log)


def partner_of(kind: Kind) -> Partner:
    """What a kind of organisation adds to the chassis, found by its folder. Raises UnknownName."""
    try:
        module = importlib.import_module(f"services.{kind.value}.partner")
    except ModuleNotFoundError:
        raise UnknownName(f"Aucun dossier services/{kind.value} dans cette installation.") from None
    partner = module.PARTNER
    if not isinstance(partner, Partner):
        raise UnknownName(f"services/{kind.value}/partner.py ne donne pas de PARTNER.")
    return partner


@contextmanager
def _told() -> Iterator[None]:
    """Say on standard error why an application does not start: no request has been read yet."""
    try:
        yield
    except RelaisError as error:
        sys.stderr.write(f"{error.sentence}\n")
        raise
    except Exception:
        traceback.print_exc()
        raise


def _tell_failures(app: FastAPI) -> None:
    lifespan = app.router.lifespan_context

    @asynccontextmanager
    async def told(running: FastAPI) -> AsyncIterator[Any]:
        async with AsyncExitStack() as entered:
            with _told():
                state = await entered.enter_async_context(lifespan(running))
            yield state

    app.router.lifespan_context = told


def serve(app: FastAPI, host: str, port: int, node: str, log: Path | TextIO) -> None:
    """Serve an application over HTTP, all its lines going to one JSON log."""
    _tell_failures(app)
    with ExitStack() as opened:
        if isinstance(log, Path):
            log = opened.enter_context(log.open("a", encoding="utf-8", buffering=1))
        opened.callback(route_stdlib(configure(log, node, strict=False)))
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            loop="uvloop",
            http="httptools",
            ws="none",
            log_config=None,
            proxy_headers=False,  # nothing here depends on the address of who asks
            server_header=False,
            access_log=False,  # the metrics count calls, and the journal tells what they did
            timeout_graceful_shutdown=_GRACE_S,
        )
        uvicorn.Server(config).run()
