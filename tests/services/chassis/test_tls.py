"""The demonstration authority's certificates hold for the names they carry, and no other."""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID

from services.chassis.tls import Authority, TlsFiles, client_context, write_private

START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
END = START + timedelta(days=1)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.create(tmp_path / "ca", START, END)


def issue(authority: Authority, tmp_path: Path, *hosts: str) -> TlsFiles:
    return authority.issue(tmp_path / "node", "node", hosts, START, END)


def test_a_certificate_serves_and_links_under_its_names(
    authority: Authority, tmp_path: Path
) -> None:
    files = issue(authority, tmp_path, "127.0.0.1", "hub.example")
    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert names.get_values_for_type(x509.DNSName) == ["hub.example"]
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert set(usage) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert (certificate.not_valid_before_utc, certificate.not_valid_after_utc) == (START, END)
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)


def shake(server: TlsFiles, client: TlsFiles, name: str) -> None:
    """Run a mutual TLS handshake in memory; raises ssl.SSLError where it fails."""
    listening = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(server.ca))
    listening.load_cert_chain(server.certificate, server.key)
    listening.verify_mode = ssl.CERT_REQUIRED
    context = client_context(client)
    if hasattr(ssl, "VERIFY_X509_STRICT"):
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        context.wrap_bio(down, up, server_hostname=name),
        listening.wrap_bio(up, down, server_side=True),
    ]
    for _ in range(3):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert ends[1].getpeercert()


def test_two_servers_of_one_authority_recognise_each_other(
    authority: Authority, tmp_path: Path
) -> None:
    hub = issue(authority, tmp_path / "h", "127.0.0.1", "hub.example")
    node = issue(authority, tmp_path / "n", "127.0.0.1")
    shake(hub, node, "127.0.0.1")
    shake(hub, node, "hub.example")
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(hub, node, "other.example")


def test_another_authority_is_not_recognised(authority: Authority, tmp_path: Path) -> None:
    hub = issue(authority, tmp_path / "h", "127.0.0.1")
    other = issue(Authority.create(tmp_path / "other", START, END), tmp_path / "o", "127.0.0.1")
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(hub, other, "127.0.0.1")
    mixed = TlsFiles(hub.ca, other.certificate, other.key)
    with pytest.raises(ssl.SSLError):
        shake(hub, mixed, "127.0.0.1")


def test_an_authority_read_back_signs_on(authority: Authority, tmp_path: Path) -> None:
    hub = issue(authority, tmp_path / "h", "127.0.0.1")
    again = Authority.load(authority.path.parent)
    shake(hub, issue(again, tmp_path / "n", "127.0.0.1"), "127.0.0.1")


def test_an_authority_with_another_kind_of_key_is_refused(authority: Authority) -> None:
    other = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_private(authority.path.parent / "ca-key.pem", other)
    with pytest.raises(TypeError):
        Authority.load(authority.path.parent)


def test_files_are_for_their_owner_alone(authority: Authority, tmp_path: Path) -> None:
    files = issue(authority, tmp_path, "127.0.0.1")
    for path in (files.ca, files.certificate, files.key, files.ca.with_name("ca-key.pem")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_private_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(0o644)
    (tmp_path / "secret.new").write_text("left by a crash")
    assert write_private(path, "new") == path
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o600)
    assert write_private(path, b"\x00").read_bytes() == b"\x00"
    assert [p.name for p in tmp_path.iterdir()] == ["secret"]
