"""The far end of a throughput1 test: what it agrees to, what it sends and counts, and what it does not put up with."""

import contextlib
import itertools
import json
import socket
import struct
import threading
import time
from typing import Self
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netready.failure import Failed
from probes.throughput.channel import Channel
from probes.throughput.handshake import head_end
from probes.throughput.pump import Rider
from probes.throughput.settings import endpoint
from probes.throughput.throughput1 import DOWNLOAD, GROWTH, LARGEST, SMALLEST, SUBPROTOCOL, UPLOAD
from probes.throughput.websocket import Opcode, close_status, encode, encode_close, encode_header, parse_header
from testpoint.limits import Limits
from testpoint.pumping import Pumping
from testpoint.server import Server, listen
from testpoint.throughput1 import Asked, parse_asked
from testpoint.upgrade import parse_query

KEY = b"abcd"
FIELDS = {
    "Host": "here",
    "Upgrade": "websocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": SUBPROTOCOL,
}
_mids = itertools.count(1)


def ask(path=DOWNLOAD, query="mid=m", method="GET", **changed) -> bytes:
    fields = FIELDS | {name.replace("_", "-"): value for name, value in changed.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
    return f"{method} {path}?{query} HTTP/1.1\r\n{lines}\r\n".encode()


class Client:
    """One stream of a test, seen byte by byte."""

    def __init__(self, port: int, path: str = DOWNLOAD, **query: object) -> None:
        query = {"mid": f"m{next(_mids)}", "duration": 3000} | query
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.connection.sendall(ask(path, urlencode(query)))
        self.pending = bytearray()
        while (end := head_end(self.pending)) is None:
            self._receive()
        self.status = int(self.pending[9:12])
        del self.pending[:end]
        self.closed: tuple[int, str] | None = None

    def _receive(self) -> None:
        chunk = self.connection.recv(1 << 18)
        if not chunk:
            raise ConnectionResetError
        self.pending += chunk

    def frame(self) -> tuple[Opcode, bytes, int]:
        """The next frame: what it is, its payload, and its length on the wire."""
        while (header := parse_header(bytes(self.pending[:14]))) is None:
            self._receive()
        assert header.key == b""
        size = header.size + header.length
        while len(self.pending) < size:
            self._receive()
        payload = bytes(self.pending[header.size : size])
        del self.pending[:size]
        return header.opcode, payload, size

    def frames(self, seconds: float = 5.0):
        """Frames until the server's Close, the end of the connection, or the time; the Close is kept in `closed`."""
        end = time.monotonic() + seconds
        with contextlib.suppress(ConnectionResetError):
            while time.monotonic() < end:
                opcode, payload, size = self.frame()
                if opcode is Opcode.CLOSE:
                    self.closed = close_status(payload)
                    return
                yield opcode, payload, size

    def send(self, opcode: Opcode, payload: bytes) -> None:
        self.connection.sendall(encode(opcode, payload, key=KEY))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error) -> None:
        # A reset, so that the server gives the place back at once.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


def reports(frames) -> list[dict]:
    return [json.loads(payload) for opcode, payload, _ in frames if opcode is Opcode.TEXT]


@pytest.fixture
def serve():
    """Start servers in this process, with limits of one's own; each gives its port. `serve.log` has what they logged."""
    running = []

    def start(**limits):
        server = Server(listen(endpoint("127.0.0.1:0"), 64), limits=Limits(**limits), log=start.log.append)
        thread = threading.Thread(target=server.run)
        thread.start()
        running.append((server, thread))
        start.stop = server.stop
        return server.where.port

    start.log = []
    yield start
    for server, thread in running:
        server.stop()
        thread.join(10)
        assert not thread.is_alive()
    assert not [line for line in start.log if "bug" in line]


# The handshake.

REFUSED = {
    "another method": (ask(method="POST"), 405, "GET"),
    "no Host": (ask(Host=None), 400, "Host"),
    "no WebSocket": (ask(Upgrade=None), 426, "WebSocket"),
    "no upgrade": (ask(Connection="keep-alive"), 426, "WebSocket"),
    "another version": (ask(Sec_WebSocket_Version="8"), 426, "13"),
    "no key": (ask(Sec_WebSocket_Key=None), 400, "Sec-WebSocket-Key"),
    "a key that is none": (ask(Sec_WebSocket_Key="short"), 400, "Sec-WebSocket-Key"),
    "another protocol": (ask(Sec_WebSocket_Protocol="net.measurementlab.ndt.v7"), 400, SUBPROTOCOL),
    "no protocol": (ask(Sec_WebSocket_Protocol=None), 400, SUBPROTOCOL),
    "no mid": (ask(query="streams=2"), 400, "mid: "),
    "an empty mid": (ask(query="mid="), 400, "mid: "),
    "a long mid": (ask(query="mid=" + 65 * "x"), 400, "mid: "),
    "a mid that cannot be printed": (ask(query="mid=a%1b%5b31m"), 400, "mid: "),
    "no streams": (ask(query="mid=m&streams=0"), 400, "streams: a whole number from 1 to 16"),
    "too many streams": (ask(query="mid=m&streams=17"), 400, "streams: "),
    "half a stream": (ask(query="mid=m&streams=1.5"), 400, "streams: "),
    "no duration": (ask(query="mid=m&duration=0"), 400, "duration: "),
    "a duration with its unit": (ask(query="mid=m&duration=5s"), 400, "duration: "),
    "a duration for ever": (ask(query="mid=m&duration=99999999999"), 400, "duration: "),
    "a number of a thousand digits": (ask(query="mid=m&bytes=" + 1000 * "9"), 400, "bytes: "),
    "less than no bytes": (ask(query="mid=m&bytes=-1"), 400, "bytes: "),
    "a fast tick": (ask(query="mid=m&tick=1"), 400, "tick: a whole number from 20"),
    "a pace that is no number": (ask(query="mid=m&pace=fast"), 400, "pace: "),
    "digits of another script": (ask(query="mid=m&pace=%D9%A1"), 400, "pace: "),
    "a path as congestion control": (ask(query="mid=m&cc=..%2Fbbr"), 400, "cc: "),
    "a long congestion control": (ask(query="mid=m&cc=" + 16 * "x"), 400, "cc: "),
    "a key twice": (ask(query="mid=m&streams=2&streams=3"), 400, "more than once"),
    "an empty key": (ask(query="mid=m&=3"), 400, "empty"),
    "no key at all": (ask(query="mid"), 400, "query"),
    "a hundred keys": (ask(query="mid=m&" + "&".join(f"k{index}=1" for index in range(100))), 400, "query"),
    "a long query": (ask(query="mid=m&x=" + 5000 * "x"), 400, "4096"),
}


@pytest.mark.parametrize("path", [DOWNLOAD, UPLOAD])
@pytest.mark.parametrize("what", REFUSED)
def test_a_request_is_refused_that_has(what, path, standing):
    request, status, words = REFUSED[what]
    with socket.create_connection(("127.0.0.1", standing.port), timeout=5) as connection:
        connection.sendall(request.replace(DOWNLOAD.encode(), path.encode()))
        with connection.makefile("rb") as file:
            head, _, body = file.read().partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert words in body.decode()
    assert (b"Sec-WebSocket-Version: 13" in head) == (status == 426)


def test_what_is_asked_is_read_with_its_units():
    text = "mid=m&streams=3&duration=2500&bytes=1000000&cc=cubic&pace=5000000&tick=50&client_name=%1b%5b31mme&unknown=1"
    found = parse_asked(parse_query(text))
    assert found == Asked(
        mid="m", streams=3, duration=2.5, bytes=1_000_000, cc="cubic", pace=5e6, tick=0.05, client=found.client
    )
    assert "\x1b" not in found.client
    usual = parse_asked(parse_query("mid=m&cc=&client_name=", blank=True))
    assert usual == Asked(mid="m", streams=1, duration=5.0, bytes=0, cc="", pace=0, tick=0.25, client="unnamed")


@given(st.text(max_size=200) | st.lists(st.sampled_from(["mid=m", "&", "=", "%", "streams", "٣", "+", "1e9"])).map("".join))
@settings(max_examples=200)
def test_whatever_is_asked_is_understood_or_refused(text):
    with contextlib.suppress(Failed):
        assert 1 <= parse_asked(parse_query(text, blank=True)).streams <= 16


# What it sends.


def test_a_download_lasts_as_long_as_asked_and_ends_in_good_order(standing):
    began = time.monotonic()
    with Client(standing.port, duration=400, pace=8_000_000) as client:
        assert client.status == 101
        frames = list(client.frames())
        assert 0.3 < time.monotonic() - began < 2
        assert client.closed == (1000, "Done sending")
        client.connection.sendall(encode_close(1000, "", key=KEY))
    assert {opcode for opcode, _, _ in frames} == {Opcode.TEXT, Opcode.BINARY}
    told = reports(frames)
    assert told[0].keys() >= {"CC", "UUID", "LocalAddr", "RemoteAddr"}
    assert len(told[0]["UUID"]) == 36
    assert all("UUID" not in each for each in told[1:])
    for each in told:
        assert each.keys() >= {"Application", "Network", "ElapsedTime", "TCPInfo", "Host"}
        assert each["Application"].keys() == each["Network"].keys() == {"BytesSent", "BytesReceived"}
        assert each["TCPInfo"]["ElapsedTime"] == each["ElapsedTime"]
    times = [each["ElapsedTime"] for each in told]
    assert times == sorted(times)
    assert 300_000 < times[-1] < 2_000_000  # microseconds


def test_a_download_ends_after_the_bytes_that_were_asked(standing):
    with Client(standing.port, bytes=300_000, pace=16_000_000, tick=20) as client:
        total = sum(size for opcode, _, size in client.frames() if opcode is Opcode.BINARY)
        assert client.closed == (1000, "Done sending")
    assert 250_000 < total < 1_500_000


def test_a_download_is_no_faster_than_its_pace(standing):
    with Client(standing.port, duration=600, pace=16_000_000) as client:
        total = sum(size for _, _, size in client.frames())
    assert 100_000 < total < 2 * 16e6 / 8 * 0.6


def test_messages_come_as_often_as_asked(standing):
    with Client(standing.port, duration=600, pace=8_000_000, tick=20) as often:
        many = len(reports(often.frames()))
    with Client(standing.port, duration=600, pace=8_000_000) as usual:
        few = len(reports(usual.frames()))
    assert 2 <= few <= 8  # never less than 0.1 s apart, but the first and last
    assert many >= 8


def test_the_congestion_control_is_as_asked_where_the_kernel_has_it(standing):
    found = {}
    for name in ("cubic", "nosuch"):
        with Client(standing.port, duration=150, pace=16_000_000, cc=name) as client:
            found[name] = reports(client.frames())[0]["CC"]
    assert found["cubic"] == "cubic"
    assert found["nosuch"] not in {"nosuch", ""}


def test_messages_double_when_they_are_a_sixteenth_of_what_was_sent(standing):
    with Client(standing.port, bytes=30_000_000, pace=1_000_000_000) as client:
        sizes = [size for opcode, _, size in client.frames() if opcode is Opcode.BINARY]
    total, before = 0, SMALLEST
    for size in sizes:
        wanted = 2 * before if before < LARGEST and before <= total / GROWTH else before
        assert size == wanted
        total, before = total + size, size
    assert sizes[0] == SMALLEST
    assert max(sizes) == LARGEST == 1 << 20


def test_a_small_message_does_not_wait_long_behind_a_slow_load(standing):
    with Client(standing.port, pace=1_000_000) as client:
        began, sent, waited = time.monotonic(), None, None
        for opcode, payload, _ in client.frames():
            now = time.monotonic()
            if sent is None and now - began > 0.8:
                client.send(Opcode.PING, b"now?")
                sent = now
            if opcode is Opcode.PONG:
                assert payload == b"now?"
                waited = now - sent
                break
    assert waited < 0.5


def test_a_ping_is_answered_in_an_upload(standing):
    with Client(standing.port, UPLOAD) as client:
        client.send(Opcode.PING, b"here")
        assert (Opcode.PONG, b"here") in {(opcode, payload) for opcode, payload, _ in itertools.islice(client.frames(), 2)}


def test_an_upload_is_counted_to_the_byte(standing):
    with Client(standing.port, UPLOAD, tick=20) as client:
        sent = 0
        for _ in range(50):
            client.send(Opcode.BINARY, bytes(10_000))
            sent += 10_000
        client.connection.sendall(encode_close(1000, "", key=KEY))
        told = reports(client.frames())
        assert client.closed == (1000, "")
    last = told[-1]
    assert last["Application"] == {"BytesSent": 0, "BytesReceived": sent}
    assert sent < last["TCPInfo"]["BytesReceived"] <= sent + 50 * 8 + 1000  # headers, the request and the Close


def test_an_upload_ends_after_its_bytes_and_after_its_time(standing):
    with Client(standing.port, UPLOAD, bytes=100_000, tick=20) as client:
        client.send(Opcode.BINARY, bytes(200_000))
        list(client.frames())
        assert client.closed == (1000, "Done sending")
    with Client(standing.port, UPLOAD, duration=200) as client:
        list(client.frames())
        assert client.closed == (1000, "Done sending")


def test_a_client_that_closes_is_answered_after_the_message_under_way(standing):
    with Client(standing.port, pace=80_000_000) as client:
        for count, _ in enumerate(client.frames()):
            if count == 20:
                client.connection.sendall(encode_close(1001, "enough", key=KEY))
        assert client.closed == (1001, "")


# What it does not put up with.


def test_a_download_takes_no_load(standing):
    with Client(standing.port, pace=8_000_000) as client:
        client.send(Opcode.BINARY, b"x" * 100)
        list(client.frames())
        assert client.closed == (1002, "A download takes no binary messages")


@pytest.mark.parametrize("text", [b"{", b"[1]", b'"x"', b"\xff", b'{"TCPInfo":7}', b'{"ElapsedTime":-1}', b"[" * 60_000])
@pytest.mark.parametrize("path", [DOWNLOAD, UPLOAD])
def test_a_text_that_is_no_measurement_ends_the_stream(path, text, standing):
    began = time.monotonic()
    with Client(standing.port, path, pace=8_000_000, duration=5000) as client:
        client.send(Opcode.TEXT, text)
        list(client.frames())
        assert client.closed is None
    assert time.monotonic() - began < 3


BROKEN = {
    "an unmasked frame": encode(Opcode.BINARY, b"x"),
    "reserved bits": b"\xc2\x81abcdx",
    "an unknown opcode": b"\x83\x81abcdx",
    "a frame of a terabyte": b"\x82\xff" + (1 << 40).to_bytes(8, "big") + KEY,
    "a text of a megabyte": encode_header(Opcode.TEXT, 1 << 20, key=KEY) + bytes(1 << 10),
    "half a Close": encode(Opcode.CLOSE, b"x", key=KEY),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_stream_ends_at_once_with(what, standing):
    began = time.monotonic()
    with Client(standing.port, UPLOAD, duration=5000) as client:
        client.connection.sendall(BROKEN[what])
        list(client.frames())
        assert client.closed is None
    assert time.monotonic() - began < 3


def test_frames_that_came_with_the_request_are_not_lost(standing):
    with socket.create_connection(("127.0.0.1", standing.port), timeout=5) as connection:
        early = encode(Opcode.PING, b"early", key=KEY) + encode_close(1000, "", key=KEY)
        connection.sendall(ask(UPLOAD, "mid=early&duration=3000") + early)
        with connection.makefile("rb") as file:
            said = file.read()
    assert encode(Opcode.PONG, b"early") in said
    assert encode_close(1000, "") in said


def test_a_flood_of_pings_costs_the_server_bounded_memory(standing):
    before = standing.resident()
    with Client(standing.port, UPLOAD, duration=800) as client:
        flood = encode(Opcode.PING, b"x" * 125, key=KEY) * 400
        with contextlib.suppress(OSError):
            client.connection.settimeout(0.3)
            for _ in range(2000):
                client.connection.sendall(flood)
    assert standing.resident() - before < 30 << 20


@pytest.mark.parametrize("query", [{}, {"pace": 80_000_000}])
def test_a_client_that_stops_reading_is_given_up(query, serve):
    port = serve(stall=0.4)
    with Client(port, duration=20_000, **query) as client:
        client.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
        _await(lambda: any("throughput1 download" in line for line in serve.log), 6)
    assert any(" timeout " in line for line in serve.log)


def test_a_client_that_is_gone_is_noticed(serve):
    port = serve()
    for path in (DOWNLOAD, UPLOAD):
        client = Client(port, path, duration=20_000, pace=8_000_000)
        client.connection.close()
        _await(lambda path=path: any(f"throughput1 {path.rpartition('/')[2]}" in line for line in serve.log), 3)
    assert len(serve.log) == 2


def test_a_client_that_has_used_up_its_bytes_is_told_so(serve):
    port = serve(client_bytes=1_000_000)
    with Client(port, pace=80_000_000, tick=20) as client:
        list(client.frames())
        assert client.closed == (1000, "Your data budget here is used up")
    with Client(port) as client:
        assert client.status == 429


def test_the_streams_of_one_test_share_its_place(serve):
    port = serve(tests=1, streams=2)
    with Client(port, mid="one", pace=1_000_000) as first, Client(port, mid="one", pace=1_000_000) as second:
        assert (first.status, second.status) == (101, 101)
        with Client(port, mid="one") as third, Client(port, mid="two") as other:
            assert (third.status, other.status) == (429, 503)


def test_how_tests_ended_is_counted(serve):
    port = serve()
    with Client(port, duration=100, pace=1_000_000) as client:
        list(client.frames())
        client.connection.sendall(encode_close(1000, "", key=KEY))
        assert client.connection.recv(1) == b""
    with Client(port, pace=1_000_000) as client:
        next(client.frames())
    with Client(port, UPLOAD) as client:
        client.connection.sendall(b"garbage")
        list(client.frames())
    _await(lambda: len(serve.log) == 3)
    time.sleep(0.1)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        with connection.makefile("rb") as file:
            page = file.read().decode()
    counted = {line for line in page.splitlines() if 'protocol="throughput1"' in line and not line.startswith("#")}
    for result in ("done", "client-closed", "broken"):
        assert any(f'result="{result}"' in line and line.endswith(" 1.0") for line in counted), counted


def test_a_server_that_stops_says_so_to_every_stream(serve):
    port = serve()
    with Client(port, mid="same", pace=1_000_000) as down, Client(port, UPLOAD, mid="same") as up:
        serve.stop()
        for client in (down, up):
            list(client.frames())
            assert client.closed == (1001, "Going away")


def test_sixty_four_streams_at_once_all_move(serve):
    port = serve()
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(Client(port, mid=f"test{index // 16}", streams=16, pace=1_000_000, duration=10_000))
            for index in range(64)
        ]
        assert {client.status for client in clients} == {101}
        for client in clients:
            assert any(opcode is Opcode.BINARY for opcode, _, _ in client.frames())
            assert any(opcode is Opcode.TEXT for opcode, _, _ in client.frames())
    _await(lambda: len(serve.log) == 64)
    time.sleep(0.2)  # for the places of four tests to be free again
    with Client(port, duration=200, pace=8_000_000) as client:
        assert reports(client.frames())


# A client of msak's own shape.


def msak_query(**own) -> dict[str, object]:
    """What msak's client asks; it sends the keys that it has no wish for as empty ones."""
    return {
        "streams": 2,
        "cc": "",
        "duration": 600,
        "delay": 0,
        "bytes": 0,
        "client_arch": "amd64",
        "client_library_name": "msak-client",
        "client_library_version": "v0.3.1",
        "client_os": "linux",
        "client_name": "msak-client-go",
        "client_version": "",
    } | own


def msak_message(received: int, seconds: float) -> bytes:
    """What msak's client reports."""
    at = int(1e6 * seconds)
    both = {"BytesSent": 0, "BytesReceived": received}
    info = {"State": 1, "RTO": 204_000, "PacingRate": -1, "BytesReceived": received, "BytesAcked": 0, "ElapsedTime": at}
    message = {"CC": "bbr", "UUID": "", "LocalAddr": "192.0.2.1:1", "RemoteAddr": "192.0.2.2:2"}
    return json.dumps(message | {"Application": both, "Network": both, "ElapsedTime": at, "TCPInfo": info}).encode()


def test_a_download_by_a_client_of_msak_s_shape(standing):
    with Client(standing.port, **msak_query(pace=8_000_000)) as one:
        received, began = 0, time.monotonic()
        for _, payload, _ in one.frames():
            received += len(payload)
            one.send(Opcode.TEXT, msak_message(received, time.monotonic() - began))
        assert one.closed == (1000, "Done sending")
    assert received > 100_000


def test_an_upload_by_a_client_of_msak_s_shape(standing):
    with Client(standing.port, UPLOAD, **msak_query(cc="bbr")) as one:
        sent, size, end = 0, 1 << 10, time.monotonic() + 0.4
        while time.monotonic() < end:
            if size < 1 << 20 and size <= sent / 16:
                size *= 2
            one.send(Opcode.BINARY, bytes(size))
            sent += size
            one.send(Opcode.TEXT, msak_message(0, 0.1))
            time.sleep(0.005)
        told = reports(one.frames())
        assert one.closed == (1000, "Done sending")
    assert size > 1 << 10
    counted = told[-1]["Application"]["BytesReceived"]
    assert sent < counted < sent + 200_000  # text payload is counted with it, as msak does
    assert told[0]["CC"]


# The pump.


def pair():
    ours, theirs = socket.socketpair()
    theirs.settimeout(5)
    channel = Channel(ours, time.monotonic)
    channel.become_websocket(masked=True)
    return channel, theirs


def _await(true, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("where", ["hear", "tick"])
def test_one_stream_s_bug_is_its_own(where):
    def fail(_what):
        raise ZeroDivisionError

    pumping = Pumping(time.monotonic)
    bad, bad_far = pair()
    good, good_far = pair()
    lost, heard = [], []
    own = {"hear": {"hear": fail}, "tick": {"hear": heard.append, "tick": fail, "due": 0.0}}[where]
    riders = [Rider(bad, lost=lost.append, **own), Rider(good, hear=heard.append, lost=lost.append)]
    for rider in riders:
        pumping.add(rider)
    bad_far.sendall(encode(Opcode.PING, b"bad", key=KEY))
    _await(lambda: lost)
    good_far.sendall(encode(Opcode.PING, b"good", key=KEY))
    _await(lambda: [each for each in heard if each.payload == b"good"])
    assert [type(error) for error in lost] == [ZeroDivisionError]
    good_far.close()
    _await(lambda: len(lost) == 2)
    assert isinstance(lost[1], Failed)
    for each in (bad.connection, good.connection, bad_far):
        each.close()


def test_a_bug_in_the_ending_of_a_stream_does_not_stop_the_server_for_good(monkeypatch):
    errors = []
    monkeypatch.setattr(threading, "excepthook", lambda args: errors.append(args.exc_type))
    pumping = Pumping(time.monotonic)

    def fail(_error):
        raise ZeroDivisionError

    first, first_far = pair()
    pumping.add(Rider(first, hear=lambda _message: None, lost=fail))
    first_far.close()
    _await(lambda: errors == [ZeroDivisionError])
    heard = []
    second, second_far = pair()
    rider = Rider(second, hear=heard.append, lost=lambda _error: None)
    pumping.add(rider)
    second_far.sendall(encode(Opcode.PING, b"still?", key=KEY))
    _await(lambda: heard)
    second_far.close()
    for each in (first.connection, second.connection):
        each.close()
