"""Change every rule of the gate and of the conventions in turn, and see that a test notices.

Fails on a mutant that no test notices and that `survivors.yaml` does not justify, and on a line of
that file that has become idle.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
import tomllib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.passed import keep_passed, passed
from tests.mutation.runner import Plan, run, unchanged, warm_up
from tests.mutation.survivors import Key, justified

ROOT = Path(__file__).parents[2]
_MINOR = {"change_string", "drop_argument"}
"""Tried last, or left out: the many that change a word, after those that take a rule away."""

REPORT = ROOT / "build" / "mutation.json"


def main() -> int:
    """Run, report, compare; exit code 1 when the two differ."""
    options = _options()
    settings: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = settings["tool"]["relais"]["mutation"]
    plan = Plan(**{name: value for name, value in wanted.items() if name != "modules"})
    started = time.monotonic()
    mutants = [one for path in wanted["modules"] for one in mutants_of(path, _read(path))]
    chosen = _chosen(mutants, only=options.only, again=options.again, rules=options.rules)
    print(f"{len(chosen)} mutants of {len(mutants)}", flush=True)  # noqa: T201 -- a command
    if options.quick:
        plan = replace(plan, tests="")
    warm_up(plan)
    gc.freeze()
    known = passed(plan)
    ran = known or unchanged(plan, wanted["modules"][0], root=ROOT)
    print(f"{ran} tests pass without any{', as before' if known else ''}", flush=True)  # noqa: T201
    keep_passed(plan, ran)
    killed_by: Counter[str] = Counter()
    survivors: list[Mutant] = []
    for number, result in enumerate(run(chosen, plan, root=ROOT, workers=options.workers), 1):
        killed_by[result.killed_by] += 1
        if not result.killed_by:
            survivors.append(result.mutant)
        if number % 50 == 0:
            print(f"{number} tried, {len(survivors)} survive", flush=True)  # noqa: T201
            _write(survivors, killed_by)
    _write(survivors, killed_by)
    minutes = (time.monotonic() - started) / 60
    print(f"{len(chosen) - len(survivors)} killed, {len(survivors)} survive, {minutes:.0f} min")  # noqa: T201
    return _judge({one.key for one in survivors}, {one.key for one in chosen})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutation", description=__doc__)
    parser.add_argument("--only", default="", help="mutants of modules or definitions so named")
    parser.add_argument("--again", action="store_true", help="only those that survived last time")
    parser.add_argument("--rules", action="store_true", help="none that changes but a word")
    parser.add_argument("--quick", action="store_true", help="the likeliest tests alone")
    parser.add_argument("--workers", type=int, default=2, help="at a time")
    return parser.parse_args()


def _read(path: str) -> str:
    return (ROOT / path).read_text("utf-8")


def _chosen(mutants: list[Mutant], *, only: str, again: bool, rules: bool) -> list[Mutant]:
    if again:
        last = {tuple(one) for one in json.loads(REPORT.read_text("utf-8"))["survivors"]}
        mutants = [one for one in mutants if one.key in last]
    chosen = [one for one in mutants if only in f"{one.module} {one.where}"]
    if rules:
        chosen = [one for one in chosen if one.operator not in _MINOR]
    return sorted(chosen, key=lambda one: one.operator in _MINOR)


def _write(survivors: list[Mutant], killed_by: Counter[str]) -> None:
    REPORT.parent.mkdir(exist_ok=True)
    found = {"survivors": [one.key for one in survivors], "killed_by": killed_by.most_common()}
    REPORT.write_text(json.dumps(found, indent=1, ensure_ascii=False), "utf-8")


def _judge(survivors: set[Key], tried: set[Key]) -> int:
    known = set(justified())
    wrong = 0
    for said, keys in (
        ("No test notices, and nothing justifies:", survivors - known),
        ("Listed as a survivor, yet a test notices:", (known & tried) - survivors),
    ):
        for module, where, before, after in sorted(keys):
            wrong += 1
            print(f"{said} {module}, {where}\n  - {before}\n  + {after}")  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
