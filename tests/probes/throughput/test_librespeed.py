"""LibreSpeed's endpoints, loaded for real: by our client against our testpoint, and against servers with other manners."""

import contextlib
import http.server
import socket
import threading
import time

import pytest
import trustme

from netready.authority import Refused
from netready.failure import Failure
from probes.throughput.librespeed import INSTRUMENT, read
from probes.throughput.settings import Direction, Throughput


def run(server, context, direction, **settings):
    wanted = Throughput(
        server=server, direction=direction, **({"seconds": 1.2, "handshake_timeout": 2, "timeout": 1} | settings)
    )
    (found,) = read(wanted, context)
    return found


def test_a_server_that_nobody_named_is_refused_before_the_first_packet(context):
    with pytest.raises(Refused, match="nothing was sent"):
        next(read(Throughput(server="192.0.2.1:80"), context))


def test_both_directions_say_how_the_figure_was_obtained(testpoint_at, context):
    down, up = read(Throughput(server=testpoint_at(), seconds=1.2), context)
    assert (down.metric, up.metric) == ("throughput_down", "throughput_up")
    assert (down.details["streams"], up.details["streams"]) == (6, 3)
    assert (down.details["counted_by"], up.details["counted_by"]) == ("this side", "this side (bytes acknowledged)")
    for found in (down, up):
        assert found.method == "librespeed/1"
        assert found.value > 1e6
        assert found.details["ended"] == "stop"
        assert found.details["limited_by"] == "loopback"
        assert found.details["layer"] == "TCP payload"
        assert found.details["overhead_factor"] == "none applied; LibreSpeed's web page multiplies by 1.06"


def test_the_warm_up_is_left_out_of_the_figure_and_its_bytes_are_still_told(testpoint_at, context):
    found = run(testpoint_at(), context, Direction.DOWN)
    assert found.details["warm_up"] == pytest.approx(0.6, abs=0.2)  # half of a test that is shorter than twice the page's
    assert found.details["seconds"] == pytest.approx(0.6, abs=0.2)
    assert found.details["bytes_received"] > 1.2 * found.value * found.details["seconds"] / 8


def test_the_token_and_the_pinned_or_authorised_key_are_used(testpoint_at, context, tmp_path):
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    paths = {name: str(tmp_path / name) for name in ("cert", "key", "token", "ca")}
    issued.cert_chain_pems[0].write_to_path(paths["cert"])
    issued.private_key_pem.write_to_path(paths["key"])
    authority.cert_pem.write_to_path(paths["ca"])
    (tmp_path / "token").write_text("let-me-in-0123456789\n")
    (tmp_path / "token").chmod(0o600)
    server = testpoint_at("--cert", paths["cert"], "--key", paths["key"], "--token-file", paths["token"])
    safe = {"tls": True, "ca": paths["ca"]}
    good = run(server, context, Direction.UP, token_file=paths["token"], **safe)
    assert good.value > 1e6
    assert good.details["layer"] == "TCP payload"
    assert run(server, context, Direction.DOWN, token_file=paths["token"], **safe).value > 1e6
    assert run(server, context, Direction.DOWN, **safe).failure in {Failure.SERVER_BUSY, Failure.HTTP_STATUS}
    other = run(server, context, Direction.DOWN, tls=True, pin="0" * 64)
    assert other.failure is Failure.TLS_CERTIFICATE
    assert "inspects TLS" in other.details["reason"]


@pytest.mark.parametrize("direction", [Direction.DOWN, Direction.UP])
def test_a_spent_budget_ends_the_test(direction, hostile, context):
    tally = [(time.monotonic(), 0)]
    limited = run(steady(hostile, 4_000_000, tally), context, direction, streams=1, seconds=4, most_bytes=14_000_000)
    assert limited.details["ended"] == "data-budget"
    assert limited.details["limited_by"] == ["data-budget", "loopback"]
    assert limited.details["bytes_sent"] + limited.details["bytes_received"] < 15_000_000
    window = limited.details["seconds"]
    before = max(moved for at, moved in tally if at <= tally[-1][0] - window)
    assert limited.value == pytest.approx(8 * (tally[-1][1] - before) / window, rel=0.1)


def test_a_budget_that_does_not_outlast_the_warm_up_leaves_no_figure(testpoint_at, context):
    found = run(testpoint_at(), context, Direction.UP, most_bytes=1_000_000)
    assert found.failure is Failure.DATA_BUDGET
    assert "during its warm-up" in found.details["reason"]
    assert found.details["bytes_sent"] <= 1_100_000


def steady(hostile, rate, tally):
    """A server that gives and takes `rate` bytes a second where the machine lets it, and tells when it had moved how many."""

    def script(peer):
        peer.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        head = peer.head()
        if b"getIP" in head:
            peer.send(b'HTTP/1.1 200 OK\r\nContent-Length: 31\r\n\r\n{"processedString":"127.0.0.1"}')
            return
        if b"GET" in head:
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
        piece, start = rate // 100, time.monotonic()
        for turn in range(500):
            if b"GET" in head:
                peer.send(bytes(piece))
            else:
                left = piece
                while left and (chunk := peer.connection.recv(left)):
                    left -= len(chunk)
                if left:
                    return
            tally.append((time.monotonic(), tally[-1][1] + piece))
            peer.wait(max(0.0, start + turn / 100 - time.monotonic()))

    return hostile(script)


class Old(http.server.BaseHTTPRequestHandler):
    """A LibreSpeed server behind HTTP/1.0: one request for each connection, no lengths, 2 MiB whatever was asked."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(b"127.0.0.1\n" if "getIP" in self.path else bytes(1 << 21))

    def do_POST(self):
        left = int(self.headers["Content-Length"])
        with contextlib.suppress(OSError):
            while left and (chunk := self.rfile.read(min(left, 1 << 16))):
                left -= len(chunk)
            self.send_response(200)
            self.end_headers()

    def log_message(self, *arguments):
        pass


class Chunked(Old):
    """As PHP behind a web server does it: chunks, and connections that stay; under LibreSpeed's page, in /backend."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b'{"processedString":"127.0.0.1 - School","rawIspInfo":""}' if "getIP" in self.path else bytes(1 << 20)
        self.send_response(200 if self.path.startswith("/backend/") else 404)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(100 if "ckSize=100" in self.path else 1):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(body), body))
            self.wfile.write(b"0\r\n\r\n")

    def do_POST(self):
        super().do_POST()
        with contextlib.suppress(OSError):
            self.wfile.flush()

    def end_headers(self):
        if self.command == "POST":
            self.send_header("Content-Length", "0")
        super().end_headers()


@pytest.fixture
def web():
    """Serve with a handler of the standard library; "HOST:PORT"."""
    servers = []

    def start(handler):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.handle_error = lambda *_: None
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        servers.append(server)
        return f"127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("direction", [Direction.DOWN, Direction.UP])
@pytest.mark.parametrize("handler", [Old, Chunked])
def test_servers_with_other_manners_are_measured_too(handler, direction, web, context):
    found = run(web(handler), context, direction)
    assert found.failure is None, found.details
    assert found.value > 1e6
    assert found.details["ended"] == "stop"


def test_the_row_says_what_it_will_cost():
    both = Throughput(server="h:1", methods=("librespeed",))
    assert INSTRUMENT.wanted(both)
    assert not INSTRUMENT.wanted(Throughput(server="h:1", methods=("ndt7",)))
    assert INSTRUMENT.load(both, 100e6) == 250e6
    assert INSTRUMENT.load(Throughput(server="h:1", most_bytes=10_000_000), 100e6) == 20e6
    assert INSTRUMENT.missing(Throughput()) == "no test server is named in [throughput]"
    assert INSTRUMENT.missing(Throughput(server="h:1", token_file="/nowhere")) == "the token file /nowhere cannot be read"
    assert INSTRUMENT.hosts(both) == ("h",)
