"""HTTP as the testpoint speaks it: kept connections, bodies and their limits, and what does not fit."""

import contextlib
import http.client
import re
import select
import socket
import threading
import time

import pytest


@pytest.fixture
def connect(standing):
    """Connections to the standing testpoint, as a client's library makes them; all are closed afterwards."""
    made = []

    def make(server=standing, timeout=5):
        made.append(http.client.HTTPConnection("127.0.0.1", server.port, timeout=timeout))
        return made[-1]

    yield make
    for connection in made:
        connection.close()


def ask(connection, method, path, **more):
    connection.request(method, path, **more)
    response = connection.getresponse()
    return response, response.read()


def exchange(server, *pieces, seconds=10.0, pause=0.0):
    """Send the pieces and read until the server hangs up."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds) as connection:
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)
        found = b""
        with contextlib.suppress(ConnectionError):
            while chunk := connection.recv(65536):
                found += chunk
        return found


def read_on(connection, pause=0.0):
    """Read until the server hangs up in good order."""
    while connection.recv(1 << 16):
        time.sleep(pause)


def post(path="/empty.php", body=b"", **fields):
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"POST {path} HTTP/1.1\r\nHost: here\r\n{lines}\r\n".encode() + body


def test_many_requests_use_one_connection(connect):
    connection = connect()
    connection.connect()
    port = connection.sock.getsockname()[1]
    for _ in range(50):
        response, body = ask(connection, "GET", "/empty.php")
        assert (response.status, body, response.headers["Connection"]) == (200, b"", "keep-alive")
    response, body = ask(connection, "GET", "/garbage.php?ckSize=1")
    assert len(body) == 1 << 20
    response, body = ask(connection, "POST", "/empty.php", body=bytes(3_000_000))
    assert (response.status, body) == (200, b"")
    response, body = ask(connection, "POST", "/speedtest/upload.php", body=iter([b"x" * 70_000] * 20), encode_chunked=True)
    assert body == b"size=1400000"
    assert connection.sock.getsockname()[1] == port


def test_a_client_that_says_close_is_closed(standing):
    found = exchange(standing, b"GET /empty.php HTTP/1.1\r\nHost: here\r\nConnection: Close\r\n\r\n")
    assert b"\r\nConnection: close\r\n" in found


def test_a_kept_connection_that_asks_nothing_more_is_closed(inside):
    server = inside(idle=0.5)
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(post(Content_Length=0))
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")
        with contextlib.suppress(ConnectionError):
            while select.select([connection], [], [], 0.05)[0] == []:
                connection.send(b"G")  # a head that trickles in gets no more time
    assert 0.4 < time.monotonic() - started < 2


def test_a_kept_connection_has_a_lifetime(inside, connect):
    connection = connect(inside(lifetime=0.3))
    assert ask(connection, "GET", "/empty.php")[0].headers["Connection"] == "keep-alive"
    time.sleep(0.4)
    assert ask(connection, "GET", "/empty.php")[0].headers["Connection"] == "close"


def test_requests_sent_in_one_go_are_answered_one_by_one(standing):
    upload = post("/speedtest/upload.php", b"12345", Content_Length=5)
    chunks = post("/speedtest/upload.php", b"3\r\nabc\r\n0\r\n\r\n", Transfer_Encoding="chunked")
    last = b"GET /speedtest/latency.txt HTTP/1.1\r\nConnection: close\r\n\r\n"
    found = exchange(standing, upload + chunks + upload + last)
    assert [found.count(text) for text in (b"HTTP/1.1 200 OK", b"size=5", b"size=3", b"test=test\n")] == [4, 2, 1, 1]
    assert found.index(b"size=5") < found.index(b"size=3") < found.index(b"test=test")


@pytest.mark.parametrize("path", ["/", "/healthz", "/metrics", "/empty.php", "/getIP.php", "/garbage?ckSize=3", "/nowhere"])
def test_head_is_answered_as_get_without_the_body(connect, path):
    response, body = ask(connect(), "GET", path)
    length = len(body)
    head, nothing = ask(connect(), "HEAD", path)
    assert (head.status, nothing) == (response.status, b"")
    assert head.headers["Content-Type"] == response.headers["Content-Type"]
    if path != "/metrics":  # which counts the HEAD, too
        assert int(head.headers["Content-Length"]) == length


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/", "GET, HEAD"),
        ("DELETE", "/empty.php", "GET, HEAD, POST, OPTIONS"),
        ("POST", "/garbage.php", "GET, HEAD, OPTIONS"),
        ("PUT", "/speedtest/upload.php", "GET, HEAD"),
        ("PUT", "/speedtest/random350x350.jpg", "GET, HEAD"),
    ],
)
def test_a_method_that_does_not_fit_is_refused_with_those_that_do(connect, method, path, allowed):
    response, _ = ask(connect(), method, path)
    assert (response.status, response.headers["Allow"]) == (405, allowed)


def test_a_client_that_waits_for_100_is_told_to_go_on(standing):
    with socket.create_connection(("127.0.0.1", standing.port), timeout=5) as connection:
        connection.sendall(post("/speedtest/upload.php", Content_Length=4, Expect="100-Continue"))
        assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"load")
        assert connection.recv(4096).endswith(b"size=4")


def test_a_client_that_waits_for_100_with_too_much_is_refused_before_it_sends(standing):
    found = exchange(standing, post(Content_Length=1 << 40, Expect="100-continue"))
    assert found.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in found


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (post(Content_Length=10**15), 413),
        (post(Content_Length="9" * 3000), 413),
        (post(Content_Length="-5"), 400),
        (post(Content_Length="5", Transfer_Encoding="chunked"), 400),
        (post(Transfer_Encoding="gzip"), 501),
        (post(body=b"not chunks\r\n", Transfer_Encoding="chunked"), 400),
        (post(body=b"1\r\nx\r\n" * 20_000, Transfer_Encoding="chunked"), 400),
        (post(body=b"ffffffff\r\n", Transfer_Encoding="chunked"), 413),
        (b"GET http://elsewhere.example/nowhere HTTP/1.1\r\n\r\n", 404),
        (b"GET nowhere HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT elsewhere.example:443 HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    ],
)
def test_what_cannot_be_served_gets_a_status_and_the_connection_ends(standing, request_bytes, status):
    started = time.monotonic()
    found = exchange(standing, request_bytes)
    assert found.startswith(f"HTTP/1.1 {status} ".encode())
    assert found.count(b"\r\nConnection: close\r\n") == 1
    assert time.monotonic() - started < 4


def test_a_body_that_nobody_asked_for_ends_the_connection(standing):
    found = exchange(standing, b"GET /empty.php HTTP/1.1\r\nContent-Length: 30\r\n\r\nGET /getIP.php HTTP/1.1\r\n\r\n")
    assert found.count(b"HTTP/1.1 ") == 1


def test_chunks_without_end_stop_at_the_limit(standing, connect):
    piece = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
    sent = 0
    with socket.create_connection(("127.0.0.1", standing.port), timeout=5) as connection:
        connection.sendall(post(Transfer_Encoding="chunked"))
        with contextlib.suppress(ConnectionError):
            while sent < 3000:
                connection.sendall(piece)
                sent += 1
    assert 1000 < sent < 1100
    assert ask(connect(), "GET", "/empty.php")[0].status == 200


def test_a_body_that_stalls_is_given_up(inside):
    started = time.monotonic()
    found = exchange(inside(stall=0.5), post(body=b"x" * 100, Content_Length=1000))
    assert found.startswith(b"HTTP/1.1 408 ")
    assert 0.4 < time.monotonic() - started < 3


def test_a_body_that_trickles_is_given_up(inside):
    server = inside(stall=0.5, bulk=1.0)
    started = time.monotonic()
    exchange(server, post(Content_Length=1000), *[b"x"] * 30, pause=0.1)
    assert time.monotonic() - started < 4.5  # the client went on for three seconds
    server.stop()
    (entry,) = [line for line in server.lines if "librespeed" in line]
    assert re.search(r" 1\.\d\d s \d{2,3} bytes .* broken$", entry)


def test_a_download_that_nobody_reads_is_reset(inside):
    server = inside(stall=0.5, tests=1)
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(b"GET /garbage.php?ckSize=1024 HTTP/1.1\r\nHost: here\r\n\r\n")
        time.sleep(1)
        with pytest.raises(ConnectionError):
            read_on(connection)
    server.stop()
    (entry,) = [line for line in server.lines if "librespeed" in line]
    assert entry.endswith("broken")


def test_a_download_that_takes_too_long_is_reset(inside):
    server = inside(bulk=0.5, stall=2.0)
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        connection.sendall(b"GET /garbage.php?ckSize=1024 HTTP/1.1\r\nHost: here\r\n\r\n")
        started = time.monotonic()
        with pytest.raises(ConnectionError):
            read_on(connection, pause=0.001)
    assert 0.4 < time.monotonic() - started < 2
    server.stop()
    assert server.lines[-1].endswith(" time")


def test_stopping_the_server_ends_what_is_under_way(inside):
    server = inside()
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(b"GET /garbage.php?ckSize=1024 HTTP/1.1\r\nHost: here\r\n\r\n")
        connection.recv(1 << 16)
        reader = threading.Thread(target=exchange, args=(server, post(Content_Length=10)))
        reader.start()
        time.sleep(0.2)
        started = time.monotonic()
        stopper = threading.Thread(target=server.stop)
        stopper.start()
        with contextlib.suppress(ConnectionError):
            read_on(connection)
        stopper.join()
        reader.join()
    assert time.monotonic() - started < 5
