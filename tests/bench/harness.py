"""The measurement: systems side by side, in alternated rounds, as ratios to the naive peer.

Absolutes of a noisy machine say little, and its speed drifts within a minute. So the naive peer,
the first of the systems, runs before and after each round of another, whose figures are divided by
the mean of these two; what is reported is the median of these ratios and their range.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from urllib.parse import urlsplit

from tests.bench.load import Answers, read_answer, wire, write_requests
from tests.bench.processes import cpu_by_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.bench.load import Request

_LOST_AFTER_SECONDS = 60.0
_SETTLE_SECONDS = 0.2


class System(Protocol):
    """Something that carries messages from a sender to a receiver, and can be counted."""

    @property
    def name(self) -> str:
        """The name in the report."""

    def start(self) -> None:
        """Start every process of the system and return when it accepts messages."""

    def provide(self, count: int) -> None:
        """Bring about whatever the first `count` messages rest on; called before any is sent."""

    def request(self, index: int) -> Request:
        """Return the HTTP request that sends message `index`; it must be accepted with 202."""

    def effects(self) -> int:
        """Count the messages whose effect stands in the receiver's database."""

    def done(self) -> int:
        """Count the messages that owe nothing more: effect and, where promised, receipt home."""

    def processes(self) -> Mapping[str, Sequence[int]]:
        """Return the roots of all process trees that work for this system, by part."""

    def stop(self) -> None:
        """End every process; called even when `start` failed half-way."""


@runtime_checkable
class Alerting(Protocol):
    """A system that also has messages which may not wait."""

    def alert(self) -> float:
        """Send one while nothing else moves; the seconds until its effect at the receiver."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to measure."""

    rounds: int = 7
    messages: int = 1500
    connections: int = 64
    light: int = 100
    warmup: int = 200
    alerts: int = 30

    def total(self, rounds: int) -> int:
        """Messages that a system of so many rounds sends in all."""
        return self.warmup + self.light + rounds * self.messages


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one system: whole road per second, and CPU seconds per message by part."""

    throughput: float
    cpu: Mapping[str, float]
    answer_p50: float
    answer_p99: float

    @property
    def cpu_total(self) -> float:
        """CPU seconds per message, all processes together."""
        return sum(self.cpu.values())


def mean(one: Round, other: Round) -> Round:
    """What one round of both lengths together would have been, of the same system."""
    return Round(
        throughput=2 / (1 / one.throughput + 1 / other.throughput),
        cpu={part: (one.cpu[part] + other.cpu[part]) / 2 for part in one.cpu},
        answer_p50=(one.answer_p50 + other.answer_p50) / 2,
        answer_p99=(one.answer_p99 + other.answer_p99) / 2,
    )


@dataclass(frozen=True, slots=True)
class Light:
    """Seconds at one connection, medians: answer, effect at the receiver, everything settled."""

    answer: float
    effect: float
    settled: float


@dataclass(slots=True)
class Measured:
    """All figures of one system; beside: what the naive peer did around each of its rounds."""

    light: Light
    rounds: list[Round] = field(default_factory=list)
    beside: list[Round] = field(default_factory=list)
    alerts: list[float] = field(default_factory=list)


class LostMessagesError(RuntimeError):
    """A system accepted messages and did not bring them to their end: its figures are void."""


def measure(
    systems: Sequence[System], plan: Plan, say: Callable[[str], None]
) -> dict[str, Measured]:
    """Start the systems, warm them up, measure light load, then alternate the rounds.

    systems: that of the ratios first.
    Raises LostMessagesError when a message is refused or not settled within a minute.
    """
    with ExitStack() as stack:
        for system in systems:
            stack.callback(system.stop)
        say("starting " + "; ".join(system.name for system in systems))
        with ThreadPoolExecutor(len(systems)) as pool:
            list(pool.map(lambda system: system.start(), systems))
        base, *others = systems
        base.provide(plan.total(1 + plan.rounds * len(others)))
        for system in others:
            system.provide(plan.total(plan.rounds))
        counters = {system.name: Counter(system) for system in systems}
        measured = {}
        for system in systems:
            heavy_round(counters[system.name], plan.warmup, plan.connections)
            one = Measured(light_load(counters[system.name], plan.light))
            if isinstance(system, Alerting):
                one.alerts = [system.alert() for _ in range(plan.alerts)]
            measured[system.name] = one

        def one_round(system: System, number: int) -> Round:
            done = heavy_round(counters[system.name], plan.messages, plan.connections)
            measured[system.name].rounds.append(done)
            say(
                f"round {number} {system.name}: {done.throughput:.0f}/s, "
                f"{done.cpu_total * 1000:.2f} ms CPU a message"
            )
            return done

        before = one_round(base, 0)
        for number in range(1, plan.rounds + 1):
            for system in others:
                one_round(system, number)
                after = one_round(base, number)
                measured[system.name].beside.append(mean(before, after))
                before = after
        measured[base.name].beside = measured[base.name].rounds
        return measured


@dataclass(slots=True)
class Counter:
    """A system with the number of messages it was sent so far, so that no two are alike."""

    system: System
    sent: int = 0

    def take(self, count: int) -> list[Request]:
        """Return the next `count` requests."""
        first, self.sent = self.sent, self.sent + count
        return [self.system.request(index) for index in range(first, self.sent)]

    def wait(self, count: Callable[[], int], pause: float) -> None:
        """Return when `count()` has reached everything sent; LostMessagesError after a minute."""
        deadline = perf_counter() + _LOST_AFTER_SECONDS
        while (seen := count()) < self.sent:
            if perf_counter() > deadline:
                raise LostMessagesError(f"{self.system.name}: {seen} of {self.sent} settled")
            sleep(pause)


def heavy_round(counter: Counter, messages: int, connections: int) -> Round:
    """Send `messages` over `connections` from a process of its own and wait for the last end."""
    system = counter.system
    requests = counter.take(messages)
    before = cpu_by_name(system.processes())
    answers = _fire_from_outside(requests, connections)
    if answers.accepted != messages:
        raise LostMessagesError(f"{system.name} answered {answers.statuses}")
    counter.wait(system.done, pause=0.02)
    seconds = perf_counter() - answers.began
    sleep(_SETTLE_SECONDS)
    after = cpu_by_name(system.processes())
    ordered = sorted(answers.latencies)
    return Round(
        throughput=messages / seconds,
        cpu={part: (after[part] - before[part]) / messages for part in before},
        answer_p50=median(ordered),
        answer_p99=ordered[int(0.99 * (len(ordered) - 1))],
    )


def light_load(counter: Counter, messages: int) -> Light:
    """Send messages one by one, each only when the one before is settled."""
    return asyncio.run(_light_load(counter, counter.sent, messages))


async def _light_load(counter: Counter, first: int, messages: int) -> Light:
    address = urlsplit(counter.system.request(first).url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    times = []
    for _ in range(messages):
        request = wire(*counter.take(1))
        began = perf_counter()
        writer.write(request)
        status, _ = await read_answer(reader)
        answered = perf_counter()
        if status != "202":
            raise LostMessagesError(f"{counter.system.name} answered {status}")
        counter.wait(counter.system.effects, pause=0.0005)
        effective = perf_counter()
        counter.wait(counter.system.done, pause=0.0005)
        times.append((answered - began, effective - began, perf_counter() - began))
    writer.close()
    await writer.wait_closed()
    return Light(*(median(column) for column in zip(*times, strict=True)))


def _fire_from_outside(requests: Sequence[Request], connections: int) -> Answers:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "requests"
        write_requests(path, requests)
        command = [sys.executable, "-m", "tests.bench.load", str(path), str(connections)]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return Answers.from_json(printed)
