"""``python -m services.registrar [SETTINGS]``: the registrar as a process of its own.

SETTINGS is a YAML or JSON file; the environment (``RELAIS_…``) overrides it. Where the settings
describe the hub, its configuration is written first, so that it may start.
"""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn

from contracts import registry
from services.chassis.clock import SystemClock
from services.chassis.settings import BadSettings, load_registrar_settings
from services.registrar.app import create_app
from services.registrar.operator import OperatorKeys, prepare_hub
from services.registrar.service import Registrar


def main(arguments: list[str]) -> None:
    """Serve until told to stop. Raises BadSettings when it cannot start."""
    settings = load_registrar_settings(Path(arguments[0]) if arguments else None)
    settings.registrar_dir.mkdir(parents=True, exist_ok=True)
    wall = SystemClock()
    operator = OperatorKeys.open(settings.registrar_dir, wall.now())
    if settings.hub is not None:
        prepare_hub(operator, settings.hub, wall.now())
    registrar = Registrar(settings, operator, registry.load(), clock=wall, wall=wall)
    uvicorn.run(
        create_app(registrar),
        host=settings.http_host,
        port=settings.http_port,
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except BadSettings as error:
        sys.exit(error.sentence)
