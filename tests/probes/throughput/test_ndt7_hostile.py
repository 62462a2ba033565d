"""Servers that fail, stall, lie or flood: each costs bounded time and memory and becomes one word."""

import resource
import socket
import time

import msgspec
import pytest

from netready.authority import Refused
from netready.failure import Failure
from probes.throughput.ndt7 import read
from probes.throughput.settings import Direction, Throughput
from probes.throughput.websocket import Opcode, encode, encode_close, encode_header

BULK = encode(Opcode.BINARY, bytes(1 << 14))


def told(**counters) -> bytes:
    return encode(Opcode.TEXT, msgspec.json.encode({"TCPInfo": counters}))


def run(server, context, direction=Direction.DOWN, seconds=0.8, **settings):
    """One measurement and how long it took."""
    started = time.monotonic()
    wanted = Throughput(
        server=server, direction=direction, seconds=seconds, **({"handshake_timeout": 0.6, "timeout": 0.5} | settings)
    )
    (found,) = read(wanted, context)
    return found, time.monotonic() - started


def test_a_server_that_nobody_named_is_refused_before_the_first_packet(context):
    with pytest.raises(Refused, match="nothing was sent"):
        next(read(Throughput(server="192.0.2.1:80"), context))


def test_nobody_listens(context):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    found, _ = run(f"127.0.0.1:{port}", context)
    assert found.failure is Failure.REFUSED


def endless_head(peer):
    peer.head()
    peer.send(b"HTTP/1.1 101 Switching Protocols\r\n")
    peer.send_until(b"X-Filler: " + b"x" * 1000 + b"\r\n", 5)


def slow_head(peer):
    for byte in b"HTTP/1.1 101 Switching Protocols\r\n":
        peer.send(bytes([byte]))
        peer.wait(0.2)


def reset_mid_transfer(peer):
    peer.agree()
    peer.send_until(BULK, 0.1)
    peer.reset()


def stall_mid_transfer(peer):
    peer.agree()
    peer.send_until(BULK, 0.1)
    peer.wait(5)


def oversized(peer):
    peer.agree()
    peer.send(b"\x82\x7f" + (1 << 40).to_bytes(8, "big"))
    peer.send_until(bytes(1 << 16), 2)


def dribble(peer):
    peer.agree()
    peer.send(encode_header(Opcode.BINARY, 1 << 20))
    for _ in range(100):
        peer.send(b"x")
        peer.wait(0.1)


SCRIPTS = {
    "accepts and says nothing": (lambda peer: peer.wait(3), Failure.TIMEOUT),
    "closes at once": (lambda peer: peer.wait(0), {Failure.CLOSED_EARLY, Failure.RESET}),
    "resets at once": (lambda peer: peer.reset(), {Failure.RESET, Failure.CLOSED_EARLY}),
    "never ends its head": (endless_head, Failure.TOO_LARGE),
    "sends its head a byte at a time": (slow_head, Failure.TIMEOUT),
    "speaks another protocol": (lambda peer: peer.send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), Failure.MALFORMED),
    "is busy": (lambda peer: peer.head() and peer.send(b"HTTP/1.1 503 Busy\r\n\r\n"), Failure.SERVER_BUSY),
    "wants a token": (lambda peer: peer.head() and peer.send(b"HTTP/1.1 401 No\r\n\r\n"), Failure.SERVER_BUSY),
    "sends us elsewhere": (
        lambda peer: peer.head() and peer.send(b"HTTP/1.1 301 Moved\r\nLocation: http://192.0.2.1/\r\n\r\n"),
        Failure.HTTP_STATUS,
    ),
    "agrees to another key": (
        lambda peer: (
            peer.head()
            and peer.send(b"HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n")
        ),
        Failure.MALFORMED,
    ),
    "resets soon after the start": (reset_mid_transfer, Failure.RESET),
    "stalls mid-transfer": (stall_mid_transfer, Failure.TIMEOUT),
    "sends an oversized frame": (oversized, Failure.TOO_LARGE),
    "sends compressed frames": (lambda peer: peer.agree() or peer.send(b"\xc2\x05abcde"), Failure.MALFORMED),
    "masks its frames": (
        lambda peer: peer.agree() or peer.send(encode(Opcode.BINARY, b"x" * 100, key=b"abcd")),
        Failure.MALFORMED,
    ),
    "sends garbage": (lambda peer: peer.agree() or peer.send(b"\xff" * 5000), Failure.MALFORMED),
    "says Close at once": (lambda peer: peer.agree() or peer.send(encode_close(1000, "bye")), Failure.CLOSED_EARLY),
    "dribbles": (dribble, Failure.TIMEOUT),
}


@pytest.mark.parametrize("what", SCRIPTS)
def test_a_server_that(what, hostile, context):
    script, expected = SCRIPTS[what]
    found, took = run(hostile(script), context)
    assert found.value is None
    assert found.failure in (expected if isinstance(expected, set) else {expected})
    assert found.details["reason"]
    assert took < 2.5


def test_a_redirect_says_where_to_and_is_not_followed(hostile, context):
    script, _ = SCRIPTS["sends us elsewhere"]
    found, _ = run(hostile(script), context)
    assert "http://192.0.2.1/ (301)" in found.details["reason"]


def test_clear_text_where_tls_is_wanted_is_a_failed_handshake(hostile, context):
    found, took = run(hostile(lambda peer: peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")), context, tls=True)
    assert found.failure is Failure.TLS_HANDSHAKE
    found, took = run(hostile(lambda peer: peer.wait(3)), context, tls=True)
    assert found.failure is Failure.TIMEOUT
    assert took < 2


def test_a_connection_that_breaks_late_leaves_a_figure_with_less_trust(hostile, context):
    def script(peer):
        peer.agree()
        peer.send_until(BULK, 0.6)
        peer.reset()

    found, _ = run(hostile(script), context)
    assert found.value > 0
    assert found.details["ended"] == "abrupt"
    assert "the connection broke after 0." in found.details["reason"]


@pytest.mark.parametrize(("direction", "counts"), [(Direction.DOWN, 0), (Direction.UP, 0), (Direction.UP, 2)])
def test_a_line_that_goes_silent_half_way_leaves_a_figure_of_the_time_before_and_less_trust(
    direction, counts, hostile, context
):
    def script(peer):
        peer.agree()
        start, taken = time.monotonic(), 0
        while (ahead := time.monotonic() - start) < 2.5:
            if direction is Direction.DOWN:
                peer.send(BULK)
            else:
                taken += len(peer.connection.recv(1 << 14))
            peer.wait(0.01 - ahead % 0.01)
        for more in range(counts):  # a server that goes on to count, and has nothing to count
            peer.send(told(ElapsedTime=2_500_000 + 100_000 * more, BytesReceived=taken))
        peer.wait(6)

    found, _ = run(hostile(script), context, direction, seconds=4.0, timeout=5.0)
    assert found.details["ended"] == "abrupt"
    assert "nothing moved in the last" in found.details["reason"]
    assert found.details["seconds"] == pytest.approx(2.5, abs=0.4)
    moved = found.details["bytes_received"] + found.details["bytes_sent"]
    assert found.value == pytest.approx(8 * moved / 2.5, rel=0.35)


def test_a_server_may_end_early_in_good_order(hostile, context):
    def script(peer):
        peer.agree()
        peer.send_until(BULK, 0.6)
        peer.send(encode_close(1000, ""))
        peer.swallow(0.1)

    found, took = run(hostile(script), context)
    assert found.details["ended"] == "close"
    assert "reason" not in found.details
    assert 0.55 < found.details["seconds"] < 0.8
    assert took < 1.5


def test_fragments_text_and_pings_are_taken_and_pings_are_answered(hostile, context):
    answers = []

    def script(peer):
        peer.agree()
        peer.send(encode_header(Opcode.BINARY, 8192, fin=False) + bytes(8192))
        peer.send(encode(Opcode.PING, b"tick-4711") + encode_header(Opcode.CONTINUATION, 1) + b"x")
        peer.send(told(ElapsedTime=1, MinRTT=5000, BytesSent=1000, BytesRetrans=5))
        peer.wait(0.45)
        peer.send(BULK + encode_close(1000, "Done sending"))
        while chunk := peer.connection.recv(4096):
            answers.append(chunk)

    found, _ = run(hostile(script), context)
    assert found.value is not None
    assert (found.details["min_rtt"], found.details["retransmitted"]) == (0.005, 0.005)
    assert any(b"\x8a\x89" in chunk for chunk in answers)  # a masked pong of nine bytes


def upload(peer, *messages, seconds=0.6):
    peer.agree()
    count = peer.swallow(seconds)
    for message in messages:
        peer.send(message(count) if callable(message) else message)
    peer.send(encode_close(1000, ""))
    peer.swallow(0.1)


def test_an_upload_is_the_server_s_last_count(hostile, context):
    def script(peer):
        upload(
            peer, told(ElapsedTime=300_000, BytesReceived=1000), lambda count: told(ElapsedTime=600_000, BytesReceived=count)
        )

    found, _ = run(hostile(script), context, Direction.UP)
    assert found.details["counted_by"] == "server"
    assert found.value == pytest.approx(8 * found.details["bytes_sent"] / 0.6, rel=0.3)


def test_an_upload_that_the_server_does_not_count_is_our_own_count(hostile, context):
    nonsense = [b"{}", b"nonsense", b'{"TCPInfo":{"BytesReceived":-7,"ElapsedTime":600000}}', b'{"TCPInfo":null}']
    found, _ = run(hostile(lambda peer: upload(peer, *(encode(Opcode.TEXT, text) for text in nonsense))), context, Direction.UP)
    assert found.details["counted_by"] == "this side (bytes acknowledged)"
    assert found.details["ignored_messages"] == 2
    assert 0 < found.value <= 8.08 * found.details["bytes_sent"] / found.details["seconds"]  # seconds are rounded


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        (told(ElapsedTime=600_000, BytesReceived=2**52), "claims"),
        (lambda count: told(ElapsedTime=600_000, BytesReceived=10 * count + 10**8), "claims"),
        (lambda count: told(ElapsedTime=90_000_000, BytesReceived=count), "clock"),
    ],
)
def test_a_server_that_claims_what_cannot_be_is_malformed(claim, words, hostile, context):
    found, _ = run(hostile(lambda peer: upload(peer, claim)), context, Direction.UP)
    assert found.failure is Failure.MALFORMED
    assert words in found.details["reason"]


def test_a_server_whose_clock_hardly_runs_is_malformed(hostile, context):
    def script(peer):
        upload(peer, lambda count: told(ElapsedTime=1, BytesReceived=count), seconds=1.5)

    found, _ = run(hostile(script), context, Direction.UP, seconds=2.0)
    assert found.failure is Failure.MALFORMED


def test_a_server_that_takes_nothing_of_an_upload_is_a_timeout(hostile, context):
    def script(peer):
        peer.agree()
        peer.wait(4)

    found, took = run(hostile(script), context, Direction.UP, seconds=5)
    assert found.failure is Failure.TIMEOUT
    assert took < 2.5


def test_floods_of_messages_and_pings_cost_bounded_memory(hostile, context):
    flood = (told(ElapsedTime=1, MinRTT=1) + encode(Opcode.PING, b"x" * 100)) * 50

    def script(peer):
        peer.agree()
        peer.send_until(flood, 1)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found, took = run(hostile(script), context)
    assert found.failure is Failure.TIMEOUT or found.value is not None
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000  # KiB
    assert took < 3
