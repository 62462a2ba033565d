"""TLS against a real server on loopback: its authority, its pinned key, and who stands in between."""

import base64
import contextlib
import hashlib
import random
import ssl
import subprocess
import time

import pytest
import trustme

from netready.failure import Failed, Failure
from probes.throughput import secure
from probes.throughput.channel import dial
from probes.throughput.settings import Throughput


@pytest.fixture(scope="module")
def authority():
    return trustme.CA(organization_name="Filter \u202e& Sons", organization_unit_name="Inspection")


@pytest.fixture
def tls_server(tcp_server, authority):
    """A TLS server for loopback; its port and the SHA-256 of its key."""
    issued = authority.issue_cert("127.0.0.1")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(server)

    def answer(connection):
        with contextlib.suppress(OSError), server.wrap_socket(connection, server_side=True) as wrapped:
            wrapped.recv(100)

    pem = issued.cert_chain_pems[0].bytes()
    command = ["openssl", "x509", "-noout", "-pubkey"]
    shown = subprocess.run(command, input=pem, capture_output=True, check=True, timeout=10).stdout
    key = base64.b64decode(b"".join(shown.splitlines()[1:-1]))
    return tcp_server(answer), hashlib.sha256(key).hexdigest()


def shake(port, **settings):
    wanted = Throughput(server=f"127.0.0.1:{port}", tls=True, **settings)
    dial("127.0.0.1", port, tls=secure.context(wanted), seconds=3, now=time.monotonic).close()


def test_clear_text_has_no_context_and_no_pin():
    assert secure.context(Throughput(server="h:1")) is None


def test_a_school_s_own_authority_is_believed_and_no_other(tls_server, authority, tmp_path):
    port, _ = tls_server
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    shake(port, ca=str(tmp_path / "ca.pem"))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(port)


def test_the_pinned_key_is_enough_in_either_case_of_its_digits(tls_server):
    port, pin = tls_server
    shake(port, pin=pin)
    shake(port, pin=pin.upper())


def test_another_key_ends_the_handshake_and_names_the_issuer(tls_server):
    port, _ = tls_server
    with pytest.raises(Failed) as caught:
        shake(port, pin="0" * 64)
    assert caught.value.failure is Failure.TLS_CERTIFICATE
    assert caught.value.reason == (
        "the server's key is not the pinned one; the certificate was issued by Filter & Sons: "
        "something on the way inspects TLS, or the server has a new key"
    )


def test_an_authority_file_that_is_none_is_a_failure_word(tmp_path):
    (tmp_path / "ca.pem").write_text("not one")
    with pytest.raises(Failed, match="cannot be used") as caught:
        secure.context(Throughput(server="h:1", tls=True, ca=str(tmp_path / "ca.pem")))
    assert caught.value.failure is Failure.TLS_CERTIFICATE


@pytest.mark.parametrize("shape", [b"", b"\x30", b"\x30\x00", b"\x02\x01\x05", b"\x30\x80" * 5000, b"\x30\x03\x02\x01\x05"])
def test_rubbish_instead_of_a_certificate_is_one_kind_of_refusal(shape):
    with pytest.raises(Failed):
        secure.describe(shape)


def test_a_damaged_certificate_is_read_or_refused_and_nothing_else(authority):
    chance = random.Random(4)
    whole = ssl.PEM_cert_to_DER_cert(authority.issue_cert("127.0.0.1").cert_chain_pems[0].bytes().decode())
    assert secure.describe(whole)[1] == "Filter & Sons"
    for _ in range(150):
        damaged = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        with contextlib.suppress(Failed):
            secure.describe(bytes(damaged[: chance.choice([len(damaged), chance.randrange(len(damaged))])]))


def test_the_token_of_a_file_becomes_a_header(tmp_path):
    path = tmp_path / "token"
    path.write_text("c2Nob29s.42-_~+/=\n")
    assert secure.headers(Throughput(server="h:1", token_file=str(path))) == {"Authorization": "Bearer c2Nob29s.42-_~+/="}
    assert secure.headers(Throughput(server="h:1")) == {}


@pytest.mark.parametrize("text", ["", "two tokens", "one\r\nX-Evil: 1", "naïve", "a" * 5000])
def test_a_file_that_holds_no_single_token_is_refused(text, tmp_path):
    path = tmp_path / "token"
    path.write_bytes(text.encode())
    with pytest.raises(Failed, match="token_file"):
        secure.headers(Throughput(server="h:1", token_file=str(path)))


def test_files_that_cannot_be_read_are_named_before_the_test(tmp_path):
    assert secure.unreadable(Throughput(token_file="/nowhere")) == "the token file /nowhere cannot be read"
    assert secure.unreadable(Throughput(ca="/nowhere.pem")) == "the authority file /nowhere.pem cannot be read"
    assert secure.unreadable(Throughput()) is None
