"""LibreSpeed servers that refuse, lie, dribble or break off: each costs bounded time and becomes one word or a lower grade."""

import socket
import time

import pytest

from netready.failure import Failure
from probes.throughput.librespeed import read
from probes.throughput.settings import Direction, Throughput

ADDRESS = b'HTTP/1.1 200 OK\r\nContent-Length: 31\r\n\r\n{"processedString":"127.0.0.1"}'
ASKED = 100 << 20


def run(server, context, direction=Direction.DOWN, **settings):
    """One measurement over one stream, and how long it took."""
    started = time.monotonic()
    usual = {"seconds": 1.0, "streams": 1, "handshake_timeout": 0.6, "timeout": 0.5}
    (found,) = read(Throughput(server=server, direction=direction, **(usual | settings)), context)
    return found, time.monotonic() - started


def behind(script):
    """`script` for the request that loads; the one before it, for our own address, is answered as it should be."""

    def whole(peer):
        if b"getIP" in peer.head():
            peer.send(ADDRESS)
        else:
            script(peer)

    return whole


def says(answer):
    return lambda peer: (peer.head(), peer.send(answer))


def gives(answer):
    return behind(lambda peer: peer.send(answer))


def test_nobody_listens(context):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    assert run(f"127.0.0.1:{port}", context)[0].failure is Failure.REFUSED


def dribble(peer):
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
    for _ in range(100):
        peer.send(b"x")
        peer.wait(0.05)


def slow_head(peer):
    peer.head()
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n":
        peer.send(bytes([byte]))
        peer.wait(0.1)


def endless_chunk_line(peer):
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    peer.send_until(b"0" * 1000, 3)


def stall(peer):
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n" + bytes(1 << 16))
    peer.wait(5)


def breaks_off_soon(peer):
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n" + bytes(1 << 16))


DOWN = {
    "accepts and says nothing": (lambda peer: peer.wait(3), Failure.TIMEOUT),
    "closes at once": (lambda peer: peer.wait(0), {Failure.CLOSED_EARLY, Failure.RESET}),
    "sends its head a byte at a time": (slow_head, Failure.TIMEOUT),
    "speaks another protocol": (says(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), Failure.MALFORMED),
    "is a portal that wants a log-in": (
        says(b"HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n<html>Log in here</html>"),
        Failure.MALFORMED,
    ),
    "sends us elsewhere at once": (
        says(b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n"),
        Failure.HTTP_STATUS,
    ),
    "has no such page anywhere": (says(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), Failure.HTTP_STATUS),
    "says endlessly who we are": (
        lambda peer: (peer.head(), peer.send(b"HTTP/1.1 200 OK\r\n\r\n"), peer.send_until(bytes(1 << 14), 3)),
        Failure.TOO_LARGE,
    ),
    "sends us elsewhere": (
        gives(b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n"),
        Failure.HTTP_STATUS,
    ),
    "has no garbage": (gives(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), Failure.HTTP_STATUS),
    "breaks": (gives(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"), Failure.HTTP_STATUS),
    "is busy": (gives(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), Failure.SERVER_BUSY),
    "compresses": (
        gives(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 104857600\r\n\r\n" + bytes(1000)),
        Failure.MALFORMED,
    ),
    "gives a little page": (gives(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + bytes(1000)), Failure.MALFORMED),
    "announces more than was asked": (
        behind(
            lambda peer: (
                peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999999\r\n\r\n"),
                peer.send_until(bytes(1 << 20), 3),
            )
        ),
        Failure.MALFORMED,
    ),
    "announces a length that is none": (gives(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"), Failure.MALFORMED),
    "announces two lengths": (
        gives(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n12345"),
        Failure.MALFORMED,
    ),
    "announces less than it sends": (
        gives(b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + bytes(2_001_000)),
        # The rest may be taken for the answer to the next request.
        {Failure.MALFORMED, Failure.CLOSED_EARLY, Failure.RESET},
    ),
    "announces more than it sends": (behind(breaks_off_soon), {Failure.CLOSED_EARLY, Failure.RESET}),
    "ends a line between chunks never": (behind(endless_chunk_line), Failure.TOO_LARGE),
    "sends chunks that are none": (
        gives(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n" + bytes(100)),
        Failure.MALFORMED,
    ),
    "stalls": (behind(stall), Failure.TIMEOUT),
    "dribbles": (behind(dribble), Failure.TIMEOUT),
    "closes behind the address": (says(ADDRESS), {Failure.CLOSED_EARLY, Failure.RESET, Failure.MALFORMED}),
}


@pytest.mark.parametrize("what", DOWN)
def test_a_download_from_a_server_that(what, hostile, context):
    script, expected = DOWN[what]
    found, took = run(hostile(script), context)
    assert found.value is None
    assert found.failure in (expected if isinstance(expected, set) else {expected})
    assert found.details["reason"]
    assert took < 2.5


def test_a_redirect_says_where_to_and_is_not_followed(hostile, context):
    found, _ = run(hostile(DOWN["sends us elsewhere"][0]), context)
    assert "http://192.0.2.1/ (302)" in found.details["reason"]


def refuses_at_once(peer):
    peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    peer.swallow(0.3)


UP = {
    "takes nothing": (behind(lambda peer: peer.wait(4)), Failure.TIMEOUT),
    "wants no upload": (behind(refuses_at_once), Failure.HTTP_STATUS),
    "thanks before it has everything": (
        behind(lambda peer: (peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), peer.swallow(0.5))),
        Failure.MALFORMED,
    ),
    "hangs up in the middle": (behind(lambda peer: peer.swallow(0.1)), {Failure.CLOSED_EARLY, Failure.RESET}),
    "resets in the middle": (behind(lambda peer: (peer.swallow(0.1), peer.reset())), {Failure.RESET, Failure.CLOSED_EARLY}),
}


@pytest.mark.parametrize("what", UP)
def test_an_upload_to_a_server_that(what, hostile, context):
    script, expected = UP[what]
    found, took = run(hostile(script), context, Direction.UP)
    assert found.value is None
    assert found.failure in (expected if isinstance(expected, set) else {expected})
    assert took < 2.5


def test_a_server_that_breaks_off_late_leaves_a_figure_with_less_trust(hostile, context):
    def script(peer):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
        start = time.monotonic()
        while time.monotonic() - start < 0.85:  # a busy machine must not make it outlast the test
            peer.send(bytes(1 << 15))
            peer.wait(0.01)
        peer.reset()

    found, _ = run(hostile(behind(script)), context)
    assert found.value > 0
    assert found.details["ended"] == "abrupt"
    assert "behind the warm-up" in found.details["reason"]


def test_a_line_that_goes_silent_before_the_end_leaves_a_figure_of_the_time_before_and_less_trust(hostile, context):
    def script(peer):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
        start = time.monotonic()
        while (ahead := time.monotonic() - start) < 2.85:
            peer.send(bytes(10_000))
            peer.wait(0.01 - ahead % 0.01)
        peer.wait(3)

    found, _ = run(hostile(behind(script)), context, seconds=4.0, timeout=3.0)
    assert found.details["ended"] == "abrupt"
    assert "nothing moved in the last 1." in found.details["reason"]
    assert found.details["seconds"] < 1.5
    assert found.value == pytest.approx(8e6, rel=0.35)


def test_a_server_that_hangs_up_between_two_requests_is_dialled_again(hostile, context):
    def script(peer):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\nConnection: close\r\n\r\n")
        for _ in range(16):
            peer.send(bytes(1 << 16))
            peer.wait(0.002)

    found, _ = run(hostile(behind(script)), context)
    assert found.value > 1e6
    assert found.details["ended"] == "stop"
    assert found.details["bytes_received"] > 5 << 20  # over many connections


def test_a_server_that_will_not_be_dialled_again_is_a_failure_in_bounded_time(context):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        fill = [socket.socket() for _ in range(4)]
        for one in fill:
            one.settimeout(0)
            one.connect_ex(("127.0.0.1", port))
        found, took = run(f"127.0.0.1:{port}", context)
        for one in fill:
            one.close()
    assert found.failure is Failure.TIMEOUT
    assert took < 2


def test_load_before_any_request_is_refused(tcp_server, context):
    def answer(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n" + bytes(100))
        connection.recv(4096)
        connection.recv(4096)

    asked = []

    def first_properly(connection):
        if not asked:
            asked.append(connection.recv(4096))
            connection.sendall(ADDRESS)
        else:
            answer(connection)

    found, _ = run(f"127.0.0.1:{tcp_server(first_properly)}", context, streams=2, seconds=2.0)
    assert found.failure in {Failure.MALFORMED, Failure.RESET}
