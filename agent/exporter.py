"""The exporter: the small web server that Prometheus scrapes.

A scrape measures nothing and waits for nobody: it reads the finished snapshot of the last survey. Clients are strangers:
one request a connection, bounded in time, bytes and number.
"""

import contextlib
import html
import io
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agent.exposition import PREFIX
from agent.snapshot import State
from netready import __version__

HOST = "127.0.0.1"
PORT = 9810  # in the range that Prometheus's exporters share; that range is full, so any port in it may meet a neighbour

REQUEST_SECONDS = 10.0  # for a whole request and its answer; Prometheus gives up after 10 s by default
REQUEST_BYTES = 16 * 1024  # Prometheus sends less than 1 kB of headers
CONNECTIONS = 16  # at a time; two Prometheus servers and a curious technician need three
STOP_SECONDS = 0.2  # how soon a stop is noticed, at the price of five wake-ups a second


class _Scrape(Collector):
    """Hands the state to prometheus_client, and how long the scrape before this one took."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.seconds: float | None = None

    def collect(self) -> Iterator[Metric]:
        yield from self._state.families()
        if self.seconds is not None:
            text = "How long the scrape before this one took to render"
            yield GaugeMetricFamily(f"{PREFIX}exporter_scrape_duration", text, value=self.seconds, unit="seconds")


class _Door(io.RawIOBase):
    """A request's bytes until the deadline or the budget is reached; a client that drips gains nothing by it."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        super().__init__()
        self._connection = connection
        self._deadline = deadline
        self._left = REQUEST_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._left <= 0:
            raise TimeoutError("the request is too long")
        set_deadline(self._connection, self._deadline)
        count = self._connection.recv_into(buffer, min(len(buffer), self._left))
        self._left -= count
        return count


def set_deadline(connection: socket.socket, deadline: float) -> None:
    """Let the connection's next operation last until `deadline` at most; TimeoutError when that has passed."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the request took too long")
    connection.settimeout(left)


class _Handler(BaseHTTPRequestHandler):
    """One request. HTTP/1.0 and one request a connection: nothing idles, nothing has to be closed later."""

    server: "_Server"
    server_version = f"netready/{__version__}"
    sys_version = ""

    def setup(self) -> None:
        super().setup()
        self._deadline = time.monotonic() + self.server.request_seconds
        self.rfile.close()
        self.rfile = io.BufferedReader(_Door(self.connection, self._deadline))

    def handle(self) -> None:
        # A client that hangs up, or does not take its answer in time, concerns only itself.
        with contextlib.suppress(ConnectionError, TimeoutError):
            super().handle()

    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/metrics":
                self._metrics()
            case "/":
                self._send(HTTPStatus.OK, _landing(self.server.state), "text/html; charset=utf-8")
            case "/-/healthy":
                self._send(HTTPStatus.OK, "netready is running.\n")
            case "/-/ready" if self.server.state.finished_at is not None:
                self._send(HTTPStatus.OK, "netready has surveyed this site.\n")
            case "/-/ready":
                self._send(HTTPStatus.SERVICE_UNAVAILABLE, "The first survey is not finished yet.\n")
            case _:
                self._send(HTTPStatus.NOT_FOUND, "There is /metrics here.\n")

    do_HEAD = do_GET  # noqa: N815

    def _refuse(self) -> None:
        self._send(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET and HEAD.\n", allow="GET, HEAD")

    do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _refuse  # noqa: N815

    def _metrics(self) -> None:
        started = time.perf_counter()
        headers: list[tuple[str, str]] = []
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/metrics",
            "HTTP_ACCEPT": _accept(self.headers.get("Accept", "")),
            "HTTP_ACCEPT_ENCODING": self.headers.get("Accept-Encoding", ""),
        }
        body = b"".join(self.server.render(environ, lambda _status, found: headers.extend(found)))
        self.server.scrape.seconds = time.perf_counter() - started
        self._send(HTTPStatus.OK, body, **dict(headers))

    def _send(
        self, status: HTTPStatus, body: str | bytes, content_type: str = "text/plain; charset=utf-8", **more: str
    ) -> None:
        octets = body.encode() if isinstance(body, str) else body
        headers = {
            "Content-Type": content_type,
            "Content-Length": str(len(octets)),
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'",
            "X-Content-Type-Options": "nosniff",
            **more,
        }
        set_deadline(self.connection, self._deadline)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(octets)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Say nothing: a scrape every few seconds would bury what matters."""


def _accept(header: str) -> str:
    """The Accept header on one line, without versions that prometheus_client could not compare with its own."""
    kept = []
    for media in " ".join(header.split()).split(","):
        version = next((part.split("=", 1)[1] for part in media.split(";") if part.strip().startswith("version=")), "")
        if not version or all(number.isascii() and number.isdigit() for number in version.strip().split(".")):
            kept.append(media)
    return ",".join(kept)


def _landing(state: State) -> str:
    finished = state.finished_at
    last = f"{finished.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if finished else "not finished yet"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>netready</title></head>\n'
        f"<body><h1>netready {html.escape(__version__)}</h1>\n<p>Last survey: {html.escape(last)}.</p>\n"
        '<ul><li><a href="/metrics">Metrics</a> for Prometheus</li>\n'
        '<li><a href="/-/healthy">Is it running?</a></li>\n<li><a href="/-/ready">Has it surveyed?</a></li></ul>\n'
        "</body></html>\n"
    )


class _Server(ThreadingHTTPServer):
    """A thread for each connection, up to CONNECTIONS, all of them ended by `server_close`."""

    daemon_threads = False  # so that server_close() waits for them
    request_queue_size = 2 * CONNECTIONS  # those beyond CONNECTIONS are told so at once instead of being left to retry

    def __init__(self, state: State, address: tuple[str, int], request_seconds: float) -> None:
        self.state = state
        self.request_seconds = request_seconds
        self.scrape = _Scrape(state)
        registry = CollectorRegistry()
        registry.register(self.scrape)
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self.render = make_wsgi_app(registry)
        self._open: set[socket.socket] = set()
        self._counting = threading.Lock()
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # HTTPServer would look up this machine's name, which may mean waiting for a resolver.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._counting:
            full = len(self._open) >= CONNECTIONS
            if not full:
                self._open.add(request)
        if full:
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        with self._counting:
            self._open.discard(request)
        super().close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - socketserver's signature
        print(f"netready: a request to the exporter failed: {sys.exception()!r:.500}", file=sys.stderr)  # noqa: T201

    def hang_up(self) -> None:
        """End the connections that are still open."""
        with self._counting:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class Exporter:
    """A running exporter; `stop` ends it, and so does leaving its `with` block."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(STOP_SECONDS,), name="exporter", daemon=True)
        self._thread.start()

    @property
    def host(self) -> str:
        """The address it listens on."""
        return self._server.server_name

    @property
    def port(self) -> int:
        """The port it listens on, also when it was asked for port 0."""
        return self._server.server_port

    @property
    def address(self) -> str:
        """Host and port as they stand in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def stop(self) -> None:
        """Stop listening, end open connections, wait for their threads."""
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def serve(state: State, host: str = HOST, port: int = PORT, *, request_seconds: float = REQUEST_SECONDS) -> Exporter:
    """Start the exporter. Raises OSError when the address cannot be bound."""
    return Exporter(_Server(state, (host, port), request_seconds))
