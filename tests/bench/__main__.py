"""Run the bench: `python -m tests.bench [--rounds N] [--messages N] [--json]`."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from tests.bench import decision, report
from tests.bench.harness import Plan, measure
from tests.bench.peers.naive import Naive
from tests.bench.peers.plain.system import Plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.harness import System


def systems(*, sync_always: bool) -> list[System]:
    """Return what is measured side by side, the naive peer first."""
    return [
        Naive(sync_always=sync_always),
        Plain(sync_always=sync_always),
        Plain(receipts=False, sync_always=sync_always),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; exit code 1 when the figures may not be believed."""
    asked = _parser().parse_args(arguments)
    plan = Plan(rounds=asked.rounds, messages=asked.messages)
    measured = measure(systems(sync_always=asked.sync_always), plan, _say)
    table = report.lines(measured)
    decisions = decision.seconds_a_decision(decision.peers())
    if asked.json:
        sys.stdout.write(json.dumps(report.as_json(table, decisions), ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("\n" + report.as_text(table, decisions))
    return 1 if report.doubts(table) else 0


def _parser() -> argparse.ArgumentParser:
    plan = Plan()
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=plan.rounds, help="rounds a system")
    parser.add_argument("--messages", type=int, default=plan.messages, help="messages a round")
    parser.add_argument(
        "--sync-always", action="store_true", help="peers' PubAcks wait for the disk"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser


def _say(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")


if __name__ == "__main__":
    sys.exit(main())
