"""The child of the `speedtest` method: speedtest-cli's own client, kept to the one server that was named.

Run as `python -m probes.throughput.speedtest_child`: a Job comes in on standard input, a Told goes out on standard output.
A process of its own, because the package wraps this process's output, leaves threads behind and cannot be stopped.

speedtest-cli asks speedtest.net for its configuration before every test, even against a server of one's own. Here the
configuration is local, and an audit hook (PEP 578), which nothing can take off again, refuses every other connection and
every other name.
"""

import errno
import itertools
import os
import signal
import ssl
import sys
import threading
import time
from collections.abc import Callable
from http.client import HTTPException
from importlib import import_module
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError

import msgspec

from netready.failure import Failed, Failure, classify
from netready.text import clean
from probes.throughput import secure
from probes.throughput.channel import ADDRESSES
from probes.throughput.pulse import Pulse
from probes.throughput.settings import Direction, Endpoint, Throughput, endpoint
from probes.throughput.speedtest_job import OBJECTS, PATH, SECONDS, THREADS, Job, Told, within

PAGE_LIMIT = 1 << 16  # bytes of a page that names the upload's extension; it is a few dozen
OVERTIME = 2.0  # s for the package's threads to see that the time is up
_CHUNK = 10_240  # bytes of a download that the package reads between two looks at the clock
_CONNECTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_LOOKUPS = frozenset({"socket.getaddrinfo", "socket.gethostbyname"})
_BUSY = frozenset({429, 503})


Result = TypeVar("Result")


class Overdue(BaseException):
    """The alarm rang. Not an Exception: the package swallows those."""


def guard(server: Endpoint) -> None:
    """From now on this process talks to `server` alone. Any other connection or look-up gets a PermissionError.

    The name is looked up once; a later answer with other addresses is refused like any stranger.
    """
    import socket  # noqa: PLC0415 - nothing else here may be tempted to use it

    found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)[:ADDRESSES]
    allowed = {(str(where[0]), int(where[1])) for *_, where in found}

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _CONNECTS and (not isinstance(arguments[1], tuple) or tuple(arguments[1][:2]) not in allowed):
            raise PermissionError(errno.EPERM, f"only {server} may be spoken to, not {arguments[1]!r}")
        if event in _LOOKUPS and arguments[0] not in {server.host, *(address for address, _ in allowed)}:
            raise PermissionError(errno.EPERM, f"only {server.host} may be looked up, not {arguments[0]!r}")

    sys.addaudithook(hook)


class Page:
    """A response that is read to a limit."""

    def __init__(self, response: Any) -> None:
        self._response = response

    def __getattr__(self, name: str) -> Any:
        return getattr(self._response, name)

    def read(self) -> bytes:
        """The body; raises Failed(TOO_LARGE)."""
        body: bytes = self._response.read(PAGE_LIMIT + 1)
        if len(body) > PAGE_LIMIT:
            raise Failed(Failure.TOO_LARGE, f"the server's first page has more than {PAGE_LIMIT} bytes")
        return body


class Tally:
    """The package's way to open a URL, watched: it hides what fails, and counts a refused upload as sent.

    cut   what the package raises inside an upload when its time is up, which is no failure
    """

    def __init__(self, opener: Any, cut: type[Exception]) -> None:
        self._opener = opener
        self._cut = cut
        self._lock = threading.Lock()
        self.loading = False
        self.requests = self.answered = self.failed = 0
        self.problem: Exception | None = None

    def open(self, request: Any) -> Any:
        with self._lock:
            self.requests += 1
        try:
            response = self._opener.open(request)
        except self._cut:
            raise
        except Exception as error:
            with self._lock:
                self.failed += 1
                self.problem = self.problem or error
            raise
        with self._lock:
            self.answered += 1
        return response if self.loading else Page(response)

    def begin(self) -> None:
        """What came so far belongs to the first page."""
        self.requests = self.answered = self.failed = 0
        self.problem, self.loading = None, True


class Budget:
    """What the package asks before each chunk whether it shall stop; so it knows how many bytes there can be at most.

    The objects are chosen to fit the budget; this is for a server whose pictures are larger than they should be.
    """

    def __init__(self, most: int, objects: int) -> None:
        self._most = most and most + 2 * objects * _CHUNK  # each object's first look and last chunk are no whole chunk
        self._chunks = itertools.count(1)
        self.over = False

    def isSet(self) -> bool:  # noqa: N802 - threading.Event's old name, which the package uses
        """Whether the next chunk could go beyond the budget."""
        if self._most and next(self._chunks) * _CHUNK > self._most:
            self.over = True
        return self.over


class Client:
    """speedtest-cli's client with a configuration of its own.

    The package is loaded here, and late: to load it wraps this process's standard output.
    """

    def __init__(self, settings: Throughput, direction: Direction) -> None:
        self._settings = settings
        self._direction = direction
        package: Any = import_module("speedtest")
        self.package = package
        self.threads = settings.streams or THREADS
        self._objects = within(direction, settings.most_bytes)
        self.budget = Budget(settings.most_bytes if direction is Direction.DOWN else 0, len(self._objects))
        config = self._config()

        class Mini(package.Speedtest):  # type: ignore[misc] # the package has no types
            """The client, which fetches nothing from speedtest.net."""

            def get_config(self) -> dict[str, Any]:
                self.config: dict[str, Any] = config
                return config

        self._mini = Mini(timeout=settings.timeout, secure=settings.tls, shutdown_event=self.budget)
        opener = self._mini._opener  # noqa: SLF001 - where the package keeps it; the constructor would wrap nothing
        opener.addheaders += list(secure.headers(settings).items())
        self.tally = self._mini._opener = Tally(opener, package.SpeedtestUploadTimeout)  # noqa: SLF001

    def _config(self) -> dict[str, Any]:
        """What speedtest.net would tell everybody, in the shape into which the package brings it."""
        seconds = self._settings.time(SECONDS)
        objects = list(self._objects)
        return {
            "client": {},
            "ignore_servers": [],
            "sizes": {"download": objects, "upload": objects},
            "counts": {"download": 1, "upload": 1},
            "threads": {"download": self.threads, "upload": self.threads},
            "length": {"download": seconds, "upload": seconds},
            "upload_max": len(objects),
        }

    @property
    def over(self) -> bool:
        """Whether the data budget ended the test."""
        objects = len(self._objects)
        return self.budget.over or (objects < len(OBJECTS[self._direction]) and self.tally.answered >= objects)

    def find(self) -> None:
        """Read the server's first page. Its ping is left out: three more connections, and no part of a rate."""
        scheme = "https" if self._settings.tls else "http"
        (found,) = self._mini.set_mini_server(f"{scheme}://{endpoint(self._settings.server)}{PATH}")
        self._mini._best.update(found)  # noqa: SLF001 - its own way to choose a server is the ping
        self.tally.begin()

    def load(self) -> tuple[float, int]:
        """Fill the line: bit/s and bytes, as the package reckons them."""
        if self._direction is Direction.DOWN:
            return float(self._mini.download(threads=self.threads)), int(self._mini.results.bytes_received)
        return float(self._mini.upload(threads=self.threads)), int(self._mini.results.bytes_sent)


def measure(job: Job) -> Told:
    """One direction; raises Failed and OSError."""
    settings = job.settings
    if settings.tls:
        trust = secure.context(settings)
        setattr(ssl, "_create_default_https_context", lambda: trust)  # noqa: B010 - PEP 476 names this switch
    guard(endpoint(settings.server))
    client = Client(settings, job.direction)
    tally = client.tally
    bounded(settings.handshake_timeout, client.find, client, "agree to the test")
    began = time.process_time()
    seconds = settings.time(SECONDS) + settings.timeout + OVERTIME
    with Pulse(job.direction) as pulse:
        rate, moved = bounded(seconds, client.load, client, "let its transfers end")
    told = Told(
        rate=rate,
        moved=moved,
        seconds=8 * moved / rate if rate else 0.0,
        requests=tally.requests,
        answered=tally.answered,
        failed=tally.failed,
        over=client.over,
        silent=pulse.silent,
        processor=time.process_time() - began,
        version=str(client.package.__version__),
    )
    if tally.problem is None or not _spoilt(tally):
        return told
    raise explain(tally.problem)


def _spoilt(tally: Tally) -> bool:
    """Whether so much failed that the package's figure means nothing: it counts refused uploads as sent."""
    return not tally.answered or tally.failed > 0.1 * tally.requests


def bounded(seconds: float, do: Callable[[], Result], client: Client, what: str) -> Result:
    """`do()`, or Failed(TIMEOUT) after `seconds`; the package's own exceptions become what lies behind them."""
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return do()
    except Overdue:
        raise Failed(Failure.TIMEOUT, f"the server did not {what} within {seconds:g} s") from None
    except client.package.SpeedtestException as error:
        if client.tally.problem is not None:
            raise explain(client.tally.problem) from error
        raise Failed(Failure.NOT_SUPPORTED, f"not a Speedtest Mini server: {clean(str(error))}") from error
    except (UnicodeDecodeError, HTTPException) as error:
        raise explain(error) from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def explain(error: BaseException) -> Failed:
    """The failure behind an error of urllib or http.client; raises `error` itself when it is none of the network's."""
    text = clean(str(error), limit=200)
    match error:
        case Failed():
            return error
        case HTTPError(code=code) if code in _BUSY:
            return Failed(Failure.SERVER_BUSY, f"the server answered {code}")
        case HTTPError(code=code) if 300 <= code < 400:
            return Failed(Failure.REDIRECT_LOOP, f"the server redirects without end ({code})")
        case HTTPError(code=code):
            return Failed(Failure.HTTP_STATUS, f"the server answered {code}")
        case URLError(reason=BaseException() as cause):
            return explain(cause)
        case ConnectionResetError(errno=None):  # http.client.RemoteDisconnected
            return Failed(Failure.CLOSED_EARLY, text)
        case OSError() if (word := classify(error)) is not None:  # before ValueError: a certificate's error is both
            return Failed(word, text)
        case HTTPException() | ValueError() | URLError():
            return Failed(Failure.MALFORMED, f"the server's answer makes no sense ({text or type(error).__name__})")
        case MemoryError():
            return Failed(Failure.LOCAL_RESOURCES, "memory ran out")
        case _:
            raise error


def main() -> int:
    """Answer the job on standard input."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    signal.signal(signal.SIGALRM, _ring)
    try:
        told = measure(job)
    except (Failed, OSError, MemoryError) as error:
        failed = explain(error)
        told = Told(failure=failed.failure, reason=failed.reason)
    os.write(1, msgspec.json.encode(told))
    return 0


def _ring(_number: int, _frame: object) -> None:
    raise Overdue


if __name__ == "__main__":
    # Threads of the package may still hang on a server that says nothing; nothing waits for them.
    try:
        status = main()
    except BaseException:  # noqa: BLE001 - our bug, told to the parent before everything ends
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
        status = 1
    os._exit(status)
