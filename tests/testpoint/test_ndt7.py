"""Our client against our testpoint, and both against a line whose rate is known."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from probes.throughput.ndt7 import read
from probes.throughput.settings import Direction, Throughput

NODE = Path(__file__).parent / "node"
NOISE = Path(__file__).with_name("noise.py")
PAYLOAD = 1448 / 1514  # of the bytes that tbf counts: 1500-byte packets, 52 of them headers, 14 more for Ethernet


def test_both_directions_on_loopback_agree_with_their_byte_counts(far, context):
    server = far()
    down, up = read(Throughput(server=server.address, seconds=1.0), context)
    for found, bytes_of_it in ((down, "bytes_received"), (up, "bytes_sent")):
        details = found.details
        assert found.method == "ndt7/1"
        # The warm-up is left out of the figure, and a busy machine is not as fast at one time as at another.
        assert found.value == pytest.approx(8 * details[bytes_of_it] / details["seconds"], rel=0.2)
        assert found.value > 1e9
        assert 0.9 < details["seconds"] < 1.2
        assert details["samples"] >= 1
        assert (details["interface"], details["limited_by"], details["layer"]) == ("lo", "loopback", "TCP payload")
        assert details["retransmitted"] < 0.05
        assert details["min_rtt"] < 0.05
        assert len(details["server_uuid"]) == 36
        assert "load_during" not in details
    assert (down.metric, up.metric) == ("throughput_down", "throughput_up")
    assert up.details["counted_by"] == "server"
    assert server.stop() == 0
    assert f"uuid={down.details['server_uuid']}" in server.log
    assert f"uuid={up.details['server_uuid']}" in server.log
    assert len(server.log.splitlines()) == 4


def test_the_server_ends_a_test_at_its_runtime(far, context):
    server = far("--seconds", "0.6")
    down, up = read(Throughput(server=server.address, seconds=10.0), context)
    # A server may end early; what it moved in 0.6 s is too little for a figure of a test that was to take ten.
    assert {down.failure, up.failure} == {"closed-early"}
    down, up = read(Throughput(server=server.address, seconds=1.0), context)
    assert down.details["ended"] == up.details["ended"] == "close"
    assert down.details["seconds"] == pytest.approx(0.6, abs=0.2)


def test_ipv6(far, context):
    if not socket.has_ipv6:
        pytest.skip("this Python has no IPv6")
    try:
        server = far(listen="[::1]:0")
    except AssertionError:
        pytest.skip("this machine has no IPv6 loopback")
    (found,) = read(Throughput(server=server.address, seconds=0.5, direction=Direction.UP), context)
    assert server.address.startswith("[::1]:")
    assert found.value > 1e9


@pytest.mark.tool("openssl")
def test_tls(far, context, certificate):
    cert, key = certificate
    server = far("--cert", cert, "--key", key)
    settings = {"server": server.address, "seconds": 1.0, "tls": True}
    down, up = read(Throughput(ca=cert, **settings), context)
    assert down.value > 3e8
    assert up.value > 3e8
    assert down.details["layer"] == "TLS payload"
    (stranger, _) = read(Throughput(**settings), context)
    assert stranger.failure == "tls-certificate"
    (plain, _) = read(Throughput(server=server.address, seconds=0.3), context)
    assert plain.details["layer"] == "TCP payload"
    only = far("--cert", cert, "--key", key, "--tls-only")
    (plain, _) = read(Throughput(server=only.address), context)
    assert (plain.failure, "400" in plain.details["reason"]) == ("http-status", True)


@pytest.mark.tool("openssl")
def test_idle_and_talkative_strangers_do_not_keep_tls_clients_out(far, context, certificate):
    cert, key = certificate
    server = far("--cert", cert, "--key", key, "--max-connections", "50")
    with contextlib.ExitStack() as stack:
        for number in range(150):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=5))
            with contextlib.suppress(ConnectionError):
                connection.send(b"\x16\x03\x01" if number % 2 else b"GET / HTTP/1.1\r\n\r\n")
        settings = Throughput(server=server.address, seconds=0.5, tls=True, ca=cert, direction=Direction.DOWN)
        (found,) = read(settings, context)
        assert found.value > 0
        threads = len(list(Path(f"/proc/{server.process.pid}/task").iterdir()))
        assert threads <= 60
    assert server.stop() == 0
    assert "bug" not in server.log
    assert "Traceback" not in server.log


def test_two_tests_at_once_share_the_server_and_a_third_is_told_to_wait(far, context):
    server = far("--max-tests", "2")
    found = []

    def one():
        found.extend(read(Throughput(server=server.address, seconds=1.0, direction=Direction.DOWN), context))

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    (third,) = read(Throughput(server=server.address, seconds=1.0, direction=Direction.DOWN), context)
    for thread in threads:
        thread.join()
    assert third.failure == "server-busy"
    assert all(one.value > 0 for one in found)
    (after,) = read(Throughput(server=server.address, seconds=0.3, direction=Direction.DOWN), context)
    assert after.value > 0


def test_stopping_the_server_ends_a_running_test_in_good_order(far, context):
    server = far()
    timer = threading.Timer(0.8, server.stop)
    timer.start()
    (found,) = read(Throughput(server=server.address, seconds=1.0, direction=Direction.DOWN), context)
    timer.join()
    assert server.process.returncode == 0
    assert found.value is not None
    assert "1001 Going away" in found.details.get("reason", "1001 Going away")
    assert "Traceback" not in server.log


@pytest.mark.namespaces
@pytest.mark.slow
def test_a_shaped_line_is_measured_within_two_percent(line, far):
    rate = 100e6
    shaped = line(round(rate))
    far(listen=f"{shaped.far_address}:7000", enter=shaped.far)
    down, up = shaped.measure(server=f"{shaped.far_address}:7000", seconds=5.0)
    for found in (down, up):
        details = found["details"]
        assert found["value"] == pytest.approx(rate * PAYLOAD, rel=0.02)
        assert details["ip_rate"] == pytest.approx(rate * 1500 / 1514, rel=0.02)
        assert details["interval"][0] <= found["value"] <= details["interval"][1]
        assert details["interval"][1] - details["interval"][0] < 0.2 * found["value"]
        assert (details["mss"], details["interface"]) == (1448, "line0")
        assert details["load_during"] < 0.01 * rate
        assert details["limited_by"] in {"link", "cpu"}  # "cpu" on a busy build machine


@pytest.mark.namespaces
@pytest.mark.slow
def test_other_traffic_on_the_line_is_reported_beside_the_figure(line, far):
    rate, other = 40e6, 10e6
    shaped = line(round(rate))
    far(listen=f"{shaped.far_address}:7000", enter=shaped.far)
    command = [*shaped.far, sys.executable, str(NOISE), shaped.near_address, str(other), "20"]
    noise = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        (found,) = shaped.measure(server=f"{shaped.far_address}:7000", seconds=4.0, direction="down")
        assert noise.poll() is None, noise.stderr.read()
    finally:
        noise.kill()
        noise.communicate()
    assert found["details"]["load_during"] == pytest.approx(other, rel=0.25)
    together = found["details"]["ip_rate"] + found["details"]["load_during"]
    assert together == pytest.approx(rate, rel=0.1)


@pytest.mark.tool("node")
@pytest.mark.namespaces
@pytest.mark.slow
def test_the_published_javascript_client_gets_our_figures_within_five_percent(line, far):
    if not (NODE / "node_modules" / "@m-lab" / "ndt7").is_dir():
        why = f"the published ndt7 client is not installed; run `npm ci` in {NODE.name}/ (`make tools` does)"
        if os.environ.get("NETREADY_ALL_TOOLS"):
            pytest.fail(why)
        pytest.skip(why)
    shaped = line(50_000_000)
    server = far(listen=f"{shaped.far_address}:7000", enter=shaped.far)
    done = subprocess.run(
        [*shaped.near, shutil.which("node"), str(NODE / "run.js"), f"{shaped.far_address}:7000"],
        capture_output=True,
        text=True,
        check=False,
        timeout=40,
    )
    assert done.returncode == 0, done.stderr
    theirs = json.loads(done.stdout)
    assert theirs["code"] == 0
    down, up = shaped.measure(server=f"{shaped.far_address}:7000", seconds=5.0)
    assert down["value"] == pytest.approx(theirs["down"], rel=0.05)
    assert up["value"] == pytest.approx(theirs["up"], rel=0.05)
    assert down["value"] == pytest.approx(50e6 * PAYLOAD, rel=0.05)
    server.stop()
    assert server.log.count("client='ndt7-js'") == 2
