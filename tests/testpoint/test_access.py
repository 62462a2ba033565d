"""Who may use a testpoint: tokens, budgets, and who may see its numbers."""

import contextlib
import http.client
import shutil
import socket
import stat
import subprocess
import sys
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from probes.throughput.handshake import Request
from testpoint.address import is_near
from testpoint.token import is_authorised, read_token

TOKEN = "an.example-of_a~token+with/all=="
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "net.measurementlab.ndt.v7",
}


def ask(server, path, method="GET", body=None, **fields):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request(method, path, body=body, headers=fields)
        response = connection.getresponse()
        return response, response.read() if response.status != 101 else b""
    finally:
        connection.close()


def numbers(server):
    """The exposition as {(name, labels): value}, read by Prometheus's own parser."""
    response, page = ask(server, "/metrics")
    assert response.status == 200
    families = text_string_to_metric_families(page.decode())
    return {(one.name, *sorted(one.labels.values())): one.value for family in families for one in family.samples}


def test_with_a_token_only_the_health_page_is_open(inside):
    server = inside(token=TOKEN)
    assert ask(server, "/healthz")[0].status == 200
    for path in ("/", "/metrics", "/empty.php", "/ndt/v7/download", "/nowhere", "/speedtest/latency.txt"):
        response, _ = ask(server, path)
        assert (response.status, response.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert ask(server, path, Authorization="Bearer another-token-of-16")[0].status == 401
    for shown in ("Bearer ", "bearer   ", "BEARER "):
        assert ask(server, "/empty.php", Authorization=shown + TOKEN)[0].status == 200
    assert ask(server, "/empty.php?r=1&access_token=an.example-of_a~token%2Bwith/all%3D%3D")[0].status == 200
    assert ask(server, "/ndt/v7/download?access_token=an.example-of_a~token%2Bwith/all%3D%3D", **UPGRADE)[0].status == 101
    server.stop()
    assert TOKEN not in "".join(server.lines)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", {}),
        ("", {"authorization": TOKEN}),
        ("", {"authorization": f"Basic {TOKEN}"}),
        ("", {"authorization": f"Bearer {TOKEN}x"}),
        ("", {"authorization": f"Bearer {TOKEN[:-1]}"}),
        ("", {"authorization": "Bearer"}),
        ("", {"authorization": f"Bearer {TOKEN}, Bearer {TOKEN}"}),
        ("", {"authorization": "Bearer \xe9\xff"}),
        ("access_token=", {}),
        ("access_token=%ff%fe", {}),
        ("token=x", {"cookie": TOKEN}),
        ("&".join(["a=b"] * 100), {}),
    ],
)
def test_what_is_not_the_token_is_no_token(query, fields):
    assert not is_authorised(Request("GET", "/", query, fields), TOKEN)


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        ("a-token-of-sixteen-or-more\n", 0o644, "may be read by everybody; run: chmod o-rwx"),
        ("short\n", 0o600, "at least 16"),
        ("", 0o600, "at least 16"),
        ("two tokens-in-one-file\n", 0o600, "must hold one token"),
        ("two-tokens-in-one-file\nan-old-and-a-new-one\n", 0o600, "must hold one token"),
        ("x" * 5000, 0o600, "must hold one token"),
    ],
)
def test_a_token_file_that_will_not_do_is_refused_in_one_sentence(tmp_path, content, mode, words):
    file = tmp_path / "token"
    file.write_text(content)
    file.chmod(mode)
    done = subprocess.run(
        [sys.executable, "-m", "testpoint", "--listen", "127.0.0.1:0", "--token-file", str(file)],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_token_file_for_its_group_is_read(tmp_path):
    file = tmp_path / "token"
    file.write_text(f"  {TOKEN}\n")
    file.chmod(stat.S_IRUSR | stat.S_IRGRP)
    assert read_token(file) == TOKEN


def test_a_client_that_has_moved_its_bytes_is_told_when_to_come_again(inside):
    server = inside(client_bytes=5_000_000, period=50.0)
    assert len(ask(server, "/garbage.php?ckSize=4")[1]) == 4 << 20
    with pytest.raises((ConnectionError, http.client.IncompleteRead)):
        ask(server, "/garbage.php?ckSize=4")
    for method, path in (("GET", "/garbage.php"), ("GET", "/speedtest/random350x350.jpg"), ("POST", "/empty.php")):
        response, body = ask(server, path, method, b"x" * 10 if method == "POST" else None)
        assert response.status == 429
        assert 0 < int(response.headers["Retry-After"]) <= 50
        assert b"5000000 bytes" in body
    response, _ = ask(server, "/ndt/v7/upload", **UPGRADE)
    assert (response.status, response.headers["Retry-After"] is None) == (429, False)
    assert ask(server, "/empty.php")[0].status == 200
    found = numbers(server)
    assert found["netready_testpoint_refusals_total", "client_bytes"] == 4


def test_an_upload_beyond_the_budget_is_broken_off(inside):
    server = inside(client_bytes=5_000_000)
    with contextlib.suppress(ConnectionError):
        response, _ = ask(server, "/empty.php", "POST", bytes(50_000_000))
        assert response.status == 429
    assert ask(server, "/empty.php", "POST", b"x")[0].status == 429
    found = numbers(server)
    assert 5_000_000 <= found["netready_testpoint_transferred_bytes_total", "received"] < 20_000_000


def test_an_ndt7_test_beyond_the_budget_ends_with_close(inside):
    server = inside(client_bytes=50_000_000)
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        lines = "".join(f"{name}: {value}\r\n" for name, value in UPGRADE.items())
        connection.sendall(f"GET /ndt/v7/download HTTP/1.1\r\nHost: here\r\n{lines}\r\n".encode())
        started, last = time.monotonic(), b""
        with contextlib.suppress(ConnectionError):
            while b"budget here is used up" not in last and (data := connection.recv(1 << 18)):
                last = last[-200:] + data
    assert b"\x03\xe8Your data budget here is used up" in last  # 1000, RFC 6455, 7.4.1
    assert time.monotonic() - started < 3


def test_a_client_with_all_its_places_leaves_some_to_others(inside):
    server = inside(tests=3, client_tests=1)
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(b"GET /garbage.php?ckSize=1024 HTTP/1.1\r\nHost: here\r\n\r\n")
        connection.recv(4096)
        response, _ = ask(server, "/speedtest/random350x350.jpg")
        assert (response.status, response.headers["Retry-After"]) == (429, "30")
        assert ask(server, "/garbage.php?ckSize=1")[0].status == 200  # LibreSpeed has its place already
        other = socket.create_connection(("127.0.0.1", server.port), timeout=5, source_address=("127.0.0.2", 0))
        with other:
            other.sendall(b"GET /speedtest/random350x350.jpg HTTP/1.1\r\nHost: here\r\n\r\n")
            assert other.recv(4096).startswith(b"HTTP/1.1 200 OK")
        found = numbers(server)
        assert found["netready_testpoint_tests_running",] == 2
        assert found["netready_testpoint_clients",] == 2
        assert found["netready_testpoint_connections_open",] >= 2


def test_the_streams_of_one_throughput1_test_share_a_place(inside):
    server = inside(client_tests=1, streams=3)
    asked = UPGRADE | {"Sec-WebSocket-Protocol": "net.measurementlab.throughput.v1"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in asked.items())
    with contextlib.ExitStack() as stack:

        def begin(mid):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=5))
            path = f"/throughput/v1/upload?mid={mid}&streams=3&duration=5000"
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: here\r\n{lines}\r\n".encode())
            return connection.recv(4096)[9:12]

        assert [begin("one") for _ in range(3)] == [b"101"] * 3
        assert numbers(server)["netready_testpoint_tests_running",] == 1
        assert begin("one") != b"101"
        assert begin("two") != b"101"
    time.sleep(0.3)
    found = numbers(server)
    assert found["netready_testpoint_tests_running",] == 0
    assert found["netready_testpoint_refusals_total", "streams"] == 1
    assert found["netready_testpoint_refusals_total", "client_tests"] == 1


def test_the_numbers_add_up(inside):
    server = inside(token="")
    ask(server, "/garbage.php?ckSize=1")
    ask(server, "/speedtest/upload.php", "POST", bytes(1_000_000))
    ask(server, "/nowhere")
    time.sleep(2.1)
    found = numbers(server)
    assert found["netready_testpoint_tests_total", "done", "librespeed"] == 1
    assert found["netready_testpoint_tests_total", "done", "mini"] == 1
    assert found["netready_testpoint_transferred_bytes_total", "received"] == 1_000_000
    assert (1 << 20) < found["netready_testpoint_transferred_bytes_total", "sent"] < (1 << 20) + 2000
    assert found["netready_testpoint_connections_total", "clear"] == 4
    assert found["netready_testpoint_connections_total", "tls"] == 0
    assert found["netready_testpoint_refusals_total", "token"] == 0
    assert found["netready_testpoint_tests_running",] == 0


def test_nothing_of_prometheus_is_loaded_before_somebody_asks():
    script = "import sys, testpoint.server; sys.exit(any(name.startswith('prometheus') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", script], timeout=20, check=False).returncode == 0


@pytest.mark.tool("promtool")
def test_promtool_finds_nothing_to_say_about_the_metrics(standing):
    _, page = ask(standing, "/metrics")
    done = subprocess.run(
        [shutil.which("promtool"), "check", "metrics"], input=page, capture_output=True, timeout=20, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("host", "near"),
    [
        ("127.0.0.1", True),
        ("10.9.8.7", True),
        ("172.31.255.255", True),
        ("172.32.0.0", False),
        ("192.168.1.1", True),
        ("169.254.0.9", True),
        ("198.51.100.1", False),
        ("100.64.0.1", False),
        ("::1", True),
        ("fe80::1", True),
        ("fd00::1", True),
        ("2001:db8::1", False),
    ],
)
def test_metrics_are_for_this_machine_and_private_addresses(host, near):
    assert is_near(host) == near


@pytest.mark.namespaces
def test_metrics_are_shown_to_others_only_when_asked_for(line, far):
    shaped = line(50_000_000)
    far(listen=f"{shaped.far_address}:7000", enter=shaped.far)
    far("--metrics-open", listen=f"{shaped.far_address}:7001", enter=shaped.far)
    for port, status in ((7000, "403"), (7001, "200")):
        script = (
            "import http.client,sys;"
            f"c=http.client.HTTPConnection('{shaped.far_address}',{port},timeout=5);"
            "c.request('GET','/metrics');print(c.getresponse().status)"
        )
        done = subprocess.run(
            [*shaped.near, sys.executable, "-c", script], capture_output=True, text=True, timeout=20, check=False
        )
        assert done.stdout.strip() == status
