"""One port for TLS and clear text, while strangers do their worst."""

import contextlib
import http.client
import resource
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.tool("openssl")


@pytest.fixture
def trust(certificate):
    """A client's TLS context that trusts the testpoint."""
    return ssl.create_default_context(cafile=certificate[0])


def page(server, path="/getIP.php", tls=None):
    """Status and body of one request; the connection is closed."""
    if tls is None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    else:
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=5, context=tls)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def until_closed(connection):
    """Seconds until the server has hung up."""
    started = time.monotonic()
    with contextlib.suppress(ConnectionError):
        while connection.recv(4096):
            pass
    return time.monotonic() - started


def client_hello(trust) -> bytes:
    """What a TLS client sends first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trust.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def test_one_port_speaks_both(far, certificate, trust):
    server = far("--cert", certificate[0], "--key", certificate[1])
    assert page(server)[0] == page(server, tls=trust)[0] == 200
    for tls in (None, trust):
        assert len(page(server, "/garbage.php?ckSize=8", tls)[1]) == 8 << 20
    assert "with TLS and without" in _log(server)


def test_uploads_and_kept_connections_work_inside_tls(far, certificate, trust):
    server = far("--cert", certificate[0], "--key", certificate[1])
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=5, context=trust)
    for number in range(5):
        connection.request("POST", "/speedtest/upload.php", body=bytes(3_000_000 + number))
        assert connection.getresponse().read() == b"size=%d" % (3_000_000 + number)
        connection.request("POST", "/speedtest/upload.php", body=iter([b"x" * 50_000] * 4), encode_chunked=True)
        assert connection.getresponse().read() == b"size=200000"
    connection.close()


def test_clear_text_is_refused_when_only_tls_is_wanted(far, certificate, trust):
    server = far("--cert", certificate[0], "--key", certificate[1], "--tls-only")
    assert page(server, tls=trust)[0] == 200
    status, body = page(server)
    assert (status, body) == (400, b"only TLS is spoken here\n")
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(b"\x00\xffrubbish")
        assert connection.recv(4096).startswith(b"HTTP/1.1 400 ")
    assert b'refusals_total{reason="clear_text"} 2.0' in page(server, "/metrics", trust)[1]
    assert "with TLS only" in _log(server)


def test_old_tls_is_refused(far, certificate):
    server = far("--cert", certificate[0], "--key", certificate[1])
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.load_verify_locations(certificate[0])
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        page(server, tls=old)


def test_without_a_certificate_tls_is_rubbish_like_any_other(standing, trust):
    with pytest.raises((ssl.SSLError, ConnectionError)):
        page(standing, tls=trust)
    assert page(standing)[0] == 200


def test_a_handshake_has_the_time_of_a_head_however_busily_it_trickles(far, certificate, trust):
    server = far("--cert", certificate[0], "--key", certificate[1])
    hello = client_hello(trust)
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10)) for _ in range(4)]
        silent, half, stuck, trickling = connections
        half.sendall(hello[:1])
        stuck.sendall(hello)  # answered, and then nothing
        started = time.monotonic()
        for position in range(len(hello)):
            if time.monotonic() - started > 8:
                break
            try:
                trickling.sendall(hello[position : position + 1])
            except ConnectionError:
                break
            time.sleep(0.05)
        for connection in (trickling, silent, half, stuck):
            until_closed(connection)
            assert 4 < time.monotonic() - started < 7.5


def test_five_hundred_idle_connections_and_every_kind_of_rubbish_keep_nobody_out(far, certificate, trust):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4096)), hard))
    server = far("--cert", certificate[0], "--key", certificate[1])
    hello = client_hello(trust)
    rubbish = (
        b"GET / HT",
        b"GET / HTTP/1.1\r\nX: ",
        b"\x16",
        hello[: len(hello) // 2],
        hello,
        b"\x16\x03\x01\xff\xff" + bytes(300),
        bytes(range(256)),
        b"POST /empty.php HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nx",
        b"POST /empty.php HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    )
    waits, stop = [], threading.Event()

    def honest():
        while not stop.is_set():
            for tls in (None, trust):
                started = time.monotonic()
                assert page(server, tls=tls) == (200, b'{"processedString":"127.0.0.1","rawIspInfo":""}')
                waits.append(time.monotonic() - started)
            time.sleep(0.05)

    client = threading.Thread(target=honest)
    client.start()
    with contextlib.ExitStack() as stack:
        held = []
        for number in range(900):
            try:
                connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=5))
            except ConnectionError:
                continue
            held.append(connection)
            if number >= 500:
                with contextlib.suppress(ConnectionError):
                    connection.sendall(rubbish[number % len(rubbish)])
        ends = time.monotonic() + 3
        while time.monotonic() < ends:
            for connection in held[::7]:
                with contextlib.suppress(ConnectionError):
                    connection.send(b"x")
            time.sleep(0.3)
        assert len(list(Path(f"/proc/{server.process.pid}/task").iterdir())) < 300
        assert server.resident() < 200e6
    stop.set()
    client.join()
    assert len(waits) > 20
    assert max(waits) < 3
    assert server.stop() == 0
    assert "bug" not in server.log
    assert "Traceback" not in server.log


def _log(server):
    assert server.stop() == 0
    assert "bug" not in server.log
    return server.log
