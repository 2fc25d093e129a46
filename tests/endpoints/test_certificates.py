"""A company's certificate: one setting is enough for all requests of both SDKs, and for the sign-in."""

from __future__ import annotations

import datetime
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from migrate.endpoints import connect_reader
from migrate.endpoints.http.certificates import CERTIFICATE_VARIABLES, ca_path_for_sign_in, ssl_context_for
from migrate.errors import BadUsage, ServiceUnreachable
from tests.endpoints.connected_service import PATHS, TYPES, settings
from tests.endpoints.scripted_server import Reply, Server, listing, serving


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate of 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    import ipaddress

    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / f"{name}.pem", folder / f"{name}.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return public, private


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def company(folder: Path) -> Path:
    return certificate(folder, "company")[0]


@pytest.fixture(scope="module")
def other(folder: Path) -> Path:
    return certificate(folder, "other")[0]


@pytest.fixture(scope="module")
def server(company: Path) -> Iterator[Server]:
    with serving(lambda asked: Reply(body={**listing(), "value": []})) as running:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(company, company.with_suffix(".key"))
        running.socket = context.wrap_socket(running.socket, server_side=True)
        yield running


@contextmanager
def env(**named: str) -> Iterator[None]:
    with patch.dict(os.environ):
        for name in CERTIFICATE_VARIABLES:
            os.environ.pop(name, None)
        os.environ.update(named)
        yield


def address(server: Server, type_: str) -> str:
    return f"https://127.0.0.1:{server.server_port}{PATHS[type_]}"


@pytest.mark.parametrize("way", ["ca_file", *CERTIFICATE_VARIABLES[:3]])
@pytest.mark.parametrize("type_", TYPES)
def test_one_setting_is_enough_for_both_halves(server: Server, company: Path, type_: str, way: str) -> None:
    named = {} if way == "ca_file" else {way: str(company)}
    own = str(company) if way == "ca_file" else ""
    with env(**named):
        reader = connect_reader(settings(type_, address(server, type_), ca_file=own))
        assert set(reader.probe().routes.values()) == {"works"}
        assert reader.deployments() is None or reader.deployments() == {}
        reader.close()


def test_several_variables_are_taken_together(server: Server, company: Path, other: Path) -> None:
    for first, second in ((company, other), (other, company)):
        with env(SSL_CERT_FILE=str(first), REQUESTS_CA_BUNDLE=str(second)):
            reader = connect_reader(settings("openai", address(server, "openai")))
            assert reader.probe().routes["file"] == "works"
            reader.close()


@pytest.mark.parametrize("type_", TYPES)
def test_an_unknown_certificate_is_not_trusted_and_the_settings_are_listed(
    server: Server, other: Path, type_: str
) -> None:
    with env(SSL_CERT_FILE=str(other)), pytest.raises(ServiceUnreachable) as failed:
        connect_reader(settings(type_, address(server, type_))).probe()
    for way in ("ca_file", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        assert way in failed.value.why, failed.value.lines()


BROKEN = {"not there": None, "empty": b"", "no certificate": b"hello", "binary": b"\x30\x82\x01\xff" * 50,
          "cut": b"-----BEGIN CERTIFICATE-----\nMIIB\n"}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
@pytest.mark.parametrize("way", ["ca_file", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_file_that_cannot_be_used_is_refused_before_anything_is_sent(
    tmp_path: Path, way: str, what: str
) -> None:
    file = tmp_path / "ca.pem"
    content = BROKEN[what]
    if content is not None:
        file.write_bytes(content)
    named = {} if way == "ca_file" else {way: str(file)}
    given = settings("openai", "https://east.example/v1", ca_file=str(file) if way == "ca_file" else "")
    with env(**named):
        for look in (ssl_context_for, ca_path_for_sign_in):
            with pytest.raises(BadUsage, match=way) as failed:
                look(given)
            assert failed.value.exit_code == 2
            assert "PEM" in failed.value.todo


def test_a_folder_of_certificates_is_taken(tmp_path: Path) -> None:
    with env(SSL_CERT_DIR=str(tmp_path)):
        assert ssl_context_for(settings("openai", "https://east.example/v1")) is not None
        assert ca_path_for_sign_in(settings("openai", "https://east.example/v1")) == str(tmp_path)


def test_the_estates_own_goes_before_the_environment(company: Path) -> None:
    with env(SSL_CERT_FILE="missing.pem"):
        given = settings("openai", "https://east.example/v1", ca_file=str(company))
        assert ssl_context_for(given) is not None
        assert ca_path_for_sign_in(given) == str(company)


def test_plain_http_on_this_machine_needs_none() -> None:
    with env(SSL_CERT_FILE="missing.pem"):
        assert ssl_context_for(settings("openai", "http://127.0.0.1:1/v1")) is None
