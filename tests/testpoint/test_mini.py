"""The speedtest-cli package's own client against ours, in a network that reaches nobody else."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from probes.throughput.speedtest_job import PICTURES

CLIENT = Path(sys.executable).with_name("speedtest-cli")


@pytest.fixture
def speedtest():
    """Run the published client; its JSON."""
    if not CLIENT.is_file():
        why = "speedtest-cli is not installed in this environment; pip install speedtest-cli"
        if os.environ.get("NETREADY_ALL_TOOLS"):
            pytest.fail(why)
        pytest.skip(why)

    def run(enter, where, *arguments):
        done = subprocess.run(
            [*enter, str(CLIENT), "--mini", f"http://{where}/", "--json", *arguments],
            env={"PATH": os.environ["PATH"], "http_proxy": f"http://{where}", "no_proxy": where.partition(":")[0]},
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def get(server, path):
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://{server.address}{path}", timeout=5) as page:
        return page.read()


def test_the_pages_that_it_wants_are_here(standing):
    assert re.findall(r'upload_?[Ee]xtension: "([^"]+)"', get(standing, "/?x=1.0").decode()) == ["php"]
    assert get(standing, "/speedtest/latency.txt?x=1.0")[:9] == b"test=test"
    assert get(standing, "/speedtest/upload.php") == b"size=0"
    for width in (350, 500):
        assert len(get(standing, f"/speedtest/random{width}x{width}.jpg?x=1.0")) == PICTURES[width]


@pytest.mark.namespaces
def test_speedtest_cli_runs_to_its_end(island, far, speedtest):
    server = far(listen="127.0.0.1:7000", enter=island.enter)
    found = speedtest(island.enter, server.address)
    assert found["server"]["name"] == "127.0.0.1:7000"
    assert found["client"]["ip"] == "127.0.0.1"
    assert found["ping"] < 100
    # Its own limit is bytes, not time: four of each picture, and 51 uploads.
    assert found["bytes_received"] == 4 * sum(PICTURES.values())
    assert found["bytes_sent"] > 100e6
    assert found["download"] > 100e6
    assert found["upload"] > 100e6
    server.stop()
    (entry,) = [line for line in server.log.splitlines() if " mini " in line]
    moved = int(entry.partition(" bytes")[0].rpartition(" ")[2])
    assert moved > found["bytes_received"] + found["bytes_sent"]


@pytest.mark.namespaces
def test_it_may_be_told_not_to_load_one_way(island, far, speedtest):
    server = far(listen="127.0.0.1:7000", enter=island.enter)
    found = speedtest(island.enter, server.address, "--no-upload")
    assert found["bytes_sent"] == 0
    assert found["bytes_received"] == 4 * sum(PICTURES.values())
