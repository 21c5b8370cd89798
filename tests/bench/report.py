"""The bench's figures for people and for machines, and whether they may be believed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import ceil
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.bench.harness import Measured, Round

BASE, CALIBRATION = "naive", "plain, no receipts"
EXPECTED_CPU_RATIO = 2.7  # measured once with care, on a quiet machine of this size
TOLERANCE = 0.3
PRODUCT, DECIDER, RIVAL = "relais", "gate", "cedar"
FLOORS = {BASE: 2.0, "plain": 5.0}
"""Messages that the product carries, at least, in the time in which a peer carries one."""
DECISION_FLOOR = 40.0
"""Decisions of the gate, at least, in the time of one of Cedar's."""
ALERT_CEILING_MS = 1000.0
"""What « without delay » may take at light load, from the call to the school's database."""
PAGE_CEILING_MS = 100.0
"""What the median answer of a page may take, with a year's work behind it."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio: median of the rounds, and their range."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}–{self.high:.2f})"


@dataclass(frozen=True, slots=True)
class Line:
    """One system's figures; times in milliseconds, CPU per message and part."""

    name: str
    throughput: Ratio
    cpu: Ratio
    per_second: float
    cpu_ms: Mapping[str, float]
    light_answer_ms: float
    light_effect_ms: float
    light_settled_ms: float
    answer_p50_ms: float
    answer_p99_ms: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """One wanted floor and what was measured; met when the median of the rounds reaches it."""

    what: str
    ratio: Ratio
    least: float

    @property
    def met(self) -> bool:
        """Whether the floor is reached."""
        return self.ratio.median >= self.least

    def __str__(self) -> str:
        said = "met" if self.met else "NOT MET"
        return f"{self.what}: {self.ratio}, wanted {self.least:g} or more: {said}"


@dataclass(frozen=True, slots=True)
class Delay:
    """How long alerts took to be known at the school, one at a time; met by 95 of a hundred."""

    what: str
    count: int
    median_ms: float
    p95_ms: float
    most_ms: float = ALERT_CEILING_MS

    @property
    def met(self) -> bool:
        """Whether they were in time."""
        return self.p95_ms <= self.most_ms

    def __str__(self) -> str:
        said = "met" if self.met else "NOT MET"
        times = f"median {self.median_ms:.1f} ms, p95 {self.p95_ms:.1f} ms of {self.count}"
        return f"{self.what}: {times}, wanted {self.most_ms / 1000:g} s or less: {said}"


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """How long a page took to answer, asked for one at a time; met by the median."""

    what: str
    count: int
    median_ms: float
    p95_ms: float
    most_ms: float = PAGE_CEILING_MS

    @property
    def met(self) -> bool:
        """Whether it was in time."""
        return self.median_ms <= self.most_ms

    def __str__(self) -> str:
        said = "met" if self.met else "NOT MET"
        times = f"median {self.median_ms:.1f} ms, p95 {self.p95_ms:.1f} ms of {self.count}"
        return f"{self.what}: {times}, wanted a median of {self.most_ms:g} ms or less: {said}"


Wanted = Verdict | Delay | PageAnswer
"""What is wanted, and whether it was measured."""


def page_answers(taken: Mapping[str, Sequence[float]]) -> list[PageAnswer]:
    """Return how long each page took; taken: seconds by the page's name."""
    return [
        PageAnswer(
            what=f"page: {name}",
            count=len(times),
            median_ms=median(times) * 1000,
            p95_ms=_p95(times) * 1000,
        )
        for name, times in taken.items()
    ]


def delays(measured: Mapping[str, Measured]) -> list[Delay]:
    """Return how long the alerts of each system took that has any."""
    return [
        Delay(
            what=f"{name}, an alert at light load",
            count=len(one.alerts),
            median_ms=median(one.alerts) * 1000,
            p95_ms=_p95(one.alerts) * 1000,
        )
        for name, one in measured.items()
        if one.alerts
    ]


def _p95(values: Sequence[float]) -> float:
    """The smallest value that 95 of a hundred do not exceed."""
    return sorted(values)[ceil(0.95 * len(values)) - 1]


def lines(measured: Mapping[str, Measured]) -> list[Line]:
    """Turn measurements into lines, each round compared with the naive peer's beside it."""
    return [_line(name, one) for name, one in measured.items()]


def _line(name: str, one: Measured) -> Line:
    pairs = zip(one.rounds, one.beside, strict=True)
    rounds = one.rounds
    return Line(
        name=name,
        throughput=faster(one.rounds, one.beside),
        cpu=_ratio([a.cpu_total / b.cpu_total for a, b in pairs]),
        per_second=median(a.throughput for a in rounds),
        cpu_ms={part: median(a.cpu[part] for a in rounds) * 1000 for part in rounds[0].cpu},
        light_answer_ms=one.light.answer * 1000,
        light_effect_ms=one.light.effect * 1000,
        light_settled_ms=one.light.settled * 1000,
        answer_p50_ms=median(a.answer_p50 for a in rounds) * 1000,
        answer_p99_ms=median(a.answer_p99 for a in rounds) * 1000,
    )


def faster(one: Sequence[Round], other: Sequence[Round]) -> Ratio:
    """Return how many messages one carries while the other carries one, round by round."""
    return _ratio([a.throughput / b.throughput for a, b in zip(one, other, strict=True)])


def _ratio(values: Sequence[float]) -> Ratio:
    return Ratio(median(values), min(values), max(values))


def verdicts(
    measured: Mapping[str, Measured], decisions: Mapping[str, Sequence[float]]
) -> list[Verdict]:
    """Compare the product with each peer and the gate with Cedar, against the wanted floors."""
    product = measured[PRODUCT]
    beside = {peer: measured[peer].rounds for peer in FLOORS} | {BASE: product.beside}
    found = [
        Verdict(f"{PRODUCT} / {peer}, throughput", faster(product.rounds, beside[peer]), least)
        for peer, least in FLOORS.items()
    ]
    rounds = zip(decisions[RIVAL], decisions[DECIDER], strict=True)
    cheaper = _ratio([theirs / ours for theirs, ours in rounds])
    found.append(Verdict(f"{RIVAL} / {DECIDER}, time a decision", cheaper, DECISION_FLOOR))
    return found


def doubts(table: Sequence[Line]) -> list[str]:
    """Return why these figures should not be believed; empty when nothing speaks against them."""
    peer = next((line for line in table if line.name == CALIBRATION), None)
    if peer is None:
        return [f"«{CALIBRATION}» was not measured, so nothing shows that the peers are honest"]
    if abs(peer.cpu.median / EXPECTED_CPU_RATIO - 1) > TOLERANCE:
        doubt = (
            f"«{CALIBRATION}» took {peer.cpu.median:.2f} times the CPU of «{BASE}», expected "
            f"{EXPECTED_CPU_RATIO} within {TOLERANCE:.0%}: a peer was made faster or slower, or "
            "the machine is too busy; do not quote these figures"
        )
        return [doubt]
    return []


def as_text(
    table: Sequence[Line],
    decisions: Mapping[str, Sequence[float]],
    wanted: Sequence[Wanted] = (),
) -> str:
    """Return the report for people."""
    head = ("system", "throughput ×", "CPU a message ×", "light: answer", "effect", "settled")
    rows = [head, *(_cells(line) for line in table)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    text = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    text += ["", "CPU milliseconds a message, by process:"]
    text += [f"  {line.name}: {_parts(line)}" for line in table]
    text += ["", "One decision:"]
    text += [f"  {name}: {median(taken) * 1e6:.2f} µs" for name, taken in decisions.items()]
    text += ["", *map(str, wanted)]
    text += [f"WARNING: {doubt}" for doubt in doubts(table)]
    return "\n".join(text).rstrip() + "\n"


def _cells(line: Line) -> tuple[str, ...]:
    light = (line.light_answer_ms, line.light_effect_ms, line.light_settled_ms)
    return (
        line.name,
        f"{line.throughput}",
        f"{line.cpu}",
        *(f"{milliseconds:.1f} ms" for milliseconds in light),
    )


def _parts(line: Line) -> str:
    parts = ", ".join(f"{part} {spent:.2f}" for part, spent in line.cpu_ms.items())
    return f"{sum(line.cpu_ms.values()):.2f} = {parts} ({line.per_second:.0f}/s)"


def as_json(
    table: Sequence[Line],
    decisions: Mapping[str, Sequence[float]],
    wanted: Sequence[Wanted] = (),
) -> dict[str, Any]:
    """Return the report for machines."""
    return {
        "systems": [asdict(line) for line in table],
        "decision_seconds": {name: median(taken) for name, taken in decisions.items()},
        "wanted": [{**asdict(one), "met": one.met} for one in wanted],
        "warnings": doubts(table),
    }
