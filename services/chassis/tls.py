"""A demonstration certificate authority, and private files.

Production takes each organisation's own certificates. TLS here protects the road only: who is
linked is proven by NATS credentials, never by a certificate, since a certificate of one
organisation with the credentials of another links as the other.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Paths, all PEM: the authority's certificate, a server's own certificate and its key."""

    ca: Path
    certificate: Path
    key: Path


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """Context of a client that checks the server's name and shows its own certificate."""
    context = ssl.create_default_context(cafile=str(files.ca))
    context.load_cert_chain(files.certificate, files.key)
    return context


def valid_until(path: Path) -> datetime:
    """Last instant of a PEM certificate. Raises OSError, ValueError."""
    return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc


@cache
def public_authorities() -> ssl.SSLContext:
    """Context of a client that trusts the authorities of the web.

    One for the whole process: each reading of their certificates takes 20 to 30 ms of processor
    time, and a client asks for it whether or not its address begins with https.
    """
    return httpx.create_ssl_context()


def write_private(path: Path, content: str | bytes) -> Path:
    """Write a file that its owner alone may read (mode 0600), replacing it in one step."""
    data = content.encode() if isinstance(content, str) else content
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    return draft.replace(path)


@dataclass(frozen=True)
class Authority:
    """The demonstration authority: signs a certificate for each server's names."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    path: Path

    @classmethod
    def create(cls, directory: Path, valid_from: datetime, valid_until: datetime) -> Authority:
        """Make a new authority and write ``ca.pem`` and ``ca-key.pem`` in the folder.

        valid_from, valid_until: aware instants; TLS judges them on the machine's real clock.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("Relais demonstration authority")
        builder = _builder(name, name, key.public_key(), valid_from, valid_until)
        builder = builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        builder = builder.add_extension(_usage(authority=True), critical=True)
        certificate = builder.sign(key, hashes.SHA256())
        directory.mkdir(parents=True, exist_ok=True)
        write_private(directory / "ca-key.pem", _key_pem(key))
        path = write_private(directory / "ca.pem", _pem(certificate))
        return cls(certificate, key, path)

    @classmethod
    def load(cls, directory: Path) -> Authority:
        """Read back what `create` wrote. Raises FileNotFoundError, ValueError or TypeError."""
        path = directory / "ca.pem"
        key = serialization.load_pem_private_key((directory / "ca-key.pem").read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("ca-key.pem is not an elliptic curve key")
        return cls(x509.load_pem_x509_certificate(path.read_bytes()), key, path)

    def issue(
        self,
        directory: Path,
        name: str,
        hosts: Iterable[str],
        valid_from: datetime,
        valid_until: datetime,
    ) -> TlsFiles:
        """Sign a P-256 certificate for a server that both listens and links (mutual TLS).

        hosts: the DNS names and IP addresses under which it is called. Writes ``<name>.pem`` and
        ``<name>-key.pem`` in the folder.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        subject, issuer = _name(name), self.certificate.subject
        builder = _builder(subject, issuer, key.public_key(), valid_from, valid_until)
        for extension, critical in self._server_extensions(hosts):
            builder = builder.add_extension(extension, critical=critical)
        certificate = builder.sign(self.key, hashes.SHA256())
        directory.mkdir(parents=True, exist_ok=True)
        own = write_private(directory / f"{name}.pem", _pem(certificate))
        return TlsFiles(self.path, own, write_private(directory / f"{name}-key.pem", _key_pem(key)))

    def _server_extensions(
        self, hosts: Iterable[str]
    ) -> tuple[tuple[x509.ExtensionType, bool], ...]:
        both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        return (
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_usage(authority=False), True),
            (x509.ExtendedKeyUsage(both), False),
            (x509.SubjectAlternativeName([_host(host) for host in hosts]), False),
            (signer, False),
        )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    valid_from: datetime,
    valid_until: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid_from)
        .not_valid_after(valid_until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
