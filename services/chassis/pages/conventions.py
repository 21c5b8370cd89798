"""*Conventions*: state, articles, what is due, and who may tell whom what."""

from __future__ import annotations

from starlette.routing import BaseRoute

from services.chassis.node import Node
from services.chassis.pages.own_api import OwnApi


def routes(_node: Node, _api: OwnApi) -> list[BaseRoute]:
    """Pages of this part."""
    return []
