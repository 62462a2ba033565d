"""Our method over a line whose rate is known, and over one that goes down in the middle."""

import json
import subprocess
import time
from pathlib import Path

import msgspec
import pytest

from lab import BARE, LabFailed, Wan, open_lab
from lab.plan import ROUTER, TESTPOINT, TESTPOINT_PORT

pytestmark = [pytest.mark.namespaces, pytest.mark.slow]

ALLOWED = Path("/proc/sys/net/ipv4/tcp_allowed_congestion_control").read_text().split()
TRIES = 3
RATE = 20e6
PAYLOAD = 1448 / 1500  # of the line's IP packets: 52 bytes are headers
SERVER = f"{TESTPOINT}:{TESTPOINT_PORT}"

# Reads settings as JSON, says "loads" when the load begins, and prints each measurement as a line of JSON.
MEASURE = """
import random, sys
from ipaddress import ip_network
import msgspec
from agent.clock import SystemClock
from netready.authority import Authority
from netready.instrument import Context
from probes.throughput.netready import read
from probes.throughput.settings import Throughput
authority = Authority(networks=(ip_network("192.0.2.0/24"),))
say = lambda text: print("loads", flush=True)
context = Context(clock=SystemClock(), chance=random.Random(7), authority=authority, say=say)
for found in read(msgspec.json.decode(sys.argv[1], type=Throughput), context):
    print(msgspec.json.encode(found).decode(), flush=True)
"""

REACH = f"import socket; socket.create_connection(({TESTPOINT!r}, {TESTPOINT_PORT}), timeout=10).close()"


@pytest.fixture(scope="module")
def line():
    """A school with an empty line of RATE each way and a round trip of 10 ms, and a testpoint at its far end."""
    plan = msgspec.structs.replace(BARE, wan=Wan(down=RATE, up=RATE, delay=0.005, buffer=0.05))
    try:
        with open_lab(plan) as lab:
            argv = ["python", "-m", "testpoint", "--listen", SERVER, "--json"]
            with lab.popen("isp", argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as testpoint:
                assert testpoint.stdout.readline()
                yield lab
                testpoint.terminate()
    except LabFailed as failed:
        pytest.skip(str(failed))


def begin(lab, **settings):
    asked = json.dumps({"server": SERVER, **settings})
    return lab.popen("agent", ["python", "-c", MEASURE, asked], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def measure(lab, **settings):
    """The measurements by metric."""
    with begin(lab, **settings) as running:
        out, err = running.communicate(timeout=40)
    assert running.returncode == 0, err
    found = [json.loads(text) for text in out.splitlines() if text != "loads"]
    return {each["metric"]: each for each in found}


def test_an_empty_line_is_measured_within_three_percent_in_seconds(line):
    before = line.line()
    tests = [measure(line) for _ in range(TRIES)]
    if why := line.strained(before, line.line(), late=0.3):
        pytest.skip(why)
    for way, name in (("down", "bytes_received"), ("up", "bytes_sent")):
        for found in tests:
            rate = found[f"throughput_{way}"]
            details = rate["details"]
            assert rate["value"] == pytest.approx(RATE * PAYLOAD, rel=0.03)
            assert details["ip_rate"] == pytest.approx(RATE, rel=0.03)
            low, high = details["interval"]
            assert low <= rate["value"] <= high
            assert details["mss"] == 1448
            assert details["seconds"] < 7
            assert details[name] < RATE / 8 * 7
            assert "loopback" not in details["limited_by"]
            assert 0.009 < details["min_rtt"] < 0.03
        # A second's test on a busy machine may make too few round trips to say anything of them.
        told = [found for found in tests if f"latency_loaded_{way}" in found]
        assert len(told) >= TRIES - 1
        for found in told:
            loaded, responsiveness = found[f"latency_loaded_{way}"], found[f"responsiveness_{way}"]
            assert found[f"throughput_{way}"]["details"]["min_rtt"] < loaded["value"] < 0.3
            assert loaded["details"]["p50"] <= loaded["details"]["p95"]
            assert 60 / 1.0 < responsiveness["value"] < 60 / 0.01
            assert responsiveness["details"]["self_pings"] > 0


def test_a_target_below_the_line_is_reached_and_one_above_is_not(line):
    before = line.line()
    less, more = measure(line, at_least=0.8 * RATE * PAYLOAD), measure(line, at_least=1.25 * RATE * PAYLOAD)
    if why := line.strained(before, line.line(), late=0.3):
        pytest.skip(why)
    for way in ("down", "up"):
        yes, no = less[f"throughput_{way}_reaches"], more[f"throughput_{way}_reaches"]
        assert (yes.get("value"), no.get("value")) == (1.0, 0.0)
        assert yes["details"]["delivered"] > 0.8 * RATE * PAYLOAD
        assert no["details"]["delivered"] < 1.05 * RATE * PAYLOAD
        assert max(yes["details"]["bytes_received"], yes["details"]["bytes_sent"]) < 15e6


@pytest.mark.skipif("bbr" not in ALLOWED, reason="this kernel does not let us use BBR")
def test_on_a_line_that_holds_more_than_the_send_buffers_bbr_gives_way_or_its_figure_is_not_the_line_s():
    """300 Mbit/s over 100 ms with two streams: 1.9 MB a stream on its way, three times that in BBR's start."""
    rate = 300e6
    plan = msgspec.structs.replace(
        BARE, wan=Wan(down=rate, up=rate, delay=0.05, buffer=0.03), services=frozenset({"testpoint"})
    )
    with open_lab(plan) as lab:
        before = lab.line()
        free = measure(lab, direction="down", streams=2)["throughput_down"]
        kept = measure(lab, direction="down", streams=2, congestion="bbr")["throughput_down"]
        if why := lab.strained(before, lab.line(), late=0.6):
            pytest.skip(why)
    assert free["details"]["congestion"] == "bbr, then cubic"
    assert free["value"] == pytest.approx(rate * PAYLOAD, rel=0.15)  # two streams alone are slow to fill it
    if free["details"]["limited_by"] == "link":
        assert free["value"] == pytest.approx(rate * PAYLOAD, rel=0.02)
    assert kept["details"]["congestion"] == "bbr"
    assert "link" not in kept["details"]["limited_by"]
    assert kept["details"]["retransmitted"] > 2 * free["details"]["retransmitted"]


@pytest.mark.parametrize(
    ("host", "interface", "way"),
    [
        pytest.param("switch", "uplink", "down", id="somewhere on the way, down"),
        pytest.param("switch", "port1", "up", id="the cable, up"),
        pytest.param("agent", "eth0", "down", id="the own interface, down"),
    ],
)
def test_a_link_that_goes_down_half_way_is_a_failure_soon(host, interface, way, line):
    command = f"read go && ip link set {interface} down && echo down"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with line.popen(host, ["sh", "-c", command], **pipes) as cutter, begin(line, direction=way, precision=0.005) as running:
        try:
            assert running.stdout.readline() == "loads\n"
            time.sleep(0.5)  # a rate is known after 0.8 s at the earliest
            cutter.stdin.write("go\n")
            cutter.stdin.flush()
            assert cutter.stdout.readline() == "down\n"
            down = time.monotonic()
            out = running.stdout.read()
            took = time.monotonic() - down
        finally:
            cutter.kill()
            running.kill()
            line.run(host, ["ip", "link", "set", interface, "up"], check=True)
            if host == "agent":
                line.run(host, ["ip", "route", "replace", "default", "via", ROUTER], check=True)
            line.run("agent", ["python", "-c", REACH], check=True, timeout=20)
        (found,) = (json.loads(text) for text in out.splitlines())
    assert found.get("value") is None
    assert found["failure"] in {"timeout", "unreachable"}
    assert max(found["details"]["bytes_received"], found["details"]["bytes_sent"]) > 200_000  # it was half-way
    assert took < 5
