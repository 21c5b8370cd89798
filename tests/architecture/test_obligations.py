"""Every rule, field and refusal cites an obligation that exists, and a test names it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic.fields import FieldInfo

from contracts.export import REGISTER
from contracts.gate import instrument_checks
from contracts.kernel.checks import Agreement
from contracts.kernel.control import CONTROL_TYPES
from contracts.kernel.fields import Payload
from contracts.kernel.instrument import Convention, Flow, Instrument
from contracts.kernel.obligation import Nature, Obligation
from contracts.registry import load
from services.cli.obligations import Kept, kept
from tests.architecture.repository import PRODUCT, ROOT, files, modules, read

ID = re.compile(r"\b[A-D]-\d+[a-z]?\.\d+[a-z]?\b")
LAW = re.compile(r"(?:CASF |Code trav\. )?[LRD]\d{3,4}(?:-\d+)*|RGPD \d+")
ROW = re.compile(r"^\| ([A-D]-\d+[a-z]?\.\d+[a-z]?) \| [^|]+ \| ([^|]+) \| ([GMDRIO ]+) \|$")
FOLDER = "docs/obligations/"


def listed(letter: str) -> dict[str, str]:
    """Obligations of one convention: what each demands, by id."""
    text = read(f"{FOLDER}{letter.lower()}.md") or ""
    rows = [found for line in text.splitlines() if (found := ROW.match(line))]
    return {row[1]: row[2].strip() for row in rows}


LETTERS = sorted(
    path.removeprefix(FOLDER).removesuffix(".md").upper()
    for path in files()
    if path.startswith(FOLDER) and path.endswith(".md")
)
KNOWN = {name for letter in LETTERS for name in listed(letter)}
INSTRUMENTS: list[Instrument] = [*load().conventions.values(), *load().duties.values()]


def cited(text: str) -> set[str]:
    """Ids that a text names, of the conventions whose obligations are listed."""
    return {name for name in ID.findall(text) if name[0] in LETTERS}


def test_each_convention_has_its_obligations_listed_once() -> None:
    assert {one.letter for one in INSTRUMENTS} <= set(LETTERS)
    for letter in LETTERS:
        text = read(f"{FOLDER}{letter.lower()}.md") or ""
        rows = [line for line in text.splitlines() if line.startswith(f"| {letter}-")]
        assert len(listed(letter)) == len(rows) > 0
        assert all(name.startswith(f"{letter}-") for name in listed(letter))
        assert all(demand.endswith(".") for demand in listed(letter).values())


@pytest.mark.parametrize("module", modules(*PRODUCT), ids=lambda one: one.path)
def test_every_obligation_that_a_module_cites_exists(module: Any) -> None:
    assert cited(module.text) - KNOWN == set()


def test_every_obligation_that_cases_cite_exists() -> None:
    for path in files():
        if path.endswith("/cases.yaml"):
            assert cited(read(path) or "") - KNOWN == set()


def rests(article: str) -> bool:
    """Whether an article is an obligation that exists, or an article of a law."""
    return article in KNOWN or LAW.fullmatch(article) is not None


def articles(instrument: Instrument) -> Iterator[tuple[str, str]]:
    """Everything in an instrument that must rest on an article, and the article."""
    if isinstance(instrument, Convention):
        yield "parties", instrument.parties_article
        yield "term", instrument.term.article
        yield "termination", instrument.termination.article
        yield "amendment", instrument.amendment_article
        yield "evidence", instrument.evidence_article
        yield "review", instrument.review_article
        yield "purge", instrument.purge_article
    else:
        yield "duty", instrument.article
    yield "minimisation", instrument.minimisation_article
    for flow in instrument.flows:
        yield from _flow_articles(instrument, flow)


def _flow_articles(instrument: Instrument, flow: Flow) -> Iterator[tuple[str, str]]:
    yield flow.type, flow.article
    yield f"{flow.type} retention", flow.retention.article
    for check in (*instrument_checks(instrument, flow), *flow.checks):
        name = f"{flow.type} {type(check).__name__}"
        yield name, check.article
        if isinstance(check, Agreement):
            yield f"{name} recipient", check.recipient_article


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda one: one.code)
def test_everything_in_an_instrument_rests_on_an_article(instrument: Instrument) -> None:
    assert {name: article for name, article in articles(instrument) if not rests(article)} == {}


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda one: one.code)
def test_every_refusal_is_a_french_sentence(instrument: Instrument) -> None:
    for flow in instrument.flows:
        assert flow.label
        for check in (*instrument_checks(instrument, flow), *flow.checks):
            assert re.fullmatch(r"[A-ZÉÀ].+\.", check.sentence)


def fields_of(payload: type[Payload]) -> Iterator[tuple[str, FieldInfo]]:
    """Every field of a content, and of the blocks inside it."""
    for name, info in payload.model_fields.items():
        yield f"{payload.__name__}.{name}", info
        for block in _blocks(info.annotation):
            yield from fields_of(block)


def _blocks(annotation: Any) -> Iterator[type[Payload]]:
    if isinstance(annotation, type) and issubclass(annotation, Payload):
        yield annotation
    for part in get_args(annotation):
        yield from _blocks(part)


CONTENTS = {flow.payload for _, flow in load().flows()} | {
    control.payload for control in CONTROL_TYPES.values()
}
FIELDS = {name: info for payload in CONTENTS for name, info in fields_of(payload)}


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_every_field_says_its_name_its_reason_and_its_source(name: str) -> None:
    info = FIELDS[name]
    assert info.title
    assert info.description
    assert info.description.endswith(".")
    assert isinstance(info.json_schema_extra, dict)
    assert rests(str(info.json_schema_extra["source"]))


def test_the_walk_reaches_inner_blocks() -> None:
    assert {"ReferralSubmitted.pupil", "Identity.birth_date", "PhoneChannel.value"} <= set(FIELDS)


def test_every_control_type_rests_on_an_article() -> None:
    assert all(rests(control.article) and control.label for control in CONTROL_TYPES.values())


def test_every_obligation_that_the_product_cites_is_named_by_a_test() -> None:
    rules = [one for one in modules(*PRODUCT) if not one.path.endswith("/obligations.py")]
    product = {name for module in rules for name in cited(module.text)}
    texts = [read(path) or "" for path in files() if path.endswith("/cases.yaml")]
    texts += [module.text for module in modules("tests") if not module.path.endswith(_SELF)]
    assert product - {name for text in texts for name in cited(text)} == set()


_SELF = "architecture/test_obligations.py"


CONVENTIONS = [one for one in INSTRUMENTS if isinstance(one, Convention)]
KEPT = kept(CONVENTIONS, ROOT)
_LETTERS_OF = {
    Nature.GATE: "G",
    Nature.MESSAGE: "M",
    Nature.DEADLINE: "D",
    Nature.RECORD: "R",
    Nature.INDICATOR: "I",
    Nature.ORGANISATIONAL: "O",
}
_IN_FRENCH = {"preamble": "préambule", "objectives": "objectifs", "end": "signatures"}


@pytest.mark.parametrize("convention", CONVENTIONS, ids=lambda one: one.code)
def test_a_convention_asks_what_the_list_of_its_obligations_says(convention: Convention) -> None:
    wanted = []
    for line in (read(f"{FOLDER}{convention.letter.lower()}.md") or "").splitlines():
        if row := ROW.match(line):
            article = line.split(" | ")[1]
            wanted.append((row[1], _IN_FRENCH.get(article, article), row[3]))
    asked = convention.obligations
    letters = [" ".join(_LETTERS_OF[nature] for nature in one.natures) for one in asked]
    found = [(one.id, one.article, said) for one, said in zip(asked, letters, strict=True)]
    assert found == wanted
    assert all(re.fullmatch(r"[A-ZÉÀ].+\.", one.asks) for one in asked)


@pytest.mark.parametrize("one", KEPT, ids=lambda one: one.obligation.id)
def test_every_obligation_is_kept_somewhere_and_named_by_a_test(one: Kept) -> None:
    """A rule that no module cites is not there; one that no test names may leave unnoticed."""
    assert one.homes
    assert one.tests


def test_what_only_people_keep_stands_in_the_register_and_nowhere_else() -> None:
    register = read(REGISTER) or ""
    people = [one.obligation.id for one in KEPT if one.homes == (REGISTER,)]
    assert people == [one.obligation.id for one in KEPT if one.obligation.organisational]
    assert people
    assert all(f"| {name} |" in register for name in people)


def _asking(*names: str) -> Convention:
    natures = (Nature.GATE,)
    asked = [Obligation(id=one, article="1", natures=natures, asks="Non.") for one in names]
    return replace(CONVENTIONS[0], obligations=tuple(asked))


def test_those_checks_can_fail(tmp_path: Path) -> None:
    """What is told, listed or commented is not kept; a table beside a test proves nothing."""
    one, other = "D-91.1", "D-91.2"
    texts = {
        "contracts/rule.py": f"RULE = '{one}'",
        "contracts/obligations.py": f"LIST = '{other}'",
        "contracts/cases.yaml": f"# {other}\n  expect: [[{one}, no]]",
        "services/cli/story.py": f"'{other}'",
        "tests/test_rule.py": f"T = '{other}'\ndef helper():\n    '{other}'",
    }
    for path, text in texts.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    asking = _asking(one, other)
    assert [found.tests for found in kept([asking], tmp_path)] == [None, None]
    (tmp_path / "tests" / "contracts").mkdir()
    (tmp_path / "tests" / "contracts" / "test_cases.py").write_text("")
    there, missing = kept([asking], tmp_path)
    assert there.homes == ("contracts/rule.py (RULE)",)
    assert there.tests == ("contracts/cases.yaml (tests/contracts/test_cases.py::test_decisions)",)
    assert (missing.homes, missing.tests) == ((), ())
    (tmp_path / "tests" / "test_rule.py").write_text(f"@mark('{other}')\ndef test_it(): ...")
    assert kept([asking], tmp_path)[1].tests == ("tests/test_rule.py::test_it",)
