"""Hostile clients: none may stop the testpoint from serving the next one."""

import contextlib
import resource
import socket
import subprocess
import sys
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netready.failure import Failed
from probes.throughput.handshake import Request
from probes.throughput.ndt7 import read
from probes.throughput.ndt7_spec import DOWNLOAD, SUBPROTOCOL, UPLOAD
from probes.throughput.settings import Direction, Throughput
from probes.throughput.websocket import Opcode, Receiver, close_status, encode, encode_close, encode_header
from testpoint.ndt7 import parse_query
from testpoint.upgrade import refusal

KEY = b"abcd"
FIELDS = {
    "Host": "here",
    "Upgrade": "websocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": SUBPROTOCOL,
}


def ask(path=DOWNLOAD, method="GET", **changed) -> bytes:
    fields = FIELDS | {name.replace("_", "-"): value for name, value in changed.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode()


def exchange(server, data, seconds=10.0) -> bytes:
    """Send `data` and read until the server hangs up."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(data)
        found = b""
        with contextlib.suppress(ConnectionError):
            while chunk := connection.recv(65536):
                found += chunk
        return found


def agree(server, path=DOWNLOAD):
    """A connection just after the server's 101, and what followed it."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    connection.sendall(ask(path))
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(4096)
    head, _, rest = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    return connection, rest


def listen(connection, rest, until=10.0):
    """The text and control messages until Close or the end of the connection."""
    receiver, end = Receiver(masked=False), time.monotonic() + until
    found = receiver.feed(memoryview(rest))
    with contextlib.suppress(ConnectionError):
        while not receiver.closed and time.monotonic() < end:
            data = connection.recv(1 << 18)
            if not data:
                break
            found += receiver.feed(memoryview(data))
    return found, receiver


def assert_serves(server, context):
    assert exchange(server, ask("/healthz")).endswith(b"\r\n\r\nok\n")
    (found,) = read(Throughput(server=server.address, seconds=0.3, direction=Direction.DOWN), context)
    assert found.value > 0


def test_people_and_monitors_get_a_page(standing):
    server = standing
    front = exchange(server, ask("/"))
    assert front.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain")
    assert b"netready testpoint" in front
    assert exchange(server, ask("/healthz")).endswith(b"\r\n\r\nok\n")
    assert exchange(server, ask("/etc/passwd")).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (ask(Sec_WebSocket_Protocol="foo"), 400),
        (ask(Sec_WebSocket_Protocol=f"foo, {SUBPROTOCOL}"), 400),
        (ask(Sec_WebSocket_Protocol=None), 400),
        (ask(Sec_WebSocket_Key="short"), 400),
        (ask(Sec_WebSocket_Version="8"), 426),
        (ask(Upgrade="h2c"), 426),
        (ask(Connection="close"), 426),
        (ask(Host=None), 400),
        (ask(method="POST"), 405),
        (ask(DOWNLOAD + "?early_exit=100"), 400),
        (ask(DOWNLOAD + "?a=1&a=2"), 400),
        (ask(DOWNLOAD + "?a="), 400),
        (ask(DOWNLOAD + "?a"), 400),
        (ask(DOWNLOAD + "?a=" + "x" * 4095), 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 20_000 + b"\r\n\r\n", 431),
    ],
)
def test_a_request_that_is_not_right_gets_a_status_and_a_sentence(standing, data, status):
    answer = exchange(standing, data)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    if status == 426:
        assert b"Sec-WebSocket-Version: 13" in answer


@given(st.text(max_size=200))
def test_a_query_is_read_or_refused_in_one_way(text):
    with contextlib.suppress(Failed):
        assert all(parse_query(text).values())


def test_a_query_of_the_reference_client_is_read():
    assert parse_query("client_name=a%20b&early_exit=250&index=0") == {"client_name": "a b", "early_exit": "250", "index": "0"}
    assert parse_query("") == {}


def test_compression_that_a_client_offers_is_not_agreed_to(standing):
    assert refusal(Request("GET", DOWNLOAD, "", {name.lower(): value for name, value in FIELDS.items()}), SUBPROTOCOL) is None
    with socket.create_connection(("127.0.0.1", standing.port), timeout=5) as connection:
        connection.sendall(ask(Sec_WebSocket_Extensions="permessage-deflate"))
        head = connection.recv(4096).partition(b"\r\n\r\n")[0]
    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"extensions" not in head.lower()


def test_a_download_reports_as_the_protocol_says(far):
    server = far("--seconds", "2")
    connection, rest = agree(server)
    with connection:
        found, receiver = listen(connection, rest)
    reports = [msgspec.json.decode(message.payload) for message in found if message.opcode is Opcode.TEXT]
    pings = [message for message in found if message.opcode is Opcode.PING]
    assert 4 <= len(reports) <= 20
    assert len(pings) >= len(reports) - 1
    assert all(message.payload.isdigit() for message in pings)
    assert close_status(found[-1].payload) == (1000, "Done sending")
    last = reports[-1]
    assert last["TCPInfo"]["ElapsedTime"] == pytest.approx(2e6, rel=0.1)
    assert last["TCPInfo"]["BytesAcked"] == pytest.approx(receiver.binary, rel=0.2)
    assert {"UUID", "Client", "Server", "StartTime"} == set(last["ConnectionInfo"])
    assert last["ConnectionInfo"]["Client"].startswith("127.0.0.1:")
    assert len({report["ConnectionInfo"]["UUID"] for report in reports}) == 1


def test_an_early_exit_ends_the_download_after_250_megabytes(far):
    server = far()
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(ask(DOWNLOAD + "?early_exit=250"))
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(4096)
        found, receiver = listen(connection, data.partition(b"\r\n\r\n")[2])
    assert receiver.binary >= 250_000_000
    assert (
        msgspec.json.decode(next(m.payload for m in reversed(found) if m.opcode is Opcode.TEXT))["TCPInfo"]["ElapsedTime"] < 9e6
    )


def test_an_upload_is_counted_and_counted_a_last_time_when_the_client_closes(standing):
    connection, rest = agree(standing, UPLOAD)
    with connection:
        for _ in range(100):
            connection.sendall(encode(Opcode.BINARY, bytes(10_000), key=KEY))
        connection.sendall(encode_close(1000, "", key=KEY))
        found, _ = listen(connection, rest)
    reports = [msgspec.json.decode(message.payload) for message in found if message.opcode is Opcode.TEXT]
    assert reports[-1]["TCPInfo"]["BytesReceived"] == pytest.approx(1_000_000, rel=0.02)
    assert close_status(found[-1].payload)[0] == 1000


@pytest.mark.parametrize(
    "frame",
    [
        b"\xff" * 100,
        encode(Opcode.TEXT, b"not a measurement", key=KEY),
        encode(Opcode.BINARY, b"unmasked"),
        encode_header(Opcode.BINARY, 1 << 24, key=KEY)[:2] + b"\xff" * 12,
        encode(Opcode.PING, b"", key=KEY)[:1] + b"\xff" + bytes(12),
        b"\xc1" + encode(Opcode.TEXT, b"{}", key=KEY)[1:],
    ],
)
@pytest.mark.parametrize("path", [DOWNLOAD, UPLOAD])
def test_frames_that_break_the_rules_end_that_test_only(standing, context, path, frame):
    connection, rest = agree(standing, path)
    with connection:
        connection.sendall(frame)
        started = time.monotonic()
        listen(connection, rest)
        assert time.monotonic() - started < 2
    assert_serves(standing, context)


def test_load_sent_into_a_download_ends_it(standing):
    connection, rest = agree(standing)
    with connection:
        connection.sendall(encode(Opcode.BINARY, bytes(100), key=KEY))
        found, _ = listen(connection, rest)
    assert close_status(found[-1].payload)[0] == 1002


def test_many_idle_and_slow_clients_do_not_keep_others_out(far, context):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 2048)), hard))
    server = far("--max-connections", "100")
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10)) for _ in range(300)]
        for connection in idle[250:]:
            with contextlib.suppress(ConnectionError):
                connection.send(b"GET / HT")
        assert_serves(server, context)
        assert server.resident() < 200e6
        started = time.monotonic()
        slow = idle[-1]
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - started < 8:
                slow.send(b"x")
                time.sleep(0.2)
        assert time.monotonic() - started < 7.5  # the head has five seconds, however busily it trickles
    assert_serves(server, context)
    assert server.stop() == 0
    assert "bug" not in server.log


def test_a_client_that_never_reads_is_hung_up_on_and_costs_no_memory(far, context):
    server = far("--max-tests", "4", "--seconds", "1")
    before = server.resident()
    connections = [agree(server)[0] for _ in range(3)]
    time.sleep(0.5)
    assert_serves(server, context)
    assert server.resident() - before < 50e6
    for connection in connections:
        connection.close()
    time.sleep(0.5)
    assert_serves(server, context)


def test_garbage_in_quantity_never_stops_it(standing, context):
    for seed in range(40):
        exchange(standing, bytes((seed * 7 + index * index) % 256 for index in range(500)) + b"\r\n\r\n")
    for seed in range(20):
        with socket.create_connection(("127.0.0.1", standing.port), timeout=5) as connection:
            connection.sendall(ask(UPLOAD)[: seed * 10])
    assert_serves(standing, context)


def test_strangers_words_are_clean_in_the_log(far):
    server = far("--seconds", "0.2")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(ask(UPLOAD + "?client_name=%1b%5B2Jevil%0aline%E2%80%AE"))
        with contextlib.suppress(ConnectionError):
            while connection.recv(65536):
                connection.sendall(encode_close(1000, "", key=KEY))
    server.stop()
    (entry,) = [line for line in server.log.splitlines() if "upload" in line]
    assert "client='[2Jevil line'" in entry


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--listen", "nonsense"], "is not HOST:PORT"),
        (["--listen", "127.0.0.1:99999"], "above 65535"),
        (["--listen", "192.0.2.77:0"], "cannot listen on 192.0.2.77:0"),
        (["--listen", "no-such-name:0"], "cannot listen on no-such-name:0"),
        (["--listen", "127.0.0.1:0", "--cert", __file__], "--cert and --key belong together"),
        (["--listen", "127.0.0.1:0", "--cert", __file__, "--key", __file__], "are not a certificate and its key"),
        ([], "Missing option '--listen'"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_sentence_with_exit_2(arguments, words):
    done = subprocess.run(
        [sys.executable, "-m", "testpoint", *arguments], capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
