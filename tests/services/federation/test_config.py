"""federation.yaml: what it says, and what every mistake in it is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from contracts import registry
from contracts.kernel.errors import UnknownName
from contracts.kernel.organisation import Kind
from services.federation.config import BadFederation, FederationFile, convention_id, read_federation
from tests.federations import (
    CITY,
    CONVENTION,
    SCHOOL,
    SIGNED_ON,
    THIRD,
    content,
    read,
    third_school,
    write,
)

SHIPPED = Path(__file__).parents[3] / "deploy" / "federation.yaml"


def test_the_shipped_file_holds_seven_organisations_and_signs_with_each_school() -> None:
    found = read_federation(SHIPPED, registry.load())
    kinds = [one.kind for one in found.organisations]
    assert set(kinds) == set(Kind)
    assert kinds.count(Kind.SCHOOL) == 2
    signed = found.to_sign(registry.load())
    ids = [one.id for one in signed if one.convention == "a_city_school"]
    assert len(ids) == 2
    assert all(one.invented for one in signed if one.id in ids)
    assert all(one.dpo.endswith(".example.org") for one in found.organisations)


def test_a_convention_names_parties_capacities_decisions_days_and_evidence(tmp_path: Path) -> None:
    (one,) = read(tmp_path, content()).to_sign(registry.load())
    assert one.id == CONVENTION
    assert [party.org for party in one.parties] == [CITY, SCHOOL]
    assert one.evidence == sha256(b"Texte de substitution").hexdigest()
    assert one.parties[0].signature.signed_on == date.fromisoformat(SIGNED_ON)


def test_an_amendment_waits_in_the_file_and_says_whether_it_is_invented() -> None:
    """Of the texts that are over, or will be on a day of their own, wherever they are signed."""
    signed = read_federation(SHIPPED, registry.load()).to_sign(registry.load())
    amended = {one.convention: one.amendment for one in signed if one.amendment is not None}
    assert set(amended) == {
        "b_city_mission_locale",
        "c_employment_city_ccas",
        "d_department_mission_locale",
    }
    for amendment in amended.values():
        said = amendment.signing(date(2030, 1, 15))
        assert said["invented"]
        assert said["effective_on"] < date(2030, 1, 15) < date(2032, 1, 15) < said["until"]
        assert said["effective_on"] == said["signed_on"] < said["until"]
        assert said["evidence"] == sha256(amendment.evidence.encode()).hexdigest()


def test_an_amendment_ends_after_its_signature(tmp_path: Path) -> None:
    values = content()
    amendment: dict[str, object] = {
        "evidence": "Avenant",
        "signed_on": "2026-09-15",
        "until": "2026-09-15",
    }
    values["conventions"][0]["amendment"] = amendment
    with pytest.raises(BadFederation, match="amendment : un avenant se termine après"):
        read(tmp_path, values)
    amendment["until"] = "2026-09-16"
    (one,) = read(tmp_path, values).to_sign(registry.load())
    assert one.amendment is not None
    amendment |= {"signed_on": -10, "until": -10}
    with pytest.raises(BadFederation, match="amendment : un avenant se termine après"):
        read(tmp_path, values)
    amendment["until"] = "2026-09-16"
    with pytest.raises(BadFederation, match="amendment : un avenant porte deux jours"):
        read(tmp_path, values)


def test_a_day_may_count_from_the_one_of_signing(tmp_path: Path) -> None:
    """And is kept as such: the file, read again another day, has not changed."""
    values = content()
    said = values["conventions"][0]
    said["signatures"]["city"]["signed_on"] = -3
    said["amendment"] = {"evidence": "Avenant", "signed_on": -1, "until": 30}
    federation = read(tmp_path, values)
    assert FederationFile.model_validate_json(federation.model_dump_json()) == federation
    (one,) = federation.to_sign(registry.load())
    leap = date(2028, 3, 1)
    assert [party.signature.signed(leap) for party in one.parties] == [
        date(2028, 2, 27),
        date.fromisoformat(SIGNED_ON),
    ]
    assert one.amendment is not None
    signing = one.amendment.signing(leap)
    assert (signing["signed_on"], signing["until"]) == (date(2028, 2, 29), date(2028, 3, 31))


def test_one_more_school_is_one_more_entry(tmp_path: Path) -> None:
    values = content()
    values["organisations"].append(third_school())
    found = read(tmp_path, values)
    assert len(found.member(THIRD).code) == 8
    assert found.member(THIRD).dpo == f"dpo@{THIRD}.example.org"
    ids = [one.id for one in found.to_sign(registry.load())]
    assert ids == [CONVENTION, f"a-{CITY}-{THIRD}"]


def test_three_lines_make_a_school(tmp_path: Path) -> None:
    values = content()
    values["organisations"].append({"id": THIRD, "kind": "school", "uai": "9990102G"})
    assert read(tmp_path, values).member(THIRD).name == THIRD


def test_parties_may_also_be_named(tmp_path: Path) -> None:
    values = content()
    values["organisations"].append(third_school())
    values["conventions"][0]["parties"]["school"] = [THIRD]
    ids = [one.id for one in read(tmp_path, values).to_sign(registry.load())]
    assert ids == [f"a-{CITY}-{THIRD}"]


def test_a_code_is_drawn_once_from_the_id_and_says_nothing(tmp_path: Path) -> None:
    first, again = read(tmp_path, content()), read(tmp_path, content())
    assert first.member(SCHOOL).code == again.member(SCHOOL).code
    assert first.member(SCHOOL).code not in SCHOOL


def test_an_organisation_that_is_not_there_is_said_with_those_that_are(tmp_path: Path) -> None:
    found = read(tmp_path, content())
    assert found.member(CITY).kind is Kind.CITY
    with pytest.raises(UnknownName, match=f"nulle-part.*{SCHOOL}"):
        found.member("nulle-part")


def test_a_long_name_is_shortened_and_stays_the_same() -> None:
    orgs = ["v" * 40, "c" * 40]
    assert convention_id("A", ["v", "c"]) == "a-v-c"
    assert convention_id("A", orgs) == convention_id("A", orgs)
    assert len(convention_id("A", orgs)) <= 61


def _org(**changes: object) -> Callable[[dict[str, Any]], None]:
    def change(values: dict[str, Any]) -> None:
        values["organisations"][0].update(changes)

    return change


def _without(name: str) -> Callable[[dict[str, Any]], None]:
    def change(values: dict[str, Any]) -> None:
        del values["organisations"][0][name]

    return change


def _convention(**changes: object) -> Callable[[dict[str, Any]], None]:
    def change(values: dict[str, Any]) -> None:
        values["conventions"][0].update(changes)

    return change


def _twice(values: dict[str, Any]) -> None:
    values["conventions"] *= 2


def _same(name: str) -> Callable[[dict[str, Any]], None]:
    def change(values: dict[str, Any]) -> None:
        other = third_school()
        other[name] = values["organisations"][0].get(name, "abc")
        values["organisations"][0][name] = other[name]
        values["organisations"].append(other)

    return change


def _city_with_uai(values: dict[str, Any]) -> None:
    values["organisations"][1]["uai"] = "9990102G"


def _half_signed(values: dict[str, Any]) -> None:
    del values["conventions"][0]["signatures"]["city"]


def _day(given: object) -> Callable[[dict[str, Any]], None]:
    def change(values: dict[str, Any]) -> None:
        values["conventions"][0]["signatures"]["city"]["signed_on"] = given

    return change


WRONG: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "no kind": (_without("kind"), r"organisations\.0\.kind : ce champ manque"),
    "another kind": (
        _org(kind="church"),
        r"organisations\.0\.kind .*permise \('school', .* ou 'department'\)",
    ),
    "a field too many": (_org(phone="x"), r"organisations\.0\.phone : ce champ n'existe pas"),
    "a bad id": (_org(id="École"), r"organisations\.0\.id : cette forme"),
    "no name": (_org(name=""), r"organisations\.0\.name : ce texte est vide"),
    "no UAI": (_without("uai"), r"organisations\.0 : une école porte son UAI"),
    "a wrong UAI": (_org(uai="9990101A"), r"organisations\.0\.uai : la lettre"),
    "a UAI of another shape": (_org(uai="99F"), r"organisations\.0\.uai : cette forme"),
    "a city's UAI": (_city_with_uai, r"organisations\.1 : seule une école"),
    "a wrong SIRET": (_org(siret="99910001900011"), r"organisations\.0\.siret : .*SIRET"),
    "a wrong mailbox": (_org(dpo="nobody"), r"organisations\.0\.dpo : .*adresse"),
    "an id twice": (_same("id"), "id college-essai est donné deux fois"),
    "a code twice": (_same("code"), "code abc est donné deux fois"),
    "a UAI twice": (_same("uai"), "uai 9990101F est donné deux fois"),
    "no such convention": (_convention(convention="z"), r"conventions\.0 : convention z inconnue"),
    "no such party": (
        _convention(parties={"city": "nulle-part", "school": "every"}),
        r"conventions\.0\.parties\.city : nulle-part.*ville-essai",
    ),
    "a party of another kind": (
        _convention(parties={"city": SCHOOL, "school": "every"}),
        rf"conventions\.0\.parties\.city : {SCHOOL} n'est pas",
    ),
    "a party too few": (
        _convention(parties={"city": "every"}),
        r"conventions\.0\.parties : .*city, school",
    ),
    "a signature too few": (_half_signed, r"conventions\.0\.signatures : .*city, school"),
    **{
        f"no day but {given}": (
            _day(given),
            r"conventions\.0\.signatures\.city\.signed_on : un jour",
        )
        for given in ("hier", True, 1.5, None, datetime(2026, 9, 1, 10, tzinfo=UTC))
    },
    "no evidence": (_convention(evidence=""), r"conventions\.0\.evidence : ce texte est vide"),
    "a convention twice": (_twice, rf"conventions\.1 : {CONVENTION} est déjà décrite"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_told_with_its_place(name: str, tmp_path: Path) -> None:
    spoil, told = WRONG[name]
    values = content()
    assert read(tmp_path, values)
    spoil(values)
    with pytest.raises(BadFederation, match=told) as refusal:
        read(tmp_path, values)
    assert str(tmp_path / "federation.yaml") in refusal.value.sentence
    assert "\n" not in refusal.value.sentence


@pytest.mark.parametrize("text", ["organisations: [", "\x00"])
def test_a_file_that_is_not_yaml_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "federation.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadFederation, match="ne se lit pas"):
        read_federation(path, registry.load())


@pytest.mark.parametrize("values", [None, [], {}, {"organisations": []}, "text"])
def test_a_file_that_holds_something_else_is_refused(values: object, tmp_path: Path) -> None:
    with pytest.raises(BadFederation, match="Corrigez le fichier"):
        read_federation(write(tmp_path / "federation.yaml", values), registry.load())


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFederation, match="FileNotFoundError"):
        read_federation(tmp_path / "nulle-part.yaml", registry.load())
