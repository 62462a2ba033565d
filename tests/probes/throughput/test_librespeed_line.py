"""Our `librespeed` method over a line whose rate is known to the packet."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from lab import BARE, Wan, open_lab
from lab.plan import TESTPOINT, TESTPOINT_PORT

pytestmark = [pytest.mark.namespaces, pytest.mark.slow]
MEASURE = Path(__file__).with_name("measure_method.py")
SERVER = f"{TESTPOINT}:{TESTPOINT_PORT}"
PAYLOAD = 1448 / 1500  # of the bytes of IP packets, which the lab's rates count
DOWN, UP = 50e6 * PAYLOAD, 20e6 * PAYLOAD
BUSY = {"cpu"}  # said, rightly, of a machine that runs other tests meanwhile
TRIES = 3  # a machine that is busy with other things is not the line that was asked for


@pytest.fixture(scope="module")
def line():
    """50 Mbit/s down, 20 up, 20 ms there and back, with a testpoint at its far end."""
    plan = msgspec.structs.replace(BARE, wan=Wan(down=50e6, up=20e6, delay=0.01, buffer=0.05))
    argv = ["python", "-m", "testpoint", "--listen", SERVER, "--json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with open_lab(plan) as lab, lab.popen("isp", argv, **pipes) as server:
        assert server.stdout.readline()
        yield lab
        server.terminate()


def measure(lab, **settings):
    """Both directions, by our client in the school."""
    for _ in range(TRIES):
        before = lab.line()
        argv = [sys.executable, str(MEASURE), "librespeed", json.dumps({"server": SERVER, **settings})]
        done = lab.run("agent", argv, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        if not lab.strained(before, lab.line()):
            break
    return tuple(json.loads(text) for text in done.stdout.splitlines())


def limits(found):
    """The limits as a set, whether one word or a list of them."""
    said = found["details"].get("limited_by", [])
    return {said} if isinstance(said, str) else set(said)


def test_both_directions_are_the_line_s_within_three_per_cent(line):
    down, up = measure(line)
    assert down["value"] == pytest.approx(DOWN, rel=0.03)
    assert up["value"] == pytest.approx(UP, rel=0.03)
    for found, rate in ((down, 50e6), (up, 20e6)):
        about = found["details"]
        assert about["interval"][0] <= found["value"] <= about["interval"][1]
        assert about["ip_rate"] == pytest.approx(rate, rel=0.03)
        assert 0.02 <= about["min_rtt"] < 0.06
        assert about["load_during"] < 0.02 * rate
    assert limits(up) - BUSY == ({"link"} if limits(up).isdisjoint(BUSY) else set())
    assert limits(down) <= BUSY  # the server does not tell what held it back


def test_a_budget_ends_the_test_there(line):
    down, up = measure(line, most_bytes=30_000_000)
    assert down["details"]["ended"] == "data-budget"
    assert limits(down) - BUSY == {"data-budget"}
    assert down["details"]["bytes_received"] < 31_000_000
    assert down["value"] == pytest.approx(DOWN, rel=0.05)
    assert up["details"]["ended"] == "stop"  # 10 s at 20 Mbit/s are less than the budget
