"""Servers that fail, stall, lie or flood a test of several streams: each costs bounded time and memory, and no wrong number."""

import resource
import socket
import time

import msgspec
import pytest

from netready.authority import Refused
from netready.failure import Failure
from probes.throughput.handshake import upgrade_response
from probes.throughput.netready import read
from probes.throughput.settings import Direction, Throughput
from probes.throughput.throughput1 import SUBPROTOCOL
from probes.throughput.websocket import Opcode, encode, encode_close, encode_header

BULK = encode(Opcode.BINARY, bytes((1 << 14) - 4))


def run(server, context, direction=Direction.DOWN, seconds=1.0, **settings):
    """The measurement of the rate, and how long all of them took."""
    started = time.monotonic()
    own = {"handshake_timeout": 0.6, "streams": 2}
    found, *_ = read(Throughput(server=server, direction=direction, seconds=seconds, **(own | settings)), context)
    return found, time.monotonic() - started


def figure(found) -> float:
    """The rate; a machine so busy that readings come too rarely for any figure proves nothing."""
    if found.failure is Failure.INCONCLUSIVE:
        pytest.skip(f"this machine is too busy just now: {found.details['reason']}")
    assert found.failure is None, found.details["reason"]
    return found.value


def told(**counters) -> bytes:
    return encode(Opcode.TEXT, msgspec.json.encode({"TCPInfo": counters}))


def moved(found) -> float:
    """What the kernel's byte counts of the whole test come to in bit/s: no figure of a steady server may be far above."""
    details = found.details
    return 8 * max(details["bytes_received"], details["bytes_sent"]) / details["seconds"]


def test_a_server_that_nobody_named_is_refused_before_the_first_packet(context):
    for more in ({}, {"at_least": 1e6}):
        with pytest.raises(Refused, match="nothing was sent"):
            next(read(Throughput(server="192.0.2.1:80", **more), context))


def test_nobody_listens(context):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    found, _ = run(f"127.0.0.1:{port}", context)
    assert found.failure is Failure.REFUSED


# Before the test: the answer to the handshake.


def endless_head(peer):
    peer.head()
    peer.send(b"HTTP/1.1 101 Switching Protocols\r\n")
    peer.load(5, b"X-Filler: " + b"x" * 1000 + b"\r\n", 0)


def slow_head(peer):
    for byte in b"HTTP/1.1 101 Switching Protocols\r\n":
        peer.send(bytes([byte]))
        peer.wait(0.2)


def answers(text: bytes):
    return lambda peer: peer.head() and peer.send(text + b"\r\n\r\n")


def agrees_with(more: str, protocol: str = SUBPROTOCOL):
    def script(peer):
        if peer.head():
            response = upgrade_response(peer.request.fields["sec-websocket-key"], protocol)
            peer.send(response[:-2] + more.encode() + b"\r\n")
            peer.wait(1)

    return script


def one_stream_only(peer):
    if peer.number == 0:
        peer.agree()
        peer.load(3)
    else:
        peer.wait()


def busy_for_the_last(peer):
    if peer.number == 2:
        answers(b"HTTP/1.1 503 Busy")(peer)
    else:
        peer.agree()
        peer.load(2)


HANDSHAKES = {
    "accepts and says nothing": (lambda peer: peer.wait(), Failure.TIMEOUT),
    "closes at once": (lambda _peer: None, {Failure.CLOSED_EARLY, Failure.RESET}),
    "resets at once": (lambda peer: peer.reset(), {Failure.RESET, Failure.CLOSED_EARLY}),
    "closes instead of an answer": (lambda peer: peer.head(), Failure.CLOSED_EARLY),
    "closes in its head": (lambda peer: peer.head() and peer.send(b"HTTP/1.1 101 Swi"), Failure.CLOSED_EARLY),
    "never ends its head": (endless_head, Failure.TOO_LARGE),
    "sends its head a byte at a time": (slow_head, Failure.TIMEOUT),
    "speaks another protocol": (lambda peer: peer.send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), {Failure.MALFORMED, Failure.RESET}),
    "wants a token": (answers(b"HTTP/1.1 401 Unauthorized"), Failure.SERVER_BUSY),
    "has had enough of us": (answers(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 9"), Failure.SERVER_BUSY),
    "is busy": (answers(b"HTTP/1.1 503 Service Unavailable"), Failure.SERVER_BUSY),
    "is busy for the last stream": (busy_for_the_last, Failure.SERVER_BUSY),
    "does not know this protocol": (answers(b"HTTP/1.1 404 Not Found"), Failure.HTTP_STATUS),
    "agrees to another key": (
        answers(b"HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: x"),
        Failure.MALFORMED,
    ),
    "agrees to another protocol": (agrees_with("", "net.measurementlab.ndt.v7"), Failure.MALFORMED),
    "wants to compress": (agrees_with("Sec-WebSocket-Extensions: permessage-deflate\r\n"), Failure.MALFORMED),
    "answers one stream only": (one_stream_only, Failure.TIMEOUT),
}


@pytest.mark.parametrize("what", HANDSHAKES)
def test_at_the_handshake_a_server(what, crowd, context):
    script, expected = HANDSHAKES[what]
    found, took = run(crowd(script), context, handshake_timeout=0.4)
    assert found.value is None
    assert found.failure in (expected if isinstance(expected, set) else {expected})
    assert found.details["reason"]
    assert took < 6


def test_a_redirect_to_itself_is_named_and_not_followed(crowd, context):
    asked = []

    def script(peer):
        if peer.head():
            asked.append(peer.request.path)
            where = f"http://{peer.request.fields['host']}{peer.request.path}"
            peer.send(f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {where}\r\n\r\n".encode())

    server = crowd(script)
    found, _ = run(server, context)
    assert found.failure is Failure.HTTP_STATUS
    assert f"http://{server}/throughput/v1/" in found.details["reason"]
    assert len(asked) == 3  # one for each stream, and none again


@pytest.mark.parametrize("method_of_death", ["reset", "close"])
def test_a_target_test_with_a_server_that_goes_away_has_no_answer(method_of_death, crowd, context):
    def script(peer):
        peer.agree()
        if peer.loads:
            peer.load(0.2)
            if method_of_death == "reset":
                peer.reset()
        else:
            peer.wait(2)

    found, took = run(crowd(script), context, at_least=1e6)
    assert (found.metric, found.failure) == ("throughput_down_reaches", Failure.CLOSED_EARLY)
    assert found.details["asked"] == 1e6
    assert took < 4


# In the test: frames that break the rules.

BROKEN = {
    "compressed frames": (b"\xc2\x05abcde", Failure.MALFORMED),
    "masked frames": (encode(Opcode.BINARY, b"x" * 100, key=b"abcd"), Failure.MALFORMED),
    "an unknown opcode": (b"\x83\x01x", Failure.MALFORMED),
    "a fragmented ping": (b"\x09\x01x", Failure.MALFORMED),
    "garbage": (b"\xff" * 5000, Failure.MALFORMED),
    "an HTTP page": (b"HTTP/1.1 200 OK\r\n\r\n<html>", Failure.MALFORMED),
    "a frame of a terabyte": (b"\x82\x7f" + (1 << 40).to_bytes(8, "big"), Failure.TOO_LARGE),
    "endless JSON": (encode_header(Opcode.TEXT, 1 << 17) + b'{"TCPInfo":[' + b"[" * (1 << 16), Failure.TOO_LARGE),
    "endless JSON in fragments": (
        encode_header(Opcode.TEXT, 1 << 15, fin=False)
        + b"[" * (1 << 15)
        + 3 * (encode_header(Opcode.CONTINUATION, 1 << 15, fin=False) + b"[" * (1 << 15)),
        Failure.TOO_LARGE,
    ),
}


@pytest.mark.parametrize("direction", [Direction.DOWN, Direction.UP])
@pytest.mark.parametrize("what", BROKEN)
def test_a_server_that_sends(what, direction, crowd, context):
    sent, expected = BROKEN[what]

    def script(peer):
        peer.agree()
        peer.send(sent)
        peer.swallow(3)

    found, took = run(crowd(script), context, direction, seconds=6.0)
    assert found.value is None
    assert found.failure is expected
    assert found.details["reason"]
    assert took < 4


@pytest.mark.parametrize("what", ["compressed frames", "a frame of a terabyte"])
def test_one_stream_that_breaks_the_rules_spoils_the_test(what, crowd, context):
    sent, expected = BROKEN[what]

    def script(peer):
        peer.agree()
        if peer.loads and peer.number % 2:
            peer.load(0.2)
            peer.send(sent)
        peer.load(2)

    found, _ = run(crowd(script), context, streams=4, seconds=1.0)
    assert found.failure is expected


NONSENSE = [b"{}", b"nonsense", b'{"TCPInfo":{"BytesReceived":-7}}', b'{"TCPInfo":null}', b"[" * 2000, b'{"Host":{"All":7}}']


def test_messages_that_are_no_measurements_are_counted_and_ignored(crowd, context):
    def script(peer):
        peer.agree()
        if peer.loads:
            peer.send(b"".join(encode(Opcode.TEXT, text) for text in NONSENSE))
            peer.load(3)
        peer.wait()

    found, _ = run(crowd(script), context)
    assert figure(found) > 0
    assert found.details["ignored_messages"] == 2 * 4
    assert "server_uuid" not in found.details
    assert "retransmitted" not in found.details


# In the test: ends, stalls and floods.


def ends(how, after):
    """A server that fills a download's streams, and ends all of them."""

    def script(peer):
        peer.agree()
        if peer.loads:
            peer.load(after)
        else:
            peer.wait(after)
        match how:
            case "reset":
                peer.reset()
            case "Close":
                peer.send(encode_close(1001, "Going away"))
                peer.swallow(0.5)

    return script


@pytest.mark.parametrize("how", ["reset", "close", "Close"])
def test_a_server_that_ends_all_streams_at_once_leaves_no_figure(how, crowd, context):
    found, took = run(crowd(ends(how, 0)), context)
    assert found.failure in {Failure.CLOSED_EARLY, Failure.RESET}
    assert took < 4


@pytest.mark.parametrize("how", ["reset", "Close"])
def test_a_server_that_ends_all_streams_late_leaves_a_figure_with_less_trust(how, crowd, context):
    found, took = run(crowd(ends(how, 0.7)), context, seconds=8.0, precision=0.005)
    assert took < 5
    assert found.details["ended"] == "server"
    assert found.details["reason"]
    if found.value is None:
        assert found.failure is Failure.CLOSED_EARLY
    else:
        assert found.value < 2 * moved(found)


def test_when_the_server_ends_an_upload_its_reason_is_told(crowd, context):
    def script(peer):
        peer.agree()
        peer.swallow(0.5)
        peer.send(encode_close(1000, "Your data budget\x1b[31m here is used up"))
        peer.swallow(0.3)

    found, took = run(crowd(script), context, Direction.UP, seconds=8.0)
    assert found.details["ended"] == "server"
    assert "Your data budget" in found.details["reason"]
    assert "\x1b" not in found.details["reason"]
    assert took < 5


def test_the_streams_that_are_left_go_on_without_those_that_closed(crowd, context):
    def script(peer):
        peer.agree()
        peer.load(0.2 if peer.loads and peer.number % 2 else 3)

    found, _ = run(crowd(script), context, streams=4, seconds=1.0)
    assert figure(found) > 0
    assert found.value < 2 * moved(found)


def test_a_server_that_closes_the_idle_stream_only_spoils_nothing_else(crowd, context):
    def script(peer):
        peer.agree()
        if peer.loads:
            peer.load(3)

    found, _ = run(crowd(script), context)
    assert figure(found) > 0
    assert found.value < 2 * moved(found)


def test_a_line_that_goes_quiet_half_way_is_a_timeout(crowd, context):
    def script(peer):
        peer.agree()
        if peer.loads:
            peer.load(0.3)
        peer.wait()

    found, took = run(crowd(script), context, seconds=9.0)
    assert found.failure is Failure.TIMEOUT
    assert found.details["bytes_received"] > 0
    assert took < 5


def test_a_target_test_whose_line_goes_quiet_has_no_answer(crowd, context):
    def script(peer):
        peer.agree()
        if peer.loads:
            peer.load(0.2)
        peer.wait()

    found, took = run(crowd(script), context, seconds=9.0, at_least=1e9)
    assert found.failure is Failure.TIMEOUT
    assert took < 5


def test_a_server_that_says_nothing_after_the_handshake_is_a_timeout(crowd, context):
    found, took = run(crowd(lambda peer: peer.agree() or peer.wait()), context, seconds=9.0)
    assert found.failure is Failure.TIMEOUT
    assert took < 5


def test_a_dribble_of_a_kilobyte_a_second_is_no_confident_figure(crowd, context):
    def script(peer):
        peer.agree()
        if peer.loads:
            peer.send(encode_header(Opcode.BINARY, 1 << 20))
            peer.load(3, bytes(100), 0.1)
        peer.wait()

    found, took = run(crowd(script), context, seconds=1.5)
    assert took < 6
    if found.value is not None:
        low, high = found.details["interval"]
        assert found.value < 1.2 * moved(found) or high - low > found.value


def test_segments_that_are_not_full_are_not_counted_as_full(crowd, context):
    def script(peer):
        peer.agree()
        if peer.loads:
            peer.send(encode(Opcode.BINARY, bytes(60_000)))
            peer.load(3, encode(Opcode.BINARY, bytes(10)))
        peer.wait()

    found, _ = run(crowd(script), context, seconds=1.0)
    assert found.value is None or found.value < 1.5 * moved(found)


def test_segments_that_are_not_full_reach_no_target(crowd, context):
    def script(peer):
        peer.agree()
        if peer.loads:
            peer.send(encode(Opcode.BINARY, bytes(60_000)))
            peer.load(3, encode(Opcode.BINARY, bytes(10)), 0.005)
        peer.wait()

    found, _ = run(crowd(script), context, seconds=1.5, at_least=80e6)
    assert found.value is None
    assert found.failure is Failure.INCONCLUSIVE
    assert found.details["bytes_received"] < 1_000_000


@pytest.mark.parametrize("how", ["refuses", "ignores"])
def test_a_server_that_will_not_have_more_streams_in_the_middle_leaves_the_figure_of_those_it_has(how, crowd, context):
    def script(peer):
        if peer.number > 10 and how == "ignores":
            peer.wait()
        if not peer.head():
            return
        if peer.number > 10 and how == "refuses":
            peer.send(b"HTTP/1.1 429 Too Many Requests\r\n\r\n")
            return
        peer.send(upgrade_response(peer.request.fields["sec-websocket-key"], SUBPROTOCOL))
        if peer.loads:
            peer.load(5, every=0.01)
        peer.wait()

    found, took = run(crowd(script), context, streams=None, precision=0.5, seconds=4.0)
    assert took < 8
    assert figure(found) > 0
    if found.details["ended"] == "known":
        assert "8 streams" in found.details["reason"]
        assert ("429" if how == "refuses" else "within") in found.details["reason"]


def test_an_upload_that_nobody_reads_is_a_timeout(crowd, context):
    def script(peer):
        peer.agree()
        peer.wait()

    found, took = run(crowd(script), context, Direction.UP, seconds=9.0)
    assert found.failure is Failure.TIMEOUT
    assert took < 5


def test_an_upload_whose_reader_stops_half_way_is_a_timeout(crowd, context):
    def script(peer):
        peer.agree()
        peer.swallow(0.3)
        peer.wait()

    found, took = run(crowd(script), context, Direction.UP, seconds=9.0)
    assert found.failure is Failure.TIMEOUT
    assert found.details["bytes_sent"] > 0
    assert took < 6


def test_an_upload_that_is_read_by_the_kilobyte_is_no_confident_figure(crowd, context):
    def script(peer):
        peer.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
        peer.agree()
        peer.swallow(3, size=100, every=0.1)

    found, took = run(crowd(script), context, Direction.UP, seconds=1.6)
    assert took < 6
    if found.value is not None:
        low, high = found.details["interval"]
        assert high - low > 0.5 * found.value


CLAIMS = {
    "astronomical": lambda _count: 2**52,
    "ten times what was sent": lambda count: 10 * count + 10**8,
}


@pytest.mark.parametrize("how", CLAIMS)
def test_a_server_that_claims_more_than_was_sent_is_malformed(how, crowd, context):
    def script(peer):
        peer.agree()
        count = peer.swallow(0.2)
        peer.send(told(BytesReceived=CLAIMS[how](count)))
        peer.swallow(2)

    found, took = run(crowd(script), context, Direction.UP, seconds=6.0)
    assert found.failure is Failure.MALFORMED
    assert "claims" in found.details["reason"]
    assert took < 4


def test_what_a_server_claims_changes_no_figure(crowd, context):
    """Too little, and absurd counters of its own sending: the figure is what this side's kernel saw."""

    def script(peer):
        peer.agree()
        lie = told(BytesReceived=1, BytesSent=2**52, BytesRetrans=2**52, BytesAcked=2**52, MinRTT=2**52, ElapsedTime=1)
        if peer.loads:
            peer.load(3, lie + BULK)
        peer.swallow(3)

    for direction in (Direction.DOWN, Direction.UP):
        found, _ = run(crowd(script), context, direction)
        assert 0 < figure(found) < 2 * moved(found)
        assert found.details["min_rtt"] < 1


def test_floods_of_messages_and_pings_cost_bounded_time_and_memory(crowd, context):
    flood = (told(ElapsedTime=1, MinRTT=1) + encode(Opcode.PING, b"x" * 100)) * 50

    def script(peer):
        peer.agree()
        peer.load(3, flood, 0)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for direction in (Direction.DOWN, Direction.UP):
        found, took = run(crowd(script), context, direction, seconds=0.6)
        assert found.value is not None or found.failure is not None
        assert took < 6
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000  # KiB


def test_clear_text_where_tls_is_wanted_is_a_failed_handshake(crowd, context):
    found, _ = run(crowd(lambda peer: peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")), context, tls=True)
    assert found.failure is Failure.TLS_HANDSHAKE
    found, took = run(crowd(lambda peer: peer.wait(3)), context, tls=True)
    assert found.failure is Failure.TIMEOUT
    assert took < 4


def msak_message(seconds: float) -> bytes:
    """A measurement as msak's server writes it, with all that other versions of it may add."""
    at = int(1e6 * seconds)
    info = {"State": 1, "CAState": 0, "Options": 7, "RTO": 204_000, "PacingRate": -1, "MaxPacingRate": -1}
    info |= {"BytesAcked": 1000 + at, "BytesReceived": 300, "BytesSent": 1100 + at, "BytesRetrans": 11, "MinRTT": 42}
    info |= {"BusyTime": at, "RWndLimited": 0, "SndBufLimited": 0, "ElapsedTime": at}
    message = {
        "Application": {"BytesSent": 1000 + at, "BytesReceived": 0},
        "Network": {"BytesSent": 1100 + at, "BytesReceived": 300},
        "ElapsedTime": at,
        "StartTime": "2026-03-02T09:00:00.123456789Z",
        "BBRInfo": {"BW": 12_500_000, "MinRTT": 42, "PacingGain": 256, "CwndGain": 512, "ElapsedTime": at},
        "TCPInfo": info | {f"Counter{index}": index for index in range(300)},
        **{f"Unknown{index}": [None, {"deep": [1.5, "x" * 20]}] for index in range(300)},
    }
    return encode(Opcode.TEXT, msgspec.json.encode(message))


def test_a_server_of_msak_s_shape_is_understood(crowd, context):
    asked = []

    def script(peer):
        peer.agree()
        asked.append(dict(part.split("=", 1) for part in peer.request.query.split("&")))
        if peer.loads:
            for index in range(1, 30):
                peer.send(msak_message(index / 10))
                peer.load(0.1)
        peer.swallow(3)

    found, _ = run(crowd(script), context)
    assert figure(found) > 0
    assert "ignored_messages" not in found.details
    assert "server_uuid" not in found.details
    assert "cpu_server" not in found.details
    assert 0 < found.details["retransmitted"] < 0.01
    mine = {"streams", "duration", "mid", "client_name", "client_version", "client_library_name", "client_library_version"}
    assert all(mine <= set(query) for query in asked[:3])
    assert len({query["mid"] for query in asked[:3]}) == 1
