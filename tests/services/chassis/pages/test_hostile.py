"""What is typed anywhere is shown as text; ids of others and of nothing open nothing, anywhere.

Scripts stored through any text, headers split by what an address holds, objects asked for by an id
that is somebody else's (OWASP ASVS 4.2.1, 5.3.3; CWE-79, CWE-113, CWE-639).
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import date
from http import HTTPStatus
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel, ValidationError
from starlette.datastructures import ImmutableMultiDict

from contracts.kernel.fields import caller_model
from services.chassis import tables
from services.chassis.pages import rendering
from services.chassis.pages.content import Telling
from services.chassis.pages.forms import fields_of, filled
from services.chassis.tokens import Role
from tests.desks import desk_pair, second_school
from tests.federation.examples import Case, Script
from tests.invented import ANSWER, PUPIL
from tests.office_desks import desk
from tests.pair import Pair
from tests.services.chassis.pages.role_table import PERSON, TABLE
from tests.services.chassis.pages.test_roles import STRANGE, things
from tests.services.chassis.test_forms import SCRIPTS, bodies, leaves

MARKUP = "x\"'><script>alert(1)</script>"
RAW = "<script>alert"
SHOWN = "&lt;script&gt;alert"
SPLIT = "x%0d%0aSet-Cookie:%20stolen=1"
"""A line's end in an address, and the header that would follow."""

BODIES = sorted({model for _, model in bodies()}, key=lambda model: model.__name__)
TEMPLATES = sorted(
    path
    for room in (rendering.ROOM, rendering.PERSON_ROOM)
    for path in Path(str(files(room))).rglob("*.html")
)
ROLES = (Role.REFERENT, Role.MANAGER, Role.DPO, Role.OPERATOR)


def macro(template: str, name: str) -> Any:
    return getattr(rendering._environment().get_template(template).module, name)


# --- text


@pytest.mark.parametrize("model", BODIES, ids=lambda model: model.__name__)
def test_a_script_typed_in_any_field_of_any_form_comes_back_as_text(
    model: type[BaseModel],
) -> None:
    names = [leaf.name for leaf in leaves(model)]
    typed = ImmutableMultiDict([(name, MARKUP) for name in names])
    fields = filled(fields_of(model), typed, dict.fromkeys(names, MARKUP))
    shown = "".join(macro("form.html", "shown")(field) for field in fields)
    assert RAW not in shown
    assert not names or SHOWN in shown


def texts(content: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where a content holds a text."""
    for name, value in content.items():
        if isinstance(value, Mapping):
            yield from texts(value, (*above, name))
        elif isinstance(value, str):
            yield (*above, name)


def told_with_markup() -> Iterator[tuple[Script, str, dict[str, Any]]]:
    """Each message of each convention whose content takes markup in a text, with that content."""
    for script in SCRIPTS:
        for code, flow in script.flows.items():
            said = script.examples[code].data(Case(date(2026, 9, 14), date(2026, 10, 5)))
            for place in texts(said):
                content = copy.deepcopy(said)
                inner = content
                for step in place[:-1]:
                    inner = inner[step]
                inner[place[-1]] = MARKUP
                try:
                    caller_model(flow.payload).model_validate_json(json.dumps(content))
                except ValidationError:
                    continue
                yield script, code, content


def test_a_script_in_a_message_is_text_at_its_receiver(pair: Pair) -> None:
    """Some texts name a place or a post, and take any character; all of them are escaped."""
    found = list(told_with_markup())
    assert {script.text.letter for script, _, _ in found} == {"A", "B", "C"}  # D has no such text
    for script, code, content in found:
        told = Telling(pair.school.node.core, script.text.code).told(content)
        shown = macro("held.html", "held")(told)
        assert RAW not in shown, code
        assert SHOWN in shown, code


async def test_a_script_in_an_answer_is_text_on_the_page_of_its_case(pair: Pair) -> None:
    """The same, the whole way: typed at the city, carried, opened and shown at the school."""
    (case, *_) = pair.city.rows(tables.cases)
    referent: Any = ANSWER["referent"]
    answer = {**ANSWER, "referent": {**referent, "role": MARKUP}}
    pair.city.send("referral.answered", pair.school.org, answer, case_id=case.case_id)
    await pair.carry()
    async with desk(pair.school, Role.REFERENT) as client:
        page = await client.get(f"/pages/situations/{case.case_id}")
    assert RAW not in page.text
    assert SHOWN in page.text


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_lets_nothing_through_and_runs_nothing(template: Path) -> None:
    """Nothing is marked as safe, every attribute is quoted, no tag holds a script or a style."""
    source = template.read_text(encoding="utf-8")
    assert not re.search(r"\|\s*safe\b|autoescape\s+false|\bMarkup\b", source)
    assert not re.search(r"\s[\w-]+=\s*\{\{", source)
    assert not re.search(r"<[^>]*\son\w+\s*=|<[^>]*\sstyle\s*=|javascript:", source)
    for inline in re.findall(r"<script(?![^>]*\ssrc=)", source):
        raise AssertionError(inline)


# --- ids and headers


NAMED = [path for path, row in TABLE.items() if row.get is not None and "{" in path]
"""Every page whose address names something by its id."""


def closed(path: str, answer: httpx.Response) -> bool:
    """Whether nothing was opened; a page that may be told of something opens without it as well."""
    refused = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY}
    asks = "?" in path and answer.status_code == HTTPStatus.OK
    return asks or answer.status_code in refused or answer.is_redirect


@pytest.mark.parametrize("strange", [*STRANGE, SPLIT])
async def test_a_strange_id_opens_nothing_on_any_page(pair: Pair, strange: str) -> None:
    names = set(re.findall(r"\{(\w+)\}", " ".join(TABLE)))
    for role in ROLES:
        async with desk(pair.school, role) as client:
            for path in NAMED:
                answer = await client.get(path.format(**dict.fromkeys(names, strange)))
                assert closed(path, answer), (role, path)
                assert "<script>" not in answer.text, (role, path)
                assert "stolen" not in answer.cookies, (role, path)


async def test_what_is_of_one_school_opens_nothing_at_another(tmp_path: Path) -> None:
    """Same town, same convention, same roles: another school does not have it, whatever it is."""
    with desk_pair(tmp_path) as pair:
        ids = await things(pair)
        identity: Any = PUPIL["identity"]
        opened = set()
        with closing(second_school(pair)) as other:
            for role in ROLES:
                async with desk(pair.school, role) as ours, desk(other, role) as theirs:
                    for path in NAMED:
                        if (await ours.get(path.format(**ids))).status_code == HTTPStatus.OK:
                            opened.add(path)
                        answer = await theirs.get(path.format(**ids))
                        assert closed(path, answer), (role, path)
                        assert identity["first_name"] not in answer.text, (role, path)
        elsewhere = ("{c_", "{d_", "{decision}", "{city_case}", "/view/", "/copy")
        own = {path for path, row in TABLE.items() if row.get == {PERSON}}
        here = {path for path in NAMED if not any(one in path for one in elsewhere)} - own
        assert opened >= here


@pytest.mark.parametrize("name", ["back", "state", "code", "done", "version", "person", "to"])
async def test_a_line_s_end_in_an_address_makes_no_header(pair: Pair, name: str) -> None:
    paths = [path for path, row in TABLE.items() if row.get is not None and "{" not in path]
    for role, path in product((Role.MANAGER, Role.OPERATOR), paths):
        async with desk(pair.school, role) as client:
            mark = "&" if "?" in path else "?"
            answer = await client.get(f"{path}{mark}{name}={SPLIT}")
            assert answer.status_code != HTTPStatus.INTERNAL_SERVER_ERROR, path
            for header, value in answer.headers.raw:
                assert not {b"\r", b"\n"} & {bytes([one]) for one in header + value}, path
            assert "stolen" not in answer.cookies
