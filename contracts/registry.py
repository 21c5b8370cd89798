"""Finds the conventions by listing their folder: a fifth convention is one folder, no other line.

Each folder holds ``convention.py`` with a ``CONVENTION``, and may hold a ``DUTIES`` tuple of legal
duties. Former versions of a text are found in the same folder, as ``PAST``; what people call its
codes, in ``words.py`` as ``WORDS``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from types import ModuleType

import contracts.conventions
from contracts.kernel.checks import Agreement
from contracts.kernel.derogation import LONGEST_HOURS
from contracts.kernel.errors import InvalidDocument, UnknownName
from contracts.kernel.fields import Payload
from contracts.kernel.instrument import (
    Cardinality,
    Convention,
    Flow,
    Instrument,
    LegalDuty,
    RestsOn,
)
from contracts.kernel.messages import identity_block
from contracts.kernel.organisation import Kind
from contracts.kernel.words import COMMON


@dataclass(frozen=True)
class Registry:
    """All instruments known to this installation.

    `by_rules` holds every version ever in force, so that past decisions can be replayed. `words`:
    what people call the codes of an instrument.
    """

    conventions: dict[str, Convention]
    duties: dict[str, LegalDuty]
    by_rules: dict[str, Instrument] = field(repr=False)
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)

    def convention(self, code: str) -> Convention:
        """The convention of that folder name; raises UnknownName."""
        found = self.conventions.get(code)
        if found is None:
            raise UnknownName(f"La convention {code} est inconnue de cette installation.")
        return found

    def rules(self, rules_version: str) -> Instrument:
        """The instrument as it was under a recorded rules version; raises UnknownName."""
        found = self.by_rules.get(rules_version)
        if found is None:
            raise UnknownName(f"Les règles {rules_version} ne sont plus connues.")
        return found

    def word(self, instrument: str, code: str) -> str:
        """What people call a code of an instrument's messages and acts; the code, of an unknown."""
        return self.words.get(instrument, {}).get(code) or COMMON.get(code, code)

    def flows(self) -> Iterator[tuple[Instrument, Flow]]:
        """Every flow of every instrument."""
        instruments: list[Instrument] = [*self.conventions.values(), *self.duties.values()]
        for instrument in instruments:
            for flow in instrument.flows:
                yield instrument, flow

    def versions(self) -> dict[str, tuple[int, ...]]:
        """Every version of each type that some instrument gives it, ascending."""
        found: dict[str, set[int]] = {}
        for _, flow in self.flows():
            found.setdefault(flow.type, set()).add(flow.version)
        return {name: tuple(sorted(versions)) for name, versions in found.items()}

    def flows_between(self, sender: Kind, receiver: Kind) -> Iterator[tuple[Instrument, Flow]]:
        """Flows that join two kinds in that direction."""
        for instrument, flow in self.flows():
            if flow.sender is sender and flow.receiver is receiver:
                yield instrument, flow


def load(package: ModuleType = contracts.conventions) -> Registry:
    """List the folders of a package and gather what they declare.

    Raises InvalidDocument when two declare the same code, or a flow that its parties cannot carry.
    """
    found: list[Instrument] = []
    past: list[Instrument] = []
    words: dict[str, Mapping[str, str]] = {}
    for entry in sorted(pkgutil.iter_modules(package.__path__), key=lambda one: one.name):
        folder = f"{package.__name__}.{entry.name}"
        module = importlib.import_module(f"{folder}.convention")
        here = [module.CONVENTION, *getattr(module, "DUTIES", ())]
        found += here
        past += getattr(module, "PAST", ())
        if find_spec(f"{folder}.words") is not None:
            said = importlib.import_module(f"{folder}.words").WORDS
            words |= {instrument.code: said for instrument in here}
    return build(found, past, words)


def build(
    found: Iterable[Instrument],
    past: Iterable[Instrument] = (),
    words: Mapping[str, Mapping[str, str]] | None = None,
) -> Registry:
    """A registry of given instruments, checked."""
    conventions: dict[str, Convention] = {}
    duties: dict[str, LegalDuty] = {}
    by_rules: dict[str, Instrument] = {}
    payloads: dict[tuple[str, int], type[Payload]] = {}
    for instrument in found:
        if instrument.code in {*conventions, *duties}:
            raise InvalidDocument(f"Two instruments bear the code {instrument.code}.")
        _check(instrument)
        for flow in instrument.flows:
            if payloads.setdefault((flow.type, flow.version), flow.payload) is not flow.payload:
                raise InvalidDocument(f"{flow.type} version {flow.version} has two shapes.")
        if isinstance(instrument, Convention):
            conventions[instrument.code] = instrument
        else:
            duties[instrument.code] = instrument
        by_rules[instrument.rules_version] = instrument
    for instrument in past:
        by_rules.setdefault(instrument.rules_version, instrument)
    return Registry(conventions, duties, by_rules, words or {})


def _check(instrument: Instrument) -> None:
    parties = (
        instrument.parties
        if isinstance(instrument, Convention)
        else (instrument.sender, instrument.receiver)
    )
    if isinstance(instrument, Convention):
        term = instrument.term
        if (term.years is None) == (term.until is None):
            raise InvalidDocument(f"{instrument.code}: a term is in years or until a day.")
        for flow in instrument.flows:
            if flow.purpose not in instrument.purposes:
                raise InvalidDocument(f"{instrument.code}: {flow.type} serves no stated purpose.")
    ways = [(flow.type, flow.sender, flow.receiver) for flow in instrument.flows]
    if len(set(ways)) != len(ways):
        raise InvalidDocument(f"{instrument.code}: two flows of one type go the same way.")
    codes = [flow.code for flow in instrument.flows]
    if len(set(codes)) != len(codes) or {"k", "r"} & set(codes):
        raise InvalidDocument(f"{instrument.code}: two flows share a subject code.")
    for flow in instrument.flows:
        _check_flow(instrument, flow)
        if flow.sender not in parties or flow.receiver not in parties:
            raise InvalidDocument(f"{instrument.code}: {flow.type} leaves the parties.")


def _check_flow(instrument: Instrument, flow: Flow) -> None:
    identity_block(flow.payload)
    if flow.rests_on is RestsOn.CONTRACT and flow.case is not Cardinality.OPENS:
        raise InvalidDocument(f"{instrument.code}: {flow.type} opens no case that could rest.")
    agreed = any(isinstance(check, Agreement) for check in flow.checks)
    if flow.derogations and not agreed:
        raise InvalidDocument(f"{instrument.code}: {flow.type} asks for no agreement anyway.")
    if any(not 1 <= rule.hours <= LONGEST_HOURS for rule in flow.derogations):
        raise InvalidDocument(f"{instrument.code}: a derogation for {flow.type} lasts too long.")
    if flow.retention.stated != 1:
        raise InvalidDocument(f"{instrument.code}: {flow.type} is kept for how long?")
    if flow.retention.transient and flow.case is Cardinality.NONE:
        raise InvalidDocument(f"{instrument.code}: {flow.type} could never be seen again.")
