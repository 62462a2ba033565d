"""LibreSpeed's clients: the requests that its web page and its command line make, in their order."""

import http.client
import json
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import pytest

MEBIBYTE = 1 << 20


def ask(server, method, path, **more):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request(method, path, **more)
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize("folder", ["", "/backend"])
@pytest.mark.parametrize("ending", ["", ".php"])
def test_its_three_endpoints_answer_under_all_their_names(standing, folder, ending):
    response, body = ask(standing, "GET", f"{folder}/garbage{ending}?ckSize=2&r=0.37&cors=true")
    assert (response.status, len(body)) == (200, 2 * MEBIBYTE)
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Transfer-Encoding"] == "binary"
    assert "no-store" in response.headers["Cache-Control"]
    assert response.headers["Content-Encoding"] is None
    for method in ("GET", "POST"):
        response, body = ask(standing, method, f"{folder}/empty{ending}?r=0.5")
        assert (response.status, body) == (200, b"")
    response, body = ask(standing, "GET", f"{folder}/getIP{ending}?isp=true&distance=km&r=0.1")
    assert json.loads(body) == {"processedString": "127.0.0.1", "rawIspInfo": ""}


@pytest.mark.parametrize(
    ("query", "mebibytes"),
    [
        ("", 4),
        ("?ckSize=1", 1),
        ("?ckSize=0", 4),
        ("?ckSize=-3", 4),
        ("?ckSize=x", 4),
        ("?ckSize=", 4),
        ("?ckSize=99999", 1024),
    ],
)
def test_a_download_is_as_long_as_asked_for_within_bounds(standing, query, mebibytes):
    response, _ = ask(standing, "HEAD", f"/garbage.php{query}")
    assert int(response.headers["Content-Length"]) == mebibytes * MEBIBYTE


def test_a_download_cannot_be_compressed(standing):
    _, body = ask(standing, "GET", "/garbage.php?ckSize=1")
    assert len(zlib.compress(body)) > len(body)


def test_a_browser_may_use_it_from_a_page_of_another_origin(standing):
    asked = {"Origin": "http://elsewhere.example", "Access-Control-Request-Method": "POST"}
    asked["Access-Control-Request-Headers"] = "content-encoding"
    response, body = ask(standing, "OPTIONS", "/empty.php?cors=true&r=0.7", headers=asked)
    assert (response.status, body) == (200, b"")
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    assert "Content-Encoding" in response.headers["Access-Control-Allow-Headers"]
    for path in ("/garbage.php?ckSize=1", "/empty.php", "/getIP.php"):
        response, _ = ask(standing, "GET", path, headers={"Origin": "http://elsewhere.example"})
        assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.namespaces
@pytest.mark.slow
@pytest.mark.tool("chromium")
def test_chromium_lets_a_page_of_another_origin_use_it(island, far):
    pytest.importorskip("playwright", reason="playwright is not installed; pip install -e '.[dev]'")
    server = far(listen="127.0.0.1:7000", enter=island.enter)
    script = Path(__file__).with_name("browse.py")
    done = subprocess.run(
        [*island.enter, sys.executable, str(script), str(server.port)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "getIP": [200, 47],
        "ping": [200, 0],
        "garbage": [200, 2 * MEBIBYTE],
        "upload": [200, 0],
        "metrics": "refused",  # for no page's eyes
    }


def test_the_web_page_s_test_runs_as_its_worker_asks_for_it(far):
    server = far("--max-tests", "1")
    pinged, address = _ping(server)
    assert address["processedString"] == "127.0.0.1"
    assert pinged < 0.1
    down, up = _load(server, 6, _download), _load(server, 3, _upload)
    assert down > 20 * MEBIBYTE
    assert up > 20 * MEBIBYTE
    server.stop()
    (entry,) = [line for line in server.log.splitlines() if "librespeed" in line]
    assert "127.0.0.1 librespeed" in entry
    moved = int(entry.partition(" bytes")[0].rpartition(" ")[2])
    assert moved >= down + up


def _ping(server):
    """Its address and ten pings, on one connection; the shortest in seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    times = []
    connection.request("GET", "/getIP.php?isp=true&distance=km&r=0.1")
    address = json.loads(connection.getresponse().read())
    for number in range(10):
        started = time.monotonic()
        connection.request("GET", f"/empty.php?cors=true&r=0.{number}")
        assert connection.getresponse().read() == b""
        times.append(time.monotonic() - started)
    connection.close()
    return min(times), address


def _load(server, streams, one):
    """The page begins its streams one after the other and breaks them off when its time is over; the bytes of all."""
    counts, end = [], time.monotonic() + 1.0 + 0.1 * streams
    threads = [threading.Thread(target=one, args=(server, end, counts)) for _ in range(streams)]
    for thread in threads:
        thread.start()
        time.sleep(0.1)
    for thread in threads:
        thread.join()
    assert len(counts) == streams
    return sum(counts)


def _download(server, end, counts):
    connection, count = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10), 0
    while time.monotonic() < end:
        connection.request("GET", "/garbage.php?r=0.3&ckSize=100", headers={"Accept-Encoding": "gzip, deflate"})
        response = connection.getresponse()
        assert response.status == 200
        while time.monotonic() < end and (chunk := response.read(1 << 18)):
            count += len(chunk)
    connection.close()
    counts.append(count)


def _upload(server, end, counts):
    connection, count = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10), 0
    blob = bytes(20 * MEBIBYTE)
    while time.monotonic() < end:
        connection.request("POST", "/empty.php?r=0.3", body=blob, headers={"Content-Encoding": "identity"})
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b"")
        count += len(blob)
    connection.close()
    counts.append(count)
