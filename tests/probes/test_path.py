"""The instrument against a real testpoint, and against what likes to stand in front of one."""

import contextlib
import json
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest
import trustme

from netready.authority import Refused
from probes.path import INSTRUMENT, read
from probes.throughput import secure
from probes.throughput.settings import Throughput

HTML = b"<!DOCTYPE html><title>Welcome</title>Please agree to our terms."


class Testpoint:
    __test__ = False

    def __init__(self, folder) -> None:
        self.authority = trustme.CA(organization_name="The School's Own")
        issued = self.authority.issue_cert("localhost", "127.0.0.1", "::1")
        cert, key, self.ca = str(folder / "cert.pem"), str(folder / "key.pem"), str(folder / "ca.pem")
        issued.cert_chain_pems[0].write_to_path(cert)
        issued.private_key_pem.write_to_path(key)
        self.authority.cert_pem.write_to_path(self.ca)
        self.pin, _ = secure.describe(ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode()))
        command = [sys.executable, "-m", "testpoint", "--listen", "[::]:0", "--json", "--cert", cert, "--key", key]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.port = int(json.loads(self.process.stdout.readline())["listen"].rpartition(":")[2])

    def stop(self):
        self.process.terminate()
        _, err = self.process.communicate(timeout=10)
        assert "bug" not in err
        assert "ended by" not in err, "a question and its answer end in good order"


@pytest.fixture(scope="module")
def far(tmp_path_factory):
    started = Testpoint(tmp_path_factory.mktemp("tls"))
    yield started
    started.stop()


@pytest.fixture
def inspector(tmp_path):
    """An authority that a middlebox signs with, the file to trust it by, and its TLS for loopback."""
    authority = trustme.CA(organization_name="Watchful Filter Ltd")
    path = str(tmp_path / "watchful.pem")
    authority.cert_pem.write_to_path(path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    return path, tls


def head_of(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return data
        data += chunk
    return data


@pytest.fixture
def middlebox(tcp_server, far):
    """Stand between: end TLS if given some, change the request and the answer, speak TLS on to the testpoint if given trust."""
    seen = []

    def start(*, tls=None, onward=None, request=lambda data: data, answer=lambda data: data):
        def relay(connection):
            with contextlib.ExitStack() as stack:
                if tls is not None:
                    connection = stack.enter_context(tls.wrap_socket(connection, server_side=True))
                asked = head_of(connection)
                seen.append(asked)
                if not asked:
                    return
                beyond = stack.enter_context(socket.create_connection(("127.0.0.1", far.port), timeout=5))
                if onward is not None:
                    beyond = stack.enter_context(onward.wrap_socket(beyond, server_hostname="127.0.0.1"))
                beyond.sendall(request(asked))
                data = b""
                while chunk := beyond.recv(65536):
                    data += chunk
                connection.sendall(answer(data))

        return f"127.0.0.1:{tcp_server(relay)}"

    start.seen = seen
    return start


def measure(context, server, **settings):
    found = list(read(Throughput(server=server, **settings), context))
    assert [(each.metric, each.failure, each.details["family"]) for each in found[2:]] == [
        ("path_mtu", "dns-no-address", "IPv6")
    ]
    mtu, changes = found[:2]
    assert (mtu.metric, changes.metric) == ("path_mtu", "path_changes")
    assert mtu.target == changes.target == f"{server} over IPv4"
    return mtu, changes


def serve(tcp_server, response):
    def answer(connection):
        head_of(connection)
        connection.sendall(response)

    return f"127.0.0.1:{tcp_server(answer)}"


def page(status, *fields, body=HTML):
    lines = [f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body


# --- nothing in the way ------------------------------------------------------------------------------------------------


def test_a_path_without_anything_on_it_has_no_changes(far, context):
    mtu, changes = measure(context, f"127.0.0.1:{far.port}")
    assert (changes.value, changes.details["changes"], changes.details["nat"]) == (0, [], False)
    assert mtu.value >= 32_768
    assert (mtu.details["found_by"], mtu.details["interface"]) == ("kernel", "lo")
    assert mtu.details["bytes_sent"] > 12_000 < mtu.details["bytes_received"]
    assert mtu.method == changes.method == INSTRUMENT.method


def test_over_ipv6_it_is_the_same_and_the_absent_family_is_said(far, context):
    absent, mtu, changes = read(Throughput(server=f"[::1]:{far.port}"), context)
    assert (absent.failure, absent.details["family"]) == ("dns-no-address", "IPv4")
    assert absent.details["reason"] == "the test server is given by an address that is not IPv4"
    assert (mtu.details["family"], changes.value, changes.details["nat"]) == ("IPv6", 0, False)


@pytest.mark.parametrize("pinned", [True, False])
def test_tls_from_end_to_end_is_shown_by_its_session(far, context, pinned):
    trust = {"pin": far.pin.upper()} if pinned else {"ca": far.ca}
    mtu, changes = measure(context, f"127.0.0.1:{far.port}", tls=True, **trust)
    assert (changes.value, changes.details["changes"]) == (0, [])
    assert changes.details["tls_inspection"] == "none: both ends hold the same TLS session"
    assert changes.details["issuer"] == "The School's Own"
    assert mtu.value >= 32_768


# --- something in the way ----------------------------------------------------------------------------------------------


def test_a_box_that_opens_tls_is_found_even_when_its_authority_is_trusted(far, context, middlebox, inspector):
    path, tls = inspector
    onward = ssl.create_default_context(cafile=far.ca)
    mtu, changes = measure(context, middlebox(tls=tls, onward=onward), tls=True, ca=path)
    assert "tls-inspection" in changes.details["changes"]
    assert changes.value == len(changes.details["changes"])
    assert changes.details["issuer"] == "Watchful Filter Ltd"
    assert changes.details["nat"] is True
    assert (mtu.value, mtu.failure) == (None, "inconclusive")


def test_a_key_that_is_not_the_pinned_one_is_named_and_is_told_nothing(far, context, middlebox, inspector):
    _, tls = inspector
    mtu, changes = measure(context, middlebox(tls=tls), tls=True, pin=far.pin)
    assert (changes.value, changes.details["changes"]) == (1, ["tls-inspection"])
    assert changes.details["issuer"] == "Watchful Filter Ltd"
    assert "Watchful Filter Ltd" in changes.details["tls_inspection"]
    assert mtu.failure == "tls-certificate"
    assert set(middlebox.seen) <= {b""}


def test_a_certificate_that_nobody_vouches_for_is_named_and_not_judged(context, middlebox, inspector, far):
    _, tls = inspector
    for each in measure(context, middlebox(tls=tls), tls=True, ca=far.ca):
        assert each.failure == "tls-certificate"
        assert each.details["issuer"] == "Watchful Filter Ltd"
        assert each.details["tls_inspection"].startswith("cannot tell")
    assert set(middlebox.seen) <= {b""}


def test_a_front_that_holds_the_pinned_key_is_no_inspector(far, context, middlebox):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued = far.authority.issue_cert("127.0.0.1")
    issued.configure_cert(tls)
    pin, _ = secure.describe(ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode()))
    mtu, changes = measure(context, middlebox(tls=tls), tls=True, pin=pin)
    assert "tls-inspection" not in changes.details["changes"]
    assert changes.details["tls_inspection"] == "none: TLS ends before the testpoint, at the holder of the pinned key"
    assert mtu.failure == "inconclusive"


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"request": lambda head: head.replace(b"\r\n\r\n", b"\r\nVia: 1.1 squid\r\n\r\n")}, {"fields_added": ["via"]}),
        (
            {"request": lambda head: head.replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: 10.0.0.9\r\nX-Own: 1\r\n\r\n")},
            {"fields_added": ["x-forwarded-for", "x-own"]},
        ),
        ({"request": lambda head: head.replace(b"identity", b"gzip")}, {"fields_changed": ["accept-encoding"]}),
        (
            {"request": lambda head: head.replace(b"Accept-Encoding: identity\r\n", b"")},
            {"fields_removed": ["accept-encoding"]},
        ),
        ({"answer": lambda data: data.replace(b"\r\n", b"\r\nVia: 1.1 varnish\r\n", 1)}, {"answer_fields_added": ["via"]}),
    ],
)
def test_a_proxy_is_known_by_the_fields_that_it_touches(context, middlebox, change, names):
    mtu, changes = measure(context, middlebox(**change))
    assert "http-proxy" in changes.details["changes"]
    assert {name: changes.details.get(name) for name in names} == names
    assert mtu.failure == "inconclusive"
    assert "http-proxy" in mtu.details["reason"]


def test_a_relay_that_changes_nothing_but_the_port_is_address_translation(context, middlebox):
    _, changes = measure(context, middlebox())
    assert changes.details["nat"] is True
    assert not {"http-proxy", "tls-inspection", "captive-portal"} & set(changes.details["changes"])


def test_an_answer_that_was_kept_for_somebody_else_is_a_proxy_s(context, middlebox):
    kept = []

    def replay(data):
        kept.append(data)
        return kept[0]

    server = middlebox(answer=replay)
    measure(context, server)
    mtu, changes = measure(context, server)
    assert changes.details["changes"] == ["http-proxy"]
    assert mtu.failure == "inconclusive"


@pytest.mark.parametrize(
    "response",
    [
        page("302 Found", "Location: http://portal.example/login?from=here"),
        page("307 Temporary Redirect", "Location: https://10.0.0.1/"),
        page("200 OK", "Content-Type: text/html"),
        page("200 OK", body=b"  <html>no type, and still a page"),
        page("511 Network Authentication Required"),
    ],
)
def test_a_captive_portal_is_known_by_its_answer(context, tcp_server, response):
    mtu, changes = measure(context, serve(tcp_server, response))
    assert (changes.value, changes.details["changes"]) == (1, ["captive-portal"])
    assert mtu.failure == "inconclusive"
    assert "captive-portal" in mtu.details["reason"]


def test_where_a_portal_sends_people_is_told_without_its_tokens(context, tcp_server):
    response = page("302 Found", "Location: http://portal.example/login?token=secret")
    _, changes = measure(context, serve(tcp_server, response))
    assert changes.details["seen"] == "status 302, sent on to portal.example"


def test_a_proxy_that_wants_a_password_is_a_proxy(context, tcp_server):
    _, changes = measure(context, serve(tcp_server, page("407 Proxy Authentication Required")))
    assert changes.details["changes"] == ["http-proxy"]


# --- servers that are not ours -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "word"),
    [
        (page("404 Not Found"), "not-supported"),
        (page("404 Not Found", body=b"404 page not found"), "not-supported"),
        (page("400 Bad Request"), "not-supported"),
        (page("301 Moved Permanently", "Location: https://127.0.0.1/path"), "not-supported"),
        (page("301 Moved Permanently", "Location: /elsewhere"), "not-supported"),
        (page("200 OK", "Content-Type: application/json", body=b"{}"), "not-supported"),
        (page("403 Forbidden"), "http-status"),
        (page("502 Bad Gateway"), "http-status"),
        (page("503 Service Unavailable"), "server-busy"),
    ],
)
def test_a_server_that_does_not_say_what_it_saw_is_no_finding(context, tcp_server, response, word):
    for each in measure(context, serve(tcp_server, response)):
        assert (each.value, each.failure) == (None, word)
        assert "status" in each.details["reason"]


def test_a_redirect_of_a_server_whose_certificate_is_valid_is_its_own(context, tcp_server, inspector):
    path, tls = inspector

    def answer(connection):
        with tls.wrap_socket(connection, server_side=True) as secured:
            if head_of(secured):
                secured.sendall(page("302 Found", "Location: https://portal.example/"))

    for each in measure(context, f"127.0.0.1:{tcp_server(answer)}", tls=True, ca=path):
        assert each.failure == "not-supported"


# --- bad input ---------------------------------------------------------------------------------------------------------


def dribble(connection):
    head_of(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(100):
        connection.sendall(f"X-{number}: 1\r\n".encode())
        time.sleep(0.05)


def endless(connection):
    head_of(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b"x" * 65536)


def silent(connection):
    with contextlib.suppress(OSError):
        connection.recv(65536)
        connection.recv(1)


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (dribble, {"timeout"}),
        (silent, {"timeout"}),
        (endless, {"not-supported"}),
        (lambda connection: connection.close(), {"closed-early", "reset"}),
        (lambda connection: (head_of(connection), connection.sendall(b"\0\xff" * 500)), {"malformed", "closed-early"}),
        (lambda connection: (head_of(connection), connection.sendall(b"A: b\r\n" * 90_000)), {"malformed", "reset"}),
        (
            lambda connection: (head_of(connection), connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 90_000)),
            {"malformed", "too-large", "reset"},
        ),
        (lambda connection: (head_of(connection), connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 9000)), {"too-large"}),
        (
            lambda connection: (head_of(connection), connection.sendall(page("200 OK", body=b'{"tcp":' + b"[" * 20_000))),
            {"not-supported"},
        ),
    ],
)
def test_a_hostile_server_gets_a_word_in_bounded_time(context, tcp_server, behaviour, words):
    begun = time.monotonic()
    for each in measure(context, f"127.0.0.1:{tcp_server(behaviour)}", handshake_timeout=0.5):
        assert each.value is None
        assert each.failure in words
    assert time.monotonic() - begun < 4


@pytest.mark.parametrize("claim", [{"RcvMSS": 9000}, {"RcvMSS": 2**52}, {"RcvMSS": 0}, {"SndMSS": 1}, {"PMTU": 2**52}])
def test_a_far_end_that_lies_about_its_counters_gets_no_packet_size(context, middlebox, claim):
    def lie(data):
        head, _, body = data.partition(b"\r\n\r\n")
        told = json.loads(body)
        told["tcp"] |= claim
        body = json.dumps(told).encode()
        head = b"\r\n".join(line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length"))
        return head + f"\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    mtu, changes = measure(context, middlebox(answer=lie))
    assert mtu.value is None or mtu.value <= 65_536
    assert mtu.details.get("mtu_down", 0) <= 65_536
    assert changes.failure is None


def test_a_server_that_refuses_is_said_for_both(context):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for each in measure(context, f"127.0.0.1:{port}"):
        assert each.failure == "refused"


def test_a_testpoint_that_goes_away_in_between_ends_the_search_only(context, tcp_server, far):
    turns = threading.Semaphore(1)

    def once(connection):
        if not turns.acquire(blocking=False):
            return
        with socket.create_connection(("127.0.0.1", far.port), timeout=5) as beyond:
            beyond.sendall(head_of(connection))
            while chunk := beyond.recv(65536):
                connection.sendall(chunk)

    mtu, changes = measure(context, f"127.0.0.1:{tcp_server(once)}")
    assert mtu.failure in {"closed-early", "reset", "inconclusive"}
    assert changes.value is not None


def test_nobody_is_asked_whom_nobody_named(context):
    with pytest.raises(Refused):
        next(read(Throughput(server="192.0.2.1:80"), context))


def test_the_row_shares_the_throughput_table_and_may_run_beside_others():
    assert (INSTRUMENT.config_table, INSTRUMENT.alone) == ("throughput", False)
    assert INSTRUMENT.hosts(Throughput(server="h:1")) == ("h",)
    assert INSTRUMENT.missing(Throughput(server="h:1", ca="/nowhere.pem"))
    assert INSTRUMENT.missing(Throughput(server="h:1")) is None
