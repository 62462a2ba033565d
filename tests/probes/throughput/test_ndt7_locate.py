"""ndt7 with a server that a Locate service chooses. Everything is on loopback: the service is a stand-in, the server ours."""

import http.server
import json
import ssl
import threading

import msgspec
import pytest
import trustme

from netready.authority import Refused
from netready.failure import Failure
from probes.throughput.locate import Directory
from probes.throughput.ndt7 import read
from probes.throughput.settings import Direction, Throughput
from probes.throughput.websocket import Opcode, encode, encode_close

PATH = "/v2/nearest/ndt/ndt7"
SOON = {"locate": True, "accept_mlab_policy": True, "seconds": 0.6, "handshake_timeout": 2.0, "timeout": 1.0}


class StandIn:
    """Answers as Locate v2 does, one after another and the last one again and again; keeps what it was asked."""

    def __init__(self, answers, tls) -> None:
        self.asked = []
        stand_in = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                stand_in.asked.append((self.path, dict(self.headers)))
                status, fields, body = answers.pop(0) if len(answers) > 1 else answers[0]
                self.send_response(status)
                for name, value in fields.items():
                    self.send_header(name, value.replace("{me}", f"http://127.0.0.1:{self.server.server_port}"))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        web, scheme = ("https", "wss") if tls else ("http", "ws")
        url = f"{web}://127.0.0.1:{self.server.server_port}{PATH}"
        self.directory = Directory(url=url, domains=("127.0.0.1",), scheme=scheme, archive="the archive")

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def stand_in():
    started = []

    def start(*answers, tls=None):
        started.append(StandIn(list(answers), tls))
        return started[-1]

    yield start
    for one in started:
        one.close()


def naming(*servers, scheme="ws"):
    """A good answer with these servers, "HOST:PORT"."""
    results = [
        {
            "machine": "mlab1-lo001",
            "urls": {
                f"{scheme}:///ndt/v7/{way}": f"{scheme}://{server}/ndt/v7/{way}?access_token=a.b.c&index={index}&locate_version=v2"
                for way in ("download", "upload")
            },
        }
        for index, server in enumerate(servers)
    ]
    return 200, {"Content-Type": "application/json"}, json.dumps({"results": results}).encode()


def only(direction, stand_in, context, **settings):
    (found,) = read(Throughput(direction=direction, **(SOON | settings)), context, stand_in.directory)
    return found


def test_both_directions_use_the_first_server_after_one_request(testpoint_at, stand_in, context):
    server = testpoint_at()
    service = stand_in(naming(server))
    down, up = read(Throughput(**SOON), context, service.directory)
    assert (down.target, up.target) == (server, server)
    assert down.value > 1e6
    assert up.value > 1e6
    assert (down.details["locate_requests"], up.details["locate_requests"]) == (1, 0)
    ((path, fields),) = service.asked
    assert path.startswith(f"{PATH}?client_name=netready&client_version=")
    assert fields["User-Agent"].startswith("netready/")


def test_the_name_of_a_published_test_is_kept_with_where_it_can_be_looked_up(hostile, stand_in, context):
    def script(peer):
        peer.agree()
        told = {"ConnectionInfo": {"UUID": "ndt-abc_1699_00000042"}, "TCPInfo": {"ElapsedTime": 1}}
        peer.send(encode(Opcode.TEXT, json.dumps(told).encode()))
        peer.send_until(encode(Opcode.BINARY, bytes(1 << 14)), 0.5)
        peer.send(encode_close(1000, ""))
        peer.swallow(0.1)

    found = only(Direction.DOWN, stand_in(naming(hostile(script))), context)
    assert found.details["server_uuid"] == "ndt-abc_1699_00000042"
    assert found.details["published"] == "the archive"


def test_the_url_is_used_verbatim_and_only_words_about_the_client_are_added(hostile, stand_in, context):
    heads = []

    def script(peer):
        heads.append(peer.head().decode())
        peer.send(b"HTTP/1.1 503 Busy\r\n\r\n")

    only(Direction.UP, stand_in(naming(hostile(script))), context)
    target = heads[0].split()[1]
    assert target.startswith("/ndt/v7/upload?access_token=a.b.c&index=0&locate_version=v2&client_name=netready&client_version=")


@pytest.mark.parametrize("script", ["refuses", b"HTTP/1.1 503 Busy\r\n\r\n", b"HTTP/1.1 401 No\r\n\r\n"])
def test_a_server_that_does_not_take_the_test_is_followed_by_the_next(script, hostile, testpoint_at, stand_in, context):
    gone = "127.0.0.1:1" if script == "refuses" else hostile(lambda peer: (peer.head(), peer.send(script)))
    good = testpoint_at()
    found = only(Direction.DOWN, stand_in(naming(gone, good)), context)
    assert found.target == good
    assert found.value > 1e6


def test_a_server_that_breaks_under_load_is_not_followed_by_another(hostile, testpoint_at, stand_in, context):
    def script(peer):
        peer.agree()
        peer.reset()

    bad = hostile(script)
    found = only(Direction.DOWN, stand_in(naming(bad, testpoint_at())), context)
    assert found.target == bad
    assert found.failure in {Failure.RESET, Failure.CLOSED_EARLY}


def test_when_nobody_takes_the_test_the_last_refusal_is_told(stand_in, context):
    found = only(Direction.DOWN, stand_in(naming("127.0.0.1:1", "127.0.0.1:2")), context)
    assert found.failure is Failure.REFUSED
    assert found.target == "127.0.0.1:2"
    assert found.details["locate_requests"] == 1


@pytest.mark.parametrize(
    ("answer", "failure", "words"),
    [
        ((429, {}, b'{"error":{"status":429}}'), Failure.SERVER_BUSY, "fewer requests from this address (429)"),
        ((503, {}, b""), Failure.SERVER_BUSY, "no server to give just now (503)"),
        ((500, {}, b""), Failure.SERVER_BUSY, "try again in 60 s"),
        ((204, {}, b""), Failure.SERVER_BUSY, "(204)"),
        ((404, {}, b""), Failure.HTTP_STATUS, "answered 404"),
        ((200, {}, b"<html>Log in</html>"), Failure.MALFORMED, "not a list of servers"),
        ((200, {}, b'{"results":[' + b" " * 100_000), Failure.TOO_LARGE, "65536 bytes"),
        ((200, {"Content-Length": "90"}, b"{"), Failure.CLOSED_EARLY, "before its answer was complete"),
        ((302, {"Location": "http://192.0.2.1/"}, b""), Failure.HTTP_STATUS, "http://192.0.2.1/"),
        ((302, {"Location": "{me}@192.0.2.1/"}, b""), Failure.HTTP_STATUS, "which it is not"),
        ((302, {"Location": "http://[::1"}, b""), Failure.HTTP_STATUS, "which it is not"),
        ((302, {"Location": PATH}, b""), Failure.REDIRECT_LOOP, "more than 3 times"),
        (naming("192.0.2.1:80"), Failure.NOT_AUTHORISED, "none of its own servers"),
    ],
)
def test_what_the_service_refuses_or_garbles_is_one_word_for_both_directions(answer, failure, words, stand_in, context):
    service = stand_in(answer)
    down, up = read(Throughput(**SOON), context, service.directory)
    assert (down.failure, up.failure) == (failure, failure)
    assert words in down.details["reason"]
    assert down.target == "127.0.0.1"
    assert (down.details["locate_requests"], up.details["locate_requests"]) == (len(service.asked), 0)
    assert len(service.asked) <= 4


def test_a_redirect_within_the_service_is_followed(testpoint_at, stand_in, context):
    service = stand_in((302, {"Location": "{me}/v2/elsewhere"}, b""), naming(testpoint_at()))
    found = only(Direction.DOWN, service, context)
    assert found.value > 1e6
    assert [path.partition("?")[0] for path, _ in service.asked] == [PATH, "/v2/elsewhere"]
    assert found.details["locate_requests"] == 2


def test_a_service_that_dribbles_ends_in_time(hostile, context):
    def script(peer):
        peer.head()
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n":
            peer.send(bytes([byte]))
            peer.wait(0.1)

    directory = Directory(url=f"http://{hostile(script)}{PATH}", domains=("127.0.0.1",), scheme="ws")
    wanted = Throughput(direction=Direction.DOWN, **(SOON | {"handshake_timeout": 0.5}))
    (found,) = read(wanted, context, directory)
    assert found.failure is Failure.TIMEOUT


def test_old_tokens_are_not_used(testpoint_at, stand_in, context):
    service = stand_in(naming(testpoint_at()))
    impatient = msgspec.structs.replace(service.directory, fresh=0.3)  # the upload begins later than that
    down, up = read(Throughput(**SOON), context, impatient)
    assert (down.details["locate_requests"], up.details["locate_requests"]) == (1, 1)
    assert up.value > 1e6


def test_service_and_server_are_only_believed_with_certificates_that_this_machine_trusts(
    testpoint_at, stand_in, context, tmp_path, monkeypatch
):
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(tls)
    cert, key = tmp_path / "cert", tmp_path / "key"
    issued.cert_chain_pems[0].write_to_path(cert)
    issued.private_key_pem.write_to_path(key)
    server = testpoint_at("--cert", str(cert), "--key", str(key), "--tls-only")
    service = stand_in(naming(server, scheme="wss"), tls=tls)
    stranger = only(Direction.DOWN, service, context)
    assert stranger.failure is Failure.TLS_CERTIFICATE
    assert service.asked == []
    authority.cert_pem.write_to_path(tmp_path / "trusted")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted"))
    found = only(Direction.DOWN, service, context)
    assert found.value > 1e6
    assert found.details["layer"] == "TLS payload"


def test_the_service_itself_must_be_authorised(context):
    directory = Directory(url=f"http://192.0.2.1{PATH}", domains=("192.0.2.1",), scheme="ws")
    with pytest.raises(Refused, match="nothing was sent"):
        next(read(Throughput(**SOON), context, directory))


def test_the_run_s_own_authority_is_left_as_it_was(testpoint_at, stand_in, context):
    before = msgspec.structs.asdict(context.authority)
    only(Direction.DOWN, stand_in(naming(testpoint_at())), context)
    assert msgspec.structs.asdict(context.authority) == before


def test_a_school_s_own_token_is_not_shown_to_m_lab(hostile, stand_in, context, tmp_path):
    (tmp_path / "token").write_text("secret-of-the-school")
    heads = []

    def script(peer):
        heads.append(peer.head().decode())
        peer.send(b"HTTP/1.1 503 Busy\r\n\r\n")

    service = stand_in(naming(hostile(script)))
    only(Direction.DOWN, service, context, token_file=str(tmp_path / "token"), pin="0" * 64)
    assert heads
    assert "secret" not in heads[0] + str(service.asked)
