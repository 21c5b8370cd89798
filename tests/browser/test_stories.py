"""The demonstration's stories, played from the agents' pages alone.

Every step that a story checks is checked here too. What no page offers is asked of the API, and is
one of the few things listed here, each with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest

from services.federation.demo import FEDERATION_FILE, STORIES
from services.federation.telling import Step
from tests.browser.browsers import Album, Browsers
from tests.browser.looking import BOTH, Looking
from tests.browser.paged import PagedFederation, Photographing, paged
from tests.servers import PostgresServer

pytestmark = pytest.mark.browser

_SHUT = "the text is over, or not read, or not signed by all: nothing of it may be sent"
_NIGHTLY = "a node destroys by itself, every hour; nobody has to press for it"
_INVENTED = "no page writes that a text is invented; who signs it after, does so from a page"
_OF_PARTIES = "an agreement names parties to the text alone"

NOT_OFFERED: Final[dict[str, dict[str, str]]] = {
    "a": {
        "/agreements, no choice recipients": _OF_PARTIES,
        "/agreements, no choice giver representative": "who is of age agrees alone",
        "/conventions/…/reports, no year that is over": "a year that runs is not counted",
        "/derogations alternative.status, no link": "without agreement, the alert alone may go",
        "/messages alternative.alert, no field without_agreement": "one person alone decided",
        "/messages alternative.alert, no link": "the measure is over",
        "/messages attendance.municipal_notice, no link": "the family was not told",
        "/messages referral.answered, no link": "withdrawn, the situation is stopped",
        "/messages referral.submitted, no field absences_count": "the message has no such field",
        "/messages referral.submitted, no link": "refused, withdrawn, over, or for somebody else",
    },
    "b": {
        "/agreements, no choice recipients": _SHUT,
        "/conventions, no form for an invented text": _INVENTED,
        "/conventions/…/reports, no year that is over": "that year is counted already",
        "/messages orientation.answered, no link": "who asks does not answer; withdrawn, nobody",
        "/messages orientation.requested, no link": _SHUT,
        "/retention, no link": _NIGHTLY,
    },
    "c": {
        "/conventions, no form for an invented text": _INVENTED,
        "/messages clause.eligibility_answered, no field reason": "the message has no such field",
        "/messages communication.announced, no field subject": "its page leads to the text first",
        "/messages communication.announced, no link": _SHUT,
        "/messages pec.candidate_outcome, no link": "withdrawn, the candidacy is stopped",
        "/received/…/view, no message": "it is another organisation's, or withdrawn",
        "/retention, no link": _NIGHTLY,
    },
    "d": {
        "/messages autonomy_project.contribution, no field housing": "no such field",
        "/messages training_obligation.breach, no link": "the young person was not told",
        "/messages youth.contact_answered, no link": "withdrawn, the situation is stopped",
    },
}
"""What each story tries although no page offers it, and why none does."""


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Address of a server of a story's own, where databases are not files."""
    if request.param == "sqlite":
        yield None
        return
    with PostgresServer() as server:
        yield server.url("postgres")


@pytest.fixture(scope="session")
def seen() -> set[str]:
    """Kinds of pages that one of the stories has come to in this run."""
    return set()


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("letter", "database"),
    [(letter, database) for letter in STORIES for database in ("sqlite", "postgresql")],
    indirect=["database"],
)
def test_a_story_is_played_from_pages(
    letter: str,
    database: str | None,
    browsers: Browsers,
    axe: Callable[[Any], Any],
    seen: set[str],
    album: Album,
    tmp_path: Path,
) -> None:
    """On SQLite each kind of page that an agent comes to is looked at; the same serve the other."""
    home = tmp_path / "home"
    looking = Looking(axe, album, BOTH, seen) if database is None else None
    with paged(home, FEDERATION_FILE, browsers, album, database, looking) as federation:
        steps = _told(letter, federation)
    assert not federation.broken, "\n".join(federation.broken)
    assert [step for step in steps if not step.ok] == []
    assert federation.fallen == set(NOT_OFFERED[letter])


def _told(letter: str, federation: PagedFederation) -> list[Step]:
    """The steps of a story, told in a thread of its own: another browser may have this one."""
    teller = Photographing(federation)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(STORIES[letter], federation, teller).result()
    teller.end()
    return teller.steps
