"""The server: accepts, reads requests within its limits, hands them to routes, and survives whatever comes.

One thread for each connection. During a test nearly all time is spent inside the kernel's send and receive calls, which
run without the interpreter's lock; between tests the threads wait for their few seconds to read a request.
"""

import contextlib
import errno
import math
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
from probes.throughput.handshake import Request, has_token, parse_request
from probes.throughput.ndt7_spec import load_frames
from probes.throughput.settings import Endpoint, endpoint
from testpoint.address import client_of, is_near
from testpoint.exposition import render
from testpoint.limits import Limits
from testpoint.pages import HEALTH
from testpoint.places import Place, Places
from testpoint.room import Room
from testpoint.routes import ROUTES, Handler
from testpoint.tally import Tally
from testpoint.token import is_authorised
from testpoint.turn import Turn
from testpoint.visit import LINGER_SECONDS, Visit, answer, plain, say

_BROKEN_LISTENER = frozenset({errno.EBADF, errno.EINVAL, errno.ENOTSOCK})  # what accept(2) says only of a bug of ours
_BREATH = 0.05  # s to wait when the system gives no more sockets or threads
_JOIN = 3.0  # s for running tests to end when the server stops
_SWEEP = 2.0  # s between looks for tests whose last request was a while ago
_TLS_RECORD = b"\x16"  # a handshake's first byte (RFC 8446, 5.1); no HTTP method begins with it


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
    """Address and port; an IPv4 address as itself on a socket that takes both, a link-local one without its interface."""
    return str(Endpoint(address[0].removeprefix("::ffff:").partition("%")[0], address[1]))


def log_line(text: str) -> None:
    """One line on stderr, with the time; strangers' words in it are cleaned here once more."""
    stamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{stamp} {clean(text, limit=400)}\n")
        sys.stderr.flush()


class Server:
    """A listening testpoint. `run` serves until `stop`, which any thread or signal handler may call.

    tls           with a context, TLS is spoken to clients that begin with it
    tls_only      others are refused
    token         what clients must show; empty, nobody is asked
    metrics_open  show /metrics to everybody
    """

    def __init__(
        self,
        listener: socket.socket,
        *,
        tls: ssl.SSLContext | None = None,
        tls_only: bool = False,
        token: str = "",
        metrics_open: bool = False,
        limits: Limits | None = None,
        log: Callable[[str], None] = log_line,
    ) -> None:
        self.where = Endpoint(*listener.getsockname()[:2])
        self._listener = listener
        self._tls = tls
        self._tls_only = tls_only
        self._token = token
        self._metrics_open = metrics_open
        self._limits = limits or Limits()
        self._log = log
        self._chance = random.SystemRandom()
        self._frames = load_frames(self._chance)
        self._tally = Tally()
        self._places = Places(self._limits, self._test_ended)
        self._room = Room(self._limits.connections)
        self._stopping = False  # a plain flag: a signal handler must take no lock
        self._wake, self._waker = socket.socketpair()
        self._waker.settimeout(0)

    def run(self) -> None:
        """Accept connections until `stop`; then let running tests say Close, and return."""
        with selectors.DefaultSelector() as selector, self._listener, self._wake:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            while not self._stopping:
                if selector.select(_SWEEP):
                    self._accept()
                else:
                    self._places.running(time.monotonic())
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
        if not self._room.make():
            self._tally.refused("connections")
            with contextlib.suppress(OSError):
                connection.settimeout(0)
                connection.send(plain(503, "too many connections"))
            connection.close()
            return
        thread = threading.Thread(target=self._attend, args=(connection, _name(address)), daemon=True)
        self._room.enter(thread, connection)
        try:
            thread.start()
        except RuntimeError:  # the system gives no more threads
            self._room.leave(thread)
            connection.close()
            time.sleep(_BREATH)

    def _attend(self, connection: socket.socket, peer: str) -> None:
        """One connection, from accept to close; nothing that a stranger sends may leave this function as an exception."""
        deadline = time.monotonic() + self._limits.head
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            first = self._first_byte(connection)
            refusal = self._refusal(first)
            if refusal is None and first == _TLS_RECORD and self._tls is not None:
                connection = self._secure(connection, self._tls, deadline)
            channel = Channel(connection, time.monotonic)
            if refusal is None:
                self._converse(channel, peer, deadline - time.monotonic())
            else:
                say(channel, plain(400, refusal))
            self._see_off(channel)
        except (Failed, OSError) as error:  # a peer that went away or broke a rule is no news
            if classify(error) is None and not self._stopping:
                self._log(f"{peer} ended by {error!r}")
        except Exception as error:  # noqa: BLE001 - our own bug must not take the server from the others; it is logged as one
            self._log(f"{peer} our bug: {error!r}")
        finally:
            connection.close()
            self._room.leave(threading.current_thread())

    def _first_byte(self, connection: socket.socket) -> bytes:
        """What a client begins with, left where it is; nothing when it goes without a word."""
        connection.settimeout(self._limits.head)
        try:
            first = connection.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            self._tally.connection("silent")
            self._tally.refused("head_time")
            raise
        self._tally.connection("tls" if first == _TLS_RECORD else "clear" if first else "silent")
        return first

    def _refusal(self, first: bytes) -> str | None:
        """What to tell a client that begins with this byte and does not speak what is spoken here."""
        if first == _TLS_RECORD and self._tls is None:
            self._tally.refused("tls")
            return "no TLS is spoken here"
        if first and first != _TLS_RECORD and self._tls_only:
            self._tally.refused("clear_text")
            return "only TLS is spoken here"
        return None

    def _secure(self, connection: socket.socket, tls: ssl.SSLContext, deadline: float) -> socket.socket:
        """The connection inside TLS."""
        secured = self._room.secure(lambda: tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False))
        try:
            secured.settimeout(max(0.001, deadline - time.monotonic()))
            secured.do_handshake()
        except BaseException:
            self._tally.refused("tls")
            secured.close()
            raise
        return secured

    def _see_off(self, channel: Channel) -> None:
        """Let the peer take our last words. It is idle meanwhile: others may have its room."""
        if channel.connection.fileno() >= 0:
            self._room.wait()
            with contextlib.suppress(OSError):
                channel.linger(seconds=LINGER_SECONDS)

    def _converse(self, channel: Channel, peer: str, seconds: float) -> None:
        """One request after the other, as long as their handlers keep the connection; `seconds` for the first."""
        ends = time.monotonic() + self._limits.lifetime
        while (request := self._next(channel, seconds)) is not None:
            self._room.work()
            if not self._serve(channel, request, peer, may_keep=time.monotonic() < ends):
                return
            self._room.wait()
            if self._stopping:
                return
            seconds = self._limits.idle

    def _next(self, channel: Channel, seconds: float) -> Request | None:
        """The next request, or None when there is no other; one that is none is answered here."""
        begins = channel.bytes_in == 0
        try:
            return parse_request(channel.read_head(seconds=seconds))
        except Failed as failed:
            match failed.failure:
                case Failure.TOO_LARGE:
                    self._tally.refused("head")
                    say(channel, plain(431, failed.reason))
                case Failure.MALFORMED:
                    self._tally.refused("head")
                    say(channel, plain(400, failed.reason))
                case Failure.TIMEOUT if begins:
                    self._tally.refused("head_time")
                case _:
                    pass
            return None

    def _serve(self, channel: Channel, request: Request, peer: str, *, may_keep: bool) -> bool:
        """Answer one request; whether the connection is ready for another."""
        host = endpoint(peer).host
        handler = ROUTES.get(request.path)
        turn = Turn(
            channel,
            client=client_of(host),
            protocol=_protocol(handler),
            may_keep=may_keep and _may_keep(request),
            places=self._places,
            tally=self._tally,
            now=time.monotonic,
        )
        visit = Visit(
            channel=channel,
            request=request,
            peer=peer,
            own=_name(channel.connection.getsockname()[:2]),
            limits=self._limits,
            frames=self._frames,
            chance=self._chance,
            now=time.monotonic,
            wall=lambda: datetime.now(UTC),
            admit=turn.admit,
            refusal=turn.refusal,
            moved=turn.moved,
            ended=turn.ended,
            keep=turn.keep,
            stopping=lambda: self._stopping,
            log=self._log,
            metrics=self._metrics if self._metrics_open or is_near(host) else None,
        )
        try:
            if self._token and request.path != HEALTH and not is_authorised(request, self._token):
                self._tally.refused("token")
                answer(visit, 401, "a token is needed", WWW_Authenticate="Bearer")
            elif handler is None:
                answer(visit, 404, "nothing is here")
            else:
                handler(visit)
        except (Failed, OSError) as error:
            turn.ended("client-closed" if classify(error) in {Failure.RESET, Failure.CLOSED_EARLY} else "broken")
            raise
        except Exception:
            turn.ended("broken")
            raise
        finally:
            turn.settle()
        return turn.kept

    def _metrics(self) -> bytes:
        now = time.monotonic()
        return render(self._tally, running=self._places.running(now), connected=len(self._room), clients=self._places.clients)

    def _test_ended(self, place: Place) -> None:
        self._tally.test(place.protocol, place.result)
        if place.keep:  # made of many requests, whose handlers do not know that it ended
            rate = 8e-6 * place.moved / place.seconds if place.seconds else 0.0
            self._log(
                f"{place.client} {place.protocol} {place.seconds:.2f} s {place.moved} bytes {rate:.1f} Mbit/s {place.result}"
            )

    def _end(self) -> None:
        threads = self._room.clear()
        deadline = time.monotonic() + _JOIN
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._places.running(math.inf)


def _protocol(handler: Handler | None) -> str:
    """A protocol's name is its module's."""
    return "" if handler is None else handler.__module__.rpartition(".")[2]


def _may_keep(request: Request) -> bool:
    """Whether the client would use the connection again. What comes behind a request that should have no body is not read."""
    fields = request.fields
    if has_token(fields.get("connection", ""), "close"):
        return False
    return request.method == "POST" or not ("transfer-encoding" in fields or fields.get("content-length", "0") != "0")
