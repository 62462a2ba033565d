"""Our `iperf3` method over a line whose rate is known."""

import json
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from lab import BARE, Wan, open_lab
from lab.plan import TESTPOINT

pytestmark = [pytest.mark.namespaces, pytest.mark.tool("iperf3"), pytest.mark.slow]
MEASURE = Path(__file__).with_name("measure_method.py")
PAYLOAD = 1448 / 1500  # of the bytes of IP packets, which the lab's rates count
TRIES = 4


def measure(lab, **settings):
    server = f"{TESTPOINT}:5201"
    argv = [sys.executable, str(MEASURE), "iperf3", json.dumps({"server": server, **settings})]
    done = lab.run("agent", argv, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def line():
    """50 Mbit/s down, 20 up, 20 ms there and back, with a real iperf3 server at its far end."""
    plan = msgspec.structs.replace(BARE, wan=Wan(down=50e6, up=20e6, delay=0.01, buffer=0.05))
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with open_lab(plan) as lab, lab.popen("isp", ["iperf3", "-s", "-B", TESTPOINT], **quiet) as server:
        time.sleep(0.5)
        yield lab
        server.terminate()


@pytest.mark.parametrize(("direction", "rate"), [("down", 50e6), ("up", 20e6)])
def test_the_figure_is_the_line_s_within_three_per_cent(line, direction, rate):
    truth = rate * PAYLOAD
    for _ in range(TRIES):  # other work on this machine can only slow TCP down; too fast never passes
        (found,) = measure(line, direction=direction, seconds=6)
        assert found["value"] <= 1.03 * truth
        if found["value"] >= 0.97 * truth:
            break
    assert found["value"] >= 0.97 * truth
    details = found["details"]
    assert details["ip_rate"] == pytest.approx(rate, rel=0.03)
    assert details["mss"] == 1448
    assert details["warm_up"] == 1
    low, high = details["interval"]
    assert low < found["value"] < high
    assert high - low < 0.25 * truth
    assert details["load_during"] < 0.03 * rate


def test_other_traffic_on_the_line_is_told_beside_the_figure(line):
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    other = ["iperf3", "-c", TESTPOINT, "-p", "5202", "-R", "-b", "8M", "-t", "20"]
    with line.popen("isp", ["iperf3", "-s", "-1", "-B", TESTPOINT, "-p", "5202"], **quiet) as server:
        time.sleep(0.5)
        with line.popen("agent", other, **quiet) as traffic:
            time.sleep(1.0)
            (found,) = measure(line, direction="down", seconds=5)
            traffic.terminate()
        server.wait(10)
    load = found["details"]["load_during"]
    assert 3e6 < load < 10e6  # of the 8 Mbit/s that it would like, it gives way to four streams
    assert found["details"]["ip_rate"] + load == pytest.approx(50e6, rel=0.06)


def test_a_data_budget_is_kept_on_a_line_slower_than_the_scout(line):
    before = line.line()["down"]["out_bytes"]
    (found,) = measure(line, direction="down", seconds=6, most_bytes=40_000_000)
    on_the_line = line.line()["down"]["out_bytes"] - before
    assert found["details"]["ended"] == "time"
    assert found["details"]["bytes_received"] <= 40_000_000
    assert on_the_line <= 40_000_000 / PAYLOAD * 1.05
    assert found["value"] == pytest.approx(50e6 * PAYLOAD, rel=0.15)
