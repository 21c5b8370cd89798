"""What `make mutation` changes, and that it can tell a mutant that a test notices from another."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from textwrap import dedent

import pytest

from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.passed import keep_passed, passed
from tests.mutation.runner import Plan
from tests.mutation.survivors import justified

ROOT = Path(__file__).parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["relais"]["mutation"]


def changed(source: str) -> set[str]:
    return {one.after for one in mutants_of("m.py", dedent(source))}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("CHECKS = (ENROLLED, AGREED)\n", {"CHECKS = (AGREED,)", "CHECKS = (ENROLLED,)"}),
        ("ONE = (AGREED,)\n", {"ONE = ()"}),
        ("A = Limit(side=X, at_most=8)\n", {"A = Limit(side=X, at_most=9)", "A = Limit(side=X, )"}),
        ("A = Check(article='A-1.1')\n", {"A = Check(article='XXA-1.1XX')"}),
        ("def f(a, b):\n    return a and b\n", {"return a", "return b", "return a or b"}),
        ("def f(at):\n    return at >= END\n", {"return at > END", "return None"}),
        ("def f(a):\n    if a:\n        raise No\n", {"if False:", "if True:"}),
        ("def f(a):\n    return None if a in B else NO\n", {"return None if a not in B else NO"}),
    ],
)
def test_what_is_changed(source: str, found: set[str]) -> None:
    assert found <= changed(source)


@pytest.mark.parametrize(
    "source",
    [
        "import a\nfrom a import b\n",
        "A: int | None\n",
        "@dataclass(frozen=True)\nclass A:\n    '''Text.'''\n",
        "A = Check(sentence='Non.')\n",
    ],
)
def test_what_is_left_alone(source: str) -> None:
    """Types are mypy's; a sentence is there, which another test proves, and may change."""
    assert changed(source) <= {"A = Check()"}


def test_a_mutant_is_named_by_the_definition_around_it() -> None:
    source = """
        FLOWS = (flow(code="m1", days=30), flow(code="m2", days=30))

        @test_of.register
        def _(check: checks.Age) -> Test:
            return 1
        """
    where = Counter(one.where for one in mutants_of("m.py", dedent(source)))
    assert set(where) == {"FLOWS", "FLOWS.m1", "FLOWS.m2", "_(checks.Age)"}


def test_every_mutant_has_its_own_key_and_every_justified_survivor_is_one() -> None:
    """Else one line of the list would let several live, or justify code that has changed since."""
    keys = Counter(one.key for path in SETTINGS["modules"] for one in mutants(path))
    assert [key for key, count in keys.items() if count > 1] == []
    assert {path for path, *_ in keys} == set(SETTINGS["modules"])
    assert set(justified()) - set(keys) == set()
    assert all(why.endswith(".") for why in justified().values())


def plan(tests: str = "all") -> Plan:
    return Plan(
        nearest={"a/": ["one.py"], "b/": ["two.py", "three.py"]},
        stages=[["three.py", "four.py"], ["two.py"]],
        tests=tests,
        without=[],
        longest_seconds=1,
        stable=[],
    )


def test_a_mutant_meets_every_file_once_the_likeliest_first() -> None:
    """So that one which nothing notices costs no more than the tests do."""
    (first, second, rest) = plan().rounds("b/module.py")
    assert first[:2] == ["two.py", "three.py"]
    assert (second[0], "three.py" in second, "two.py" in second) == ("four.py", False, False)
    assert rest[0] == "all"
    ignored = {one for one in rest if one.startswith("--ignore")}
    assert ignored == {f"--ignore={name}.py" for name in ("two", "three", "four")}
    assert len(list(plan("").rounds("b/module.py"))) == 2


def test_the_quick_look_runs_the_likeliest_tests_before_it_tries_any_mutant(
    tmp_path: Path,
) -> None:
    """Collected alone, they pass whatever they say, and none of them is counted."""
    script = """
import sys, json, tomllib
from dataclasses import replace
from pathlib import Path
from tests.mutation.runner import Plan, unchanged, warm_up
wanted = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["tool"]["relais"]["mutation"]
given = Plan(**{name: value for name, value in wanted.items() if name != "modules"})
quick = replace(given, tests="", nearest={}, stages=[["tests/contracts/test_course.py"]])
warm_up(quick)
ran = unchanged(quick, "contracts/gate.py", root=Path.cwd())
Path(sys.argv[1]).write_text(str(ran))
"""
    said = tmp_path / "ran"
    subprocess.run([sys.executable, "-c", script, str(said)], cwd=ROOT, check=True)
    assert int(said.read_text()) > 0


def test_tests_run_again_once_a_file_has_changed(tmp_path: Path) -> None:
    tested, file = tmp_path / "contracts" / "rule.py", tmp_path / "build" / "passed.json"
    tested.parent.mkdir()
    tested.write_text("HOURS = 4\n")
    assert passed(plan(), tmp_path, file) is None
    keep_passed(plan(), 12, tmp_path, file)
    assert passed(plan(), tmp_path, file) == 12
    assert passed(plan(""), tmp_path, file) is None
    tested.write_text("HOURS = 5\n")
    assert passed(plan(), tmp_path, file) is None


def mutants(path: str) -> list[Mutant]:
    return list(mutants_of(path, (ROOT / path).read_text("utf-8")))
