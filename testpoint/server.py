"""The server: accepts, reads one request within its limits, hands it to a route, and survives whatever comes.

One thread for each connection. During a test nearly all time is spent inside the kernel's send and receive calls, which
run without the interpreter's lock; between tests the threads wait for their few seconds to read a request.
"""

import contextlib
import errno
import random
import selectors
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from netready.failure import Failed, Failure, classify
from netready.text import clean
from probes.throughput.channel import Channel
from probes.throughput.handshake import parse_request
from probes.throughput.ndt7_spec import load_frames
from probes.throughput.settings import Endpoint
from testpoint.limits import Limits
from testpoint.routes import ROUTES
from testpoint.visit import Visit, answer, plain, say

_BROKEN_LISTENER = frozenset({errno.EBADF, errno.EINVAL, errno.ENOTSOCK})  # what accept(2) says only of a bug of ours
_BREATH = 0.05  # s to wait when the system gives no more sockets or threads
_JOIN = 3.0  # s for running tests to end when the server stops


def listen(where: Endpoint, backlog: int) -> socket.socket:
    """A listening socket; on "::" it takes IPv4 too. Raises OSError."""
    ((family, kind, protocol, _, address), *_) = socket.getaddrinfo(
        where.host, where.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST | socket.AI_PASSIVE
    )
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(address)
        listener.listen(backlog)
        listener.settimeout(0)
    except OSError:
        listener.close()
        raise
    return listener


def _name(address: tuple[str, int]) -> str:
    return str(Endpoint(address[0].removeprefix("::ffff:"), address[1]))


def _hang_up(connection: socket.socket) -> None:
    """Wake the thread that reads from `connection`. SSLSocket's own shutdown would pull the TLS state from under it."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def log_line(text: str) -> None:
    """One line on stderr, with the time; strangers' words in it are cleaned here once more."""
    stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{stamp} {clean(text, limit=400)}\n")
        sys.stderr.flush()


class Server:
    """A listening testpoint. `run` serves until `stop`, which any thread or signal handler may call."""

    def __init__(
        self,
        listener: socket.socket,
        *,
        tls: ssl.SSLContext | None = None,
        limits: Limits | None = None,
        log: Callable[[str], None] = log_line,
    ) -> None:
        self.where = Endpoint(*listener.getsockname()[:2])
        self._listener = listener
        self._tls = tls
        self._limits = limits or Limits()
        self._log = log
        self._chance = random.SystemRandom()
        self._frames = load_frames(self._chance)
        self._places = threading.BoundedSemaphore(self._limits.tests)
        self._lock = threading.Lock()
        self._threads: dict[threading.Thread, socket.socket] = {}
        self._quiet: dict[socket.socket, None] = {}  # connections whose request has not come yet, oldest first
        self._stopping = False  # a plain flag: a signal handler must take no lock
        self._wake, self._waker = socket.socketpair()
        self._waker.settimeout(0)

    def run(self) -> None:
        """Accept connections until `stop`; then let running tests say Close, and return."""
        with selectors.DefaultSelector() as selector, self._listener, self._wake:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            while not self._stopping:
                selector.select()
                self._accept()
        self._end()
        self._waker.close()

    def stop(self) -> None:
        """End `run` soon."""
        self._stopping = True
        with contextlib.suppress(OSError):
            self._waker.send(b"x")

    def _accept(self) -> None:
        try:
            connection, address = self._listener.accept()
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno in _BROKEN_LISTENER:
                raise
            time.sleep(_BREATH)
            return
        try:
            if not self._make_room():
                connection.settimeout(0)
                connection.send(plain(503, "too many connections"))
                connection.close()
                return
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        except OSError:
            connection.close()
            return
        thread = threading.Thread(target=self._attend, args=(connection, _name(address)), daemon=True)
        with self._lock:
            self._threads[thread] = connection
            self._quiet[connection] = None
        try:
            thread.start()
        except RuntimeError:  # the system gives no more threads
            self._forget(thread, connection)
            connection.close()
            time.sleep(_BREATH)

    def _make_room(self) -> bool:
        """Whether one more connection may come in; at the limit the longest silent one is hung up."""
        with self._lock:
            if len(self._threads) < self._limits.connections:
                return True
            oldest = next(iter(self._quiet), None)
            if oldest is None:
                return False
            del self._quiet[oldest]
            _hang_up(oldest)
            return True

    def _forget(self, thread: threading.Thread, connection: socket.socket) -> None:
        with self._lock:
            self._threads.pop(thread, None)
            self._quiet.pop(connection, None)

    def _attend(self, connection: socket.socket, peer: str) -> None:
        """One connection, from accept to close; nothing that a stranger sends may leave this function as an exception."""
        places: list[None] = []

        def admit() -> bool:
            if not self._places.acquire(blocking=False):
                return False
            places.append(None)
            return True

        try:
            started = time.monotonic()
            if isinstance(connection, ssl.SSLSocket):
                connection.settimeout(self._limits.head)
                connection.do_handshake()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._serve(connection, peer, admit, self._limits.head - (time.monotonic() - started))
        except (Failed, OSError) as error:  # a peer that went away or broke a rule is no news
            if classify(error) is None and not self._stopping:
                self._log(f"{peer} ended by {error!r}")
        except Exception as error:  # noqa: BLE001 - our own bug must not take the server from the others; it is logged as one
            self._log(f"{peer} our bug: {error!r}")
        finally:
            for _ in places:
                self._places.release()
            connection.close()
            self._forget(threading.current_thread(), connection)

    def _serve(self, connection: socket.socket, peer: str, admit: Callable[[], bool], seconds: float) -> None:
        channel = Channel(connection, time.monotonic)
        try:
            request = parse_request(channel.read_head(seconds=seconds))
        except Failed as failed:
            match failed.failure:
                case Failure.TOO_LARGE:
                    say(channel, plain(431, failed.reason))
                case Failure.MALFORMED:
                    say(channel, plain(400, failed.reason))
                case _:
                    pass
            return
        with self._lock:
            self._quiet.pop(connection, None)
        visit = Visit(
            channel=channel,
            request=request,
            peer=peer,
            own=_name(connection.getsockname()[:2]),
            limits=self._limits,
            frames=self._frames,
            chance=self._chance,
            now=time.monotonic,
            wall=lambda: datetime.now(UTC),
            admit=admit,
            stopping=lambda: self._stopping,
            log=self._log,
        )
        handler = ROUTES.get(request.path)
        if handler is None:
            answer(visit, 404, "nothing is here")
        else:
            handler(visit)

    def _end(self) -> None:
        with self._lock:
            threads = list(self._threads)
            for connection in self._quiet:
                _hang_up(connection)
        deadline = time.monotonic() + _JOIN
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
