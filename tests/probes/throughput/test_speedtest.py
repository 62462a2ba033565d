"""Our `speedtest` method against a testpoint, beside speedtest-cli's own command line, and against servers that misbehave."""

import json
import os
import socket
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

from netready.authority import Refused
from probes.throughput.pulse import silent
from probes.throughput.settings import Direction, Throughput
from probes.throughput.speedtest import INSTRUMENT, LIMIT, METHOD, check, read
from probes.throughput.speedtest_job import CAP, LEAST_BUDGET, OBJECTS, Told, size, within

DOWN, UP = Direction.DOWN, Direction.UP
QUICK = {"seconds": 1.0, "handshake_timeout": 0.7, "timeout": 0.5}
PATIENCE = 8.0  # s in which every failure with QUICK has to be told, the child's start on a busy machine included


@pytest.fixture
def testpoint():
    """Start testpoints; "HOST:PORT". All are stopped afterwards."""
    started = []

    def start(*arguments, listen="127.0.0.1:0"):
        argv = [sys.executable, "-m", "testpoint", "--listen", listen, "--json", *arguments]
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        started.append(process)
        return json.loads(process.stdout.readline())["listen"]

    yield start
    for process in started:
        with process:
            process.terminate()


def test_it_moves_the_very_bytes_that_speedtest_cli_moves_by_itself(testpoint, context):
    server = testpoint()
    program = Path(sysconfig.get_path("scripts")) / "speedtest-cli"
    # Its own client fetches speedtest.net's configuration first: the testpoint stands in for that as its proxy.
    environment = {**os.environ, "http_proxy": f"http://{server}", "no_proxy": "127.0.0.1"}
    argv = [str(program), "--mini", f"http://{server}/", "--json"]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=True)
    theirs = json.loads(done.stdout)
    down, up = read(Throughput(server=server), context)
    assert down.details["bytes_received"] == theirs["bytes_received"] == CAP[DOWN] == 409_373_932
    assert up.details["bytes_sent"] == theirs["bytes_sent"] == CAP[UP] == 151_519_232
    for found, moved in ((down, CAP[DOWN]), (up, CAP[UP])):
        details = found.details
        assert found.method == METHOD == "speedtest/1"
        assert found.value == pytest.approx(8 * moved / details["seconds"], rel=0.01)
        assert found.value > 1e8
        assert details["ended"] == "objects"
        assert details["limited_by"][:2] == ["loopback", LIMIT]
        assert (details["layer"], details["interface"]) == ("HTTP body", "lo")
        assert found.interval is None
        assert "failed_requests" not in details
        assert any("no warm-up" in bias for bias in details["biases"])
        assert any("%" in bias for bias in details["biases"])
    assert down.details["requests"] == 40
    assert up.details["requests"] == 51
    assert "handed to" in up.details["counted_by"]


def test_a_data_budget_is_kept_and_named(testpoint, context):
    for found in read(Throughput(server=testpoint(), most_bytes=12_000_000), context):
        moved = found.details["bytes_received"] + found.details["bytes_sent"]
        assert 8_000_000 < moved <= 12_000_000
        assert found.details["ended"] == "bytes"
        assert "data-budget" in found.details["limited_by"]


def test_ipv6_and_the_largest_number_of_streams(testpoint, context):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    (up,) = read(Throughput(server=testpoint(listen="[::1]:0"), direction="up", streams=16), context)
    assert up.value > 1e6, up.details
    assert (up.details["streams"], up.details["bytes_sent"]) == (16, CAP[UP])


def test_the_token_is_shown(testpoint, context, tmp_path):
    token = tmp_path / "token"
    token.write_text("correct-horse-battery-staple\n")
    token.chmod(0o600)
    server = testpoint("--token-file", str(token))
    settings = {"server": server, "direction": "down", "most_bytes": LEAST_BUDGET}
    (found,) = read(Throughput(token_file=str(token), **settings), context)
    assert found.value > 1e6
    (found,) = read(Throughput(**settings), context)
    assert found.failure == "http-status"
    assert "401" in found.details["reason"]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    argv += ["-subj", "/CN=testpoint", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(argv, check=True, capture_output=True, timeout=30)
    return str(cert), str(key)


@pytest.mark.tool("openssl")
def test_tls_is_checked(testpoint, context, certificate):
    cert, key = certificate
    server = testpoint("--cert", cert, "--key", key)
    settings = {"server": server, "direction": "down", "most_bytes": LEAST_BUDGET, "tls": True}
    (found,) = read(Throughput(ca=cert, **settings), context)
    assert found.value > 1e6, found.details
    for change in ({}, {"pin": "0" * 64}):
        (found,) = read(Throughput(**settings, **change), context)
        assert found.failure == "tls-certificate", found.details


# --- it speaks to the named server alone -----------------------------------------------------------------------------------


def test_the_child_cannot_speak_to_anybody_else(tcp_server):
    witness, named = [], tcp_server(lambda connection: connection.recv(1))
    other = tcp_server(witness.append)
    script = f"""
import socket
from probes.throughput.settings import Endpoint
from probes.throughput.speedtest_child import guard
guard(Endpoint("127.0.0.1", {named}))
socket.create_connection(("127.0.0.1", {named})).close()
def refused(do, *arguments):
    try:
        do(*arguments)
    except PermissionError:
        return
    raise AssertionError(do)
refused(socket.create_connection, ("127.0.0.1", {other}))
refused(socket.socket().connect_ex, ("127.0.0.1", {other}))
refused(socket.socket(type=socket.SOCK_DGRAM).sendto, b"x", ("127.0.0.1", {other}))
refused(socket.socket(socket.AF_UNIX).connect, "/run/nobody")
refused(socket.getaddrinfo, "www.speedtest.net", 80)
refused(socket.gethostbyname, "www.speedtest.net")
print("kept")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert done.stdout == "kept\n", done.stderr
    assert witness == []


def test_a_redirect_to_somebody_else_is_not_followed(tcp_server, context):
    witness = []
    other = tcp_server(lambda connection: witness.append(connection.recv(100)))
    answer = f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{other}/\r\nContent-Length: 0\r\n\r\n".encode()
    server = tcp_server(http({"/": answer}))
    (found,) = read(Throughput(server=f"127.0.0.1:{server}", direction="down", **QUICK), context)
    assert found.failure == "not-permitted"
    assert f"127.0.0.1:{server}" in found.details["reason"]
    assert witness == []


def test_a_server_that_nobody_named_is_never_asked(context):
    with pytest.raises(Refused):
        next(read(Throughput(server="198.51.100.9:80"), context))


# --- servers that misbehave ------------------------------------------------------------------------------------------------


def respond(status, body=b"", **fields):
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode() + body


PAGE = respond("200 OK", b'upload_extension: "php"')


def http(answers, default=None):
    """Serves one request by the longest of `answers`' paths that it begins with; an answer is bytes or a function."""

    def serve(connection):
        head = b""
        while b"\r\n\r\n" not in head:
            data = connection.recv(4096)
            if not data:
                return
            head += data
        path = head.split()[1].decode()
        found = [prefix for prefix in answers if path.startswith(prefix) and (prefix != "/" or path.startswith("/?"))]
        answer = answers[max(found, key=len)] if found else default
        if callable(answer):
            answer(connection)
        elif answer is not None:
            connection.sendall(answer)

    return serve


def dribble(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
    for _ in range(100):
        connection.sendall(b"x")
        time.sleep(0.1)


def stall(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
    time.sleep(2)


def endless(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(2000):
        connection.sendall(b"x" * 65536)


def swallow(connection):
    while connection.recv(1 << 20):
        pass


LOOP = respond("302 Found", Location="/?again=1")
LOAD = "/speedtest/"


@pytest.mark.parametrize(
    ("direction", "script", "words"),
    [
        ("down", http({}), {"closed-early", "reset"}),
        ("down", http({}, b"\x00\xff garbage\r\n\r\n"), {"malformed"}),
        ("down", http({}, lambda connection: connection.recv(1)), {"timeout"}),
        ("down", http({}, dribble), {"timeout"}),
        ("down", http({"/": endless}), {"too-large"}),
        ("down", http({"/": respond("200 OK", b"\xff\xfe\xfa")}), {"malformed"}),
        ("down", http({"/": respond("200 OK", b"hello")}, respond("404 Not Found")), {"http-status"}),
        ("down", http({}, respond("503 Service Unavailable")), {"server-busy"}),
        ("down", http({}, LOOP), {"redirect-loop"}),
        ("down", http({"/": PAGE}, respond("404 Not Found")), {"http-status"}),
        ("down", http({"/": PAGE}, respond("429 Too Many Requests")), {"server-busy"}),
        ("down", http({"/": PAGE}, respond("200 OK", b"tiny")), {"closed-early"}),
        ("down", http({"/": PAGE}), {"closed-early", "reset"}),
        ("down", http({"/": PAGE}, stall), {"timeout", "closed-early"}),
        ("down", http({"/": PAGE}, dribble), {"timeout"}),
        ("up", http({"/": PAGE}, respond("413 Content Too Large")), {"http-status", "reset"}),
        ("up", http({"/": PAGE}), {"reset", "closed-early"}),
        ("up", http({"/": PAGE}, swallow), {"timeout", "closed-early", "reset"}),
    ],
)
def test_a_hostile_server_ends_in_a_word_and_in_time(tcp_server, context, direction, script, words):
    server = f"127.0.0.1:{tcp_server(script)}"
    began = time.monotonic()
    (found,) = read(Throughput(server=server, direction=direction, **QUICK), context)
    assert time.monotonic() - began < PATIENCE
    assert found.failure in words, found
    assert found.details["reason"] not in {"", found.failure.value}
    assert found.details["reason"]


def test_nobody_listens(context):
    (found,) = read(Throughput(server="127.0.0.1:1", direction="up", **QUICK), context)
    assert found.failure == "refused"


def test_pictures_larger_than_they_should_be_do_not_break_the_budget(tcp_server, context):
    def huge(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    server = f"127.0.0.1:{tcp_server(http({'/': PAGE}, huge))}"
    (found,) = read(Throughput(server=server, direction="down", most_bytes=LEAST_BUDGET), context)
    assert found.details["bytes_received"] <= 1.1 * LEAST_BUDGET
    assert "data-budget" in found.details["limited_by"]


def test_a_line_that_goes_silent_before_the_end_has_no_figure(tcp_server, context):
    def part(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        for _ in range(200):
            connection.sendall(bytes(10_000))
            time.sleep(0.01)
        time.sleep(4)

    server = f"127.0.0.1:{tcp_server(http({'/': PAGE}, part))}"
    (found,) = read(Throughput(server=server, direction="down", seconds=5, streams=2, timeout=3), context)
    assert found.failure == "closed-early"
    assert "which speedtest-cli's figure would count" in found.details["reason"]


# --- what is reckoned without a network ------------------------------------------------------------------------------------


def test_the_objects_of_a_budget_fit_into_it():
    for direction in (DOWN, UP):
        assert within(direction, 0) == within(direction, 10**9) == OBJECTS[direction]
        for most in (LEAST_BUDGET, 20_000_000, 100_000_000):
            kept = within(direction, most)
            total = sum(size(direction, item) for item in kept)
            assert total <= most < total + size(direction, OBJECTS[direction][len(kept)])


def test_a_figure_needs_two_seconds_or_half_of_the_method_s_bytes():
    good = {"rate": 1e6, "moved": 250_000, "seconds": 2.0}
    check(Told(**good), DOWN, Throughput())
    check(Told(rate=4e9, moved=CAP[DOWN], seconds=0.8), DOWN, Throughput())
    for bad in ({"rate": 1e6, "moved": 125_000, "seconds": 1.0}, {"rate": 0.0, "moved": 0, "seconds": 10.0}):
        with pytest.raises(Exception, match="too little"):
            check(Told(**bad), DOWN, Throughput())


@pytest.mark.parametrize(
    ("counts", "seconds"),
    [
        ([0, 100, 200, 300, 400], 0.0),
        ([0, 100, 200, 200, 200], 2.0),
        ([0, 100, 200, 203, 206], 2.0),  # a few packets that are sent again and again
        ([0, 0, 0, 300, 400], 0.0),
        ([0, 100, 100, 100, 200], 0.0),
        ([7, 7, 7, 7, 7], 0.0),
    ],
)
def test_the_silence_at_the_end_is_told_from_pauses_and_repeats(counts, seconds):
    assert silent([(10.0 + at, count) for at, count in enumerate(counts)]) == seconds


def test_a_figure_that_counts_silence_is_none():
    good = {"rate": 1e6, "moved": 1_250_000, "seconds": 10.0}
    check(Told(**good, silent=1.9), DOWN, Throughput())
    with pytest.raises(Exception, match=r"nothing moved in the last 5\.0 s of 10\.0 s"):
        check(Told(**good, silent=5.0), DOWN, Throughput())


def test_what_it_cannot_do_is_said_before_a_test():
    missing = INSTRUMENT.missing
    assert missing(Throughput()) == "no test server is named in [throughput]"
    assert missing(Throughput(server="h:1")) is None
    assert missing(Throughput(server="h:1", ca="/nowhere.pem")) == "the authority file /nowhere.pem cannot be read"
    assert f"{LEAST_BUDGET:,}" in missing(Throughput(server="h:1", most_bytes=1))


def test_the_plan_foretells_its_data():
    both = Throughput(server="h:1")
    assert INSTRUMENT.load(both, 100e6) == 2 * 100e6 * 10 / 8
    assert INSTRUMENT.load(both, 10e9) == sum(CAP.values())
    assert INSTRUMENT.load(Throughput(server="h:1", most_bytes=5_000_000), 10e9) == 10_000_000


def test_neither_the_method_nor_its_child_loads_the_package_into_this_process():
    script = "import sys, probes.throughput.speedtest, probes.throughput.speedtest_child; print('speedtest' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "False\n"
