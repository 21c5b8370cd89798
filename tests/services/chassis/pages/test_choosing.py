"""Nobody types by heart what the node knows: its agents, its tutors, what a school's code means."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from services.chassis import sign_in_tables
from services.chassis.pages.content import Telling
from services.chassis.tokens import Role
from tests.office_desks import desk as office
from tests.pair import Pair
from tests.seated import opened, seat
from tests.services.conventions.a_city_school.support import Desk
from tests.services.conventions.c_employment_city_ccas import support


@pytest.fixture
def desk(tmp_path: Path, new_database_url: Callable[[], str]) -> Iterator[Desk]:
    with Pair(tmp_path, (new_database_url(), new_database_url())) as made:
        opened(made.city)
        yield Desk(made)


def known(page: httpx.Response, name: str) -> dict[str, str]:
    """What a field of a page offers beside what is typed, by its code."""
    (place,) = re.findall(rf'<input[^>]* name="{name}"[^>]* list="([^"]+)"', page.text)
    assert re.search(rf'name="{name}"[^>]* aria-describedby="[^"]*-offered', page.text)
    (held,) = re.findall(rf'<datalist id="{place}">(.*?)</datalist>', page.text)
    return dict(re.findall(r'<option value="([^"]+)">([^<]+)</option>', held))


async def test_whoever_may_sign_in_is_offered_where_an_agent_is_asked_for(desk: Desk) -> None:
    """A-2.5: a slip of the keyboard would shut the referent out."""
    await desk.opened()
    form = f"/pages/situations/{desk.case_id}/acts/referent"
    seat(desk.city, Role.REFERENT, "agent-2")
    seat(desk.city, Role.AGENT, "agent-2")
    seat(desk.city, Role.AGENT, "partie")
    table, left = sign_in_tables.authorisations, desk.pair.clock.now()
    gone = table.update().where(table.c.agent_id == "partie").values(ended_at=left)
    desk.city.write(lambda tx: tx.execute(gone))
    async with office(desk.city, Role.MANAGER) as client:
        page = await client.get(form)
        assert known(page, "agent_id") == {
            "agent-2": "agent-2 (agent, référent)",
            "manager-1": "manager-1 (responsable)",
        }


async def test_the_register_of_tutors_is_offered_where_one_is_named(
    tmp_path: Path, new_database_url: Callable[[], str]
) -> None:
    """C-3a.6: and nobody else, with who may follow one more today."""
    with support.made(tmp_path, new_database_url) as city:
        await city.proposed()
        city.tutor(staff_id="nouvelle-2", qualified_on=None)
        opened(city.city)
        async with office(city.city, Role.AGENT) as client:
            page = await client.get(f"/pages/situations/{city.case_id}/acts/tutor_named")
            offered = dict(
                re.findall(r'name="staff_id" value="([^"]+)".*?">([^<]+)</label>', page.text)
            )
            assert offered == {
                "nouvelle-2": "nouvelle-2 (ne remplit pas toutes les conditions)",
                "tutrice-7": "tutrice-7 (remplit les conditions)",
            }


async def test_a_school_is_named_beside_its_code(desk: Desk) -> None:
    """A-1.2; a code that the directory does not know stays as it is."""
    telling = Telling(desk.city.node.core, "a_city_school")
    (told,) = telling.told({"uai": "0999999A"})
    assert (told.label, told.value) == ("Établissement", "Organisme s1 (0999999A)")
    (told,) = telling.told({"uai": "0111111Z"})
    assert told.value == "0111111Z"
