"""Run the bench: Relais, whole, beside a naive peer and one that keeps the same promises.

Prints each system's ratios to the naive peer, then whether the wanted floors are met and alerts and
pages are in time.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from tests.bench import decision, pages, report
from tests.bench.harness import Plan, measure
from tests.bench.peers.naive import Naive
from tests.bench.peers.plain.system import Plain
from tests.bench.relais import Relais

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.harness import System

QUICK = Plan(rounds=1, messages=30, connections=8, light=2, warmup=10, alerts=3)
"""Enough to see that everything still runs, far too little for a figure."""


def systems(*, sync_always: bool, quick: bool) -> list[System]:
    """Return what is measured side by side, the naive peer first."""
    needed: list[System] = [
        Naive(sync_always=sync_always),
        Relais(),
        Plain(sync_always=sync_always),
    ]
    return needed if quick else [*needed, Plain(receipts=False, sync_always=sync_always)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; exit code 1 when a floor or a delay is not met, or figures are in doubt.

    A quick run says nothing about speed: its code is 0 whatever it printed.
    """
    asked = _parser().parse_args(arguments)
    plan = QUICK if asked.quick else Plan(rounds=asked.rounds, messages=asked.messages)
    measured = measure(systems(sync_always=asked.sync_always, quick=asked.quick), plan, _say)
    table = report.lines(measured)
    rounds = {"rounds": 1, "decisions": 10} if asked.quick else {}
    decisions = decision.seconds_a_decision(decision.sides(), **rounds)
    few = {"rounds": 1, "lines": 500, "cases": 50} if asked.quick else {}
    wanted: list[report.Wanted] = [
        *report.verdicts(measured, decisions),
        *report.delays(measured),
        *report.page_answers(pages.seconds_a_page(**few)),
    ]
    if asked.json:
        content = report.as_json(table, decisions, wanted)
        sys.stdout.write(json.dumps(content, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("\n" + report.as_text(table, decisions, wanted))
    if asked.quick:
        _say("a quick run shows that everything runs; none of its figures means anything")
    believed = not report.doubts(table) and all(one.met for one in wanted)
    return 0 if asked.quick or believed else 1


def _parser() -> argparse.ArgumentParser:
    plan = Plan()
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=plan.rounds, help="rounds a system")
    parser.add_argument("--messages", type=int, default=plan.messages, help="messages a round")
    parser.add_argument("--quick", action="store_true", help="only see whether everything runs")
    parser.add_argument(
        "--sync-always", action="store_true", help="peers' PubAcks wait for the disk, as Relais'"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser


def _say(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")


if __name__ == "__main__":
    sys.exit(main())
