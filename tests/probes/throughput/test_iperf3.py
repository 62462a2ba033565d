"""Our `iperf3` method against the real iperf3 server, and against programs that only look like one."""

import contextlib
import json
import shutil
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

import pytest

from netready.authority import Refused
from probes.throughput.iperf3 import INSTRUMENT, METHOD, read
from probes.throughput.iperf3_plan import LEAST_BUDGET
from probes.throughput.settings import Throughput

pytestmark = pytest.mark.tool("iperf3")
QUICK = {"seconds": 1.0, "handshake_timeout": 0.5, "timeout": 0.5}
PATIENCE = 6.0  # s in which every failure with QUICK has to be told


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def until_listening(port):
    """Wait for a server without connecting to it: iperf3 takes any connection for a test."""
    until(port, state="0A", count=1)


def until(port, *, state, count):
    """Wait until the kernel lists `count` sockets of 127.0.0.1:`port` in a state of its own (include/net/tcp_states.h)."""
    wanted = f"0100007F:{port:04X}"
    for _ in range(500):
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
        if sum(row[1] == wanted and row[3] == state for row in rows) >= count:
            return
        time.sleep(0.01)
    pytest.fail(f"no {count} sockets on port {port} in state {state}")


@pytest.fixture
def server():
    """A real server on 127.0.0.1; "HOST:PORT"."""
    port = free_port()
    argv = ["iperf3", "-s", "-B", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until_listening(port)
        yield f"127.0.0.1:{port}"
        process.terminate()


def test_both_directions_against_a_real_server(server, context):
    down, up = read(Throughput(server=server, seconds=1.0, streams=2), context)
    assert (down.metric, up.metric) == ("throughput_down", "throughput_up")
    for found, moved, by in ((down, "bytes_received", "this side"), (up, "bytes_sent", "server")):
        details = found.details
        assert found.method == METHOD == "iperf3/1"
        assert found.value > 5e8
        assert found.value == pytest.approx(8 * details[moved] / details["seconds"], rel=0.1)
        assert details["seconds"] == pytest.approx(1.0, abs=0.2)
        assert (details["streams"], details["layer"], details["counted_by"]) == (2, "TCP payload", by)
        assert (details["interface"], details["ended"]) == ("lo", "time")
        assert "loopback" in details["limited_by"]
        assert details["program"].startswith("iperf 3.")
        assert details["retransmits"] >= 0
        assert {"congestion", "cpu_process", "cpu_server"} <= set(details)
        assert "load_during" not in details
    assert 0 < up.details["rtt_loaded"] < 1


def test_a_data_budget_is_kept_and_named(server, context):
    for found in read(Throughput(server=server, most_bytes=100_000_000, seconds=2.0), context):
        assert found.failure is None, found.details
        moved = found.details["bytes_received"] + found.details["bytes_sent"]
        assert 60_000_000 < moved <= 100_000_000
        assert found.details["ended"] == "bytes"
        assert "data-budget" in found.details["limited_by"]


def test_the_congestion_control_asked_for_is_used_or_refused(server, context):
    allowed = Path("/proc/sys/net/ipv4/tcp_allowed_congestion_control").read_text().split()
    (up,) = read(Throughput(server=server, direction="up", congestion=allowed[0], **QUICK), context)
    assert up.details["congestion"] == allowed[0]
    (up,) = read(Throughput(server=server, direction="up", congestion="nosuch", **QUICK), context)
    assert up.failure == "not-supported"


def test_a_name_with_several_addresses_reaches_the_one_that_listens(server, context):
    (up,) = read(Throughput(server=f"localhost:{server.rpartition(':')[2]}", direction="up", **QUICK), context)
    assert up.value > 0


def test_ipv6(context):
    if not socket.has_ipv6:
        pytest.skip("this Python has no IPv6")
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
            port = listener.getsockname()[1]
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    argv = ["iperf3", "-s", "-1", "-B", "::1", "-p", str(port)]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        time.sleep(0.5)
        (up,) = read(Throughput(server=f"[::1]:{port}", direction="up", **QUICK), context)
        process.terminate()
    assert up.value > 0
    assert up.target == f"[::1]:{port}"


def test_a_busy_server_is_told_as_busy(server, context):
    port = server.rpartition(":")[2]
    argv = ["iperf3", "-c", "127.0.0.1", "-p", port, "-t", "20", "-b", "1M"]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as other:
        until(int(port), state="01", count=2)
        (down,) = read(Throughput(server=server, direction="down", **QUICK), context)
        other.kill()
    assert down.failure == "server-busy"


def test_nobody_listens(context):
    (up,) = read(Throughput(server=f"127.0.0.1:{free_port()}", direction="up", **QUICK), context)
    assert up.failure == "refused"


def test_a_server_that_nobody_named_is_never_asked(context):
    with pytest.raises(Refused):
        next(read(Throughput(server="198.51.100.9:5201"), context))


def silent(peer):
    peer.wait(10)


def closing(peer):
    peer.connection.close()


def resetting(peer):
    peer.connection.recv(37)
    peer.reset()


def garbage(peer):
    peer.connection.recv(37)
    peer.send_until(b"HTTP/1.1 200 OK\r\n\r\n", 10)


def endless_parameters(peer):
    peer.connection.recv(37)
    peer.send(b"\x09")
    peer.connection.recv(4096)
    peer.send(b"\x0d" + b"\xff\xff\xff\xf0")
    peer.send_until(b"[" * 65536, 10)


def dribbling(peer):
    for _ in range(100):
        peer.send(b"\x09")
        peer.wait(0.1)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (silent, {"timeout"}),
        (closing, {"reset", "closed-early", "malformed"}),
        (resetting, {"reset"}),
        (garbage, {"malformed"}),
        (endless_parameters, {"too-large"}),
        (dribbling, {"malformed", "timeout", "reset"}),
    ],
)
def test_a_hostile_server_ends_in_a_word_and_in_time(hostile, context, script, words):
    where = hostile(script)
    began = time.monotonic()
    (found,) = read(Throughput(server=where, direction="down", **QUICK), context)
    assert time.monotonic() - began < PATIENCE
    assert found.failure in words, found.details
    assert found.details["reason"]


class Teller:
    """A server that takes one upload over one stream, as iperf3's protocol has it, and then tells what it likes."""

    def __init__(self, tell) -> None:
        self._tell = tell  # (bytes that came) -> (bytes, seconds) told
        self._streams = threading.Semaphore(0)
        self._control = threading.Lock()
        self._over = threading.Event()
        self._count = 0

    def __call__(self, connection) -> None:
        connection.recv(37, socket.MSG_WAITALL)
        if not self._control.acquire(blocking=False):
            self._stream(connection)
            return
        connection.sendall(b"\x09")  # PARAM_EXCHANGE
        self._message(connection)
        connection.sendall(b"\x0a")  # CREATE_STREAMS
        assert self._streams.acquire(timeout=3)
        connection.sendall(b"\x01\x02")  # TEST_START, TEST_RUNNING
        assert connection.recv(1) == b"\x04"  # TEST_END
        connection.sendall(b"\x0d")  # EXCHANGE_RESULTS
        self._message(connection)
        told, seconds = self._tell(self._count)
        row = {"id": 1, "bytes": told, "retransmits": 0, "jitter": 0, "errors": 0, "packets": 0}
        row |= {"start_time": 0, "end_time": seconds}
        used = dict.fromkeys(("cpu_util_total", "cpu_util_user", "cpu_util_system"), 1.0)
        text = json.dumps({**used, "sender_has_retransmits": 0, "congestion_used": "\u202ecubic", "streams": [row]}).encode()
        connection.sendall(struct.pack("!I", len(text)) + text + b"\x0e")  # DISPLAY_RESULTS
        connection.recv(1)
        self._over.set()

    @staticmethod
    def _message(connection) -> bytes:
        (size,) = struct.unpack("!I", connection.recv(4, socket.MSG_WAITALL))
        return connection.recv(size, socket.MSG_WAITALL)

    def _stream(self, connection):
        self._streams.release()
        connection.settimeout(0.1)
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError):
                data = connection.recv(1 << 20)
                if not data:
                    return
                self._count += len(data)


@pytest.mark.parametrize(
    ("tell", "failure"),
    [
        (lambda count: (count, 1.0), None),
        (lambda count: (2 * count, 1.0), "malformed"),
        (lambda count: (count, 0.5), "malformed"),
        (lambda _: (0, 1.0), "no-answer"),
        (lambda count: (-count, 1.0), "no-answer"),
        (lambda _: (10**30, 1.0), "malformed"),
    ],
    ids=["honest", "twice", "half the time", "nothing", "less than nothing", "absurd"],
)
def test_a_server_cannot_claim_more_than_was_sent(tcp_server, context, tell, failure):
    port = tcp_server(Teller(tell))
    (up,) = read(Throughput(server=f"127.0.0.1:{port}", direction="up", streams=1, **QUICK), context)
    if failure is None:
        assert up.value > 1e8, up.details
        assert "\u202e" not in up.details["congestion_receiver"]
    else:
        assert up.value is None
        assert up.failure in {failure, "malformed"}


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a program of the test's own on the path instead of iperf3."""

    def put(text):
        path = tmp_path / "iperf3"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return put


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("kill -SEGV $$", "malformed"),
        ("kill -KILL $$", "local-resources"),
        ("echo '{\"intervals\": ['", "malformed"),
        ("echo 'iperf3: error - unable to connect to server: Connection refused' >&2; exit 1", "refused"),
        ("exec sleep 60", "timeout"),
        ("exec yes", "too-large"),
    ],
)
def test_a_program_that_breaks_leaves_a_word(program, context, text, failure):
    program(text)
    (up,) = read(Throughput(server="127.0.0.1:9", direction="up", **QUICK), context)
    assert up.failure == failure


def test_without_the_program_the_plan_says_how_to_get_it(tmp_path, monkeypatch, context):
    assert shutil.which("iperf3")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt install iperf3" in INSTRUMENT.missing(Throughput(server="h:1"))
    (up,) = read(Throughput(server="127.0.0.1:9", direction="up", **QUICK), context)
    assert up.failure == "not-supported"


def test_settings_that_iperf3_cannot_keep_are_refused_before_a_test():
    missing = INSTRUMENT.missing
    assert missing(Throughput()) == "no test server is named in [throughput]"
    assert missing(Throughput(server="h:1")) is None
    assert "TLS" in missing(Throughput(server="h:1", tls=True))
    assert "TLS" in missing(Throughput(server="h:1", pin="0" * 64))
    assert "whole seconds" in missing(Throughput(server="h:1", seconds=0.5))
    assert f"{LEAST_BUDGET:,}" in missing(Throughput(server="h:1", most_bytes=LEAST_BUDGET - 1))


def test_the_plan_foretells_time_and_data():
    both = Throughput(server="h:1")
    assert INSTRUMENT.load(both, 100e6) == 2 * 100e6 * 9 / 8
    assert INSTRUMENT.load(Throughput(server="h:1", most_bytes=10_000_000), 100e6) == 2 * 10_000_000
    assert INSTRUMENT.seconds(both) == 2 * 11.0
