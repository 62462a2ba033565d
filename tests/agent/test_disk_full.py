"""A disk that is really full: a small tmpfs in a mount namespace of our own."""

import json
import os
import subprocess
import sys

import pytest

from store import open_store

pytestmark = pytest.mark.namespaces

SITE = """
[site]
name = "Lincoln"
students = 480
staff = 40
classrooms = 24
[latency]
targets = ["127.0.0.1:9"]
count = 5
interval = 0.02
[store]
path = "STORE"
[exporter]
listen = "127.0.0.1:19810"
"""
# Leaves ROOM bytes free on the disk, runs netready there, then removes the ballast and copies what is left to a safe place.
INSIDE = """
import os, pathlib, shutil, subprocess, sys
sys.path[:0] = PATHS
from store import open_store
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", "disk"], check=True)
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
if STORE.startswith("disk/"):
    open_store(pathlib.Path(STORE)).close()
free = os.statvfs("disk").f_bavail * os.statvfs("disk").f_frsize
with open("disk/ballast", "wb") as ballast:
    ballast.write(bytes(free - ROOM))
done = subprocess.run([sys.executable, "-m", "agent", *sys.argv[1:]])
pathlib.Path("disk/ballast").unlink()
shutil.copytree("disk", "after")
sys.exit(done.returncode)
"""
SHM = 32 * 1024  # SQLite's shared memory, which it needs to open a database
A_PAGE = 4096


@pytest.fixture
def netready(tmp_path):
    def run(*args, room, store="disk/netready.sqlite"):
        (tmp_path / "disk").mkdir()
        (tmp_path / "netready.toml").write_text(SITE.replace("STORE", store))
        script = INSIDE.replace("PATHS", repr([p for p in sys.path if p])).replace("ROOM", str(room))
        flags = "-nm" if os.geteuid() == 0 else "-Urnm"
        return subprocess.run(
            ["unshare", flags, sys.executable, "-c", script.replace("STORE", repr(store)), *args],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )

    return run


def kept(tmp_path):
    with open_store(tmp_path / "after" / "netready.sqlite") as store:
        return store.last_survey()


def test_an_audit_that_cannot_be_kept_prints_its_figures_and_says_so(netready, tmp_path):
    done = netready("audit", room=SHM + 3 * A_PAGE)
    assert done.returncode == 3, done.stderr
    assert "packet_loss" in done.stdout
    assert "host_uptime" in done.stdout
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"netready: {tmp_path}/disk/netready.sqlite: the database cannot be used (")
    assert last.endswith("the survey was not kept and nothing was judged; its figures are printed and nowhere else")
    assert "Traceback" not in done.stderr
    assert kept(tmp_path) is None


def test_as_json_the_whole_survey_is_printed(netready, tmp_path):
    done = netready("audit", "--json", room=SHM + 3 * A_PAGE)
    assert done.returncode == 3, done.stderr
    found = json.loads(done.stdout)
    assert {each["metric"] for each in found["survey"]["measurements"]} >= {"packet_loss", "host_uptime"}
    assert "the database cannot be used" in found["not_kept"]
    assert kept(tmp_path) is None


def test_a_database_that_cannot_be_opened_stops_everything_before_it_begins(netready, tmp_path):
    done = netready("audit", room=A_PAGE)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert kept(tmp_path) is None


def test_the_agent_shows_and_logs_what_it_cannot_keep(netready, tmp_path):
    done = netready("run", "--surveys", "1", "--interval", "2s", room=SHM + 3 * A_PAGE)
    assert done.returncode == 0, done.stderr
    assert "packet_loss" in done.stderr
    assert "a survey failed: StoreError: " in done.stderr
    assert "the survey was not kept and nothing was judged" in done.stderr
    assert kept(tmp_path) is None


def test_a_report_that_cannot_be_written_does_not_keep_the_answer_back(netready, tmp_path):
    done = netready("audit", "--out", "disk/report", room=2 * A_PAGE, store="safe.sqlite")
    assert done.returncode == 2
    assert "CANNOT SAY" in done.stdout
    assert "Report:" not in done.stdout
    assert done.stderr.splitlines()[-1].endswith("cannot be written: No space left on device")
    assert not list((tmp_path / "after" / "report").glob("*.partial"))
    assert not (tmp_path / "after" / "report" / "report.html").exists()
    with open_store(tmp_path / "safe.sqlite") as store:
        assert store.last_survey() is not None


def test_a_single_measurement_is_made_and_its_bytes_are_said_not_to_be_counted(netready):
    done = netready("measure", "latency", "127.0.0.1:9", room=A_PAGE)
    assert done.returncode == 3  # nothing listens there
    assert "refused" in done.stdout
    assert "is not counted: " in done.stderr
    assert "Traceback" not in done.stderr
