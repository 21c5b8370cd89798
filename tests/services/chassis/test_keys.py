"""An organisation's keys: made once, closed to others, rotated without losing a letter."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from joserfc.jwk import OKPKey

from contracts.broker.tokens import decode_and_verify
from contracts.kernel.documents import kid_of, new_key, public_key, sign, unverified_content, verify
from contracts.kernel.keyring import ROTATION, read_entry
from contracts.kernel.organisation import EncryptionKey, Kind, RotationStatement, Suite
from services.chassis.keys import LIFE, PERIOD, NodeKeys
from services.chassis.private_files import create_once, read_private
from services.chassis.sealing import seal, unseal
from services.chassis.settings import BadSettings, NodeSettings

AT = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)


def settings(folder: Path, floor: Suite = Suite.X25519) -> NodeSettings:
    return NodeSettings(
        org="ville",
        kind=Kind.CITY,
        name="Ville",
        code="c1",
        dpo="dpo@ville.example",
        floor=floor,
        node_dir=folder,
        nats_url="nats://127.0.0.1:1",
        registrar_url="http://127.0.0.1:1",
        secret_file=folder / "secret",
    )


def secret_of(key: OKPKey) -> str:
    return str(key.as_dict(private=True)["d"])


def published(keys: NodeKeys, folder: Path, at: datetime = AT) -> tuple[EncryptionKey, ...]:
    return read_entry(keys.directory_entry(settings(folder), 1, at, {})).encryption_keys


def test_keys_are_made_once_and_closed_to_others(tmp_path: Path) -> None:
    first = NodeKeys.open(tmp_path, "ville", AT)
    again = NodeKeys.open(tmp_path, "ville", AT + timedelta(days=1))
    assert first.kid == again.kid == kid_of(first.signing)
    assert first.account == again.account
    assert published(first, tmp_path) == published(again, tmp_path)
    file = tmp_path / "keys" / "keys.json"
    assert [one.name for one in file.parent.iterdir()] == ["keys.json"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_file_open_to_others_damaged_or_of_someone_else_is_refused(tmp_path: Path) -> None:
    NodeKeys.open(tmp_path, "ville", AT)
    file = tmp_path / "keys" / "keys.json"
    with pytest.raises(BadSettings, match="celui de ville"):
        NodeKeys.open(tmp_path, "ccas", AT)
    file.chmod(0o640)
    with pytest.raises(BadSettings, match="lisible"):
        NodeKeys.open(tmp_path, "ville", AT)
    file.chmod(0o600)
    assert NodeKeys.open(tmp_path, "ville", AT)
    file.write_text("{}")
    with pytest.raises(BadSettings, match="abîmé"):
        NodeKeys.open(tmp_path, "ville", AT)


def test_the_entry_is_signed_and_says_what_the_settings_say(tmp_path: Path) -> None:
    keys = NodeKeys.open(tmp_path, "ville", AT)
    entry = read_entry(
        keys.directory_entry(settings(tmp_path), 3, AT, {"referral.submitted": (1,)})
    )
    assert (entry.org, entry.code, entry.sequence) == ("ville", "c1", 3)
    assert kid_of(public_key(entry.signing_key.x)) == kid_of(keys.signing)
    assert entry.broker.account == keys.account.public
    assert entry.broker.signing == keys.account_signing.public
    assert {key.suite for key in entry.encryption_keys} == set(Suite)
    assert secret_of(keys.signing) not in str(entry)


def test_no_key_below_the_floor_is_published(tmp_path: Path) -> None:
    keys = NodeKeys.open(tmp_path, "ville", AT)
    entry = read_entry(keys.directory_entry(settings(tmp_path, Suite.XWING), 1, AT, {}))
    assert [key.suite for key in entry.encryption_keys] == [Suite.XWING]


@pytest.mark.parametrize("suite", Suite)
def test_what_is_encrypted_to_the_published_key_opens_with_the_kept_half(
    tmp_path: Path, suite: Suite
) -> None:
    key = next(
        one
        for one in published(NodeKeys.open(tmp_path, "ville", AT), tmp_path)
        if one.suite is suite
    )
    signer = new_key()
    place = {"subject": "lb.c1.s1.cv.m1", "message_id": "0" * 32}
    sealed = seal(b"letter", signer=signer, kid=kid_of(signer), to=key, **place)
    private = NodeKeys.open(tmp_path, "ville", AT).private(key.kid)
    assert private is not None
    assert private[0] is suite
    token = unseal(sealed, suite=suite, private=private[1], **place)
    assert verify(token, lambda _: signer) == b"letter"


def test_encryption_keys_rotate_and_the_former_halves_outlive_the_last_letter(
    tmp_path: Path,
) -> None:
    keys = NodeKeys.open(tmp_path, "ville", AT)
    old = published(keys, tmp_path)
    assert not keys.encryption_due(AT + PERIOD - timedelta(seconds=1))
    assert keys.encryption_due(AT + PERIOD)
    keys.rotate_encryption(AT + PERIOD)
    new = published(keys, tmp_path)
    assert len(new) == len(old) == 2
    assert {key.kid for key in new}.isdisjoint(key.kid for key in old)
    assert not keys.encryption_due(AT + PERIOD)
    last_letter = AT + LIFE + timedelta(days=31)
    assert keys.destroy_expired(last_letter - timedelta(seconds=1)) == ()
    assert keys.private(old[0].kid)
    assert set(keys.destroy_expired(last_letter)) == {key.kid for key in old}
    for opened in (keys, NodeKeys.open(tmp_path, "ville", AT)):
        assert opened.private(new[0].kid)
        assert opened.private(old[0].kid) is None


def test_a_node_that_slept_all_summer_still_opens_what_was_sealed_to_its_last_key(
    tmp_path: Path,
) -> None:
    keys = NodeKeys.open(tmp_path, "ville", AT)
    old = published(keys, tmp_path)
    private = [one["private"] for one in keys._state.model_dump()["encryption"]]
    awake = AT + LIFE + timedelta(days=60)
    assert keys.destroy_expired(awake) == ()
    keys.rotate_encryption(awake)
    assert keys.private(old[0].kid) is not None
    assert keys.destroy_expired(awake + timedelta(days=31, seconds=-1)) == ()
    gone = keys.destroy_expired(awake + timedelta(days=31))
    assert set(gone) == {one.kid for one in old}
    assert keys.private(old[0].kid) is None
    text = (tmp_path / "keys" / "keys.json").read_text(encoding="utf-8")
    assert not any(one in text for one in private)


def test_a_signing_rotation_is_signed_by_the_former_key_which_stays_public_only(
    tmp_path: Path,
) -> None:
    keys = NodeKeys.open(tmp_path, "ville", AT)
    former = keys.signing
    statement = keys.rotate_signing(AT)
    said = RotationStatement.parse(verify(statement, lambda _: former, typ=ROTATION))
    assert said.org == "ville"
    assert kid_of(public_key(said.successor.x)) == keys.kid != kid_of(former)
    again = NodeKeys.open(tmp_path, "ville", AT)
    assert again.rotations == (statement,)
    assert set(again.public_keys) == {kid_of(former), kid_of(keys.signing)}
    assert secret_of(former) not in (tmp_path / "keys" / "keys.json").read_text()
    assert verify(sign(b"x", again.signing), lambda kid: again.public_keys[kid]) == b"x"


def test_the_leaf_user_is_signed_by_the_account(tmp_path: Path) -> None:
    keys = NodeKeys.open(tmp_path, "ville", AT)
    text = keys.leaf_credentials("c1", AT)
    claims = decode_and_verify(text.splitlines()[1], issuers={keys.account_signing.public})
    assert claims["nats"]["issuer_account"] == keys.account.public
    assert keys.leaf_credentials("c1", AT) == text


def test_nothing_private_shows_in_a_repr(tmp_path: Path) -> None:
    keys = NodeKeys.open(tmp_path, "ville", AT)
    shown = repr(keys._state) + repr(keys.account)
    assert keys.account.seed not in shown
    assert secret_of(keys.signing) not in shown
    assert unverified_content(keys.directory_entry(settings(tmp_path), 1, AT, {}))


def test_of_two_that_make_a_file_at_once_the_first_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keys" / "file"
    create_once(path, "first")
    create_once(path, "second")
    assert read_private(path) == b"first"
    with monkeypatch.context() as patched:
        patched.setattr(Path, "exists", lambda _: False)
        create_once(path, "third")
    assert read_private(path) == b"first"
    assert [one.name for one in path.parent.iterdir()] == ["file"]
