"""What an ndt7 test with a server of one's own asks before it trusts it, and when it stops for its data budget."""

import json
import socket
import time

import pytest
import trustme

from netready.failure import Failure
from probes.throughput.ndt7 import INSTRUMENT, read
from probes.throughput.settings import Direction, Throughput
from probes.throughput.websocket import Opcode, encode


def run(server, context, direction, **settings):
    usual = {"seconds": 1.0, "handshake_timeout": 1.0, "timeout": 1.0}
    (found,) = read(Throughput(server=server, direction=direction, **(usual | settings)), context)
    return found


RATE = 1_000_000  # bytes/s


def gives_slowly(peer):
    peer.agree()
    piece = encode(Opcode.BINARY, bytes(RATE // 100))
    for _ in range(1000):
        peer.send(piece)
        peer.wait(0.01)


def takes_slowly(peer):
    peer.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)
    peer.agree()
    start, count = time.monotonic(), 0
    while chunk := peer.connection.recv(1 << 14):
        count += len(chunk)
        elapsed = int(1e6 * (time.monotonic() - start))
        peer.send(encode(Opcode.TEXT, json.dumps({"TCPInfo": {"ElapsedTime": elapsed, "BytesReceived": count}}).encode()))
        peer.wait(max(0.0, start + count / RATE - time.monotonic()))


@pytest.mark.parametrize(("direction", "script"), [(Direction.DOWN, gives_slowly), (Direction.UP, takes_slowly)])
def test_a_spent_budget_ends_the_test_and_lowers_the_grade(direction, script, hostile, context):
    found = run(hostile(script), context, direction, seconds=9, most_bytes=3_000_000)
    assert found.details["ended"] == "data-budget"
    assert found.details["limited_by"] == ["data-budget", "loopback"]
    assert found.details["bytes_sent"] + found.details["bytes_received"] == pytest.approx(3_000_000, rel=0.06)
    assert found.details["seconds"] < 8.9
    assert 0.3 * 8 * RATE < found.value < 1.25 * 8 * RATE  # a busy machine makes the server slower, never faster


def test_a_budget_that_is_spent_too_soon_leaves_no_figure(testpoint_at, context):
    for direction in (Direction.DOWN, Direction.UP):
        found = run(testpoint_at(), context, direction, seconds=8.0, most_bytes=3_000_000)
        assert found.failure is Failure.DATA_BUDGET
        assert found.details["bytes_sent"] <= 3_100_000
        assert "too little for a figure" in found.details["reason"]


def test_the_foretold_load_knows_the_budget():
    assert INSTRUMENT.load(Throughput(server="h:1", most_bytes=5_000_000), 100e6) == 10e6


def test_the_pin_and_the_token_are_used(testpoint_at, context, tmp_path):
    issued = trustme.CA(organization_name="School").issue_cert("127.0.0.1")
    paths = {name: str(tmp_path / name) for name in ("cert", "key", "token")}
    issued.cert_chain_pems[0].write_to_path(paths["cert"])
    issued.private_key_pem.write_to_path(paths["key"])
    (tmp_path / "token").write_text("let-me-in-0123456789\n")
    (tmp_path / "token").chmod(0o600)
    server = testpoint_at("--cert", paths["cert"], "--key", paths["key"], "--token-file", paths["token"])
    stranger = run(server, context, Direction.DOWN, tls=True, pin="0" * 64, token_file=paths["token"])
    assert stranger.failure is Failure.TLS_CERTIFICATE
    assert "issued by School" in stranger.details["reason"]
    silent = run(server, context, Direction.DOWN)
    assert silent.failure is Failure.SERVER_BUSY
    assert run(server, context, Direction.DOWN, token_file=paths["token"]).value > 1e6
