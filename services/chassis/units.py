"""A unit of the writer that somebody waits for, and how what became of it reaches them."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, cast

_TURN_S: Final = 0.1  # seconds; a loop that takes longer has something else to do


@dataclass(slots=True, eq=False)
class Unit:
    """Work that waits its turn, and the future of whoever asked for it."""

    work: Any  # a callable or a Work
    future: Any  # of asyncio where there is a loop, of concurrent.futures elsewhere
    loop: asyncio.AbstractEventLoop | None = None
    result: Any = None
    error: BaseException | None = None


def deliver(batch: list[Unit]) -> None:
    """Hand out results, waking each event loop once."""
    by_loop: dict[asyncio.AbstractEventLoop | None, list[Unit]] = defaultdict(list)
    for unit in batch:
        by_loop[unit.loop].append(unit)
    _settle(by_loop.pop(None, []))
    for loop, units in by_loop.items():
        with suppress(RuntimeError):  # the loop was closed: nobody waits there any more
            cast("asyncio.AbstractEventLoop", loop).call_soon_threadsafe(_settle, units)


def await_turn(loop: asyncio.AbstractEventLoop | None) -> None:
    """Let a loop run what it had ready: while it seals a lot, what asks to be written waits."""
    if loop is None:
        return
    turned = threading.Event()
    with suppress(RuntimeError):  # the loop was closed: nobody waits there any more
        loop.call_soon_threadsafe(turned.set)
        turned.wait(_TURN_S)


def _settle(units: list[Unit]) -> None:
    for unit in units:
        if unit.error is not None and not unit.future.done():
            unit.future.set_exception(unit.error)
        elif not unit.future.done():  # else the caller stopped waiting; what is written stays
            unit.future.set_result(unit.result)
