"""A real router's counters (snmpd where it is installed, which refreshes them every three seconds) round a real test."""

import json
import subprocess
import time

import pytest

from lab import Plan, Wan, open_lab
from store import open_store

pytestmark = [pytest.mark.namespaces, pytest.mark.slow]

RATE = 50e6
SERVER = "192.0.2.10:4433"
CONFIG = f"""
[site]
name = "Lincoln"
students = 480
staff = 40
classrooms = 24
networks = ["10.20.0.0/24"]
[[site.circuits]]
name = "line"
contracted_down = {RATE}
contracted_up = 10e6
counter = "10.20.0.1 wan0"
[throughput]
server = "{SERVER}"
[snmp]
devices = ["10.20.0.1"]
community_file = "community.txt"
"""


@pytest.fixture(scope="module")
def school():
    plan = Plan(wan=Wan(down=RATE, up=10e6), hosts=(), services=frozenset({"testpoint", "snmp"}))
    with open_lab(plan) as lab:
        yield lab


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "netready.toml").write_text(CONFIG)
    (tmp_path / "community.txt").write_text("public\n")
    (tmp_path / "community.txt").chmod(0o600)
    return tmp_path


def measure(lab, folder, *options):
    words = ["python", "-m", "agent", "--config", str(folder / "netready.toml"), "measure", "throughput", "--server", SERVER]
    words += ["--method", "ndt7", "--direction", "down", "--seconds", "4", "--json", *options]
    done = lab.run("agent", words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    (found,) = json.loads(done.stdout)
    return done, found


def test_a_test_beside_others_says_what_they_moved(school, folder):
    with school.cross("down", rate=10e6, shape="constant") as others:
        time.sleep(0.5)
        done, found = measure(school, folder)
        truth = others.carried()
    assert done.returncode == 0, done.stderr
    details = found["details"]
    assert details["load_during_from"] == "router 10.20.0.1 wan0", done.stderr
    assert details["load_during"] == pytest.approx(truth, abs=details["load_resolution"] + 0.15 * truth)
    assert details["ip_rate"] + details["load_during"] < 1.04 * RATE  # together they are at most the line
    with open_store(folder / "netready.sqlite") as store:
        moved = store.bytes_moved(*(_days()))
    assert moved == pytest.approx(1.05 * (details["bytes_received"] + details["bytes_sent"]), abs=2)


def test_alone_on_the_line_there_is_no_load(school, folder):
    _done, found = measure(school, folder)
    assert found["details"]["load_during_from"] == "router 10.20.0.1 wan0"
    assert found["details"]["load_during"] <= found["details"]["load_resolution"]


def test_a_busy_line_is_left_to_the_others(school, folder):
    with school.cross("down", rate=25e6, shape="constant"):
        time.sleep(0.5)
        done, found = measure(school, folder)
    assert done.returncode == 3
    assert (found["value"], found["failure"]) == (None, "line-busy")
    assert "of the contract (router 10.20.0.1 wan0)" in found["details"]["reason"]


def test_a_router_that_does_not_answer_costs_only_the_load(school, folder):
    (folder / "community.txt").write_text("another\n")
    done, found = measure(school, folder)
    assert done.returncode == 0
    assert found["value"] == pytest.approx(RATE * 1448 / 1500, rel=0.05)
    assert found["details"]["load_during_note"].startswith("router 10.20.0.1 wan0: ")
    assert found["details"]["load_during_from"] == "this machine's interface"
    assert "another" not in done.stderr + done.stdout


def _days():
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC)
    return now - timedelta(days=1), now + timedelta(days=1)
