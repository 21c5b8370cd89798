"""A city and a school, and what the city sees of the directory."""

from __future__ import annotations

from pathlib import Path

from contracts import registry
from contracts.kernel.signed import State
from services.chassis.bundle import Bundle
from services.chassis.directory import Directory, DirectoryKeeper
from tests.parties import AT, city, school, signed, text

REGISTRY = registry.load()


class World:
    """A city and a school that signed convention A; the city looks at it."""

    def __init__(self) -> None:
        self.city, self.school = city(), school()
        self.terms = text(self.city, self.school)
        self.bundle = Bundle(
            entries=(self.city.entry(), self.school.entry()),
            terms=(signed(self.terms, self.city, self.school),),
        )
        self.own = self.city.own

    def seen(self, *more: Bundle) -> Directory:
        bundle = self.bundle
        for one in more:
            bundle = bundle.then(one)
        return self.alone(bundle)

    def alone(self, bundle: Bundle) -> Directory:
        return Directory.verified(bundle, "ville", self.own, REGISTRY)

    def keeper(self, folder: Path) -> DirectoryKeeper:
        return DirectoryKeeper("ville", lambda: self.own, REGISTRY, folder / "directory.json")


def state(seen: Directory) -> State:
    return seen.conventions["conv-a"].state(AT)
