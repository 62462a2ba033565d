"""Our `speedtest` method over a line whose rate is known, beside speedtest-cli's own command line."""

import json
import os
import subprocess
import sys
import sysconfig
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
TRIES = 3


@pytest.fixture(scope="module")
def line():
    """50 Mbit/s down, 20 up, 10 ms there and back, with a testpoint at its far end; no other network is there at all."""
    plan = msgspec.structs.replace(BARE, wan=Wan(down=50e6, up=20e6, delay=0.005, buffer=0.05))
    argv = ["python", "-m", "testpoint", "--listen", SERVER, "--json"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with open_lab(plan) as lab, lab.popen("isp", argv, **pipes) as server:
        assert server.stdout.readline()
        yield lab
        server.terminate()


def ours(lab):
    argv = [sys.executable, str(MEASURE), "speedtest", json.dumps({"server": SERVER})]
    done = lab.run("agent", argv, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    down, up = (json.loads(text) for text in done.stdout.splitlines())
    return down, up


def theirs(lab):
    program = Path(sysconfig.get_path("scripts")) / "speedtest-cli"
    env = {**os.environ, "http_proxy": f"http://{SERVER}", "no_proxy": TESTPOINT}
    argv = [str(program), "--mini", f"http://{SERVER}/", "--json"]
    done = lab.run("agent", argv, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_agrees_with_speedtest_cli_and_says_that_it_is_no_proof_of_the_line(line):
    for _ in range(TRIES):  # both are at the mercy of whatever else this machine does
        (down, up), other = ours(line), theirs(line)
        apart = max(abs(down["value"] / other["download"] - 1), abs(up["value"] / other["upload"] - 1))
        if apart < 0.06:
            break
    assert apart < 0.06
    assert 0.85 * DOWN < down["value"] < 1.02 * DOWN
    assert 0.80 * UP < up["value"] < 1.10 * UP  # bytes that are still in this machine's buffers count
    for found, truth in ((down, DOWN), (up, UP)):
        details = found["details"]
        assert "method" in details["limited_by"]
        assert details["ended"] == "time"
        assert details["load_during"] < 0.05 * truth
        assert "interval" not in details
