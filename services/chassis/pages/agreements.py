"""*Accords*: the register of persons, what they agreed to, and its withdrawal."""

from __future__ import annotations

from starlette.routing import BaseRoute

from services.chassis.node import Node
from services.chassis.pages.informing import Informing
from services.chassis.pages.notices import Notices
from services.chassis.pages.own_api import OwnApi
from services.chassis.pages.part import AGREEMENTS, Part
from services.chassis.pages.people import People
from services.chassis.pages.recording import Recording
from services.chassis.pages.rectifying import Rectifying
from services.chassis.pages.registering import Registering
from services.chassis.pages.withdrawing import Withdrawing


def routes(node: Node, api: OwnApi) -> list[BaseRoute]:
    """Pages of this part."""
    part = Part(node, api, AGREEMENTS)
    return [
        *Registering(part).routes,
        *People(part).routes,
        *Recording(part).routes,
        *Withdrawing(part).routes,
        *Notices(part).routes,
        *Informing(part).routes,
        *Rectifying(part).routes,
    ]
