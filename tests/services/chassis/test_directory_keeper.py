"""What a node goes on knowing of the directory: never less than it once knew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest

from contracts.kernel.errors import Unavailable, UnknownKey
from contracts.kernel.signed import State
from contracts.kernel.terms import ActKind
from services.chassis import directory
from services.chassis.bundle import Bundle
from tests.parties import AT, school, signed, text
from tests.services.chassis.directory_support import World, state


@pytest.fixture
def world() -> World:
    return World()


# -- the keeper --------------------------------------------------------------------------------


class Registrar:
    """What the keeper talks to: a bundle that the test changes, and how often it was asked."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.status = 200
        self.answered: list[int] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        etag = f'"{self.bundle.revision}"'
        known = request.headers.get("If-None-Match") == etag
        status = 304 if known and self.status == 200 else self.status
        self.answered.append(status)
        content = self.bundle.model_dump_json() if status == 200 else ""
        return httpx.Response(status, headers={"ETag": etag}, text=content)

    def client(self) -> httpx.AsyncClient:
        transport = httpx.MockTransport(self)
        return httpx.AsyncClient(transport=transport, base_url="http://registrar")


async def test_a_sync_reads_once_and_tells_of_a_change_once(world: World, tmp_path: Path) -> None:
    server, keeper, told = Registrar(world.bundle), world.keeper(tmp_path), list[str]()
    keeper.on_change(lambda new: told.append(new.revision))
    async with server.client() as client:
        assert await keeper.sync(client)
        first = keeper.current.revision
        assert not await keeper.sync(client)
        assert server.answered == [200, 304]
        server.bundle = world.bundle.then(Bundle(entries=(world.school.entry(),)))
        assert await keeper.sync(client)
    assert told == [first, keeper.current.revision]


async def test_a_node_starts_from_its_cache_while_the_registrar_is_away(
    world: World, tmp_path: Path
) -> None:
    server = Registrar(world.bundle)
    async with server.client() as client:
        await world.keeper(tmp_path).sync(client)
        server.status = 503
        again = world.keeper(tmp_path)
        with pytest.raises(Unavailable):
            await again.sync(client)
    assert state(again.current) is State.IN_FORCE
    (tmp_path / "directory.json").write_text("{")
    assert world.keeper(tmp_path).current.conventions == {}


@pytest.mark.parametrize("answer", ["", "[]", '{"entries": 1}', "x" * 10])
async def test_an_answer_that_is_no_bundle_changes_nothing(
    world: World, tmp_path: Path, answer: str
) -> None:
    keeper = world.keeper(tmp_path)
    keeper.absorb(world.bundle)
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=answer))
    async with httpx.AsyncClient(transport=transport, base_url="http://registrar") as client:
        with pytest.raises(Unavailable):
            await keeper.sync(client)
    assert state(keeper.current) is State.IN_FORCE


async def test_an_endless_answer_is_not_read_to_its_end(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = world.keeper(tmp_path)
    async with Registrar(world.bundle).client() as client:
        monkeypatch.setattr(directory, "MAX_BYTES", 100)
        with pytest.raises(Unavailable):
            await keeper.sync(client)
        monkeypatch.undo()
        assert await keeper.sync(client)


Withholding = Callable[[World], Bundle]
WITHHELD: dict[str, Withholding] = {
    "everything": lambda _: Bundle(),
    "acts": lambda world: world.bundle,
    "terms": lambda world: Bundle(entries=world.bundle.entries),
    "entries": lambda world: Bundle(terms=world.bundle.terms),
    "signatures": lambda world: Bundle(terms=(signed(world.terms, world.school),)),
}


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("withheld", list(WITHHELD))
async def test_a_registrar_that_withholds_reopens_nothing_at_a_node_that_knew(
    world: World, tmp_path: Path, withheld: str, *, restarted: bool
) -> None:
    keeper = world.keeper(tmp_path)
    suspension = Bundle(acts=(world.school.act(ActKind.SUSPENSION, "conv-a"),))
    server = Registrar(world.bundle.then(suspension))
    async with server.client() as client:
        await keeper.sync(client)
        assert state(keeper.current) is State.SUSPENDED
        server.bundle = WITHHELD[withheld](world)
        keeper = world.keeper(tmp_path) if restarted else keeper
        assert not await keeper.sync(client)
        assert state(keeper.current) is State.SUSPENDED
        at = AT + timedelta(seconds=1)
        server.bundle = Bundle(acts=(world.school.act(ActKind.RESUMPTION, "conv-a", at),))
        assert await keeper.sync(client)
    assert keeper.current.conventions["conv-a"].state(at) is State.IN_FORCE


def test_withheld_amendments_and_entries_do_not_bring_older_ones_back(
    world: World, tmp_path: Path
) -> None:
    keeper = world.keeper(tmp_path)
    amended = text(world.city, world.school, version=2, effective_on=date(2026, 6, 1))
    second = signed(amended, world.city, world.school)
    world.school.code = "s2"
    keeper.absorb(world.bundle.then(Bundle(terms=(second,), entries=(world.school.entry(),))))
    assert not keeper.absorb(world.bundle)
    assert keeper.current.conventions["conv-a"].version_at(AT) == 2
    assert keeper.current.by_code("s2")
    assert keeper.current.by_code("s1") is None


def test_our_own_new_key_is_taken_up(world: World, tmp_path: Path) -> None:
    keeper = world.keeper(tmp_path)
    keeper.absorb(world.bundle)
    rotation = world.city.rotate()
    world.own = {**world.own, **world.city.own}
    assert keeper.absorb(Bundle(rotations=(rotation,), entries=(world.city.entry(),)))
    assert keeper.current.find_key("ville", world.city.kid)
    assert state(keeper.current) is State.IN_FORCE
    mine = keeper.current.entry("ville")
    assert mine is not None
    assert mine.sequence == 2


@contextmanager
def _full_disk(folder: Path) -> Iterator[None]:
    """A folder where the file's draft stands in the way: writing fails, as on a full disk."""
    obstacle = folder / "directory.json.new"
    obstacle.mkdir()
    yield
    obstacle.rmdir()


def test_an_act_takes_effect_even_when_the_disk_is_full(world: World, tmp_path: Path) -> None:
    keeper = world.keeper(tmp_path)
    keeper.absorb(world.bundle)
    suspension = Bundle(acts=(world.school.act(ActKind.SUSPENSION, "conv-a"),))
    with _full_disk(tmp_path), pytest.raises(OSError, match="directory"):
        keeper.absorb(suspension)
    assert state(keeper.current) is State.SUSPENDED
    keeper.absorb(Bundle())
    assert state(world.keeper(tmp_path).current) is State.SUSPENDED


def test_of_two_contradictions_what_was_known_first_holds(world: World, tmp_path: Path) -> None:
    """A registrar must not choose, later, between two texts or two heirs of one key."""
    thief = school()
    thief.key = world.school.key
    rival = text(world.city, world.school, until=date(2026, 2, 1))
    lies = Bundle(
        terms=(signed(rival, world.city, world.school),),
        rotations=(thief.rotate(),),
        entries=(thief.entry(),),
    )
    keeper = world.keeper(tmp_path)
    true = Bundle(rotations=(world.school.rotate(),), entries=(world.school.entry(),))
    keeper.absorb(world.bundle.then(true))
    assert not keeper.absorb(lies)
    assert state(keeper.current) is State.IN_FORCE
    assert keeper.current.find_key("college", world.school.kid)
    with pytest.raises(UnknownKey):
        keeper.current.find_key("college", thief.kid)
    other = world.keeper(tmp_path / "other")
    other.absorb(world.bundle.model_copy(update={"terms": lies.terms}))
    assert state(other.current) is State.PURGED
