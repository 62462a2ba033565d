import datetime as dt
import socket
import ssl
import threading
import time
from urllib.parse import urlsplit

import msgspec
import pytest
import trustme
from hypothesis import example, given, settings
from hypothesis import strategies as st

from netready.access import Nominated, People
from netready.authority import Refused
from netready.failure import Failure
from netready.site import Endpoint, Role, Site
from probes import http_fetch, page
from probes.deadline import Deadline

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def request(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(4096)
        if not more:
            break
        data += more
    return data


def saying(reply):
    def answer(connection):
        request(connection)
        connection.sendall(reply)

    return answer


def fetch(context, url, **table):
    endpoint = Endpoint(name="The LMS", url=url, role=Role.LMS)
    found = http_fetch.read(http_fetch.Settings(endpoints=(endpoint,), **{"timeout": 0.5} | table), context)
    return {each.metric: each for each in found}


def words(found):
    return {each.failure for each in found.values()}


def test_a_page_is_timed_in_phases(context, tcp_server):
    asked = []

    def answer(connection):
        asked.append(request(connection))
        time.sleep(0.02)
        connection.sendall(OK[:-3])
        time.sleep(0.02)
        connection.sendall(OK[-3:])

    found = fetch(context, f"http://127.0.0.1:{tcp_server(answer)}/a b?q=ü", timeout=5)
    assert set(found) == {"http_total_time", "http_first_byte_time"}
    total, first = found["http_total_time"], found["http_first_byte_time"]
    assert 0.02 <= first.value < total.value < 5
    assert total.value >= 0.04
    details = total.details
    assert (details["status"], details["role"], details["name"], details["address"]) == (200, "lms", "The LMS", "127.0.0.1")
    assert details["bytes_received"] == len(OK)
    assert details["dns"] + details["connect"] <= first.value
    assert asked[0].startswith(b"GET /a%20b?q=%C3%BC HTTP/1.1\r\nHost: 127.0.0.1:")


def test_a_chunked_page_and_a_page_that_ends_with_the_connection(context, tcp_server):
    for reply in (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
    ):
        assert fetch(context, f"http://127.0.0.1:{tcp_server(saying(reply))}/")["http_total_time"].value > 0


@pytest.mark.parametrize("status", [400, 401, 404, 500, 304])
def test_a_status_that_is_no_page_is_a_failure_with_the_status(context, tcp_server, status):
    reply = f"HTTP/1.1 {status} So\x1b[31mrry\r\nContent-Length: 0\r\n\r\n".encode()
    found = fetch(context, f"http://127.0.0.1:{tcp_server(saying(reply))}/")
    assert words(found) == {Failure.HTTP_STATUS}
    assert found["http_total_time"].details["status"] == status
    assert "\x1b" not in found["http_total_time"].details["reason"]


def test_redirects_on_named_hosts_are_followed_and_counted(context, tcp_server):
    def answer(connection):
        asked = request(connection)
        target = b"/one?token=secret" if asked.startswith(b"GET / ") else b"two"
        if b"/two " in asked:
            connection.sendall(OK)
        else:
            connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: " + target + b"\r\n\r\n")

    port = tcp_server(answer)
    details = fetch(context, f"http://127.0.0.1:{port}/")["http_total_time"].details
    assert details["redirects"] == 2
    assert details["final"] == f"http://127.0.0.1:{port}/two"
    assert "secret" not in str(details)


@pytest.mark.parametrize("location", [b"/", b"/?again={n}"])
def test_a_loop_of_redirects_ends(context, tcp_server, location):
    count = iter(range(1000))

    def answer(connection):
        request(connection)
        where = location.replace(b"{n}", str(next(count)).encode())
        connection.sendall(b"HTTP/1.1 301 Moved\r\nLocation: " + where + b"\r\n\r\n")

    assert words(fetch(context, f"http://127.0.0.1:{tcp_server(answer)}/")) == {Failure.REDIRECT_LOOP}


def test_a_redirect_to_a_stranger_is_not_followed_and_the_stranger_is_named(context, tcp_server):
    port = tcp_server(saying(b"HTTP/1.1 302 Found\r\nLocation: https://tracker.test/x\r\n\r\n"))
    found = fetch(context, f"http://127.0.0.1:{port}/")
    assert words(found) == {Failure.NOT_AUTHORISED}
    assert found["http_total_time"].details["reason"].startswith("redirected to tracker.test, which is not named; add it")


@pytest.mark.parametrize("location", [b"ftp://127.0.0.1/", b"http://[::1", b"http://127.0.0.1:99999/", b"javascript:alert(1)"])
def test_a_redirect_to_no_web_page_is_malformed(context, tcp_server, location):
    port = tcp_server(saying(b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\n\r\n"))
    assert words(fetch(context, f"http://127.0.0.1:{port}/")) == {Failure.MALFORMED}


def test_an_endpoint_that_nobody_named_is_refused_before_the_first_packet(context):
    with pytest.raises(Refused):
        fetch(context, "http://192.0.2.1/")


def test_what_is_no_url_fails_without_a_packet(context):
    assert words(fetch(context, "http://[::1")) == {Failure.MALFORMED}
    assert words(fetch(context, "http://127.0.0.1:99999/")) == {Failure.MALFORMED}


def endless(connection, piece, pause=0.0):
    request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for _ in range(10_000):
        connection.sendall(piece)
        time.sleep(pause)


HOSTILE = {
    "silence": (lambda _c: time.sleep(1.6), {Failure.TIMEOUT}),
    "endless headers": (lambda c: endless(c, b"X-Filler: x\r\n"), {Failure.MALFORMED}),
    "endless long headers": (lambda c: endless(c, b"X-Filler: " + b"x" * 4000 + b"\r\n"), {Failure.TOO_LARGE}),
    "an endless header line": (lambda c: endless(c, b"x" * 4000), {Failure.MALFORMED}),
    "a dribbled header": (lambda c: endless(c, b"x", 0.02), {Failure.TIMEOUT}),
    "a dribbled page": (lambda c: endless(c, b"\r\n", 0.02), {Failure.TIMEOUT}),
    "endless 100 Continue": (lambda c: endless(c, b"\r\nHTTP/1.1 100 Continue\r\n"), {Failure.TOO_LARGE}),
    "a huge page": (lambda c: endless(c, b"\r\n" + b"x" * 4000), {Failure.TOO_LARGE}),
    "a huge announced page": (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n"), {Failure.TOO_LARGE}),
    "a page cut short": (saying(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello"), {Failure.CLOSED_EARLY}),
    "a chunked page cut short": (
        saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\nhello"),
        {Failure.CLOSED_EARLY},
    ),
    "a connection closed at once": (request, {Failure.CLOSED_EARLY}),
    "another protocol": (saying(b"220 mail.test ESMTP\r\n"), {Failure.MALFORMED}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_server_ends_in_a_word_and_in_time(context, tcp_server, name):
    answer, expected = HOSTILE[name]
    begun = time.monotonic()
    found = fetch(context, f"http://127.0.0.1:{tcp_server(answer)}/", timeout=1.2, max_bytes=50_000)
    assert words(found) == expected
    assert time.monotonic() - begun < 4


def test_nobody_listening_is_refused(context):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        assert words(fetch(context, f"http://127.0.0.1:{sock.getsockname()[1]}/")) == {Failure.REFUSED}


@settings(max_examples=60)
@given(head=st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 302 Found\r\nLocation: "]), rest=st.binary(max_size=200))
@example(head=b"HTTP/1.1 200 OK\r\n", rest=b"\r\n" + b"x" * 100)
def test_any_answer_is_a_page_or_a_word(context, head, rest):
    keep = 10
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(head + rest)
        theirs.shutdown(socket.SHUT_WR)
        visit = page.Visit()
        way = page.Way(trust=page.trust("", ""), timeout=2, max_bytes=5 * 2**20, max_redirects=5, keep=keep)
        try:
            page.exchange(ours, urlsplit("http://localhost/"), visit, way, Deadline(context.clock, 2))
        except Exception as error:  # noqa: BLE001 - whatever it is must have a word
            word = page.failure_of(error) or repr(error)
        else:
            word = "page"
    assert word == "page" or word in set(Failure)
    assert len(visit.page) <= keep


# --- TLS ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority_file(tmp_path_factory):
    authority = trustme.CA(organization_name="School \u202eTest CA")
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return authority, str(path)


@pytest.fixture
def tls_server(tcp_server):
    def serve(certificate, reply=OK):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)

        def answer(connection):
            with context.wrap_socket(connection, server_side=True) as sock:
                request(sock)
                sock.sendall(reply)

        return tcp_server(answer)

    return serve


def test_https_tells_what_is_left_of_the_certificate(context, tls_server, authority_file):
    authority, path = authority_file
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(days=30)
    port = tls_server(authority.issue_cert("localhost", not_after=ends))
    found = fetch(context, f"https://localhost:{port}/", ca_file=path, timeout=5)
    assert words(found) == {None}
    certificate = found["tls_certificate_left"]
    assert certificate.value == pytest.approx(30 * 86400, abs=60)
    assert certificate.details["issuer"] == "School Test CA"
    assert certificate.details["tls_version"].startswith("TLS")
    assert found["http_total_time"].details["tls"] > 0


def test_a_certificate_is_still_told_when_the_page_is_missing(context, tls_server, authority_file):
    authority, path = authority_file
    port = tls_server(authority.issue_cert("localhost"), b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    found = fetch(context, f"https://localhost:{port}/", ca_file=path, timeout=5)
    assert found["http_total_time"].failure is Failure.HTTP_STATUS
    assert found["tls_certificate_left"].value > 0


def test_an_unknown_authority_an_expired_and_a_foreign_certificate_are_all_certificate_failures(
    context, tls_server, authority_file
):
    authority, path = authority_file
    past = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    expired = authority.issue_cert("localhost", not_before=past - dt.timedelta(days=9), not_after=past)
    foreign = authority.issue_cert("other.test")
    for certificate, ca_file in ((authority.issue_cert("localhost"), ""), (expired, path), (foreign, path)):
        found = fetch(context, f"https://localhost:{tls_server(certificate)}/", ca_file=ca_file, timeout=5)
        assert set(found) == {"http_total_time", "http_first_byte_time", "tls_certificate_left"}
        assert words(found) == {Failure.TLS_CERTIFICATE}
        assert found["http_total_time"].details["reason"]


def test_a_server_without_tls_is_a_handshake_failure(context, tcp_server):
    assert words(fetch(context, f"https://localhost:{tcp_server(saying(OK))}/")) <= {Failure.TLS_HANDSHAKE, Failure.TIMEOUT}
    port = tcp_server(lambda connection: connection.sendall(b"no TLS here at all\r\n"))
    assert words(fetch(context, f"https://localhost:{port}/")) == {Failure.TLS_HANDSHAKE}


def test_a_handshake_that_never_ends_is_a_timeout(context, tcp_server):
    done = threading.Event()
    found = fetch(context, f"https://localhost:{tcp_server(lambda _connection: done.wait(1))}/", timeout=0.2)
    done.set()
    assert words(found) == {Failure.TIMEOUT}


def test_a_missing_ca_file_says_which(context, tcp_server):
    found = fetch(context, f"https://localhost:{tcp_server(saying(OK))}/", ca_file="/nowhere/ca.pem")
    assert words(found) == {Failure.LOCAL_RESOURCES}
    assert "/nowhere/ca.pem" in found["http_total_time"].details["reason"]


def test_without_endpoints_the_sites_are_fetched():
    endpoint = Endpoint(name="SIS", url="https://sis.school.test/", role=Role.SIS)
    site = Site(name="S", students=1, staff=1, classrooms=1, endpoints=(endpoint,))
    fitted = http_fetch.fit(http_fetch.Settings(), site)
    assert fitted.endpoints == (endpoint,)
    assert http_fetch.INSTRUMENT.hosts(fitted) == ("sis.school.test",)
    assert http_fetch.INSTRUMENT.missing(fitted) is None


# --- from nominated networks --------------------------------------------------------------------------------------------

STUDENTS = Nominated(name="students", people=People.STUDENT, source="127.0.0.2")
TEACHERS = Nominated(name="teachers", people=People.STAFF, source="127.0.0.3")


def fetch_from(context, networks, *endpoints):
    settings = http_fetch.Settings(endpoints=endpoints, nominated=networks, timeout=1)
    return [each for each in http_fetch.read(settings, context) if each.metric == "http_total_time"]


def test_a_page_is_fetched_from_each_network_that_it_is_for(context, web):
    peers = []

    def pages(_path, peer):
        peers.append(peer)
        return OK if peer == "127.0.0.3" else None

    url = web(pages)
    everybody = Endpoint(name="LMS", url=f"{url}/lms", role=Role.LMS)
    teachers = Endpoint(name="SIS", url=f"{url}/sis", role=Role.SIS, networks=("teachers",))
    found = fetch_from(context, (STUDENTS, TEACHERS), everybody, teachers)
    assert peers == ["127.0.0.2", "127.0.0.3", "127.0.0.3"]
    assert [(each.target, each.failure) for each in found] == [
        (f"{url}/lms from students", Failure.RESET),
        (f"{url}/lms from teachers", None),
        (f"{url}/sis from teachers", None),
    ]
    assert [(each.details["network"], each.details["people"]) for each in found[:2]] == [
        ("students", "student"),
        ("teachers", "staff"),
    ]


def test_a_network_that_this_machine_is_not_in_spoils_no_other(context, web):
    away = Nominated(name="guests", people=People.GUEST, interface="nosuch0")
    endpoint = Endpoint(name="LMS", url=web(lambda *_: OK), role=Role.LMS)
    found = fetch_from(context, (away, TEACHERS), endpoint)
    assert [each.failure for each in found] == [Failure.LOCAL_RESOURCES, None]
    assert found[0].details["reason"] == "this machine cannot send from guests by nosuch0 (No such device)"


def test_the_name_servers_of_the_nominated_networks_are_named_hosts():
    network = Nominated(name="students", people=People.STUDENT, source="10.20.1.9", resolver="10.20.1.1")
    endpoint = Endpoint(name="SIS", url="https://sis.school.test/", role=Role.SIS)
    site = Site(name="S", students=1, staff=1, classrooms=1, endpoints=(endpoint,), nominated=(network,))
    fitted = http_fetch.fit(http_fetch.Settings(), site)
    assert http_fetch.INSTRUMENT.hosts(fitted) == ("sis.school.test", "10.20.1.1")
    astray = http_fetch.fit(http_fetch.Settings(endpoints=(msgspec.structs.replace(endpoint, networks=("teachers",)),)), site)
    assert http_fetch.INSTRUMENT.missing(astray) == "the endpoint SIS is for a network that is not nominated"
